/* Quantile bins for numbers, one bin per frequent value for everything else. */
#include "fit/woe_bins.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "base/error.h"

uint32_t bez_woe_raw_bin(const float *edge, uint32_t n_bins, float value) {
  if (isnan(value)) return 1;
  uint32_t lo = 2, hi = n_bins - 1; /* the last bin has no upper edge */
  while (lo < hi) {
    uint32_t mid = (lo + hi) / 2;
    if (value <= edge[mid])
      hi = mid;
    else
      lo = mid + 1;
  }
  return lo;
}

/* Values ascend. A value with 1/32 of the rows or more gets its own bin; the others fill bins of equal size. */
static uint32_t quantile_bins(const bez_column *col, uint16_t *bin_of_code) {
  assert(col->number); /* only numeric columns come here */
  uint64_t total = 0, heavy = 0;
  uint32_t n_heavy = 0;
  for (uint32_t v = BEZ_CODE_FIRST; v < col->n_values; v++)
    if (!isnan(col->number[v])) total += col->count[v];
  for (uint32_t v = BEZ_CODE_FIRST; v < col->n_values; v++)
    if (!isnan(col->number[v]) && (uint64_t)col->count[v] * BEZ_WOE_QUANTILES >= total)
      n_heavy++, heavy += col->count[v];
  uint64_t light = total - heavy;
  uint32_t n_light = n_heavy < BEZ_WOE_QUANTILES ? BEZ_WOE_QUANTILES - n_heavy : 1;
  uint32_t bin = 1;
  uint64_t seen = 0, bound = 0, part = 0; /* light rows so far; where the open light bin, the part-th share, ends */
  bool open = false;
  for (uint32_t v = BEZ_CODE_FIRST; v < col->n_values; v++) {
    if (isnan(col->number[v])) {
      bin_of_code[v] = 1;
      continue;
    }
    if ((uint64_t)col->count[v] * BEZ_WOE_QUANTILES >= total) {
      bin_of_code[v] = (uint16_t)++bin;
      open = false; /* light bins do not reach across a heavy value */
      continue;
    }
    if (!open || seen >= bound) {
      bin++;
      while (bound <= seen && part < n_light) bound = ++part * light / n_light;
      open = true;
    }
    bin_of_code[v] = (uint16_t)bin;
    seen += col->count[v];
  }
  return bin + 1;
}

/* Edges for raw numbers: the largest kept value of each bin. */
static bez_status raw_edges(const bez_column *col, const uint16_t *bin_of_code, uint32_t n_bins, float **out,
                            bez_error *err) {
  float *edge = malloc(n_bins * sizeof *edge);
  if (!edge) return bez_fail_memory(err, n_bins * sizeof *edge);
  for (uint32_t b = 0; b < n_bins; b++) edge[b] = -INFINITY;
  for (uint32_t v = BEZ_CODE_FIRST; v < col->n_values; v++)
    if (bin_of_code[v] >= 2) edge[bin_of_code[v]] = (float)col->number[v];
  *out = edge;
  return BEZ_OK;
}

static int descending(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return x < y ? 1 : x > y ? -1 : 0;
}

/* One bin per value while they last, the most frequent first; ties by code. */
static bez_status value_bins(const bez_column *col, uint16_t *bin_of_code, uint32_t *n_bins, bez_error *err) {
  uint32_t n = col->n_values > BEZ_CODE_FIRST ? col->n_values - BEZ_CODE_FIRST : 0;
  if (n + 2 <= BEZ_WOE_MAX_BINS) {
    for (uint32_t v = BEZ_CODE_FIRST; v < col->n_values; v++) bin_of_code[v] = (uint16_t)v;
    *n_bins = n + 2;
    return BEZ_OK;
  }
  uint64_t *order = malloc(n * sizeof *order);
  if (!order) return bez_fail_memory(err, n * sizeof *order);
  for (uint32_t i = 0; i < n; i++)
    order[i] = (uint64_t)col->count[i + BEZ_CODE_FIRST] << 32 | (UINT32_MAX - (i + BEZ_CODE_FIRST));
  qsort(order, n, sizeof *order, descending);
  for (uint32_t i = 0; i < n; i++) {
    uint32_t code = UINT32_MAX - (uint32_t)order[i];
    bin_of_code[code] = i + 2 < BEZ_WOE_MAX_BINS ? (uint16_t)(i + 2) : 1;
  }
  *n_bins = BEZ_WOE_MAX_BINS;
  free(order);
  return BEZ_OK;
}

bez_status bez_woe_make_bins(bez_woe *woe, const bez_table *table, uint32_t f, bez_error *err) {
  const bez_column *col = &table->cols[woe->cols[f]];
  uint32_t n = col->n_values > BEZ_CODE_FIRST ? col->n_values : BEZ_CODE_FIRST;
  uint16_t *bin = calloc(n, sizeof *bin);
  if (!bin) return bez_fail_memory(err, n * sizeof *bin);
  woe->bin_of_code[f] = bin;
  bin[BEZ_CODE_MISSING] = 0;
  bin[BEZ_CODE_RARE] = 1;
  bool by_number = col->number && col->n_values > BEZ_WOE_PER_VALUE + BEZ_CODE_FIRST;
  if (!by_number && !col->raw) return value_bins(col, bin, &woe->n_bins[f], err);
  woe->n_bins[f] = quantile_bins(col, bin);
  if (woe->n_bins[f] < 3) woe->n_bins[f] = 3;
  return col->raw ? raw_edges(col, bin, woe->n_bins[f], &woe->raw_edge[f], err) : BEZ_OK;
}
