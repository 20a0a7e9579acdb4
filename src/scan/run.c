/* Runs the detectors in table order. One that cannot run, fails or does not fit into --max-time leaves a "not
 * checked" behind and none of the findings it had begun; the others go on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/limits.h"
#include "scan/scan.h"

double bez_scan_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static bool out_of_time(bez_scan *scan) {
  double limit = scan->options->max_time;
  if (limit > 0 && bez_scan_now() - scan->started >= limit) scan->timed_out = true;
  return scan->timed_out;
}

bool bez_scan_progress(void *ctx, const char *stage, const char *unit, uint64_t done, uint64_t total) {
  bez_scan *scan = ctx;
  const bez_read_options *read = &scan->options->read;
  if (read->progress && !read->progress(read->progress_ctx, stage, unit, done, total)) scan->cancelled = true;
  return !scan->cancelled && !out_of_time(scan);
}

static bool named(const char *const *list, size_t n, const bez_rule *rule) {
  for (size_t i = 0; i < n; i++)
    if (!strcmp(list[i], rule->id) || !strcmp(list[i], rule->name)) return true;
  return false;
}

bool bez_scan_requested(const bez_scan_options *o, const bez_rule *rule) {
  return named(o->only, o->n_only, rule);
}

bool bez_scan_wanted(const bez_scan_options *o, const bez_rule *rule) {
  return (!o->n_only || named(o->only, o->n_only, rule)) && !named(o->skip, o->n_skip, rule);
}

const char *bez_scan_label_unusable(const bez_scan *scan) {
  if (scan->table->label < 0) return "no label column (name one with --label)";
  if (!scan->table->cols[scan->table->label].width) return "the label column has (nearly) one value per row";
  if (scan->n_classes < 2) return "the label column has fewer than two classes";
  if (scan->n_classes > BEZ_MAX_CLASSES) return "the label column has too many values to be classes";
  return NULL;
}

static bool any_numbers(const bez_scan *scan) {
  for (uint32_t i = 0; i < scan->n_features; i++)
    if (scan->table->cols[scan->features[i]].type == BEZ_COL_NUMERIC) return true;
  return false;
}

/* Checks for another kind of data than this: nobody expects them, so they are named together in one line. */
typedef struct other_kinds {
  uint32_t needs; /* of them */
  bez_buf ids;
} other_kinds;

/* What of the needs only another kind of data has. A table without a text column may be one whose text was taken for
 * something else: that is said aloud. */
static uint32_t needs_of_other_kinds(const bez_scan *scan, uint32_t needs) {
  const uint32_t tables = BEZ_NEED_CELLS | BEZ_NEED_NUMBERS;
  bool pictures = scan->table->images != NULL;
  uint32_t other = 0;
  if (scan->table->n_rows == 0) return 0;
  if (!pictures) other |= needs & BEZ_NEED_IMAGES;
  if (!scan->n_features && (pictures || scan->n_texts)) other |= needs & tables;
  if (!scan->n_texts && pictures) other |= needs & BEZ_NEED_TEXT;
  return other;
}

static void say_other_kinds(bez_scan *scan, const other_kinds *other) {
  const char *kinds[3];
  size_t n = 0;
  if (other->needs & (BEZ_NEED_CELLS | BEZ_NEED_NUMBERS)) kinds[n++] = "tables";
  if (other->needs & BEZ_NEED_TEXT) kinds[n++] = "text";
  if (other->needs & BEZ_NEED_IMAGES) kinds[n++] = "pictures";
  if (!n) return;
  char what[64];
  snprintf(what, sizeof what, "checks for %s%s%s", kinds[0], n > 1 ? " and " : "", n > 1 ? kinds[1] : "");
  bez_report_not_checked(scan->report, false, what, "do not apply to %s (%s)",
                         scan->table->images ? "pictures"
                         : scan->n_features  ? "a table"
                                             : "text",
                         other->ids.data);
}

/* Why a detector has nothing to look at; NULL: it can run. */
static const char *missing_need(const bez_scan *scan, uint32_t needs) {
  if (scan->table->n_rows == 0) return "no rows";
  if (needs & BEZ_NEED_LABEL) {
    const char *why = bez_scan_label_unusable(scan);
    if (why && scan->table->label < 0 && scan->table->images) return "no labels (give them with --labels-file)";
    if (why) return why;
  }
  if ((needs & BEZ_NEED_TEXT) && !scan->n_texts) return "no text column";
  if ((needs & BEZ_NEED_SOURCE) && scan->table->source < 0) return "no source column (name one with --source)";
  if ((needs & BEZ_NEED_NUMBERS) && !any_numbers(scan)) return "no numeric column";
  if ((needs & BEZ_NEED_IMAGES) && !scan->table->images) return "no pictures";
  if ((needs & BEZ_NEED_VECTORS) && !scan->table->vectors) return "no embeddings (give them with --embeddings)";
  if ((needs & BEZ_NEED_GOLDEN) && !scan->golden) return "no golden set (give one with --golden)";
  if ((needs & BEZ_NEED_REFERENCE) && !scan->reference) return "no known-good data (give them with --reference-data)";
  if ((needs & BEZ_NEED_CELLS) && scan->n_features < 2) return "fewer than two feature columns";
  return NULL;
}

static void not_checked(bez_scan *scan, const bez_rule *rule, bool requested, const char *reason) {
  char what[128];
  snprintf(what, sizeof what, "%s %s", rule->id, rule->name);
  bez_report_not_checked(scan->report, requested, what, "%s", reason);
}

/* A detector that stopped half-way: its findings are taken back, and the reason is kept. */
static bez_status settle_failure(bez_scan *scan, const bez_detector *d, bez_status st, size_t n_before,
                                 const bez_error *why, bez_error *err) {
  if (scan->cancelled) return bez_fail(err, BEZ_CANCELLED, NULL, "cancelled");
  scan->report->n_findings = n_before;
  if (scan->timed_out) {
    not_checked(scan, &d->rule, true, "did not finish within --max-time");
    return BEZ_OK;
  }
  char reason[BEZ_ERROR_TEXT + 64];
  snprintf(reason, sizeof reason, "%s: %s", bez_status_text(st), why->message[0] ? why->message : "no details");
  not_checked(scan, &d->rule, true, reason);
  return BEZ_OK;
}

static bez_status run_one(bez_scan *scan, const bez_detector *d, const bez_detect_input *in, other_kinds *other,
                          bez_error *err) {
  bool requested = bez_scan_requested(scan->options, &d->rule);
  uint32_t kinds = needs_of_other_kinds(scan, d->needs);
  if (kinds && !requested) {
    other->needs |= kinds;
    bez_buf_printf(&other->ids, "%s%s", other->ids.len ? ", " : "", d->rule.id);
    return BEZ_OK;
  }
  const char *missing = missing_need(scan, d->needs);
  if (missing) {
    not_checked(scan, &d->rule, requested, missing);
    return BEZ_OK;
  }
  if (out_of_time(scan)) {
    not_checked(scan, &d->rule, true, "not started: --max-time was over");
    return BEZ_OK;
  }
  size_t n_before = scan->report->n_findings;
  bez_error why = {0};
  bez_status st = d->run(in, scan->report, &why);
  if (st != BEZ_OK) return settle_failure(scan, d, st, n_before, &why, err);
  if (scan->cancelled) return bez_fail(err, BEZ_CANCELLED, NULL, "cancelled");
  bez_report_ran(scan->report, &d->rule);
  return BEZ_OK;
}

bez_status bez_scan_run(bez_scan *scan, bez_error *err) {
  bez_status st = BEZ_OK;
  other_kinds other = {0};
  bez_shared *shared = bez_shared_create();
  if (!shared) return bez_fail_memory(err, 0);
  bez_detect_input in = {.table = scan->table,
                         .features = scan->features,
                         .n_features = scan->n_features,
                         .texts = scan->texts,
                         .n_texts = scan->n_texts,
                         .label = scan->table->label,
                         .source = scan->table->source,
                         .golden = scan->golden,
                         .reference = scan->reference,
                         .seed = scan->options->read.seed,
                         .threads = scan->threads,
                         .cpu = scan->cpu,
                         .progress = bez_scan_progress,
                         .progress_ctx = scan,
                         .shared = shared};
  for (size_t i = 0; bez_detectors[i]; i++) {
    if (!bez_scan_wanted(scan->options, &bez_detectors[i]->rule)) continue;
    (void)bez_scan_progress(scan, bez_detectors[i]->rule.title, "checks", 0, 0); /* a place to stop between them */
    if (scan->cancelled) BEZ_TRY(bez_fail(err, BEZ_CANCELLED, NULL, "cancelled"));
    BEZ_TRY(run_one(scan, bez_detectors[i], &in, &other, err));
  }
  BEZ_TRY(bez_buf_status(&other.ids, err));
  say_other_kinds(scan, &other);
  BEZ_TRY(bez_report_status(scan->report, err));
cleanup:
  bez_buf_free(&other.ids);
  bez_shared_destroy(shared);
  return st;
}
