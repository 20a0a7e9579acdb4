/* Our side of tab_peers.py: reads raw arrays, runs one kernel, writes raw answers, prints the best of some runs in
 * seconds.
 *
 *   tab_peer confident P.f32 LABEL.u32 ROWS CLASSES THREADS RUNS OUT.u32
 *   tab_peer knn X.f32 ROWS COLUMNS K THREADS RUNS OUT_INDEX.u32 OUT_DISTANCE.f32 */
#include <string.h>

#include "peer.h"

#include "base/cpu.h"
#include "fit/confident.h"
#include "fit/knn.h"

static void check(bez_status st, const bez_error *err) {
  if (st == BEZ_OK) return;
  fprintf(stderr, "tab_peer: %s\n", err->message);
  exit(2);
}

static double confident(char **a) {
  uint64_t n = strtoull(a[2], NULL, 10);
  uint32_t k = (uint32_t)strtoul(a[3], NULL, 10);
  unsigned threads = (unsigned)strtoul(a[4], NULL, 10);
  float *p = load(a[0], n * k * sizeof *p);
  uint32_t *label = load(a[1], n * sizeof *label), *suggested = malloc(n * sizeof *suggested);
  double *threshold = malloc(k * sizeof *threshold), best = 1e9;
  uint64_t *joint = malloc((size_t)k * k * sizeof *joint);
  bez_error err = {0};
  for (int run = atoi(a[5]); run > 0; run--) {
    double start = now();
    check(bez_confident_find(p, label, n, k, threads, threshold, joint, suggested, &err), &err);
    double took = now() - start;
    if (took < best) best = took;
  }
  store(a[6], suggested, n * sizeof *suggested);
  return best;
}

static double knn(char **a) {
  uint32_t n = (uint32_t)strtoul(a[1], NULL, 10), d = (uint32_t)strtoul(a[2], NULL, 10);
  uint32_t k = (uint32_t)strtoul(a[3], NULL, 10);
  unsigned threads = (unsigned)strtoul(a[4], NULL, 10);
  bez_points points = {.n = n, .n_num = d, .num = load(a[0], (size_t)n * d * sizeof(float))};
  uint32_t *index = malloc((size_t)n * k * sizeof *index);
  float *distance = malloc((size_t)n * k * sizeof *distance);
  double best = 1e9;
  bez_error err = {0};
  for (int run = atoi(a[5]); run > 0; run--) {
    double start = now();
    check(bez_knn_search(&points, &points, NULL, k, threads, bez_cpu_features(), index, distance, &err), &err);
    double took = now() - start;
    if (took < best) best = took;
  }
  store(a[6], index, (size_t)n * k * sizeof *index);
  store(a[7], distance, (size_t)n * k * sizeof *distance);
  return best;
}

int main(int argc, char **argv) {
  if (argc == 9 && !strcmp(argv[1], "confident")) {
    printf("%.6f\n", confident(argv + 2));
  } else if (argc == 10 && !strcmp(argv[1], "knn")) {
    printf("%.6f\n", knn(argv + 2));
  } else {
    fprintf(stderr, "usage: see the head of bench/peers/tab_peer.c\n");
    return 2;
  }
  return 0;
}
