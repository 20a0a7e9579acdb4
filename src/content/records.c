/* In place by leading bytes (McIlroy, Bostic, McIlroy, "Engineering radix sort", 1993), small parts by insertion. */
#include "content/records.h"

#include <string.h>

#include "base/error.h"

enum { WIDEST = 64, FEW = 32 };

void bez_records_init(bez_records *records, size_t width, bez_budget *budget) {
  *records = (bez_records){.width = width};
  bez_store_init(&records->store, budget);
}

void bez_records_free(bez_records *records) {
  bez_store_free(&records->store);
  records->n = 0;
}

bez_status bez_records_add(bez_records *records, const void *record, bez_error *err) {
  size_t need = (records->n + 1) * records->width;
  if (need > records->store.cap) {
    bez_status st = bez_store_grow(&records->store, need < 4096 ? 4096 : need * 2, err);
    if (st != BEZ_OK) return st;
  }
  memcpy(bez_record(records, records->n++), record, records->width);
  return BEZ_OK;
}

static void swap(uint8_t *a, uint8_t *b, size_t width) {
  uint8_t x[WIDEST];
  memcpy(x, a, width);
  memmove(a, b, width);
  memcpy(b, x, width);
}

static void insertion(uint8_t *base, size_t n, size_t width) {
  for (size_t i = 1; i < n; i++)
    for (size_t j = i; j > 0 && memcmp(base + (j - 1) * width, base + j * width, width) > 0; j--)
      swap(base + (j - 1) * width, base + j * width, width);
}

static void sort_from(uint8_t *base, size_t n, size_t width, size_t byte) {
  if (n <= FEW) {
    insertion(base, n, width);
    return;
  }
  if (byte == width) return;
  size_t ends[256] = {0}, next[256], at = 0;
  for (size_t i = 0; i < n; i++) ends[base[i * width + byte]]++;
  for (size_t v = 0; v < 256; v++) {
    next[v] = at;
    at = ends[v] += at;
  }
  for (size_t v = 0; v < 256; v++)
    while (next[v] < ends[v]) {
      uint8_t *record = base + next[v] * width;
      size_t to = record[byte];
      if (to == v)
        next[v]++;
      else
        swap(record, base + next[to]++ * width, width);
    }
  for (size_t v = 0; v < 256; v++) {
    size_t from = v ? ends[v - 1] : 0;
    if (ends[v] - from > 1) sort_from(base + from * width, ends[v] - from, width, byte + 1);
  }
}

void bez_records_sort(bez_records *records) {
  if (records->n > 1 && records->width <= WIDEST) sort_from(records->store.data, records->n, records->width, 0);
}
