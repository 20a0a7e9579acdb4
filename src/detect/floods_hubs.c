/* Originals of near copies. A copy that differs from its original in column f equals it once f is left out: an original
 * has such twins in many columns, whereas natural look-alikes (people who differ in an id, a price, an age) are twins
 * in one or two. Crowdedness alone does not find them: the natural look-alikes of one column are more than a small
 * flood. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/threads.h"
#include "detect/floods.h"

#define LEAST_COLUMNS 4u /* with twins */
#define MOST_COLUMNS 255u

typedef struct hubs {
  const bez_column *const *col;
  uint32_t d;
  uint64_t n_rows, mask;
  const uint64_t *sum; /* per row: of its cells' hashes */
  uint8_t *copies;     /* per row: rows equal in all columns, two slots' least */
  uint8_t *degree;     /* per row: columns with twins */
} hubs;

/* Rows per hash, twice by different bits: the smaller count is too large for one row in a hundred or so. */
typedef struct sketch {
  uint8_t *a, *b;
} sketch;

static void count(uint8_t *slot) {
  *slot = (uint8_t)(*slot + (*slot < UINT8_MAX));
}

static uint8_t looked_up(const sketch *s, uint64_t mask, uint64_t key) {
  uint8_t a = s->a[key & mask], b = s->b[(key >> 32) & mask];
  return a < b ? a : b;
}

static uint64_t key_of(const hubs *h, uint32_t left_out, uint64_t row) {
  uint64_t sum = h->sum[row];
  if (left_out < h->d) sum -= bez_flood_cell(h->col[left_out], left_out, row);
  return bez_mix64(sum);
}

static bez_status count_rows(const hubs *h, uint32_t left_out, sketch *s, bez_error *err) {
  s->a = calloc(h->mask + 1, 1);
  s->b = calloc(h->mask + 1, 1);
  if (!s->a || !s->b) return bez_fail_memory(err, h->mask + 1);
  for (uint64_t r = 0; r < h->n_rows; r++) {
    uint64_t key = key_of(h, left_out, r);
    count(&s->a[key & h->mask]);
    count(&s->b[(key >> 32) & h->mask]);
  }
  return BEZ_OK;
}

/* One column left out: which rows have more twins than copies? */
static bez_status leave_column(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  hubs *h = ctx;
  sketch s = {0};
  bez_status st = count_rows(h, (uint32_t)tile, &s, err);
  for (uint64_t r = 0; st == BEZ_OK && r < h->n_rows; r++)
    if (looked_up(&s, h->mask, key_of(h, (uint32_t)tile, r)) > h->copies[r])
      __atomic_fetch_add(&h->degree[r], 1, __ATOMIC_RELAXED);
  free(s.a);
  free(s.b);
  return st;
}

static bez_status count_copies(hubs *h, bez_error *err) {
  sketch s = {0};
  bez_status st = count_rows(h, h->d, &s, err);
  for (uint64_t r = 0; st == BEZ_OK && r < h->n_rows; r++) h->copies[r] = looked_up(&s, h->mask, key_of(h, h->d, r));
  free(s.a);
  free(s.b);
  return st;
}

/* Rows with the most columns, ties by row. */
static size_t take_most(const hubs *h, uint32_t *hub, size_t max) {
  size_t n = 0;
  for (uint32_t degree = h->d; degree >= LEAST_COLUMNS && n < max; degree--)
    for (uint64_t r = 0; r < h->n_rows && n < max; r++)
      if (h->degree[r] == degree) hub[n++] = (uint32_t)r;
  return n;
}

bez_status bez_flood_hubs(const bez_column *const *col, uint32_t d, uint64_t n_rows, const uint64_t *sum,
                          unsigned threads, uint32_t *hub, size_t max, size_t *n, bez_error *err) {
  bez_status st = BEZ_OK;
  hubs h = {.col = col, .d = d, .n_rows = n_rows, .sum = sum, .mask = 1023};
  *n = 0;
  if (d < LEAST_COLUMNS || d > MOST_COLUMNS) return BEZ_OK;
  while (h.mask < 8 * n_rows) h.mask = 2 * h.mask + 1;
  h.copies = malloc(n_rows);
  h.degree = calloc(n_rows, 1);
  if (!h.copies || !h.degree) {
    st = bez_fail_memory(err, n_rows);
    goto cleanup;
  }
  BEZ_TRY(count_copies(&h, err));
  BEZ_TRY(bez_parallel(d, threads, leave_column, &h, err));
  *n = take_most(&h, hub, max);
cleanup:
  free(h.copies);
  free(h.degree);
  return st;
}
