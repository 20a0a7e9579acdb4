/* WebDataset: a tar archive of samples, each a picture and its label (https://github.com/webdataset/webdataset). */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/limits.h"
#include "format/image_batch.h"
#include "format/image_files.h"
#include "format/reader.h"
#include "format/samples.h"

typedef struct reading {
  const bez_source *source;
  bez_builder *builder;
  bez_samples samples;
  bez_image_names names; /* of the pictures, with their labels */
  bez_image_batch batch;
  bez_arena arena;
} reading;

static bez_status load(void *ctx, uint64_t i, uint64_t most, bez_buf *room, const uint8_t **bytes, uint64_t *len,
                       bez_error *err) {
  const reading *r = ctx;
  const bez_tar_entry *e = &r->samples.items[i].picture;
  size_t got = 0;
  *len = most && e->size > most ? most : e->size;
  if (*len > BEZ_MAX_PICTURE_FILE) return bez_fail(err, BEZ_LIMIT, e->name, "the file is larger than 256 MiB");
  if (r->source->fd < 0) {
    *bytes = r->source->bytes + e->at;
    return BEZ_OK;
  }
  bez_buf_clear(room);
  if (!bez_buf_reserve(room, (size_t)*len + 1)) return bez_buf_status(room, err);
  bez_status st = bez_source_read(r->source, e->at, room->data, (size_t)*len, &got, err);
  *len = got;
  *bytes = (const uint8_t *)room->data;
  return st;
}

/* Labels from .cls and .json, else from the folders of the names. */
static bez_status find_labels(reading *r, bez_error *err) {
  bez_image_names *names = &r->names;
  const bez_read_options *options = bez_builder_options(r->builder);
  names->path = calloc(r->samples.n + 1, sizeof *names->path);
  names->label = calloc(r->samples.n + 1, sizeof *names->label);
  if (!names->path || !names->label) return bez_fail_memory(err, r->samples.n * sizeof *names->path);
  names->n = r->samples.n;
  for (size_t i = 0; i < names->n; i++) names->path[i] = r->samples.items[i].picture.name;
  if (!r->samples.any_label) return bez_image_labels(names, err);
  bez_status st = BEZ_OK;
  for (size_t i = 0; st == BEZ_OK && i < names->n; i++)
    if (r->samples.items[i].label.name)
      st = bez_sample_label(r->source, &r->samples.items[i].label, options->label, &r->arena, &names->label[i], err);
  return st;
}

/* Labels of the pictures that could be decoded, in place; the others are said to be unread. */
static bez_status drop_unread(reading *r, bool *any_label, bez_error *err) {
  size_t kept = 0;
  bez_status st = BEZ_OK;
  for (size_t i = 0; st == BEZ_OK && i < r->names.n; i++) {
    if (r->batch.why[i]) {
      const char *name = bez_arena_printf(&r->arena, "%s:%s", r->source->path, r->names.path[i]);
      st = name ? bez_builder_unread(r->builder, name, r->batch.why[i], true, err) : bez_fail_memory(err, 64);
      continue;
    }
    r->names.label[kept++] = r->names.label[i];
    *any_label |= r->names.label[i] != NULL;
  }
  return st;
}

static bez_status webdataset_read(bez_source *source, bez_builder *builder, bez_error *err) {
  bez_status st = BEZ_OK;
  reading r = {.source = source, .builder = builder};
  bool labels = false;
  BEZ_TRY(bez_samples_read(source, &r.arena, builder, &r.samples, err));
  if (!r.samples.n) BEZ_TRY(bez_fail(err, BEZ_UNSUPPORTED, source->path, "a tar archive without pictures"));
  BEZ_TRY(find_labels(&r, err));
  r.batch = (bez_image_batch){.builder = builder, .n = r.samples.n, .load = load, .ctx = &r};
  BEZ_TRY(bez_image_batch_probe(&r.batch, err));
  BEZ_TRY(bez_image_batch_shape(&r.batch, source->path, err));
  BEZ_TRY(bez_image_batch_decode(&r.batch, err));
  if (!r.batch.n_good)
    BEZ_TRY(bez_fail(err, BEZ_FORMAT, source->path, "no picture could be read; the first: %s", r.batch.why[0]));
  BEZ_TRY(drop_unread(&r, &labels, err));
  BEZ_TRY(bez_image_rows_push(builder, source->path, "webdataset", source->size, r.batch.n_good,
                              labels ? r.names.label : NULL, err));
cleanup:
  bez_image_batch_free(&r.batch);
  bez_image_names_free(&r.names);
  bez_samples_free(&r.samples);
  bez_arena_free(&r.arena);
  return st;
}

static int webdataset_sniff(const uint8_t *head, size_t len, const char *extension) {
  (void)extension;
  return len >= 512 && head[0] && bez_tar_is_header(head) ? 97 : 0;
}

const bez_reader bez_reader_webdataset = {
    .name = "webdataset",
    .title = "WebDataset",
    .extensions = "tar",
    .summary =
        "tar archives (ustar, pax, GNU) of samples that share their name up to the first dot: a picture (PNG, JPEG, "
        "WebP, PNM) and its label in .cls or .json, else in the name of its folder. Wrong checksums and members "
        "behind the end are errors; names given twice, links and names that lead elsewhere are remarked.",
    .sniff = webdataset_sniff,
    .read = webdataset_read,
};
