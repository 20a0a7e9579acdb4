/* OpenBLAS, looked up at run time, for the rows that are measured against it. */
#ifndef BEZ_BENCH_BLAS_H
#define BEZ_BENCH_BLAS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct bench_blas {
  void *library;
  void (*syrk)(int order, int upper, int trans, int n, int k, float alpha, const float *a, int lda, float beta,
               float *c, int ldc);
  void (*gemm)(int order, int trans_a, int trans_b, int m, int n, int k, float alpha, const float *a, int lda,
               const float *b, int ldb, float beta, float *c, int ldc);
  void (*set_threads)(int n);
  char *(*config)(void);
} bench_blas;

bool bench_blas_open(const char *path, bench_blas *out); /* NULL: Debian's libopenblas; false: not there */
void bench_blas_close(bench_blas *blas);

/* n × n inner products of the rows of x (n × d); n × d product of w (n × n) with x. */
void bench_blas_gram(const bench_blas *blas, const float *x, uint32_t n, uint64_t d, float *out);
void bench_blas_mix(const bench_blas *blas, const float *w, const float *x, uint32_t n, uint64_t d, float *out);

#endif
