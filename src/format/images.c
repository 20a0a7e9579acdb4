/* Pictures on their way through the builder: shape, pixels, the rows they stand on, the labels beside them. */
#include "format/images.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/limits.h"
#include "format/builder_internal.h"

#define TILE_ROWS 16384u

bez_status bez_builder_images(bez_builder *b, const char *path, uint32_t height, uint32_t width, uint32_t channels,
                              bez_error *err) {
  bez_images *images = &b->images;
  if (!height || !width || (channels != 1 && channels != 3))
    return bez_fail(err, BEZ_FORMAT, path, "pictures of %u × %u pixels with %u channels", height, width, channels);
  if (height > BEZ_MAX_IMAGE_SIDE || width > BEZ_MAX_IMAGE_SIDE ||
      (uint64_t)height * width * channels > BEZ_MAX_IMAGE_BYTES)
    return bez_fail(err, BEZ_LIMIT, path, "a picture of %u × %u pixels is too large", height, width);
  if (!images->height) {
    if (b->n_rows) return bez_fail(err, BEZ_FORMAT, path, "pictures beside rows without pictures");
    *images = (bez_images){.height = height, .width = width, .channels = channels};
    b->pixels.budget = &b->table->budget;
    return BEZ_OK;
  }
  if (images->height != height || images->width != width || images->channels != channels)
    return bez_fail(err, BEZ_FORMAT, path, "%u × %u × %u where the pictures before are %u × %u × %u", height, width,
                    channels, images->height, images->width, images->channels);
  return BEZ_OK;
}

const bez_images *bez_builder_shape(const bez_builder *b) {
  return &b->images;
}

bez_status bez_builder_pixels(bez_builder *b, uint64_t n, uint8_t **out, bez_error *err) {
  uint64_t each = bez_image_bytes(&b->images), total;
  if (__builtin_add_overflow(b->images.n, n, &total) || __builtin_mul_overflow(total, each, &total) ||
      total > SIZE_MAX / 2)
    return bez_fail(err, BEZ_LIMIT, NULL, "too many pictures");
  uint64_t cap = b->pixels.cap; /* single pictures arrive by the ten thousand: grow by halves */
  if (total > cap && cap && total < cap + cap / 2) total = cap + cap / 2;
  bez_status st = bez_store_grow(&b->pixels, (size_t)total, err);
  if (st != BEZ_OK) return st;
  *out = (uint8_t *)b->pixels.data + b->images.n * each;
  b->images.n += n;
  return BEZ_OK;
}

bez_status bez_builder_facts(bez_builder *b, uint64_t n, bez_image_facts **out, bez_error *err) {
  uint64_t each = sizeof **out, first = b->images.n - n; /* their pixels were asked for before */
  if (b->facts.budget == NULL && first)
    return bez_fail(err, BEZ_FORMAT, NULL, "picture files beside arrays of pictures");
  b->facts.budget = &b->table->budget;
  uint64_t bytes = b->images.n * each;
  if (bytes > b->facts.cap && b->facts.cap && bytes < b->facts.cap + b->facts.cap / 2) bytes = b->facts.cap * 3 / 2;
  bez_status st = bez_store_grow(&b->facts, (size_t)bytes, err);
  if (st != BEZ_OK) return st;
  *out = (bez_image_facts *)b->facts.data + first;
  b->has_facts += n;
  return BEZ_OK;
}

uint32_t bez_builder_wants_views(const bez_builder *b, uint32_t odd) {
  uint32_t wanted = 0;
  for (uint32_t k = 0; k < BEZ_ODDITIES; k++)
    if ((odd & BEZ_ODD_SHOWN) >> k & 1 && b->views_kept[k] < BEZ_VIEWS_KEPT) wanted |= 1u << k;
  return wanted;
}

bez_status bez_builder_views(bez_builder *b, uint64_t row, uint32_t odd, const uint8_t *views, bez_error *err) {
  bez_image_views *v = bez_arena_alloc(&b->table->arena, sizeof *v);
  uint8_t *pixels = bez_arena_alloc(&b->table->arena, 2 * BEZ_VIEW_BYTES);
  if (!v || !pixels) return bez_fail_memory(err, 2 * BEZ_VIEW_BYTES);
  memcpy(pixels, views, 2 * BEZ_VIEW_BYTES);
  *v = (bez_image_views){.row = row, .odd = odd, .person = pixels, .loader = pixels + BEZ_VIEW_BYTES};
  if (b->last_views)
    b->last_views->next = v;
  else
    b->images.views = v;
  b->last_views = v;
  for (uint32_t k = 0; k < BEZ_ODDITIES; k++) b->views_kept[k] += odd >> k & 1;
  return BEZ_OK;
}

void bez_builder_pixels_back(bez_builder *b, uint64_t n) {
  b->images.n -= n;
  if (b->facts.data) b->has_facts -= n;
}

void bez_builder_pictures(const bez_builder *b, uint64_t n, uint64_t *first, uint64_t *end) {
  bez_share_items(b->shard, b->n_shards, n, first, end);
}

bez_status bez_builder_unread(bez_builder *b, const char *path, const char *why, bool requested, bez_error *err) {
  bez_table *t = b->table;
  bez_table_unread *u = bez_arena_alloc(&t->arena, sizeof *u);
  if (!u) return bez_fail_memory(err, sizeof *u);
  *u = (bez_table_unread){
      .path = bez_arena_strdup(&t->arena, path), .why = bez_arena_strdup(&t->arena, why), .requested = requested};
  if (!u->path || !u->why) return bez_fail_memory(err, strlen(path));
  if (b->last_unread)
    b->last_unread->next = u;
  else
    t->unread = u;
  b->last_unread = u;
  return BEZ_OK;
}

void bez_builder_labels(bez_builder *b, const bez_table *labels) {
  b->labels = labels;
  if (labels) b->options.label = "label";
}

/* The cell of the label column for a row of the data set. */
static bez_status given_label(const bez_builder *b, const char *path, uint64_t row, const char **cell, uint32_t *len,
                              bez_error *err) {
  size_t n;
  if (row >= b->labels->n_rows)
    return bez_fail(err, BEZ_FORMAT, b->labels->files[0].path, "%llu labels, but there are more pictures in %s",
                    (unsigned long long)b->labels->n_rows, path);
  *cell = bez_cell(b->labels, (uint32_t)b->labels->label, row, &n);
  *len = (uint32_t)n;
  return BEZ_OK;
}

static bez_status push_tile(bez_builder *b, const char *path, uint64_t tile, uint64_t first, uint32_t rows,
                            const char *const *labels, bez_error *err) {
  bez_tile *t;
  bez_status st = bez_builder_tile(b, tile, 0, &t, err);
  if (st != BEZ_OK) return st;
  for (uint32_t r = 0; st == BEZ_OK && r < rows; r++) {
    char number[24];
    const char *cell[2] = {number, NULL};
    unsigned long long row = b->n_rows + first + r;
    uint32_t len[2] = {(uint32_t)snprintf(number, sizeof number, "%llu", row)};
    if (labels) {
      cell[1] = labels[first + r];
      len[1] = cell[1] ? (uint32_t)strlen(cell[1]) : 0;
    } else if (b->labels) {
      st = given_label(b, path, b->n_rows + first + r, &cell[1], &len[1], err);
    }
    if (st == BEZ_OK) st = bez_tile_row(t, cell, len, labels || b->labels ? 2 : 1, err);
  }
  if (st == BEZ_OK) return bez_tile_end(t, err);
  bez_tile_abandon(t);
  return st;
}

bez_status bez_image_rows_push(bez_builder *b, const char *path, const char *format, uint64_t bytes, uint64_t n,
                               const char *const *labels, bez_error *err) {
  static const char *const names[] = {"image", "label"};
  uint64_t tiles = 0, first = 0, end = n;
  if (b->labels) labels = NULL; /* what was named wins */
  if (!b->options.id) b->options.id = "image";
  if (labels && !b->options.label) b->options.label = "label";
  bez_status st = bez_builder_columns(b, path, names, NULL, labels || b->labels ? 2 : 1, err);
  if (st == BEZ_OK) st = bez_builder_begin_file(b, path, format, bytes, err);
  if (st == BEZ_OK) bez_builder_part(b, n, &first, &end);
  for (; st == BEZ_OK && first < end; first += TILE_ROWS, tiles++) /* numbered by row: shards cut where they like */
    st = push_tile(b, path, first, first, (uint32_t)(end - first < TILE_ROWS ? end - first : TILE_ROWS), labels, err);
  return st == BEZ_OK ? bez_builder_end_file(b, tiles, err) : st;
}

/* Views of rows that are kept, by their new numbers. */
static void keep_views(bez_images *images, const uint8_t *keep) {
  bez_image_views **link = &images->views;
  uint64_t row = 0, kept = 0;
  while (keep && *link) {
    for (; row < (*link)->row; row++) kept += keep[row];
    if (!keep[row]) {
      *link = (*link)->next;
      continue;
    }
    (*link)->row = kept;
    link = &(*link)->next;
  }
}

bez_status bez_finish_images(bez_builder *b, bez_table *table, const uint8_t *keep, bez_error *err) {
  if (!b->images.height) return BEZ_OK;
  uint64_t each = bez_image_bytes(&b->images), kept = 0;
  uint8_t *pixels = b->pixels.data;
  if (b->images.n != table->n_rows_seen)
    return bez_fail(err, BEZ_INTERNAL, NULL, "%llu pictures for %llu rows", (unsigned long long)b->images.n,
                    (unsigned long long)table->n_rows_seen);
  if (b->labels && b->labels->n_rows != table->n_rows_seen)
    return bez_fail(err, BEZ_FORMAT, b->labels->files[0].path, "%llu labels for %llu pictures",
                    (unsigned long long)b->labels->n_rows, (unsigned long long)table->n_rows_seen);
  if (!b->labels && b->n_labels && b->n_labels != table->n_rows_seen)
    return bez_fail(err, BEZ_FORMAT, b->options.labels_file, "%llu labels for %llu pictures",
                    (unsigned long long)b->n_labels, (unsigned long long)table->n_rows_seen);
  if (b->facts.data && b->has_facts != b->images.n)
    return bez_fail(err, BEZ_FORMAT, NULL, "picture files beside arrays of pictures");
  bez_image_facts *facts = b->facts.data;
  for (uint64_t row = 0; keep && row < b->images.n; row++)
    if (keep[row] && kept++ != row) {
      memcpy(pixels + (kept - 1) * each, pixels + row * each, each);
      if (facts) facts[kept - 1] = facts[row];
    }
  bez_images *images = bez_arena_alloc(&table->arena, sizeof *images);
  if (!images) return bez_fail_memory(err, sizeof *images);
  *images = b->images;
  keep_views(images, keep);
  images->n = table->n_rows;
  bez_store_trim(&b->pixels, (size_t)(images->n * each));
  images->pixels = b->pixels.data;
  images->facts = b->facts.data;
  table->images = images;
  bez_status st = bez_owned_adopt(table, &b->pixels, err);
  if (st == BEZ_OK && b->facts.data) st = bez_owned_adopt(table, &b->facts, err);
  return st;
}

/* The column of a labels file: the one --label names, `label`, or the only one. */
static bez_status pick_label(bez_table *t, const bez_read_options *options, bez_error *err) {
  t->label = bez_table_find(t, options->label ? options->label : "label");
  if (t->label < 0 && t->n_cols == 1 && !options->label) t->label = 0;
  if (t->label < 0)
    return bez_fail(err, BEZ_USAGE, options->labels_file,
                    options->label ? "has no column \"%s\"" : "has several columns: name one with --label",
                    options->label ? options->label : "");
  if (!t->cols[t->label].width)
    return bez_fail(err, BEZ_FORMAT, options->labels_file, "(nearly) every label differs: no classes");
  return BEZ_OK;
}

bez_status bez_labels_open(const bez_read_options *options, bez_table **out, bez_error *err) {
  bez_read_options plain = {.threads = options->threads,
                            .memory = options->memory,
                            .max_download = options->max_download,
                            .net_timeout = options->net_timeout};
  *out = NULL;
  bez_status st = bez_table_open(&options->labels_file, 1, &plain, out, err);
  if (st == BEZ_OK && (*out)->images)
    st = bez_fail(err, BEZ_FORMAT, options->labels_file, "holds pictures, not labels");
  if (st == BEZ_OK) st = pick_label(*out, options, err);
  if (st == BEZ_OK) return BEZ_OK;
  bez_table_destroy(*out);
  *out = NULL;
  return st;
}
