/* Verdicts for people and programs, and lists that a loader can use. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/file.h"
#include "crypto/digest.h"
#include "vault/watch.h"

/* Content that nobody vouches for is settled when the vault has seen it, and nothing else, for as long as the delay
 * says. What a server says of its age proves nothing. */
void bez_watch_learn(bez_watchlist *list, bez_checked *checked, int64_t now, double delay) {
  for (uint64_t i = 0; i < list->n; i++) {
    bez_watched *row = &list->rows[i];
    bez_checked *c = &checked[i];
    if (c->verdict == BEZ_SEEN_NOTHING) continue;
    if (c->verdict == BEZ_SEEN_EXACT || (c->verdict == BEZ_SEEN_FIRST && c->page == BEZ_PAGE_NONE)) {
      if (c->verdict == BEZ_SEEN_FIRST) row->learned = now;
      if (!(row->know & BEZ_KNOW_SHA256)) memcpy(row->sha256, c->sha256, 32);
      if (c->has_phash) row->phash = c->phash;
      row->know |= BEZ_KNOW_SHA256 | (c->has_phash ? BEZ_KNOW_PHASH : 0u);
      row->know &= ~(unsigned)BEZ_KNOW_SEEN;
      c->held = row->learned && (double)(now - row->learned) < delay;
      continue;
    }
    if (c->verdict == BEZ_SEEN_FIRST) continue; /* an error page is no content */
    if (!(row->know & BEZ_KNOW_SEEN) || memcmp(row->seen, c->sha256, 32) != 0) row->seen_since = now;
    memcpy(row->seen, c->sha256, 32);
    row->know |= BEZ_KNOW_SEEN;
    c->held = (double)(now - row->seen_since) < delay;
  }
}

void bez_watch_count(const bez_checked *checked, uint64_t n, bez_watch_sum *sum) {
  *sum = (bez_watch_sum){0};
  for (uint64_t i = 0; i < n; i++) {
    const bez_checked *c = &checked[i];
    if (bez_checked_not_asked(c)) continue;
    uint64_t *to[] = {&sum->unchecked, &sum->exact, &sum->near, &sum->different, &sum->first};
    ++*to[c->verdict];
    sum->gone += c->gone;
    sum->held += c->held;
    sum->pages += c->page != BEZ_PAGE_NONE;
  }
}

static const char *const verdicts[] = {"unchecked", "exact", "near", "different", "first"};
static const char *const pages[] = {"", "repeated", "not found", "page in place of a picture"};

static void put_item(bez_json *j, const bez_watchlist *list, const bez_checked *c, uint64_t i) {
  const bez_watched *row = &list->rows[i];
  char hex[65];
  bez_json_open(j, '{');
  bez_json_kuint(j, "row", i + 1);
  bez_json_kstr(j, "url", row->url);
  bez_json_kstr(j, "verdict", verdicts[c->verdict]);
  if (c->status) bez_json_kuint(j, "status", c->status);
  if (c->why) bez_json_kstr(j, "why", c->why);
  if (c->gone) bez_json_kbool(j, "gone", true);
  if (c->redirected) bez_json_kbool(j, "redirected", true);
  if (c->verdict != BEZ_SEEN_NOTHING) {
    bez_hex(c->sha256, 32, hex);
    bez_json_kuint(j, "bytes", c->bytes);
    bez_json_kstr(j, "sha256", hex);
  }
  if (c->distance <= 64) bez_json_kuint(j, "distance", c->distance);
  if (c->page != BEZ_PAGE_NONE) bez_json_kstr(j, "page", pages[c->page]);
  if (c->page == BEZ_PAGE_REPEATED) bez_json_kuint(j, "same_at", c->n_same);
  if (c->title) bez_json_kstr(j, "title", c->title);
  if (c->held) bez_json_kbool(j, "held", true);
  if (row->know & BEZ_KNOW_SEEN) bez_json_kuint(j, "since", (uint64_t)row->seen_since);
  bez_json_close(j, '}');
}

void bez_watch_write(bez_json *j, const bez_watchlist *list, const bez_checked *checked, const bez_watch_sum *sum) {
  bez_json_kuint(j, "n_urls", list->n);
  bez_json_kuint(j, "exact", sum->exact);
  bez_json_kuint(j, "near", sum->near);
  bez_json_kuint(j, "different", sum->different);
  bez_json_kuint(j, "first", sum->first);
  bez_json_kuint(j, "unchecked", sum->unchecked);
  bez_json_kuint(j, "gone", sum->gone);
  bez_json_kuint(j, "held", sum->held);
  bez_json_kuint(j, "pages", sum->pages);
  bez_json_key(j, "items");
  bez_json_open(j, '[');
  for (uint64_t i = 0; i < list->n; i++) {
    const bez_checked *c = &checked[i];
    bool plain = bez_checked_not_asked(c) ||
                 ((c->verdict == BEZ_SEEN_EXACT || c->verdict == BEZ_SEEN_FIRST) && c->page == BEZ_PAGE_NONE);
    if (!plain || c->held) put_item(j, list, c, i);
  }
  bez_json_close(j, ']');
}

static void put_cell(bez_buf *out, const char *cell) {
  bool quote = strpbrk(cell, ",\"\r\n") != NULL;
  if (!quote) {
    bez_buf_puts(out, cell);
    return;
  }
  bez_buf_putc(out, '"');
  for (const char *p = cell; *p; p++) {
    if (*p == '"') bez_buf_putc(out, '"');
    bez_buf_putc(out, *p);
  }
  bez_buf_putc(out, '"');
}

static void put_row(bez_buf *out, const char *const *cells, uint32_t n) {
  for (uint32_t c = 0; c < n; c++) {
    if (c) bez_buf_putc(out, ',');
    put_cell(out, cells[c]);
  }
  bez_buf_putc(out, '\n');
}

/* Which list a row is in: one of them, and held.csv before the others. */
static unsigned list_of(const bez_checked *c) {
  if (c->held) return 4;
  if (c->verdict == BEZ_SEEN_FIRST) return c->page == BEZ_PAGE_NONE ? 1 : 3;
  return c->verdict == BEZ_SEEN_NOTHING ? 0 : (unsigned)c->verdict;
}

bez_status bez_watch_folder(const char *folder, bez_error *err) {
  if (mkdir(folder, 0777) == 0 || errno == EEXIST) return BEZ_OK;
  return bez_fail_errno(err, folder, "cannot make the folder");
}

bez_status bez_watch_write_lists(const char *folder, const bez_watchlist *list, const bez_checked *checked,
                                 bez_error *err) {
  static const char *const names[] = {"unchecked", "exact", "near", "different", "held"};
  bez_buf out = {0}, path = {0};
  bez_status st = BEZ_OK;
  for (unsigned k = 0; st == BEZ_OK && k < sizeof names / sizeof *names; k++) {
    bez_buf_clear(&out);
    bez_buf_clear(&path);
    bez_buf_printf(&path, "%s/%s.csv", folder, names[k]);
    put_row(&out, list->columns, list->n_columns);
    for (uint64_t i = 0; i < list->n; i++)
      if (list_of(&checked[i]) == k && !bez_checked_not_asked(&checked[i]))
        put_row(&out, list->rows[i].cells, list->n_columns);
    st = bez_buf_status(&path, err);
    if (st == BEZ_OK) st = bez_buf_status(&out, err);
    if (st == BEZ_OK) st = bez_file_write(path.data, out.data, out.len, err);
  }
  bez_buf_free(&out);
  bez_buf_free(&path);
  return st;
}
