/* The table builder, second half: from tiles of worker codes to the finished table.
 *
 *   1 tiles in file order; with --sample the rows that stay
 *   2 per column: rows per worker code, dictionaries of all workers merged, statistics     (columns in parallel)
 *   3 types, roles, label                                                                    (types.c)
 *   4 per column: values sorted, final codes given, value arrays filled                      (columns in parallel)
 *   5 per tile: codes rewritten into the final arrays, text copied, the tile freed           (tiles in parallel) */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/rng.h"
#include "base/threads.h"
#include "format/builder_internal.h"
#include "format/cell.h"

#define STREAM_SAMPLE 0x73616d706c65ull /* random stream of --sample */

typedef struct column_work {
  bez_value_info *values; /* distinct values that occur */
  uint32_t n_values;
  bez_dict merged;    /* bytes → index into values; only with several workers */
  uint32_t *final_of; /* value index → final code */
} column_work;

typedef struct finish {
  bez_builder *b;
  bez_table *table;
  bez_tile **tiles; /* those that count, in order */
  size_t n_tiles;
  uint8_t *keep; /* per row seen, NULL: all */
  column_work *work;
  bez_column_stats *stats;
} finish;

static int tile_order(const void *a, const void *b) {
  const bez_tile *x = *(bez_tile *const *)a, *y = *(bez_tile *const *)b;
  if (x->file != y->file) return x->file < y->file ? -1 : 1;
  return x->tile < y->tile ? -1 : x->tile > y->tile;
}

static bez_status order_tiles(finish *f, bez_error *err) {
  bez_builder *b = f->b;
  f->tiles = calloc(b->n_tiles + 1, sizeof *f->tiles);
  if (!f->tiles) return bez_fail_memory(err, b->n_tiles * sizeof *f->tiles);
  for (size_t i = 0; i < b->n_tiles; i++)
    if (!b->tiles[i]->dropped) f->tiles[f->n_tiles++] = b->tiles[i];
  if (f->n_tiles) qsort(f->tiles, f->n_tiles, sizeof *f->tiles, tile_order);
  uint64_t rows = 0;
  for (size_t i = 0; i < f->n_tiles; i++) {
    bez_tile *t = f->tiles[i];
    if (t->open) return bez_fail(err, BEZ_INTERNAL, NULL, "a tile was left open");
    t->first_row = rows;
    b->files[t->file].n_rows += t->n_rows;
    rows += t->n_rows;
  }
  if (rows >= UINT32_MAX)
    return bez_fail(err, BEZ_LIMIT, NULL, "%llu rows; one scan holds %u", (unsigned long long)rows, UINT32_MAX - 1);
  f->table->n_rows = f->table->n_rows_seen = rows;
  uint64_t first = 0;
  for (size_t i = 0; i < b->n_files; i++) {
    b->files[i].first_row = first;
    first += b->files[i].n_rows;
  }
  return BEZ_OK;
}

/* Sequential selection sampling (Knuth, The Art of Computer Programming 2, 3.4.2, algorithm S): exactly n rows,
 * every subset equally likely. */
static bez_status choose_sample(finish *f, bez_error *err) {
  bez_table *table = f->table;
  uint64_t want = f->b->options.sample, rows = table->n_rows_seen, taken = 0;
  if (want == 0 || want >= rows) return BEZ_OK;
  f->keep = calloc(rows, 1);
  if (!f->keep) return bez_fail_memory(err, rows);
  uint64_t *sampled;
  bez_status st = bez_owned_alloc(table, want * sizeof *sampled, &sampled, err);
  if (st != BEZ_OK) return st;
  bez_rng rng = bez_rng_make(f->b->options.seed, STREAM_SAMPLE);
  for (uint64_t row = 0; row < rows && taken < want; row++)
    if (bez_rng_below(&rng, rows - row) < want - taken) {
      f->keep[row] = 1;
      sampled[taken++] = row;
    }
  table->sampled_row = sampled;
  table->n_rows = want;
  return BEZ_OK;
}

static void place_output(finish *f) {
  uint64_t out = 0;
  for (size_t i = 0; i < f->n_tiles; i++) {
    bez_tile *t = f->tiles[i];
    t->first_out = out;
    if (!f->keep) {
      out += t->n_rows;
      continue;
    }
    for (uint32_t r = 0; r < t->n_rows; r++) out += f->keep[t->first_row + r];
  }
}

static inline uint32_t chunk_code(const void *data, unsigned width, uint32_t row) {
  switch (width) {
    case 1: return ((const uint8_t *)data)[row];
    case 2: return ((const uint16_t *)data)[row];
    default: return ((const uint32_t *)data)[row];
  }
}

static const void *chunk_data(const bez_tile *tile, uint32_t col) {
  return (const char *)tile->data + tile->chunks[col].at;
}

/* Rows per worker code of one column: counts[w][code], one block per worker. */
static void count_codes(const finish *f, uint32_t col, uint32_t *const *counts) {
  for (size_t i = 0; i < f->n_tiles; i++) {
    const bez_tile *t = f->tiles[i];
    uint32_t *count = counts[t->worker];
    const void *data = chunk_data(t, col);
    unsigned width = t->chunks[col].width;
    const uint8_t *keep = f->keep ? f->keep + t->first_row : NULL;
    for (uint32_t r = 0; r < t->n_rows; r++)
      if (!keep || keep[r]) count[chunk_code(data, width, r)]++;
  }
}

/* Values of one worker's dictionary that occur join the column's; lane->remap says where. */
static bez_status merge_lane(column_work *work, bez_lane *lane, const uint32_t *count, bool alone, bez_error *err) {
  lane->remap = malloc(((size_t)lane->dict.n + 1) * sizeof *lane->remap);
  if (!lane->remap) return bez_fail_memory(err, lane->dict.n * sizeof *lane->remap);
  for (uint64_t i = 0; lane->dict.slots && i <= lane->dict.mask; i++) {
    const bez_dict_slot *slot = &lane->dict.slots[i];
    if (!slot->code1 || !count[slot->code1 - 1]) continue;
    const char *bytes = bez_dict_bytes(&lane->dict, slot);
    uint32_t at = alone ? work->n_values : bez_dict_put(&work->merged, bytes, slot->len);
    if (at == BEZ_DICT_NONE) return bez_fail_memory(err, slot->len);
    if (at == work->n_values) work->values[work->n_values++] = (bez_value_info){.bytes = bytes, .len = slot->len};
    work->values[at].count += count[slot->code1 - 1];
    lane->remap[slot->code1 - 1] = at;
  }
  return BEZ_OK;
}

static bez_status merge_column(finish *f, uint32_t col, bez_error *err) {
  bez_builder *b = f->b;
  column_work *work = &f->work[col];
  bez_status st = BEZ_OK;
  uint32_t **counts = calloc(b->threads, sizeof *counts);
  if (!counts) return bez_fail_memory(err, b->threads * sizeof *counts);
  uint64_t total = 0;
  unsigned with_values = 0;
  for (unsigned w = 0; w < b->threads; w++) {
    const bez_dict *dict = &b->workers[w].lanes[col].dict;
    total += dict->n;
    with_values += dict->n > 0;
    counts[w] = calloc((size_t)dict->n + 1, sizeof **counts);
    if (!counts[w]) {
      st = bez_fail_memory(err, dict->n * sizeof **counts);
      goto cleanup;
    }
  }
  count_codes(f, col, counts);
  work->merged.seed[0] = bez_mix64((uint64_t)(uintptr_t)f ^ col);
  work->merged.seed[1] = bez_mix64(work->merged.seed[0] + 1);
  work->values = malloc((total + 1) * sizeof *work->values);
  if (!work->values) {
    st = bez_fail_memory(err, total * sizeof *work->values);
    goto cleanup;
  }
  for (unsigned w = 0; w < b->threads; w++)
    BEZ_TRY(merge_lane(work, &b->workers[w].lanes[col], counts[w], with_values <= 1, err));
cleanup:
  for (unsigned w = 0; w < b->threads; w++) free(counts[w]);
  free(counts);
  return st;
}

static uint32_t count_words(const char *p, uint32_t len) {
  uint32_t words = 0;
  bool inside = false;
  for (uint32_t i = 0; i < len; i++) {
    bool space = p[i] == ' ' || p[i] == '\n' || p[i] == '\t' || p[i] == '\r';
    words += !space && !inside;
    inside = !space;
  }
  return words;
}

static void add_value(bez_column_stats *s, bez_value_info *v) {
  v->number = NAN;
  if (bez_cell_is_missing(v->bytes, v->len)) {
    s->n_missing += v->count;
    return;
  }
  bez_number_form form;
  s->n_present += v->count;
  s->n_distinct++;
  s->length += (uint64_t)v->len * v->count;
  if (v->len > s->longest) s->longest = v->len;
  double time;
  if (bez_parse_number(v->bytes, v->len, &v->number, &form)) {
    s->n_number += v->count;
    s->n_integer += form.integer ? v->count : 0;
    s->n_distinct_number++;
    s->words += v->count;
    return;
  }
  v->number = NAN;
  if (bez_parse_time(v->bytes, v->len, &time)) {
    v->number = time;
    s->n_time += v->count;
  }
  s->words += (uint64_t)count_words(v->bytes, v->len) * v->count;
}

/* In which direction numbers go from row to row, for columns of nearly distinct integers only. */
static void count_steps(const finish *f, uint32_t col, bez_column_stats *s) {
  double last = NAN;
  for (size_t i = 0; i < f->n_tiles; i++) {
    const bez_tile *t = f->tiles[i];
    const uint32_t *remap = f->b->workers[t->worker].lanes[col].remap;
    const void *data = chunk_data(t, col);
    for (uint32_t r = 0; r < t->n_rows; r++) {
      if (f->keep && !f->keep[t->first_row + r]) continue;
      double x = f->work[col].values[remap[chunk_code(data, t->chunks[col].width, r)]].number;
      if (isnan(x)) continue;
      if (!isnan(last)) {
        s->n_steps++;
        s->n_up += x > last;
        s->n_down += x < last;
      }
      last = x;
    }
  }
}

static bez_status survey_column(void *ctx, uint64_t col, unsigned worker, bez_error *err) {
  finish *f = ctx;
  bez_column_stats *s = &f->stats[col];
  bez_status st = merge_column(f, (uint32_t)col, err);
  if (st != BEZ_OK) return st;
  s->n_rows = f->table->n_rows;
  for (uint32_t i = 0; i < f->work[col].n_values; i++) add_value(s, &f->work[col].values[i]);
  if (s->n_integer == s->n_present && s->n_distinct >= 20 && s->n_distinct * 20 >= s->n_present * 19)
    count_steps(f, (uint32_t)col, s);
  return BEZ_OK;
}

static int by_bytes(const bez_value_info *x, const bez_value_info *y) {
  int d = memcmp(x->bytes, y->bytes, x->len < y->len ? x->len : y->len);
  return d ? d : x->len < y->len ? -1 : x->len > y->len;
}

static int value_bytes_order(const void *a, const void *b) {
  return by_bytes(*(bez_value_info *const *)a, *(bez_value_info *const *)b);
}

/* By number, those without one behind all others, ties by bytes. */
static int value_number_order(const void *a, const void *b) {
  const bez_value_info *x = *(bez_value_info *const *)a, *y = *(bez_value_info *const *)b;
  bool nan_x = isnan(x->number), nan_y = isnan(y->number);
  if (nan_x != nan_y) return nan_x ? 1 : -1;
  if (!nan_x && x->number != y->number) return x->number < y->number ? -1 : 1;
  return by_bytes(x, y);
}

static bool has_numbers(const bez_column *col) {
  return col->type == BEZ_COL_NUMERIC || col->type == BEZ_COL_TIME;
}

/* Cells of another kind in a numeric or time column carry no number. */
static void settle_numbers(const bez_column *col, column_work *work) {
  double unused;
  for (uint32_t i = 0; i < work->n_values; i++) {
    bez_value_info *v = &work->values[i];
    if (isnan(v->number)) continue;
    bool time = !bez_parse_number(v->bytes, v->len, &unused, NULL);
    if (time != (col->type == BEZ_COL_TIME)) v->number = NAN;
  }
}

/* Sorted pointers to the values that get a code of their own. */
static bez_status rank_values(bez_column *col, column_work *work, bez_value_info ***out, uint32_t *n, bez_error *err) {
  bez_value_info **order = malloc(((size_t)work->n_values + 1) * sizeof *order);
  work->final_of = malloc(((size_t)work->n_values + 1) * sizeof *work->final_of);
  *out = order;
  if (!order || !work->final_of) return bez_fail_memory(err, work->n_values * sizeof *order);
  uint64_t distinct = 0;
  for (uint32_t i = 0; i < work->n_values; i++)
    distinct += !bez_cell_is_missing(work->values[i].bytes, work->values[i].len);
  col->truncated = distinct > BEZ_MAX_DICT;
  *n = 0;
  for (uint32_t i = 0; i < work->n_values; i++) {
    bez_value_info *v = &work->values[i];
    work->final_of[i] = BEZ_CODE_RARE;
    if (bez_cell_is_missing(v->bytes, v->len))
      work->final_of[i] = BEZ_CODE_MISSING;
    else if (!col->truncated || v->count >= 4)
      order[(*n)++] = v;
  }
  if (has_numbers(col)) settle_numbers(col, work);
  if (*n) qsort(order, *n, sizeof *order, has_numbers(col) ? value_number_order : value_bytes_order);
  for (uint32_t k = 0; k < *n; k++) work->final_of[order[k] - work->values] = k + BEZ_CODE_FIRST;
  return BEZ_OK;
}

static bez_status fill_values(bez_table *table, bez_column *col, const column_work *work, bez_value_info *const *order,
                              uint32_t n, bez_error *err) {
  static const char rare[] = "(rare)";
  bez_status st;
  uint64_t bytes = sizeof rare - 1, *at;
  for (uint32_t k = 0; k < n; k++) bytes += order[k]->len;
  char *text;
  double *number = NULL;
  uint32_t *count;
  BEZ_TRY(bez_owned_alloc(table, ((uint64_t)n + BEZ_CODE_FIRST + 1) * sizeof *at, &at, err));
  BEZ_TRY(bez_owned_alloc(table, bytes + 1, &text, err));
  BEZ_TRY(bez_owned_alloc(table, ((uint64_t)n + BEZ_CODE_FIRST) * sizeof *count, &count, err));
  if (has_numbers(col)) BEZ_TRY(bez_owned_alloc(table, ((uint64_t)n + BEZ_CODE_FIRST) * sizeof *number, &number, err));
  memcpy(text, rare, sizeof rare - 1);
  at[BEZ_CODE_FIRST] = sizeof rare - 1;
  if (number) number[BEZ_CODE_MISSING] = number[BEZ_CODE_RARE] = NAN;
  for (uint32_t i = 0; i < work->n_values; i++)
    if (work->final_of[i] < BEZ_CODE_FIRST) count[work->final_of[i]] += work->values[i].count;
  for (uint32_t k = 0; k < n; k++) {
    uint32_t code = k + BEZ_CODE_FIRST;
    memcpy(text + at[code], order[k]->bytes, order[k]->len);
    at[code + 1] = at[code] + order[k]->len;
    count[code] = order[k]->count;
    if (number) number[code] = order[k]->number;
  }
  col->n_values = n + BEZ_CODE_FIRST;
  col->value_at = at;
  col->value_bytes = text;
  col->number = number;
  col->count = count;
cleanup:
  return st;
}

static bez_status code_column(finish *f, bez_column *col, column_work *work, bez_error *err) {
  bez_status st;
  bez_value_info **order = NULL;
  uint32_t n = 0;
  void *codes;
  BEZ_TRY(rank_values(col, work, &order, &n, err));
  BEZ_TRY(fill_values(f->table, col, work, order, n, err));
  col->width = col->n_values <= 1u << 8 ? 1 : col->n_values <= 1u << 16 ? 2 : 4;
  BEZ_TRY(bez_owned_alloc(f->table, f->table->n_rows * col->width, &codes, err));
  col->codes = codes;
  if (col->truncated && has_numbers(col)) {
    float *raw;
    BEZ_TRY(bez_owned_alloc(f->table, f->table->n_rows * sizeof *raw, &raw, err));
    col->raw = raw;
  }
cleanup:
  free(order);
  return st;
}

/* Offsets of a text column, rows in order. */
static bez_status lay_out_text(finish *f, uint32_t c, bez_error *err) {
  bez_column *col = &f->table->cols[c];
  uint64_t *at, bytes = 0, out = 0;
  bez_status st = bez_owned_alloc(f->table, (f->table->n_rows + 1) * sizeof *at, &at, err);
  if (st != BEZ_OK) return st;
  for (size_t i = 0; i < f->n_tiles; i++) {
    const bez_tile *t = f->tiles[i];
    const uint32_t *remap = f->b->workers[t->worker].lanes[c].remap;
    const void *data = chunk_data(t, c);
    for (uint32_t r = 0; r < t->n_rows; r++) {
      if (f->keep && !f->keep[t->first_row + r]) continue;
      bytes += f->work[c].values[remap[chunk_code(data, t->chunks[c].width, r)]].len;
      at[++out] = bytes;
    }
  }
  char *text;
  st = bez_owned_alloc(f->table, bytes + 1, &text, err);
  col->text_at = at;
  col->text_bytes = text;
  return st;
}

static bez_status rank_column(void *ctx, uint64_t c, unsigned worker, bez_error *err) {
  finish *f = ctx;
  bez_column *col = &f->table->cols[c];
  col->n_missing = f->stats[c].n_missing;
  col->n_distinct = f->stats[c].n_distinct;
  if (col->type == BEZ_COL_IDENTIFIER) return BEZ_OK;
  if (col->type == BEZ_COL_TEXT) return lay_out_text(f, (uint32_t)c, err);
  return code_column(f, col, &f->work[c], err);
}

static inline void put_code(bez_column *col, uint64_t row, uint32_t code) {
  switch (col->width) {
    case 1: ((uint8_t *)(uintptr_t)col->codes)[row] = (uint8_t)code; break;
    case 2: ((uint16_t *)(uintptr_t)col->codes)[row] = (uint16_t)code; break;
    default: ((uint32_t *)(uintptr_t)col->codes)[row] = code;
  }
}

static void write_chunk(finish *f, const bez_tile *t, uint32_t c) {
  bez_column *col = &f->table->cols[c];
  const column_work *work = &f->work[c];
  const uint32_t *remap = f->b->workers[t->worker].lanes[c].remap;
  const void *data = chunk_data(t, c);
  unsigned width = t->chunks[c].width;
  uint64_t out = t->first_out;
  for (uint32_t r = 0; r < t->n_rows; r++) {
    if (f->keep && !f->keep[t->first_row + r]) continue;
    uint32_t at = remap[chunk_code(data, width, r)];
    if (col->text_at) {
      memcpy((char *)(uintptr_t)col->text_bytes + col->text_at[out], work->values[at].bytes, work->values[at].len);
    } else {
      put_code(col, out, work->final_of[at]);
      if (col->raw) ((float *)(uintptr_t)col->raw)[out] = (float)work->values[at].number;
    }
    out++;
  }
}

static bez_status write_tile(void *ctx, uint64_t i, unsigned worker, bez_error *err) {
  finish *f = ctx;
  bez_tile *t = f->tiles[i];
  for (uint32_t c = 0; c < f->table->n_cols; c++)
    if (f->table->cols[c].type != BEZ_COL_IDENTIFIER) write_chunk(f, t, c);
  if (t->store.data)
    bez_store_free(&t->store);
  else
    free(t->data);
  t->data = NULL;
  t->store.data = NULL;
  return BEZ_OK;
}

static bez_status describe_table(finish *f, bez_error *err) {
  bez_table *table = f->table;
  bez_builder *b = f->b;
  table->n_cols = b->n_cols;
  table->n_files = b->n_files;
  table->cols = bez_arena_array(&table->arena, b->n_cols, sizeof *table->cols);
  table->files = bez_arena_array(&table->arena, b->n_files, sizeof *table->files);
  f->work = calloc(b->n_cols + 1, sizeof *f->work);
  f->stats = calloc(b->n_cols + 1, sizeof *f->stats);
  if (!table->cols || !table->files || !f->work || !f->stats) return bez_fail_memory(err, b->n_cols);
  for (uint32_t c = 0; c < b->n_cols; c++) {
    table->cols[c].name = bez_arena_strdup(&table->arena, b->names[c]);
    if (!table->cols[c].name) return bez_fail_memory(err, strlen(b->names[c]));
  }
  for (size_t i = 0; i < b->n_files; i++) {
    table->files[i] = b->files[i];
    table->files[i].path = bez_arena_strdup(&table->arena, b->files[i].path);
    if (!table->files[i].path) return bez_fail_memory(err, strlen(b->files[i].path));
  }
  return BEZ_OK;
}

bez_status bez_builder_finish(bez_builder *b, bez_table **out, bez_error *err) {
  bez_status st = BEZ_OK;
  finish f = {.b = b, .table = b->table};
  *out = NULL;
  if (!b->n_cols) {
    st = bez_fail(err, BEZ_FORMAT, b->n_files ? b->files[0].path : NULL, "no columns");
    goto cleanup;
  }
  BEZ_TRY(bez_owned_create(f.table, err));
  BEZ_TRY(order_tiles(&f, err));
  BEZ_TRY(choose_sample(&f, err));
  BEZ_TRY(describe_table(&f, err));
  place_output(&f);
  BEZ_TRY(bez_parallel(b->n_cols, b->threads, survey_column, &f, err));
  BEZ_TRY(bez_infer_columns(f.table, &b->options, f.stats, err));
  BEZ_TRY(bez_parallel(b->n_cols, b->threads, rank_column, &f, err));
  BEZ_TRY(bez_parallel(f.n_tiles, b->threads, write_tile, &f, err));
  *out = f.table;
  b->table = NULL;
cleanup:
  for (uint32_t c = 0; f.work && c < b->n_cols; c++) {
    free(f.work[c].values);
    free(f.work[c].final_of);
    bez_dict_free(&f.work[c].merged);
  }
  free(f.work);
  free(f.stats);
  free(f.keep);
  free(f.tiles);
  bez_builder_destroy(b);
  return st;
}
