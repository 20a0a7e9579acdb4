/* Robust aggregation: rules against their definitions, known failures of other tools, hostile updates, sameness. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate/aggregator.h"
#include "base/cpu.h"
#include "base/rng.h"
#include "math/half.h"
#include "test.h"

enum { MOST = 40, D1 = 2100, D2 = 35 };

/* n clients with two layers, "w" (7 × 300) and "b" (35). */
typedef struct federation {
  uint32_t n;
  float *value[MOST][2], out[D1 + D2];
  bez_layer layer[MOST][2];
  bez_update update[MOST];
  char name[MOST][16];
  void *outs[2];
  bez_verdict verdict[MOST];
} federation;

static const uint64_t shape_w[] = {7, 300}, shape_b[] = {35};

static federation *make_round(uint32_t n, uint64_t seed, double centre, double spread) {
  federation *r = calloc(1, sizeof *r);
  assert_non_null(r);
  r->n = n;
  for (uint32_t i = 0; i < n; i++) {
    bez_rng rng = bez_rng_make(seed, i);
    for (unsigned l = 0; l < 2; l++) {
      size_t len = l ? D2 : D1;
      r->value[i][l] = malloc(len * sizeof(float));
      assert_non_null(r->value[i][l]);
      for (size_t c = 0; c < len; c++) r->value[i][l][c] = (float)(centre + spread * bez_rng_normal(&rng));
    }
    r->layer[i][0] = (bez_layer){.name = "w", .n_dims = 2, .shape = shape_w, .data = r->value[i][0]};
    r->layer[i][1] = (bez_layer){.name = "b", .n_dims = 1, .shape = shape_b, .data = r->value[i][1]};
    snprintf(r->name[i], sizeof r->name[i], "client-%02u", i);
    r->update[i] = (bez_update){.client = r->name[i], .n_layers = 2, .layers = r->layer[i]};
  }
  r->outs[0] = r->out;
  r->outs[1] = r->out + D1;
  return r;
}

static void free_round(federation *r) {
  for (uint32_t i = 0; i < r->n; i++)
    for (unsigned l = 0; l < 2; l++) free(r->value[i][l]);
  free(r);
}

static float at(const federation *r, uint32_t client, size_t c) {
  return c < D1 ? r->value[client][0][c] : r->value[client][1][c - D1];
}

static void set_client(federation *r, uint32_t client, float value) {
  for (size_t c = 0; c < D1; c++) r->value[client][0][c] = value;
  for (size_t c = 0; c < D2; c++) r->value[client][1][c] = value;
}

static bez_aggregate_options options_of(const char *rule, uint32_t f) {
  return (bez_aggregate_options){.rule = rule, .f = f, .threads = 2};
}

static bez_status aggregate(federation *r, const bez_aggregate_options *o, bez_error *err) {
  *err = (bez_error){0};
  for (size_t c = 0; c < D1 + D2; c++) r->out[c] = NAN;
  return bez_aggregate(r->update, r->n, o, r->outs, r->verdict, err);
}

static void run_ok(federation *r, const bez_aggregate_options *o) {
  bez_error err;
  if (aggregate(r, o, &err) != BEZ_OK) fail_msg("%s: %s: %s", o->rule, err.subject, err.message);
  for (size_t c = 0; c < D1 + D2; c++)
    if (!isfinite(r->out[c])) fail_msg("%s: coordinate %zu is not finite", o->rule, c);
}

static size_t list_rules(bool pre, const char **names) {
  size_t n = 0;
  for (size_t i = 0; i < bez_aggregator_count(); i++)
    if (bez_aggregator_get(i).pre == pre && !bez_aggregator_get(i).stateful &&
        strcmp(bez_aggregator_get(i).name, "fltrust") != 0)
      names[n++] = bez_aggregator_get(i).name;
  return n;
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* ---- definitions ------------------------------------------------------------------------------------------------ */

static void coordinate_rules(void **state) {
  (void)state;
  for (uint32_t n = 5; n < 36; n += 5) {
    federation *r = make_round(n, n, 1, 2);
    uint32_t f = (n - 1) / 3;
    for (int rule = 0; rule < 2; rule++) {
      bez_aggregate_options o = options_of(rule ? "median" : "trimmed-mean", f);
      run_ok(r, &o);
      for (size_t c = 0; c < D1 + D2; c++) {
        double v[MOST], sum = 0;
        for (uint32_t i = 0; i < n; i++) v[i] = at(r, i, c);
        qsort(v, n, sizeof *v, ascending);
        uint32_t cut = rule ? (n - 1) / 2 : f;
        for (uint32_t k = cut; k < n - cut; k++) sum += v[k];
        assert_true(fabs(r->out[c] - sum / (n - 2 * cut)) < 1e-6);
      }
    }
    free_round(r);
  }
}

static void krum_takes_the_crowded_one(void **state) {
  (void)state;
  federation *r = make_round(12, 3, 0, 1);
  double best = INFINITY;
  uint32_t winner = 0;
  for (uint32_t i = 0; i < 12; i++) {
    double d[MOST], sum = 0;
    uint32_t m = 0;
    for (uint32_t j = 0; j < 12; j++) {
      if (j == i) continue;
      d[m] = 0;
      for (size_t c = 0; c < D1 + D2; c++) d[m] += pow((double)at(r, i, c) - at(r, j, c), 2);
      m++;
    }
    qsort(d, m, sizeof *d, ascending);
    for (uint32_t k = 0; k < 12 - 3 - 2; k++) sum += d[k];
    if (sum < best) winner = i;
    if (sum < best) best = sum;
  }
  bez_aggregate_options o = options_of("krum", 3);
  run_ok(r, &o);
  for (size_t c = 0; c < D1 + D2; c++) assert_true(r->out[c] == at(r, winner, c));
  for (uint32_t i = 0; i < 12; i++) assert_int_equal(r->verdict[i].kept, i == winner);
  assert_true(fabs(r->verdict[winner].score / best - 1) < 1e-6);
  free_round(r);
}

/* ---- the failures of others ------------------------------------------------------------------------------------- */

static void one_nan_client_is_left_out(void **state) {
  (void)state;
  static const float odd[] = {NAN, INFINITY, -INFINITY};
  const char *names[64];
  size_t count = list_rules(false, names);
  for (size_t k = 0; k < count; k++)
    for (size_t w = 0; w < 3; w++) {
      federation *r = make_round(19, 5, 0, 1);
      bez_aggregate_options o = options_of(names[k], 3);
      r->value[4][w == 1][17] = odd[w];
      run_ok(r, &o);
      assert_false(r->verdict[4].kept);
      assert_int_equal(r->verdict[4].reason, BEZ_NOT_FINITE);
      o.f = 0; /* nobody was expected to misbehave */
      bez_error err;
      assert_int_equal(aggregate(r, &o, &err), BEZ_USAGE);
      free_round(r);
    }
}

/* Every rule with a tolerance holds while f attackers go to any length. */
/* First numbers are looked at beforehand, others when the rule's pass meets them: either way the right ones are named,
 * whatever the names' order, and the rest is aggregated as if they had not been there. */
static void wherever_a_nan_lies_its_client_is_named(void **state) {
  (void)state;
  static const size_t places[][2] = {{0, 0}, {0, 2099}, {2099, 2099}, {1500, 1030}};
  static const char *const rules[] = {"trimmed-mean", "krum", "mean", "geometric-median"};
  for (size_t k = 0; k < sizeof places / sizeof *places * 4; k++) {
    federation *r = make_round(11, 5, 0, 1);
    bez_aggregate_options o = options_of(rules[k % 4], 3);
    o.threads = 1 + (unsigned)k % 3;
    r->value[2][0][places[k / 4][0]] = NAN;
    r->value[7][0][places[k / 4][1]] = INFINITY;
    run_ok(r, &o);
    for (uint32_t i = 0; i < 11; i++) assert_int_equal(r->verdict[i].reason == BEZ_NOT_FINITE, i == 2 || i == 7);
    for (size_t c = 0; c < D1 + D2; c++) assert_true(isfinite(r->out[c]));
    free_round(r);
  }
}

static void far_attackers_do_not_matter(void **state) {
  (void)state;
  const char *names[64];
  size_t count = list_rules(false, names);
  for (size_t k = 0; k < count; k++) {
    if (!strcmp(names[k], "mean")) continue;
    for (int power = 6; power < 39; power += 8) {
      const double scale = pow(10, power);
      federation *r = make_round(19, 6, 1, .1);
      bez_aggregate_options o = options_of(names[k], 4);
      for (uint32_t i = 0; i < 4; i++) set_client(r, i, (float)fmin(scale, 3e38));
      run_ok(r, &o);
      for (size_t c = 0; c < D1 + D2; c++)
        if (!(fabs((double)r->out[c] - 1) < 1)) fail_msg("%s at %g: %g", names[k], scale, (double)r->out[c]);
      free_round(r);
    }
  }
}

static void pre_aggregators_chain(void **state) {
  (void)state;
  const char *names[64], *pres[64];
  size_t count = list_rules(false, names), n_pre = list_rules(true, pres);
  for (size_t p = 0; p < n_pre; p++)
    for (size_t k = 0; k < count; k++) {
      federation *r = make_round(19, 6, 1, .1);
      bez_aggregate_options o = options_of(names[k], 2);
      const char *chain[] = {pres[p], "nnm"};
      o.pre = chain;
      o.n_pre = strcmp(pres[p], "bucketing") != 0 ? 2 : 1;
      set_client(r, 3, 1e12f);
      bez_error err;
      bez_status st = aggregate(r, &o, &err);
      if (st != BEZ_OK && !strcmp(pres[p], "bucketing"))
        assert_non_null(strstr(err.message, "needs at least"));
      else if (st != BEZ_OK)
        fail_msg("%s after %s: %s", names[k], pres[p], err.message);
      if (st == BEZ_OK && strcmp(names[k], "mean") != 0)
        for (size_t c = 0; c < D1 + D2; c++)
          if (!(fabs(r->out[c] - 1) < 1.5)) fail_msg("%s after %s: %g", names[k], pres[p], (double)r->out[c]);
      free_round(r);
    }
}

static void counts_are_not_taken_on_trust(void **state) {
  (void)state;
  federation *r = make_round(10, 8, 0, 1);
  bez_aggregate_options o = options_of("mean", 2);
  o.weights = BEZ_WEIGHTS_DECLARED;
  for (uint32_t i = 0; i < 10; i++) r->update[i].n_examples = 100;
  r->update[3].n_examples = 1e9;
  run_ok(r, &o);
  assert_true(r->verdict[3].weight <= 1. / 8 + 1e-9);
  o.max_weight = .3;
  run_ok(r, &o);
  assert_true(fabs(r->verdict[3].weight - .3) < 1e-6);
  r->update[5].n_examples = -1;
  bez_error err;
  assert_int_equal(aggregate(r, &o, &err), BEZ_USAGE);
  assert_string_equal(err.subject, "client-05");
  free_round(r);
}

static void shares_are_rounded_rightly(void **state) {
  (void)state;
  federation *r = make_round(20, 9, 0, 1);
  bez_parameter beta = {"beta", .15};
  bez_aggregate_options o = options_of("trimmed-mean", 0), by_f = options_of("trimmed-mean", 3);
  float kept[D1 + D2];
  o.parameters = &beta;
  o.n_parameters = 1;
  run_ok(r, &o);
  memcpy(kept, r->out, sizeof kept);
  run_ok(r, &by_f);
  assert_memory_equal(kept, r->out, sizeof kept);
  beta.value = .5;
  bez_error err;
  assert_int_equal(aggregate(r, &o, &err), BEZ_USAGE);
  beta.name = "gamma";
  assert_int_equal(aggregate(r, &o, &err), BEZ_USAGE);
  assert_string_equal(err.subject, "gamma");
  free_round(r);
}

static void small_deltas_on_large_weights(void **state) {
  (void)state;
  federation *r = make_round(3 + 4, 10, 10, 1e-4), *base = make_round(1, 11, 10, 0);
  bez_aggregate_options o = options_of("krum", 2);
  o.reference = base->update;
  run_ok(r, &o);
  uint32_t winner = 0;
  while (!r->verdict[winner].kept) winner++;
  double d[MOST], sum = 0;
  uint32_t m = 0;
  for (uint32_t j = 0; j < r->n; j++) {
    if (j == winner) continue;
    d[m] = 0;
    for (size_t c = 0; c < D1 + D2; c++) d[m] += pow((double)at(r, winner, c) - at(r, j, c), 2);
    m++;
  }
  qsort(d, m, sizeof *d, ascending);
  for (uint32_t k = 0; k < r->n - 4; k++) sum += d[k];
  assert_true(fabs(r->verdict[winner].score / sum - 1) < 1e-6);
  free_round(base);
  free_round(r);
}

/* Sybils send one vector; over rounds the honest ones go their own ways. */
static void states_last_from_round_to_round(void **state) {
  (void)state;
  bez_aggregate_options o = options_of("foolsgold", 4), cc = options_of("centered-clipping", 4);
  bez_aggregate_state *votes = bez_aggregate_state_create(), *centre = bez_aggregate_state_create();
  bez_parameter tau = {"tau", 5};
  o.state = votes;
  cc.state = centre;
  cc.parameters = &tau;
  cc.n_parameters = 1;
  double before = 1e9;
  for (uint64_t turn = 0; turn < 8; turn++) {
    federation *r = make_round(19, 40 + turn, 1, 3);
    for (uint32_t i = 0; i < 4; i++) set_client(r, i, 50);
    run_ok(r, &o);
    for (uint32_t i = 0; i < 19; i++) assert_int_equal(r->verdict[i].kept, i >= 4);
    assert_int_equal(bez_aggregate_state_count(votes), 19);
    run_ok(r, &cc);
    double off = 0; /* comes nearer to the honest mean, 1, round by round */
    for (size_t c = 0; c < D1 + D2; c++) off += (r->out[c] - 1.) * (r->out[c] - 1.);
    assert_true(off < before);
    before = off;
    bez_error err;
    r->value[7][0][0] = NAN; /* fails: nothing is remembered of it */
    cc.f = 0;
    assert_int_equal(aggregate(r, &cc, &err), BEZ_USAGE);
    cc.f = 4;
    free_round(r);
  }
  bez_aggregate_state *copy = bez_aggregate_state_create();
  bez_error err = {0};
  for (size_t i = 0; i < bez_aggregate_state_count(centre); i++)
    assert_int_equal(bez_aggregate_state_put(copy, bez_aggregate_state_get(centre, i), &err), BEZ_OK);
  federation *r = make_round(19, 77, 1, 3);
  float first[D1 + D2];
  run_ok(r, &cc);
  memcpy(first, r->out, sizeof first);
  cc.state = copy;
  run_ok(r, &cc);
  assert_memory_equal(first, r->out, sizeof first);
  cc.state = NULL;
  assert_int_equal(aggregate(r, &cc, &err), BEZ_USAGE);
  free_round(r);
  bez_aggregate_state_destroy(votes);
  bez_aggregate_state_destroy(centre);
  bez_aggregate_state_destroy(copy);
}

/* The server's own update decides, at any number of attackers. */
static void the_root_decides(void **state) {
  (void)state;
  federation *r = make_round(9, 50, 1, .5), *root = make_round(1, 51, 1, .5);
  bez_aggregate_options o = options_of("fltrust", 5);
  for (uint32_t i = 0; i < 5; i++) set_client(r, i, -1e20f);
  o.root = root->update;
  run_ok(r, &o);
  for (uint32_t i = 0; i < 9; i++) assert_int_equal(r->verdict[i].reason, i < 5 ? BEZ_OPPOSED : BEZ_KEPT);
  for (size_t c = 0; c < D1 + D2; c++) assert_true(fabs((double)r->out[c] - 1) < 1.5);
  for (uint32_t i = 0; i < 9; i++) set_client(r, i, -1);
  bez_error err;
  assert_int_equal(aggregate(r, &o, &err), BEZ_USAGE);
  o.root = NULL;
  assert_int_equal(aggregate(r, &o, &err), BEZ_USAGE);
  free_round(r);
  free_round(root);
}

/* ---- sameness ---------------------------------------------------------------------------------------------------- */

static void threads_kernels_and_order_do_not_matter(void **state) {
  (void)state;
  static const unsigned threads[] = {1, 2, 3, 8};
  static const uint32_t kernels[] = {BEZ_CPU_PLAIN, BEZ_CPU_AVX2, BEZ_CPU_AVX2 | BEZ_CPU_AVX512};
  const char *names[64];
  size_t count = list_rules(false, names);
  for (size_t k = 0; k < count; k++) {
    federation *r = make_round(19, 12, 0, 1);
    float first[D1 + D2];
    const char *pre[] = {"nnm"};
    for (size_t p = 0; p < 2; p++) {
      bez_aggregate_options o = options_of(names[k], 4);
      o.pre = pre;
      o.n_pre = p;
      o.cpu_given = true;
      for (size_t v = 0; v < 12; v++) {
        o.threads = threads[v % 4];
        o.cpu = kernels[v / 4];
        run_ok(r, &o);
        if (!v) memcpy(first, r->out, sizeof first);
        assert_memory_equal(first, r->out, sizeof first);
      }
      for (uint32_t i = 0; i < 9; i++) { /* back to front */
        bez_update swap = r->update[i];
        r->update[i] = r->update[18 - i];
        r->update[18 - i] = swap;
      }
      run_ok(r, &o);
      for (size_t c = 0; c < D1 + D2; c++)
        if (!(fabsf(first[c] - r->out[c]) <= 1.2e-7f * fabsf(first[c])))
          fail_msg("%s (%zu before it) depends on the order of the clients: %.9g, %.9g", names[k], p, (double)first[c],
                   (double)r->out[c]);
    }
    free_round(r);
  }
}

static void inputs_stay_as_they_are(void **state) {
  (void)state;
  const char *names[64];
  size_t count = list_rules(false, names);
  federation *r = make_round(19, 13, 0, 1), *copy = make_round(19, 13, 0, 1);
  for (size_t k = 0; k < count; k++) {
    const char *pre[] = {"arc", "clipping"};
    bez_aggregate_options o = options_of(names[k], 4);
    o.pre = pre;
    o.n_pre = 2;
    run_ok(r, &o);
  }
  for (uint32_t i = 0; i < 19; i++) assert_memory_equal(r->value[i][0], copy->value[i][0], D1 * sizeof(float));
  free_round(r);
  free_round(copy);
}

/* ---- types, strides, layers ------------------------------------------------------------------------------------- */

static void strides_types_and_integers(void **state) {
  (void)state;
  static const uint64_t shape[] = {3, 2}, one[] = {1};
  static const int64_t turned[] = {1, 3};
  double wide[5][6];
  uint16_t half[5][6];
  int32_t step[5];
  bez_layer layers[5][3];
  bez_update updates[5];
  double out_wide[6];
  uint16_t out_half[6];
  int32_t out_step;
  void *out[] = {out_wide, out_half, &out_step};
  bez_error err = {0};
  bez_aggregate_options o = options_of("median", 2);
  for (int i = 0; i < 5; i++) {
    for (int c = 0; c < 6; c++) wide[i][c] = 10. * c + i;
    for (int c = 0; c < 6; c++) half[i][c] = bez_float_half((float)(c - i));
    step[i] = i == 4 ? INT32_MAX : -i;
    layers[i][0] = (bez_layer){
        .name = "f64", .dtype = BEZ_DTYPE_F64, .n_dims = 2, .shape = shape, .strides = turned, .data = wide[i]};
    layers[i][1] = (bez_layer){.name = "f16", .dtype = BEZ_DTYPE_F16, .n_dims = 2, .shape = shape, .data = half[i]};
    layers[i][2] = (bez_layer){.name = "step", .dtype = BEZ_DTYPE_I32, .n_dims = 1, .shape = one, .data = &step[i]};
    updates[i] = (bez_update){.client = "c", .n_layers = 3, .layers = layers[i]};
  }
  assert_int_equal(bez_aggregate(updates, 5, &o, out, NULL, &err), BEZ_OK);
  for (int y = 0; y < 3; y++)
    for (int x = 0; x < 2; x++) assert_true(out_wide[y * 2 + x] == 10. * (x * 3 + y) + 2);
  for (int c = 0; c < 6; c++) assert_true(bez_half_float(out_half[c]) == (float)(c - 2));
  assert_int_equal(out_step, -1);
  o.integers = BEZ_INTEGERS_MAXIMUM;
  assert_int_equal(bez_aggregate(updates, 5, &o, out, NULL, &err), BEZ_OK);
  assert_int_equal(out_step, INT32_MAX);
}

static void misfits_are_named(void **state) {
  (void)state;
  static const uint64_t shape_x[] = {300, 7};
  bez_error err;
  federation *r = make_round(7, 14, 0, 1);
  bez_aggregate_options o = options_of("median", 2);
  r->layer[5][0].shape = shape_x;
  assert_int_equal(aggregate(r, &o, &err), BEZ_USAGE);
  assert_string_equal(err.subject, "client-05");
  assert_non_null(strstr(err.message, "\"w\" has shape [300 7], expected [7 300]"));
  r->layer[5][0].shape = shape_w;
  r->layer[2][1].name = "c";
  assert_int_equal(aggregate(r, &o, &err), BEZ_USAGE);
  assert_string_equal(err.subject, "client-02");
  r->layer[2][1].name = "b";
  r->layer[0][1].dtype = BEZ_DTYPE_I32;
  assert_int_equal(aggregate(r, &o, &err), BEZ_USAGE);
  assert_string_equal(err.subject, "client-00");
  r->layer[0][1].dtype = BEZ_DTYPE_F32;
  o.f = 4;
  assert_int_equal(aggregate(r, &o, &err), BEZ_USAGE);
  assert_non_null(strstr(err.message, "needs at least 9 updates for f = 4; there are 7"));
  o.rule = "medain";
  assert_int_equal(aggregate(r, &o, &err), BEZ_USAGE);
  free_round(r);
}

/* All halves there and back; rounding of floats between two of them. */
static void halves(void **state) {
  (void)state;
  for (uint32_t h = 0; h < 65536; h++) {
    float x = bez_half_float((uint16_t)h);
    if (isnan(x)) continue;
    assert_int_equal(bez_float_half(x), h);
    assert_int_equal(bez_float_bfloat(bez_bfloat_float((uint16_t)h)),
                     isnan(bez_bfloat_float((uint16_t)h)) ? bez_float_bfloat(bez_bfloat_float((uint16_t)h)) : h);
  }
  assert_int_equal(bez_float_half(65520), 0x7c00);
  assert_int_equal(bez_float_half(65519), 0x7bff);
  assert_int_equal(bez_float_half(0x1.002p0f), 0x3c00); /* a tie goes to the even one */
  assert_int_equal(bez_float_half(0x1.006p0f), 0x3c02);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(coordinate_rules),
      cmocka_unit_test(krum_takes_the_crowded_one),
      cmocka_unit_test(one_nan_client_is_left_out),
      cmocka_unit_test(wherever_a_nan_lies_its_client_is_named),
      cmocka_unit_test(far_attackers_do_not_matter),
      cmocka_unit_test(pre_aggregators_chain),
      cmocka_unit_test(counts_are_not_taken_on_trust),
      cmocka_unit_test(shares_are_rounded_rightly),
      cmocka_unit_test(small_deltas_on_large_weights),
      cmocka_unit_test(states_last_from_round_to_round),
      cmocka_unit_test(the_root_decides),
      cmocka_unit_test(threads_kernels_and_order_do_not_matter),
      cmocka_unit_test(inputs_stay_as_they_are),
      cmocka_unit_test(strides_types_and_integers),
      cmocka_unit_test(misfits_are_named),
      cmocka_unit_test(halves),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
