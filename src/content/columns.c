/* Arrow batches as rows of fields (columns.h). */
#include "content/columns.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/limits.h"
#include "format/arrow.h"
#include "format/celltext.h"
#include "format/parquet.h"

struct bez_columns {
  const char *path; /* in the arena */
  int fd;
  bool marked; /* names begin with a letter for the kind */
  struct ArrowArrayStream stream;
  struct ArrowArray batch;
  bez_arrow_leaves leaves;
  bez_arrow_view *views;
  bez_arena arena;
};

static bez_status stream_failed(bez_columns *c, bez_error *err) {
  const char *why = c->stream.get_last_error ? c->stream.get_last_error(&c->stream) : NULL;
  return bez_fail(err, BEZ_FORMAT, c->path, "cannot be read: %s", why ? why : "the stream failed and gave no reason");
}

static bez_status open_regular(bez_columns *c, bez_error *err) {
  struct stat info;
  c->fd = open(c->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (c->fd < 0) return bez_fail_errno(err, c->path, "cannot open");
  if (fstat(c->fd, &info) != 0) return bez_fail_errno(err, c->path, "cannot look at");
  return S_ISREG(info.st_mode) ? BEZ_OK : bez_fail(err, BEZ_USAGE, c->path, "is no regular file");
}

/* Without the worker structs would be laid flat: the same row would have another digest. */
static bez_status check_flat(const bez_columns *c, bez_error *err) {
  for (uint32_t i = 0; i < c->leaves.n && !c->marked; i++)
    if (c->leaves.items[i].depth > 1)
      return bez_fail(err, BEZ_UNSUPPORTED, c->path,
                      "the nested column \"%.100s\" needs pyarrow to be read (pip install "
                      "'bezoar[parquet]'), or keep the file whole with --form file",
                      c->leaves.items[i].name);
  return BEZ_OK;
}

static bez_status read_schema(bez_columns *c, bez_error *err) {
  struct ArrowSchema schema = {0};
  if (c->stream.get_schema(&c->stream, &schema) != 0 || !schema.release) return stream_failed(c, err);
  bez_status st = bez_arrow_columns(&schema, NULL, &c->arena, &c->leaves, err);
  schema.release(&schema);
  if (st != BEZ_OK) return st;
  c->views = calloc((size_t)c->leaves.n + 1, sizeof *c->views);
  return c->views ? check_flat(c, err) : bez_fail_memory(err, c->leaves.n * sizeof *c->views);
}

bez_status bez_columns_open(const char *path, bez_columns **out, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_columns *c = calloc(1, sizeof *c);
  if (!c) return bez_fail_memory(err, sizeof *c);
  c->fd = -1;
  c->path = bez_arena_strdup(&c->arena, path);
  if (!c->path) BEZ_TRY(bez_fail_memory(err, strlen(path)));
  BEZ_TRY(open_regular(c, err));
  BEZ_TRY(bez_parquet_rows(c->path, c->fd, &c->stream, &c->marked, err));
  BEZ_TRY(read_schema(c, err));
cleanup:
  if (st != BEZ_OK)
    bez_columns_close(c);
  else
    *out = c;
  return st;
}

void bez_columns_close(bez_columns *c) {
  if (!c) return;
  if (c->batch.release) c->batch.release(&c->batch);
  if (c->stream.release) c->stream.release(&c->stream);
  if (c->fd >= 0) close(c->fd);
  free(c->leaves.items);
  free(c->views);
  bez_arena_free(&c->arena);
  free(c);
}

bez_status bez_columns_next(bez_columns *c, uint64_t *rows, bez_error *err) {
  bez_status st = BEZ_OK;
  *rows = 0;
  do {
    if (c->batch.release) c->batch.release(&c->batch);
    c->batch = (struct ArrowArray){0};
    if (c->stream.get_next(&c->stream, &c->batch) != 0) return stream_failed(c, err);
    if (!c->batch.release) return BEZ_OK;
  } while (c->batch.length == 0);
  for (uint32_t i = 0; st == BEZ_OK && i < c->leaves.n; i++)
    st = bez_arrow_bind(&c->batch, &c->leaves.items[i], &c->views[i], err);
  if (st == BEZ_OK) *rows = (uint64_t)c->batch.length;
  return st;
}

static bool is_number(const char *text, uint32_t len) {
  return len > 0 && ((text[len - 1] >= '0' && text[len - 1] <= '9') || text[len - 1] == '.');
}

/* Infinities are text: JSON has no number for them. */
static bez_field_kind kind_of(const bez_arrow_leaf *leaf, char mark, const char *text, uint32_t len) {
  if (!text) return BEZ_FIELD_NONE;
  if (mark == 'j') return BEZ_FIELD_JSON;
  if (mark == 'd') return len == 32 ? BEZ_FIELD_DIGEST : BEZ_FIELD_TEXT;
  switch (leaf->type.kind) {
    case BEZ_ARROW_BOOL: return BEZ_FIELD_WORD;
    case BEZ_ARROW_INT:
    case BEZ_ARROW_UINT:
    case BEZ_ARROW_FLOAT:
    case BEZ_ARROW_SPAN:
    case BEZ_ARROW_DECIMAL: return len == 0 ? BEZ_FIELD_NONE : is_number(text, len) ? BEZ_FIELD_NUMBER : BEZ_FIELD_TEXT;
    default: return BEZ_FIELD_TEXT;
  }
}

bez_status bez_columns_row(const bez_columns *c, uint64_t row, bez_field_fn fn, void *ctx, bez_error *err) {
  char room[BEZ_CELLTEXT_MAX];
  for (uint32_t i = 0; i < c->leaves.n; i++) {
    const bez_arrow_leaf *leaf = &c->leaves.items[i];
    const char *name = leaf->name, *text = NULL;
    uint32_t len = 0;
    char mark = 'p';
    if (c->marked && *name) mark = *name++;
    if (!bez_arrow_cell(&c->views[i], (int64_t)row, room, &text, &len))
      return bez_fail(err, BEZ_FORMAT, c->path, "an Arrow offset or index of column \"%.100s\" is out of range", name);
    bez_status st = fn(ctx, name, strlen(name), text ? text : "", len, kind_of(leaf, mark, text, len), err);
    if (st != BEZ_OK) return st;
  }
  return BEZ_OK;
}
