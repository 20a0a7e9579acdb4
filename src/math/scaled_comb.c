/* Which rows of a picture stand out, and whether they are those that a scaler to some size would look at. */
#include <math.h>
#include <string.h>

#include "math/scaled_view.h"

#define REACH 12u       /* rows around one that it is compared with */
#define LARGEST 32u     /* factor of scaling */
#define FEW 4u          /* sampled rows */
#define CLIP 3.0        /* a row of that many times its neighbours' roughness, plus one, is rough enough */
#define SLIGHT .1       /* weight of a row that an attack hardly needs to touch */
#define ROUNDING 0.25   /* grey levels */
#define SAME_PLACE 1e-9 /* grids of the same rows have the same z */

uint32_t bez_sample_at(uint8_t sampler, uint32_t i, uint32_t large, uint32_t small, double *weight) {
  uint64_t n = large, m = small;
  *weight = 0;
  switch (sampler) {
    case BEZ_SAMPLE_FLOOR: return (uint32_t)(i * n / m);
    case BEZ_SAMPLE_CENTRE: return (uint32_t)((2 * (uint64_t)i + 1) * n / (2 * m));
    case BEZ_SAMPLE_ROUND: return (uint32_t)((2 * i * n + m) / (2 * m));
    case BEZ_SAMPLE_CORNERS: return m > 1 ? (uint32_t)((2 * i * (n - 1) + m - 1) / (2 * (m - 1))) : 0;
    default: break;
  }
  uint64_t twice = (2 * (uint64_t)i + 1) * n - m; /* 2·m·((i + ½)·n/m − ½) */
  *weight = (double)(twice % (2 * m)) / (double)(2 * m);
  return (uint32_t)(twice / (2 * m));
}

/* Roughness of a row by that of the rows around it, less 1. */
static void detrend(const double *rough, uint32_t n, double *out) {
  for (uint32_t i = 1; i + 1 < n; i++) {
    uint32_t first = i > REACH ? i - REACH : 1, last = i + REACH < n - 1 ? i + REACH : n - 2;
    double sum = 0;
    for (uint32_t k = first; k <= last; k++) sum += rough[k];
    double t = rough[i] / (sum / (last - first + 1) + ROUNDING) - 1;
    out[i] = t > CLIP ? CLIP : t;
  }
}

/* By how many standard errors the sampled rows are above the others. */
static double stand_out(const bez_scaled_rows *r, uint8_t sampler, uint32_t size) {
  double sum = 0, weight;
  uint32_t k = 0, last = 0, others;
  for (uint32_t i = 0; i < size; i++) {
    uint32_t at = bez_sample_at(sampler, i, r->n, size, &weight);
    for (uint32_t tap = 0; tap < 2; tap++, at++) { /* not the first row, nor the last, nor one that was counted */
      if ((tap ? weight <= SLIGHT : weight >= 1 - SLIGHT) || at <= last || at + 1 >= r->n) continue;
      last = at;
      sum += r->rough[at];
      k++;
    }
  }
  if (k < FEW || k + FEW > r->n - 2) return -INFINITY;
  others = r->n - 2 - k;
  return (sum / k - (r->sum - sum) / others) / sqrt(r->variance * (1.0 / k + 1.0 / others));
}

bez_comb bez_comb_at(const bez_scaled_rows *r, uint8_t sampler, uint32_t size) {
  bez_comb c = {0};
  bool wide = sampler != BEZ_SAMPLE_BILINEAR || r->n >= BEZ_SCALED_SPARSE * size;
  if (r->variance < 1e-12 || size < BEZ_SCALED_LEAST || size > r->n / 2 || !wide) return c;
  return (bez_comb){.size = size, .sampler = sampler, .z = stand_out(r, sampler, size)};
}

static void keep(bez_comb out[BEZ_COMB_CANDIDATES], bez_comb c) {
  uint32_t at = BEZ_COMB_CANDIDATES;
  for (uint32_t i = 0; i < BEZ_COMB_CANDIDATES; i++)
    if (out[i].size && fabs(out[i].z - c.z) < SAME_PLACE) return;
  while (at > 0 && (!out[at - 1].size || c.z > out[at - 1].z)) at--;
  for (uint32_t i = BEZ_COMB_CANDIDATES - 1; i > at; i--) out[i] = out[i - 1];
  if (at < BEZ_COMB_CANDIDATES) out[at] = c;
}

void bez_scaled_rows_make(const double *rough, uint32_t n, double *room, bez_scaled_rows *out) {
  double squares = 0;
  *out = (bez_scaled_rows){.rough = room, .n = n};
  detrend(rough, n, room);
  for (uint32_t i = 1; i + 1 < n; i++) {
    out->sum += room[i];
    squares += room[i] * room[i];
  }
  double mean = out->sum / (n - 2);
  out->variance = squares / (n - 2) - mean * mean;
}

void bez_comb_find(const bez_scaled_rows *r, bez_comb out[BEZ_COMB_CANDIDATES]) {
  uint32_t least = r->n / LARGEST > BEZ_SCALED_LEAST ? r->n / LARGEST : BEZ_SCALED_LEAST;
  memset(out, 0, BEZ_COMB_CANDIDATES * sizeof *out);
  for (uint32_t size = least; size <= r->n / 2; size++)
    for (unsigned s = 0; s <= BEZ_SAMPLE_BILINEAR; s++) {
      bez_comb c = bez_comb_at(r, (uint8_t)s, size);
      if (c.size && c.z > 0) keep(out, c);
    }
}
