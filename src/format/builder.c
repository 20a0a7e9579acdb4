/* The table builder, first half: columns, files, tiles and cells, from any number of threads. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/threads.h"
#include "format/builder_internal.h"

#define SMALL_TILE (128u << 10) /* tiles below this many bytes are plain allocations */

bez_status bez_builder_create(const bez_read_options *options, bez_builder **out, bez_error *err) {
  *out = NULL;
  bez_builder *b = calloc(1, sizeof *b);
  if (!b) return bez_fail_memory(err, sizeof *b);
  pthread_mutex_init(&b->lock, NULL);
  if (options) b->options = *options;
  b->threads = b->options.threads ? b->options.threads : bez_cpu_count();
  if (b->threads > BEZ_MAX_THREADS) b->threads = BEZ_MAX_THREADS;
  b->workers = calloc(b->threads, sizeof *b->workers);
  b->table = calloc(1, sizeof *b->table);
  if (!b->workers || !b->table) {
    bez_builder_destroy(b);
    return bez_fail_memory(err, sizeof *b->table);
  }
  b->table->budget.bytes = b->options.memory ? b->options.memory : (uint64_t)2 << 30;
  *out = b;
  return BEZ_OK;
}

static void free_tile_data(bez_tile *tile) {
  if (tile->store.data)
    bez_store_free(&tile->store);
  else
    free(tile->data);
  tile->data = NULL;
}

static void free_tile(bez_tile *tile) {
  if (!tile) return;
  free_tile_data(tile);
  free(tile->chunks);
  free(tile);
}

void bez_builder_destroy(bez_builder *b) {
  if (!b) return;
  for (size_t i = 0; i < b->n_tiles; i++) free_tile(b->tiles[i]);
  free(b->tiles);
  for (unsigned w = 0; b->workers && w < b->threads; w++) {
    for (uint32_t c = 0; b->workers[w].lanes && c < b->n_cols; c++) {
      bez_lane *lane = &b->workers[w].lanes[c];
      bez_dict_free(&lane->dict);
      free(lane->codes);
      free(lane->remap);
    }
    free(b->workers[w].lanes);
  }
  free(b->workers);
  free(b->names);
  free(b->map);
  free(b->files);
  bez_arena_free(&b->arena);
  bez_table_destroy(b->table);
  pthread_mutex_destroy(&b->lock);
  free(b);
}

bez_budget *bez_builder_budget(bez_builder *b) {
  return &b->table->budget;
}

unsigned bez_builder_threads(const bez_builder *b) {
  return b->threads;
}

void bez_builder_progress(const bez_builder *b, bez_progress_fn *fn, void **ctx) {
  *fn = b->options.progress;
  *ctx = b->options.progress_ctx;
}

static bez_status first_columns(bez_builder *b, const char *const *names, const size_t *len, uint32_t n,
                                bez_error *err) {
  b->names = calloc(n, sizeof *b->names);
  b->map = calloc(n, sizeof *b->map);
  if (!b->names || !b->map) return bez_fail_memory(err, n * sizeof *b->names);
  for (uint32_t c = 0; c < n; c++) {
    b->names[c] = bez_arena_strndup(&b->arena, names[c], len ? len[c] : strlen(names[c]));
    if (!b->names[c]) return bez_fail_memory(err, 1);
    b->map[c] = c;
  }
  b->n_cols = b->n_map = n;
  for (unsigned w = 0; w < b->threads; w++) {
    b->workers[w].lanes = calloc(n, sizeof(bez_lane));
    if (!b->workers[w].lanes) return bez_fail_memory(err, n * sizeof(bez_lane));
    for (uint32_t c = 0; c < n; c++)
      for (unsigned k = 0; k < 2; k++)
        b->workers[w].lanes[c].dict.seed[k] = bez_mix64(((uint64_t)(uintptr_t)b ^ c) * 2 + k + 0x9e3779b97f4a7c15ull);
  }
  return BEZ_OK;
}

static int find_name(const bez_builder *b, const char *name, size_t len, uint32_t hint) {
  for (uint32_t i = 0; i < b->n_cols; i++) { /* the hint is right but for files that shuffle their columns */
    uint32_t c = (hint + i) % b->n_cols;
    if (strlen(b->names[c]) == len && !memcmp(b->names[c], name, len)) return (int)c;
  }
  return -1;
}

bez_status bez_builder_columns(bez_builder *b, const char *path, const char *const *names, const size_t *len,
                               uint32_t n, bez_error *err) {
  if (n == 0) return bez_fail(err, BEZ_FORMAT, path, "no columns");
  if (n > BEZ_MAX_COLUMNS) return bez_fail(err, BEZ_LIMIT, path, "%u columns, at most %u are read", n, BEZ_MAX_COLUMNS);
  for (uint32_t c = 0; c < n; c++)
    if ((len ? len[c] : strlen(names[c])) > BEZ_MAX_NAME)
      return bez_fail(err, BEZ_LIMIT, path, "the name of column %u is longer than %u bytes", c + 1, BEZ_MAX_NAME);
  if (!b->n_cols) return first_columns(b, names, len, n, err);
  if (n != b->n_cols)
    return bez_fail(err, BEZ_FORMAT, path, "%u columns where %s has %u: files of one data set must be alike", n,
                    b->files[0].path, b->n_cols);
  for (uint32_t c = 0; c < n; c++) {
    size_t bytes = len ? len[c] : strlen(names[c]);
    int to = find_name(b, names[c], bytes, c);
    if (to < 0)
      return bez_fail(err, BEZ_FORMAT, path, "column \"%.*s\" is not in %s: files of one data set must be alike",
                      (int)(bytes < 100 ? bytes : 100), names[c], b->files[0].path);
    for (uint32_t i = 0; i < c; i++)
      if (b->map[i] == (uint32_t)to)
        return bez_fail(err, BEZ_FORMAT, path, "column \"%.*s\" stands twice", (int)(bytes < 100 ? bytes : 100),
                        names[c]);
    b->map[c] = (uint32_t)to;
  }
  return BEZ_OK;
}

bez_status bez_builder_begin_file(bez_builder *b, const char *path, const char *format, uint64_t bytes,
                                  bez_error *err) {
  if (b->n_files >= BEZ_MAX_FILES)
    return bez_fail(err, BEZ_LIMIT, path, "more than %u files in one data set", BEZ_MAX_FILES);
  if (b->n_files == b->cap_files) {
    size_t cap = b->cap_files ? b->cap_files * 2 : 8;
    bez_table_file *files = realloc(b->files, cap * sizeof *files);
    if (!files) return bez_fail_memory(err, cap * sizeof *files);
    b->files = files;
    b->cap_files = cap;
  }
  bez_table_file file = {.path = bez_arena_strdup(&b->arena, path), .format = format, .bytes = bytes};
  if (!file.path) return bez_fail_memory(err, strlen(path));
  b->files[b->n_files++] = file;
  b->table->bytes_read += bytes;
  return BEZ_OK;
}

bez_status bez_builder_end_file(bez_builder *b, uint64_t n_tiles, bez_error *err) {
  uint64_t found = 0;
  for (size_t i = b->n_tiles; i-- > 0 && b->tiles[i]->file == b->n_files - 1;)
    found += !b->tiles[i]->dropped && !b->tiles[i]->open;
  if (found != n_tiles)
    return bez_fail(err, BEZ_INTERNAL, b->files[b->n_files - 1].path, "%llu of %llu tiles arrived",
                    (unsigned long long)found, (unsigned long long)n_tiles);
  return BEZ_OK;
}

bez_status bez_builder_tile(bez_builder *b, uint64_t tile, unsigned worker, bez_tile **out, bez_error *err) {
  *out = NULL;
  bez_tile *t = calloc(1, sizeof *t);
  if (!t) return bez_fail_memory(err, sizeof *t);
  *t = (bez_tile){.builder = b, .tile = tile, .file = b->n_files - 1, .worker = worker, .open = true};
  bez_status st = BEZ_OK;
  pthread_mutex_lock(&b->lock);
  if (b->n_tiles == b->cap_tiles) {
    size_t cap = b->cap_tiles ? b->cap_tiles * 2 : 64;
    bez_tile **tiles = realloc(b->tiles, cap * sizeof *tiles);
    if (tiles) {
      b->tiles = tiles;
      b->cap_tiles = cap;
    } else {
      st = bez_fail_memory(err, cap * sizeof *tiles);
    }
  }
  if (st == BEZ_OK) b->tiles[b->n_tiles++] = t;
  pthread_mutex_unlock(&b->lock);
  if (st != BEZ_OK) {
    free(t);
    return st;
  }
  *out = t;
  return BEZ_OK;
}

static bez_status more_rows(bez_builder *b, bez_worker *w, uint32_t want, bez_error *err) {
  uint32_t cap = w->cap_rows ? w->cap_rows : 256;
  while (cap < want) cap *= 2;
  for (uint32_t c = 0; c < b->n_cols; c++) {
    uint32_t *codes = realloc(w->lanes[c].codes, cap * sizeof *codes);
    if (!codes) return bez_fail_memory(err, cap * sizeof *codes);
    w->lanes[c].codes = codes;
  }
  w->cap_rows = cap;
  return BEZ_OK;
}

bez_status bez_tile_row(bez_tile *tile, const char *const *cells, const uint32_t *len, uint32_t n, bez_error *err) {
  bez_builder *b = tile->builder;
  bez_worker *w = &b->workers[tile->worker];
  if (tile->n_rows == w->cap_rows) {
    bez_status st = more_rows(b, w, tile->n_rows + 1, err);
    if (st != BEZ_OK) return st;
  }
  for (uint32_t i = 0; i < b->n_map; i++) {
    bez_lane *lane = &w->lanes[b->map[i]];
    bool given = i < n && cells[i];
    uint32_t code = bez_dict_put(&lane->dict, given ? cells[i] : "", given ? len[i] : 0);
    if (code == BEZ_DICT_NONE) return bez_fail_memory(err, given ? len[i] : 0);
    lane->codes[tile->n_rows] = code;
  }
  tile->n_rows++;
  return BEZ_OK;
}

/* Large dictionaries live in memory, not in the caches: ask for all slots of a batch before looking at any. */
#define BATCH 64u
#define LARGE_DICT (1u << 14)

static bool push_prefetched(bez_dict *dict, const char *base, const bez_cell_span *spans, uint32_t n_rows,
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

static bool push_codes(bez_dict *dict, const char *base, const bez_cell_span *spans, uint32_t n_rows, uint32_t stride,
                       uint32_t *codes) {
  if (dict->n > LARGE_DICT) return push_prefetched(dict, base, spans, n_rows, stride, codes);
  for (uint32_t r = 0; r < n_rows; r++) {
    const bez_cell_span *span = &spans[(size_t)r * stride];
    codes[r] = bez_dict_put_padded(dict, base + span->begin, span->len);
    if (codes[r] == BEZ_DICT_NONE) return false;
  }
  return true;
}

bez_status bez_tile_spans(bez_tile *tile, const char *base, const bez_cell_span *spans, uint32_t n_rows,
                          bez_error *err) {
  bez_builder *b = tile->builder;
  bez_worker *w = &b->workers[tile->worker];
  if (n_rows > w->cap_rows - tile->n_rows) {
    bez_status st = more_rows(b, w, tile->n_rows + n_rows, err);
    if (st != BEZ_OK) return st;
  }
  for (uint32_t c = 0; c < b->n_map; c++) {
    bez_lane *lane = &w->lanes[b->map[c]];
    if (!push_codes(&lane->dict, base, spans + c, n_rows, b->n_map, lane->codes + tile->n_rows))
      return bez_fail_memory(err, (lane->dict.mask + 1) * sizeof *lane->dict.slots);
  }
  tile->n_rows += n_rows;
  return BEZ_OK;
}

static void pack(void *out, const uint32_t *codes, uint32_t n, unsigned width) {
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

bez_status bez_tile_end(bez_tile *tile, bez_error *err) {
  bez_builder *b = tile->builder;
  bez_worker *w = &b->workers[tile->worker];
  tile->chunks = calloc(b->n_cols, sizeof *tile->chunks);
  if (!tile->chunks) return bez_fail_memory(err, b->n_cols * sizeof *tile->chunks);
  uint64_t bytes = 0;
  for (uint32_t c = 0; c < b->n_cols; c++) {
    uint32_t n = w->lanes[c].dict.n;
    tile->chunks[c].width = n <= 1u << 8 ? 1 : n <= 1u << 16 ? 2 : 4;
    tile->chunks[c].at = bytes;
    bytes += ((uint64_t)tile->n_rows * tile->chunks[c].width + 7) & ~(uint64_t)7;
  }
  if (bytes < SMALL_TILE) {
    tile->data = malloc(bytes ? bytes : 1);
    if (!tile->data) return bez_fail_memory(err, bytes);
  } else {
    bez_store_init(&tile->store, &b->table->budget);
    bez_status st = bez_store_grow(&tile->store, bytes, err);
    if (st != BEZ_OK) return st;
    tile->data = tile->store.data;
  }
  for (uint32_t c = 0; c < b->n_cols; c++)
    pack((char *)tile->data + tile->chunks[c].at, w->lanes[c].codes, tile->n_rows, tile->chunks[c].width);
  tile->open = false;
  return BEZ_OK;
}

void bez_tile_abandon(bez_tile *tile) {
  tile->dropped = true;
  tile->open = false;
  free_tile_data(tile);
}

void bez_builder_remark(bez_builder *b, const char *rule, const char *path, uint64_t count, int64_t line,
                        const char *example) {
  pthread_mutex_lock(&b->lock);
  bez_table_remark **at = &b->table->remarks, *r;
  for (; (r = *at) != NULL; at = &r->next)
    if (!strcmp(r->rule, rule) && !strcmp(r->path, path)) break;
  if (r) {
    r->count += count;
    if (line >= 0 && (r->first_line < 0 || line < r->first_line)) {
      r->first_line = line;
      r->example = bez_arena_strdup(&b->table->arena, example);
    }
  } else if ((r = bez_arena_alloc(&b->table->arena, sizeof *r)) != NULL) {
    *r = (bez_table_remark){.rule = rule, .count = count, .first_line = line};
    r->path = bez_arena_strdup(&b->table->arena, path);
    r->example = bez_arena_strdup(&b->table->arena, example);
    if (r->path) *at = r;
  }
  pthread_mutex_unlock(&b->lock);
}
