/* A .npz file: a ZIP archive of .npy arrays, stored or deflated. Members with the same number of rows stand side by
 * side as the columns of one table; a member that does not fit is an error, never left out in silence. Where a member
 * has more than two dimensions it holds pictures (npz_images.c). */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/limits.h"
#include "format/npz.h"
#include "format/reader.h"
#include "format/zip.h"

typedef struct npz {
  bez_source *source;
  bez_builder *builder;
  bez_arena arena;
  bez_zip zip;
  bez_npz_member *members;
} npz;

/* "x.npy" → "x"; NULL for other names. */
static const char *member_name(npz *z, const char *entry) {
  size_t n = strlen(entry);
  if (n <= 4 || strcmp(entry + n - 4, ".npy") != 0) return NULL;
  return bez_arena_strndup(&z->arena, entry, n - 4);
}

static bez_status read_member(npz *z, uint32_t i, bez_error *err) {
  const bez_zip_entry *e = &z->zip.entries[i];
  bez_npz_member *m = &z->members[i];
  m->name = member_name(z, e->name);
  if (!m->name) return bez_fail(err, BEZ_UNSUPPORTED, z->source->path, "member \"%s\" is not an npy array", e->name);
  bez_status st = bez_zip_unpack(z->source, e, &m->store, err);
  if (st != BEZ_OK) return st;
  const uint8_t *bytes = m->store.data;
  char *subject = bez_arena_printf(&z->arena, "%s:%s", z->source->path, e->name);
  if (!subject) return bez_fail_memory(err, 64);
  size_t head = e->size < BEZ_MAX_NPY_HEADER + 12 ? (size_t)e->size : BEZ_MAX_NPY_HEADER + 12;
  bez_array *a = &m->array;
  st = bez_npy_header(bytes, head, e->size, subject, m->name, &z->arena, a, err);
  if (st != BEZ_OK) return st;
  a->bytes = bytes + a->data_at;
  if (a->data_at + a->data_size < e->size)
    bez_builder_remark(z->builder, "trailing-bytes", subject, e->size - a->data_at - a->data_size, -1,
                       "bytes behind the array's data");
  return BEZ_OK;
}

/* Columns side by side have one number of rows. */
static bez_status push_columns(npz *z, bez_error *err) {
  bez_array *arrays = calloc(z->zip.n, sizeof *arrays);
  if (!arrays) return bez_fail_memory(err, z->zip.n * sizeof *arrays);
  bez_status st = BEZ_OK;
  for (uint32_t i = 0; st == BEZ_OK && i < z->zip.n; i++) {
    arrays[i] = z->members[i].array;
    if (arrays[i].n_rows != arrays[0].n_rows)
      st = bez_fail(err, BEZ_UNSUPPORTED, bez_arena_printf(&z->arena, "%s:%s.npy", z->source->path, z->members[i].name),
                    "%llu rows where \"%s\" has %llu: members are columns of one table",
                    (unsigned long long)arrays[i].n_rows, z->members[0].name, (unsigned long long)arrays[0].n_rows);
  }
  if (st == BEZ_OK) st = bez_arrays_push(z->source, "npz", arrays, z->zip.n, z->builder, err);
  free(arrays);
  return st;
}

static bez_status npz_read(bez_source *source, bez_builder *builder, bez_error *err) {
  bez_status st = BEZ_OK;
  npz z = {.source = source, .builder = builder};
  bool pictures = false;
  BEZ_TRY(bez_zip_open(source, &z.arena, &z.zip, err));
  if (z.zip.n == 0) BEZ_TRY(bez_fail(err, BEZ_FORMAT, source->path, "an npz file without members"));
  if (z.zip.comment)
    bez_builder_remark(builder, "trailing-bytes", source->path, z.zip.comment, -1, "a comment behind the archive");
  z.members = calloc(z.zip.n, sizeof *z.members);
  if (!z.members) BEZ_TRY(bez_fail_memory(err, z.zip.n * sizeof *z.members));
  for (uint32_t i = 0; i < z.zip.n; i++) bez_store_init(&z.members[i].store, bez_builder_budget(builder));
  for (uint32_t i = 0; i < z.zip.n; i++) {
    BEZ_TRY(read_member(&z, i, err));
    pictures |= z.members[i].array.n_dims > 2;
  }
  BEZ_TRY(pictures ? bez_npz_images(source, z.members, z.zip.n, builder, err) : push_columns(&z, err));
cleanup:
  for (uint32_t i = 0; z.members && i < z.zip.n; i++) bez_store_free(&z.members[i].store);
  free(z.members);
  bez_arena_free(&z.arena);
  return st;
}

/* A ZIP archive whose first entry is an npy array; any ZIP that is called npz. */
static int npz_sniff(const uint8_t *head, size_t len, const char *extension) {
  if (len < 30 || memcmp(head, "PK", 2) != 0) return 0;
  bool named = extension && strcmp(extension, "npz") == 0;
  if (memcmp(head, "PK\3\4", 4) != 0) return named ? 90 : 0;
  size_t n = (size_t)(head[26] | head[27] << 8);
  bool npy = n > 4 && 30 + n <= len && memcmp(head + 30 + n - 4, ".npy", 4) == 0;
  return npy ? 98 : named ? 90 : 0;
}

const bez_reader bez_reader_npz = {
    .name = "npz",
    .title = "NumPy archive",
    .extensions = "npz",
    .summary =
        "1-D and 2-D arrays with equally many rows become the columns of one table. Members of 3 and 4 "
        "dimensions are pictures; the 1-D member of as many rows whose name fits best (y_train beside x_train, labels "
        "beside images, arr_1 behind arr_0) holds their labels, several pairs are appended. Archives with two entries "
        "of "
        "one name, with headers that disagree, or that unpack to other sizes than announced are errors.",
    .sniff = npz_sniff,
    .read = npz_read,
};
