/* Aggregating files: mapped, streamed tile by tile, written as safetensors. */
#include <stdlib.h>
#include <string.h>

#include "aggregate/aggregator.h"
#include "aggregate/examples.h"
#include "aggregate/report.h"
#include "aggregate/state.h"
#include "base/arena.h"
#include "base/error.h"

typedef struct files {
  size_t n;              /* updates … */
  bez_tensors **tensors; /* … and, behind them, the reference and the server's own update, NULL where not given */
  bez_update *updates;
  void **out;
  bez_layer *result;
  bez_verdict *verdicts;
  bez_arena arena;
} files;

static bez_status open_one(files *w, size_t i, const char *path, bez_error *err) {
  bez_status st = bez_tensors_open(path, &w->tensors[i], err);
  if (st == BEZ_OK)
    w->updates[i] = (bez_update){
        .client = path, .n_layers = bez_tensors_count(w->tensors[i]), .layers = bez_tensors_layers(w->tensors[i])};
  return st;
}

static int by_path(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bez_status check_distinct(const char *const *paths, size_t n, bez_error *err) {
  bez_status st = BEZ_OK;
  const char **sorted = calloc(n, sizeof *sorted);
  if (!sorted) return bez_fail_memory(err, n * sizeof *sorted);
  memcpy(sorted, paths, n * sizeof *sorted);
  qsort(sorted, n, sizeof *sorted, by_path);
  for (size_t i = 1; i < n && st == BEZ_OK; i++)
    if (!strcmp(sorted[i - 1], sorted[i])) st = bez_fail(err, BEZ_USAGE, sorted[i], "is given twice");
  free(sorted);
  return st;
}

static bez_status open_all(files *w, const char *const *paths, const bez_aggregate_files *f, bez_error *err) {
  bez_status st = BEZ_OK;
  BEZ_TRY(check_distinct(paths, w->n, err));
  for (size_t i = 0; i < w->n; i++) BEZ_TRY(open_one(w, i, paths[i], err));
  if (f->reference) BEZ_TRY(open_one(w, w->n, f->reference, err));
  if (f->root) BEZ_TRY(open_one(w, w->n + 1, f->root, err));
cleanup:
  return st;
}

static bez_status make_room(files *w, const bez_update *layout, bez_error *err) {
  w->out = bez_arena_alloc(&w->arena, (layout->n_layers + 1u) * sizeof *w->out);
  w->result = bez_arena_alloc(&w->arena, (layout->n_layers + 1u) * sizeof *w->result);
  if (!w->out || !w->result) return bez_fail_memory(err, layout->n_layers * sizeof *w->result);
  for (uint32_t l = 0; l < layout->n_layers; l++) {
    uint64_t items = bez_layer_items(&layout->layers[l]), bytes;
    if (items == UINT64_MAX || __builtin_mul_overflow(items, bez_dtype_size(layout->layers[l].dtype), &bytes))
      return bez_fail(err, BEZ_LIMIT, layout->client, "layer \"%s\" is too large", layout->layers[l].name);
    w->out[l] = bez_arena_alloc(&w->arena, bytes + 1);
    if (!w->out[l]) return bez_fail_memory(err, bytes);
    w->result[l] = layout->layers[l];
    w->result[l].strides = NULL;
    w->result[l].data = w->out[l];
  }
  return BEZ_OK;
}

static bez_status aggregate(files *w, const bez_aggregate_options *options, const bez_aggregate_files *f,
                            const char *out_path, bez_report **report, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_aggregate_options o = *options;
  bez_aggregate_state *state = f->state ? bez_aggregate_state_create() : NULL;
  o.reference = f->reference ? &w->updates[w->n] : NULL;
  o.root = f->root ? &w->updates[w->n + 1] : NULL;
  o.state = state;
  if (f->state && !state) BEZ_TRY(bez_fail_memory(err, sizeof(void *)));
  if (f->examples) {
    BEZ_TRY(bez_examples_read(f->examples, o.rule, w->updates, w->n, err));
    o.weights = BEZ_WEIGHTS_DECLARED;
  }
  if (state) BEZ_TRY(bez_aggregate_state_load(f->state, state, err));
  const bez_update *layout = bez_aggregate_layout(w->updates, w->n, &o);
  BEZ_TRY(make_room(w, layout, err));
  BEZ_TRY(bez_aggregate(w->updates, w->n, &o, w->out, w->verdicts, err));
  BEZ_TRY(bez_tensors_write(out_path, w->result, layout->n_layers, err));
  if (state) BEZ_TRY(bez_aggregate_state_save(f->state, state, err));
  *report = bez_report_create("aggregate");
  if (!*report) BEZ_TRY(bez_fail_memory(err, sizeof(bez_report)));
  BEZ_TRY(bez_aggregate_report(w->updates, w->n, &o, w->verdicts, *report, err));
  bez_report_seal(*report);
cleanup:
  bez_aggregate_state_destroy(state);
  return st;
}

bez_status bez_aggregate_paths(const char *const *paths, size_t n, const bez_aggregate_options *options,
                               const bez_aggregate_files *f, const char *out_path, bez_report **report,
                               bez_error *err) {
  bez_status st = BEZ_OK;
  files w = {.n = n};
  *report = NULL;
  if (!n || n > BEZ_MOST_CLIENTS) return bez_fail(err, BEZ_USAGE, NULL, n ? "too many updates" : "no updates");
  w.tensors = calloc(n + 2, sizeof(bez_tensors *));
  w.updates = calloc(n + 2, sizeof *w.updates);
  w.verdicts = calloc(n, sizeof *w.verdicts);
  if (!w.tensors || !w.updates || !w.verdicts) BEZ_TRY(bez_fail_memory(err, n * sizeof *w.updates));
  BEZ_TRY(open_all(&w, paths, f, err));
  BEZ_TRY(aggregate(&w, options, f, out_path, report, err));
cleanup:
  if (st != BEZ_OK) {
    bez_report_destroy(*report);
    *report = NULL;
  }
  for (size_t i = 0; w.tensors && i < n + 2; i++) bez_tensors_close(w.tensors[i]);
  free(w.tensors);
  free(w.updates);
  free(w.verdicts);
  bez_arena_free(&w.arena);
  return st;
}
