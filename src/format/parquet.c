/* Apache Parquet (https://parquet.apache.org/docs/file-format/). Decoding it takes a library of its own kind; Bezoar
 * uses one that is there: the libduckdb that was named, else pyarrow in a sandboxed helper, else the system's
 * libduckdb. (DuckDB works in this process, so the helper goes first unless the user says otherwise.) Folders named
 * key=value above the file become columns. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/limits.h"
#include "format/arrow.h"
#include "format/parquet.h"
#include "format/reader.h"

#define MAX_PARTITIONS 32
#define MAX_NAMES (64u << 10) /* bytes of column names on the helper's command line */

static int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c |= 32;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* %XX escapes undone, as Hive, Spark and DuckDB write them. */
static char *unescape(bez_arena *arena, const char *text, size_t len) {
  char *out = bez_arena_alloc(arena, len + 1);
  size_t n = 0;
  for (size_t i = 0; out && i < len; i++) {
    int high = text[i] == '%' && i + 2 < len ? hex_digit(text[i + 1]) : -1;
    int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
    bool escaped = low >= 0 && (high | low) != 0;
    out[n++] = escaped ? (char)(high * 16 + low) : text[i];
    if (escaped) i += 2;
  }
  return out;
}

/* Folders named key=value of the path, outermost first. */
static bez_status partitions(const char *path, bez_arena *arena, bez_arrow_constant out[MAX_PARTITIONS], uint32_t *n,
                             bez_error *err) {
  *n = 0;
  for (const char *p = path, *slash; (slash = strchr(p, '/')) != NULL; p = slash + 1) {
    const char *equals = memchr(p, '=', (size_t)(slash - p));
    if (!equals || equals == p || *n == MAX_PARTITIONS) continue;
    bez_arrow_constant *c = &out[(*n)++];
    c->name = unescape(arena, p, (size_t)(equals - p));
    c->value = unescape(arena, equals + 1, (size_t)(slash - equals - 1));
    if (!c->name || !c->value) return bez_fail_memory(err, (size_t)(slash - p));
    if (strcmp(c->value, "__HIVE_DEFAULT_PARTITION__") == 0) c->value = NULL;
  }
  return BEZ_OK;
}

/* The names to decode, from all options that name columns; what folders say is in no file. */
static bez_status project(const bez_builder *builder, const bez_arrow_import *what, bez_arena *arena,
                          bez_parquet_file *file, bez_error *err) {
  const bez_read_options *o = bez_builder_options(builder);
  const char *roles[] = {o->label, o->source, o->id};
  size_t n = 0, bytes = 0, most = o->n_columns + o->n_text + 3;
  if (!o->n_columns) return BEZ_OK;
  const char **names = bez_arena_array(arena, most, sizeof *names);
  if (!names) return bez_fail_memory(err, most * sizeof *names);
  for (size_t i = 0; i < o->n_columns; i++) names[n++] = o->columns[i];
  for (size_t i = 0; i < o->n_text; i++) names[n++] = o->text[i];
  for (size_t i = 0; i < 3; i++)
    if (roles[i]) names[n++] = roles[i];
  size_t kept = 0;
  for (size_t i = 0; i < n; i++) {
    bool constant = false;
    for (uint32_t k = 0; k < what->n_constants; k++) constant |= !strcmp(names[i], what->constants[k].name);
    if (constant) continue;
    names[kept++] = names[i];
    bytes += strlen(names[i]) + 1;
  }
  file->columns = names;
  file->n_columns = bytes <= MAX_NAMES ? kept : 0; /* beyond that, all are decoded and the builder drops the rest */
  return BEZ_OK;
}

static bez_status open_stream(const bez_parquet_file *file, struct ArrowArrayStream *out, bool *worker,
                              bez_error *err) {
  bez_error why = {0}, ignored = {0};
  *worker = false;
  bez_status st = bez_parquet_duckdb(file, true, out, err);
  if (st != BEZ_OK || out->release) return st;
  st = bez_parquet_worker(file, out, &why);
  *worker = st == BEZ_OK;
  if (st == BEZ_OK) return st;
  if (st == BEZ_UNSUPPORTED && bez_parquet_duckdb(file, false, out, &ignored) == BEZ_OK && out->release) return BEZ_OK;
  return bez_fail(err, st, file->path, "%s", why.message);
}

bez_status bez_parquet_rows(const char *path, int fd, struct ArrowArrayStream *out, bool *marked, bez_error *err) {
  uint8_t magic[4] = {0};
  bez_parquet_file file = {.path = path, .at = path, .fd = fd, .whole = true};
  *marked = true;
  if (pread(fd, magic, sizeof magic, 0) == sizeof magic && !memcmp(magic, "PAR1", sizeof magic))
    return open_stream(&file, out, marked, err);
  return bez_parquet_worker(&file, out, err);
}

static bez_status parquet_read(bez_source *source, bez_builder *builder, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_arena arena = {0};
  bez_arrow_constant constants[MAX_PARTITIONS];
  struct ArrowArrayStream stream = {0};
  char at[40];
  int copy = -1;
  bool worker;
  bez_parquet_file file = {.path = source->path, .at = source->path, .fd = source->fd};
  bez_arrow_import what = {
      .stream = &stream, .path = source->path, .format = "parquet", .bytes = source->size, .constants = constants};
  if (source->packing[0])
    return bez_fail(err, BEZ_UNSUPPORTED, source->path, "Parquet inside %s: unpack it first", source->packing);
  if (source->fd < 0) { /* fetched: the libraries want a file */
    BEZ_TRY(bez_source_descriptor(source, &copy, err));
    snprintf(at, sizeof at, "/proc/self/fd/%d", copy);
    file.at = at;
    file.fd = copy;
  }
  BEZ_TRY(partitions(source->path, &arena, constants, &what.n_constants, err));
  BEZ_TRY(project(builder, &what, &arena, &file, err));
  BEZ_TRY(open_stream(&file, &stream, &worker, err));
  BEZ_TRY(bez_arrow_push(&what, builder, err));
cleanup:
  if (stream.release) stream.release(&stream);
  if (copy >= 0) close(copy);
  bez_arena_free(&arena);
  return st;
}

static int parquet_sniff(const uint8_t *head, size_t len, const char *extension) {
  (void)extension;
  return len >= 4 && (memcmp(head, "PAR1", 4) == 0 || memcmp(head, "PARE", 4) == 0) ? 100 : 0;
}

const bez_reader bez_reader_parquet = {
    .name = "parquet",
    .title = "Apache Parquet",
    .extensions = "parquet pq",
    .summary = "Read through pyarrow in a sandboxed helper (pip install 'bezoar[parquet]'), or through the libduckdb "
               "that BEZOAR_DUCKDB names or the system has. Structs become columns \"a.b\", folders named "
               "key=value become columns; columns of lists or bytes are refused.",
    .sniff = parquet_sniff,
    .read = parquet_read,
};
