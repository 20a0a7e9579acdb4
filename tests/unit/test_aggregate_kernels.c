/* Random federations of every floating-point type: the same bits for every instruction set and number of threads. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate/aggregator.h"
#include "base/cpu.h"
#include "base/rng.h"
#include "math/half.h"
#include "test.h"

enum { LAYERS = 3, MOST_LEN = 2100 };

static const uint64_t lengths[] = {1, 7, 16, 33, 250, 1024, 1500, MOST_LEN};
static const bez_dtype types[] = {BEZ_DTYPE_F32, BEZ_DTYPE_F64, BEZ_DTYPE_F16, BEZ_DTYPE_BF16};

typedef struct federation {
  uint32_t n;
  uint64_t shape[LAYERS];
  bez_layer (*layer)[LAYERS];
  bez_update *update;
  char (*name)[16];
  void *out[LAYERS], *first[LAYERS];
} federation;

static void put(bez_dtype dtype, void *data, size_t at, double x) {
  switch (dtype) {
    case BEZ_DTYPE_F64: ((double *)data)[at] = x; break;
    case BEZ_DTYPE_F16: ((uint16_t *)data)[at] = bez_float_half((float)x); break;
    case BEZ_DTYPE_BF16: ((uint16_t *)data)[at] = bez_float_bfloat((float)x); break;
    default: ((float *)data)[at] = (float)x;
  }
}

/* Every third federation has ties and zeros of both signs. */
static double draw(bez_rng *rng, bool ties) {
  double x = bez_rng_normal(rng);
  return ties ? copysign(floor(fabs(x) * 2) / 4, x) : x;
}

static federation *make(uint32_t n, uint64_t seed) {
  federation *r = calloc(1, sizeof *r);
  assert_non_null(r);
  r->n = n;
  r->layer = calloc(n, sizeof *r->layer);
  r->update = calloc(n, sizeof *r->update);
  r->name = calloc(n, sizeof *r->name);
  assert_true(r->layer && r->update && r->name);
  bez_rng shapes = bez_rng_make(seed, 1000000);
  for (unsigned l = 0; l < LAYERS; l++) {
    static const char *const names[LAYERS] = {"a", "b", "c"};
    bez_dtype dtype = types[bez_rng_below(&shapes, 4)];
    r->shape[l] = lengths[bez_rng_below(&shapes, sizeof lengths / sizeof *lengths)];
    r->out[l] = calloc(MOST_LEN, sizeof(double));
    r->first[l] = calloc(MOST_LEN, sizeof(double));
    assert_true(r->out[l] && r->first[l]);
    for (uint32_t i = 0; i < n; i++) {
      bez_rng rng = bez_rng_make(seed, i * LAYERS + l);
      void *data = calloc(r->shape[l], sizeof(double));
      assert_non_null(data);
      for (size_t c = 0; c < r->shape[l]; c++) put(dtype, data, c, draw(&rng, seed % 3 == 0));
      r->layer[i][l] = (bez_layer){.name = names[l], .dtype = dtype, .n_dims = 1, .shape = &r->shape[l], .data = data};
    }
  }
  for (uint32_t i = 0; i < n; i++) {
    snprintf(r->name[i], sizeof r->name[i], "%u", i);
    r->update[i] = (bez_update){.client = r->name[i], .n_layers = LAYERS, .layers = r->layer[i]};
  }
  return r;
}

static void destroy(federation *r) {
  for (unsigned l = 0; l < LAYERS; l++) {
    for (uint32_t i = 0; i < r->n; i++) free((void *)(uintptr_t)r->layer[i][l].data);
    free(r->out[l]);
    free(r->first[l]);
  }
  free(r->layer);
  free(r->update);
  free(r->name);
  free(r);
}

static void run_everywhere(federation *r, const char *rule, const char *pre, bool based) {
  static const uint32_t kernels[] = {BEZ_CPU_PLAIN, BEZ_CPU_AVX2, BEZ_CPU_AVX2 | BEZ_CPU_AVX512};
  static const unsigned threads[] = {1, 2, 3, 8};
  bez_verdict *verdict = calloc(r->n, sizeof *verdict), *first = calloc(r->n, sizeof *first);
  assert_true(verdict && first);
  for (unsigned v = 0; v < 12; v++) {
    bez_error err = {0};
    bez_aggregate_options o = {.rule = rule,
                               .pre = &pre,
                               .n_pre = pre != NULL,
                               .f = 1,
                               .reference = based ? r->update : NULL,
                               .threads = threads[(v + v / 4) % 4],
                               .cpu = kernels[v / 4],
                               .cpu_given = true};
    if (bez_aggregate(r->update, r->n, &o, r->out, verdict, &err) != BEZ_OK)
      fail_msg("%s, n = %u: %s: %s", rule, r->n, err.subject, err.message);
    for (unsigned l = 0; l < LAYERS; l++) {
      size_t bytes = r->shape[l] * bez_dtype_size(r->layer[0][l].dtype);
      if (!v) memcpy(r->first[l], r->out[l], bytes);
      if (memcmp(r->first[l], r->out[l], bytes) != 0)
        fail_msg("%s, n = %u, layer %u (%s): variant %u differs", rule, r->n, l, bez_dtype_name(r->layer[0][l].dtype),
                 v);
    }
    if (!v) memcpy(first, verdict, r->n * sizeof *first);
    for (uint32_t i = 0; i < r->n; i++)
      assert_true(first[i].weight == verdict[i].weight && first[i].distance == verdict[i].distance);
  }
  free(verdict);
  free(first);
}

static void same_bits_everywhere(void **state) {
  (void)state;
  static const uint32_t clients[] = {7, 8, 19, 31, 32, 33, 48, 64, 65};
  uint64_t seed = 1;
  for (size_t k = 0; k < sizeof clients / sizeof *clients; k++)
    for (size_t i = 0; i < bez_aggregator_count(); i++) {
      const bez_aggregator_info info = bez_aggregator_get(i);
      if (info.pre || info.stateful || !strcmp(info.name, "fltrust")) continue;
      if (clients[k] > 19 && (!strcmp(info.name, "smea") || !strcmp(info.name, "caf"))) continue; /* cubic, and more */
      federation *r = make(clients[k], seed);
      run_everywhere(r, info.name, seed % 4 == 1 ? "nnm" : NULL, seed % 2 == 0);
      destroy(r);
      seed++;
    }
}

/* Above 256 clients tiles are smaller. */
static void many_clients(void **state) {
  (void)state;
  static const char *const rules[] = {"trimmed-mean", "meamed", "multi-krum", "geometric-median"};
  for (size_t k = 0; k < sizeof rules / sizeof *rules; k++) {
    federation *r = make(300, 77 + k);
    run_everywhere(r, rules[k], NULL, k % 2 == 0);
    destroy(r);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(same_bits_everywhere), cmocka_unit_test(many_clients)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
