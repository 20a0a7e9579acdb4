/* Taking cells in, column by column: the inner loops of reading. */
#include "format/lane.h"

#include <stdlib.h>

#include "base/error.h"
#include "format/cell.h"

/* Large dictionaries live in memory, not in the caches: ask for all slots of a batch before looking at any. */
#define BATCH 64u
#define LARGE_DICT (1u << 13)

void bez_lane_free(bez_lane *lane) {
  bez_dict_free(&lane->dict);
  free(lane->codes);
  free(lane->numbers);
  free(lane->ends);
  free(lane->remap);
  free(lane->final_of);
  bez_buf_free(&lane->text);
  lane->codes = NULL;
  lane->numbers = NULL;
  lane->ends = NULL;
  lane->remap = NULL;
  lane->final_of = NULL;
}

bez_status bez_lane_reserve(bez_lane *lane, bez_lane_mode mode, uint32_t rows, bez_error *err) {
  void **items = mode == BEZ_LANE_FORM   ? (void **)&lane->numbers
                 : mode == BEZ_LANE_TEXT ? (void **)&lane->ends
                                         : (void **)&lane->codes;
  size_t size = mode == BEZ_LANE_FORM ? sizeof(int64_t) : sizeof(uint32_t);
  if (mode == BEZ_LANE_SKIP || (rows <= lane->cap_rows && *items)) return BEZ_OK;
  uint32_t cap = lane->cap_rows ? lane->cap_rows : 256;
  while (cap < rows) cap *= 2;
  void *grown = realloc(*items, cap * size);
  if (!grown) return bez_fail_memory(err, cap * size);
  *items = grown;
  lane->cap_rows = cap;
  return BEZ_OK;
}

static bool take_prefetched(bez_dict *dict, const char *base, const bez_cell_span *spans, uint32_t n_rows,
                            uint32_t stride, uint32_t *codes) {
  uint64_t w0[BATCH], w1[BATCH], hash[BATCH];
  for (uint32_t first = 0; first < n_rows; first += BATCH) {
    uint32_t n = n_rows - first < BATCH ? n_rows - first : BATCH;
    for (uint32_t r = 0; r < n; r++) {
      const bez_cell_span *span = &spans[(size_t)(first + r) * stride];
      bez_dict_words(base + span->begin, span->len, &w0[r], &w1[r]);
      hash[r] = span->len <= 16 ? bez_dict_hash(dict, w0[r], w1[r], span->len)
                                : bez_dict_hash_long(dict, base + span->begin, span->len);
      __builtin_prefetch(&dict->slots[hash[r] & dict->mask]);
    }
    for (uint32_t r = 0; r < n; r++) {
      const bez_cell_span *span = &spans[(size_t)(first + r) * stride];
      codes[first + r] = bez_dict_find_or_insert(dict, base + span->begin, span->len, w0[r], w1[r], hash[r]);
      if (codes[first + r] == BEZ_DICT_NONE) return false;
    }
  }
  return true;
}

static bool take_codes(bez_dict *dict, const char *base, const bez_cell_span *spans, uint32_t n_rows, uint32_t stride,
                       uint32_t *codes) {
  if (dict->n > LARGE_DICT) return take_prefetched(dict, base, spans, n_rows, stride, codes);
  for (uint32_t r = 0; r < n_rows; r++) {
    const bez_cell_span *span = &spans[(size_t)r * stride];
    codes[r] = bez_dict_put_padded(dict, base + span->begin, span->len);
    if (codes[r] == BEZ_DICT_NONE) return false;
  }
  return true;
}

static bool box(bez_dict *dict, const char *cell, uint32_t len, int64_t *out) {
  uint32_t code = bez_dict_put(dict, cell, len);
  *out = INT64_MIN + code;
  return code != BEZ_DICT_NONE;
}

static bez_status no_memory(const bez_lane *lane, bez_error *err) {
  return bez_fail_memory(err, (lane->dict.mask + 1) * sizeof *lane->dict.slots);
}

bez_status bez_lane_take(bez_lane *lane, bez_column_plan plan, const char *base, const bez_cell_span *spans,
                         uint32_t n_rows, uint32_t stride, uint32_t first_row, bez_error *err) {
  if (plan.mode == BEZ_LANE_CODES) {
    if (!take_codes(&lane->dict, base, spans, n_rows, stride, lane->codes + first_row)) return no_memory(lane, err);
    return BEZ_OK;
  }
  for (uint32_t r = 0; r < n_rows; r++) {
    const bez_cell_span *span = &spans[(size_t)r * stride];
    const char *cell = base + span->begin;
    if (plan.mode == BEZ_LANE_FORM) {
      if (!bez_form_parse(plan.form, cell, span->len, &lane->numbers[first_row + r]) &&
          !box(&lane->dict, cell, span->len, &lane->numbers[first_row + r]))
        return no_memory(lane, err);
    } else if (plan.mode == BEZ_LANE_TEXT) {
      bez_buf_write(&lane->text, cell, span->len);
      lane->ends[first_row + r] = (uint32_t)lane->text.len;
    } else {
      lane->missing += span->len <= 6 && bez_cell_is_missing(cell, span->len);
    }
  }
  return plan.mode == BEZ_LANE_TEXT ? bez_buf_status(&lane->text, err) : BEZ_OK;
}

bez_status bez_lane_take_one(bez_lane *lane, bez_column_plan plan, const char *cell, uint32_t len, uint32_t row,
                             bez_error *err) {
  if (plan.mode == BEZ_LANE_CODES) {
    lane->codes[row] = bez_dict_put(&lane->dict, cell, len);
    return lane->codes[row] == BEZ_DICT_NONE ? no_memory(lane, err) : BEZ_OK;
  }
  bez_cell_span span = {.begin = 0, .len = len};
  return bez_lane_take(lane, plan, cell, &span, 1, 1, row, err);
}

static bool fits_four_bytes(const int64_t *numbers, uint32_t n) {
  bool fits = true;
  for (uint32_t r = 0; r < n; r++) {
    int64_t x = numbers[r];
    bool boxed = x < BEZ_FORM_LEAST;
    fits &= boxed ? x - INT64_MIN < BEZ_BOX_LIMIT : x >= INT32_MIN + BEZ_BOX_LIMIT && x <= INT32_MAX;
  }
  return fits;
}

uint64_t bez_lane_measure(const bez_lane *lane, bez_column_plan plan, uint32_t n_rows, bez_chunk *chunk) {
  *chunk = (bez_chunk){.mode = (uint8_t)plan.mode, .missing = lane->missing};
  switch (plan.mode) {
    case BEZ_LANE_CODES:
      chunk->width = lane->dict.n <= 1u << 8 ? 1 : lane->dict.n <= 1u << 16 ? 2 : 4;
      return (uint64_t)n_rows * chunk->width;
    case BEZ_LANE_FORM:
      chunk->width = fits_four_bytes(lane->numbers, n_rows) ? 4 : 8;
      return (uint64_t)n_rows * chunk->width;
    case BEZ_LANE_TEXT: return (uint64_t)n_rows * 4 + lane->text.len;
    default: return 0;
  }
}

static void pack_codes(void *out, const uint32_t *codes, uint32_t n, unsigned width) {
  if (width == 4) {
    memcpy(out, codes, (size_t)n * 4);
  } else if (width == 2) {
    uint16_t *to = out;
    for (uint32_t i = 0; i < n; i++) to[i] = (uint16_t)codes[i];
  } else {
    uint8_t *to = out;
    for (uint32_t i = 0; i < n; i++) to[i] = (uint8_t)codes[i];
  }
}

void bez_lane_pack(bez_lane *lane, uint32_t n_rows, const bez_chunk *chunk, void *out) {
  if (n_rows == 0) return;
  if (chunk->mode == BEZ_LANE_CODES) {
    pack_codes(out, lane->codes, n_rows, chunk->width);
  } else if (chunk->mode == BEZ_LANE_TEXT) {
    memcpy(out, lane->ends, (size_t)n_rows * 4);
    if (lane->text.len) memcpy((char *)out + (size_t)n_rows * 4, lane->text.data, lane->text.len);
  } else if (chunk->mode == BEZ_LANE_FORM && chunk->width == 8) {
    memcpy(out, lane->numbers, (size_t)n_rows * 8);
  } else if (chunk->mode == BEZ_LANE_FORM) {
    int32_t *to = out;
    for (uint32_t i = 0; i < n_rows; i++) {
      int64_t x = lane->numbers[i];
      to[i] = (int32_t)(x < BEZ_FORM_LEAST ? x - INT64_MIN + INT32_MIN : x);
    }
  }
}

void bez_lane_restart(bez_lane *lane) {
  lane->missing = 0;
  lane->text.len = 0;
}
