/* A report back from JSON. The bytes may be anybody's: every type, count and index is checked, and whatever passes is
 * a report that each writer can show. Unknown members are ignored, so that schema version 1 may grow. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "finding/index.h"
#include "finding/text.h"
#include "finding/wire.h"

enum { MAX_RULES = 1024, MAX_TILE_SIDE = 1024, MAX_PAIRS = 4096 };

/* Failure sticks: after the first one every accessor yields an empty value, and loops stop by themselves. */
typedef struct bez_wire {
  bez_report *report;
  const char *subject;
  bez_error *err;
  bez_status status;
  const bez_rule **rules;
  size_t n_rules;
} bez_wire;

static void refuse(bez_wire *w, const char *key, const char *why) {
  if (w->status == BEZ_OK) w->status = bez_fail(w->err, BEZ_FORMAT, w->subject, "report member \"%s\" %s", key, why);
}

static json_t *member(bez_wire *w, json_t *object, const char *key, json_type type) {
  json_t *value = w->status == BEZ_OK ? json_object_get(object, key) : NULL;
  if (!value || json_is_null(value)) return NULL;
  if (json_typeof(value) == type) return value;
  refuse(w, key, "has the wrong type");
  return NULL;
}

/* NULL where absent or null. */
static const char *text(bez_wire *w, json_t *object, const char *key) {
  json_t *value = member(w, object, key, JSON_STRING);
  return value ? bez_report_copy(w->report, json_string_value(value), json_string_length(value)) : NULL;
}

static const char *needed_text(bez_wire *w, json_t *object, const char *key) {
  const char *value = text(w, object, key);
  if (!value) refuse(w, key, "is missing");
  return value ? value : "";
}

static const char *text_or(bez_wire *w, json_t *object, const char *key, const char *fallback) {
  const char *value = text(w, object, key);
  return value ? value : fallback;
}

static uint64_t as_count(bez_wire *w, json_t *value, const char *key, uint64_t ceiling) {
  if (!json_is_integer(value) || json_integer_value(value) < 0 || (uint64_t)json_integer_value(value) > ceiling) {
    refuse(w, key, "is not a count in range");
    return 0;
  }
  return (uint64_t)json_integer_value(value);
}

static uint64_t count(bez_wire *w, json_t *object, const char *key, uint64_t ceiling) {
  json_t *value = w->status == BEZ_OK ? json_object_get(object, key) : NULL;
  return value ? as_count(w, value, key, ceiling) : 0;
}

static double as_number(bez_wire *w, json_t *value, const char *key) {
  if (json_is_number(value)) return json_number_value(value);
  if (!json_is_null(value)) refuse(w, key, "is not a number");
  return NAN;
}

static double number(bez_wire *w, json_t *object, const char *key) {
  json_t *value = w->status == BEZ_OK ? json_object_get(object, key) : NULL;
  return value ? as_number(w, value, key) : NAN;
}

static bool flag(bez_wire *w, json_t *object, const char *key, bool fallback) {
  json_t *value = w->status == BEZ_OK ? json_object_get(object, key) : NULL;
  if (!value) return fallback;
  if (!json_is_boolean(value)) refuse(w, key, "is not a boolean");
  return json_is_true(value);
}

static bez_severity severity(bez_wire *w, json_t *object) {
  bez_severity out = BEZ_SEV_NOTE;
  json_t *value = member(w, object, "severity", JSON_STRING);
  if (!value || !bez_severity_parse(json_string_value(value), &out) || out == BEZ_SEV_NEVER)
    refuse(w, "severity", "is not note, warning or error");
  return out;
}

/* An array of objects; its length, at most `ceiling`. */
static size_t list(bez_wire *w, json_t *object, const char *key, size_t ceiling, json_t **out) {
  *out = member(w, object, key, JSON_ARRAY);
  size_t n = *out ? json_array_size(*out) : 0;
  if (n > ceiling) refuse(w, key, "is too long");
  for (size_t i = 0; i < n && w->status == BEZ_OK; i++)
    if (!json_is_object(json_array_get(*out, i))) refuse(w, key, "holds something else than objects");
  return w->status == BEZ_OK ? n : 0;
}

/* Arena storage for n items; 0 items when memory is out. */
static void *room(bez_wire *w, size_t *n, size_t size) {
  void *out = bez_report_array(w->report, *n, size);
  if (!out) {
    *n = 0;
    if (w->status == BEZ_OK) w->status = bez_fail_memory(w->err, size);
  }
  return out;
}

static void get_rules(bez_wire *w, json_t *doc) {
  json_t *rules;
  size_t n = list(w, doc, "rules", MAX_RULES, &rules);
  w->rules = room(w, &n, sizeof *w->rules);
  bez_rule *made = room(w, &n, sizeof *made);
  for (size_t i = 0; i < n && w->status == BEZ_OK; i++) {
    json_t *in = json_array_get(rules, i), *taxonomy = member(w, in, "taxonomy", JSON_ARRAY);
    bez_buf ids = {0};
    for (size_t k = 0; taxonomy && k < json_array_size(taxonomy); k++) {
      const char *id = json_string_value(json_array_get(taxonomy, k));
      if (!id || !*id || strchr(id, ' ')) refuse(w, "taxonomy", "holds something else than ids");
      bez_buf_printf(&ids, "%s%s", k ? " " : "", id ? id : "");
    }
    made[i] = (bez_rule){.id = needed_text(w, in, "id"),
                         .name = text_or(w, in, "name", ""),
                         .title = text_or(w, in, "title", ""),
                         .summary = text_or(w, in, "summary", ""),
                         .remedy = text_or(w, in, "remedy", ""),
                         .taxonomy = ids.len ? bez_report_copy(w->report, ids.data, ids.len) : ""};
    bez_buf_free(&ids);
    for (size_t k = 0; k < i && w->status == BEZ_OK; k++)
      if (!strcmp(made[k].id, made[i].id)) refuse(w, "rules", "names one rule twice");
    w->rules[w->n_rules++] = &made[i];
    if (flag(w, in, "ran", false)) bez_report_ran(w->report, &made[i]);
  }
}

static const bez_rule *rule_of(bez_wire *w, json_t *finding) {
  json_t *id = member(w, finding, "rule", JSON_STRING);
  for (size_t i = 0; id && i < w->n_rules; i++)
    if (!strcmp(w->rules[i]->id, json_string_value(id))) return w->rules[i];
  refuse(w, "rule", "is not among the report's rules");
  return NULL;
}

static void get_about(bez_wire *w, json_t *in, bez_report_file *file) {
  json_t *items;
  size_t n = list(w, in, "about", MAX_PAIRS, &items);
  bez_kv *about = n ? room(w, &n, sizeof *about) : NULL;
  for (size_t i = 0; i < n && w->status == BEZ_OK; i++) {
    json_t *item = json_array_get(items, i);
    about[i] = (bez_kv){needed_text(w, item, "key"), needed_text(w, item, "value")};
  }
  file->about = about;
  file->n_about = n;
}

static void get_data(bez_wire *w, json_t *doc) {
  bez_report *r = w->report;
  json_t *data = member(w, doc, "data", JSON_OBJECT), *files, *columns;
  if (!data) return;
  r->n_rows = count(w, data, "rows", BEZ_MAX_ROWS);
  r->n_files = list(w, data, "files", BEZ_MAX_FILES, &files);
  r->files = room(w, &r->n_files, sizeof *r->files);
  uint64_t behind = 0;
  for (size_t i = 0; i < r->n_files && w->status == BEZ_OK; i++) {
    json_t *in = json_array_get(files, i);
    r->files[i] = (bez_report_file){.path = needed_text(w, in, "path"),
                                    .format = text_or(w, in, "format", ""),
                                    .digest = text_or(w, in, "digest", ""),
                                    .sha256 = text_or(w, in, "sha256", ""),
                                    .first_row = count(w, in, "first_row", BEZ_MAX_ROWS),
                                    .n_rows = count(w, in, "rows", BEZ_MAX_ROWS),
                                    .bytes = count(w, in, "bytes", INT64_MAX)};
    get_about(w, in, &r->files[i]);
    if (r->files[i].first_row < behind) refuse(w, "files", "overlap");
    behind = r->files[i].first_row + r->files[i].n_rows;
  }
  r->n_columns = list(w, data, "columns", BEZ_MAX_COLUMNS, &columns);
  r->columns = room(w, &r->n_columns, sizeof *r->columns);
  for (size_t i = 0; i < r->n_columns && w->status == BEZ_OK; i++) {
    json_t *in = json_array_get(columns, i);
    r->columns[i] = (bez_report_column){.name = needed_text(w, in, "name"),
                                        .type = text_or(w, in, "type", ""),
                                        .role = text_or(w, in, "role", ""),
                                        .distinct = count(w, in, "distinct", INT64_MAX),
                                        .missing = count(w, in, "missing", INT64_MAX),
                                        .type_given = flag(w, in, "type_given", false),
                                        .role_given = flag(w, in, "role_given", false)};
  }
}

static void get_incidents(bez_wire *w, json_t *doc) {
  bez_report *r = w->report;
  json_t *incidents;
  r->n_incidents = list(w, doc, "incidents", UINT32_MAX - 1, &incidents);
  r->incidents = room(w, &r->n_incidents, sizeof *r->incidents);
  for (size_t i = 0; i < r->n_incidents && w->status == BEZ_OK; i++) {
    json_t *in = json_array_get(incidents, i);
    r->incidents[i] = (bez_incident){.id = (uint32_t)count(w, in, "id", UINT32_MAX),
                                     .severity = severity(w, in),
                                     .title = needed_text(w, in, "title"),
                                     .n_rows = count(w, in, "rows", BEZ_MAX_ROWS)};
    if (r->incidents[i].id != i + 1) refuse(w, "incidents", "are not numbered 1, 2, 3 …");
  }
}

static void get_evidence(bez_wire *w, json_t *in, bez_finding *f) {
  json_t *evidence;
  size_t n = list(w, in, "evidence", SIZE_MAX, &evidence);
  for (size_t i = 0; i < n && w->status == BEZ_OK; i++) {
    json_t *item = json_array_get(evidence, i);
    size_t one = 1;
    bez_evidence *e = room(w, &one, sizeof *e);
    if (!e) return;
    e->key = needed_text(w, item, "key");
    e->text = needed_text(w, item, "text");
    e->number = number(w, item, "number");
    if (f->evidence_last)
      f->evidence_last->next = e;
    else
      f->evidence = e;
    f->evidence_last = e;
  }
}

static void get_cells(bez_wire *w, json_t *in, bez_exhibit *x) {
  json_t *header = member(w, in, "header", JSON_ARRAY), *rows;
  size_t n_cols = header ? json_array_size(header) : 0, n_rows = list(w, in, "rows", BEZ_MAX_COLUMNS, &rows);
  if (n_cols > BEZ_MAX_COLUMNS) refuse(w, "header", "is too long");
  for (size_t r = 0; r < n_rows && w->status == BEZ_OK; r++) { /* before storage is made for n_rows × n_cols */
    json_t *cells = member(w, json_array_get(rows, r), "cells", JSON_ARRAY);
    if (json_array_size(cells) != n_cols) refuse(w, "cells", "does not match the header");
  }
  size_t n = n_rows * n_cols;
  if (w->status != BEZ_OK) return;
  x->header = room(w, &n_cols, sizeof *x->header);
  x->role = room(w, &n_rows, sizeof *x->role);
  x->cells = room(w, &n, sizeof *x->cells);
  uint8_t *highlight = room(w, &n, 1);
  if (w->status != BEZ_OK) return;
  x->highlight = highlight;
  x->n_cols = (uint32_t)n_cols;
  x->n_rows = (uint32_t)n_rows;
  for (size_t c = 0; c < n_cols; c++) {
    json_t *name = json_array_get(header, c);
    if (!json_is_string(name)) refuse(w, "header", "holds something else than strings");
    x->header[c] =
        bez_report_copy(w->report, json_string_value(name) ? json_string_value(name) : "", json_string_length(name));
  }
  for (size_t i = 0; i < n; i++) {
    json_t *row = json_array_get(rows, n_cols ? i / n_cols : 0);
    json_t *cell = json_array_get(json_object_get(row, "cells"), i % n_cols);
    if (!json_is_string(cell)) refuse(w, "cells", "holds something else than strings");
    x->cells[i] =
        bez_report_copy(w->report, json_string_value(cell) ? json_string_value(cell) : "", json_string_length(cell));
  }
  for (size_t r = 0; r < n_rows; r++) {
    json_t *row = json_array_get(rows, r), *marks = member(w, row, "highlight", JSON_ARRAY);
    x->role[r] = text_or(w, row, "role", "");
    for (size_t i = 0; marks && i < json_array_size(marks) && w->status == BEZ_OK; i++) {
      uint64_t c = as_count(w, json_array_get(marks, i), "highlight", n_cols ? n_cols - 1 : 0);
      if (c < n_cols) highlight[r * n_cols + c] = 1;
    }
  }
}

static void get_text(bez_wire *w, json_t *in, bez_exhibit *x) {
  json_t *spans = member(w, in, "spans", JSON_ARRAY);
  size_t n = spans ? json_array_size(spans) : 0, len;
  x->text = needed_text(w, in, "text");
  len = strlen(x->text);
  bez_span *out = room(w, &n, sizeof *out);
  uint64_t behind = 0;
  for (size_t i = 0; i < n && w->status == BEZ_OK; i++) {
    json_t *pair = json_array_get(spans, i);
    uint64_t begin = as_count(w, json_array_get(pair, 0), "spans", len);
    uint64_t end = as_count(w, json_array_get(pair, 1), "spans", len);
    bool inside_char = (((unsigned char)x->text[begin] & 0xC0) == 0x80) || ((unsigned char)x->text[end] & 0xC0) == 0x80;
    if (begin < behind || begin >= end || len > UINT32_MAX || inside_char)
      refuse(w, "spans", "are not ascending ranges of whole characters");
    out[i] = (bez_span){(uint32_t)begin, (uint32_t)end};
    behind = end;
  }
  x->spans = out;
  x->n_spans = w->status == BEZ_OK ? (uint32_t)n : 0;
}

static void get_tile(bez_wire *w, json_t *in, bez_exhibit *x) {
  json_t *rgb = member(w, in, "rgb", JSON_STRING);
  size_t width = count(w, in, "width", MAX_TILE_SIDE), height = count(w, in, "height", MAX_TILE_SIDE);
  size_t size = width * height * 3;
  uint8_t *pixels = size / 3 * 4 <= json_string_length(rgb) ? room(w, &size, 1) : NULL;
  if (!pixels ||
      !bez_base64_get(json_string_value(rgb) ? json_string_value(rgb) : "", json_string_length(rgb), pixels, size)) {
    refuse(w, "rgb", "does not hold width × height pixels");
    return;
  }
  x->width = (uint32_t)width;
  x->height = (uint32_t)height;
  x->rgb = pixels;
}

static double *numbers(bez_wire *w, json_t *in, const char *key, size_t *n) {
  json_t *values = member(w, in, key, JSON_ARRAY);
  *n = values ? json_array_size(values) : 0;
  double *out = room(w, n, sizeof *out);
  for (size_t i = 0; i < *n && w->status == BEZ_OK; i++) out[i] = as_number(w, json_array_get(values, i), key);
  return out;
}

static void get_series(bez_wire *w, json_t *in, bez_exhibit *x) {
  size_t nx, ny;
  x->x_label = text_or(w, in, "x_label", "");
  x->y_label = text_or(w, in, "y_label", "");
  x->x = numbers(w, in, "x", &nx);
  x->y = numbers(w, in, "y", &ny);
  if (nx != ny || nx > UINT32_MAX) refuse(w, "y", "does not match x");
  json_t *marks = member(w, in, "marked", JSON_ARRAY);
  if (marks) {
    uint8_t *marked = room(w, &nx, 1);
    for (size_t i = 0; i < json_array_size(marks) && w->status == BEZ_OK; i++) {
      uint64_t at = as_count(w, json_array_get(marks, i), "marked", nx ? nx - 1 : 0);
      if (at < nx) marked[at] = 1;
    }
    x->marked = marked;
  }
  x->n_points = w->status == BEZ_OK ? (uint32_t)nx : 0;
}

static void get_exhibits(bez_wire *w, json_t *in, bez_finding *f) {
  static const struct {
    const char *kind;
    void (*get)(bez_wire *w, json_t *in, bez_exhibit *x);
  } kinds[] = {[BEZ_EXHIBIT_CELLS] = {"cells", get_cells},
               [BEZ_EXHIBIT_TEXT] = {"text", get_text},
               [BEZ_EXHIBIT_TILE] = {"tile", get_tile},
               [BEZ_EXHIBIT_SERIES] = {"series", get_series}};
  json_t *exhibits;
  size_t n = list(w, in, "exhibits", SIZE_MAX, &exhibits);
  for (size_t i = 0; i < n && w->status == BEZ_OK; i++) {
    json_t *item = json_array_get(exhibits, i);
    const char *kind = needed_text(w, item, "kind");
    size_t k = 0, n_kinds = sizeof kinds / sizeof *kinds, one = 1;
    while (k < n_kinds && strcmp(kinds[k].kind, kind) != 0) k++;
    if (k == n_kinds) continue; /* of a later release: the rest of the finding still counts */
    bez_exhibit *x = room(w, &one, sizeof *x);
    if (!x) return;
    x->kind = (bez_exhibit_kind)k;
    x->caption = text_or(w, item, "caption", "");
    x->sensitive = flag(w, item, "sensitive", true);
    kinds[k].get(w, item, x);
    if (f->exhibit_last)
      f->exhibit_last->next = x;
    else
      f->exhibit = x;
    f->exhibit_last = x;
  }
}

/* A column of the row list: absent, or as long as the list. */
static json_t *row_column(bez_wire *w, json_t *rows, const char *key, size_t n) {
  json_t *column = member(w, rows, key, JSON_ARRAY);
  if (column && json_array_size(column) != n) refuse(w, key, "does not match the rows");
  return w->status == BEZ_OK ? column : NULL;
}

static const char *row_text(bez_wire *w, json_t *column, size_t i, const char *key) {
  json_t *value = column ? json_array_get(column, i) : NULL;
  if (!value || json_is_null(value)) return NULL;
  if (!json_is_string(value)) refuse(w, key, "holds something else than strings");
  return json_string_value(value); /* bez_finding_rows copies it */
}

static void get_rows(bez_wire *w, json_t *in, bez_finding *f) {
  json_t *rows = member(w, in, "rows", JSON_OBJECT), *index = rows ? member(w, rows, "row", JSON_ARRAY) : NULL;
  size_t n = index ? json_array_size(index) : 0;
  json_t *score = row_column(w, rows, "score", n), *q = row_column(w, rows, "q", n);
  json_t *label = row_column(w, rows, "label", n), *suggested = row_column(w, rows, "suggested_label", n);
  if (n == 0 || w->status != BEZ_OK) return;
  bez_row_hit *hits = calloc(n, sizeof *hits);
  if (!hits) {
    w->status = bez_fail_memory(w->err, n * sizeof *hits);
    return;
  }
  for (size_t i = 0; i < n && w->status == BEZ_OK; i++)
    hits[i] = (bez_row_hit){.row = as_count(w, json_array_get(index, i), "row", BEZ_MAX_ROWS),
                            .score = score ? as_number(w, json_array_get(score, i), "score") : NAN,
                            .q = q ? as_number(w, json_array_get(q, i), "q") : NAN,
                            .label = row_text(w, label, i, "label"),
                            .suggested = row_text(w, suggested, i, "suggested_label")};
  if (w->status == BEZ_OK) bez_finding_rows(w->report, f, hits, n);
  free(hits);
}

/* Reports that were written before places were known have none. */
static void get_place(bez_wire *w, json_t *in, bez_finding *f) {
  json_t *place = json_object_get(in, "place");
  if (!place) return;
  if (!json_is_object(place)) {
    refuse(w, "place", "is no object");
    return;
  }
  f->place = (bez_file_place){.file = needed_text(w, place, "file"),
                              .part = needed_text(w, place, "part"),
                              .byte = count(w, place, "byte", UINT64_MAX)};
}

static void get_finding(bez_wire *w, json_t *in) {
  const bez_rule *rule = rule_of(w, in);
  bez_severity level = severity(w, in);
  bez_finding *f = w->status == BEZ_OK ? bez_report_add(w->report, rule, level) : NULL;
  if (!f) return;
  f->title = needed_text(w, in, "title");
  f->pattern = text(w, in, "pattern");
  f->target = text(w, in, "target");
  f->remedy = text(w, in, "remedy");
  f->score = number(w, in, "score");
  f->p_value = number(w, in, "p_value");
  f->q_value = number(w, in, "q_value");
  f->fingerprint = needed_text(w, in, "fingerprint");
  f->incident = (uint32_t)count(w, in, "incident", w->report->n_incidents);
  f->ranked_list = flag(w, in, "ranked_list", false);
  f->suppressed = flag(w, in, "suppressed", false);
  f->suppressed_by = text(w, in, "suppressed_by");
  f->is_new = flag(w, in, "new", true);
  get_place(w, in, f);
  get_evidence(w, in, f);
  get_exhibits(w, in, f);
  get_rows(w, in, f);
}

static void get_pairs(bez_wire *w, json_t *doc, const char *key,
                      void (*put)(bez_report *report, const char *key, const char *value)) {
  json_t *pairs = member(w, doc, key, JSON_OBJECT), *value;
  const char *name;
  if (json_object_size(pairs) > MAX_PAIRS) refuse(w, key, "is too long");
  json_object_foreach(pairs, name, value) {
    if (!json_is_string(value)) refuse(w, key, "holds something else than strings");
    if (w->status != BEZ_OK) return;
    put(w->report, name, json_string_value(value));
  }
}

static void get_suppressions(bez_wire *w, json_t *doc) {
  bez_report *r = w->report;
  json_t *items;
  r->n_suppressions = list(w, doc, "suppressions", SIZE_MAX, &items);
  r->suppressions = room(w, &r->n_suppressions, sizeof *r->suppressions);
  for (size_t i = 0; i < r->n_suppressions && w->status == BEZ_OK; i++) {
    json_t *in = json_array_get(items, i);
    r->suppressions[i] = (bez_suppression){.rule = text(w, in, "rule"),
                                           .fingerprint = text(w, in, "fingerprint"),
                                           .owner = text(w, in, "owner"),
                                           .justification = text(w, in, "justification"),
                                           .expires = text(w, in, "expires"),
                                           .expired = flag(w, in, "expired", false),
                                           .used = flag(w, in, "used", false)};
  }
}

static void get_head(bez_wire *w, json_t *doc) {
  json_t *tool = member(w, doc, "tool", JSON_OBJECT), *baseline = member(w, doc, "baseline", JSON_OBJECT);
  w->report->command = needed_text(w, doc, "command");
  w->report->ruleset = (uint32_t)count(w, doc, "ruleset", UINT32_MAX);
  w->report->redacted = flag(w, doc, "redacted", false);
  w->report->tool_version = tool ? text(w, tool, "version") : NULL;
  w->report->has_baseline = baseline && flag(w, baseline, "applied", false);
  w->report->new_only = baseline && flag(w, baseline, "new_only", false);
}

static void get_report(bez_wire *w, json_t *doc) {
  json_t *items;
  get_head(w, doc);
  get_data(w, doc);
  get_rules(w, doc);
  get_incidents(w, doc);
  size_t n = list(w, doc, "findings", (size_t)MAX_RULES * BEZ_MAX_FINDINGS, &items);
  for (size_t i = 0; i < n && w->status == BEZ_OK; i++) get_finding(w, json_array_get(items, i));
  n = list(w, doc, "not_checked", SIZE_MAX, &items);
  for (size_t i = 0; i < n && w->status == BEZ_OK; i++) {
    json_t *in = json_array_get(items, i);
    bez_report_not_checked(w->report, flag(w, in, "requested", false), needed_text(w, in, "what"), "%s",
                           needed_text(w, in, "reason"));
  }
  get_pairs(w, doc, "options", bez_report_option);
  get_pairs(w, doc, "run", bez_report_run_info);
  get_suppressions(w, doc);
}

static bez_status from_document(json_t *doc, const char *subject, bez_report **out, bez_error *err) {
  json_t *version = json_object_get(doc, "schema_version");
  if (!json_is_object(doc) || !json_is_integer(version))
    return bez_fail(err, BEZ_FORMAT, subject, "not a report: no \"schema_version\"");
  if (json_integer_value(version) != BEZ_REPORT_SCHEMA)
    return bez_fail(err, BEZ_UNSUPPORTED, subject, "report of schema version %lld; this release reads version %u",
                    (long long)json_integer_value(version), BEZ_REPORT_SCHEMA);
  bez_wire w = {.report = bez_report_create("scan"), .subject = subject, .err = err};
  if (!w.report) return bez_fail_memory(err, sizeof *w.report);
  get_report(&w, doc);
  if (w.status == BEZ_OK) w.status = bez_report_status(w.report, err);
  if (w.status != BEZ_OK) {
    bez_report_destroy(w.report);
    return w.status;
  }
  *out = w.report;
  return BEZ_OK;
}

bez_status bez_report_from_json(const char *bytes, size_t len, const char *subject, bez_report **out, bez_error *err) {
  json_t *doc = NULL;
  bez_status st = bez_json_parse(bytes, len, subject, &doc, err);
  if (st == BEZ_OK) st = from_document(doc, subject, out, err);
  json_decref(doc);
  return st;
}

bez_status bez_report_load(const char *path, bez_report **out, bez_error *err) {
  json_t *doc = NULL;
  bez_status st = bez_json_read_file(path, &doc, err);
  if (st == BEZ_OK) st = from_document(doc, path, out, err);
  json_decref(doc);
  return st;
}
