/* Files put together again (spooled_rows.h). */
#include "content/spooled_rows.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/store.h"

void bez_spooled_rows_end(bez_spooled_rows *s) {
  if (s->rows) s->form->rows_close(s->rows);
  if (s->fd >= 0) close(s->fd);
  *s = (bez_spooled_rows){.fd = -1};
}

bez_status bez_spooled_rows_take(bez_spooled_rows *s, const bez_form_use *form, const bez_item *item, bez_error *err) {
  if (item->type == BEZ_ITEM_FILE) {
    bez_spooled_rows_end(s);
    if (!form->form->rows_open) return BEZ_OK;
    s->form = form->form;
    return bez_store_file(&s->fd, err);
  }
  for (size_t at = 0; s->fd >= 0 && at < item->body_len;) {
    ssize_t n = write(s->fd, item->body + at, item->body_len - at);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return bez_fail_errno(err, "temporary file", "cannot write");
    at += (size_t)n;
  }
  return BEZ_OK;
}

/* One field to two that want it. */
typedef struct both {
  bez_canonical *c;
  bez_field_fn fn;
  void *ctx;
} both;

static bez_status tell_both(void *ctx, const char *name, size_t name_len, const char *value, size_t len, int kind,
                            bez_error *err) {
  const both *b = ctx;
  bez_canonical_field(b->c, name, name_len, value, len, (bez_field_kind)kind);
  return b->fn(b->ctx, name, name_len, value, len, kind, err);
}

bez_status bez_spooled_rows_next(bez_spooled_rows *s, const bez_form_use *form, const bez_item *digest,
                                 bez_canonical *c, bez_field_fn fn, void *ctx, bez_error *err) {
  both b = {c, fn, ctx};
  uint8_t canonical[32];
  bool end = false;
  bez_status st = BEZ_OK;
  if (s->fd < 0 || !form->form || form->form != s->form)
    return bez_fail(err, BEZ_FORMAT, NULL, "a digest stands in a file that has rows of its own");
  if (!s->rows) {
    char path[40];
    snprintf(path, sizeof path, "/proc/self/fd/%d", s->fd);
    st = s->form->rows_open(form->state, path, &s->rows, err);
    if (st != BEZ_OK) return st;
  }
  bez_canonical_begin(c);
  st = s->form->rows_next(s->rows, tell_both, &b, &end, err);
  if (st == BEZ_OK && end) return bez_fail(err, BEZ_FORMAT, NULL, "a file has fewer rows than digests");
  if (st == BEZ_OK) st = bez_canonical_finish(c, canonical, err);
  if (st == BEZ_OK && memcmp(canonical, digest->body, sizeof canonical) != 0)
    st = bez_fail(err, BEZ_FORMAT, NULL, "a row of a file is not what its digest says");
  return st;
}
