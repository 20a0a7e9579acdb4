/* Which comparators a selection needs, and the choice between kernels. */
#include "math/order.h"

#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "base/error.h"
#include "math/order_networks.h"

/* Calls on every comparator of Batcher's network for n, in order; the count, and the list where pairs is not NULL. */
static uint32_t network(uint32_t n, uint16_t (*pairs)[2]) {
  uint32_t count = 0;
  for (uint32_t p = 1; p < n; p += p)
    for (uint32_t k = p; k >= 1; k /= 2)
      for (uint32_t j = k % p; j + k < n; j += 2 * k)
        for (uint32_t i = 0; i < k && i + j + k < n; i++) {
          if ((i + j) / (2 * p) != (i + j + k) / (2 * p)) continue;
          if (pairs) {
            pairs[count][0] = (uint16_t)(i + j);
            pairs[count][1] = (uint16_t)(i + j + k);
          }
          count++;
        }
  return count;
}

/* From the last comparator back: one matters if a place it writes is read later. */
static uint32_t prune(uint16_t (*pairs)[2], uint32_t count, uint8_t *live) {
  uint32_t kept = count;
  for (uint32_t i = count; i-- > 0;) {
    uint16_t a = pairs[i][0], b = pairs[i][1];
    if (!live[a] && !live[b]) continue;
    live[a] = live[b] = 1;
    kept--;
    pairs[kept][0] = a;
    pairs[kept][1] = b;
  }
  memmove(pairs, pairs + kept, (size_t)(count - kept) * sizeof *pairs);
  return count - kept;
}

bez_status bez_order_make(bez_order_kind kind, uint32_t n, uint32_t lo, uint32_t hi, bez_order *out, bez_error *err) {
  *out = (bez_order){.kind = kind, .n = n, .lo = lo, .hi = hi};
  if (lo >= hi || hi > n) return bez_fail(err, BEZ_USAGE, NULL, "ranks %u to %u of %u values", lo, hi, n);
  if (n > BEZ_ORDER_MAX_ROWS) return bez_fail(err, BEZ_LIMIT, NULL, "%u rows; at most %u", n, BEZ_ORDER_MAX_ROWS);
  if (n <= BEZ_NETWORK_LARGEST) return BEZ_OK;
  uint32_t count = network(n, NULL);
  uint8_t *live = calloc(n, 1);
  out->pairs = malloc((size_t)count * sizeof *out->pairs);
  if (!live || !out->pairs) {
    free(live);
    bez_order_free(out);
    return bez_fail_memory(err, (size_t)count * sizeof *out->pairs + n);
  }
  network(n, out->pairs);
  if (kind == BEZ_ORDER_RANKS)
    memset(live + lo, 1, hi - lo);
  else
    memset(live, 1, n); /* any rank may be among the nearest */
  out->n_pairs = prune(out->pairs, count, live);
  free(live);
  return BEZ_OK;
}

void bez_order_free(bez_order *order) {
  free(order->pairs);
  order->pairs = NULL;
}

/* Per row (order_body.h): counters and sums of 64 bytes each, the sorted vector, a group of padded values, a pointer.
 */
size_t bez_order_scratch(const bez_order *order) {
  return (size_t)order->n * (3 * 64 + BEZ_ORDER_GROUP * sizeof(double) + sizeof(void *));
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
