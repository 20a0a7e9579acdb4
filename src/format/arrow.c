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
  const bez_arrow_import *what;
  struct ArrowArrayStream *stream;
  bez_builder *builder;
  bez_arena arena;
  bez_arrow_leaves leaves;
  bez_arrow_view *views;
  uint32_t n_cells; /* leaves, then constants */
  const bez_arrow_constant **constants;
  unsigned n_lanes;
  lane *lanes;
  int64_t rows;        /* of the batch */
  uint64_t first_tile; /* of the batch */
} import;

static bez_status stream_failed(import *im, bez_error *err) {
  const char *why = im->stream->get_last_error ? im->stream->get_last_error(im->stream) : NULL;
  return bez_fail(err, BEZ_FORMAT, im->what->path, "cannot be read: %s",
                  why ? why : "the stream failed and gave no reason");
}

static bez_status push_rows(import *im, lane *l, int64_t from, int64_t to, bez_tile *out, bez_error *err) {
  uint32_t n = im->leaves.n;
  for (int64_t row = from; row < to; row++) {
    for (uint32_t c = 0; c < n; c++)
      if (!bez_arrow_cell(&im->views[c], row, l->text + (size_t)c * BEZ_CELLTEXT_MAX, &l->cell[c], &l->len[c]))
        return bez_fail(err, BEZ_FORMAT, im->leaves.items[c].name, "an Arrow offset or index is out of range");
    bez_status st = bez_tile_row(out, l->cell, l->len, im->n_cells, err);
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
  bez_watch watch = bez_builder_watch(im->builder, "reading");
  bez_status st = bez_parallel_watched(n_tiles, im->n_lanes, &watch, push_tile, im, err);
  im->first_tile += n_tiles;
  return st;
}

/* Cells of constants are set once and never overwritten. */
static bez_status make_lanes(import *im, bez_error *err) {
  size_t n = im->n_cells, n_leaves = im->leaves.n;
  im->n_lanes = bez_builder_threads(im->builder);
  im->views = calloc(n_leaves, sizeof *im->views);
  im->lanes = calloc(im->n_lanes, sizeof *im->lanes);
  if (!im->views || !im->lanes) return bez_fail_memory(err, n * sizeof *im->views);
  for (unsigned i = 0; i < im->n_lanes; i++) {
    lane *l = &im->lanes[i];
    l->text = malloc(n_leaves * BEZ_CELLTEXT_MAX);
    l->cell = calloc(n, sizeof *l->cell);
    l->len = calloc(n, sizeof *l->len);
    if (!l->text || !l->cell || !l->len) return bez_fail_memory(err, n * BEZ_CELLTEXT_MAX);
    for (size_t c = n_leaves; c < n; c++) {
      l->cell[c] = im->constants[c - n_leaves]->value;
      l->len[c] = l->cell[c] ? (uint32_t)strlen(l->cell[c]) : 0;
    }
  }
  return BEZ_OK;
}

/* The constants that are no columns of the stream. */
static bez_status pick_constants(import *im, bez_error *err) {
  im->n_cells = im->leaves.n;
  im->constants = calloc((size_t)im->what->n_constants + 1, sizeof *im->constants);
  if (!im->constants) return bez_fail_memory(err, im->what->n_constants * sizeof *im->constants);
  for (uint32_t i = 0; i < im->what->n_constants; i++) {
    bool taken = false;
    for (uint32_t c = 0; c < im->leaves.n && !taken; c++)
      taken = strcmp(im->leaves.items[c].name, im->what->constants[i].name) == 0;
    if (!taken) im->constants[im->n_cells++ - im->leaves.n] = &im->what->constants[i];
  }
  return BEZ_OK;
}

/* Schema to declared columns. */
static bez_status begin(import *im, bez_error *err) {
  struct ArrowSchema schema = {0};
  const char **names = NULL;
  bez_status st = BEZ_OK;
  if (im->stream->get_schema(im->stream, &schema) != 0 || !schema.release) return stream_failed(im, err);
  BEZ_TRY(bez_arrow_columns(&schema, im->builder, &im->arena, &im->leaves, err));
  BEZ_TRY(pick_constants(im, err));
  names = calloc(im->n_cells, sizeof *names);
  if (!names) BEZ_TRY(bez_fail_memory(err, im->n_cells * sizeof *names));
  for (uint32_t i = 0; i < im->n_cells; i++)
    names[i] = i < im->leaves.n ? im->leaves.items[i].name : im->constants[i - im->leaves.n]->name;
  BEZ_TRY(bez_builder_columns(im->builder, im->what->path, names, NULL, im->n_cells, err));
  BEZ_TRY(bez_builder_begin_file(im->builder, im->what->path, im->what->format, im->what->bytes, err));
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

bez_status bez_arrow_push(const bez_arrow_import *what, bez_builder *builder, bez_error *err) {
  bez_status st = BEZ_OK;
import im = {.what = what, .stream = what->stream, .builder = builder };
  BEZ_TRY(begin(&im, err));
  BEZ_TRY(pull(&im, err));
  BEZ_TRY(bez_builder_end_file(builder, im.first_tile, err));
cleanup:
  for (unsigned i = 0; im.lanes && i < im.n_lanes; i++) {
    free(im.lanes[i].text);
    free(im.lanes[i].cell);
    free(im.lanes[i].len);
  }
  free(im.lanes);
  free(im.views);
  free(im.constants);
  free(im.leaves.items);
  bez_arena_free(&im.arena);
  return st;
}

bez_status bez_table_from_arrow(struct ArrowArrayStream *stream, const char *name, const bez_read_options *options,
                                bez_table **out, bez_error *err) {
  bez_builder *builder = NULL;
  *out = NULL;
  if (!stream || !stream->release) return bez_fail(err, BEZ_USAGE, name, "the Arrow stream was consumed before");
  bez_arrow_import what = {.stream = stream, .path = name ? name : "arrow", .format = "arrow"};
  bez_status st = bez_builder_create(options, &builder, err);
  if (st == BEZ_OK) st = bez_arrow_push(&what, builder, err);
  stream->release(stream);
  if (st == BEZ_OK) return bez_builder_finish(builder, out, err);
  bez_builder_destroy(builder);
  return st;
}
