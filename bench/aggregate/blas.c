/* OpenBLAS, looked up at run time. */
#include "blas.h"

#include <dlfcn.h>
#include <string.h>

enum { ROW_MAJOR = 101, NO_TRANSPOSE = 111, UPPER = 121 };

/* A function's address as dlsym gives it. */
static bool find(const bench_blas *b, const char *name, void *function) {
  void *at = dlsym(b->library, name);
  memcpy(function, &at, sizeof at);
  return at != NULL;
}

bool bench_blas_open(const char *path, bench_blas *b) {
  *b = (bench_blas){.library = dlopen(path ? path : "libopenblas.so.0", RTLD_NOW | RTLD_LOCAL)};
  if (!b->library) return false;
  bool there = find(b, "cblas_ssyrk", &b->syrk) && find(b, "cblas_sgemm", &b->gemm) &&
               find(b, "openblas_set_num_threads", &b->set_threads) && find(b, "openblas_get_config", &b->config);
  if (!there) bench_blas_close(b);
  return there;
}

void bench_blas_close(bench_blas *b) {
  if (b->library) dlclose(b->library);
  *b = (bench_blas){0};
}

void bench_blas_gram(const bench_blas *b, const float *x, uint32_t n, uint64_t d, float *out) {
  b->syrk(ROW_MAJOR, UPPER, NO_TRANSPOSE, (int)n, (int)d, 1, x, (int)d, 0, out, (int)n);
}

void bench_blas_mix(const bench_blas *b, const float *w, const float *x, uint32_t n, uint64_t d, float *out) {
  b->gemm(ROW_MAJOR, NO_TRANSPOSE, NO_TRANSPOSE, (int)n, (int)d, (int)n, 1, w, (int)n, x, (int)d, 0, out, (int)d);
}
