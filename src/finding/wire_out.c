/* A report as JSON of schema version 1 (docs/schema/report-1.json). Long arrays of numbers and strings stand on one
 * line each; everything else is indented, so that reports can be read and compared by line. */
#include <math.h>
#include <string.h>

#include "base/base64.h"
#include "finding/redact.h"
#include "finding/wire.h"

/* Opens an array that stays on its line. */
static void open_flat(bez_json *j, const char *key) {
  bez_json_key(j, key);
  bez_json_open(j, '[');
  j->pretty = false;
}

static void close_flat(bez_json *j) {
  bez_json_close(j, ']');
  j->pretty = true;
}

static void put_summary(bez_json *j, const bez_report *r) {
  size_t suppressed = 0, all = 0;
  for (size_t i = 0; i < r->n_findings; i++) suppressed += r->findings[i]->suppressed;
  for (const bez_not_checked *item = r->not_checked; item; item = item->next) all++;
  size_t errors = bez_report_count(r, BEZ_SEV_ERROR), warnings = bez_report_count(r, BEZ_SEV_WARNING);
  bez_json_key(j, "summary");
  bez_json_open(j, '{');
  bez_json_kuint(j, "errors", errors);
  bez_json_kuint(j, "warnings", warnings - errors);
  bez_json_kuint(j, "notes", bez_report_count(r, BEZ_SEV_NOTE) - warnings);
  bez_json_kuint(j, "suppressed", suppressed);
  bez_json_kuint(j, "not_checked", all);
  bez_json_kuint(j, "not_checked_requested", bez_report_unexamined(r));
  bez_json_close(j, '}');
}

static void put_not_checked(bez_json *j, const bez_report *r) {
  bez_json_key(j, "not_checked");
  bez_json_open(j, '[');
  for (const bez_not_checked *item = r->not_checked; item; item = item->next) {
    bez_json_open(j, '{');
    bez_json_kstr(j, "what", item->what);
    bez_json_kstr(j, "reason", item->reason);
    bez_json_kbool(j, "requested", item->requested);
    bez_json_close(j, '}');
  }
  bez_json_close(j, ']');
}

/* Left out where there is nothing; a list, for keys may come again. */
static void put_about(bez_json *j, const bez_report_file *f) {
  if (!f->n_about) return;
  bez_json_key(j, "about");
  bez_json_open(j, '[');
  for (size_t i = 0; i < f->n_about; i++) {
    bez_json_open(j, '{');
    bez_json_kstr(j, "key", f->about[i].key);
    bez_json_kstr(j, "value", f->about[i].value);
    bez_json_close(j, '}');
  }
  bez_json_close(j, ']');
}

static void put_files(bez_json *j, const bez_report *r) {
  bez_json_key(j, "files");
  bez_json_open(j, '[');
  for (size_t i = 0; i < r->n_files; i++) {
    const bez_report_file *f = &r->files[i];
    bez_json_open(j, '{');
    bez_json_kstr(j, "path", f->path);
    bez_json_kstr(j, "format", f->format);
    bez_json_kuint(j, "first_row", f->first_row);
    bez_json_kuint(j, "rows", f->n_rows);
    bez_json_kuint(j, "bytes", f->bytes);
    if (f->digest && *f->digest) bez_json_kstr(j, "digest", f->digest);
    if (f->sha256 && *f->sha256) bez_json_kstr(j, "sha256", f->sha256);
    put_about(j, f);
    bez_json_close(j, '}');
  }
  bez_json_close(j, ']');
}

static void put_data(bez_json *j, const bez_report *r) {
  bez_json_key(j, "data");
  bez_json_open(j, '{');
  bez_json_kuint(j, "rows", r->n_rows);
  put_files(j, r);
  bez_json_key(j, "columns");
  bez_json_open(j, '[');
  for (size_t i = 0; i < r->n_columns; i++) {
    const bez_report_column *c = &r->columns[i];
    bez_json_open(j, '{');
    bez_json_kstr(j, "name", c->name);
    bez_json_kstr(j, "type", c->type);
    bez_json_kstr(j, "role", c->role);
    bez_json_kuint(j, "distinct", c->distinct);
    bez_json_kuint(j, "missing", c->missing);
    bez_json_kbool(j, "type_given", c->type_given);
    bez_json_kbool(j, "role_given", c->role_given);
    bez_json_close(j, '}');
  }
  bez_json_close(j, ']');
  bez_json_close(j, '}');
}

static void put_incidents(bez_json *j, const bez_report *r) {
  bez_json_key(j, "incidents");
  bez_json_open(j, '[');
  for (size_t i = 0; i < r->n_incidents; i++) {
    const bez_incident *incident = &r->incidents[i];
    bez_json_open(j, '{');
    bez_json_kuint(j, "id", incident->id);
    bez_json_kstr(j, "severity", bez_severity_text(incident->severity));
    bez_json_kstr(j, "title", incident->title);
    bez_json_kuint(j, "rows", incident->n_rows);
    bez_json_close(j, '}');
  }
  bez_json_close(j, ']');
}

static void put_evidence(bez_json *j, const bez_finding *f) {
  bez_json_key(j, "evidence");
  bez_json_open(j, '[');
  for (const bez_evidence *e = f->evidence; e; e = e->next) {
    bez_json_open(j, '{');
    bez_json_kstr(j, "key", e->key);
    bez_json_kstr(j, "text", e->text);
    bez_json_knum(j, "number", e->number);
    bez_json_close(j, '}');
  }
  bez_json_close(j, ']');
}

static void put_cells(bez_json *j, const bez_exhibit *x) {
  open_flat(j, "header");
  for (uint32_t c = 0; c < x->n_cols; c++) bez_json_str(j, x->header[c]);
  close_flat(j);
  bez_json_key(j, "rows");
  bez_json_open(j, '[');
  for (uint32_t r = 0; r < x->n_rows; r++) {
    size_t at = (size_t)r * x->n_cols;
    bez_json_open(j, '{');
    bez_json_kstr(j, "role", x->role[r]);
    open_flat(j, "cells");
    for (uint32_t c = 0; c < x->n_cols; c++) bez_json_str(j, x->cells[at + c]);
    close_flat(j);
    open_flat(j, "highlight");
    for (uint32_t c = 0; c < x->n_cols; c++)
      if (x->highlight[at + c]) bez_json_uint(j, c);
    close_flat(j);
    bez_json_close(j, '}');
  }
  bez_json_close(j, ']');
}

static void put_text(bez_json *j, const bez_exhibit *x) {
  bez_json_kstr(j, "text", x->text);
  open_flat(j, "spans");
  for (uint32_t i = 0; i < x->n_spans; i++) {
    bez_json_open(j, '[');
    bez_json_uint(j, x->spans[i].begin);
    bez_json_uint(j, x->spans[i].end);
    bez_json_close(j, ']');
  }
  close_flat(j);
}

static void put_tile(bez_json *j, const bez_exhibit *x) {
  bez_buf pixels = {0};
  bez_base64_put(&pixels, x->rgb, (size_t)x->width * x->height * 3);
  bez_json_kuint(j, "width", x->width);
  bez_json_kuint(j, "height", x->height);
  bez_json_kstr(j, "rgb", pixels.data ? pixels.data : "");
  if (pixels.failed != BEZ_OK) j->out->failed = pixels.failed;
  bez_buf_free(&pixels);
}

static void put_series(bez_json *j, const bez_exhibit *x) {
  bez_json_kstr(j, "x_label", x->x_label);
  bez_json_kstr(j, "y_label", x->y_label);
  open_flat(j, "x");
  for (uint32_t i = 0; i < x->n_points; i++) bez_json_num(j, x->x[i]);
  close_flat(j);
  open_flat(j, "y");
  for (uint32_t i = 0; i < x->n_points; i++) bez_json_num(j, x->y[i]);
  close_flat(j);
  if (!x->marked) return;
  open_flat(j, "marked");
  for (uint32_t i = 0; i < x->n_points; i++)
    if (x->marked[i]) bez_json_uint(j, i);
  close_flat(j);
}

static void put_exhibits(bez_json *j, const bez_finding *f) {
  static const struct {
    const char *kind;
    void (*put)(bez_json *j, const bez_exhibit *x);
  } kinds[] = {[BEZ_EXHIBIT_CELLS] = {"cells", put_cells},
               [BEZ_EXHIBIT_TEXT] = {"text", put_text},
               [BEZ_EXHIBIT_TILE] = {"tile", put_tile},
               [BEZ_EXHIBIT_SERIES] = {"series", put_series}};
  bez_json_key(j, "exhibits");
  bez_json_open(j, '[');
  for (const bez_exhibit *x = f->exhibit; x; x = x->next) {
    bez_json_open(j, '{');
    bez_json_kstr(j, "kind", kinds[x->kind].kind);
    bez_json_kstr(j, "caption", x->caption);
    bez_json_kbool(j, "sensitive", x->sensitive);
    kinds[x->kind].put(j, x);
    bez_json_close(j, '}');
  }
  bez_json_close(j, ']');
}

/* A column of the row list is left out where no row has a value in it. */
static bool any(const bez_finding *f, bool (*has)(const bez_row_hit *hit)) {
  for (uint64_t i = 0; i < f->n_rows; i++)
    if (has(&f->rows[i])) return true;
  return false;
}
static bool has_score(const bez_row_hit *hit) {
  return !isnan(hit->score);
}
static bool has_q(const bez_row_hit *hit) {
  return !isnan(hit->q);
}
static bool has_label(const bez_row_hit *hit) {
  return hit->label != NULL;
}
static bool has_suggested(const bez_row_hit *hit) {
  return hit->suggested != NULL;
}

#define PUT_COLUMN(key, has, put, field)                                                                               \
  if (any(f, has)) {                                                                                                   \
    open_flat(j, key);                                                                                                 \
    for (uint64_t i = 0; i < f->n_rows; i++) put(j, f->rows[i].field);                                                 \
    close_flat(j);                                                                                                     \
  }

static void put_rows(bez_json *j, const bez_finding *f) {
  bez_json_key(j, "rows");
  bez_json_open(j, '{');
  bez_json_kuint(j, "count", f->n_rows);
  open_flat(j, "row");
  for (uint64_t i = 0; i < f->n_rows; i++) bez_json_uint(j, f->rows[i].row);
  close_flat(j);
  PUT_COLUMN("score", has_score, bez_json_num, score)
  PUT_COLUMN("q", has_q, bez_json_num, q)
  PUT_COLUMN("label", has_label, bez_json_str, label)
  PUT_COLUMN("suggested_label", has_suggested, bez_json_str, suggested)
  bez_json_close(j, '}');
}

static void put_place(bez_json *j, const bez_file_place *place) {
  if (!place->file) return;
  bez_json_key(j, "place");
  bez_json_open(j, '{');
  bez_json_kstr(j, "file", place->file);
  bez_json_kstr(j, "part", place->part);
  bez_json_kuint(j, "byte", place->byte);
  bez_json_close(j, '}');
}

static void put_finding(bez_json *j, const bez_finding *f) {
  bez_json_open(j, '{');
  bez_json_kstr(j, "rule", f->rule->id);
  bez_json_kstr(j, "severity", bez_severity_text(f->severity));
  bez_json_kstr(j, "title", f->title);
  bez_json_kstr(j, "pattern", f->pattern);
  bez_json_kstr(j, "target", f->target);
  bez_json_kstr(j, "remedy", f->remedy);
  bez_json_knum(j, "score", f->score);
  bez_json_knum(j, "p_value", f->p_value);
  bez_json_knum(j, "q_value", f->q_value);
  bez_json_kstr(j, "fingerprint", f->fingerprint);
  bez_json_kuint(j, "incident", f->incident);
  bez_json_kbool(j, "ranked_list", f->ranked_list);
  bez_json_kbool(j, "suppressed", f->suppressed);
  bez_json_kstr(j, "suppressed_by", f->suppressed_by);
  bez_json_kbool(j, "new", f->is_new);
  put_place(j, &f->place);
  put_evidence(j, f);
  put_exhibits(j, f);
  put_rows(j, f);
  bez_json_close(j, '}');
}

static void put_taxonomy(bez_json *j, const char *ids) {
  open_flat(j, "taxonomy");
  for (const char *at = ids ? ids : ""; *at;) {
    size_t len = strcspn(at, " ");
    if (len) bez_json_strn(j, at, len);
    at += len + (at[len] == ' ');
  }
  close_flat(j);
}

static void put_rule(bez_json *j, const bez_rule *rule, bool ran) {
  bez_json_open(j, '{');
  bez_json_kstr(j, "id", rule->id);
  bez_json_kstr(j, "name", rule->name);
  bez_json_kstr(j, "title", rule->title);
  bez_json_kstr(j, "summary", rule->summary);
  bez_json_kstr(j, "remedy", rule->remedy);
  put_taxonomy(j, rule->taxonomy);
  bez_json_kbool(j, "ran", ran);
  bez_json_close(j, '}');
}

/* Rules that ran, in that order, then rules of findings whose check did not run to its end. */
static void put_rules(bez_json *j, const bez_report *r) {
  const bez_rule *extra[1024];
  size_t n_extra = 0;
  bez_json_key(j, "rules");
  bez_json_open(j, '[');
  for (size_t i = 0; i < r->n_rules_run; i++) put_rule(j, r->rules_run[i], true);
  for (size_t i = 0; i < r->n_findings; i++) {
    const bez_rule *rule = r->findings[i]->rule;
    bool known = false;
    for (size_t k = 0; k < r->n_rules_run && !known; k++) known = !strcmp(r->rules_run[k]->id, rule->id);
    for (size_t k = 0; k < n_extra && !known; k++) known = !strcmp(extra[k]->id, rule->id);
    if (known || n_extra == sizeof extra / sizeof *extra) continue;
    extra[n_extra++] = rule;
    put_rule(j, rule, false);
  }
  bez_json_close(j, ']');
}

static void put_pairs(bez_json *j, const char *key, const bez_kv *pairs, size_t n) {
  bez_json_key(j, key);
  bez_json_open(j, '{');
  for (size_t i = 0; i < n; i++) bez_json_kstr(j, pairs[i].key, pairs[i].value);
  bez_json_close(j, '}');
}

static void put_suppressions(bez_json *j, const bez_report *r) {
  bez_json_key(j, "suppressions");
  bez_json_open(j, '[');
  for (size_t i = 0; i < r->n_suppressions; i++) {
    const bez_suppression *s = &r->suppressions[i];
    bez_json_open(j, '{');
    bez_json_kstr(j, "rule", s->rule);
    bez_json_kstr(j, "fingerprint", s->fingerprint);
    bez_json_kstr(j, "owner", s->owner);
    bez_json_kstr(j, "justification", s->justification);
    bez_json_kstr(j, "expires", s->expires);
    bez_json_kbool(j, "expired", s->expired);
    bez_json_kbool(j, "used", s->used);
    bez_json_close(j, '}');
  }
  bez_json_close(j, ']');
}

static void put_head(bez_json *j, const bez_report *r) {
  bez_json_kstr(j, "schema", "urn:bezoar:report:1");
  bez_json_kuint(j, "schema_version", BEZ_REPORT_SCHEMA);
  bez_json_key(j, "tool");
  bez_json_open(j, '{');
  bez_json_kstr(j, "name", "bezoar");
  bez_json_kstr(j, "version", r->tool_version ? r->tool_version : BEZ_VERSION_STRING);
  bez_json_close(j, '}');
  bez_json_kstr(j, "command", r->command);
  bez_json_kuint(j, "ruleset", r->ruleset);
  bez_json_kbool(j, "redacted", r->redacted);
}

static void put_report(bez_json *j, const bez_report *r, bool with_run) {
  bez_json_open(j, '{');
  put_head(j, r);
  put_summary(j, r);
  put_not_checked(j, r);
  put_data(j, r);
  put_incidents(j, r);
  bez_json_key(j, "findings");
  bez_json_open(j, '[');
  for (size_t i = 0; i < r->n_findings; i++) put_finding(j, r->findings[i]);
  bez_json_close(j, ']');
  put_rules(j, r);
  put_pairs(j, "options", r->options, r->n_options);
  put_suppressions(j, r);
  bez_json_key(j, "baseline");
  bez_json_open(j, '{');
  bez_json_kbool(j, "applied", r->has_baseline);
  bez_json_kbool(j, "new_only", r->new_only);
  bez_json_close(j, '}');
  if (with_run) put_pairs(j, "run", r->run, r->n_run);
  bez_json_close(j, '}');
  bez_buf_putc(j->out, '\n');
}

bez_status bez_report_to_json(const bez_report *report, bool with_run, bool redact, bez_buf *out, bez_error *err) {
  bez_report *clean = NULL;
  if (redact && !report->redacted) {
    bez_status st = bez_report_redact(report, &clean, err);
    if (st != BEZ_OK) return st;
  }
  bez_json j = bez_json_make(out, true);
  put_report(&j, clean ? clean : report, with_run);
  bez_report_destroy(clean);
  return bez_buf_status(out, err);
}
