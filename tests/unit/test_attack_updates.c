/* Attacks on model updates: trials that every one must pass, and values worked out by hand. */
#include <math.h>

#include "attack/attack.h"
#include "base/rng.h"
#include "bezoar/aggregate.h"
#include "test.h"

enum { MOST = 64 * 40 };

typedef struct setup {
  const double *honest;
  size_t n, d, c;
  const char *params[3];
  uint64_t seed;
} setup;

static bez_status attack(const char *name, const setup *s, double *out, bez_error *err) {
  size_t n_params = 0;
  while (n_params < 3 && s->params[n_params]) n_params++;
  bez_update_attack_options o = {
      .attack = name, .n_malicious = s->c, .params = s->params, .n_params = n_params, .seed = s->seed};
  return bez_attack_updates(s->honest, s->n, s->d, &o, out, err);
}

static void craft(const char *name, const setup *s, double *out) {
  bez_error err = {0};
  bez_status st = attack(name, s, out, &err);
  if (st != BEZ_OK) fail_msg("%s: %s: %s", name, err.subject, err.message);
}

static void refuse(const char *name, const setup *s) {
  double out[MOST];
  bez_error err = {0};
  if (attack(name, s, out, &err) != BEZ_USAGE || !err.message[0]) fail_msg("%s was not refused", name);
}

static void fill(double *honest, size_t n, uint64_t seed, double centre) {
  bez_rng rng = bez_rng_make(seed, 1);
  for (size_t i = 0; i < n; i++) honest[i] = centre + bez_rng_normal(&rng);
}

static void is_near(double got, double wanted, double within) {
  if (!(fabs(got - wanted) <= within)) fail_msg("%.17g, not %.17g", got, wanted);
}

static bool unbounded(const char *name) {
  return !strcmp(name, "nan") || !strcmp(name, "infinity");
}

/* ---- trials ------------------------------------------------------------------------------------------------------ */

static void trial_shapes(const char *name) {
  static const size_t shapes[][3] = {{1, 1, 1}, {2, 1, 1}, {3, 1, 1}, {9, 7, 3}, {5, 40, 1}, {12, 2, 4}, {30, 5, 28}};
  double honest[30 * 40], out[MOST];
  for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++) {
    setup s = {.honest = honest, .n = shapes[k][0], .d = shapes[k][1], .c = shapes[k][2]};
    bez_error err = {0};
    fill(honest, s.n * s.d, k, .5);
    bez_status st = attack(name, &s, out, &err);
    if (st != BEZ_OK && !(st == BEZ_USAGE && err.message[0])) fail_msg("%s: %s", name, err.message);
    if (st != BEZ_OK && s.n >= 3 && s.n >= s.c + 2) fail_msg("%s: %s", name, err.message);
    for (size_t i = 0; i < s.c * s.d && st == BEZ_OK && !unbounded(name); i++) assert_true(isfinite(out[i]));
  }
}

static void trial_seeds(const char *name) {
  double honest[12 * 9], one[4 * 9], two[4 * 9];
  setup s = {.honest = honest, .n = 12, .d = 9, .c = 4, .seed = 7};
  fill(honest, 12 * 9, 3, .2);
  craft(name, &s, one);
  craft(name, &s, two);
  assert_memory_equal(one, two, sizeof one);
}

/* Equal updates leave no room to hide in; the largest numbers allowed do not overflow. */
static void trial_extremes(const char *name) {
  static const double value[] = {0, 1, -3.25, BEZ_UPDATE_MOST, -BEZ_UPDATE_MOST, 1e-300};
  double honest[6 * 5], out[2 * 5];
  for (size_t k = 0; k < sizeof value / sizeof *value; k++)
    for (int mixed = 0; mixed < 2; mixed++) {
      setup s = {.honest = honest, .n = 6, .d = 5, .c = 2};
      for (size_t i = 0; i < 30; i++) honest[i] = mixed && i % 4 == 1 ? -value[k] : value[k];
      craft(name, &s, out);
      for (size_t i = 0; i < 10 && !unbounded(name); i++) assert_true(isfinite(out[i]));
    }
}

static void trial_refusals(const char *name) {
  static const double bad[] = {NAN, INFINITY, -INFINITY, 2 * BEZ_UPDATE_MOST};
  double honest[6 * 5];
  fill(honest, 30, 1, 0);
  refuse(name, &(setup){.honest = honest, .n = 6, .d = 5, .c = 0});
  refuse(name, &(setup){.honest = honest, .n = 0, .d = 5, .c = 1});
  refuse(name, &(setup){.honest = honest, .n = 6, .d = 0, .c = 1});
  refuse(name, &(setup){.honest = honest, .n = 6, .d = 5, .c = SIZE_MAX / 4});
  refuse(name, &(setup){.honest = honest, .n = 6, .d = 5, .c = 1, .params = {"no-such-thing=1"}});
  refuse(name, &(setup){.honest = honest, .n = 6, .d = 5, .c = 1, .params = {"=1"}});
  for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
    honest[17] = bad[k];
    refuse(name, &(setup){.honest = honest, .n = 6, .d = 5, .c = 1});
  }
}

static void every_attack_passes_the_trials(void **state) {
  (void)state;
  size_t seen = 0;
  for (size_t k = 0; bez_attacks[k]; k++) {
    if (!bez_attacks[k]->craft) continue;
    const char *name = bez_attacks[k]->info.name;
    trial_shapes(name);
    trial_seeds(name);
    trial_extremes(name);
    trial_refusals(name);
    seen++;
  }
  assert_true(seen >= 13);
}

static void only_attacks_on_updates_are_taken(void **state) {
  (void)state;
  const double honest[] = {1};
  refuse("badnets", &(setup){.honest = honest, .n = 1, .d = 1, .c = 1});
  refuse("nothing", &(setup){.honest = honest, .n = 1, .d = 1, .c = 1});
  double out[1];
  bez_error err = {0};
  assert_int_equal(bez_attack_updates(honest, 1, 1, &(bez_update_attack_options){.n_malicious = 1}, out, &err),
                   BEZ_USAGE);
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

static const double three[] = {1, 2, 3, 2, 5, -4}; /* mean (3, 0), sd (√(8/3), √8) */

static void multiples_of_the_mean(void **state) {
  (void)state;
  double out[4];
  craft("sign-flip", &(setup){.honest = three, .n = 3, .d = 2, .c = 2, .params = {"scale=2"}}, out);
  assert_true(out[0] == -6 && out[1] == 0 && out[2] == -6 && out[3] == 0);
  craft("ipm", &(setup){.honest = three, .n = 3, .d = 2, .c = 1}, out);
  is_near(out[0], -.3, 1e-15);
  craft("ipm", &(setup){.honest = three, .n = 3, .d = 2, .c = 1, .params = {"tau=4"}}, out);
  assert_true(out[0] == -12);
  craft("model-replacement", &(setup){.honest = three, .n = 3, .d = 2, .c = 1, .params = {"eta=0.5"}}, out);
  assert_true(out[0] == -24); /* 4 clients, twice over */
}

/* The paper's own example: 24 of 50 clients, z = 1.43; the exact quantile of 24/26. */
static void alie_has_the_z_of_the_paper(void **state) {
  (void)state;
  double honest[26], out[24];
  for (size_t i = 0; i < 26; i++) honest[i] = i % 2 ? 2 : 0; /* mean 1, sd 1 */
  craft("alie", &(setup){.honest = honest, .n = 26, .d = 1, .c = 24}, out);
  is_near(1 - out[0], 1.4260768722728473, 1e-12);
  assert_memory_equal(out, out + 23, sizeof *out);
  craft("alie", &(setup){.honest = honest, .n = 26, .d = 1, .c = 1}, out);
  is_near(out[0], 1, 0); /* one alone hides nowhere */
  refuse("alie", &(setup){.honest = honest, .n = 10, .d = 1, .c = 11});
  refuse("alie", &(setup){.honest = honest, .n = 10, .d = 1, .c = 1, .params = {"z=1", "tau=1"}});
  craft("alie", &(setup){.honest = honest, .n = 10, .d = 1, .c = 11, .params = {"tau=1.5"}}, out);
  is_near(out[0], -.5, 1e-15);
  craft("alie", &(setup){.honest = three, .n = 3, .d = 2, .c = 1, .params = {"z=1"}}, out);
  is_near(out[0], 3 - sqrt(8. / 3), 1e-15);
  is_near(out[1], -sqrt(8), 1e-15);
}

static void pushes_end_where_the_bound_is_met(void **state) {
  (void)state;
  const double honest[] = {0, 0, 6}; /* mean 2, sd √8 */
  const char *deviation[] = {"deviation=std", "deviation=unit", "deviation=sign"};
  double out[1];
  for (size_t k = 0; k < 3; k++) {
    setup s = {.honest = honest, .n = 3, .d = 1, .c = 1, .params = {deviation[k]}};
    craft("min-max", &s, out); /* |6 − m| ≤ 6 */
    is_near(out[0], 0, 3e-5 * sqrt(8));
    craft("min-sum", &s, out); /* 3 (m − 2)² + 24 ≤ 72 */
    is_near(out[0], -2, 3e-5 * sqrt(8));
  }
  refuse("min-max", &(setup){.honest = honest, .n = 3, .d = 1, .c = 1, .params = {"deviation=none"}});
}

static double square(const double *a, const double *b, size_t d) {
  double sum = 0;
  for (size_t j = 0; j < d; j++) sum += (a[j] - b[j]) * (a[j] - b[j]);
  return sum;
}

/* On random updates: inside the bound, and near to it. */
static void pushes_keep_their_bounds(void **state) {
  (void)state;
  enum { N = 12, D = 30 };
  double honest[N * D], far[D], sum[D];
  for (uint64_t seed = 1; seed <= 20; seed++) {
    double pair = 0, most = 0, row = 0, total = 0;
    setup s = {.honest = honest, .n = N, .d = D, .c = 1};
    fill(honest, (size_t)N * D, seed, .3);
    craft("min-max", &s, far);
    craft("min-sum", &s, sum);
    for (size_t i = 0; i < N; i++) {
      double here = 0;
      for (size_t k = 0; k < N; k++) {
        double apart = square(honest + i * D, honest + k * D, D);
        pair = fmax(pair, apart);
        here += apart;
      }
      row = fmax(row, here);
      most = fmax(most, square(far, honest + i * D, D));
      total += square(sum, honest + i * D, D);
    }
    assert_true(most <= pair * (1 + 1e-12) && most >= pair * (1 - 1e-4));
    assert_true(total <= row * (1 + 1e-12) && total >= row * (1 - 1e-4));
  }
}

/* Krum itself, of the aggregation rules, takes the attackers' update, and it points away from the mean. */
static void fang_gets_past_krum(void **state) {
  (void)state;
  enum { N = 12, C = 5, D = 8 };
  int taken = 0;
  double all[(N + C) * D], result[D], mean[D] = {0};
  uint64_t shape[] = {D};
  for (uint64_t seed = 1; seed <= 10; seed++) {
    bez_layer layer[N + C];
    bez_update update[N + C];
    bez_verdict verdict[N + C];
    bez_error err = {0};
    void *out[] = {result};
    bool chosen = false;
    fill(all, (size_t)N * D, seed, .3);
    craft("fang-krum", &(setup){.honest = all, .n = N, .d = D, .c = C}, all + (size_t)N * D);
    for (size_t i = 0; i < N + C; i++) {
      layer[i] = (bez_layer){.name = "x", .data = all + i * D, .dtype = BEZ_DTYPE_F64, .n_dims = 1, .shape = shape};
      update[i] = (bez_update){.client = i < N ? "honest" : "attacker", .layers = &layer[i], .n_layers = 1};
    }
    bez_aggregate_options o = {.rule = "krum", .f = C};
    assert_ok(bez_aggregate(update, N + C, &o, out, verdict, &err));
    for (size_t i = N; i < N + C; i++) chosen = chosen || verdict[i].kept;
    if (fabs(all[(size_t)N * D]) < 1e-5) continue; /* no such update: the search gave up */
    assert_true(chosen);
    taken++;
    memset(mean, 0, sizeof mean);
    for (size_t i = 0; i < (size_t)N * D; i++) mean[i % D] += all[i];
    for (size_t j = 0; j < D; j++) assert_true(mean[j] * result[j] < 0);
  }
  assert_true(taken >= 8);
  refuse("fang-krum", &(setup){.honest = all, .n = 4, .d = D, .c = 3});
}

static void fang_stands_just_beyond_the_honest(void **state) {
  (void)state;
  const double honest[] = {1, -1, 2, 3, 4, -4}; /* columns of 3 × 2: mean 7/3 and −2/3 */
  double out[2 * 2];
  craft("fang-trimmed-mean", &(setup){.honest = honest, .n = 3, .d = 2, .c = 2, .seed = 5}, out);
  for (size_t i = 0; i < 4; i += 2) {
    assert_true(out[i] >= .5 && out[i] <= 1);        /* below the least of 1, 2, 4 */
    assert_true(out[i + 1] >= 3 && out[i + 1] <= 6); /* above the largest of −1, 3, −4 */
  }
  assert_true(out[0] != out[2] && out[1] != out[3]);
}

static void mimics_repeat_a_client(void **state) {
  (void)state;
  const double honest[] = {-1, .1, 10, 0, -1, -.1, 0, 0};
  double out[4];
  craft("mimic", &(setup){.honest = honest, .n = 4, .d = 2, .c = 2}, out);
  assert_memory_equal(out, honest + 2, 2 * sizeof *out);
  assert_memory_equal(out + 2, honest + 2, 2 * sizeof *out);
  craft("mimic", &(setup){.honest = honest, .n = 4, .d = 2, .c = 1, .params = {"client=2"}}, out);
  assert_memory_equal(out, honest + 4, 2 * sizeof *out);
  refuse("mimic", &(setup){.honest = honest, .n = 4, .d = 2, .c = 1, .params = {"client=4"}});
  refuse("mimic", &(setup){.honest = honest, .n = 4, .d = 2, .c = 1, .params = {"client=1.5"}});
}

static void noise_is_seeded_and_nested(void **state) {
  (void)state;
  enum { D = 600 };
  double honest[D], three_of[3 * D], one_of[D], other[D], sum = 0;
  fill(honest, D, 4, 1);
  craft("gaussian", &(setup){.honest = honest, .n = 1, .d = D, .c = 3, .seed = 5, .params = {"sigma=3"}}, three_of);
  craft("gaussian", &(setup){.honest = honest, .n = 1, .d = D, .c = 1, .seed = 5, .params = {"sigma=3"}}, one_of);
  craft("gaussian", &(setup){.honest = honest, .n = 1, .d = D, .c = 1, .seed = 6, .params = {"sigma=3"}}, other);
  assert_memory_equal(three_of, one_of, sizeof one_of);
  assert_memory_not_equal(one_of, other, sizeof one_of);
  assert_memory_not_equal(three_of, three_of + D, sizeof one_of);
  for (size_t j = 0; j < D; j++) sum += (one_of[j] - honest[j]) * (one_of[j] - honest[j]);
  assert_true(sum / D > 6 && sum / D < 12);
}

static void values_stand_where_they_should(void **state) {
  (void)state;
  const char *names[] = {"nan", "infinity", "huge"};
  double honest[3 * 50], out[2 * 50];
  fill(honest, 150, 9, 0);
  for (size_t k = 0; k < 3; k++) {
    setup s = {.honest = honest, .n = 3, .d = 50, .c = 2, .params = {"count=1"}};
    size_t odd = 0;
    craft(names[k], &s, out);
    for (size_t j = 0; j < 50; j++) odd += !(fabs(out[j]) < 100);
    assert_int_equal(odd, 1);
    assert_memory_equal(out, out + 50, 50 * sizeof *out);
    s.params[0] = NULL;
    craft(names[k], &s, out);
    for (size_t j = 0; j < 50; j++) {
      double mean = honest[j] + honest[50 + j] + honest[100 + j];
      assert_true(k ? mean * out[j] < 0 && fabs(out[j]) >= 3e38 : isnan(out[j]));
    }
  }
  refuse("nan", &(setup){.honest = honest, .n = 3, .d = 50, .c = 2, .params = {"count=51"}});
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_attack_passes_the_trials),
      cmocka_unit_test(only_attacks_on_updates_are_taken),
      cmocka_unit_test(multiples_of_the_mean),
      cmocka_unit_test(alie_has_the_z_of_the_paper),
      cmocka_unit_test(pushes_end_where_the_bound_is_met),
      cmocka_unit_test(pushes_keep_their_bounds),
      cmocka_unit_test(fang_gets_past_krum),
      cmocka_unit_test(fang_stands_just_beyond_the_honest),
      cmocka_unit_test(mimics_repeat_a_client),
      cmocka_unit_test(noise_is_seeded_and_nested),
      cmocka_unit_test(values_stand_where_they_should),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
