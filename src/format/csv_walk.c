/* One record after another through a window that grows with the longest record. */
#include "format/csv_walk.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/limits.h"

#define WINDOW (1u << 20)

bez_status bez_csv_find_dialect(const bez_source *source, bez_csv_dialect *out, bez_error *err) {
  size_t want = source->size < BEZ_CSV_SNIFF_BYTES ? (size_t)source->size : BEZ_CSV_SNIFF_BYTES, got;
  char *head = malloc(want + 1);
  if (!head) return bez_fail_memory(err, want);
  bez_status st = bez_source_read(source, 0, head, want, &got, err);
  if (st == BEZ_OK) st = bez_csv_sniff(head, got, got == source->size, source->path, out, err);
  free(head);
  return st;
}

bez_status bez_csv_split_error(bez_csv_split_result got, const char *path, int64_t line, uint64_t offset,
                               bez_error *err) {
  switch (got) {
    case BEZ_CSV_OPEN:
      return bez_fail_at(err, BEZ_FORMAT, path, line, (int64_t)offset,
                         "a quoted cell that begins in this record never ends");
    case BEZ_CSV_MORE:
      return bez_fail_at(err, BEZ_LIMIT, path, line, (int64_t)offset, "a record of more than %u bytes", BEZ_MAX_RECORD);
    case BEZ_CSV_TOO_WIDE:
      return bez_fail_at(err, BEZ_LIMIT, path, line, (int64_t)offset, "more than %u columns", BEZ_MAX_COLUMNS);
    default: return bez_fail_memory(err, 0);
  }
}

bez_status bez_csv_walk_open(const bez_source *source, bez_csv_walk *out, bez_error *err) {
  *out = (bez_csv_walk){.source = source, .next_line = 1};
  bez_status st = bez_csv_find_dialect(source, &out->dialect, err);
  if (st != BEZ_OK) return st;
  out->buf_offset = out->dialect.skip;
  out->next_line += out->dialect.told > 0;
  return BEZ_OK;
}

/* Moves what is left to the front and reads on; the window doubles when it is all one record. */
static bez_status refill(bez_csv_walk *w, bez_error *err) {
  size_t left = w->len - w->next, got;
  if (left) memmove(w->buf, w->buf + w->next, left);
  w->buf_offset += w->next;
  w->next = 0;
  w->len = left;
  if (left == w->cap) {
    size_t cap = w->cap ? w->cap * 2 : WINDOW;
    char *buf = realloc(w->buf, cap);
    if (!buf) return bez_fail_memory(err, cap);
    w->buf = buf;
    w->cap = cap;
  }
  bez_status st = bez_source_read(w->source, w->buf_offset + left, w->buf + left, w->cap - left, &got, err);
  w->len += got;
  return st;
}

bez_status bez_csv_walk_next(bez_csv_walk *w, bez_error *err) {
  for (;;) {
    bool last = w->buf_offset + w->len == w->source->size;
    if (last && w->next == w->len) {
      w->done = true;
      return BEZ_OK;
    }
    bez_csv_split_result got = BEZ_CSV_MORE;
    size_t used = 0;
    if (w->next < w->len) got = bez_csv_split(&w->dialect, w->buf + w->next, w->len - w->next, last, &w->record, &used);
    if (got == BEZ_CSV_RECORD) {
      w->raw = w->buf + w->next;
      w->raw_len = used;
      w->offset = w->buf_offset + w->next;
      w->line = w->next_line;
      for (const char *p = w->raw, *end = p + used; (p = memchr(p, w->dialect.newline, (size_t)(end - p))) != NULL; p++)
        w->next_line++;
      w->next += used;
      return BEZ_OK;
    }
    if (got != BEZ_CSV_MORE || w->len - w->next > BEZ_MAX_RECORD)
      return bez_csv_split_error(got, w->source->path, w->next_line, w->buf_offset + w->next, err);
    bez_status st = refill(w, err);
    if (st != BEZ_OK) return st;
  }
}

void bez_csv_walk_close(bez_csv_walk *w) {
  bez_csv_record_free(&w->record);
  free(w->buf);
  *w = (bez_csv_walk){0};
}
