/* bench_base MODEL BASE [--threads N] [--stats] [--once]: the comparison of two models beside a plain sum over the
 * numbers of both, read the same way. --stats prints what was measured of each tensor, one JSON object a line. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "audit/base_difference.h"
#include "base/error.h"
#include "base/threads.h"
#include "format/model_helper.h"

#define PIECE 65536u

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* ---- the floor -------------------------------------------------------------------------------------------------- */

typedef struct sum_task {
  const bez_weights *w;
  uint32_t tensor;
  uint64_t items;
  _Atomic uint64_t bits;
} sum_task;

typedef float floats __attribute__((vector_size(64), aligned(4)));

static bez_status sum_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  sum_task *t = ctx;
  (void)worker;
  float x[PIECE];
  floats sum[4] = {{0}};
  const uint64_t first = tile * PIECE;
  const size_t n = t->items - first < PIECE ? (size_t)(t->items - first) : PIECE;
  bez_status st = bez_weights_read(t->w, t->tensor, first, n, x, err);
  for (size_t i = 0; i + 64 <= n; i += 64)
    for (size_t k = 0; k < 4; k++) sum[k] += *(const floats *)(x + i + 16 * k);
  union {
    float f;
    uint32_t bits;
  } all = {.f = sum[0][0] + sum[1][5] + sum[2][7] + sum[3][9]};
  t->bits ^= all.bits; /* so that no compiler leaves it out */
  return st;
}

static bez_status sum_side(const bez_base_side *side, unsigned threads, bez_error *err) {
  for (uint32_t i = 0; i < side->n_tensors; i++) {
    const bez_base_tensor *t = &side->tensors[i];
    const bez_weights *w = side->files[t->file].weights;
    sum_task task = {.w = w, .tensor = t->tensor, .items = bez_weights_items(w, t->tensor)};
    bez_status st = bez_parallel((task.items + PIECE - 1) / PIECE, threads, sum_tile, &task, err);
    if (st != BEZ_OK) return st;
  }
  return BEZ_OK;
}

/* ---- the comparison --------------------------------------------------------------------------------------------- */

static void print_pair(const bez_base_pair *p) {
  const bez_base_stats *s = &p->stats;
  printf("{\"name\": \"%s\", \"role\": \"%s\", \"matrix\": %d, \"items\": %llu, \"changed\": %llu, "
         "\"odd\": %llu, \"rows\": %u, \"cols\": %u, \"changed_rows\": %u, \"relative\": %.9g, \"norm\": %.9g, "
         "\"kurtosis\": %.6g, \"top_row\": %.6g, \"top_col\": %.6g, \"top_rows\": %.6g, \"row_relative\": %.6g, "
         "\"rank99\": %u, \"share\": [",
         p->name, p->role, p->matrix, (unsigned long long)s->items, (unsigned long long)s->changed,
         (unsigned long long)s->odd, s->rows, s->cols, s->changed_rows, s->relative, s->norm,
         isnan(s->kurtosis) ? 0 : s->kurtosis, s->top_row, s->top_col, s->top_rows, s->row_relative, s->rank99);
  for (unsigned k = 0; k < BEZ_DIFF_RANK; k++) printf("%s%.6g", k ? ", " : "", s->share[k]);
  printf("]}\n");
}

static bez_status compare(const bez_base_side *side, const bez_base_match *match, const bez_audit_context *context,
                          bez_error *err) {
  for (uint32_t i = 0; i < match->n_pairs; i++) {
    bez_status st = bez_base_measure(&side[0], &side[1], &match->pairs[i], context, err);
    if (st != BEZ_OK) return st;
  }
  return BEZ_OK;
}

static bez_status measure(const bez_base_side *side, const bez_base_match *match, const bez_audit_context *context,
                          bez_error *err) {
  for (unsigned round = 0; round < 3; round++) {
    bez_status st = BEZ_OK;
    const double start = now();
    for (unsigned k = 0; k < 2 && st == BEZ_OK; k++) st = sum_side(&side[k], context->threads, err);
    const double middle = now();
    if (st == BEZ_OK) st = compare(side, match, context, err);
    if (st != BEZ_OK) return st;
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    printf("plain sum %.3f s, comparison %.3f s, ratio %.2f, largest resident set %.0f MiB, %u threads\n",
           middle - start, now() - middle, (now() - middle) / (middle - start), (double)u.ru_maxrss / 1024,
           context->threads);
  }
  return BEZ_OK;
}

static bez_status work(char **path, bool stats, unsigned threads, bez_report *report, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_helper helper = {0};
  bez_model model[2] = {0};
  bez_base_side side[2] = {0};
  bez_base_match match;
  const bez_audit_context context = {.threads = threads};
  for (unsigned k = 0; k < 2; k++) {
    BEZ_TRY(bez_model_helper_ask(&helper, path[k], &model[k], err));
    const bez_audit_file file = {.path = path[k], .name = path[k], .sha256 = "", .model = &model[k]};
    const bez_audit_set set = {.root = path[k], .files = bez_arena_alloc(&report->arena, sizeof file), .n = 1};
    memcpy((void *)(uintptr_t)set.files, &file, sizeof file);
    BEZ_TRY(bez_base_side_open(&set, false, report, &side[k], err));
  }
  BEZ_TRY(bez_base_match_sides(&side[0], &side[1], &report->arena, &match, err));
  if (stats)
    st = compare(side, &match, &context, err);
  else
    st = measure(side, &match, &context, err);
  for (uint32_t i = 0; stats && st == BEZ_OK && i < match.n_pairs; i++) print_pair(&match.pairs[i]);
cleanup:
  for (unsigned k = 0; k < 2; k++) {
    bez_base_side_close(&side[k]);
    bez_model_free(&model[k]);
  }
  bez_helper_stop(&helper);
  return st;
}

int main(int argc, char **argv) {
  unsigned threads = bez_cpu_count();
  bool stats = false;
  bez_error err = {0};
  if (argc < 3) {
    fprintf(stderr, "usage: %s MODEL BASE [--threads N] [--stats]\n", argv[0]);
    return 2;
  }
  for (int i = 3; i < argc; i++) {
    stats = stats || !strcmp(argv[i], "--stats");
    if (!strcmp(argv[i], "--threads") && i + 1 < argc) threads = (unsigned)strtoul(argv[++i], NULL, 10);
  }
  bez_report *report = bez_report_create("scan");
  bez_status st = report ? work(argv + 1, stats, threads, report, &err) : BEZ_MEMORY;
  if (st != BEZ_OK) fprintf(stderr, "%s: %s\n", err.subject, err.message);
  bez_report_destroy(report);
  return st == BEZ_OK ? 0 : 1;
}
