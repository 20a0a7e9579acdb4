/* Which merges a selection needs, and the choice between kernels. */
#include "math/order.h"

#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "base/error.h"
#include "math/order_networks.h"

/* Batcher's network for n runs, in order; the count, and the list where merges is not NULL. */
static uint32_t network(uint32_t n, bez_order_merge *merges) {
  uint32_t count = 0;
  for (uint32_t p = 1; p < n; p += p)
    for (uint32_t k = p; k >= 1; k /= 2)
      for (uint32_t j = k % p; j + k < n; j += 2 * k)
        for (uint32_t i = 0; i < k && i + j + k < n; i++) {
          if ((i + j) / (2 * p) != (i + j + k) / (2 * p)) continue;
          if (merges) merges[count] = (bez_order_merge){.low = (uint16_t)(i + j), .high = (uint16_t)(i + j + k)};
          count++;
        }
  return count;
}

/* From the last merge back: one matters if a run it writes is read later. */
static uint32_t prune(bez_order_merge *merges, uint32_t count, bool *live) {
  uint32_t kept = count;
  for (uint32_t i = count; i-- > 0;) {
    bez_order_merge m = merges[i];
    m.keep_low = live[m.low];
    m.keep_high = live[m.high];
    if (!m.keep_low && !m.keep_high) continue;
    live[m.low] = live[m.high] = true;
    merges[--kept] = m;
  }
  memmove(merges, merges + kept, (size_t)(count - kept) * sizeof *merges);
  return count - kept;
}

/* Memory takes as long as sorting four lines of twenty rows does. */
static uint32_t ahead_of(uint32_t n) {
  return n > 40 ? 64 : n > 20 ? 128 : n > 8 ? 256 : 512;
}

bez_status bez_order_make(bez_order_kind kind, uint32_t n, uint32_t lo, uint32_t hi, bez_order *out, bez_error *err) {
  *out = (bez_order){.kind = kind, .n = n, .lo = lo, .hi = hi, .slots = n};
  out->ahead = ahead_of(n);
  if (lo >= hi || hi > n) return bez_fail(err, BEZ_USAGE, NULL, "ranks %u to %u of %u values", lo, hi, n);
  if (n > BEZ_ORDER_MAX_ROWS) return bez_fail(err, BEZ_LIMIT, NULL, "%u rows; at most %u", n, BEZ_ORDER_MAX_ROWS);
  if (n <= BEZ_NETWORK_LARGEST) return BEZ_OK;
  const uint32_t runs = (n + BEZ_ORDER_RUN - 1) / BEZ_ORDER_RUN, count = network(runs, NULL);
  bool *live = calloc(runs, sizeof *live);
  out->slots = runs * BEZ_ORDER_RUN;
  out->merges = calloc(count, sizeof *out->merges);
  if (!live || !out->merges) {
    free(live);
    bez_order_free(out);
    return bez_fail_memory(err, (size_t)count * sizeof *out->merges + runs);
  }
  network(runs, out->merges);
  for (uint32_t r = 0; r < runs; r++) /* any rank may be among the nearest */
    live[r] = kind == BEZ_ORDER_NEAR || (r * BEZ_ORDER_RUN < hi && (r + 1) * BEZ_ORDER_RUN > lo);
  out->n_merges = prune(out->merges, count, live);
  free(live);
  return BEZ_OK;
}

void bez_order_free(bez_order *order) {
  free(order->merges);
  order->merges = NULL;
}

/* Per row (order_body.h): counters and sums of 64 bytes each, the sorted vector, a group of padded values, a pointer.
 */
size_t bez_order_scratch(const bez_order *order) {
  return (size_t)order->slots * 64 + (size_t)order->n * (2 * 64 + BEZ_ORDER_GROUP * sizeof(double) + sizeof(void *));
}

bez_order_f32_fn bez_order_f32(uint32_t cpu) {
#if defined(__x86_64__)
  if (cpu & BEZ_CPU_AVX512) return bez_order_f32_avx512;
  if (cpu & BEZ_CPU_AVX2) return bez_order_f32_avx2;
#endif
  return bez_order_f32_plain;
}

bez_order_f64_fn bez_order_f64(uint32_t cpu) {
#if defined(__x86_64__)
  if (cpu & BEZ_CPU_AVX512) return bez_order_f64_avx512;
  if (cpu & BEZ_CPU_AVX2) return bez_order_f64_avx2;
#endif
  return bez_order_f64_plain;
}
