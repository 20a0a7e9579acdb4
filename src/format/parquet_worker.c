/* The parent's side of bezoar.parquet_worker: its frames as an Arrow stream. The helper has read hostile bytes and may
 * be anyone's by now: every count is checked against a ceiling before memory is taken, every offset against the buffer
 * it points into. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/limits.h"
#include "format/arrow.h"
#include "format/parquet.h"

#define NO_PYARROW 90
#define MAX_BATCH_ROWS (1u << 24)
#define MEMORY ((uint64_t)16 << 30) /* address space: pyarrow reserves far more than it uses */

typedef struct buffer {
  uint8_t *bytes;
  size_t cap, len;
} buffer;

typedef struct column {
  char *format, *name;
  bez_arrow_type type;
  buffer part[3];
  const void *pointer[3];
  struct ArrowSchema schema;
  struct ArrowArray array;
} column;

typedef struct worker {
  bez_child child;
  char problem[BEZ_ERROR_TEXT];
  uint32_t n;
  column *columns;
  struct ArrowSchema **schemas;
  struct ArrowArray **arrays;
  const void *none[1];
  uint64_t rows;
} worker;

static bool fail(worker *w, const char *what) {
  if (!w->problem[0]) snprintf(w->problem, sizeof w->problem, "%s", what);
  return false;
}

static bool get(worker *w, void *out, size_t len) {
  bool ended = false;
  bez_error err = {0};
  if (bez_child_read(&w->child, out, len, &ended, &err) != BEZ_OK) return fail(w, err.message);
  return !ended || fail(w, "the helper that reads Parquet ended unexpectedly");
}

static bool get_text(worker *w, uint32_t most, char **out) {
  uint32_t len;
  if (!get(w, &len, sizeof len)) return false;
  if (len > most) return fail(w, "a text from the helper is too long");
  char *text = calloc(1, (size_t)len + 1);
  if (!text) return fail(w, "memory is out");
  *out = text;
  if (len && !get(w, text, len)) return false;
  return !memchr(text, 0, len) || fail(w, "a NUL in a name");
}

/* Frame X: shown to people, so only printable bytes pass. */
static bool get_failure(worker *w) {
  char *text = NULL;
  if (!get_text(w, 4096, &text)) {
    free(text);
    return false;
  }
  for (char *p = text; *p; p++)
    if ((unsigned char)*p < 0x20 || *p == 0x7f) *p = ' ';
  fail(w, *text ? text : "the helper gave no reason");
  free(text);
  return false;
}

/* Bytes that a buffer of the column must have at the least; only the types the helper sends. */
static bool bytes_needed(const column *c, int part, uint64_t rows, uint64_t *out) {
  *out = 0;
  if (c->type.kind == BEZ_ARROW_NULL) return true;
  if (part == 0 || (part == 1 && c->type.kind == BEZ_ARROW_BOOL))
    *out = (rows + 7) / 8;
  else if (part == 1)
    *out = c->type.kind == BEZ_ARROW_STRING ? (rows + 1) * 8 : rows * c->type.size;
  return c->type.kind != BEZ_ARROW_VIEW && (c->type.kind != BEZ_ARROW_STRING || c->type.size == 8);
}

static bool get_buffer(worker *w, buffer *b, uint64_t least, bool may_lack) {
  uint64_t len;
  if (!get(w, &len, sizeof len)) return false;
  b->len = 0;
  if (len > BEZ_MAX_RECORD) return fail(w, "a column of a batch is larger than 256 MiB");
  if (len < least && !(may_lack && len == 0)) return fail(w, "a buffer from the helper is too short");
  if (len > b->cap) {
    uint8_t *grown = realloc(b->bytes, (size_t)len);
    if (!grown) return fail(w, "memory is out");
    b->bytes = grown;
    b->cap = (size_t)len;
  }
  b->len = (size_t)len;
  return len == 0 || get(w, b->bytes, (size_t)len);
}

static bool offsets_good(const column *c, uint64_t rows) {
  int64_t last = 0;
  for (uint64_t i = 0; i <= rows; i++) {
    int64_t at;
    memcpy(&at, c->part[1].bytes + i * 8, 8);
    if (at < last || at > (int64_t)c->part[2].len) return false;
    last = at;
  }
  return true;
}

static bool get_column(worker *w, column *c, uint64_t rows) {
  for (int part = 0; part < 3; part++) {
    uint64_t least;
    if (!bytes_needed(c, part, rows, &least)) return fail(w, "a column type the helper does not send");
    if (!get_buffer(w, &c->part[part], least, part == 0)) return false;
    c->pointer[part] = c->part[part].len ? c->part[part].bytes : NULL;
  }
  if (c->type.kind == BEZ_ARROW_STRING && !offsets_good(c, rows))
    return fail(w, "offsets from the helper are out of order");
  c->array = (struct ArrowArray){.length = (int64_t)rows,
                                 .null_count = c->pointer[0] ? -1 : 0,
                                 .buffers = c->pointer,
                                 .n_buffers = c->type.kind == BEZ_ARROW_NULL     ? 0
                                              : c->type.kind == BEZ_ARROW_STRING ? 3
                                                                                 : 2};
  return true;
}

static void nothing_schema(struct ArrowSchema *s) {
  s->release = NULL;
}

static void nothing_array(struct ArrowArray *a) {
  a->release = NULL;
}

static bool get_schema_frame(worker *w) {
  uint32_t n;
  uint8_t tag;
  if (!get(w, &tag, 1)) return false;
  if (tag == 'X') return get_failure(w);
  if (tag != 'S' || !get(w, &n, sizeof n)) return fail(w, "the helper did not send a schema");
  if (n > BEZ_MAX_COLUMNS) return fail(w, "too many columns");
  w->columns = calloc((size_t)n + 1, sizeof *w->columns);
  w->schemas = calloc((size_t)n + 1, sizeof(void *));
  w->arrays = calloc((size_t)n + 1, sizeof(void *));
  if (!w->columns || !w->schemas || !w->arrays) return fail(w, "memory is out");
  while (w->n < n) {
    uint32_t i = w->n++; /* counted first, so that what is read of it is freed */
    column *c = &w->columns[i];
    if (!get_text(w, 64, &c->format) || !get_text(w, BEZ_MAX_NAME, &c->name)) return false;
    if (!bez_arrow_parse(c->format, &c->type)) return fail(w, "a column type the helper does not send");
    c->schema = (struct ArrowSchema){.format = c->format, .name = c->name, .release = nothing_schema};
    w->schemas[i] = &c->schema;
    w->arrays[i] = &c->array;
  }
  return true;
}

static int stream_schema(struct ArrowArrayStream *s, struct ArrowSchema *out) {
  worker *w = s->private_data;
  if (!w->columns && !get_schema_frame(w)) return EIO;
  *out = (struct ArrowSchema){
      .format = "+s", .name = "", .n_children = w->n, .children = w->schemas, .release = nothing_schema};
  return 0;
}

static bool get_batch(worker *w, struct ArrowArray *out) {
  uint64_t rows;
  uint8_t tag;
  if (!get(w, &tag, 1)) return false;
  if (tag == 'X') return get_failure(w);
  if ((tag != 'B' && tag != 'E') || !get(w, &rows, sizeof rows))
    return fail(w, "the helper sent a frame that is unknown");
  if (tag == 'E') return rows == w->rows || fail(w, "the helper lost rows");
  if (rows == 0 || rows > MAX_BATCH_ROWS) return fail(w, "the helper sent a batch of an impossible size");
  for (uint32_t i = 0; i < w->n; i++)
    if (!get_column(w, &w->columns[i], rows)) return false;
  w->rows += rows;
  *out = (struct ArrowArray){.length = (int64_t)rows,
                             .n_buffers = 1,
                             .buffers = w->none,
                             .n_children = w->n,
                             .children = w->arrays,
                             .release = nothing_array};
  return true;
}

static int stream_next(struct ArrowArrayStream *s, struct ArrowArray *out) {
  *out = (struct ArrowArray){0};
  return get_batch(s->private_data, out) ? 0 : EIO;
}

static const char *stream_error(struct ArrowArrayStream *s) {
  return ((worker *)s->private_data)->problem;
}

static void stream_release(struct ArrowArrayStream *s) {
  worker *w = s->private_data;
  (void)bez_child_finish(&w->child, true);
  for (uint32_t i = 0; i < w->n; i++) {
    free(w->columns[i].format);
    free(w->columns[i].name);
    for (int part = 0; part < 3; part++) free(w->columns[i].part[part].bytes);
  }
  free(w->columns);
  free(w->schemas);
  free(w->arrays);
  free(w);
  s->release = NULL;
}

static bez_status not_there(const char *path, const char *python, const char *why, bez_error *err) {
  return bez_fail(err, BEZ_UNSUPPORTED, path,
                  "reading Parquet needs pyarrow (pip install 'bezoar[parquet]'; %s %s) or libduckdb "
                  "(BEZOAR_DUCKDB=/path/to/libduckdb.so)",
                  python, why);
}

/* The first bytes tell whether there is a worker at all. */
static bez_status greet(bez_child *child, const char *path, const char *python, bez_error *err) {
  uint8_t hello[8];
  bool ended = false;
  bez_status st = bez_child_read(child, hello, sizeof hello, &ended, err);
  if (st != BEZ_OK) return st;
  if (!ended && memcmp(hello, "BZPQ\1\0\0\0", 8) == 0) return BEZ_OK;
  int code = bez_child_finish(child, !ended);
  return not_there(path, python, code == NO_PYARROW ? "lacks pyarrow" : "lacks the bezoar package, or it cannot start",
                   err);
}

bez_status bez_parquet_frames(bez_child child, struct ArrowArrayStream *out, bez_error *err) {
  worker *w = calloc(1, sizeof *w);
  if (!w) {
    (void)bez_child_finish(&child, true);
    return bez_fail_memory(err, sizeof *w);
  }
  w->child = child;
  *out = (struct ArrowArrayStream){stream_schema, stream_next, stream_error, stream_release, w};
  return BEZ_OK;
}

/* The command line; free it. -P: the current folder, which may be what is scanned, is no place for Python code. */
static const char **command_line(const char *python, const bez_parquet_file *file) {
  const char *const fixed[] = {python, "-P", "-B", "-m",
                               file->whole ? "bezoar.columns_worker" : "bezoar.parquet_worker"};
  const size_t n = sizeof fixed / sizeof *fixed;
  const char **argv = calloc(n + file->n_columns + 1, sizeof *argv);
  if (!argv) return NULL;
  memcpy(argv, fixed, sizeof fixed);
  for (size_t i = 0; i < file->n_columns; i++) argv[n + i] = file->columns[i];
  return argv;
}

bez_status bez_parquet_worker(const bez_parquet_file *file, struct ArrowArrayStream *out, bez_error *err) {
  const char *python = getenv("BEZOAR_PYTHON"), *path = file->path;
  if (!python || !*python) python = "python3";
  const char **argv = command_line(python, file);
  if (!argv) return bez_fail_memory(err, file->n_columns * sizeof *argv);
  bez_spawn plan = {.program = python, .argv = argv, .input_fd = file->fd, .memory = MEMORY, .cpu_seconds = 24 * 3600};
  bez_child child;
  bez_error why = {0};
  bez_status st = bez_spawn_start(&plan, &child, &why);
  free(argv);
  if (st == BEZ_UNSUPPORTED) return not_there(path, python, why.message, err);
  if (st != BEZ_OK) return bez_fail(err, st, why.subject, "%s", why.message);
  st = greet(&child, path, python, err);
  if (st == BEZ_OK) return bez_parquet_frames(child, out, err);
  (void)bez_child_finish(&child, true);
  return st;
}
