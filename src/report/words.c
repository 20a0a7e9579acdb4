/* Sentences that several writers share. */
#include "report/words.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

bez_tally bez_tally_of(const bez_report *report) {
  bez_tally t = {0};
  for (size_t i = 0; i < report->n_findings; i++) {
    const bez_finding *f = report->findings[i];
    t.suppressed += f->suppressed;
    t.known += !f->suppressed && !bez_finding_active(report, f);
    if (!bez_finding_active(report, f)) continue;
    t.errors += f->severity == BEZ_SEV_ERROR;
    t.warnings += f->severity == BEZ_SEV_WARNING;
    t.notes += f->severity == BEZ_SEV_NOTE;
  }
  for (const bez_not_checked *item = report->not_checked; item; item = item->next) {
    t.not_checked++;
    t.requested += item->requested;
  }
  return t;
}

void bez_put_count(bez_buf *out, uint64_t n) {
  char digits[24];
  size_t len = (size_t)snprintf(digits, sizeof digits, "%llu", (unsigned long long)n);
  for (size_t i = 0; i < len; i++) {
    if (i && (len - i) % 3 == 0) bez_buf_putc(out, ',');
    bez_buf_putc(out, digits[i]);
  }
}

void bez_put_counted(bez_buf *out, uint64_t n, const char *noun) {
  bez_put_count(out, n);
  bez_buf_printf(out, " %s%s", noun, n == 1 ? "" : "s");
}

/* Files without rows: models. */
static bool models_alone(const bez_report *report) {
  return report->n_files && !report->n_rows && !report->n_columns;
}

const char *bez_verdict(const bez_report *report, const bez_tally *tally) {
  if (tally->errors) return models_alone(report) ? "Do not load" : "Likely poisoned";
  if (tally->warnings) return "Needs review";
  if (report->n_rules_run == 0) return "Nothing was examined";
  if (models_alone(report)) return "Nothing dangerous in what was examined";
  return tally->requested ? "No sign of poison in what was examined" : "No sign of poison";
}

void bez_put_tally(bez_buf *out, const bez_tally *tally) {
  const struct {
    size_t n;
    const char *noun;
  } parts[] = {{tally->errors, "error"}, {tally->warnings, "warning"}, {tally->notes, "note"}};
  bool any = false;
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    if (!parts[i].n) continue;
    if (any) bez_buf_puts(out, ", ");
    bez_put_counted(out, parts[i].n, parts[i].noun);
    any = true;
  }
  if (!any) bez_buf_puts(out, "no finding");
  if (tally->suppressed) bez_buf_printf(out, "; %zu suppressed", tally->suppressed);
  if (tally->known) bez_buf_printf(out, "; %zu known from the baseline", tally->known);
}

void bez_put_not_checked(bez_buf *out, const bez_tally *tally) {
  bez_buf_puts(out, "Not checked: ");
  if (!tally->not_checked) {
    bez_buf_puts(out, "nothing");
    return;
  }
  bez_put_counted(out, tally->not_checked, "item");
  if (tally->requested) bez_buf_printf(out, ", %zu of them requested", tally->requested);
}

/* Checks are many, and what they lack is what tells something; files speak for themselves. */
static bool is_check(const bez_not_checked *item) {
  return strncmp(item->what, "BZ-", 3) == 0;
}

static bool alike(const bez_not_checked *a, const bez_not_checked *b) {
  return is_check(a) && is_check(b) && a->requested == b->requested && !strcmp(a->reason, b->reason);
}

static bool stands_for_all(const bez_report *report, const bez_not_checked *item) {
  for (const bez_not_checked *other = report->not_checked; other != item; other = other->next)
    if (alike(other, item)) return false;
  return true;
}

bool bez_put_not_checked_alike(bez_buf *out, const bez_report *report, const bez_not_checked *item) {
  if (!stands_for_all(report, item)) return false;
  bez_buf_puts(out, item->what);
  for (const bez_not_checked *other = item->next; other; other = other->next)
    if (alike(other, item)) bez_buf_printf(out, ", %s", other->what);
  return true;
}

#define MAX_NAMED 4u /* on the first line */

void bez_put_not_checked_names(bez_buf *out, const bez_report *report, const bez_tally *tally, const char *where) {
  size_t named = 0, left = 0;
  bez_put_not_checked(out, tally);
  if (!tally->not_checked) return;
  for (int requested = 1; requested >= 0; requested--)
    for (const bez_not_checked *item = report->not_checked; item; item = item->next) {
      if (item->requested != requested || !stands_for_all(report, item)) continue;
      const char *name = is_check(item) && !requested ? item->reason : item->what;
      if (named == MAX_NAMED && ++left) continue;
      bez_buf_puts(out, named++ ? ", " : " (");
      bez_buf_write(out, name, name == item->reason ? strcspn(name, "(:;,") : strlen(name));
      while (out->len && out->data[out->len - 1] == ' ') out->data[--out->len] = '\0';
    }
  if (left) bez_buf_printf(out, " and %zu more", left);
  if (where) bez_buf_printf(out, "; %s", where);
  bez_buf_putc(out, ')');
}

void bez_put_extent(bez_buf *out, const bez_report *report) {
  if (models_alone(report)) {
    bez_put_counted(out, report->n_files, "file");
    return;
  }
  bez_put_counted(out, report->n_rows, "row");
  bez_buf_puts(out, ", ");
  bez_put_counted(out, report->n_columns, "column");
  bez_buf_puts(out, ", ");
  bez_put_counted(out, report->n_files, "file");
}

void bez_short_number(double value, char out[32]) {
  bool whole = value == floor(value) && fabs(value) < 1e6;
  snprintf(out, 32, whole ? "%.0f" : "%.4g", value);
  for (char *p = out; *p; p++)
    if (*p == ',') *p = '.'; /* the host program's locale */
}

void bez_put_key(bez_buf *out, const char *key) {
  for (; *key; key++) bez_buf_putc(out, *key == '_' ? ' ' : *key);
}

void bez_put_value(bez_buf *out, const bez_evidence *e) {
  if (e->number >= 10000 && e->number < 1e15 && e->number == floor(e->number))
    bez_put_count(out, (uint64_t)e->number);
  else
    bez_buf_puts(out, e->text);
}

static void put_number(bez_buf *out, size_t begin, const char *key, double value) {
  char text[32];
  if (isnan(value)) return;
  bez_short_number(value, text);
  bez_buf_printf(out, "%s%s %s", out->len > begin ? ", " : "", key, text);
}

void bez_put_evidence(bez_buf *out, const bez_finding *f) {
  size_t begin = out->len;
  put_number(out, begin, "score", f->score);
  put_number(out, begin, "p", f->p_value);
  put_number(out, begin, "q", f->q_value);
  for (int words = 0; words < 2; words++) /* words behind the numbers, and set off from them */
    for (const bez_evidence *e = f->evidence; e; e = e->next) {
      if ((isnan(e->number) != 0) != (words == 1)) continue;
      if (out->len > begin) bez_buf_puts(out, words ? "; " : ", ");
      bez_put_key(out, e->key);
      bez_buf_puts(out, words ? ": " : " ");
      bez_put_value(out, e);
    }
}

void bez_put_rows(bez_buf *out, const bez_report *report, const bez_finding *f, size_t max_items, bool ascii) {
  const char *file = NULL;
  size_t items = 0;
  uint64_t i = 0;
  while (i < f->n_rows && items < max_items) {
    uint64_t first, last, end = i + 1;
    const bez_report_file *at = bez_report_locate(report, f->rows[i].row, &first);
    if (!at) first = f->rows[i].row;
    while (end < f->n_rows && f->rows[end].row == f->rows[end - 1].row + 1 &&
           (!at || f->rows[end].row < at->first_row + at->n_rows))
      end++;
    last = first + (end - 1 - i);
    if (at && report->n_files > 1 && at->path != file) {
      bez_buf_printf(out, "%s%s%s", file ? "; " : "", at->path, at->n_rows == 1 ? "" : ": ");
      file = at->path;
    } else if (items) {
      bez_buf_puts(out, ", ");
    }
    items++;
    i = end;
    if (at && report->n_files > 1 && at->n_rows == 1) continue; /* a picture's file says it all */
    bez_buf_printf(out, "%llu", (unsigned long long)first);
    if (last > first) bez_buf_printf(out, "%s%llu", ascii ? "-" : "\xE2\x80\x93", (unsigned long long)last);
  }
  if (i >= f->n_rows) return;
  bez_buf_puts(out, ascii ? ", ... (" : ", \xE2\x80\xA6 (");
  bez_put_count(out, f->n_rows - i);
  bez_buf_puts(out, " more)");
}

const char *bez_remedy_of(const bez_finding *f) {
  return f->remedy ? f->remedy : f->rule->remedy;
}

const char *bez_shown_pattern(const bez_report *report, const bez_finding *f) {
  for (size_t i = 0; f->pattern && f->ranked_list && i < report->n_columns; i++)
    if (!strcmp(report->columns[i].name, f->pattern)) return NULL;
  return f->pattern;
}

const char *bez_label_column(const bez_report *report, bool *guessed) {
  for (size_t i = 0; i < report->n_columns; i++) {
    if (strcmp(report->columns[i].role, "label") != 0) continue;
    *guessed = !report->columns[i].role_given;
    return report->columns[i].name;
  }
  return NULL;
}
