/* Tiles into bytes: codes of each worker's dictionary become codes in the order of first sight, so that a state does
 * not depend on which thread read what. */
#include "format/state_tile.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/limits.h"

#define BOX_LIMIT (BEZ_FORM_LEAST - INT64_MIN) /* codes below fit below every number */

/* One worker's dictionary of one column, by code. */
typedef struct lane_codes {
  const bez_dict_slot **slot; /* NULL until the column is met */
  uint32_t *code1;            /* saved code + 1; 0: not saved yet */
} lane_codes;

struct bez_tile_coder {
  const bez_builder *b;
  lane_codes *lanes; /* threads × n_cols */
  bez_dict *saved;   /* n_cols: value → saved code */
  bez_buf data, lens, bytes;
  uint32_t n_new;
};

bez_status bez_tile_coder_create(const bez_builder *b, bez_tile_coder **out, bez_error *err) {
  bez_tile_coder *k = calloc(1, sizeof *k);
  *out = k;
  if (!k) return bez_fail_memory(err, sizeof *k);
  k->b = b;
  k->lanes = calloc((size_t)b->threads * b->n_cols + 1, sizeof *k->lanes);
  k->saved = calloc((size_t)b->n_cols + 1, sizeof *k->saved);
  if (!k->lanes || !k->saved) return bez_fail_memory(err, b->threads * b->n_cols * sizeof *k->lanes);
  for (uint32_t c = 0; c < b->n_cols; c++)
    for (unsigned i = 0; i < 2; i++)
      k->saved[c].seed[i] = bez_mix64(((uint64_t)(uintptr_t)k ^ c) * 2 + i + 0x9e3779b97f4a7c15ull);
  return BEZ_OK;
}

void bez_tile_coder_destroy(bez_tile_coder *k) {
  if (!k) return;
  for (size_t i = 0; k->lanes && i < (size_t)k->b->threads * k->b->n_cols; i++) {
    free(k->lanes[i].slot);
    free(k->lanes[i].code1);
  }
  for (uint32_t c = 0; k->saved && c < k->b->n_cols; c++) bez_dict_free(&k->saved[c]);
  free(k->lanes);
  free(k->saved);
  bez_buf_free(&k->data);
  bez_buf_free(&k->lens);
  bez_buf_free(&k->bytes);
  free(k);
}

static bez_status list_slots(const bez_dict *dict, lane_codes *l, bez_error *err) {
  if (l->slot) return BEZ_OK;
  l->slot = calloc((size_t)dict->n + 1, sizeof(void *));
  l->code1 = calloc((size_t)dict->n + 1, sizeof *l->code1);
  if (!l->slot || !l->code1) return bez_fail_memory(err, dict->n * sizeof(void *));
  for (uint64_t i = 0; dict->slots && i <= dict->mask; i++)
    if (dict->slots[i].code1) l->slot[dict->slots[i].code1 - 1] = &dict->slots[i];
  return BEZ_OK;
}

/* The saved code of a worker's code; BEZ_DICT_NONE when memory is out. */
static uint32_t new_code(bez_tile_coder *k, const bez_dict *dict, lane_codes *l, bez_dict *saved, uint32_t code) {
  const bez_dict_slot *slot = l->slot[code];
  const char *bytes = bez_dict_bytes(dict, slot);
  uint32_t before = saved->n, to = bez_dict_put(saved, bytes, slot->len);
  if (to == BEZ_DICT_NONE) return to;
  if (to == before) {
    bez_put_le32(&k->lens, slot->len);
    bez_buf_write(&k->bytes, bytes, slot->len);
    k->n_new++;
  }
  l->code1[code] = to + 1;
  return to;
}

typedef struct column {
  const bez_tile *tile;
  const bez_chunk *chunk;
  const void *data;
  const bez_dict *dict;
  lane_codes *lane;
  bez_dict *saved;
} column;

static bez_status code_of(bez_tile_coder *k, const column *c, uint32_t code, uint32_t *out, bez_error *err) {
  *out = c->lane->code1[code] ? c->lane->code1[code] - 1 : new_code(k, c->dict, c->lane, c->saved, code);
  return *out == BEZ_DICT_NONE ? bez_fail_memory(err, (c->saved->mask + 1) * sizeof *c->saved->slots) : BEZ_OK;
}

/* Codes of the narrowest width that holds all so far. */
static bez_status put_codes(bez_tile_coder *k, const column *c, uint8_t *width, bez_error *err) {
  uint32_t n = c->tile->n_rows, code;
  if (!bez_buf_reserve(&k->data, (size_t)n * 4 + 1)) return bez_buf_status(&k->data, err);
  uint32_t *out = (uint32_t *)(void *)k->data.data;
  for (uint32_t r = 0; r < n; r++) {
    bez_status st = code_of(k, c, bez_chunk_code(c->data, c->chunk->width, r), &code, err);
    if (st != BEZ_OK) return st;
    out[r] = code;
  }
  *width = c->saved->n <= 1u << 8 ? 1 : c->saved->n <= 1u << 16 ? 2 : 4;
  uint8_t *narrow = (uint8_t *)out;
  uint16_t *middle = (uint16_t *)(void *)out;
  for (uint32_t r = 0; *width == 1 && r < n; r++) narrow[r] = (uint8_t)out[r];
  for (uint32_t r = 0; *width == 2 && r < n; r++) middle[r] = (uint16_t)out[r];
  k->data.len = (size_t)n * *width;
  return BEZ_OK;
}

static bool any_boxed(const column *c) {
  int64_t x;
  bool any = false;
  for (uint32_t r = 0; r < c->tile->n_rows; r++) any |= !bez_chunk_number(c->data, c->chunk->width, r, &x);
  return any;
}

static bez_status put_numbers(bez_tile_coder *k, const column *c, uint8_t *width, bez_error *err) {
  uint32_t code;
  *width = c->chunk->width;
  if (!any_boxed(c)) {
    bez_buf_write(&k->data, c->data, (size_t)c->tile->n_rows * *width);
    return bez_buf_status(&k->data, err);
  }
  *width = 8;
  for (uint32_t r = 0; r < c->tile->n_rows; r++) {
    int64_t x;
    if (!bez_chunk_number(c->data, c->chunk->width, r, &x)) {
      bez_status st = code_of(k, c, (uint32_t)x, &code, err);
      if (st != BEZ_OK) return st;
      x = INT64_MIN + code;
    }
    bez_put_le64(&k->data, (uint64_t)x);
  }
  return bez_buf_status(&k->data, err);
}

static void put_text(bez_tile_coder *k, const column *c) {
  uint32_t n = c->tile->n_rows, len = n ? ((const uint32_t *)c->data)[n - 1] : 0;
  bez_buf_write(&k->data, c->data, (size_t)n * 4 + len);
}

static bez_status put_column(bez_tile_coder *k, const column *c, bool numbered, bez_form form, bez_buf *out,
                             bez_error *err) {
  bez_status st = BEZ_OK;
  uint8_t mode = numbered ? BEZ_SAVED_NUMBERED : c->chunk->mode, width = 0;
  bez_buf_clear(&k->data);
  bez_buf_clear(&k->lens);
  bez_buf_clear(&k->bytes);
  k->n_new = 0;
  if (mode == BEZ_LANE_CODES || mode == BEZ_LANE_FORM) BEZ_TRY(list_slots(c->dict, c->lane, err));
  if (mode == BEZ_LANE_CODES) BEZ_TRY(put_codes(k, c, &width, err));
  if (mode == BEZ_LANE_FORM) BEZ_TRY(put_numbers(k, c, &width, err));
  if (mode == BEZ_LANE_TEXT) put_text(k, c);
  bez_buf_putc(out, (char)mode);
  bez_buf_putc(out, (char)width);
  bez_put_le64(out, c->chunk->missing);
  if (mode == BEZ_LANE_FORM) {
    const char sign[4] = {(char)form.kind, (char)form.decimals, form.mark, (char)form.zulu};
    bez_buf_write(out, sign, sizeof sign);
  }
  bez_put_le32(out, k->n_new);
  bez_buf_write(out, k->lens.data ? k->lens.data : "", k->lens.len);
  bez_buf_write(out, k->bytes.data ? k->bytes.data : "", k->bytes.len);
  bez_buf_write(out, k->data.data ? k->data.data : "", k->data.len);
  BEZ_TRY(bez_buf_status(&k->lens, err));
  BEZ_TRY(bez_buf_status(&k->bytes, err));
  BEZ_TRY(bez_buf_status(&k->data, err));
  st = bez_buf_status(out, err);
cleanup:
  return st;
}

bez_status bez_tile_code(bez_tile_coder *k, const bez_tile *tile, const bez_head *head, bez_buf *out, bez_error *err) {
  const bez_builder *b = k->b;
  if (tile->n_rows > BEZ_MAX_TILE_ROWS)
    return bez_fail(err, BEZ_LIMIT, NULL, "a tile of %u rows cannot be saved", tile->n_rows);
  bez_buf_putc(out, 'T');
  size_t length_at = out->len;
  bez_put_le64(out, 0);
  bez_put_le64(out, tile->tile);
  bez_put_le32(out, tile->n_rows);
  for (uint32_t i = 0; i < head->n; i++) {
    uint32_t c = bez_builder_column(b, head->names[i], strlen(head->names[i]), i);
    if (c == BEZ_NO_COLUMN) continue;
    column col = {.tile = tile,
                  .chunk = &tile->chunks[c],
                  .data = tile->data + tile->chunks[c].at,
                  .dict = &b->workers[tile->worker].lanes[c].dict,
                  .lane = &k->lanes[(size_t)tile->worker * b->n_cols + c],
                  .saved = &k->saved[c]};
    bez_status st = put_column(k, &col, bez_numbers_pictures(b, head, i), b->plans[c].form, out, err);
    if (st != BEZ_OK) return st;
  }
  bez_status st = bez_buf_status(out, err);
  if (st != BEZ_OK) return st;
  uint64_t length = out->len - length_at - 8;
  memcpy(out->data + length_at, &length, 8);
  return BEZ_OK;
}
