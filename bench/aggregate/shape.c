/* The rows of one shape: each measured in turn, every time after the floor, over and over; medians. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate/layout.h"
#include "base/cpu.h"
#include "bench.h"
#include "measure.h"

typedef enum work_kind { RULE, DISTANCES, GRAM, PRODUCT } work_kind;
typedef enum bar_name { NONE, SELECTION, VERDICTS, ODD, MEAMED, PAIRS, KRUM, BULYAN, NNM, MEDIAN } bar_name;
typedef enum odd_place { FINITE, FIRST, LAST } odd_place;

typedef struct work {
  const char *name;
  bar_name bar;
  work_kind kind;
  bench_call call;
  odd_place odd; /* where two of the clients have a NaN */
} work;

enum { W_TRIMMED, W_MEAMED = 8, W_DISTANCES, W_GRAM, W_PRODUCT, W_COUNT = 18 };

static const work works[W_COUNT] = {
    {"trimmed mean", SELECTION, .call = {"trimmed-mean"}},
    {"median", SELECTION, .call = {"median"}},
    {"trimmed mean, verdicts", VERDICTS, .call = {"trimmed-mean", .verdicts = true}},
    {"median, verdicts", VERDICTS, .call = {"median", .verdicts = true}},
    {"trimmed mean, verdicts, 2 clients with NaN first", ODD, .call = {"trimmed-mean", .verdicts = true}, .odd = FIRST},
    {"median, verdicts, 2 clients with NaN first", ODD, .call = {"median", .verdicts = true}, .odd = FIRST},
    {"trimmed mean, verdicts, 2 clients with NaN last", ODD, .call = {"trimmed-mean", .verdicts = true}, .odd = LAST},
    {"median, verdicts, 2 clients with NaN last", ODD, .call = {"median", .verdicts = true}, .odd = LAST},
    [W_MEAMED] = {"MeaMed", MEAMED, .call = {"meamed"}},
    [W_DISTANCES] = {"pairwise distances", PAIRS, .kind = DISTANCES},
    [W_GRAM] = {"OpenBLAS ssyrk", NONE, .kind = GRAM},
    [W_PRODUCT] = {"OpenBLAS sgemm n x n x d", NONE, .kind = PRODUCT},
    {"Krum", KRUM, .call = {"krum"}},
    {"Multi-Krum", KRUM, .call = {"multi-krum"}},
    {"Bulyan", BULYAN, .call = {"bulyan"}},
    {"NNM + trimmed mean", NNM, .call = {"trimmed-mean", "nnm"}},
    {"geometric median, 10 iterations", MEDIAN, .call = {"geometric-median"}},
    {"mean", NONE, .call = {"mean"}},
};

typedef struct measured {
  double wall[BENCH_MOST_ROUNDS], cpu[BENCH_MOST_ROUNDS], floor[BENCH_MOST_ROUNDS], floor_cpu[BENCH_MOST_ROUNDS];
  double seconds, floor_seconds; /* medians; 0: not measured */
} measured;

typedef struct shape {
  const bench_options *o;
  uint32_t f;
  bench_updates u;
  float *square, *product; /* what OpenBLAS writes to */
  measured m[W_COUNT];
} shape;

/* ---- one measurement -------------------------------------------------------------------------------------------- */

bool bench_run(const bench_call *call, const bench_updates *u, unsigned threads) {
  static const bez_parameter ten[] = {{"iterations", 10}, {"tolerance", 0}};
  const char *pre[] = {call->pre};
  bez_error err = {.line = -1, .offset = -1};
  const bool iterated = !strcmp(call->rule, "geometric-median");
  bez_aggregate_options o = {.rule = call->rule,
                             .pre = pre,
                             .n_pre = call->pre ? 1 : 0,
                             .f = call->f,
                             .parameters = ten,
                             .n_parameters = iterated ? 2 : 0,
                             .threads = threads};
  bez_verdict *verdicts = call->verdicts ? calloc(u->n, sizeof *verdicts) : NULL;
  bez_status st = bez_aggregate(u->update, u->n, &o, u->layer_out, verdicts, &err);
  free(verdicts);
  if (st != BEZ_OK) (void)fprintf(stderr, "%s: %s\n", call->rule, err.message);
  return st == BEZ_OK;
}

static bool run_distances(const bench_updates *u, unsigned threads) {
  bez_error err = {.line = -1, .offset = -1};
  bez_update_rows rows = {.threads = threads, .cpu = bez_cpu_features()};
  const bez_update **row = calloc(u->n, sizeof *row);
  double *distance = NULL;
  for (uint32_t i = 0; row && i < u->n; i++) row[i] = &u->update[i];
  bool done = row && bez_rows_make(u->update, row, u->n, NULL, NULL, 0, NULL, u->layer_out, &rows, &err) == BEZ_OK &&
              bez_rows_distances(&rows, &distance, &err) == BEZ_OK;
  bez_rows_free(&rows);
  free((void *)row);
  free(distance);
  return done;
}

static bool run(shape *s, const work *w) {
  bench_call call = w->call;
  bench_updates *u = &s->u;
  call.f = s->f;
  switch (w->kind) {
    case DISTANCES: return run_distances(u, s->o->threads);
    case GRAM: bench_blas_gram(s->o->blas, u->data, u->n, u->d, s->square); return true;
    case PRODUCT: bench_blas_mix(s->o->blas, s->square, u->data, u->n, u->d, s->product); return true;
    default: return bench_run(&call, u, s->o->threads);
  }
}

static bool measure(shape *s, const work *w, unsigned round, measured *m) {
  bench_updates *u = &s->u;
  const uint64_t at = w->odd == FIRST ? 0 : u->d - 1;
  float *const place[2] = {bench_update_of(u, 0) + at, bench_update_of(u, u->n / 2) + at};
  const float was[2] = {*place[0], *place[1]};
  bench_time start = bench_now();
  (void)bench_sum(u->run, (size_t)u->n * BENCH_LAYERS, u->piece, s->o->threads);
  bench_time took = bench_since(start);
  m->floor[round] = took.wall;
  m->floor_cpu[round] = took.cpu;
  if (w->odd != FINITE) *place[0] = *place[1] = NAN;
  start = bench_now();
  bool done = run(s, w);
  took = bench_since(start);
  if (w->odd != FINITE) {
    *place[0] = was[0];
    *place[1] = was[1];
  }
  m->wall[round] = took.wall;
  m->cpu[round] = took.cpu;
  return done;
}

static bool wanted(const shape *s, const work *w) {
  if ((w->kind == GRAM || w->kind == PRODUCT) && !s->o->blas) return false;
  return !s->o->only || strstr(w->name, s->o->only);
}

static bool measure_all(shape *s) {
  for (unsigned round = 0; round <= s->o->rounds; round++) /* the first one warms up and does not count */
    for (unsigned k = 0; k < W_COUNT; k++)
      if (wanted(s, &works[k]) && !measure(s, &works[k], round ? round - 1 : 0, &s->m[k])) return false;
  for (unsigned k = 0; k < W_COUNT; k++) {
    measured *m = &s->m[k];
    if (!wanted(s, &works[k])) continue;
    m->seconds = bench_median(m->wall, s->o->rounds);
    m->floor_seconds = bench_median(m->floor, s->o->rounds);
  }
  return true;
}

/* ---- what was asked --------------------------------------------------------------------------------------------- */

typedef struct bar {
  const char *text;
  double seconds; /* 0: nothing to hold against, or the row it is made of was not measured */
} bar;

static double sum_of(double a, double b) {
  return a > 0 && b > 0 ? a + b : 0;
}

/* Of many clients 3 x floor are asked without verdicts; what is asked with verdicts is less than that, and so not
 * meant for them. */
static bar bar_of(const shape *s, unsigned k) {
  const measured *m = s->m;
  const double floor = m[k].floor_seconds, distances = m[W_DISTANCES].seconds;
  const bool many = s->u.n > 32;
  switch (works[k].bar) {
    case SELECTION: return many ? (bar){"3 x floor", 3 * floor} : (bar){"1.25 x floor", 1.25 * floor};
    case VERDICTS: return many ? (bar){"", 0} : (bar){"1.6 x floor", 1.6 * floor};
    case ODD: return many ? (bar){"", 0} : (bar){"2.2 x floor", 2.2 * floor};
    case MEAMED: return (bar){"3 x trimmed mean", 3 * m[W_TRIMMED].seconds};
    case PAIRS: return many ? (bar){"ssyrk / 0.7", m[W_GRAM].seconds / .7} : (bar){"2 x floor", 2 * floor};
    case KRUM: return (bar){"distances + 2 x floor", distances > 0 ? distances + 2 * floor : 0};
    case BULYAN: return (bar){"distances + MeaMed", sum_of(distances, m[W_MEAMED].seconds)};
    case NNM:
      return (bar){"distances + sgemm + trimmed mean",
                   sum_of(sum_of(distances, m[W_PRODUCT].seconds), m[W_TRIMMED].seconds)};
    case MEDIAN: return (bar){"25 x floor", 25 * floor};
    default: return (bar){"", 0};
  }
}

static void tell(const shape *s, unsigned k, json_t *rows) {
  const measured *m = &s->m[k];
  const double ratio = m->seconds / m->floor_seconds, cpu = bench_median(m->cpu, s->o->rounds);
  const double cpu_ratio = cpu / bench_median(m->floor_cpu, s->o->rounds);
  bar b = bar_of(s, k);
  bool met = m->seconds <= b.seconds;
  (void)printf("n=%-3u d=%-9llu %-50s %8.4f s  cpu %8.4f  floor %.4f  %6.2f x (cpu %.2f)", s->u.n,
               (unsigned long long)s->u.d, works[k].name, m->seconds, cpu, m->floor_seconds, ratio, cpu_ratio);
  if (b.seconds > 0) (void)printf("  %-32s %5.2f of it%s", b.text, m->seconds / b.seconds, met ? "" : "  MISSED");
  (void)printf("\n");
  json_t *row = json_pack("{s:s, s:i, s:i, s:I, s:f, s:f, s:f, s:f, s:s}", "work", works[k].name, "n", (int)s->u.n, "f",
                          (int)s->f, "d", (json_int_t)s->u.d, "seconds", m->seconds, "cpu_seconds", cpu,
                          "floor_seconds", m->floor_seconds, "ratio", ratio, "bar", b.text);
  (void)json_object_set_new(row, "cpu_ratio", json_real(cpu_ratio));
  (void)json_object_set_new(row, "bar_seconds", b.seconds > 0 ? json_real(b.seconds) : json_null());
  (void)json_object_set_new(row, "met", b.seconds > 0 ? json_boolean(met) : json_null());
  (void)json_array_append_new(rows, row);
}

bool bench_shape(const bench_options *o, uint32_t n, uint32_t f, uint64_t d, json_t *rows) {
  shape *s = calloc(1, sizeof *s);
  if (!s) return false;
  s->o = o;
  s->f = f;
  bool done = bench_updates_make(n, d, false, o->threads, &s->u);
  const size_t product = o->blas ? (size_t)n * s->u.d * sizeof(float) : 0;
  s->square = bench_alloc((size_t)n * n * sizeof(float));
  s->product = product ? bench_alloc(product) : NULL;
  done = done && s->square && (!product || s->product);
  if (!done) (void)fprintf(stderr, "no memory for %u updates of %llu\n", n, (unsigned long long)d);
  done = done && measure_all(s);
  for (unsigned k = 0; done && k < W_COUNT; k++)
    if (s->m[k].seconds > 0) tell(s, k, rows);
  bench_free(s->square, (size_t)n * n * sizeof(float));
  bench_free(s->product, product);
  bench_updates_free(&s->u);
  free(s);
  return done;
}
