/* What several rules use: the table, ranks, scores, mixes. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate/aggregator.h"
#include "aggregate/norms.h"
#include "base/compare.h"
#include "base/error.h"
#include "base/hash.h"

#define BEZ_AGGREGATOR(symbol) &symbol,
const bez_aggregator *const bez_aggregators[] = {
#include "aggregate/aggregators.def"
    NULL};
#undef BEZ_AGGREGATOR

const bez_aggregator *bez_aggregator_find(const char *name, bool pre) {
  for (size_t i = 0; bez_aggregators[i]; i++)
    if (bez_aggregators[i]->info.pre == pre && !strcmp(bez_aggregators[i]->info.name, name)) return bez_aggregators[i];
  return NULL;
}

size_t bez_aggregator_count(void) {
  size_t n = 0;
  while (bez_aggregators[n]) n++;
  return n;
}

bez_aggregator_info bez_aggregator_get(size_t index) {
  return index < bez_aggregator_count() ? bez_aggregators[index]->info : (bez_aggregator_info){0};
}

/* ---- mixes ------------------------------------------------------------------------------------------------------ */

bez_status bez_mix_make(uint32_t n_out, uint32_t n_in, bez_mix *mix, bez_error *err) {
  *mix = (bez_mix){.n_out = n_out, .n_in = n_in, .weight = calloc((size_t)n_out * n_in, sizeof(double))};
  return mix->weight ? BEZ_OK : bez_fail_memory(err, (size_t)n_out * n_in * sizeof(double));
}

void bez_mix_clip(bez_mix *mix, const double *norm, double tau) {
  for (uint32_t i = 0; i < mix->n_out; i++) mix->weight[(size_t)i * mix->n_in + i] = norm[i] > tau ? tau / norm[i] : 1;
}

bez_status bez_rows_norms(bez_update_rows *rows, double *norm, bez_error *err) {
  const uint32_t n = bez_rows_count(rows);
  double *zero = calloc(2 * (size_t)n, sizeof *zero), *to = zero + n;
  if (!zero) return bez_fail_memory(err, 2 * (size_t)n * sizeof *zero);
  bez_status st = bez_rows_combine(rows, zero, false, to, err);
  for (uint32_t i = 0; i + rows->extra < n; i++) norm[i] = sqrt(to[i]);
  free(zero);
  return st;
}

/* ---- order ------------------------------------------------------------------------------------------------------ */

typedef struct ranked {
  double score;
  uint64_t digest;
  uint32_t row;
} ranked;

static int by_score(const void *a, const void *b) {
  const ranked *x = a, *y = b;
  if (x->score != y->score) return isnan(x->score) ? 1 : isnan(y->score) ? -1 : x->score < y->score ? -1 : 1;
  if (x->digest != y->digest) return x->digest < y->digest ? -1 : 1;
  return (x->row > y->row) - (x->row < y->row); /* the same contents: either will do */
}

typedef struct digest_pass {
  uint32_t n;
  uint64_t *part; /* blocks × n */
} digest_pass;

static bez_status digest_tile(void *ctx, const bez_tile *tile, uint32_t block, unsigned worker, bez_error *err) {
  digest_pass *p = ctx;
  (void)worker, (void)err;
  uint64_t place = bez_mix64((uintptr_t)tile->layer->first_tile * 0x9e3779b97f4a7c15u + tile->at);
  for (uint32_t i = 0; i < p->n; i++) {
    uint64_t sum = 0;
    for (size_t c = 0; c < tile->len; c++) {
      uint64_t bits = 0;
      memcpy(&bits, (const char *)tile->row[i] + c * (tile->wide ? 8 : 4), tile->wide ? 8 : 4);
      sum += bez_mix64(bits + place + c);
    }
    p->part[(size_t)block * p->n + i] += sum;
  }
  return BEZ_OK;
}

static bez_status digests(const bez_update_rows *rows, uint32_t n, ranked *list, bez_error *err) {
  const uint32_t count = bez_rows_count(rows), n_blocks = bez_rows_blocks(count * sizeof(uint64_t));
  digest_pass p = {.n = count, .part = calloc((size_t)n_blocks * count, sizeof(uint64_t))};
  if (!p.part) return bez_fail_memory(err, (size_t)n_blocks * count * sizeof(uint64_t));
  bez_status st = bez_rows_pass(rows, n_blocks, digest_tile, &p, err);
  for (uint32_t b = 0; b < n_blocks; b++)
    for (uint32_t i = 0; i < n; i++) list[i].digest += p.part[(size_t)b * count + i];
  free(p.part);
  return st;
}

bez_status bez_rows_rank(const bez_update_rows *rows, const double *score, uint32_t n, uint32_t *order,
                         bez_error *err) {
  bez_status st = BEZ_OK;
  bool tied = false;
  ranked *list = calloc(n ? n : 1, sizeof *list);
  if (!list) return bez_fail_memory(err, n * sizeof *list);
  for (uint32_t i = 0; i < n; i++) list[i] = (ranked){.score = score[i], .row = i};
  qsort(list, n, sizeof *list, by_score);
  for (uint32_t i = 1; i < n; i++) tied |= list[i].score == list[i - 1].score;
  if (tied) { /* contents cost a pass: looked at only when scores do not decide */
    for (uint32_t i = 0; i < n; i++) list[i] = (ranked){.score = score[i], .row = i};
    BEZ_TRY(digests(rows, n, list, err));
    qsort(list, n, sizeof *list, by_score);
  }
  for (uint32_t i = 0; i < n; i++) order[i] = list[i].row;
cleanup:
  free(list);
  return st;
}

bez_status bez_rank_placed(const double *score, const uint32_t *place, uint32_t n, uint32_t *order, bez_error *err) {
  ranked *list = calloc(n ? n : 1, sizeof *list);
  if (!list) return bez_fail_memory(err, n * sizeof *list);
  for (uint32_t i = 0; i < n; i++) list[i] = (ranked){.score = score[i], .digest = place[i], .row = i};
  qsort(list, n, sizeof *list, by_score);
  for (uint32_t i = 0; i < n; i++) order[i] = list[i].row;
  free(list);
  return BEZ_OK;
}

double bez_sum_smallest(double *values, uint32_t n, uint32_t k) {
  double sum = 0;
  qsort(values, n, sizeof *values, bez_compare_double);
  for (uint32_t i = 0; i < k && i < n; i++) sum += values[i];
  return sum;
}

void bez_krum_scores(const double *distance, uint32_t side, const uint32_t *list, uint32_t n, uint32_t neighbours,
                     double *scratch, double *score) {
  for (uint32_t i = 0; i < n; i++) {
    uint32_t others = 0;
    for (uint32_t j = 0; j < n; j++)
      if (j != i) scratch[others++] = distance[(size_t)list[i] * side + list[j]];
    score[i] = bez_sum_smallest(scratch, others, neighbours);
  }
}

/* ---- results ---------------------------------------------------------------------------------------------------- */

bez_status bez_aggregate_weighted(const bez_aggregate_input *in, const double *weight, bez_verdict_reason without,
                                  bez_aggregate_rows *out, bez_error *err) {
  bez_status st = BEZ_OK;
  const uint32_t count = bez_rows_count(in->rows);
  double *all = calloc(2 * (size_t)count, sizeof *all), *square = all + count;
  if (!all) return bez_fail_memory(err, 2 * (size_t)count * sizeof *all);
  memcpy(all, weight, in->n * sizeof *all);
  BEZ_TRY(bez_rows_combine(in->rows, all, true, in->judged ? square : NULL, err));
  for (uint32_t i = 0; i < in->n; i++) {
    out->weight[i] = weight[i];
    if (weight[i] == 0) out->reason[i] = without;
    if (in->judged) out->distance[i] = sqrt(square[i]);
  }
cleanup:
  free(all);
  return st;
}
