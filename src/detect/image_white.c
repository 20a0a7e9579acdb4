/* Means, covariance, whitening, and the 8-bit values of every row. */
#include "detect/image_white.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/compare.h"
#include "base/error.h"
#include "fit/subspace.h"
#include "math/spd.h"

#define LANES BEZ_WHITE_LANES
#define TILE 64u
#define MEAN_ROWS 512u    /* rows of a class that its mean comes from, at most */
#define FIT_ROWS 8192u    /* rows that the covariance comes from, at most */
#define SPREAD_ROWS 2048u /* rows that the other terms' spread comes from, at most */
#define NOISE 9.0         /* added to every variance: three levels of a pixel */
#define STEPS 16.0f
#define LARGEST 126.0f

typedef struct fill {
  bez_white *w;
  const uint32_t *rows; /* NULL: all */
  uint32_t n;
  float *terms; /* residual terms of rows: n × padded; NULL: write values */
  float *rest;  /* dim − padded terms of the first n_rest rows */
  uint32_t n_rest;
  float *length; /* per row */
} fill;

static bool counts(const bez_white *w, const uint8_t *leave_out, uint32_t row) {
  return w->classes->of_row[row] != BEZ_PICTURE_NONE && !(leave_out && leave_out[row]);
}

/* ---- means ---- */

typedef struct means {
  bez_white *w;
  const uint8_t *leave_out;
} means;

/* Every step-th row of a class that counts, MEAN_ROWS or a few more. */
static uint32_t class_rows(const means *m, uint32_t class_id, uint32_t *rows) {
  const bez_white *w = m->w;
  uint32_t n = 0, seen = 0, step = w->classes->count[class_id] / MEAN_ROWS + 1;
  for (uint32_t i = 0; i < w->n; i++)
    if (w->classes->of_row[i] == class_id && counts(w, m->leave_out, i) && seen++ % step == 0) rows[n++] = i;
  return n;
}

static bez_status mean_tile(void *ctx, uint64_t class_id, unsigned worker, bez_error *err) {
  (void)worker;
  const means *m = ctx;
  const bez_white *w = m->w;
  size_t cells = (size_t)w->dim * LANES;
  float *terms = calloc(3 * cells, sizeof *terms);
  uint32_t *rows = malloc(((size_t)w->classes->count[class_id] + 1) * sizeof *rows);
  double *sum = calloc(w->dim, sizeof *sum);
  bez_status st = terms && rows && sum ? BEZ_OK : bez_fail_memory(err, 3 * cells * sizeof *terms);
  uint32_t n = st == BEZ_OK ? class_rows(m, (uint32_t)class_id, rows) : 0;
  for (uint32_t i = 0; i < n; i += LANES) {
    uint32_t k = n - i < LANES ? n - i : LANES;
    bez_white_terms(w, rows + i, k, terms, terms + cells);
    for (uint32_t d = 0; d < w->dim; d++)
      for (uint32_t lane = 0; lane < k; lane++) sum[d] += (double)terms[(size_t)d * LANES + lane];
  }
  for (uint32_t d = 0; d < w->dim && n; d++) w->mean[class_id * w->dim + d] = (float)(sum[d] / n);
  free(terms);
  free(rows);
  free(sum);
  return st;
}

/* ---- residuals, values ---- */

static void subtract_means(const bez_white *w, const uint32_t *rows, uint32_t n, float *terms) {
  for (uint32_t lane = 0; lane < n; lane++) {
    uint32_t class_id = w->classes->of_row[rows[lane]];
    if (class_id == BEZ_PICTURE_NONE) continue;
    const float *mean = w->mean + (size_t)class_id * w->dim;
    for (uint32_t d = 0; d < w->dim; d++) terms[(size_t)d * LANES + lane] -= mean[d];
  }
}

static void whiten(const bez_white *w, const float *terms, float *out) {
  for (uint32_t first = 0; first < w->low; first += LANES) {
    uint32_t rows = w->low - first < LANES ? w->low - first : LANES;
    w->dense(&(bez_dense){.rows = rows,
                          .depth = first + rows,
                          .a = w->whiten + (size_t)first * w->low,
                          .a_row = w->low,
                          .a_step = 1,
                          .b = terms,
                          .b_step = LANES,
                          .out = out + (size_t)first * LANES,
                          .out_row = LANES});
  }
  memset(out + (size_t)w->low * LANES, 0, (size_t)(w->padded - w->low) * LANES * sizeof *out);
  for (uint32_t d = w->padded; d < w->dim; d++)
    for (uint32_t l = 0; l < LANES; l++) out[(size_t)d * LANES + l] = terms[(size_t)d * LANES + l] * w->spread[d];
}

static int8_t quantise(float v) {
  v *= STEPS;
  return (int8_t)lrintf(v > LARGEST ? LARGEST : v < -LARGEST ? -LARGEST : v);
}

static void keep_values(const fill *f, const uint32_t *rows, uint32_t n, const float *white) {
  for (uint32_t lane = 0; lane < n; lane++) {
    int8_t *to = f->w->value + (size_t)rows[lane] * f->w->dim;
    int64_t square = 0;
    for (uint32_t d = 0; d < f->w->dim; d++) {
      to[d] = quantise(white[(size_t)d * LANES + lane]);
      square += to[d] * to[d];
    }
    f->length[rows[lane]] = (float)sqrt((double)square);
  }
}

static void keep_terms(const fill *f, uint32_t at, uint32_t n, const float *terms) {
  const bez_white *w = f->w;
  uint32_t high = w->dim - w->padded;
  for (uint32_t lane = 0; lane < n; lane++) {
    float *low = f->terms + (size_t)(at + lane) * w->padded, *rest = f->rest + (size_t)(at + lane) * high;
    for (uint32_t d = 0; d < w->padded; d++) low[d] = d < w->low ? terms[(size_t)d * LANES + lane] : 0;
    for (uint32_t d = 0; d < high && at + lane < f->n_rest; d++)
      rest[d] = terms[(size_t)(w->padded + d) * LANES + lane];
  }
}

static bez_status fill_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  (void)worker;
  const fill *f = ctx;
  size_t cells = (size_t)f->w->dim * LANES;
  float *terms = calloc(3 * cells, sizeof *terms), *white = terms + cells; /* the transform's scratch, too */
  if (!terms) return bez_fail_memory(err, 3 * cells * sizeof *terms);
  uint32_t end = f->n - (uint32_t)tile * TILE < TILE ? f->n : (uint32_t)(tile + 1) * TILE, rows[LANES];
  for (uint32_t at = (uint32_t)tile * TILE; at < end; at += LANES) {
    uint32_t n = end - at < LANES ? end - at : LANES;
    for (uint32_t i = 0; i < n; i++) rows[i] = f->rows ? f->rows[at + i] : at + i;
    bez_white_terms(f->w, rows, n, terms, white);
    subtract_means(f->w, rows, n, terms);
    if (f->terms) {
      keep_terms(f, at, n, terms);
      continue;
    }
    whiten(f->w, terms, white);
    keep_values(f, rows, n, white);
  }
  free(terms);
  return BEZ_OK;
}

/* ---- fit ---- */

static bez_status find_spread(const fill *f, bez_error *err) {
  bez_white *w = f->w;
  uint32_t high = w->dim - w->padded, n = f->n < f->n_rest ? f->n : f->n_rest;
  float *square = malloc(((size_t)n + 1) * sizeof *square);
  if (!square) return bez_fail_memory(err, n * sizeof *square);
  for (uint32_t d = 0; d < high; d++) {
    for (uint32_t i = 0; i < n; i++) square[i] = f->rest[(size_t)i * high + d] * f->rest[(size_t)i * high + d];
    qsort(square, n, sizeof *square, bez_compare_float);
    w->spread[w->padded + d] = (float)(1 / sqrt(2.2 * (double)square[n / 2] + NOISE));
  }
  free(square);
  return BEZ_OK;
}

/* Rows of the inverse of a Cholesky factor, as floats: what turns terms of that covariance into independent ones. */
static void invert_factor(const double *factor, uint32_t stride, uint32_t n, float *out, double *column) {
  for (uint32_t j = 0; j < n; j++) {
    for (uint32_t i = 0; i < n; i++) {
      double s = i == j ? 1 : 0;
      for (uint32_t k = j; k < i; k++) s -= factor[(size_t)i * stride + k] * column[k];
      column[i] = i < j ? 0 : s / factor[(size_t)i * stride + i];
      out[(size_t)i * n + j] = (float)column[i];
    }
  }
}

static bez_status find_whitening(const fill *f, const bez_detect_input *in, bez_error *err) {
  bez_white *w = f->w;
  bez_status st = BEZ_OK;
  size_t cells = (size_t)w->padded * w->padded;
  double *covariance = malloc(cells * sizeof *covariance), *column = malloc(w->padded * sizeof *column);
  if (!covariance || !column) {
    st = bez_fail_memory(err, cells * sizeof *covariance);
    goto cleanup;
  }
  BEZ_TRY(bez_covariance(f->terms, f->n, w->padded, in->threads, in->cpu, covariance, err));
  for (uint32_t d = 0; d < w->padded; d++) covariance[(size_t)d * w->padded + d] += NOISE;
  if (!bez_spd_factor(covariance, w->padded)) {
    st = bez_fail(err, BEZ_INTERNAL, "BZ-D012", "the covariance of the pictures is not positive definite");
    goto cleanup;
  }
  invert_factor(covariance, w->padded, w->low, w->whiten, column);
cleanup:
  free(covariance);
  free(column);
  return st;
}

static bez_status fit(const bez_detect_input *in, bez_white *w, const uint8_t *leave_out, bez_watch *watch,
                      bez_error *err) {
  bez_status st;
  uint32_t n = 0, used = 0, kept = 0, *rows = malloc(((size_t)w->n + 1) * sizeof *rows), high = w->dim - w->padded;
  fill f = {.w = w, .rows = rows, .n_rest = SPREAD_ROWS};
  if (!rows) return bez_fail_memory(err, w->n * sizeof *rows);
  for (uint32_t i = 0; i < w->n; i++)
    if (counts(w, leave_out, i)) rows[n++] = i;
  used = n < FIT_ROWS ? n : FIT_ROWS;
  for (uint32_t i = 0; i < used; i++)
    rows[i] = rows[(uint64_t)i * n / used]; /* bez_compare_float: never overwrites ahead */
  kept = used < SPREAD_ROWS ? used : SPREAD_ROWS;
  for (uint32_t i = 0; i < kept && used > kept; i++) { /* those come first, spread over the file */
    uint32_t from = (uint32_t)((uint64_t)i * used / kept), t = rows[i];
    rows[i] = rows[from];
    rows[from] = t;
  }
  f.n = used;
  f.terms = malloc(((size_t)used * w->padded + 1) * sizeof *f.terms);
  f.rest = malloc(((size_t)kept * high + 1) * sizeof *f.rest);
  if (!f.terms || !f.rest || used == 0) {
    st = used ? bez_fail_memory(err, (size_t)used * w->padded * sizeof *f.terms)
              : bez_fail(err, BEZ_USAGE, "BZ-D012", "no rows");
    goto cleanup;
  }
  BEZ_TRY(bez_parallel_watched(w->classes->n, in->threads, watch, mean_tile, &(means){w, leave_out}, err));
  BEZ_TRY(bez_parallel_watched((used + TILE - 1) / TILE, in->threads, watch, fill_tile, &f, err));
  BEZ_TRY(find_spread(&f, err));
  BEZ_TRY(find_whitening(&f, in, err));
cleanup:
  free(rows);
  free(f.terms);
  free(f.rest);
  return st;
}

static bez_status set_scales(bez_white *w, float *length, bez_error *err) {
  float *sorted = malloc(((size_t)w->n + 1) * sizeof *sorted);
  if (!sorted) return bez_fail_memory(err, w->n * sizeof *sorted);
  memcpy(sorted, length, w->n * sizeof *sorted);
  qsort(sorted, w->n, sizeof *sorted, bez_compare_float);
  float median = sorted[w->n / 2] > 0 ? sorted[w->n / 2] : 1;
  for (uint32_t i = 0; i < w->n; i++) w->scale[i] = 1 / (length[i] > median ? length[i] : median);
  free(sorted);
  return BEZ_OK;
}

void bez_white_free(bez_white *w) {
  free(w->value);
  free(w->scale);
  free(w->place);
  free(w->mean);
  free(w->whiten);
  free(w->spread);
  free(w->dct_y);
  free(w->dct_x);
  *w = (bez_white){0};
}

bez_status bez_white_make(const bez_detect_input *in, const bez_picture_classes *classes, const uint8_t *leave_out,
                          bez_white *w, bez_error *err) {
  bez_status st;
  float *length = NULL;
  *w = (bez_white){.classes = classes, .dense = bez_dense_choose(in->cpu)};
  bez_watch watch = bez_detect_watch(in, "blended patterns", "tiles");
  BEZ_TRY(bez_white_shape(in->table->images, w, err));
  w->value = malloc((size_t)w->n * w->dim + 1);
  w->scale = malloc(((size_t)w->n + 1) * sizeof *w->scale);
  w->mean = calloc((size_t)classes->n * w->dim + 1, sizeof *w->mean);
  w->whiten = malloc((size_t)w->low * w->low * sizeof *w->whiten);
  w->spread = calloc(w->dim, sizeof *w->spread);
  length = malloc(((size_t)w->n + 1) * sizeof *length);
  if (!w->value || !w->scale || !w->mean || !w->whiten || !w->spread || !length) {
    st = bez_fail_memory(err, (size_t)w->n * w->dim);
    goto cleanup;
  }
  BEZ_TRY(fit(in, w, leave_out, &watch, err));
  fill f = {.w = w, .n = w->n, .length = length};
  BEZ_TRY(bez_parallel_watched((w->n + TILE - 1) / TILE, in->threads, &watch, fill_tile, &f, err));
  BEZ_TRY(set_scales(w, length, err));
cleanup:
  free(length);
  if (st != BEZ_OK) bez_white_free(w);
  return st;
}
