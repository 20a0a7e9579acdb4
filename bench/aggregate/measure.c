/* Clocks, memory and the floor. */
#include "measure.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

#include "base/large_pages.h"
#include "base/threads.h"
#include "bezoar/base.h"

/* ---- time ------------------------------------------------------------------------------------------------------- */

bench_time bench_now(void) {
  struct timespec t;
  struct rusage u;
  clock_gettime(CLOCK_MONOTONIC, &t);
  getrusage(RUSAGE_SELF, &u);
  return (bench_time){(double)t.tv_sec + (double)t.tv_nsec * 1e-9,
                      (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
                          (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1e-6};
}

bench_time bench_since(bench_time start) {
  bench_time now = bench_now();
  return (bench_time){now.wall - start.wall, now.cpu - start.cpu};
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

double bench_median(const double *values, unsigned n) {
  double sorted[BENCH_MOST_ROUNDS];
  if (n == 0 || n > BENCH_MOST_ROUNDS) return 0;
  memcpy(sorted, values, n * sizeof *values);
  qsort(sorted, n, sizeof *sorted, ascending);
  return (sorted[(n - 1) / 2] + sorted[n / 2]) / 2;
}

/* ---- the floor -------------------------------------------------------------------------------------------------- */

#define PIECE ((size_t)1 << 18) /* floats */

typedef struct floor_task {
  const float *const *run;
  size_t len, pieces; /* of a run */
  _Atomic uint64_t bits;
} floor_task;

/* Eight sums side by side, so that additions do not wait for each other. */
#define FLOOR_SUM(name, width, target)                                                                                 \
  target static float name(const float *x, size_t len) {                                                               \
    typedef float lanes __attribute__((vector_size(4 * (width)), aligned(4)));                                         \
    lanes sum[8] = {{0}};                                                                                              \
    size_t c = 0;                                                                                                      \
    float total = 0;                                                                                                   \
    for (; c + 8 * (width) <= len; c += 8 * (width))                                                                   \
      for (unsigned k = 0; k < 8; k++) sum[k] += *(const lanes *)(x + c + k * (width));                                \
    for (unsigned k = 0; k < 8; k++)                                                                                   \
      for (unsigned l = 0; l < (width); l++) total += sum[k][l];                                                       \
    for (; c < len; c++) total += x[c];                                                                                \
    return total;                                                                                                      \
  }

FLOOR_SUM(sum_plain, 4u, )
#if defined(__x86_64__)
FLOOR_SUM(sum_avx2, 8u, __attribute__((target("avx2"))))
FLOOR_SUM(sum_avx512, 16u, __attribute__((target("avx512f"))))
#endif

static float sum_piece(const float *x, size_t len) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) return sum_avx512(x, len);
  if (__builtin_cpu_supports("avx2")) return sum_avx2(x, len);
#endif
  return sum_plain(x, len);
}

static bez_status floor_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  floor_task *t = ctx;
  (void)worker, (void)err;
  size_t at = tile % t->pieces * PIECE, len = t->len - at < PIECE ? t->len - at : PIECE;
  union {
    double value;
    uint64_t bits;
  } sum = {.value = (double)sum_piece(t->run[tile / t->pieces] + at, len)};
  atomic_fetch_xor_explicit(&t->bits, sum.bits, memory_order_relaxed); /* so that no compiler leaves it out */
  return BEZ_OK;
}

double bench_sum(const float *const *run, size_t n, size_t len, unsigned threads) {
  floor_task t = {.run = run, .len = len, .pieces = (len + PIECE - 1) / PIECE};
  bez_error err = {.line = -1, .offset = -1};
  if (bez_parallel(n * t.pieces, threads, floor_tile, &t, &err) != BEZ_OK) return 0;
  return (double)t.bits;
}

/* ---- data ------------------------------------------------------------------------------------------------------- */

typedef struct fill_task {
  float *out;
  size_t len;
  uint64_t seed;
} fill_task;

static bez_status fill_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  const fill_task *t = ctx;
  (void)worker, (void)err;
  size_t at = tile * PIECE, end = t->len - at < PIECE ? t->len : at + PIECE;
  for (; at < end; at++) { /* one round of a 64-bit mixer per number */
    uint64_t x = (t->seed + at) * UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    t->out[at] = (float)(int32_t)(x >> 32) * 0x1p-31f;
  }
  return BEZ_OK;
}

void bench_fill(float *out, size_t len, uint64_t seed, unsigned threads) {
  fill_task t = {.out = out, .len = len, .seed = seed * UINT64_C(0x2545f4914f6cdd1d)};
  bez_error err = {.line = -1, .offset = -1};
  if (bez_parallel((len + PIECE - 1) / PIECE, threads, fill_tile, &t, &err) != BEZ_OK)
    memset(out, 0, len * sizeof *out);
}

void *bench_alloc(size_t bytes) {
  void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return NULL;
  bez_wish_large_pages(memory, bytes);
  memset(memory, 0, bytes);
  return memory;
}

void bench_free(void *memory, size_t bytes) {
  if (memory) munmap(memory, bytes);
}

/* ---- memory ----------------------------------------------------------------------------------------------------- */

struct bench_watch {
  pthread_t thread;
  _Atomic bool stop;
  double start, peak; /* MiB */
};

static double anonymous(void) {
  char line[256];
  double kib = 0;
  FILE *f = fopen("/proc/self/status", "r");
  while (f && fgets(line, sizeof line, f))
    if (!strncmp(line, "RssAnon:", 8)) kib = strtod(line + 8, NULL);
  if (f) (void)fclose(f);
  return kib / 1024;
}

static void *watch(void *arg) {
  bench_watch *w = arg;
  while (!atomic_load(&w->stop)) {
    double now = anonymous();
    if (now > w->peak) w->peak = now;
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
  }
  return NULL;
}

bench_watch *bench_watch_start(void) {
  bench_watch *w = calloc(1, sizeof *w);
  if (!w) return NULL;
  w->start = w->peak = anonymous();
  if (pthread_create(&w->thread, NULL, watch, w) == 0) return w;
  free(w);
  return NULL;
}

double bench_watch_stop(bench_watch *w) {
  if (!w) return -1;
  atomic_store(&w->stop, true);
  pthread_join(w->thread, NULL);
  double above = w->peak - w->start;
  free(w);
  return above;
}
