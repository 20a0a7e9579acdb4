#include "detect/reference_two_sample.h"

#include <math.h>

#include "math/chi_square.h"
#include "math/tails.h"

#define EXPECTED_LEAST 5.0 /* rows of a cell of the G-test; rarer values are pooled */

static bez_pair_count total_of(const bez_pair_count *value, uint64_t n_values) {
  bez_pair_count sum = {0, 0};
  for (uint64_t i = 0; i < n_values; i++) {
    sum.a += value[i].a;
    sum.b += value[i].b;
  }
  return sum;
}

/* Kolmogorov-Smirnov; rows of one value step together, which keeps the test on the safe side. */
static void test_ordered(const bez_pair_count *value, uint64_t n_values, bez_pair_count total, bez_two_sample *out) {
  uint64_t a = 0, b = 0;
  for (uint64_t i = 0; i < n_values; i++) {
    a += value[i].a;
    b += value[i].b;
    double d = fabs((double)a / (double)total.a - (double)b / (double)total.b);
    if (d > out->effect) out->effect = d;
  }
  out->p = exp(bez_kolmogorov_log_sf(out->effect, (double)total.a, (double)total.b));
}

/* One cell of the G-test: 2·Σ observed·ln(observed/expected). */
static double g_term(double observed, double expected) {
  return observed > 0.0 ? 2.0 * observed * log(observed / expected) : 0.0;
}

typedef struct cells {
  double g, distance;
  uint64_t n;
} cells;

static void add_cell(cells *c, bez_pair_count v, bez_pair_count total) {
  double all = (double)v.a + (double)v.b, n = (double)total.a, m = (double)total.b;
  if (all <= 0.0) return;
  c->g += g_term((double)v.a, all * n / (n + m)) + g_term((double)v.b, all * m / (n + m));
  c->distance += 0.5 * fabs((double)v.a / n - (double)v.b / m);
  c->n++;
}

static void test_categories(const bez_pair_count *value, uint64_t n_values, bez_pair_count total, bez_two_sample *out) {
  bez_pair_count pooled = {0, 0};
  cells c = {0};
  double n = (double)total.a, m = (double)total.b, least = EXPECTED_LEAST * (n + m) / fmin(n, m);
  for (uint64_t i = 0; i < n_values; i++) {
    if ((double)(value[i].a + value[i].b) >= least) {
      add_cell(&c, value[i], total);
      continue;
    }
    pooled.a += value[i].a;
    pooled.b += value[i].b;
  }
  if ((double)(pooled.a + pooled.b) >= least) add_cell(&c, pooled, total);
  if (c.n < 2) return;
  out->effect = c.distance;
  out->p = exp(bez_chi_square_log_sf(c.g, (double)(c.n - 1)));
}

static double fisher_two_sided(uint64_t hits, uint64_t all, uint64_t marked, uint64_t n) {
  double upper = bez_hypergeometric_log_sf(hits, all, marked, n);
  double lower = bez_hypergeometric_log_sf(marked - hits, all, marked, all - n);
  return fmin(1.0, 2.0 * exp(fmin(upper, lower)));
}

static void test_jumps(const bez_pair_count *value, uint64_t n_values, bez_pair_count total, bez_two_sample *out) {
  uint64_t n_tests = 0;
  double best = 0.0;
  for (uint64_t i = 0; i < n_values; i++) {
    bez_pair_count v = value[i];
    if (v.a + v.b < BEZ_JUMP_ROWS) continue;
    n_tests++;
    double lift = (double)v.a / (double)total.a / (((double)v.b + 1.0) / (double)total.b);
    if (v.a < BEZ_JUMP_ROWS || lift < BEZ_JUMP_LIFT) continue;
    double log_p = bez_hypergeometric_log_sf(v.a, total.a + total.b, v.a + v.b, total.a);
    if (log_p >= best) continue;
    best = log_p;
    out->lift = lift;
    out->jump = i;
  }
  out->p_jump = fmin(1.0, exp(best) * (double)n_tests);
  if (n_tests == 0) out->p_jump = 1.0;
}

bez_two_sample bez_two_sample_test(const bez_pair_count *value, uint64_t n_values, bez_pair_count missing,
                                   bool ordered) {
  bez_two_sample out = {.p = 1.0, .p_missing = 1.0, .p_jump = 1.0};
  bez_pair_count total = total_of(value, n_values);
  uint64_t n = total.a + missing.a, m = total.b + missing.b;
  if (n == 0 || m == 0) return out;
  out.missing[0] = (double)missing.a / (double)n;
  out.missing[1] = (double)missing.b / (double)m;
  if (missing.a + missing.b > 0) out.p_missing = fisher_two_sided(missing.a, n + m, missing.a + missing.b, n);
  if (total.a == 0 || total.b == 0) return out;
  if (ordered) {
    test_ordered(value, n_values, total, &out);
  } else {
    test_categories(value, n_values, total, &out);
  }
  test_jumps(value, n_values, total, &out);
  return out;
}
