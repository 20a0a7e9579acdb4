/* A look at the first rows decides how each column is taken in from there on.
 *
 * The decision comes at a fixed point (a byte count or the end of a file), never at a point that depends on threads,
 * and is final: a column planned as identifier, text, or numbers of a form is of that type.
 *
 *   options name a type      → as they say
 *   identifier               → skipped, if so few repeats were met that all rows would be nearly distinct as well
 *   text                     → bytes
 *   numbers, times           → numbers of a form, where the values are many and nearly all of one form
 *   everything else          → dictionary codes */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/threads.h"
#include "format/cell.h"
#include "format/finish.h"

#define MANY_VALUES 4096u

/* Rows per form among the dictionary's values: decimals 0 … 15, then dates and six shapes of time. */
enum { DECIMALS = 16, SHAPES = DECIMALS + 5 };

static int shape_of(bez_form form) {
  switch (form.kind) {
    case BEZ_FORM_DECIMAL: return form.decimals;
    case BEZ_FORM_DATE: return DECIMALS;
    case BEZ_FORM_TIME: return DECIMALS + 1 + (form.mark == 'T') * 2 + form.zulu;
    default: return -1;
  }
}

static bez_form find_form(const bez_column_work *work, const bez_column_stats *s, bez_column_type type) {
  uint64_t rows[SHAPES] = {0};
  bez_form form_of_shape[SHAPES];
  int best = 0;
  for (uint32_t i = 0; i < work->n_values; i++) {
    bez_form form = bez_form_of(work->values[i].bytes, work->values[i].len);
    int shape = work->values[i].missing ? -1 : shape_of(form);
    if (shape < 0) continue;
    rows[shape] += work->values[i].count;
    form_of_shape[shape] = form;
    if (rows[shape] > rows[best]) best = shape;
  }
  if (rows[best] * 50 >= s->n_present * 49 && (best < DECIMALS) == (type == BEZ_COL_NUMERIC))
    return form_of_shape[best];
  if (type == BEZ_COL_NUMERIC && s->n_distinct * 2 > s->n_present) return (bez_form){.kind = BEZ_FORM_FLOAT};
  return (bez_form){0};
}

/* With d distinct among n rows drawn from N equally likely values, n²/2N repeats are expected: few enough for `total`
 * rows to be 95 % distinct? */
static bool stays_distinct(const bez_column_stats *s, uint64_t total) {
  double n = (double)s->n_present, repeats = n - (double)s->n_distinct;
  return repeats <= 1 + n * n / (20 * (double)(total > s->n_present ? total : s->n_present));
}

static bez_column_plan decide(const bez_finish *f, uint32_t c, uint64_t total, bez_column_type *type) {
  const bez_column_stats *s = &f->stats[c];
  bool forced = bez_forced_type(&f->b->options, f->b->names[c], type);
  if (!forced) *type = bez_infer_type(f->b->names[c], s);
  switch (*type) {
    case BEZ_COL_IDENTIFIER:
      if (forced || stays_distinct(s, total)) return (bez_column_plan){.mode = BEZ_LANE_SKIP};
      break;
    case BEZ_COL_TEXT: return (bez_column_plan){.mode = BEZ_LANE_TEXT};
    case BEZ_COL_NUMERIC:
    case BEZ_COL_TIME:
      if (s->n_distinct > MANY_VALUES && s->n_distinct * 20 > s->n_present) {
        bez_form form = find_form(&f->work[c], s, *type);
        if (form.kind) return (bez_column_plan){.mode = BEZ_LANE_FORM, .form = form};
      }
      break;
    default: break;
  }
  return (bez_column_plan){.mode = BEZ_LANE_CODES};
}

bez_status bez_builder_profile(bez_builder *b, uint64_t expected_rows, bez_error *err) {
  bez_finish f = {.b = b, .table = b->table};
  bez_status st = BEZ_OK;
  if (b->profiled || !b->n_cols) return BEZ_OK;
  BEZ_TRY(bez_finish_tiles(&f, err));
  BEZ_TRY(bez_parallel(b->n_cols, b->threads, bez_survey_column, &f, err));
  for (uint32_t c = 0; c < b->n_cols; c++) {
    b->plans[c] = decide(&f, c, expected_rows, &b->plan_type[c]);
    b->plan_distinct[c] = f.stats[c].n_distinct;
  }
  b->profiled = true;
cleanup:
  bez_finish_free(&f);
  return st;
}
