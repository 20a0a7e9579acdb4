/* The matched filter: how well rows fit the mean of a candidate's rows, each row's own track left out. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/compare.h"
#include "base/error.h"
#include "detect/image_blend.h"

#define ROUNDS 3u
#define OTHERS 4096u     /* rows of other classes, at most */
#define ONE_IN 1000u     /* the score that so few of them reach is the line */
#define LEAST_LINE 5.0f  /* spreads */
#define LEAST_OTHERS 3.0 /* for the ratio */
#define TEMPLATE_MAX 2047.0f

typedef struct filter {
  const bez_blend_data *d;
  uint32_t class_id;
  uint32_t *row; /* the class's rows, then others'; all by track */
  uint32_t n, n_class;
  float *score;
  uint8_t *member;   /* per row of the data */
  float *sum;        /* dim */
  int16_t *template; /* dim */
  float *sorted;
} filter;

static void filter_free(filter *f) {
  free(f->row);
  free(f->score);
  free(f->member);
  free(f->sum);
  free(f->template);
  free(f->sorted);
}

static bez_status load(filter *f, bez_error *err) {
  const bez_picture_classes *c = f->d->classes;
  uint32_t others = 0, n = f->d->white->n, seen = 0;
  f->n_class = c->count[f->class_id];
  for (uint32_t i = 0; i < n; i++) others += c->of_row[i] != BEZ_PICTURE_NONE && c->of_row[i] != f->class_id;
  uint32_t step = others / OTHERS + 1, most = f->n_class + others / step + 1;
  f->row = calloc((size_t)most + 1, sizeof *f->row);
  f->score = calloc((size_t)most + 1, sizeof *f->score);
  f->sorted = malloc(((size_t)most + 1) * sizeof *f->sorted);
  f->member = calloc((size_t)n + 1, 1);
  f->sum = malloc(f->d->white->dim * sizeof *f->sum);
  f->template = malloc(f->d->white->dim * sizeof *f->template);
  if (!f->row || !f->score || !f->sorted || !f->member || !f->sum || !f->template)
    return bez_fail_memory(err, most * sizeof *f->row);
  for (uint32_t i = 0; i < n; i++) {
    if (c->of_row[i] == BEZ_PICTURE_NONE) continue;
    if (c->of_row[i] != f->class_id && seen++ % step != 0) continue;
    f->row[f->n++] = i;
  }
  return bez_tracks_sort_rows(f->d->tracks, f->row, f->n, err);
}

/* Integers, so that any order of adding gives the same sum: 127 · 2047 · 4,096 or so stays below 2³¹. */
static int32_t product(const int8_t *value, const int16_t *template, uint32_t dim) {
  int32_t sum = 0;
  for (uint32_t d = 0; d < dim; d++) sum += (int32_t)value[d] * template[d];
  return sum;
}

static void add_row(const bez_white *w, uint32_t row, float *sum) {
  const int8_t *value = w->value + (size_t)row * w->dim;
  for (uint32_t d = 0; d < w->dim; d++) sum[d] += (float)value[d] * w->scale[row];
}

/* As 12-bit integers; returns what one step is worth. */
static float round_template(const filter *f) {
  float most = 0;
  for (uint32_t d = 0; d < f->d->white->dim; d++)
    if (fabsf(f->sum[d]) > most) most = fabsf(f->sum[d]);
  float step = most > 0 ? most / TEMPLATE_MAX : 1;
  for (uint32_t d = 0; d < f->d->white->dim; d++) f->template[d] = (int16_t)lrintf(f->sum[d] / step);
  return step;
}

/* Scores of rows [first, end), or takes their track's own part off them. */
static void score_rows(filter *f, uint32_t first, uint32_t end, float sign) {
  const bez_white *w = f->d->white;
  float step = round_template(f);
  for (uint32_t i = first; i < end; i++) {
    uint32_t row = f->row[i];
    float s = (float)product(w->value + (size_t)row * w->dim, f->template, w->dim) * step * w->scale[row];
    f->score[i] = sign > 0 ? s : f->score[i] - s;
  }
}

static void match(filter *f) {
  const bez_white *w = f->d->white;
  memset(f->sum, 0, w->dim * sizeof *f->sum);
  for (uint32_t i = 0; i < f->n; i++)
    if (f->member[f->row[i]]) add_row(w, f->row[i], f->sum);
  score_rows(f, 0, f->n, 1);
  for (uint32_t i = 0, end; i < f->n; i = end) {
    uint32_t group = f->d->tracks->group[f->row[i]], members = 0;
    for (end = i; end < f->n && f->d->tracks->group[f->row[end]] == group; end++) members += f->member[f->row[end]];
    if (members == 0) continue;
    memset(f->sum, 0, w->dim * sizeof *f->sum);
    for (uint32_t k = i; k < end; k++)
      if (f->member[f->row[k]]) add_row(w, f->row[k], f->sum);
    score_rows(f, i, end, -1);
  }
}

/* Scores in spreads of the other classes' rows above their median; returns the score one in a thousand of them has. */
static float standardise(filter *f) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < f->n; i++)
    if (f->d->classes->of_row[f->row[i]] != f->class_id) f->sorted[n++] = f->score[i];
  if (n == 0) return INFINITY;
  qsort(f->sorted, n, sizeof *f->sorted, bez_compare_float);
  float median = f->sorted[n / 2], top = f->sorted[n - 1 - n / ONE_IN];
  for (uint32_t i = 0; i < n; i++) f->sorted[i] = fabsf(f->sorted[i] - median);
  qsort(f->sorted, n, sizeof *f->sorted, bez_compare_float);
  float spread = 1.4826f * f->sorted[n / 2] + 1e-12f;
  for (uint32_t i = 0; i < f->n; i++) f->score[i] = (f->score[i] - median) / spread;
  return (top - median) / spread;
}

/* The class's rows above the line become the members; false where there are none, or most of them. */
static bool choose(filter *f, float line) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < f->n; i++) n += f->d->classes->of_row[f->row[i]] == f->class_id && f->score[i] > line;
  if (n == 0 || 2 * n > f->n_class) return false;
  for (uint32_t i = 0; i < f->n; i++)
    f->member[f->row[i]] = f->d->classes->of_row[f->row[i]] == f->class_id && f->score[i] > line;
  return true;
}

uint32_t bez_blend_groups(const bez_tracks *tracks, const uint32_t *rows, uint32_t n, uint8_t *seen) {
  uint32_t groups = 0;
  memset(seen, 0, tracks->n_groups);
  for (uint32_t i = 0; i < n; i++) {
    groups += !seen[tracks->group[rows[i]]];
    seen[tracks->group[rows[i]]] = 1;
  }
  return groups;
}

/* A pattern is there or it is not: few rows of the class lie between. A way in which pictures of a class differ by
 * nature has all degrees. */
static double valley(const filter *f, float median) {
  uint32_t between = 0, above = 0;
  for (uint32_t i = 0; i < f->n; i++) {
    if (f->d->classes->of_row[f->row[i]] != f->class_id) continue;
    above += f->score[i] > .5f * median;
    between += f->score[i] > .2f * median && f->score[i] <= .5f * median;
  }
  return above ? (double)between / above : INFINITY;
}

typedef struct member {
  uint32_t row, at; /* at: its index in the filter */
} member;

static int by_row(const void *x, const void *y) {
  const member *a = x, *b = y;
  return a->row < b->row ? -1 : a->row > b->row;
}

/* Members in file order. */
static bez_status result(filter *f, float top, bez_blend_match *out, bez_error *err) {
  bez_status st = BEZ_OK;
  member *list = malloc(((size_t)f->n + 1) * sizeof *list);
  uint8_t *seen = malloc((size_t)f->d->tracks->n_groups + 1);
  out->rows = malloc(((size_t)f->n_class + 1) * sizeof *out->rows);
  out->score = malloc(((size_t)f->n_class + 1) * sizeof *out->score);
  if (!list || !seen || !out->rows || !out->score) {
    st = bez_fail_memory(err, f->n * sizeof *list);
    goto cleanup;
  }
  for (uint32_t i = 0; i < f->n; i++)
    if (f->member[f->row[i]]) list[out->n++] = (member){f->row[i], i};
  qsort(list, out->n, sizeof *list, by_row);
  for (uint32_t i = 0; i < out->n; i++) {
    out->rows[i] = list[i].row;
    f->sorted[i] = out->score[i] = f->score[list[i].at];
  }
  qsort(f->sorted, out->n, sizeof *f->sorted, bez_compare_float);
  out->class_id = f->class_id;
  out->groups = bez_blend_groups(f->d->tracks, out->rows, out->n, seen);
  out->median = (double)f->sorted[out->n / 2];
  out->others = (double)top > LEAST_OTHERS ? (double)top : LEAST_OTHERS;
  out->ratio = out->median / out->others;
  out->valley = valley(f, (float)out->median);
cleanup:
  free(list);
  free(seen);
  return st;
}

void bez_blend_match_free(bez_blend_match *match) {
  free(match->rows);
  free(match->score);
  *match = (bez_blend_match){0};
}

bez_status bez_blend_match_rows(const bez_blend_data *data, uint32_t class_id, const uint32_t *rows, uint32_t n,
                                bez_blend_match *out, bez_error *err) {
  filter f = {.d = data, .class_id = class_id};
  bez_status st;
  float top = 0;
  bool found = false;
  *out = (bez_blend_match){0};
  BEZ_TRY(load(&f, err));
  for (uint32_t i = 0; i < n; i++) f.member[rows[i]] = 1;
  for (unsigned round = 0; round < ROUNDS; round++) {
    match(&f);
    top = standardise(&f);
    found = choose(&f, top > LEAST_LINE ? top : LEAST_LINE);
    if (!found) break;
  }
  if (found) BEZ_TRY(result(&f, top, out, err));
cleanup:
  filter_free(&f);
  if (st != BEZ_OK) bez_blend_match_free(out);
  return st;
}
