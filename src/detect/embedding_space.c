/* Grouping by label, principal components, and whitening inside the classes. */
#include "detect/embedding_space.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/rng.h"
#include "format/images.h"
#include "math/symeig.h"

#define SKETCH_STREAM 0x656d6265u /* random numbers of this file */
#define LEAST_VARIANCE 1e-7       /* of the largest: below, components are rounding noise */
#define ROWS_PER_DIM 8u           /* fewer components than rows / 8, so that a covariance means something */
#define RIDGE 1e-3                /* of the mean variance inside classes */

void bez_space_destroy(bez_space *s) {
  if (!s) return;
  free(s->code);
  free(s->first);
  free(s->row);
  free(s->class_of);
  free(s->x);
  free(s->z);
  free(s);
}

/* Classes in the order of their codes; rows ascending inside. */
static bez_status group_rows(const bez_detect_input *in, bez_space *s, bez_error *err) {
  const bez_column *label = &in->table->cols[in->label];
  uint64_t rows = in->table->n_rows;
  if (rows > UINT32_MAX) return bez_fail(err, BEZ_LIMIT, "embeddings", "more than %u rows", UINT32_MAX);
  uint32_t *class_of_code = malloc(((size_t)label->n_values + 1) * sizeof *class_of_code);
  s->code = malloc(((size_t)label->n_values + 1) * sizeof *s->code);
  s->first = calloc((size_t)label->n_values + 2, sizeof *s->first);
  s->row = malloc((rows + 1) * sizeof *s->row);
  s->class_of = malloc((rows + 1) * sizeof *s->class_of);
  if (!class_of_code || !s->code || !s->first || !s->row || !s->class_of) {
    free(class_of_code);
    return bez_fail_memory(err, rows * 8 + (size_t)label->n_values * 12);
  }
  for (uint32_t code = BEZ_CODE_FIRST; code < label->n_values; code++) {
    if (!label->count[code]) continue;
    class_of_code[code] = s->n_classes;
    s->code[s->n_classes] = code;
    s->first[s->n_classes + 1] = s->first[s->n_classes] + label->count[code];
    s->n_judged += label->count[code] >= BEZ_SPACE_CLASS;
    s->n_classes++;
  }
  s->n = s->first[s->n_classes];
  for (uint64_t row = 0; row < rows; row++) {
    uint32_t code = bez_code(label, row);
    if (code < BEZ_CODE_FIRST) continue;
    uint32_t k = class_of_code[code], at = s->first[k]++;
    s->row[at] = (uint32_t)row;
    s->class_of[at] = k;
  }
  for (uint32_t k = s->n_classes; k > 0; k--) s->first[k] = s->first[k - 1];
  s->first[0] = 0;
  free(class_of_code);
  return BEZ_OK;
}

/* Long vectors to BEZ_SPACE_EXACT numbers: each coordinate is added, with a random sign, to a random place (count
 * sketch: M. Charikar, K. Chen, M. Farach-Colton 2002; inner products are kept in expectation). NULL: not needed. */
static bez_status sketch(const bez_detect_input *in, const bez_space *s, float **out, bez_error *err) {
  const bez_vectors *v = in->table->vectors;
  *out = NULL;
  if (v->dim <= BEZ_SPACE_EXACT) return BEZ_OK;
  uint32_t *place = malloc(v->dim * sizeof *place);
  *out = calloc((size_t)s->n * BEZ_SPACE_EXACT, sizeof **out);
  if (!place || !*out) {
    free(place);
    return bez_fail_memory(err, (size_t)s->n * BEZ_SPACE_EXACT * sizeof **out);
  }
  bez_rng rng = bez_rng_make(in->seed, SKETCH_STREAM);
  for (uint32_t d = 0; d < v->dim; d++) place[d] = bez_rng_u32(&rng) % (2 * BEZ_SPACE_EXACT);
  for (uint32_t i = 0; i < s->n; i++) {
    const float *x = bez_vector(v, s->row[i]);
    float *to = *out + (size_t)i * BEZ_SPACE_EXACT;
    for (uint32_t d = 0; d < v->dim; d++) to[place[d] / 2] += place[d] & 1 ? -x[d] : x[d];
  }
  free(place);
  return BEZ_OK;
}

/* How many components to keep, and the share of the variance they hold. */
static uint32_t choose_dim(const double *value, uint32_t d, uint32_t n, double *explained) {
  double all = 0.0, kept = 0.0;
  uint32_t most = n / ROWS_PER_DIM < BEZ_SPACE_DIM ? n / ROWS_PER_DIM : BEZ_SPACE_DIM, dim = 0;
  for (uint32_t k = 0; k < d; k++) all += value[k] > 0.0 ? value[k] : 0.0;
  while (dim < d && dim < most && value[dim] > 0.0 && value[dim] > LEAST_VARIANCE * value[0]) kept += value[dim++];
  *explained = all > 0.0 ? kept / all : 0.0;
  return dim;
}

static bez_status components(bez_space *s, const bez_rows *r, const bez_team *team, bez_error *err) {
  uint32_t d = r->dim;
  double *mean = malloc(d * sizeof *mean), *value = malloc(d * sizeof *value), *scratch = malloc(d * sizeof *scratch);
  double *a = malloc((size_t)d * d * sizeof *a);
  bez_status st = BEZ_OK;
  if (!mean || !value || !scratch || !a) BEZ_TRY(bez_fail_memory(err, (size_t)d * (d + 3) * sizeof *a));
  bez_rows_mean(r, mean);
  BEZ_TRY(bez_rows_covariance(r, mean, NULL, team, a, err));
  if (!bez_symeig(a, d, value, scratch))
    BEZ_TRY(bez_fail(err, BEZ_FORMAT, "embeddings", "numbers too large for a covariance"));
  s->dim = choose_dim(value, d, s->n, &s->explained);
  s->x = malloc(((size_t)s->n * s->dim + 1) * sizeof *s->x);
  if (!s->x) BEZ_TRY(bez_fail_memory(err, (size_t)s->n * s->dim * sizeof *s->x));
  if (s->dim) BEZ_TRY(bez_rows_project(r, mean, a, s->dim, team, s->x, err));
cleanup:
  free(mean);
  free(value);
  free(scratch);
  free(a);
  return st;
}

/* z = Λ^(−1/2)·Vᵀ·x for the eigenvectors of the covariance inside the classes. */
static bez_status whiten(bez_space *s, const bez_team *team, bez_error *err) {
  uint32_t d = s->dim;
  bez_rows all = {.x = s->x, .dim = d, .n = s->n};
  double *mean = calloc((size_t)s->n_classes * d + 1, sizeof *mean), *a = malloc((size_t)d * d * sizeof *a);
  double *value = calloc(d, sizeof *value), *scratch = malloc(d * sizeof *scratch), total = 0.0;
  bez_status st = BEZ_OK;
  s->z = malloc(((size_t)s->n * d + 1) * sizeof *s->z);
  if (!mean || !a || !value || !scratch || !s->z) BEZ_TRY(bez_fail_memory(err, (size_t)(s->n + d) * d * sizeof *a));
  for (uint32_t k = 0; k < s->n_classes; k++) {
    bez_rows r = bez_space_class(s, s->x, k);
    bez_rows_mean(&r, mean + (size_t)k * d);
  }
  BEZ_TRY(bez_rows_covariance(&all, mean, s->class_of, team, a, err));
  if (!bez_symeig(a, d, value, scratch))
    BEZ_TRY(bez_fail(err, BEZ_FORMAT, "embeddings", "the covariance inside the classes is not finite"));
  for (uint32_t k = 0; k < d; k++) total += value[k];
  for (uint32_t k = 0; k < d; k++) {
    double scale = value[k] + RIDGE * total / d > 0.0 ? 1.0 / sqrt(value[k] + RIDGE * total / d) : 0.0;
    for (uint32_t i = 0; i < d; i++) a[(size_t)k * d + i] *= scale;
  }
  memset(mean, 0, d * sizeof *mean);
  BEZ_TRY(bez_rows_project(&all, mean, a, d, team, s->z, err));
cleanup:
  free(mean);
  free(a);
  free(value);
  free(scratch);
  return st;
}

bez_status bez_space_fit(const bez_detect_input *in, bez_space **out, bez_error *err) {
  const bez_vectors *v = in->table->vectors;
  bez_watch watch = bez_detect_watch(in, "embeddings, covariance", "tiles");
  bez_team team = {.threads = in->threads, .cpu = in->cpu, .watch = &watch};
  float *hashed = NULL;
  bez_status st = BEZ_OK;
  bez_space *s = calloc(1, sizeof *s);
  *out = NULL;
  if (!s) return bez_fail_memory(err, sizeof *s);
  s->given_dim = v->dim;
  BEZ_TRY(group_rows(in, s, err));
  BEZ_TRY(sketch(in, s, &hashed, err));
  bez_rows r = {.x = v->values, .dim = v->dim, .rows = s->row, .n = s->n};
  if (hashed) r = (bez_rows){.x = hashed, .dim = BEZ_SPACE_EXACT, .n = s->n};
  BEZ_TRY(components(s, &r, &team, err));
  if (s->dim) BEZ_TRY(whiten(s, &team, err));
  *out = s;
  s = NULL;
cleanup:
  free(hashed);
  bez_space_destroy(s);
  return st;
}
