/* Mimic (Karimireddy, He, Jaggi): every attacker repeats one honest client, so that this one weighs as much as all of
 * them and the others' diversity is lost; nothing about it is an outlier. The paper's choice: z is the direction in
 * which honest updates differ most (the top eigenvector of Σ (x_i − mean)(x_i − mean)ᵀ) and the client is that of the
 * largest |z·x_i|. z is found through the n × n products of the centred updates: z = Σ_i u_i·(x_i − mean). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attack/updates.h"
#include "base/error.h"
#include "math/symeig.h"

/* *z: d numbers, not of length 1; zero where all updates are equal. */
static bez_status find_direction(const bez_honest_updates *h, double *z, bez_error *err) {
  bez_status st = BEZ_OK;
  const size_t n = h->n;
  double most = 0, *centred = calloc(h->n * h->d, sizeof *centred), *products = NULL, *value = NULL;
  if (!centred) BEZ_TRY(bez_fail_memory(err, h->n * h->d * sizeof *centred));
  products = n < SIZE_MAX / n / sizeof(double) ? calloc(n * n, sizeof *products) : NULL;
  value = calloc(n, 2 * sizeof *value);
  if (!products || !value) BEZ_TRY(bez_fail_memory(err, n * n * sizeof *products));
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < h->d; j++) centred[i * h->d + j] = h->row[i * h->d + j] - h->mean[j];
  for (size_t i = 0; i < n; i++)
    for (size_t k = 0; k <= i; k++)
      products[i * n + k] = products[k * n + i] = bez_dot(centred + i * h->d, centred + k * h->d, h->d);
  for (size_t i = 0; i < n; i++) most = fmax(most, products[i * n + i]);
  for (size_t i = 0; i < n * n && most > 0; i++) products[i] /= most; /* whose squares could overflow */
  if (!bez_symeig(products, (uint32_t)n, value, value + n))
    BEZ_TRY(bez_fail(err, BEZ_LIMIT, "mimic", "products of these updates have no eigenvectors in double"));
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < h->d; j++) z[j] += products[i] * centred[i * h->d + j];
cleanup:
  free(centred);
  free(products);
  free(value);
  return st;
}

static bez_status choose(const bez_honest_updates *h, size_t *chosen, bez_error *err) {
  double most = -1, *z = calloc(h->d, sizeof *z);
  if (!z) return bez_fail_memory(err, h->d * sizeof *z);
  bez_status st = find_direction(h, z, err);
  for (size_t i = 0; i < h->n && st == BEZ_OK; i++) {
    double size = fabs(bez_dot(z, h->row + i * h->d, h->d));
    if (size <= most) continue;
    most = size;
    *chosen = i;
  }
  free(z);
  return st;
}

static bez_status craft(const bez_attack_input *in, double *out, bez_error *err) {
  const bez_honest_updates *h = in->honest;
  size_t chosen = SIZE_MAX;
  bez_status st = bez_attack_params_known(in, "client", err);
  if (st == BEZ_OK) st = bez_craft_whole(in, "client", 0, h->n - 1, &chosen, err);
  if (st != BEZ_OK) return st;
  if (h->n > UINT32_MAX) return bez_fail(err, BEZ_LIMIT, "mimic", "%zu honest updates are too many", h->n);
  if (chosen == SIZE_MAX) st = choose(h, &chosen, err);
  if (st != BEZ_OK) return st;
  memcpy(out, h->row + chosen * h->d, h->d * sizeof *out);
  bez_craft_same(in, out);
  return BEZ_OK;
}

const bez_attack bez_attack_mimic = {
    .info = {.name = "mimic",
             .title = "Mimic",
             .summary = "Attackers repeat one honest update, the one that stands out most along the direction in which "
                        "honest updates differ most.",
             .kind = "update",
             .parameters = "client: the honest update to repeat, from 0; by default the paper's choice",
             .source =
                 "Karimireddy, He, Jaggi, Byzantine-Robust Learning on Heterogeneous Datasets via Bucketing, ICLR "
                 "2022"},
    .craft = craft,
};
