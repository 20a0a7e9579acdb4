/* Inside the scan room: what one scan carries from step to step.
 *
 *   identify   what is each path?
 *   models     model files are collected, read by sandboxed helpers, and audited (models.h)
 *   schema     files, columns and roles go into the report; features and texts are chosen
 *   run        the detectors whose needs are met, in table order, until --max-time
 *   remarks    what reading noticed becomes findings
 *   suppress   known findings are set aside, until they expire
 *   incidents  findings on the same rows become one */
#ifndef BEZ_SCAN_SCAN_H
#define BEZ_SCAN_SCAN_H

#include "bezoar/scan.h"
#include "detect/detector.h"
#include "detect/shared.h"
#include "format/dataset.h"
#include "net/spool.h"

struct bez_scan_models; /* models.h */

typedef struct bez_scan {
  const bez_scan_options *options;
  const bez_table *table;        /* NULL: there are models alone */
  bez_table *golden, *reference; /* owned; NULL: none */
  bez_report *report, *baseline; /* baseline: NULL without one */
  bez_spool *spool;              /* what was fetched; NULL: no path is remote */
  double started;                /* seconds of the monotonic clock */
  bool timed_out;
  bool cancelled;
  unsigned threads;
  uint32_t cpu;
  uint32_t *features, *texts;
  uint32_t n_features, n_texts;
  uint32_t n_classes;             /* distinct labels, missing ones not counted */
  struct bez_scan_models *models; /* what was given that holds models; owned; NULL: none */
} bez_scan;

/* Seconds of the monotonic clock. */
double bez_scan_now(void);
/* The progress callback every step uses: false when the caller cancels or the time is over. ctx is a bez_scan. */
bool bez_scan_progress(void *ctx, const char *stage, const char *unit, uint64_t done, uint64_t total);

/* What a file is when it is no table: "a PNG image", "a pickle (PyTorch or joblib) model" …; NULL: perhaps a table. */
const char *bez_scan_identify(const bez_spool *spool, const char *path);

/* Unknown names in only and skip, an unknown ruleset: BEZ_USAGE. */
BEZ_MUST_USE bez_status bez_scan_check_options(const bez_scan_options *options, bez_error *err);
bool bez_scan_wanted(const bez_scan_options *options, const bez_rule *rule);
/* Why no check can use the label column; NULL: they can. */
const char *bez_scan_label_unusable(const bez_scan *scan);
bool bez_scan_requested(const bez_scan_options *options, const bez_rule *rule);

BEZ_MUST_USE bez_status bez_scan_schema(bez_scan *scan, bez_error *err);
BEZ_MUST_USE bez_status bez_scan_remarks(bez_scan *scan, bez_error *err);
BEZ_MUST_USE bez_status bez_scan_run(bez_scan *scan, bez_error *err);
/* Reads a suppression file into the report (before the work, so that a mistake in it costs no scan), and applies it
 * to the sealed findings. */
BEZ_MUST_USE bez_status bez_scan_load_suppressions(bez_report *report, const char *path, bez_error *err);
BEZ_MUST_USE bez_status bez_scan_suppress(bez_report *report, const char *today, bez_error *err);
BEZ_MUST_USE bez_status bez_scan_incidents(bez_report *report, bez_error *err);
/* Ranked lists that are mostly about one incident join it; incidents say which lists hold most of their rows. */
BEZ_MUST_USE bez_status bez_scan_place_lists(bez_report *report, bez_error *err);
/* Saved states (shard.c): opens options->with and lets it fill what was not given; says what came of it. */
BEZ_MUST_USE bez_status bez_scan_open_state(bez_scan_options *options, bez_state **out, bez_error *err);
void bez_scan_say_reuse(bez_scan *scan, const bez_reuse *reuse);
/* rows: global rows that leave, ascending. */
BEZ_MUST_USE bez_status bez_clean_folder(const char *folder, const bez_report *report, const uint64_t *rows,
                                         size_t n_rows, const char *out_path, const char *quarantine_path,
                                         bez_clean_result *result, bez_error *err);
void bez_scan_record(bez_scan *scan); /* effective options and run information */

#endif
