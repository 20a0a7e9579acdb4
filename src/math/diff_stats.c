/* The reference kernel, the choice between kernels, and the spectrum. */
#include "math/diff_stats.h"

#include <math.h>

#include "base/cpu.h"
#include "base/rng.h"
#include "math/diff_stats_body.h"
#include "math/symeig.h"

#define K BEZ_DIFF_RANK
#define BLOCK BEZ_DENSE_LANES

double bez_diff_row_plain(float *a, const float *b, size_t n, float *columns, bez_diff_sums *sums) {
  return diff_row(a, b, n, columns, sums);
}

bez_diff_row_fn bez_diff_row_choose(uint32_t cpu) {
#if defined(__x86_64__)
  if (cpu & BEZ_CPU_AVX512) return bez_diff_row_avx512;
  if (cpu & BEZ_CPU_AVX2) return bez_diff_row_avx2;
#endif
  return bez_diff_row_plain;
}

void bez_diff_signs(uint64_t seed, uint32_t cols, float *signs) {
  for (uint32_t c = 0; c < cols; c++) {
    uint32_t word[4];
    bez_philox(seed, 0, c / 4, word);
    for (uint32_t k = 0; k < K; k++)
      signs[((size_t)(k / BLOCK) * cols + c) * BLOCK + k % BLOCK] = word[c % 4] >> k & 1 ? 1.f : -1.f;
  }
}

/* out (rows × 16, its rows `row` floats apart) = a · b, one block of 16 columns. */
static bez_dense product_of(const float *a, size_t a_row, size_t a_step, uint32_t rows, uint32_t depth, const float *b,
                            size_t b_step, float *out, size_t out_row) {
  return (bez_dense){.rows = rows,
                     .depth = depth,
                     .a = a,
                     .a_row = a_row,
                     .a_step = a_step,
                     .b = b,
                     .b_step = b_step,
                     .out = out,
                     .out_row = out_row};
}

void bez_diff_sketch_rows(bez_diff_sketch *s, bez_dense_fn dense, const float *d, uint32_t rows, uint32_t cols,
                          const float *signs, float *y, float *product) {
  for (uint32_t k = 0; k < K; k += BLOCK) {
    const bez_dense p = product_of(d, cols, 1, rows, cols, signs + (size_t)k * cols, BLOCK, y + k, K);
    dense(&p);
  }
  for (uint32_t k = 0; k < K; k += BLOCK) {
    const bez_dense p = product_of(d, 1, cols, cols, rows, y + k, K, product, BLOCK);
    float *z = s->z + (size_t)k * cols;
    dense(&p);
    for (size_t i = 0; i < (size_t)cols * BLOCK; i++) z[i] += product[i];
  }
  for (uint32_t r = 0; r < rows; r++, y += K)
    for (uint32_t i = 0; i < K; i++)
      for (uint32_t j = 0; j < K; j++) s->gram[i * K + j] += (double)y[i] * (double)y[j];
}

void bez_diff_sketch_add(bez_diff_sketch *s, const bez_diff_sketch *other, uint32_t cols) {
  for (size_t i = 0; i < (size_t)cols * K; i++) s->z[i] += other->z[i];
  for (size_t i = 0; i < sizeof s->gram / sizeof *s->gram; i++) s->gram[i] += other->gram[i];
}

/* ZᵀZ. */
static void gram_of(const float *z, uint32_t cols, double *h) {
  for (uint32_t i = 0; i < K * K; i++) h[i] = 0;
  for (uint32_t c = 0; c < cols; c++) {
    double row[K];
    for (uint32_t k = 0; k < K; k++) row[k] = (double)z[((size_t)(k / BLOCK) * cols + c) * BLOCK + k % BLOCK];
    for (uint32_t i = 0; i < K; i++)
      for (uint32_t j = 0; j < K; j++) h[i * K + j] += row[i] * row[j];
  }
}

/* out = vᵢᵀ·h·vⱼ / √(λᵢ·λⱼ) for the rows vᵢ of v; rows and columns whose λ is rounding alone are left 0. Floats tell
 * differences of 1e-7: what lies below 1e-8 of the largest in squares is noise over noise. */
static void whiten(const double *v, const double *lambda, const double *h, double *out) {
  double scaled[K * K], half[K * K];
  for (uint32_t i = 0; i < K; i++) {
    const double by = lambda[i] > 1e-8 * lambda[0] ? 1 / sqrt(lambda[i]) : 0;
    for (uint32_t j = 0; j < K; j++) scaled[i * K + j] = by * v[i * K + j];
  }
  for (uint32_t i = 0; i < K; i++)
    for (uint32_t j = 0; j < K; j++) {
      double sum = 0;
      for (uint32_t k = 0; k < K; k++) sum += scaled[i * K + k] * h[k * K + j];
      half[i * K + j] = sum;
    }
  for (uint32_t i = 0; i < K; i++)
    for (uint32_t j = 0; j < K; j++) {
      double sum = 0;
      for (uint32_t k = 0; k < K; k++) sum += half[i * K + k] * scaled[j * K + k];
      out[i * K + j] = sum;
    }
}

bool bez_diff_spectrum(const bez_diff_sketch *s, uint32_t cols, double squares[BEZ_DIFF_RANK]) {
  double v[K * K], h[K * K], core[K * K], lambda[K], scratch[K];
  for (uint32_t i = 0; i < K * K; i++) v[i] = s->gram[i];
  for (uint32_t i = 0; i < K; i++) squares[i] = 0;
  if (!bez_symeig(v, K, lambda, scratch)) return false;
  if (!(lambda[0] > 0)) return true;
  gram_of(s->z, cols, h);
  whiten(v, lambda, h, core);
  if (!bez_symeig(core, K, squares, scratch)) return false;
  for (uint32_t i = 0; i < K; i++) squares[i] = squares[i] > 0 ? squares[i] : 0;
  return true;
}
