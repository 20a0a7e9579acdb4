/* Open addressing with linear probing, load ≤ 1/2; count 0 marks a free slot. */
#include "math/value_counts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"

typedef struct counts {
  uint32_t capacity;
  size_t n_slots; /* power of two */
  bez_value_count *slots;
  size_t size;
  uint64_t total, error;
} counts;

uint64_t bez_value_key(double value) {
  if (isnan(value)) return UINT64_MAX;
  if (value == 0.0) value = 0.0;
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits >> 63 ? ~bits : bits | 1ull << 63;
}

double bez_value_of_key(uint64_t key) {
  if (key == UINT64_MAX) return NAN;
  uint64_t bits = key >> 63 ? key & ~(1ull << 63) : ~key;
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

uint64_t bez_value_counts_digest(const bez_value_counts_params *params) {
  return bez_mix64(0x76616c75636e7473ull ^ params->capacity);
}

static bez_value_count *find(bez_value_count *slots, size_t n_slots, uint64_t key) {
  size_t at = (size_t)bez_mix64(key) & (n_slots - 1);
  while (slots[at].count && slots[at].key != key) at = (at + 1) & (n_slots - 1);
  return &slots[at];
}

/* Rehashes into n_slots, taking `less` from every count and dropping what reaches 0. */
static bez_status rebuild(counts *c, size_t n_slots, uint64_t less, bez_error *err) {
  bez_value_count *fresh = calloc(n_slots, sizeof *fresh);
  if (!fresh) return bez_fail_memory(err, n_slots * sizeof *fresh);
  size_t size = 0;
  for (size_t i = 0; i < c->n_slots; i++) {
    if (c->slots[i].count <= less) continue;
    *find(fresh, n_slots, c->slots[i].key) = (bez_value_count){c->slots[i].key, c->slots[i].count - less};
    size++;
  }
  free(c->slots);
  c->slots = fresh;
  c->n_slots = n_slots;
  c->size = size;
  c->error += less;
  return BEZ_OK;
}

static int descending(const void *x, const void *y) {
  uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;
  return a < b ? 1 : a > b ? -1 : 0;
}

/* Back to at most capacity keys: the (capacity+1)-th largest count is taken from all (Agarwal et al., section 3). */
static bez_status shrink(counts *c, bez_error *err) {
  uint64_t *all = malloc(c->size * sizeof *all);
  if (!all) return bez_fail_memory(err, c->size * sizeof *all);
  size_t n = 0;
  for (size_t i = 0; i < c->n_slots; i++)
    if (c->slots[i].count) all[n++] = c->slots[i].count;
  qsort(all, n, sizeof *all, descending);
  uint64_t less = all[c->capacity];
  free(all);
  return rebuild(c, c->n_slots, less, err);
}

/* Up to 2·capacity keys are held between shrinks, so that each key pays for one rehash only. */
static bez_status add(counts *c, uint64_t key, uint64_t count, bez_error *err) {
  bez_value_count *slot = find(c->slots, c->n_slots, key);
  if (slot->count) {
    slot->count += count;
    return BEZ_OK;
  }
  *slot = (bez_value_count){key, count};
  if (++c->size * 2 <= c->n_slots) return BEZ_OK;
  if (c->n_slots >= 4 * (size_t)c->capacity) return shrink(c, err);
  return rebuild(c, c->n_slots * 2, 0, err);
}

static void destroy(void *state) {
  counts *c = state;
  if (!c) return;
  free(c->slots);
  free(c);
}

static bez_status create(const void *params, void **state, bez_error *err) {
  const bez_value_counts_params *p = params;
  if (p->capacity == 0 || p->capacity > BEZ_VALUE_COUNTS_MAX)
    return bez_fail(err, BEZ_USAGE, "value counts", "capacity must lie between 1 and %u", BEZ_VALUE_COUNTS_MAX);
  counts *c = calloc(1, sizeof *c);
  if (!c) return bez_fail_memory(err, sizeof *c);
  c->capacity = p->capacity;
  c->n_slots = 16;
  c->slots = calloc(c->n_slots, sizeof *c->slots);
  if (!c->slots) {
    free(c);
    return bez_fail_memory(err, 16 * sizeof(bez_value_count));
  }
  *state = c;
  return BEZ_OK;
}

static bez_status update(void *state, const void *batch, bez_error *err) {
  counts *c = state;
  const bez_value_counts_batch *b = batch;
  for (size_t i = 0; i < b->n; i++) {
    c->total++;
    bez_status st = add(c, b->keys[i], 1, err);
    if (st != BEZ_OK) return st;
  }
  return BEZ_OK;
}

static int by_key(const void *x, const void *y) {
  const bez_value_count *a = x, *b = y;
  return a->key < b->key ? -1 : a->key > b->key;
}

size_t bez_value_counts_size(const void *state) {
  return ((const counts *)state)->size;
}

uint64_t bez_value_counts_total(const void *state) {
  return ((const counts *)state)->total;
}

uint64_t bez_value_counts_error(const void *state) {
  return ((const counts *)state)->error;
}

void bez_value_counts_finish(const void *state, bez_value_count *out) {
  const counts *c = state;
  size_t n = 0;
  for (size_t i = 0; i < c->n_slots; i++)
    if (c->slots[i].count) out[n++] = c->slots[i];
  qsort(out, n, sizeof *out, by_key);
}

/* total, error, number of keys, then (key, count) ascending by key. */
static bez_status save(const void *state, bez_buf *out, bez_error *err) {
  const counts *c = state;
  bez_value_count *all = malloc((c->size + 1) * sizeof *all);
  if (!all) return bez_fail_memory(err, c->size * sizeof *all);
  bez_value_counts_finish(c, all);
  bez_put_le64(out, c->total);
  bez_put_le64(out, c->error);
  bez_put_le64(out, c->size);
  for (size_t i = 0; i < c->size; i++) {
    bez_put_le64(out, all[i].key);
    bez_put_le64(out, all[i].count);
  }
  free(all);
  return bez_buf_status(out, err);
}

static bez_status malformed(bez_error *err, const bez_cursor *saved, const char *what) {
  return bez_fail_at(err, BEZ_FORMAT, "saved value counts", -1, (int64_t)saved->pos, "%s", what);
}

/* The counts are checked before the first is added: a refused state leaves this one as it was. */
static bez_status check(bez_cursor saved, uint64_t n, uint64_t total, uint64_t error, uint32_t capacity,
                        bez_error *err) {
  uint64_t last = 0, sum = 0;
  for (uint64_t i = 0; i < n; i++) {
    uint64_t key, count;
    if (!bez_cursor_le64(&saved, &key) || !bez_cursor_le64(&saved, &count))
      return malformed(err, &saved, "ends inside the counts");
    if (i && key <= last) return malformed(err, &saved, "keys are not ascending");
    if (count == 0 || count > total - sum) return malformed(err, &saved, "counts do not fit the total");
    sum += count;
    last = key;
  }
  /* Each unit of error was taken from more than `capacity` keys at once. */
  if (error > (total - sum) / (capacity + 1ull)) return malformed(err, &saved, "the error bound does not fit");
  if (bez_cursor_left(&saved)) return malformed(err, &saved, "bytes behind the counts");
  return BEZ_OK;
}

static bez_status merge(void *state, bez_cursor *saved, bez_error *err) {
  counts *c = state;
  uint64_t total, error, n;
  if (!bez_cursor_le64(saved, &total) || !bez_cursor_le64(saved, &error) || !bez_cursor_count(saved, 16, &n))
    return malformed(err, saved, "ends inside the header, or says more counts than bytes");
  if (n > 4 * (uint64_t)c->capacity + 16) return malformed(err, saved, "more keys than the capacity allows");
  if (total > UINT64_MAX / 2 - c->total) return malformed(err, saved, "the total is too large");
  bez_status st = check(*saved, n, total, error, c->capacity, err);
  if (st != BEZ_OK) return st;
  c->total += total;
  c->error += error;
  for (uint64_t i = 0; i < n && st == BEZ_OK; i++) {
    uint64_t key = 0, count = 0;
    if (!bez_cursor_le64(saved, &key) || !bez_cursor_le64(saved, &count)) return BEZ_INTERNAL;
    st = add(c, key, count, err);
  }
  return st;
}

const bez_summary bez_value_counts_summary = {
    .name = "value-counts",
    .version = 1,
    .create = create,
    .update = update,
    .merge = merge,
    .save = save,
    .destroy = destroy,
};
