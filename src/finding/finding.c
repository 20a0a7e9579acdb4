/* Builders: how detectors fill a report. Every builder accepts a NULL finding, so that running out of memory is
 * checked once, with bez_report_status. */
#include "finding/finding.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "finding/index.h"
#include "finding/text.h"

enum {
  MAX_TITLE = 1000,    /* bytes; a title is one line, not a document */
  MAX_SENTENCE = 4000, /* bytes of a remedy, reason or piece of evidence */
  LABEL_CACHE = 256    /* label strings shared between rows */
};

bez_report *bez_report_create(const char *command) {
  bez_report *report = calloc(1, sizeof *report);
  if (!report) return NULL;
  report->ruleset = BEZ_RULESET_VERSION;
  report->command = bez_report_text(report, command ? command : "scan");
  if (!report->command) {
    bez_report_destroy(report);
    return NULL;
  }
  return report;
}

void bez_report_destroy(bez_report *report) {
  if (!report) return;
  bez_row_index_drop(report);
  bez_arena_free(&report->arena);
  free(report);
}

bez_status bez_report_status(const bez_report *report, bez_error *err) {
  return report->out_of_memory ? bez_fail_memory(err, report->arena.total) : BEZ_OK;
}

/* Room for one more element in an arena array that doubles; the old array stays in the arena until the end. */
static void *grown(bez_report *report, void *items, size_t n, size_t *cap, size_t size) {
  if (n < *cap) return items;
  size_t more = *cap ? *cap * 2 : 16;
  void *out = bez_report_array(report, more, size);
  if (!out) return NULL;
  if (n) memcpy(out, items, n * size);
  *cap = more;
  return out;
}

bez_finding *bez_report_add(bez_report *report, const bez_rule *rule, bez_severity severity) {
  bez_finding **list =
      grown(report, report->findings, report->n_findings, &report->cap_findings, sizeof *report->findings);
  bez_finding *f = list ? bez_report_array(report, 1, sizeof *f) : NULL;
  if (!f) return NULL;
  *f = (bez_finding){.rule = rule,
                     .severity = severity,
                     .title = rule->title,
                     .score = NAN,
                     .p_value = NAN,
                     .q_value = NAN,
                     .is_new = true};
  report->findings = list;
  report->findings[report->n_findings++] = f;
  bez_row_index_drop(report);
  return f;
}

bez_finding *bez_report_add_list(bez_report *report, const bez_rule *rule, double score) {
  bez_finding *f = bez_report_add(report, rule, BEZ_SEV_NOTE);
  if (!f) return NULL;
  f->ranked_list = true;
  f->score = score;
  return f;
}

void bez_finding_title(bez_report *report, bez_finding *f, const char *fmt, ...) {
  if (!f) return;
  va_list args;
  va_start(args, fmt);
  const char *text = bez_report_vprintf(report, MAX_TITLE, fmt, args);
  va_end(args);
  if (text) f->title = text;
}

void bez_finding_remedy(bez_report *report, bez_finding *f, const char *fmt, ...) {
  if (!f) return;
  va_list args;
  va_start(args, fmt);
  f->remedy = bez_report_vprintf(report, MAX_SENTENCE, fmt, args);
  va_end(args);
}

void bez_finding_subject(bez_report *report, bez_finding *f, const char *pattern, const char *target) {
  if (!f) return;
  f->pattern = bez_report_text(report, pattern);
  f->target = bez_report_text(report, target);
}

static void add_evidence(bez_report *report, bez_finding *f, const char *key, const char *text, double number) {
  bez_evidence *e = bez_report_array(report, 1, sizeof *e);
  if (!e) return;
  e->key = bez_report_text(report, key);
  e->text = text;
  e->number = number;
  if (!e->key || !text) return;
  if (f->evidence_last)
    f->evidence_last->next = e;
  else
    f->evidence = e;
  f->evidence_last = e;
}

void bez_finding_place(bez_report *report, bez_finding *f, const char *file, const char *part, uint64_t byte) {
  if (f)
    f->place =
        (bez_file_place){.file = bez_report_text(report, file), .part = bez_report_text(report, part), .byte = byte};
}

void bez_finding_number(bez_report *report, bez_finding *f, const char *key, double value) {
  if (!f) return;
  char text[32];
  bez_number_text(value, text);
  add_evidence(report, f, key, bez_report_text(report, text), value);
}

void bez_finding_text(bez_report *report, bez_finding *f, const char *key, const char *fmt, ...) {
  if (!f) return;
  va_list args;
  va_start(args, fmt);
  const char *text = bez_report_vprintf(report, MAX_SENTENCE, fmt, args);
  va_end(args);
  add_evidence(report, f, key, text, NAN);
}

static int by_row(const void *a, const void *b) {
  const bez_row_hit *x = a, *y = b;
  if (x->row != y->row) return x->row < y->row ? -1 : 1;
  double sx = isnan(x->score) ? -INFINITY : x->score, sy = isnan(y->score) ? -INFINITY : y->score;
  return (sx < sy) - (sx > sy);
}

/* A few labels stand on very many rows: each is kept once. Keyed by content, for callers reuse buffers. */
static const char *shared_label(bez_report *report, const char *cache[LABEL_CACHE], const char *label) {
  if (!label) return NULL;
  uint32_t h = 2166136261u;
  for (const char *p = label; *p; p++) h = (h ^ (unsigned char)*p) * 16777619u;
  const char **slot = &cache[(h ^ h >> 16) % LABEL_CACHE];
  if (!*slot || strcmp(*slot, label) != 0) *slot = bez_report_text(report, label);
  return *slot;
}

void bez_finding_rows(bez_report *report, bez_finding *f, const bez_row_hit *rows, uint64_t n) {
  if (!f) return;
  f->rows = NULL;
  f->n_rows = 0;
  bez_row_index_drop(report);
  bez_row_hit *copy = bez_report_array(report, n, sizeof *copy);
  if (!copy) return;
  const char *given[LABEL_CACHE] = {0}, *suggested[LABEL_CACHE] = {0};
  if (n) memcpy(copy, rows, n * sizeof *copy);
  for (uint64_t i = 0; i < n; i++) {
    copy[i].label = shared_label(report, given, rows[i].label);
    copy[i].suggested = shared_label(report, suggested, rows[i].suggested);
  }
  qsort(copy, n, sizeof *copy, by_row);
  uint64_t kept = 0;
  for (uint64_t i = 0; i < n; i++) /* a row is listed once, with its highest score */
    if (!kept || copy[kept - 1].row != copy[i].row) copy[kept++] = copy[i];
  f->rows = copy;
  f->n_rows = kept;
}

void bez_report_not_checked(bez_report *report, bool requested, const char *what, const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  const char *reason = bez_report_vprintf(report, MAX_SENTENCE, fmt, args);
  va_end(args);
  bez_not_checked *item = bez_report_array(report, 1, sizeof *item);
  if (!item) return;
  *item = (bez_not_checked){.what = bez_report_text(report, what), .reason = reason, .requested = requested};
  if (!item->what || !reason) return;
  if (report->not_checked_last)
    report->not_checked_last->next = item;
  else
    report->not_checked = item;
  report->not_checked_last = item;
}

void bez_report_ran(bez_report *report, const bez_rule *rule) {
  for (size_t i = 0; i < report->n_rules_run; i++)
    if (!strcmp(report->rules_run[i]->id, rule->id)) return;
  const bez_rule **list =
      grown(report, report->rules_run, report->n_rules_run, &report->cap_rules_run, sizeof *report->rules_run);
  if (!list) return;
  report->rules_run = list;
  report->rules_run[report->n_rules_run++] = rule;
}

/* Options and run facts are a few dozen: the arrays are copied for each addition. */
static void put_pair(bez_report *report, bez_kv **pairs, size_t *n, const char *key, const char *value, bool join) {
  if (!value) value = "";
  for (size_t i = 0; i < *n; i++) {
    if (strcmp((*pairs)[i].key, key) != 0) continue;
    char *text = join ? bez_arena_printf(&report->arena, "%s, %s", (*pairs)[i].value, value)
                      : bez_arena_strdup(&report->arena, value);
    char *clean = bez_report_text(report, text);
    if (clean) (*pairs)[i].value = clean;
    return;
  }
  bez_kv *out = bez_report_array(report, *n + 1, sizeof *out);
  bez_kv pair = {bez_report_text(report, key), bez_report_text(report, value)};
  if (!out || !pair.key || !pair.value) return;
  if (*n) memcpy(out, *pairs, *n * sizeof *out);
  out[(*n)++] = pair;
  *pairs = out;
}

void bez_report_option(bez_report *report, const char *key, const char *value) {
  put_pair(report, &report->options, &report->n_options, key, value, true);
}

void bez_report_run_info(bez_report *report, const char *key, const char *value) {
  put_pair(report, &report->run, &report->n_run, key, value, false);
}
