/* Test helpers: a detector on a table, without the scan around it. */
#ifndef BEZ_TEST_DETECT_HELPERS_H
#define BEZ_TEST_DETECT_HELPERS_H

#include "base/cpu.h"
#include "detect/shared.h"
#include "table_helpers.h"
#include "test.h"

typedef struct detect_run {
  bez_detect_input in;
  uint32_t *features;
  bez_report *report;
} detect_run;

static inline detect_run detect_begin(const bez_table *table, unsigned threads) {
  detect_run d = {.in = {.table = table,
                         .label = table->label,
                         .source = table->source,
                         .seed = 1,
                         .threads = threads,
                         .cpu = bez_cpu_features()}};
  d.features = calloc((size_t)table->n_cols + 1, sizeof *d.features);
  for (uint32_t c = 0; c < table->n_cols; c++)
    if (table->cols[c].role == BEZ_ROLE_FEATURE && table->cols[c].width) d.features[d.in.n_features++] = c;
  d.in.features = d.features;
  d.in.shared = bez_shared_create();
  d.report = bez_report_create("scan");
  assert_non_null(d.report);
  assert_non_null(d.in.shared);
  return d;
}

static inline void detect_with(detect_run *d, const bez_detector *detector) {
  d->in.features = d->features; /* the struct may have been copied */
  bez_error err = {0};
  assert_ok(detector->run(&d->in, d->report, &err));
}

static inline void detect_end(detect_run *d) {
  bez_report_destroy(d->report);
  bez_shared_destroy(d->in.shared);
  free(d->features);
}

/* The detector has nothing to say about the table, which is destroyed. */
static inline void assert_silent(bez_table *table, const char *detector, unsigned threads) {
  detect_run d = detect_begin(table, threads);
  detect_with(&d, bez_detector_find(detector));
  assert_int_equal(d.report->n_findings, 0);
  detect_end(&d);
  bez_table_destroy(table);
}

static inline size_t count_findings(const bez_report *report, bez_severity at_least) {
  size_t n = 0;
  for (size_t i = 0; i < report->n_findings; i++) n += report->findings[i]->severity >= at_least;
  return n;
}

#endif
