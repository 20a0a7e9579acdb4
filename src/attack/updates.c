/* Attacks on model updates: the public call, and what several of them use. */
#include "attack/updates.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

double bez_dot(const double *a, const double *b, size_t d) {
  double sum = 0;
  for (size_t j = 0; j < d; j++) sum += a[j] * b[j];
  return sum;
}

bez_status bez_craft_whole(const bez_attack_input *in, const char *key, size_t low, size_t high, size_t *value,
                           bez_error *err) {
  double number = -1;
  bez_status st = bez_attack_number(in, key, (double)low, (double)high, &number, err);
  if (st != BEZ_OK || number < 0) return st;
  if (number != floor(number)) return bez_fail(err, BEZ_USAGE, key, "%g is no whole number", number);
  *value = number < (double)high ? (size_t)number : high;
  return BEZ_OK;
}

void bez_craft_same(const bez_attack_input *in, double *out) {
  const size_t d = in->honest->d;
  for (uint64_t i = 1; i < in->rows; i++) memcpy(out + i * d, out, d * sizeof *out);
}

void bez_craft_scaled_mean(const bez_attack_input *in, double factor, double *out) {
  for (size_t j = 0; j < in->honest->d; j++) out[j] = factor * in->honest->mean[j];
  bez_craft_same(in, out);
}

void bez_honest_deviation(const bez_honest_updates *h, double *sd) {
  for (size_t j = 0; j < h->d; j++) sd[j] = 0;
  for (size_t i = 0; i < h->n; i++)
    for (size_t j = 0; j < h->d; j++) {
      double off = h->row[i * h->d + j] - h->mean[j];
      sd[j] += off * off;
    }
  for (size_t j = 0; j < h->d; j++) sd[j] = sqrt(sd[j] / (double)h->n);
}

static double square_between(const double *a, const double *b, size_t d) {
  double sum = 0;
  for (size_t j = 0; j < d; j++) sum += (a[j] - b[j]) * (a[j] - b[j]);
  return sum;
}

bez_status bez_honest_distances(const bez_honest_updates *h, double **square, bez_error *err) {
  const size_t n = h->n;
  *square = n < SIZE_MAX / n / sizeof(double) ? calloc(n * n, sizeof **square) : NULL;
  if (!*square) return bez_fail_memory(err, n * n * sizeof **square);
  for (size_t i = 0; i < n; i++)
    for (size_t k = 0; k < i; k++)
      (*square)[i * n + k] = (*square)[k * n + i] = square_between(h->row + i * h->d, h->row + k * h->d, h->d);
  return BEZ_OK;
}

/* ---- the public call --------------------------------------------------------------------------------------------- */

static bez_status find_attack(const bez_update_attack_options *o, const bez_attack **attack, bez_error *err) {
  *attack = o->attack ? bez_attack_find(o->attack) : NULL;
  if (!*attack) return bez_fail(err, BEZ_USAGE, o->attack, "there is no such attack");
  if (!(*attack)->craft)
    return bez_fail(err, BEZ_USAGE, o->attack, "this is an attack on data, not on model updates (bezoar poison)");
  return BEZ_OK;
}

static bez_status check_honest(const double *row, size_t n, size_t d, size_t n_malicious, bez_error *err) {
  if (!n || !d || !n_malicious)
    return bez_fail(err, BEZ_USAGE, NULL, "%zu honest updates of %zu numbers and %zu attackers: none may be 0", n, d,
                    n_malicious);
  if (n > SIZE_MAX / sizeof *row / d || n_malicious > SIZE_MAX / sizeof *row / d)
    return bez_fail(err, BEZ_USAGE, NULL, "there is no memory that holds as many updates");
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < d; j++)
      if (!(fabs(row[i * d + j]) <= BEZ_UPDATE_MOST))
        return bez_fail(err, BEZ_USAGE, NULL, "honest update %zu holds %g; numbers within 1e100 are needed", i,
                        row[i * d + j]);
  return BEZ_OK;
}

bez_status bez_attack_updates(const double *honest, size_t n, size_t d, const bez_update_attack_options *o, double *out,
                              bez_error *err) {
  bez_status st = BEZ_OK;
  const bez_attack *attack;
  double *mean = NULL;
  BEZ_TRY(find_attack(o, &attack, err));
  BEZ_TRY(check_honest(honest, n, d, o->n_malicious, err));
  mean = calloc(d, sizeof *mean);
  if (!mean) BEZ_TRY(bez_fail_memory(err, d * sizeof *mean));
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < d; j++) mean[j] += honest[i * d + j];
  for (size_t j = 0; j < d; j++) mean[j] /= (double)n;
  bez_honest_updates seen = {.row = honest, .mean = mean, .n = n, .d = d};
  bez_attack_input in = {
      .honest = &seen, .rows = o->n_malicious, .seed = o->seed, .params = o->params, .n_params = o->n_params};
  BEZ_TRY(attack->craft(&in, out, err));
cleanup:
  free(mean);
  return st;
}
