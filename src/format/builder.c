/* The table builder, first half: columns, files, tiles and cells, from any number of threads. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/limits.h"
#include "base/threads.h"
#include "format/builder_internal.h"

#define FIRST_SEGMENT ((size_t)256 << 10) /* bytes; each is twice the one before … */
#define PROFILE_ROWS 50000u               /* at the end of a file, so many rows tell what the columns are */
#define LAST_SEGMENT ((size_t)16 << 20)   /* … up to this */

bez_status bez_builder_create(const bez_read_options *options, bez_builder **out, bez_error *err) {
  *out = NULL;
  bez_builder *b = calloc(1, sizeof *b);
  if (!b) return bez_fail_memory(err, sizeof *b);
  pthread_mutex_init(&b->lock, NULL);
  bez_store_init(&b->pixels, NULL);
  bez_store_init(&b->facts, NULL);
  if (options) b->options = *options;
  b->head = BEZ_NO_HEAD;
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

void bez_segment_leave(bez_segment *segment) {
  if (!segment || --segment->users) return;
  bez_store_free(&segment->store);
  free(segment);
}

void bez_tile_free_data(bez_tile *tile) {
  bez_segment_leave(tile->segment);
  tile->segment = NULL;
  tile->data = NULL;
}

static void free_tile(bez_tile *tile) {
  if (!tile) return;
  bez_tile_free_data(tile);
  free(tile->chunks);
  free(tile);
}

void bez_builder_destroy(bez_builder *b) {
  if (!b) return;
  for (size_t i = 0; i < b->n_tiles; i++) free_tile(b->tiles[i]);
  free(b->tiles);
  for (unsigned w = 0; b->workers && w < b->threads; w++) {
    for (uint32_t c = 0; b->workers[w].lanes && c < b->n_cols; c++) {
      bez_lane_free(&b->workers[w].lanes[c]);
    }
    bez_segment_leave(b->workers[w].segment);
    free(b->workers[w].lanes);
  }
  free(b->workers);
  free(b->names);
  free(b->map);
  free(b->absent);
  free(b->plans);
  free(b->plan_type);
  free(b->plan_distinct);
  free(b->files);
  free(b->notes);
  free(b->heads);
  bez_store_free(&b->pixels);
  bez_store_free(&b->facts);
  bez_arena_free(&b->arena);
  bez_table_destroy(b->table);
  pthread_mutex_destroy(&b->lock);
  free(b);
}

bez_budget *bez_builder_budget(bez_builder *b) {
  return &b->table->budget;
}

void bez_builder_set_spool(bez_builder *b, const bez_spool *spool) {
  b->spool = spool;
}

const bez_spool *bez_builder_spool(const bez_builder *b) {
  return b->spool;
}

unsigned bez_builder_threads(const bez_builder *b) {
  return b->threads;
}

void bez_builder_progress(const bez_builder *b, bez_progress_fn *fn, void **ctx) {
  *fn = b->options.progress;
  *ctx = b->options.progress_ctx;
}

bez_watch bez_builder_watch(const bez_builder *b, const char *stage) {
  return (bez_watch){.progress = b->options.progress, .ctx = b->options.progress_ctx, .stage = stage, .unit = "tiles"};
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
    bez_file_note *notes = realloc(b->notes, cap * sizeof *notes);
    if (!notes) return bez_fail_memory(err, cap * sizeof *notes);
    b->notes = notes;
    b->cap_files = cap;
  }
  bez_table_file file = {.path = bez_arena_strdup(&b->arena, path), .format = format, .bytes = bytes};
  if (!file.path) return bez_fail_memory(err, strlen(path));
  b->notes[b->n_files] = (bez_file_note){.head = BEZ_NO_HEAD, .end = 1, .units = 1};
  b->files[b->n_files++] = file;
  b->table->bytes_read += bytes;
  return BEZ_OK;
}

bez_status bez_builder_end_file(bez_builder *b, uint64_t n_tiles, bez_error *err) {
  uint64_t found = 0, rows = 0;
  for (size_t i = b->n_tiles; i-- > 0 && b->tiles[i]->file == b->n_files - 1;)
    if (!b->tiles[i]->dropped && !b->tiles[i]->open) {
      found++;
      rows += b->tiles[i]->n_rows;
    }
  b->n_rows += rows;
  rows = b->n_rows;
  b->notes[b->n_files - 1].head = b->head;
  b->head = BEZ_NO_HEAD;
  if (found != n_tiles)
    return bez_fail(err, BEZ_INTERNAL, b->files[b->n_files - 1].path, "%llu of %llu tiles arrived",
                    (unsigned long long)found, (unsigned long long)n_tiles);
  return rows >= PROFILE_ROWS && !b->n_shards ? bez_builder_profile(b, rows * 10, err) : BEZ_OK;
}

void bez_builder_range(const bez_builder *b, uint64_t units, uint64_t *first, uint64_t *end) {
  bez_share_range(&b->share, units, first, end);
}

/* A file without units is one empty unit: somebody must keep its columns. */
void bez_builder_part(bez_builder *b, uint64_t units, uint64_t *first, uint64_t *end) {
  bez_file_note *note = &b->notes[b->n_files - 1];
  note->units = units ? units : 1;
  bez_share_range(&b->share, note->units, &note->first, &note->end);
  bez_share_range(&b->share, units, first, end);
}

void bez_builder_span(bez_builder *b, uint64_t begin, uint64_t stop) {
  b->notes[b->n_files - 1].begin = begin;
  b->notes[b->n_files - 1].stop = stop;
}

bool bez_builder_plan_point(bez_builder *b, uint64_t at, uint64_t of) {
  b->notes[b->n_files - 1].plan_at = at;
  b->notes[b->n_files - 1].plan_of = of;
  return !b->n_shards || b->share_first;
}

bool bez_builder_sharded(const bez_builder *b) {
  return b->n_shards > 0;
}

bool bez_builder_at_start(const bez_builder *b) {
  return !b->share.of || b->share.from == 0;
}

void bez_builder_digest(bez_builder *b, uint64_t digest) {
  if (b->n_files) b->files[b->n_files - 1].digest = digest;
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
  bez_worker *w = &b->workers[worker];
  for (uint32_t c = 0; c < b->n_cols && st == BEZ_OK; c++) {
    bez_lane_restart(&w->lanes[c]);
    st = bez_lane_reserve(&w->lanes[c], b->plans[c].mode, w->cap_rows, err); /* its mode may be new */
  }
  *out = t;
  return st;
}

static bez_status more_rows(bez_builder *b, bez_worker *w, uint32_t want, bez_error *err) {
  for (uint32_t c = 0; c < b->n_cols; c++) {
    bez_status st = bez_lane_reserve(&w->lanes[c], b->plans[c].mode, want, err);
    if (st != BEZ_OK) return st;
  }
  uint32_t cap = w->cap_rows ? w->cap_rows : 256; /* as lanes grow */
  while (cap < want) cap *= 2;
  w->cap_rows = cap;
  return BEZ_OK;
}

bez_status bez_tile_reserve(bez_tile *tile, uint32_t n_rows, bez_error *err) {
  bez_worker *w = &tile->builder->workers[tile->worker];
  return n_rows > w->cap_rows ? more_rows(tile->builder, w, n_rows, err) : BEZ_OK;
}

bez_status bez_tile_row(bez_tile *tile, const char *const *cells, const uint32_t *len, uint32_t n, bez_error *err) {
  bez_builder *b = tile->builder;
  bez_worker *w = &b->workers[tile->worker];
  if (tile->n_rows == w->cap_rows) {
    bez_status st = more_rows(b, w, tile->n_rows + 1, err);
    if (st != BEZ_OK) return st;
  }
  for (uint32_t i = 0; i < b->n_map; i++) {
    uint32_t c = b->map[i];
    if (c == BEZ_NO_COLUMN) continue;
    bool given = i < n && cells[i];
    bez_status st =
        bez_lane_take_one(&w->lanes[c], b->plans[c], given ? cells[i] : "", given ? len[i] : 0, tile->n_rows, err);
    if (st != BEZ_OK) return st;
  }
  tile->n_rows++;
  return BEZ_OK;
}

bez_status bez_tile_spans(bez_tile *tile, const char *base, const bez_cell_span *spans, uint32_t n_rows,
                          bez_error *err) {
  bez_builder *b = tile->builder;
  bez_worker *w = &b->workers[tile->worker];
  if (n_rows > w->cap_rows - tile->n_rows) {
    bez_status st = more_rows(b, w, tile->n_rows + n_rows, err);
    if (st != BEZ_OK) return st;
  }
  for (uint32_t i = 0; i < b->n_map; i++) {
    uint32_t c = b->map[i];
    if (c == BEZ_NO_COLUMN) continue;
    bez_status st = bez_lane_take(&w->lanes[c], b->plans[c], base, spans + i, n_rows, b->n_map, tile->n_rows, err);
    if (st != BEZ_OK) return st;
  }
  tile->n_rows += n_rows;
  return BEZ_OK;
}

/* Room for `bytes` in the worker's segment, a new one where it is full. */
static bez_status take_room(bez_builder *b, bez_worker *w, bez_tile *tile, uint64_t bytes, bez_error *err) {
  bez_segment *segment = w->segment;
  if (!segment || segment->store.cap - segment->used < bytes) {
    size_t room = segment ? segment->store.cap * 2 : FIRST_SEGMENT;
    if (room > LAST_SEGMENT) room = LAST_SEGMENT;
    segment = calloc(1, sizeof *segment);
    if (!segment) return bez_fail_memory(err, sizeof *segment);
    bez_store_init(&segment->store, &b->table->budget);
    bez_status st = bez_store_grow(&segment->store, bytes > room ? bytes : room, err);
    if (st != BEZ_OK) {
      free(segment);
      return st;
    }
    segment->users = 1;
    bez_segment_leave(w->segment);
    w->segment = segment;
  }
  tile->segment = segment;
  tile->data = (char *)segment->store.data + segment->used;
  segment->users++;
  segment->used += bytes;
  return BEZ_OK;
}

bez_status bez_tile_end(bez_tile *tile, bez_error *err) {
  bez_builder *b = tile->builder;
  bez_worker *w = &b->workers[tile->worker];
  tile->chunks = calloc((size_t)b->n_cols + 1, sizeof *tile->chunks);
  if (!tile->chunks) return bez_fail_memory(err, b->n_cols * sizeof *tile->chunks);
  tile->n_chunks = b->n_cols;
  uint64_t bytes = 0;
  for (uint32_t c = 0; c < b->n_cols; c++) {
    if (b->absent[c]) {
      tile->chunks[c] = (bez_chunk){.mode = BEZ_LANE_ABSENT, .at = bytes};
      continue;
    }
    uint64_t more = bez_lane_measure(&w->lanes[c], b->plans[c], tile->n_rows, &tile->chunks[c]);
    tile->chunks[c].at = bytes;
    bytes += (more + 7) & ~(uint64_t)7;
  }
  bez_status st = take_room(b, w, tile, bytes, err);
  if (st != BEZ_OK) return st;
  for (uint32_t c = 0; c < b->n_cols; c++)
    if (!b->absent[c]) bez_lane_pack(&w->lanes[c], tile->n_rows, &tile->chunks[c], tile->data + tile->chunks[c].at);
  tile->open = false;
  return BEZ_OK;
}

void bez_tile_abandon(bez_tile *tile) {
  tile->dropped = true;
  tile->open = false;
  bez_tile_free_data(tile);
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
