/* Redaction works on the report, before any writer sees it, so that no writer can forget it. What may hold a value is
 * dropped unless it is known not to: titles become the rule's, patterns keep column names of the report only. */
#include "finding/redact.h"

#include <math.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "finding/text.h"

/* Roles that detectors give to exhibit rows; any other role might be a value. */
static const char *const known_roles[] = {"flagged",   "nearest clean", "clean",     "neighbour", "neighbor",
                                          "duplicate", "original",      "reference", "example",   ""};

static const char *known_role(const char *role) {
  for (size_t i = 0; i < sizeof known_roles / sizeof *known_roles; i++)
    if (!strcmp(role, known_roles[i])) return role;
  return BEZ_REDACTED;
}

static bool is_column(const bez_report *report, const char *name, size_t len) {
  for (size_t i = 0; i < report->n_columns; i++)
    if (strlen(report->columns[i].name) == len && !memcmp(report->columns[i].name, name, len)) return true;
  return false;
}

/* The column name that a clause "name=value" begins with: the longest prefix before an operator that is a column. */
static size_t clause_column(const bez_report *report, const char *clause, size_t len) {
  size_t best = 0;
  for (size_t i = 1; i < len; i++) {
    if (!strchr("=<>~ ", clause[i])) continue;
    if (is_column(report, clause, i)) best = i;
  }
  return best;
}

/* "workclass=Never-worked & race=Other" → "workclass=‹redacted› & race=‹redacted›". A clause that begins with no
 * column of the report goes whole, so that a value which holds " & x=" cannot leave a part of itself behind. */
static const char *pattern_of(bez_report *out, const char *pattern) {
  bez_buf buf = {0};
  if (!pattern) return NULL;
  for (const char *at = pattern; at;) {
    const char *next = strstr(at, " & ");
    size_t column = clause_column(out, at, next ? (size_t)(next - at) : strlen(at));
    if (buf.len) bez_buf_puts(&buf, " & ");
    bez_buf_write(&buf, at, column);
    bez_buf_puts(&buf, column ? "=" BEZ_REDACTED : BEZ_REDACTED);
    at = next ? next + 3 : NULL;
  }
  const char *text = buf.failed == BEZ_OK ? bez_report_text(out, buf.data) : NULL;
  if (!text) out->out_of_memory = true;
  bez_buf_free(&buf);
  return text ? text : BEZ_REDACTED;
}

/* Length of the opening quotation mark at p, and the closing one; 0 where there is none. An apostrophe inside a word
 * opens nothing. */
static size_t opening_quote(const char *p, bool in_word, const char **closing) {
  static const char *const pairs[][2] = {{"\"", "\""}, {"`", "`"}, {"\xE2\x80\x9C", "\xE2\x80\x9D"}};
  for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
    if (strncmp(p, pairs[i][0], strlen(pairs[i][0])) != 0) continue;
    *closing = pairs[i][1];
    return strlen(pairs[i][0]);
  }
  *closing = "'";
  return *p == '\'' && !in_word;
}

/* The end of the last quotation mark of any kind in text, NULL where there is none. */
static const char *last_quote(const char *text) {
  static const char *const marks[] = {"\"", "'", "`", "\xE2\x80\x9D"};
  const char *last = NULL;
  for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
    for (const char *q = strstr(text, marks[i]); q; q = strstr(q + 1, marks[i]))
      if (!last || q + strlen(marks[i]) > last) last = q + strlen(marks[i]);
  return last;
}

/* Sentences quote values. Quoted column names stay; from the first other quotation mark to the last mark of any kind
 * everything goes, for a value may hold marks itself. */
static const char *sentence_of(bez_report *out, const char *text) {
  bez_buf buf = {0};
  const char *closing;
  for (const char *p = text; *p;) {
    bool in_word = p > text && (unsigned char)p[-1] > ' ' && !strchr("(=:[", p[-1]);
    size_t open = opening_quote(p, in_word, &closing);
    const char *begin = p + open, *end = open ? strstr(begin, closing) : NULL;
    if (!open) {
      bez_buf_putc(&buf, *p++);
    } else if (end && is_column(out, begin, (size_t)(end - begin))) {
      bez_buf_write(&buf, p, (size_t)(end - p) + strlen(closing));
      p = end + strlen(closing);
    } else {
      end = last_quote(begin);
      bez_buf_puts(&buf, BEZ_REDACTED);
      p = end ? end : begin + strlen(begin);
    }
  }
  const char *clean = buf.failed == BEZ_OK ? bez_report_text(out, buf.data ? buf.data : "") : NULL;
  if (!clean) out->out_of_memory = true;
  bez_buf_free(&buf);
  return clean ? clean : BEZ_REDACTED;
}

static void redact_cells(bez_report *out, bez_exhibit *x) {
  size_t n = (size_t)x->n_rows * x->n_cols;
  const char **header = bez_report_array(out, x->n_cols, sizeof *header);
  const char **cells = bez_report_array(out, n, sizeof *cells);
  const char **role = bez_report_array(out, x->n_rows, sizeof *role);
  if (!header || !cells || !role) {
    x->n_rows = x->n_cols = 0;
    return;
  }
  for (uint32_t c = 0; c < x->n_cols; c++)
    header[c] = is_column(out, x->header[c], strlen(x->header[c])) ? x->header[c] : BEZ_REDACTED;
  for (size_t i = 0; i < n; i++) cells[i] = BEZ_REDACTED;
  for (uint32_t r = 0; r < x->n_rows; r++) role[r] = known_role(x->role[r]);
  x->header = header;
  x->cells = cells;
  x->role = role;
}

/* An axis that carries a column's name shows values of that column. */
static bool shows_values(const bez_report *report, const bez_exhibit *x) {
  return x->sensitive || is_column(report, x->x_label, strlen(x->x_label)) ||
         is_column(report, x->y_label, strlen(x->y_label));
}

/* The redacted copy of one exhibit; NULL when nothing of it may stay. */
static bez_exhibit *exhibit_of(bez_report *out, const bez_exhibit *x) {
  bez_exhibit *copy = NULL;
  if (x->kind == BEZ_EXHIBIT_TILE || (x->kind == BEZ_EXHIBIT_SERIES && shows_values(out, x))) return NULL;
  copy = bez_report_array(out, 1, sizeof *copy);
  if (!copy) return NULL;
  *copy = *x;
  copy->next = NULL;
  switch (x->kind) {
    case BEZ_EXHIBIT_CELLS:
      copy->caption = "Rows (values redacted)";
      redact_cells(out, copy);
      break;
    case BEZ_EXHIBIT_TEXT:
      copy->caption = "Text (redacted)";
      copy->text = BEZ_REDACTED;
      copy->n_spans = 0;
      copy->spans = NULL;
      break;
    default: /* plots of scores; captions and axes are sentences of the detector */
      copy->caption = sentence_of(out, x->caption);
      copy->x_label = sentence_of(out, x->x_label);
      copy->y_label = sentence_of(out, x->y_label);
  }
  return copy;
}

static void redact_exhibits(bez_report *out, bez_finding *f) {
  const bez_exhibit *list = f->exhibit;
  f->exhibit = f->exhibit_last = NULL;
  for (const bez_exhibit *x = list; x; x = x->next) {
    bez_exhibit *copy = exhibit_of(out, x);
    if (!copy) continue;
    if (f->exhibit_last)
      f->exhibit_last->next = copy;
    else
      f->exhibit = copy;
    f->exhibit_last = copy;
  }
}

/* True for "age, workclass": nothing but columns of the report. */
static bool only_columns(const bez_report *report, const char *text) {
  for (const char *at = text;;) {
    const char *next = strstr(at, ", ");
    if (!is_column(report, at, next ? (size_t)(next - at) : strlen(at))) return false;
    if (!next) return true;
    at = next + 2;
  }
}

static void redact_evidence(bez_report *out, bez_finding *f) {
  const bez_evidence *list = f->evidence;
  f->evidence = f->evidence_last = NULL;
  for (const bez_evidence *e = list; e; e = e->next) {
    bez_evidence *copy = bez_report_array(out, 1, sizeof *copy);
    if (!copy) return;
    bool stays = !isnan(e->number) || only_columns(out, e->text);
    *copy = (bez_evidence){.key = e->key, .text = stays ? e->text : BEZ_REDACTED, .number = e->number};
    if (f->evidence_last)
      f->evidence_last->next = copy;
    else
      f->evidence = copy;
    f->evidence_last = copy;
  }
}

static void redact_rows(bez_report *out, bez_finding *f) {
  bez_row_hit *rows = bez_report_array(out, f->n_rows, sizeof *rows);
  if (!rows) {
    f->n_rows = 0;
    return;
  }
  for (uint64_t i = 0; i < f->n_rows; i++) {
    rows[i] = f->rows[i];
    rows[i].label = rows[i].label ? BEZ_REDACTED : NULL;
    rows[i].suggested = rows[i].suggested ? BEZ_REDACTED : NULL;
  }
  f->rows = rows;
}

static const char *counted(bez_report *out, const char *title, uint64_t n_rows) {
  if (n_rows == 0) return title;
  const char *text =
      bez_arena_printf(&out->arena, "%s: %llu row%s", title, (unsigned long long)n_rows, n_rows == 1 ? "" : "s");
  if (!text) out->out_of_memory = true;
  return text ? text : title;
}

static bez_finding *finding_of(bez_report *out, const bez_finding *f) {
  bez_finding *copy = bez_report_array(out, 1, sizeof *copy);
  if (!copy) return NULL;
  *copy = *f;
  copy->title = counted(out, f->rule->title, f->n_rows);
  copy->pattern = pattern_of(out, f->pattern);
  copy->target = f->target ? BEZ_REDACTED : NULL;
  copy->remedy = NULL; /* the rule's stays */
  redact_evidence(out, copy);
  redact_exhibits(out, copy);
  redact_rows(out, copy);
  return copy;
}

static void redact_lists(const bez_report *report, bez_report *out) {
  for (size_t i = 0; i < report->n_findings; i++) {
    bez_finding *copy = finding_of(out, report->findings[i]);
    if (copy) out->findings[out->n_findings++] = copy;
  }
  for (size_t i = 0; i < report->n_incidents; i++) {
    out->incidents[i] = report->incidents[i];
    out->incidents[i].title = counted(out, "Related findings", report->incidents[i].n_rows);
  }
  for (size_t i = report->n_findings; i-- > 0;) { /* backwards: the first, most severe finding names its incident */
    const bez_finding *f = report->findings[i];
    if (f->incident && f->incident <= report->n_incidents)
      out->incidents[f->incident - 1].title = counted(out, f->rule->title, report->incidents[f->incident - 1].n_rows);
  }
  for (const bez_not_checked *item = report->not_checked; item; item = item->next)
    bez_report_not_checked(out, item->requested, sentence_of(out, item->what), "%s", sentence_of(out, item->reason));
}

/* What a model says of itself is text that somebody wrote into the data. */
static void redact_files(bez_report *out) {
  bez_report_file *files = bez_report_array(out, out->n_files, sizeof *files);
  if (!files) return;
  for (size_t i = 0; i < out->n_files; i++) {
    files[i] = out->files[i];
    files[i].about = NULL;
    files[i].n_about = 0;
  }
  out->files = files;
}

bez_status bez_report_redact(const bez_report *report, bez_report **result, bez_error *err) {
  bez_report *out = bez_report_create(report->command);
  if (!out) return bez_fail_memory(err, sizeof *out);
  bez_arena own = out->arena;
  const char *command = out->command;
  *out = *report; /* what is not replaced below is shared */
  out->arena = own;
  out->command = command;
  out->row_index = NULL;
  out->redacted = true;
  out->not_checked = out->not_checked_last = NULL;
  out->n_findings = 0;
  out->cap_findings = report->n_findings;
  out->findings = bez_report_array(out, report->n_findings, sizeof(bez_finding *));
  out->incidents = bez_report_array(out, report->n_incidents, sizeof *out->incidents);
  bez_status st = BEZ_OK;
  redact_files(out);
  if (out->findings && out->incidents) redact_lists(report, out);
  st = bez_report_status(out, err);
  if (st != BEZ_OK) {
    bez_report_destroy(out);
    return st;
  }
  *result = out;
  return BEZ_OK;
}
