/* Words for a missing value that are a class of the label: "None" beside "Mild" and "Severe".
 *
 * Everywhere else such a word is a missing cell. In the label column it is one of the classes when all of this holds:
 *   - it is a word: None, NA, NULL, null (an empty cell, "?", NaN and N/A never are);
 *   - the other labels are words too, not numbers or times, and more than half of them are spelled the same way: with a
 *     capital, in capitals, in small letters (a program that prints its own None or null does not care how the data
 *     spell their words); for NA, words of two letters and more ("M" and "F" have NA for "not known");
 *   - no column of numbers or times uses the same word for its gaps: then it is how this file says "missing".
 * Rows whose label would be lost otherwise are rows that no check looks at, so a remark tells what was decided. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "format/cell.h"
#include "format/finish.h"

typedef enum spelling { SPELLED_OTHERWISE, SMALL, CAPITALS, CAPITALISED } spelling;

/* How the first word is spelled. */
static spelling spelling_of(const char *p, size_t len) {
  size_t n = 0;
  bool small = false, capital = false;
  for (; n < len && isalpha((unsigned char)p[n]); n++) {
    small |= n && islower((unsigned char)p[n]);
    capital |= n && isupper((unsigned char)p[n]);
  }
  if (n == 0 || (small && capital)) return SPELLED_OTHERWISE;
  if (islower((unsigned char)p[0])) return capital ? SPELLED_OTHERWISE : SMALL;
  return small ? CAPITALISED : CAPITALS;
}

static bool is(const bez_value_info *v, const char *word) {
  return v->len == strlen(word) && !memcmp(v->bytes, word, v->len);
}

static bool may_be_class(const bez_value_info *v) {
  return v->missing && (is(v, "None") || is(v, "NA") || is(v, "NULL") || is(v, "null"));
}

static bool is_word(const bez_value_info *v) {
  double number;
  return !bez_parse_number(v->bytes, v->len, &number, NULL) && !bez_parse_time(v->bytes, v->len, &number);
}

/* Whether the labels that are labels in any case are words of the same spelling. */
static bool fits_the_others(const bez_column_work *work, const bez_value_info *word) {
  uint32_t n = 0, alike = 0;
  spelling own = spelling_of(word->bytes, word->len);
  for (uint32_t i = 0; i < work->n_values; i++) {
    const bez_value_info *v = &work->values[i];
    if (v->missing || !v->count) continue;
    if (!is_word(v)) return false;
    n++;
    alike += spelling_of(v->bytes, v->len) == own && (v->len > 1 || !is(word, "NA"));
  }
  return n && 2 * alike > n;
}

/* Whether a column of numbers or times says "missing" with this word. */
static bool marks_gaps(const bez_finish *f, const bez_value_info *word) {
  for (uint32_t c = 0; c < f->table->n_cols; c++) {
    bez_column_type type = f->table->cols[c].type;
    if (type != BEZ_COL_NUMERIC && type != BEZ_COL_TIME) continue;
    for (uint32_t i = 0; i < f->work[c].n_values; i++) {
      const bez_value_info *v = &f->work[c].values[i];
      if (v->missing && v->count && v->len == word->len && !memcmp(v->bytes, word->bytes, v->len)) return true;
    }
  }
  return false;
}

void bez_finish_label_words(bez_finish *f) {
  int label = f->table->label;
  if (label < 0 || f->table->cols[label].type != BEZ_COL_CATEGORICAL) return;
  bez_column_work *work = &f->work[label];
  bez_column_stats *s = &f->stats[label];
  uint32_t found[4], n = 0; /* judged against the labels that are sure, then changed */
  for (uint32_t i = 0; i < work->n_values && n < 4; i++)
    if (may_be_class(&work->values[i]) && work->values[i].count && fits_the_others(work, &work->values[i]) &&
        !marks_gaps(f, &work->values[i]))
      found[n++] = i;
  for (uint32_t k = 0; k < n; k++) {
    bez_value_info *v = &work->values[found[k]];
    char example[32];
    v->missing = false;
    s->n_missing -= v->count;
    s->n_present += v->count;
    s->n_distinct++;
    (void)snprintf(example, sizeof example, "\"%.*s\"", (int)v->len, v->bytes);
    bez_builder_remark(f->b, "label-word", "", v->count, -1, example);
  }
}
