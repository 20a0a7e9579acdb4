/* One Arrow C stream as a data set: batches are pulled one after another, the rows of each are pushed in tiles by the
 * team of threads, and a batch is released before the next one is asked for. */
#include "format/arrow.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/limits.h"
#include "base/threads.h"
#include "format/builder.h"
#include "format/celltext.h"

#define TILE_ROWS 65536

typedef struct lane { /* what one worker reuses */
  char *text;         /* BEZ_CELLTEXT_MAX bytes per column */
  const char **cell;
  uint32_t *len;
} lane;

typedef struct import {
  const char *name;
  struct ArrowArrayStream *stream;
  bez_builder *builder;
  bez_arrow_leaves leaves;
  bez_arrow_view *views;
  unsigned n_lanes;
  lane *lanes;
  int64_t rows;        /* of the batch */
  uint64_t first_tile; /* of the batch */
} import;

static bez_status stream_failed(import *im, bez_error *err) {
  const char *why = im->stream->get_last_error ? im->stream->get_last_error(im->stream) : NULL;
  return bez_fail(err, BEZ_FORMAT, im->name, "the Arrow stream failed: %s", why ? why : "no reason given");
}

static bez_status push_rows(import *im, lane *l, int64_t from, int64_t to, bez_tile *out, bez_error *err) {
  uint32_t n = im->leaves.n;
  for (int64_t row = from; row < to; row++) {
    for (uint32_t c = 0; c < n; c++)
      if (!bez_arrow_cell(&im->views[c], row, l->text + (size_t)c * BEZ_CELLTEXT_MAX, &l->cell[c], &l->len[c]))
        return bez_fail(err, BEZ_FORMAT, im->leaves.items[c].name, "an Arrow offset or index is out of range");
    bez_status st = bez_tile_row(out, l->cell, l->len, n, err);
    if (st != BEZ_OK) return st;
  }
  return BEZ_OK;
}

static bez_status push_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  import *im = ctx;
  int64_t from = (int64_t)tile * TILE_ROWS, to = im->rows - from < TILE_ROWS ? im->rows : from + TILE_ROWS;
  bez_tile *out = NULL;
  bez_status st = bez_builder_tile(im->builder, im->first_tile + tile, worker, &out, err);
  if (st != BEZ_OK) return st;
  st = push_rows(im, &im->lanes[worker], from, to, out, err);
  if (st == BEZ_OK) return bez_tile_end(out, err);
  bez_tile_abandon(out);
  return st;
}

static bez_status push_batch(import *im, const struct ArrowArray *batch, bez_error *err) {
  for (uint32_t c = 0; c < im->leaves.n; c++) {
    bez_status st = bez_arrow_bind(batch, &im->leaves.items[c], &im->views[c], err);
    if (st != BEZ_OK) return st;
  }
  im->rows = batch->length;
  uint64_t n_tiles = ((uint64_t)batch->length + TILE_ROWS - 1) / TILE_ROWS;
  bez_status st = bez_parallel(n_tiles, im->n_lanes, push_tile, im, err);
  im->first_tile += n_tiles;
  return st;
}

static bez_status make_lanes(import *im, bez_error *err) {
  size_t n = im->leaves.n;
  im->n_lanes = bez_builder_threads(im->builder);
  im->views = calloc(n, sizeof *im->views);
  im->lanes = calloc(im->n_lanes, sizeof *im->lanes);
  if (!im->views || !im->lanes) return bez_fail_memory(err, n * sizeof *im->views);
  for (unsigned i = 0; i < im->n_lanes; i++) {
    lane *l = &im->lanes[i];
    l->text = malloc(n * BEZ_CELLTEXT_MAX);
    l->cell = calloc(n, sizeof *l->cell);
    l->len = calloc(n, sizeof *l->len);
    if (!l->text || !l->cell || !l->len) return bez_fail_memory(err, n * BEZ_CELLTEXT_MAX);
  }
  return BEZ_OK;
}

/* Schema to declared columns. */
static bez_status begin(import *im, bez_arena *arena, bez_error *err) {
  struct ArrowSchema schema = {0};
  const char **names = NULL;
  bez_status st = BEZ_OK;
  if (im->stream->get_schema(im->stream, &schema) != 0 || !schema.release) return stream_failed(im, err);
  BEZ_TRY(bez_arrow_columns(&schema, arena, &im->leaves, err));
  names = calloc(im->leaves.n, sizeof *names);
  if (!names) BEZ_TRY(bez_fail_memory(err, im->leaves.n * sizeof *names));
  for (uint32_t i = 0; i < im->leaves.n; i++) names[i] = im->leaves.items[i].name;
  BEZ_TRY(bez_builder_columns(im->builder, im->name, names, NULL, im->leaves.n, err));
  BEZ_TRY(bez_builder_begin_file(im->builder, im->name, "arrow", 0, err));
  BEZ_TRY(make_lanes(im, err));
cleanup:
  free(names);
  schema.release(&schema);
  return st;
}

static bez_status pull(import *im, bez_error *err) {
  for (;;) {
    struct ArrowArray batch = {0};
    if (im->stream->get_next(im->stream, &batch) != 0) return stream_failed(im, err);
    if (!batch.release) return BEZ_OK; /* the end */
    bez_status st = push_batch(im, &batch, err);
    batch.release(&batch);
    if (st != BEZ_OK) return st;
  }
}

bez_status bez_table_from_arrow(struct ArrowArrayStream *stream, const char *name, const bez_read_options *options,
                                bez_table **out, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_arena arena = {0};
import im = {.name = name ? name: "arrow", .stream = stream };
  *out = NULL;
  if (!stream || !stream->release) return bez_fail(err, BEZ_USAGE, name, "the Arrow stream was consumed before");
  BEZ_TRY(bez_builder_create(options, &im.builder, err));
  BEZ_TRY(begin(&im, &arena, err));
  BEZ_TRY(pull(&im, err));
  BEZ_TRY(bez_builder_end_file(im.builder, im.first_tile, err));
  st = bez_builder_finish(im.builder, out, err);
  im.builder = NULL;
cleanup:
  bez_builder_destroy(im.builder);
  for (unsigned i = 0; im.lanes && i < im.n_lanes; i++) {
    free(im.lanes[i].text);
    free(im.lanes[i].cell);
    free(im.lanes[i].len);
  }
  free(im.lanes);
  free(im.views);
  free(im.leaves.items);
  bez_arena_free(&arena);
  stream->release(stream);
  return st;
}
