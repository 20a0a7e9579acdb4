/* The last step: chunks of worker codes into the final arrays, tile by tile. */
#include <math.h>
#include <string.h>

#include "format/finish.h"

#define AHEAD 24u /* rows: the table of numbers is larger than the caches */

static inline void put_code(const bez_column *col, uint64_t row, uint32_t code) {
  switch (col->width) {
    case 1: ((uint8_t *)(uintptr_t)col->codes)[row] = (uint8_t)code; break;
    case 2: ((uint16_t *)(uintptr_t)col->codes)[row] = (uint16_t)code; break;
    default: ((uint32_t *)(uintptr_t)col->codes)[row] = code;
  }
}

/* The plain case (every row kept, no raw numbers) as one loop per pair of widths. */
#define MAP_LOOP(IN, OUT)                                                                                              \
  for (uint32_t r = 0; r < n; r++) ((OUT *)out)[r] = (OUT)map[((const IN *)in)[r]]
#define MAP_LOOPS(OUT)                                                                                                 \
  switch (in_width) {                                                                                                  \
    case 1: MAP_LOOP(uint8_t, OUT); break;                                                                             \
    case 2: MAP_LOOP(uint16_t, OUT); break;                                                                            \
    default: MAP_LOOP(uint32_t, OUT);                                                                                  \
  }

static void map_codes(const void *in, unsigned in_width, const uint32_t *map, uint32_t n, void *out,
                      unsigned out_width) {
  switch (out_width) {
    case 1: MAP_LOOPS(uint8_t) break;
    case 2: MAP_LOOPS(uint16_t) break;
    default: MAP_LOOPS(uint32_t)
  }
}

static void write_codes(const bez_finish *f, const bez_tile *t, uint32_t c) {
  const bez_column *col = &f->table->cols[c];
  const bez_lane *lane = &f->b->workers[t->worker].lanes[c];
  const void *data = bez_chunk_data(t, c);
  unsigned width = t->chunks[c].width;
  uint64_t out = t->first_out;
  if (!f->keep && !col->raw) {
    char *to = (char *)(uintptr_t)col->codes + out * col->width;
    map_codes(data, width, lane->final_of, t->n_rows, to, col->width);
    return;
  }
  for (uint32_t r = 0; r < t->n_rows; r++) {
    if (!bez_row_kept(f, t, r)) continue;
    uint32_t code = bez_chunk_code(data, width, r);
    put_code(col, out, lane->final_of[code]);
    if (col->raw) ((float *)(uintptr_t)col->raw)[out] = (float)f->work[c].values[lane->remap[code]].number;
    out++;
  }
}

static void write_numbers(const bez_finish *f, const bez_tile *t, uint32_t c) {
  const bez_column *col = &f->table->cols[c];
  const bez_lane *lane = &f->b->workers[t->worker].lanes[c];
  const bez_number_set *set = &f->work[c].numbers;
  const void *data = bez_chunk_data(t, c);
  unsigned width = t->chunks[c].width;
  bez_form form = f->b->plans[c].form;
  float *raw = (float *)(uintptr_t)col->raw;
  uint64_t out = t->first_out;
  for (uint32_t r = 0; r < t->n_rows; r++) {
    int64_t x;
    if (set->dense && !f->keep && r + AHEAD < t->n_rows && bez_chunk_number(data, width, r + AHEAD, &x))
      __builtin_prefetch(&set->slot[bez_number_slot(set, x)]);
    if (!bez_row_kept(f, t, r)) continue;
    if (bez_chunk_number(data, width, r, &x)) {
      put_code(col, out, set->slot[bez_number_slot(set, x)]);
      if (raw) raw[out] = (float)bez_form_value(form, x);
    } else {
      put_code(col, out, lane->final_of[x]);
      if (raw) raw[out] = (float)f->work[c].values[lane->remap[x]].number;
    }
    out++;
  }
}

static void write_text(const bez_finish *f, const bez_tile *t, uint32_t c) {
  const bez_column *col = &f->table->cols[c];
  if (bez_chunk_mode(t, c) == BEZ_LANE_ABSENT) return;
  const uint32_t *remap = f->b->workers[t->worker].lanes[c].remap;
  const void *data = bez_chunk_data(t, c);
  uint64_t out = t->first_out;
  for (uint32_t r = 0; r < t->n_rows; r++) {
    if (!bez_row_kept(f, t, r)) continue;
    uint32_t len;
    const char *bytes;
    if (t->chunks[c].mode == BEZ_LANE_TEXT) {
      bytes = bez_chunk_text(data, t->n_rows, r, &len);
    } else {
      const bez_value_info *v = &f->work[c].values[remap[bez_chunk_code(data, t->chunks[c].width, r)]];
      bytes = v->bytes;
      len = v->len;
    }
    if (len) memcpy((char *)(uintptr_t)col->text_bytes + col->text_at[out], bytes, len);
    out++;
  }
}

/* Codes are 0, missing, as they were allocated. */
static void write_missing(const bez_finish *f, const bez_tile *t, uint32_t c) {
  float *raw = (float *)(uintptr_t)f->table->cols[c].raw;
  uint64_t out = t->first_out;
  for (uint32_t r = 0; raw && r < t->n_rows; r++)
    if (bez_row_kept(f, t, r)) raw[out++] = NAN;
}

bez_status bez_write_tile(void *ctx, uint64_t i, unsigned worker, bez_error *err) {
  bez_finish *f = ctx;
  bez_tile *t = f->tiles[i];
  for (uint32_t c = 0; c < f->table->n_cols; c++) {
    bez_column_type type = f->table->cols[c].type;
    if (type == BEZ_COL_IDENTIFIER) continue;
    if (type == BEZ_COL_TEXT)
      write_text(f, t, c);
    else if (bez_chunk_mode(t, c) == BEZ_LANE_ABSENT)
      write_missing(f, t, c);
    else if (t->chunks[c].mode == BEZ_LANE_FORM)
      write_numbers(f, t, c);
    else
      write_codes(f, t, c);
  }
  bez_tile_free_data(t);
  return BEZ_OK;
}
