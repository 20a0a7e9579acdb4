/* The benchmark of aggregation: `bench_aggregate --help`. Ratios to the floor, the time of a plain sum over the same
 * bytes measured in turn with each row. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/threads.h"
#include "bench.h"
#include "measure.h"

static const char usage[] =
    "usage: bench_aggregate [--json FILE] [--threads N] [--rounds N] [--only TEXT] [--size X] [--blas LIBRARY]\n"
    "                       [--folder FOLDER] [--shape n,f,d]... [--no-memory] [--no-growth]\n"
    "       bench_aggregate --data n,d FILE.npy   (the same numbers as n rows of d, for the peers)\n"
    "  --size X    X times the table's d; 0.001 is a trial\n"
    "  --folder    for the row about files: 2.1 GB at size 1\n";

typedef struct arguments {
  bench_options o;
  const char *json, *blas, *data;
  uint64_t shape[8][3];
  unsigned shapes;
  bool memory, growth;
} arguments;

static bool numbers(const char *text, uint64_t *out, unsigned n) {
  for (unsigned i = 0; text && i < n; i++) {
    char *end;
    out[i] = (uint64_t)strtod(text, &end);
    if (end == text || *end != (i + 1 < n ? ',' : 0)) return false;
    text = end + 1;
  }
  return text != NULL;
}

static bool parse_one(arguments *a, const char *name, const char *value) {
  const struct {
    const char *name, **text;
    unsigned *number;
  } known[] = {{"--json", &a->json, NULL},       {"--only", &a->o.only, NULL},       {"--blas", &a->blas, NULL},
               {"--folder", &a->o.folder, NULL}, {"--threads", NULL, &a->o.threads}, {"--rounds", NULL, &a->o.rounds}};
  if (!value) return false;
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    if (strcmp(name, known[i].name) != 0) continue;
    if (known[i].text) *known[i].text = value;
    if (known[i].number) *known[i].number = (unsigned)strtoul(value, NULL, 10);
    return true;
  }
  if (!strcmp(name, "--size")) a->o.size = strtod(value, NULL);
  if (!strcmp(name, "--shape")) return a->shapes < 8 && numbers(value, a->shape[a->shapes++], 3);
  return !strcmp(name, "--size");
}

static bool parse(int argc, char **argv, arguments *a) {
  for (int i = 1; i < argc; i++) {
    if (!strcmp(argv[i], "--no-memory"))
      a->memory = false;
    else if (!strcmp(argv[i], "--no-growth"))
      a->growth = false;
    else if (!parse_one(a, argv[i], i + 1 < argc ? argv[i + 1] : NULL))
      return false;
    else
      i++;
  }
  if (!a->shapes) {
    const uint64_t table[2][3] = {{20, 4, 10000000}, {100, 20, 1000000}};
    memcpy(a->shape, table, sizeof table);
    a->shapes = 2;
  }
  return a->o.threads > 0 && a->o.rounds > 0 && a->o.rounds <= BENCH_MOST_ROUNDS && a->o.size > 0;
}

/* n × d floats behind a header of NumPy's format, version 1.0. */
static int write_data(const char *shape, const char *path, unsigned threads) {
  uint64_t size[2];
  char header[128], text[128];
  bench_updates u;
  if (!numbers(shape, size, 2)) return fputs(usage, stderr), 2;
  if (!bench_updates_make((uint32_t)size[0], size[1], false, threads, &u)) return 1;
  (void)snprintf(text, sizeof text, "{'descr': '<f4', 'fortran_order': False, 'shape': (%u, %llu), }", u.n,
                 (unsigned long long)u.d);
  (void)snprintf(header, sizeof header, "%-117.117s\n", text);
  FILE *f = fopen(path, "wb");
  bool done = f && fwrite("\x93NUMPY\x01\x00\x76\x00", 1, 10, f) == 10 && fwrite(header, 1, 118, f) == 118 &&
              fwrite(u.data, 1, u.bytes, f) == u.bytes;
  if (f) done = fclose(f) == 0 && done;
  bench_updates_free(&u);
  return done ? 0 : 1;
}

static bool measure(const arguments *a, json_t *out) {
  json_t *rows = json_array(), *memory = json_array(), *growth = json_array();
  bool done = true;
  for (unsigned k = 0; done && k < a->shapes; k++)
    done = bench_shape(&a->o, (uint32_t)a->shape[k][0], (uint32_t)a->shape[k][1],
                       (uint64_t)((double)a->shape[k][2] * a->o.size), rows);
  if (done && a->memory) done = bench_memory(&a->o, memory);
  if (done && a->growth) done = bench_growth(&a->o, growth);
  (void)json_object_set_new(out, "rows", rows);
  (void)json_object_set_new(out, "memory", memory);
  (void)json_object_set_new(out, "growth", growth);
  return done;
}

int main(int argc, char **argv) {
  arguments a = {.o = {.threads = bez_cpu_count(), .rounds = 7, .size = 1}, .memory = true, .growth = true};
  if (argc == 4 && !strcmp(argv[1], "--data")) return write_data(argv[2], argv[3], a.o.threads);
  if (!parse(argc, argv, &a)) return fputs(usage, stderr), 2;
  bench_blas blas;
  if (bench_blas_open(a.blas, &blas)) {
    blas.set_threads((int)a.o.threads);
    a.o.blas = &blas;
  }
  json_t *out = json_pack("{s:i, s:i, s:s}", "threads", (int)a.o.threads, "rounds", (int)a.o.rounds, "blas",
                          a.o.blas ? blas.config() : "not there");
  bool done = measure(&a, out);
  if (a.json && json_dump_file(out, a.json, JSON_INDENT(1)) != 0) done = false;
  json_decref(out);
  if (a.o.blas) bench_blas_close(&blas);
  return done ? 0 : 1;
}
