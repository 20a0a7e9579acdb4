/* How large the tensors are that an adapter changes. */
#include <math.h>
#include <stdlib.h>

#include "audit/adapter.h"
#include "audit/tensor_index.h"
#include "base/error.h"

#define BLOCK 65536u
#define LANES 8u

typedef struct target {
  const bez_weights *weights; /* NULL: the base has no such tensor, or it cannot be read */
  uint32_t tensor;
} target;

typedef struct work {
  const target *targets;
  bez_lora *lora;
} work;

static bez_status measure(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  const work *w = ctx;
  const target *t = &w->targets[tile];
  double sum[LANES] = {0};
  (void)worker;
  if (!t->weights) return BEZ_OK;
  float *x = calloc(BLOCK, sizeof *x);
  bez_status st = x ? BEZ_OK : bez_fail_memory(err, BLOCK * sizeof *x);
  const uint64_t items = bez_weights_items(t->weights, t->tensor);
  for (uint64_t i = 0; st == BEZ_OK && i < items; i += BLOCK) {
    const size_t n = items - i < BLOCK ? (size_t)(items - i) : BLOCK;
    st = bez_weights_read(t->weights, t->tensor, i, n, x, err);
    for (size_t k = 0; st == BEZ_OK && k < n; k++) sum[k % LANES] += (double)x[k] * (double)x[k];
  }
  for (unsigned k = 1; k < LANES; k++) sum[0] += sum[k];
  if (st == BEZ_OK && isfinite(sum[0])) w->lora->modules[tile].base_norm = sqrt(sum[0]);
  free(x);
  return st;
}

/* The base's tensor of the module's name and size. */
static bez_status find_targets(bez_tensor_index *index, const bez_lora *lora, target *targets, bez_error *err) {
  for (size_t i = 0; i < lora->n; i++) {
    const bez_lora_module *m = &lora->modules[i];
    const char *key = m->skipped ? NULL : bez_tensor_key(&index->arena, m->name);
    if (!key && !m->skipped) return bez_fail_memory(err, 0);
    const bez_tensor_entry *entry = key ? bez_tensor_index_find(index, key) : NULL;
    const bez_weights *weights = entry ? bez_tensor_index_open(index, entry) : NULL;
    if (!weights || bez_weights_unreadable(weights, entry->tensor)) continue;
    if (bez_weights_items(weights, entry->tensor) == m->rows * m->cols) targets[i] = (target){weights, entry->tensor};
  }
  return BEZ_OK;
}

bez_status bez_lora_measure_base(const bez_check_input *in, bez_lora *lora, bez_error *err) {
  bez_tensor_index index = {0};
  target *targets = calloc(lora->n + 1, sizeof *targets);
  bez_status st = targets ? BEZ_OK : bez_fail_memory(err, lora->n * sizeof *targets);
  work w = {.targets = targets, .lora = lora};
  bez_watch watch = {.progress = in->context->progress,
                     .ctx = in->context->progress_ctx,
                     .stage = "norms of the base",
                     .unit = "tensors",
                     .total = lora->n};
  if (st != BEZ_OK) return st;
  BEZ_TRY(bez_tensor_index_make(in->context->base, &index, err));
  BEZ_TRY(find_targets(&index, lora, targets, err));
  BEZ_TRY(bez_parallel_watched(lora->n, in->context->threads, &watch, measure, &w, err));
cleanup:
  if (index.set) bez_tensor_index_free(&index);
  free(targets);
  return st;
}
