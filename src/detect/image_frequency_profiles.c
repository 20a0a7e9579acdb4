/* Profiles, their metrics, and planes of waves. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/compare.h"
#include "base/error.h"
#include "base/threads.h"
#include "detect/image_frequency.h"
#include "math/spd.h"

#define TILE 256u
#define NOISE 0.25 /* added to every variance: half a level of a pixel */
#define ROWS_PER_VALUE 8u

typedef struct work {
  const bez_images *images;
  bez_profiles *p;
  uint32_t factor, across, along; /* pixels along the profile, and those that are averaged */
} work;

void bez_profiles_free(bez_profiles *profiles) {
  free(profiles->value);
  *profiles = (bez_profiles){0};
}

static uint32_t luma(const bez_images *im, const uint8_t *picture, uint32_t y, uint32_t x) {
  const uint8_t *p = picture + ((size_t)y * im->width + x) * im->channels;
  return im->channels == 1 ? 1000u * p[0] : 299u * p[0] + 587u * p[1] + 114u * p[2];
}

static bez_status profile_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  (void)worker;
  (void)err;
  const work *w = ctx;
  uint32_t first = (uint32_t)tile * TILE, end = w->p->n - first < TILE ? w->p->n : first + TILE;
  for (uint32_t row = first; row < end; row++) {
    const uint8_t *picture = bez_image(w->images, row);
    for (uint32_t i = 0; i < w->p->length; i++) {
      uint64_t sum = 0;
      for (uint32_t k = i * w->factor; k < (i + 1) * w->factor; k++)
        for (uint32_t m = 0; m < w->across; m++)
          sum += w->p->axis == 0 ? luma(w->images, picture, m, k) : luma(w->images, picture, k, m);
      w->p->value[(size_t)row * w->p->length + i] = (float)((double)sum / (1000.0 * w->factor * w->across));
    }
  }
  return BEZ_OK;
}

static bez_status subtract_means(bez_profiles *p, const bez_picture_classes *classes, bez_error *err) {
  double *mean = calloc((size_t)classes->n * p->length + 1, sizeof *mean);
  if (!mean) return bez_fail_memory(err, (size_t)classes->n * p->length * sizeof *mean);
  for (uint32_t i = 0; i < p->n; i++) {
    uint32_t c = classes->of_row[i];
    for (uint32_t k = 0; c != BEZ_PICTURE_NONE && k < p->length; k++)
      mean[(size_t)c * p->length + k] += (double)p->value[(size_t)i * p->length + k] / classes->count[c];
  }
  for (uint32_t i = 0; i < p->n; i++) {
    uint32_t c = classes->of_row[i];
    for (uint32_t k = 0; c != BEZ_PICTURE_NONE && k < p->length; k++)
      p->value[(size_t)i * p->length + k] -= (float)mean[(size_t)c * p->length + k];
  }
  free(mean);
  return BEZ_OK;
}

bez_status bez_profiles_make(const bez_images *images, const bez_picture_classes *classes, uint32_t axis,
                             unsigned threads, bez_profiles *out, bez_error *err) {
  work w = {.images = images, .p = out, .along = axis == 0 ? images->width : images->height};
  w.across = axis == 0 ? images->height : images->width;
  w.factor = (w.along + BEZ_PROFILE_MAX - 1) / BEZ_PROFILE_MAX;
  *out = (bez_profiles){.n = (uint32_t)images->n, .length = w.along / w.factor, .axis = axis};
  out->value = malloc(((size_t)out->n * out->length + 1) * sizeof *out->value);
  if (!out->value) return bez_fail_memory(err, (size_t)out->n * out->length * sizeof *out->value);
  bez_status st = bez_parallel((out->n + TILE - 1) / TILE, threads, profile_tile, &w, err);
  if (st == BEZ_OK) st = subtract_means(out, classes, err);
  if (st != BEZ_OK) bez_profiles_free(out);
  return st;
}

/* Σ x·xᵀ per class, lower triangles. */
static void scatter(const bez_profiles *p, const bez_picture_classes *classes, double *sum) {
  size_t cells = (size_t)p->length * p->length;
  for (uint32_t i = 0; i < p->n; i++) {
    if (classes->of_row[i] == BEZ_PICTURE_NONE) continue;
    double *to = sum + classes->of_row[i] * cells;
    const float *x = p->value + (size_t)i * p->length;
    for (uint32_t a = 0; a < p->length; a++)
      for (uint32_t b = 0; b <= a; b++) to[(size_t)a * p->length + b] += (double)x[a] * (double)x[b];
  }
}

/* In place: the inverse of a lower triangle. */
static void invert(double *l, uint32_t n, double *column) {
  for (uint32_t j = 0; j < n; j++) {
    for (uint32_t i = j; i < n; i++) {
      double s = i == j ? 1 : 0;
      for (uint32_t k = j; k < i; k++) s -= l[(size_t)i * n + k] * column[k];
      column[i] = s / l[(size_t)i * n + i];
    }
    for (uint32_t i = j; i < n; i++) l[(size_t)i * n + j] = column[i]; /* column j is not read again */
  }
}

bez_status bez_profiles_metrics(const bez_profiles *p, const bez_picture_classes *classes, double *metric,
                                uint8_t *usable, bez_error *err) {
  size_t cells = (size_t)p->length * p->length;
  double *total = calloc(cells + p->length, sizeof *total), *column = total + cells;
  uint64_t rows = 0;
  if (!total) return bez_fail_memory(err, cells * sizeof *total);
  memset(metric, 0, classes->n * cells * sizeof *metric);
  scatter(p, classes, metric);
  for (uint32_t c = 0; c < classes->n; c++) {
    rows += classes->count[c];
    for (size_t i = 0; i < cells; i++) total[i] += metric[c * cells + i];
  }
  for (uint32_t c = 0; c < classes->n; c++) {
    uint64_t others = rows - classes->count[c];
    double *m = metric + c * cells;
    usable[c] = others >= (uint64_t)ROWS_PER_VALUE * p->length;
    for (size_t i = 0; i < cells && usable[c]; i++) m[i] = (total[i] - m[i]) / (double)others;
    for (uint32_t i = 0; i < p->length; i++) m[(size_t)i * p->length + i] += NOISE;
    usable[c] = usable[c] && bez_spd_factor(m, p->length);
    if (usable[c]) invert(m, p->length, column);
  }
  free(total);
  return BEZ_OK;
}

/* Two orthonormal directions that span the whitened cosine and sine, times the metric: what rows are multiplied with.
 */
static void plane(const double *metric, uint32_t n, double periods, double *out, double *wave) {
  for (uint32_t k = 0; k < 2; k++)
    for (uint32_t i = 0; i < n; i++) {
      wave[k * n + i] = 0;
      for (uint32_t j = 0; j <= i; j++) {
        double turn = 6.283185307179586 * periods * j / n;
        wave[k * n + i] += metric[(size_t)i * n + j] * (k ? sin(turn) : cos(turn));
      }
    }
  for (uint32_t k = 0; k < 2; k++) {
    double *v = wave + k * n, along = 0, square = 0;
    for (uint32_t i = 0; i < n && k; i++) along += v[i] * wave[i];
    for (uint32_t i = 0; i < n && k; i++) v[i] -= along * wave[i];
    for (uint32_t i = 0; i < n; i++) square += v[i] * v[i];
    for (uint32_t i = 0; i < n; i++) v[i] *= square > 1e-12 ? 1 / sqrt(square) : 0;
    for (uint32_t j = 0; j < n; j++) {
      out[k * n + j] = 0;
      for (uint32_t i = j; i < n; i++) out[k * n + j] += metric[(size_t)i * n + j] * v[i];
    }
  }
}

/* Takes each class's median off one coordinate: of many rows with a wave, the others still decide. */
static void centre(const bez_profiles *p, const bez_picture_classes *classes, uint32_t k, float *at, float *list,
                   uint32_t *start) {
  start[0] = start[1] = 0;
  for (uint32_t c = 0; c < classes->n; c++) start[c + 2] = start[c + 1] + classes->count[c];
  for (uint32_t i = 0; i < p->n; i++)
    if (classes->of_row[i] != BEZ_PICTURE_NONE) list[start[classes->of_row[i] + 1]++] = at[2 * (size_t)i + k];
  for (uint32_t c = 0; c < classes->n; c++) qsort(list + start[c], classes->count[c], sizeof *list, bez_compare_float);
  for (uint32_t i = 0; i < p->n; i++) {
    uint32_t c = classes->of_row[i];
    if (c != BEZ_PICTURE_NONE) at[2 * (size_t)i + k] -= list[start[c] + classes->count[c] / 2];
  }
}

bez_status bez_profiles_plane(const bez_profiles *p, const bez_picture_classes *classes, const double *metric,
                              const uint8_t *usable, double periods, float *at, bez_error *err) {
  size_t n = p->length, cells = n * n;
  double *direction = calloc((size_t)classes->n * 2 * n + 2 * n, sizeof *direction),
         *wave = direction + classes->n * 2 * n;
  float *list = malloc(((size_t)p->n + 1) * sizeof *list);
  uint32_t *start = malloc(((size_t)classes->n + 2) * sizeof *start);
  if (!direction || !list || !start) {
    free(direction);
    free(list);
    free(start);
    return bez_fail_memory(err, p->n * sizeof *list);
  }
  for (uint32_t c = 0; c < classes->n; c++)
    if (usable[c]) plane(metric + c * cells, (uint32_t)n, periods, direction + c * 2 * n, wave);
  for (uint32_t i = 0; i < p->n; i++)
    for (uint32_t k = 0; k < 2; k++) {
      double sum = 0;
      uint32_t c = classes->of_row[i];
      for (uint32_t j = 0; c != BEZ_PICTURE_NONE && j < n; j++)
        sum += (double)p->value[i * n + j] * direction[(c * 2 + k) * n + j];
      at[2 * (size_t)i + k] = (float)sum;
    }
  for (uint32_t k = 0; k < 2; k++) centre(p, classes, k, at, list, start);
  free(direction);
  free(list);
  free(start);
  return BEZ_OK;
}
