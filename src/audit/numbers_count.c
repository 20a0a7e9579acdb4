/* One pass over the numbers of a model: pieces of all tensors, counted by any thread in any order. */
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "audit/numbers.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/threads.h"
#include "math/half.h"

#define PIECE 16384u        /* items unpacked at a time: a whole number of any type's blocks */
#define CHUNK (64u * PIECE) /* items of a tile */

typedef struct chunk {
  uint32_t tensor;
  uint64_t first;
} chunk;

typedef struct task {
  const bez_weights *w;
  const bez_model *model;
  const chunk *chunks;
  _Atomic uint64_t *sums; /* of each tensor, in the order of bez_number_counts */
} task;

#define FIELDS (sizeof(bez_number_counts) / sizeof(uint64_t))

typedef union counted {
  bez_number_counts counts;
  uint64_t field[FIELDS];
} counted;

/* Sums without branches, so that compilers find lanes for them. */
static void count_floats(const float *x, size_t n, float first, bool narrow, bez_number_counts *c) {
  uint32_t nan = 0, inf = 0, zero = 0, small = 0, huge = 0, wild = 0, others = 0;
  for (size_t i = 0; i < n; i++) {
    const float a = fabsf(x[i]);
    nan += x[i] != x[i];
    inf += a > 3.4028235e38f;
    zero += a == 0.f;
    small += a < 1.17549435e-38f;
    huge += a > BEZ_NUMBERS_HUGE;
    wild += a > BEZ_NUMBERS_WILD;
    wild += a < 1e-20f;
    others += x[i] != first;
  }
  c->nan += nan;
  c->inf += inf;
  c->zero += zero;
  c->denormal += narrow ? 0 : small - zero;
  c->huge += huge - inf;
  c->wild += wild - zero - inf;
  c->others += others;
}

static void count_width(const float *x, size_t n, bez_number_counts *c) {
  uint32_t bf16 = 0;
  for (size_t i = 0; i < n; i++) bf16 += (bez_float_bits(x[i]) & 0xffffu) != 0;
  c->beyond_bf16 += bf16;
  if (c->beyond_f16) return; /* one is enough */
  for (size_t i = 0; i < n && !c->beyond_f16; i++) c->beyond_f16 += bez_half_float(bez_float_half(x[i])) != x[i];
}

/* Integers whose bits are floats between 1e-8 and 1e4. Random bits are that in one case of six. */
static void count_float_like(const uint8_t *bytes, size_t n, bez_number_counts *c) {
  uint32_t like = 0;
  for (size_t i = 0; i < n; i++) {
    float x;
    memcpy(&x, bytes + i * sizeof x, sizeof x);
    like += fabsf(x) > 1e-8f && fabsf(x) < 1e4f;
  }
  c->float_like += like;
}

static void count_piece(const bez_number_type *type, const uint8_t *bytes, const float *x, size_t n, float first,
                        bez_number_counts *c) {
  const bool f32 = !strcmp(type->name, "F32"), wide = f32 || !strcmp(type->name, "F64") || !strcmp(type->name, "BF16");
  count_floats(x, n, first, !wide, c);
  if (f32) count_width(x, n, c);
  if (!strcmp(type->name, "I32") || !strcmp(type->name, "U32")) count_float_like(bytes, n, c);
}

static bez_status count_chunk(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  task *t = ctx;
  (void)worker;
  const chunk *k = &t->chunks[tile];
  const bez_number_type *type = bez_weights_type(t->w, k->tensor);
  const uint64_t items = bez_weights_items(t->w, k->tensor), end = items - k->first < CHUNK ? items : k->first + CHUNK;
  const size_t room = (size_t)PIECE / type->items * type->bytes;
  counted c = {{0}};
  float start;
  bez_status st = bez_weights_read(t->w, k->tensor, 0, 1, &start, err);
  float *x = malloc(PIECE * sizeof *x);
  uint8_t *bytes = malloc(room);
  if (st == BEZ_OK && (!x || !bytes)) st = bez_fail_memory(err, room);
  for (uint64_t at = k->first; st == BEZ_OK && at < end; at += PIECE) {
    const size_t n = end - at < PIECE ? (size_t)(end - at) : PIECE, len = n / type->items * type->bytes;
    st = bez_weights_raw(t->w, k->tensor, at / type->items * type->bytes, len, bytes, err);
    if (st != BEZ_OK) break;
    type->unpack(bytes, n / type->items, x);
    c.counts.digest += bez_hash64(bytes, len, at); /* a sum: pieces in any order */
    count_piece(type, bytes, x, n, start, &c.counts);
  }
  for (size_t f = 0; st == BEZ_OK && f < FIELDS; f++)
    atomic_fetch_add_explicit(&t->sums[k->tensor * FIELDS + f], c.field[f], memory_order_relaxed);
  free(x);
  free(bytes);
  return st;
}

/* Tiles of at most CHUNK items over all readable tensors; counts them where chunks is NULL. */
static uint64_t cut(const bez_weights *w, const bez_model *model, chunk *chunks) {
  uint64_t n = 0;
  for (uint32_t t = 0; t < model->n_tensors; t++)
    for (uint64_t at = 0; at < bez_weights_items(w, t); at += CHUNK, n++)
      if (chunks) chunks[n] = (chunk){.tensor = t, .first = at};
  return n;
}

bez_status bez_numbers_count(const bez_weights *w, const bez_model *model, const bez_audit_context *context,
                             bez_number_counts *counts, bez_error *err) {
  bez_status st = BEZ_OK;
  const uint64_t n = cut(w, model, NULL);
  chunk *chunks = calloc(n + 1, sizeof *chunks);
  _Atomic uint64_t *sums = calloc(((size_t)model->n_tensors + 1) * FIELDS, sizeof *sums);
  task t = {.w = w, .model = model, .chunks = chunks, .sums = sums};
  bez_watch watch = {.progress = context->progress,
                     .ctx = context->progress_ctx,
                     .stage = "looking at numbers",
                     .unit = "chunks",
                     .total = n};
  if (!chunks || !sums) BEZ_TRY(bez_fail_memory(err, (size_t)n * sizeof *chunks));
  (void)cut(w, model, chunks);
  BEZ_TRY(bez_parallel_watched(n, context->threads, &watch, count_chunk, &t, err));
  for (uint32_t i = 0; i < model->n_tensors; i++) {
    counted c;
    for (size_t f = 0; f < FIELDS; f++) c.field[f] = sums[i * FIELDS + f];
    counts[i] = c.counts;
  }
cleanup:
  free(chunks);
  free((void *)sums);
  return st;
}
