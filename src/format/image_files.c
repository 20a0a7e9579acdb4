/* Picture files as a data set: what each file is, labels, pixels, one row per file. */
#include "format/image_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/limits.h"
#include "format/image_batch.h"
#include "format/reader.h"

#define HEAD 512u

/* A file of the set that is no picture. */
typedef struct other {
  const char *path;
  bool taken, data, requested;
  char why[128];
} other;

typedef struct files {
  bez_builder *builder;
  bez_image_names names;
  bez_image_batch batch;
  uint64_t first, end;      /* of the pictures, those of this shard */
  uint64_t *bytes, *digest; /* per picture */
  other *others;
  size_t n_others;
} files;

static bez_picture_kind kind_of(const bez_builder *builder, const char *path) {
  uint8_t head[HEAD];
  uint64_t size;
  return bez_picture_sniff(head, bez_source_head(bez_builder_spool(builder), path, head, HEAD, &size));
}

static bool ends_in(const char *path, const char *const *list) {
  const char *dot = strrchr(path, '.');
  for (; dot && *list; list++)
    if (!strcasecmp(dot + 1, *list)) return true;
  return false;
}

/* A manifest has a short row per picture; a large table beside a few pictures is not read to find out. */
static bool may_be_manifest(const files *f, const char *path, uint64_t size) {
  static const char *const tables[] = {"csv", "tsv", "jsonl", "ndjson", "parquet", NULL};
  return ends_in(path, tables) && size <= (64u << 10) + (uint64_t)f->names.n * 4096;
}

/* A file that is no picture: a manifest, or one that stays unread. Text beside pictures (a licence, a list) is seldom
 * meant to be examined; data, and what looks like a picture, is. */
static bez_status take_other(files *f, const char *path, other *o, bez_error *err) {
  static const char *const data[] = {"csv", "tsv", "jsonl", "ndjson", "parquet", "json",
                                     "npy", "npz", "gz",    "zst",    "tar",     NULL};
  static const char *const pictures[] = {"png", "jpg",  "jpeg", "webp", "ppm", "pgm",  "pbm", "pnm", "gif",
                                         "tif", "tiff", "bmp",  "heic", "jp2", "avif", "jxl", NULL};
  uint8_t head[HEAD];
  uint64_t size;
  size_t n = bez_source_head(bez_builder_spool(f->builder), path, head, HEAD, &size);
  *o = (other){.path = path, .data = ends_in(path, data)};
  o->requested = o->data || ends_in(path, pictures) || memchr(head, 0, n);
  snprintf(o->why, sizeof o->why, "no PNG, JPEG, WebP or PNM picture, and no manifest");
  if (!may_be_manifest(f, path, size)) return BEZ_OK;
  return bez_image_manifest(path, bez_builder_options(f->builder), f->builder, &f->names, &o->taken, o->why, err);
}

static bez_status load(void *ctx, uint64_t i, uint64_t most, bez_buf *room, const uint8_t **bytes, uint64_t *len,
                       bez_error *err) {
  files *f = ctx;
  bez_source source;
  size_t got = 0;
  bez_buf_clear(room);
  bez_status st =
      bez_source_open_in(bez_builder_spool(f->builder), f->names.path[i], bez_builder_budget(f->builder), &source, err);
  if (st != BEZ_OK) return st;
  *len = f->bytes[i] = source.size;
  if (most && *len > most) *len = most;
  if (*len > BEZ_MAX_PICTURE_FILE)
    st = bez_fail(err, BEZ_LIMIT, source.path, "the file is larger than 256 MiB");
  else if (!bez_buf_reserve(room, (size_t)*len + 1))
    st = bez_buf_status(room, err);
  if (st == BEZ_OK) st = bez_source_read(&source, 0, room->data, (size_t)*len, &got, err);
  if (st == BEZ_OK && !most) st = bez_source_digest(&source, &f->digest[i], err);
  *len = got;
  *bytes = (const uint8_t *)room->data;
  bez_source_close(&source);
  return st;
}

static bez_status push_rows(const files *f, bez_error *err) {
  bool labels = f->names.manifest;
  bez_status st = BEZ_OK;
  for (size_t i = 0; i < f->names.n; i++) labels |= f->names.label[i] != NULL;
  for (size_t i = f->first; st == BEZ_OK && i < f->end; i++) {
    const char *path = f->names.path[i];
    if (f->batch.why[i]) {
      st = bez_builder_unread(f->builder, path, f->batch.why[i], true, err);
      continue;
    }
    st = bez_image_rows_push(f->builder, path, bez_picture_kind_text((bez_picture_kind)f->batch.facts[i].kind),
                             f->bytes[i], 1, labels ? &f->names.label[i] : NULL, err);
    if (st == BEZ_OK) bez_builder_digest(f->builder, f->digest[i]);
  }
  return st;
}

static bez_status sort_out(files *f, const char *const *paths, size_t n, bez_error *err) {
  bez_image_names *names = &f->names;
  names->path = calloc(n + 1, sizeof *names->path);
  names->label = calloc(n + 1, sizeof *names->label);
  f->bytes = calloc(n + 1, sizeof *f->bytes);
  f->digest = calloc(n + 1, sizeof *f->digest);
  if (!names->path || !names->label || !f->bytes || !f->digest) return bez_fail_memory(err, n * sizeof *names->path);
  for (size_t i = 0; i < n; i++) {
    if (kind_of(f->builder, paths[i]) != BEZ_PICTURE_NONE)
      names->path[names->n++] = paths[i];
    else
      f->n_others++;
  }
  f->others = calloc(f->n_others + 1, sizeof *f->others);
  if (!f->others) return bez_fail_memory(err, f->n_others * sizeof *f->others);
  for (size_t i = 0, picture = 0, at = 0; i < n; i++) {
    if (picture < names->n && names->path[picture] == paths[i])
      picture++;
    else
      f->others[at++].path = paths[i];
  }
  return BEZ_OK;
}

/* Labels; *pictures: whether this is a set of pictures, and no other data with a few pictures (plots) beside it. */
static bez_status label(files *f, bool *pictures, bez_error *err) {
  size_t data = 0;
  bez_status st = bez_image_labels(&f->names, err);
  for (size_t i = 0; st == BEZ_OK && i < f->n_others; i++) {
    other *o = &f->others[i];
    st = take_other(f, o->path, o, err);
    data += o->data && !o->taken;
  }
  *pictures = f->names.n && (f->names.manifest || f->names.n > 4 * data);
  return st;
}

static bez_status load_part(void *ctx, uint64_t i, uint64_t most, bez_buf *room, const uint8_t **bytes, uint64_t *len,
                            bez_error *err) {
  files *f = ctx;
  return load(ctx, f->first + i, most, room, bytes, len, err);
}

/* All pictures say which size suits them all; a shard decodes its own. */
static bez_status decode_part(files *f, bez_error *err) {
  bez_builder_pictures(f->builder, f->names.n, &f->first, &f->end);
  bez_image_batch part = f->batch;
  part.load = load_part;
  part.facts += f->first;
  part.why += f->first;
  part.n = f->end - f->first;
  part.n_good = 0;
  for (uint64_t i = 0; i < part.n; i++) part.n_good += !part.why[i];
  return bez_image_batch_decode(&part, err);
}

static bez_status decode(files *f, bez_error *err) {
  f->batch = (bez_image_batch){.builder = f->builder, .n = f->names.n, .load = load, .ctx = f};
  bez_status st = bez_image_batch_probe(&f->batch, err);
  if (st == BEZ_OK) st = bez_image_batch_shape(&f->batch, "", err);
  if (st == BEZ_OK) st = decode_part(f, err);
  if (st != BEZ_OK) return st;
  for (uint64_t i = f->first; i < f->end; i++)
    if (!f->batch.why[i]) return BEZ_OK;
  if (f->end - f->first < f->names.n) return BEZ_OK; /* other shards may have some */
  const char *path = f->names.path[0], *why = f->batch.why[0];
  if (f->names.n == 1) return bez_fail(err, BEZ_FORMAT, path, "%s", why);
  return bez_fail(err, BEZ_FORMAT, NULL, "none of %zu pictures could be read; %s: %s", f->names.n, path, why);
}

bez_status bez_image_files_read(const char *const *paths, size_t n, bez_builder *builder, bool *taken, bez_error *err) {
  bez_status st = BEZ_OK;
  files f = {.builder = builder};
  BEZ_TRY(sort_out(&f, paths, n, err));
  *taken = f.names.n > 0;
  if (*taken) BEZ_TRY(label(&f, taken, err));
  if (!*taken) goto cleanup;
  BEZ_TRY(decode(&f, err));
  BEZ_TRY(push_rows(&f, err));
  for (size_t i = 0; f.end == f.names.n && i < f.n_others; i++)
    if (!f.others[i].taken)
      BEZ_TRY(bez_builder_unread(builder, f.others[i].path, f.others[i].why, f.others[i].requested, err));
cleanup:
  bez_image_batch_free(&f.batch);
  bez_image_names_free(&f.names);
  free(f.others);
  free(f.bytes);
  free(f.digest);
  return st;
}

bool bez_image_files_skip(const char *path, bez_builder *builder, bez_status *st, bez_error *err) {
  if (kind_of(builder, path) == BEZ_PICTURE_NONE) return false;
  *st = bez_builder_unread(builder, path, "a picture beside other data was not examined; name pictures by themselves",
                           true, err);
  return true;
}

static bez_status picture_read(bez_source *source, bez_builder *builder, bez_error *err) {
  bool taken;
  bez_status st = bez_image_files_read(&source->path, 1, builder, &taken, err);
  return st == BEZ_OK && !taken ? bez_fail(err, BEZ_FORMAT, source->path, "no picture") : st;
}

static int picture_sniff(const uint8_t *head, size_t len, const char *extension) {
  (void)extension;
  bez_picture_kind kind = bez_picture_sniff(head, len);
  return kind == BEZ_PICTURE_NONE ? 0 : kind == BEZ_PICTURE_PNM ? 95 : 100;
}

const bez_reader bez_reader_picture = {
    .name = "picture",
    .title = "Picture files",
    .extensions = "png jpg jpeg webp ppm pgm pbm pnm",
    .summary =
        "PNG, JPEG, WebP and PNM, one row per file, in a folder per class or with a manifest (a CSV or JSON Lines "
        "file of paths and labels) beside them; decoded by a sandboxed helper, kept in one size. What cannot be "
        "decoded is named and \"not checked\".",
    .sniff = picture_sniff,
    .read = picture_read,
};
