#include "fit/knn_shapley.h"

#include <string.h>

/* Ascending by the upper 32 bits, stable: three passes of eleven bits. */
static void sort(uint64_t *a, uint64_t *b, uint32_t n) {
  enum { BITS = 11, SIZE = 1 << BITS };
  for (unsigned shift = 32; shift < 64; shift += BITS) {
    uint32_t count[SIZE + 1] = {0};
    for (uint32_t i = 0; i < n; i++) count[(a[i] >> shift) % SIZE + 1]++;
    for (uint32_t k = 0; k < SIZE; k++) count[k + 1] += count[k];
    for (uint32_t i = 0; i < n; i++) b[count[(a[i] >> shift) % SIZE]++] = a[i];
    uint64_t *t = a;
    a = b;
    b = t;
  }
  memcpy(b, a, n * sizeof *a); /* three passes: the result stands in the other array */
}

void bez_knn_shapley_add(const float *distance, const uint32_t *label, uint32_t n, uint32_t right, uint32_t k,
                         uint64_t *order, uint64_t *scratch, double *value) {
  if (!n || !k) return;
  for (uint32_t i = 0; i < n; i++) {
    uint32_t bits;
    memcpy(&bits, &distance[i], sizeof bits); /* floats that are not negative ascend as integers */
    order[i] = (uint64_t)bits << 32 | i;
  }
  sort(order, scratch, n);
  bool behind = label[(uint32_t)order[n - 1]] == right;
  double s = behind ? (n < k ? 1.0 / k : 1.0 / n) : 0.0;
  value[(uint32_t)order[n - 1]] += s;
  for (uint32_t i = n - 1; i > 0; i--) { /* i: the rank, from one */
    bool here = label[(uint32_t)order[i - 1]] == right;
    s += ((double)here - (double)behind) / k * (i < k ? 1.0 : (double)k / i);
    value[(uint32_t)order[i - 1]] += s;
    behind = here;
  }
}
