/* Arrays to rows (array.h): tiles of a fixed number of rows, each read with one positioned read per array (C order) or
 * per column (Fortran order), every item turned into the text of a cell. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/limits.h"
#include "base/threads.h"
#include "base/utf8.h"
#include "format/array.h"
#include "format/celltext.h"

#define TILE_BYTES ((uint64_t)4 << 20)
#define TILE_ROWS 65536u

typedef struct worker {
  uint8_t *block; /* the arrays' parts of the tile, one behind the other */
  char *text;     /* cells of one row */
  const char **cell;
  uint32_t *len;
} worker;

typedef struct push {
  const bez_source *source;
  const bez_array *arrays;
  size_t n_arrays;
  bez_builder *builder;
  uint64_t n_rows, tile_rows, n_tiles, first_tile, row_bytes, text_bytes;
  uint32_t n_cells;
  unsigned n_workers;
  worker *workers;
} push;

static uint64_t array_row_bytes(const bez_array *a) {
  return a->fortran ? a->stride * a->n_fields : a->stride;
}

/* Where the first item of a field lies in the tile's block. */
static uint64_t field_at(const bez_array *a, uint32_t field, uint64_t rows) {
  return a->fortran ? field * rows * a->stride : a->fields[field].offset;
}

static bez_status load(const push *p, const bez_array *a, uint64_t row, uint64_t rows, uint8_t *out, bez_error *err) {
  uint32_t n_parts = a->fortran ? a->n_fields : 1;
  uint64_t part = rows * a->stride;
  for (uint32_t i = 0; i < n_parts; i++) {
    uint64_t at = (a->fortran ? a->fields[i].offset : 0) + row * a->stride;
    if (a->bytes) {
      memcpy(out + i * part, a->bytes + at, part);
      continue;
    }
    size_t got = 0;
    bez_status st = bez_source_read(p->source, a->data_at + at, out + i * part, part, &got, err);
    if (st != BEZ_OK) return st;
    if (got != part) return bez_fail(err, BEZ_IO, p->source->path, "the file became shorter while it was read");
  }
  return BEZ_OK;
}

/* The item in this machine's (little-endian) order, zero extended. */
static uint64_t item_bits(const bez_field *f, const uint8_t *item) {
  uint64_t bits = 0;
  memcpy(&bits, item, f->size);
  return f->swap ? __builtin_bswap64(bits) >> (64 - 8 * f->size) : bits;
}

static int64_t signed_bits(const bez_field *f, uint64_t bits) {
  unsigned shift = 64 - 8 * (unsigned)f->size;
  return (int64_t)(bits << shift) >> shift;
}

static size_t time_text(const bez_field *f, int64_t ticks, char *out) {
  int64_t seconds;
  if (ticks == INT64_MIN) return 0;
  if (f->kind == BEZ_ITEM_SPAN) return bez_text_int(ticks, out);
  if (f->unit == 'M') return bez_text_month(ticks, out);
  if (f->unit == 'Y') return __builtin_mul_overflow(ticks, 12, &seconds) ? 0 : bez_text_month(seconds, out);
  if (f->unit == 'D') return bez_text_date(ticks, out);
  if (f->per_second) return bez_text_time(ticks, f->per_second, out);
  return __builtin_mul_overflow(ticks, f->seconds_per, &seconds) ? 0 : bez_text_time(seconds, 1, out);
}

static size_t float_text(const bez_field *f, uint64_t bits, char *out) {
  if (f->size == 2) return bez_text_half((uint16_t)bits, out);
  if (f->size == 4) {
    float value;
    uint32_t low = (uint32_t)bits;
    memcpy(&value, &low, sizeof value);
    return bez_text_float(value, out);
  }
  double value;
  memcpy(&value, &bits, sizeof value);
  return bez_text_double(value, out);
}

static size_t ucs4_text(const bez_field *f, const uint8_t *item, char *out) {
  size_t n = 0, count = f->size / 4;
  uint32_t cp;
  for (; count > 0; count--) {
    memcpy(&cp, item + (count - 1) * 4, 4);
    if (cp) break;
  }
  for (size_t i = 0; i < count; i++) {
    memcpy(&cp, item + i * 4, 4);
    if (f->swap) cp = __builtin_bswap32(cp);
    if (cp > 0x10FFFF || (cp >= 0xD800 && cp < 0xE000)) cp = 0xFFFD;
    n += bez_utf8_encode(cp, out + n);
  }
  return n;
}

size_t bez_array_cell(const bez_field *f, const uint8_t *item, char *out, const char **cell, uint32_t *len) {
  size_t n = 0;
  *cell = out;
  switch (f->kind) {
    case BEZ_ITEM_BYTES:
      for (n = f->size; n > 0 && item[n - 1] == 0; n--) {
      }
      *cell = (const char *)item;
      *len = (uint32_t)n;
      return 0;
    case BEZ_ITEM_UCS4: n = ucs4_text(f, item, out); break;
    case BEZ_ITEM_BOOL:
      n = *item ? 4 : 5;
      memcpy(out, *item ? "true" : "false", n);
      break;
    case BEZ_ITEM_INT: n = bez_text_int(signed_bits(f, item_bits(f, item)), out); break;
    case BEZ_ITEM_UINT: n = bez_text_uint(item_bits(f, item), out); break;
    case BEZ_ITEM_FLOAT: n = float_text(f, item_bits(f, item), out); break;
    case BEZ_ITEM_TIME:
    case BEZ_ITEM_SPAN: n = time_text(f, (int64_t)item_bits(f, item), out); break;
  }
  *len = (uint32_t)n;
  return n;
}

size_t bez_array_cell_room(const bez_field *f) {
  return f->kind == BEZ_ITEM_UCS4 ? f->size : BEZ_CELLTEXT_MAX;
}

static bez_status push_rows(const push *p, worker *w, uint64_t rows, bez_tile *out, bez_error *err) {
  for (uint64_t r = 0; r < rows; r++) {
    uint32_t c = 0;
    char *text = w->text;
    const uint8_t *block = w->block;
    for (size_t i = 0; i < p->n_arrays; i++) {
      const bez_array *a = &p->arrays[i];
      for (uint32_t f = 0; f < a->n_fields; f++, c++)
        text +=
            bez_array_cell(&a->fields[f], block + field_at(a, f, rows) + r * a->stride, text, &w->cell[c], &w->len[c]);
      block += rows * array_row_bytes(a);
    }
    bez_status st = bez_tile_row(out, w->cell, w->len, p->n_cells, err);
    if (st != BEZ_OK) return st;
  }
  return BEZ_OK;
}

static bez_status push_tile(void *ctx, uint64_t i_tile, unsigned worker_no, bez_error *err) {
  push *p = ctx;
  uint64_t tile = p->first_tile + i_tile;
  worker *w = &p->workers[worker_no];
  uint64_t row = tile * p->tile_rows, rows = p->n_rows - row < p->tile_rows ? p->n_rows - row : p->tile_rows;
  uint8_t *block = w->block;
  bez_tile *out = NULL;
  for (size_t i = 0; i < p->n_arrays; i++) {
    bez_status st = load(p, &p->arrays[i], row, rows, block, err);
    if (st != BEZ_OK) return st;
    block += rows * array_row_bytes(&p->arrays[i]);
  }
  bez_status st = bez_builder_tile(p->builder, tile, worker_no, &out, err);
  if (st != BEZ_OK) return st;
  st = push_rows(p, w, rows, out, err);
  if (st == BEZ_OK) return bez_tile_end(out, err);
  bez_tile_abandon(out);
  return st;
}

/* Sizes, checked: everything here is bounded by the file's own size and by limits.h. */
static bez_status measure(push *p, bez_error *err) {
  for (size_t i = 0; i < p->n_arrays; i++) {
    const bez_array *a = &p->arrays[i];
    p->row_bytes += array_row_bytes(a);
    p->n_cells += a->n_fields;
    for (uint32_t f = 0; f < a->n_fields; f++) p->text_bytes += bez_array_cell_room(&a->fields[f]);
    if (p->n_cells > BEZ_MAX_COLUMNS)
      return bez_fail(err, BEZ_LIMIT, p->source->path, "more than %u columns", BEZ_MAX_COLUMNS);
    if (p->row_bytes > BEZ_MAX_RECORD || p->text_bytes > BEZ_MAX_RECORD)
      return bez_fail(err, BEZ_LIMIT, p->source->path, "a row is longer than %u bytes", BEZ_MAX_RECORD);
  }
  if (p->row_bytes == 0) return bez_fail(err, BEZ_FORMAT, p->source->path, "the array has no columns");
  p->n_rows = p->arrays[0].n_rows;
  p->tile_rows = TILE_BYTES / p->row_bytes;
  if (p->tile_rows > TILE_ROWS) p->tile_rows = TILE_ROWS;
  if (p->tile_rows == 0) p->tile_rows = 1;
  p->n_tiles = (p->n_rows + p->tile_rows - 1) / p->tile_rows;
  return BEZ_OK;
}

static bez_status make_workers(push *p, bez_error *err) {
  uint64_t rows = p->n_rows < p->tile_rows ? p->n_rows : p->tile_rows;
  p->workers = calloc(p->n_workers, sizeof *p->workers);
  if (!p->workers) return bez_fail_memory(err, p->n_workers * sizeof *p->workers);
  for (unsigned i = 0; i < p->n_workers; i++) {
    worker *w = &p->workers[i];
    w->block = malloc(rows * p->row_bytes + 1);
    w->text = malloc(p->text_bytes + 1);
    w->cell = calloc(p->n_cells, sizeof *w->cell);
    w->len = calloc(p->n_cells, sizeof *w->len);
    if (!w->block || !w->text || !w->cell || !w->len) return bez_fail_memory(err, rows * p->row_bytes + p->text_bytes);
  }
  return BEZ_OK;
}

static bez_status declare(const push *p, const char *format, bez_error *err) {
  const char **names = calloc(p->n_cells, sizeof *names);
  if (!names) return bez_fail_memory(err, p->n_cells * sizeof *names);
  uint32_t c = 0;
  for (size_t i = 0; i < p->n_arrays; i++)
    for (uint32_t f = 0; f < p->arrays[i].n_fields; f++) names[c++] = p->arrays[i].fields[f].name;
  bez_status st = bez_builder_columns(p->builder, p->source->path, names, NULL, p->n_cells, err);
  free(names);
  if (st != BEZ_OK) return st;
  return bez_builder_begin_file(p->builder, p->source->path, format, p->source->size, err);
}

bez_status bez_arrays_push(const bez_source *source, const char *format, const bez_array *arrays, size_t n,
                           bez_builder *builder, bez_error *err) {
  bez_status st = BEZ_OK;
  push p = {.source = source, .arrays = arrays, .n_arrays = n, .builder = builder};
  uint64_t end;
  p.n_workers = bez_builder_threads(builder);
  BEZ_TRY(measure(&p, err));
  BEZ_TRY(make_workers(&p, err));
  BEZ_TRY(declare(&p, format, err));
  bez_watch watch = bez_builder_watch(builder, "reading");
  bez_builder_part(builder, p.n_tiles, &p.first_tile, &end);
  BEZ_TRY(bez_parallel_watched(end - p.first_tile, p.n_workers, &watch, push_tile, &p, err));
  BEZ_TRY(bez_builder_end_file(builder, end - p.first_tile, err));
cleanup:
  for (unsigned i = 0; p.workers && i < p.n_workers; i++) {
    free(p.workers[i].block);
    free(p.workers[i].text);
    free(p.workers[i].cell);
    free(p.workers[i].len);
  }
  free(p.workers);
  return st;
}
