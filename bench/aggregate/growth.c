/* Memory beyond inputs and output, and how the cost grows with d and n. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench.h"
#include "measure.h"

static const bench_call rules[] = {{"trimmed-mean", .verdicts = true}, {"krum", .verdicts = true}};
#define N_RULES (sizeof rules / sizeof *rules)

/* ---- memory ----------------------------------------------------------------------------------------------------- */

static void tell_memory(const char *work, const char *where, uint64_t d, double mib, double most, double seconds,
                        json_t *rows) {
  (void)printf("n=20  d=%-9llu %-14s %-10s %8.1f MiB beyond inputs and output (at most %.0f)%s  %.2f s\n",
               (unsigned long long)d, work, where, mib, most, mib <= most ? "" : "  MISSED", seconds);
  (void)json_array_append_new(rows, json_pack("{s:s, s:s, s:i, s:I, s:f, s:f, s:b, s:f}", "work", work, "where", where,
                                              "n", 20, "d", (json_int_t)d, "mib", mib, "bar_mib", most, "met",
                                              mib <= most, "seconds", seconds));
}

static bool in_memory(const bench_options *o, const bench_updates *u, json_t *rows) {
  for (size_t r = 0; r < N_RULES; r++) {
    bench_call call = rules[r];
    call.f = 4;
    bench_watch *watch = bench_watch_start();
    bench_time start = bench_now();
    bool done = bench_run(&call, u, o->threads);
    double seconds = bench_since(start).wall, mib = bench_watch_stop(watch);
    if (!done) return false;
    tell_memory(call.rule, "in memory", u->d, mib, 64, seconds, rows);
  }
  return true;
}

enum { N_FILES = 4, N_NAMES = 20 };

/* Twenty names of four files: the pages are the same, the anonymous memory does not depend on that. */
static bool make_files(const char *folder, const bench_updates *u, char name[N_NAMES][512]) {
  for (unsigned i = 0; i < N_NAMES; i++) {
    bez_error err = {.line = -1, .offset = -1};
    (void)snprintf(name[i], sizeof name[i], "%s/client%u.safetensors", folder, i);
    (void)unlink(name[i]);
    bool done = i < N_FILES ? bez_tensors_write(name[i], u->update[i].layers, BENCH_LAYERS, &err) == BEZ_OK
                            : link(name[i % N_FILES], name[i]) == 0;
    if (!done) (void)fprintf(stderr, "%s: cannot be written: %s\n", name[i], err.message);
    if (!done) return false;
  }
  return true;
}

static bool from_files(const bench_options *o, uint64_t d, const char *const *path, const char *out, json_t *rows) {
  for (size_t r = 0; r < N_RULES; r++) {
    bez_aggregate_options options = {.rule = rules[r].rule, .f = 4, .threads = o->threads};
    bez_aggregate_files files = {0};
    bez_report *report = NULL;
    bez_error err = {.line = -1, .offset = -1};
    bench_watch *watch = bench_watch_start();
    bench_time start = bench_now();
    bez_status st = bez_aggregate_paths(path, N_NAMES, &options, &files, out, &report, &err);
    double seconds = bench_since(start).wall, mib = bench_watch_stop(watch);
    bez_report_destroy(report);
    if (st != BEZ_OK) (void)fprintf(stderr, "%s: %s\n", rules[r].rule, err.message);
    if (st != BEZ_OK) return false;
    tell_memory(rules[r].rule, "from files", d, mib - (double)d * sizeof(float) / 1048576, 256, seconds, rows);
  }
  return true;
}

bool bench_memory(const bench_options *o, json_t *rows) {
  bench_updates u;
  char name[N_NAMES][512], out[512];
  const char *path[N_NAMES];
  uint64_t d = (uint64_t)(1e8 * o->size);
  if (!bench_updates_make(N_NAMES, d, true, o->threads, &u)) return false;
  d = u.d;
  bool done = in_memory(o, &u, rows);
  const bool files = done && o->folder;
  if (files) done = make_files(o->folder, &u, name);
  bench_updates_free(&u);
  if (!files) return done;
  for (unsigned i = 0; i < N_NAMES; i++) path[i] = name[i];
  (void)snprintf(out, sizeof out, "%s/out.safetensors", o->folder);
  done = done && from_files(o, d, path, out, rows);
  for (unsigned i = 0; i < N_NAMES; i++) (void)unlink(name[i]);
  (void)unlink(out);
  return done;
}

/* ---- growth ----------------------------------------------------------------------------------------------------- */

#define MOST_POINTS 5u

typedef struct line {
  const char *over;
  unsigned count;
  uint32_t n[MOST_POINTS];
  double d[MOST_POINTS];
} line;

static const line lines[] = {{"d", 5, {20, 20, 20, 20, 20}, {1e6, 3e6, 1e7, 3e7, 1e8}},
                             {"n", 5, {10, 30, 100, 300, 1000}, {1e5, 1e5, 1e5, 1e5, 1e5}}};
static const bench_call grown[] = {{"trimmed-mean"}, {"median"}, {"meamed"}, {"krum"}, {"geometric-median"}};
#define N_GROWN (sizeof grown / sizeof *grown)

/* Least squares on logarithms. */
static double exponent(const double *x, const double *y, unsigned n) {
  double mx = 0, my = 0, xy = 0, xx = 0;
  for (unsigned i = 0; i < n; i++) {
    mx += log(x[i]) / n;
    my += log(y[i]) / n;
  }
  for (unsigned i = 0; i < n; i++) {
    xy += (log(x[i]) - mx) * (log(y[i]) - my);
    xx += (log(x[i]) - mx) * (log(x[i]) - mx);
  }
  return xx > 0 ? xy / xx : 0;
}

static bool time_call(const bench_options *o, const bench_updates *u, bench_call call, double *seconds) {
  double took[3];
  unsigned done = 0;
  call.f = u->n / 5;
  while (done < 3) {
    bench_time start = bench_now();
    if (!bench_run(&call, u, o->threads)) return false;
    took[done++] = bench_since(start).wall;
    if (took[done - 1] > 3) break; /* long ones are steady */
  }
  *seconds = bench_median(took, done);
  return true;
}

static bool grow(const bench_options *o, const line *along, json_t *rows) {
  double x[MOST_POINTS], y[N_GROWN][MOST_POINTS];
  for (unsigned k = 0; k < along->count; k++) {
    bench_updates u;
    uint64_t d = (uint64_t)(along->d[k] * o->size);
    const bool shared = along->n[k] <= BENCH_LAYERS;
    if (!bench_updates_make(along->n[k], d, shared, o->threads, &u)) return false;
    x[k] = along->over[0] == 'd' ? (double)u.d : (double)u.n;
    bool done = true;
    for (size_t r = 0; done && r < N_GROWN; r++) done = time_call(o, &u, grown[r], &y[r][k]);
    bench_updates_free(&u);
    if (!done) return false;
  }
  for (size_t r = 0; r < N_GROWN; r++) {
    json_t *points = json_array();
    double e = exponent(x, y[r], along->count);
    (void)printf("%-18s over %s:", grown[r].rule, along->over);
    for (unsigned k = 0; k < along->count; k++) {
      (void)printf("  %g: %.4f s", x[k], y[r][k]);
      (void)json_array_append_new(points, json_pack("[f, f]", x[k], y[r][k]));
    }
    (void)printf("  exponent %.2f\n", e);
    (void)json_array_append_new(rows, json_pack("{s:s, s:s, s:o, s:f}", "rule", grown[r].rule, "over", along->over,
                                                "points", points, "exponent", e));
  }
  return true;
}

bool bench_growth(const bench_options *o, json_t *rows) {
  return grow(o, &lines[0], rows) && grow(o, &lines[1], rows);
}
