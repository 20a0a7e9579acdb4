/* Pages that stand in for what is gone: the same one everywhere, or one that says so in its title. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "vault/watch.h"

#define MANY 3u          /* URLs without digests that give the same bytes */
#define LOOKED_AT 16384u /* bytes of a page in which its title stands */

static bool begins(const char *p, size_t len, const char *word) {
  size_t n = strlen(word);
  return len >= n && !strncasecmp(p, word, n);
}

bool bez_page_is_html(const char *p, size_t len) {
  static const char *const marks[] = {"<!doctype html", "<html", "<head", "<body", "<!--", "<title", "<script"};
  if (len >= 3 && !memcmp(p, "\xef\xbb\xbf", 3)) p += 3, len -= 3;
  while (len && strchr(" \t\r\n", *p) && *p) p++, len--;
  for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
    if (begins(p, len, marks[i])) return true;
  return false;
}

void bez_page_title(const char *p, size_t len, char *out, size_t size) {
  size_t n = 0, i = 0;
  out[0] = '\0';
  if (len > LOOKED_AT) len = LOOKED_AT;
  while (i < len && !begins(p + i, len - i, "<title")) i++;
  while (i < len && p[i] != '>') i++;
  for (i++; i < len && p[i] != '<' && n + 1 < size; i++) {
    bool blank = strchr(" \t\r\n", p[i]) != NULL; /* a NUL counts as one */
    if (blank && (!n || out[n - 1] == ' ')) continue;
    out[n++] = blank ? ' ' : p[i];
  }
  if (n && out[n - 1] == ' ') n--;
  out[n] = '\0';
}

bool bez_page_says_no(const char *title) {
  static const char *const phrases[] = {"404",
                                        "403",
                                        "410",
                                        "not found",
                                        "page missing",
                                        "no longer available",
                                        "doesn't exist",
                                        "for sale",
                                        "buy this",
                                        "domain is parked",
                                        "parked domain",
                                        "access denied",
                                        "forbidden",
                                        "suspended",
                                        "unavailable",
                                        "error",
                                        "nicht gefunden",
                                        "introuvable",
                                        "no encontrad",
                                        "non trovat",
                                        "does not exist",
                                        "has expired",
                                        "under construction"};
  for (size_t i = 0; i < sizeof phrases / sizeof *phrases; i++)
    if (strcasestr(title, phrases[i])) return true;
  return false;
}

static bool names_picture(const char *url) {
  static const char *const endings[] = {".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".avif"};
  size_t len = strcspn(url, "?#");
  for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
    size_t n = strlen(endings[i]);
    if (len > n && !strncasecmp(url + len - n, endings[i], n)) return true;
  }
  return false;
}

/* Rows that came back with something that nobody has vouched for. */
static bool is_open(const bez_checked *c) {
  return c->verdict == BEZ_SEEN_DIFFERENT || c->verdict == BEZ_SEEN_FIRST;
}

typedef struct found {
  const bez_checked *checked;
  uint64_t row;
} found;

static int by_digest(const void *a, const void *b) {
  const found *x = a, *y = b;
  int c = memcmp(x->checked->sha256, y->checked->sha256, 32);
  return c ? c : (x->row > y->row) - (x->row < y->row);
}

/* Whether the URLs of a group should lead to different things: their listed digests differ, or they have none and are
 * too many for copies of one thing. */
static bool should_differ(const bez_watchlist *list, const found *f, uint64_t n) {
  if (n >= MANY) return true;
  for (uint64_t i = 1; i < n; i++) {
    const bez_watched *a = &list->rows[f[0].row], *b = &list->rows[f[i].row];
    if (a->know & b->know & BEZ_KNOW_SHA256 && memcmp(a->sha256, b->sha256, 32) != 0) return true;
    if (a->know & b->know & BEZ_KNOW_SHA512 && memcmp(a->sha512, b->sha512, 64) != 0) return true;
    if (a->know & b->know & BEZ_KNOW_MD5 && memcmp(a->md5, b->md5, 16) != 0) return true;
  }
  return false;
}

static void name_one(const bez_watched *row, bez_checked *c) {
  if (c->page != BEZ_PAGE_NONE || !c->html) return;
  if (c->title && bez_page_says_no(c->title))
    c->page = BEZ_PAGE_NOT_FOUND;
  else if (row->know & BEZ_KNOW_PHASH || names_picture(row->url))
    c->page = BEZ_PAGE_FOR_PICTURE;
}

bez_status bez_watch_pages(const bez_watchlist *list, bez_checked *checked, bez_error *err) {
  uint64_t n = 0;
  found *f = calloc(list->n + 1, sizeof *f);
  if (!f) return bez_fail_memory(err, list->n * sizeof *f);
  for (uint64_t i = 0; i < list->n; i++)
    if (is_open(&checked[i])) f[n++] = (found){.checked = &checked[i], .row = i};
  qsort(f, n, sizeof *f, by_digest);
  for (uint64_t i = 0, end; i < n; i = end) {
    for (end = i + 1; end < n && !memcmp(f[i].checked->sha256, f[end].checked->sha256, 32);) end++;
    if (end - i < 2 || !should_differ(list, f + i, end - i)) continue;
    for (uint64_t k = i; k < end; k++) {
      checked[f[k].row].page = BEZ_PAGE_REPEATED;
      checked[f[k].row].n_same = end - i;
    }
  }
  for (uint64_t i = 0; i < n; i++) name_one(&list->rows[f[i].row], &checked[f[i].row]);
  free(f);
  return BEZ_OK;
}
