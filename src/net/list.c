/* Asking the services what a path names. */
#include <fnmatch.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/limits.h"
#include "net/listing.h"

#define PAGE_CEILING ((size_t)64 << 20)
#define MAX_PAGES (BEZ_MAX_FILES / 100) /* a server that hands out tokens for ever */

typedef struct asking {
  bez_http *http;
  bez_place *place;
  bez_arena *arena;   /* of what outlives the pages */
  const char *folder; /* names must begin with it … */
  bool pattern;       /* … and match place->path, … */
  bool one;           /* … or be it, or lie below it */
  bez_entry_fn entry;
  void *ctx;
  bez_listing listing;
  bez_buf url, page;
} asking;

/* A part of the name, below the folder, that begins with . or _: left out as in a local folder. The card of a
 * repository is about the data, not of it. */
static bool hidden(const asking *a, const char *rest) {
  if (a->place->kind == BEZ_URL_HF && (!strcasecmp(rest, "README.md") || !strncasecmp(rest, "LICENSE", 7))) return true;
  for (const char *p = rest; p; p = strchr(p, '/'), p = p ? p + 1 : NULL)
    if (*p == '.' || *p == '_') return true;
  return false;
}

static bez_status on_entry(void *ctx, const bez_entry *entry, bez_error *err) {
  asking *a = ctx;
  const char *name = entry->name, *slash = strrchr(name, '/');
  if (strncmp(name, a->folder, strlen(a->folder)) != 0)
    return a->place->kind == BEZ_URL_HF
               ? BEZ_OK /* its listing begins at the folder above */
               : bez_fail(err, BEZ_FORMAT, a->place->shown, "the listing names what was not asked for: refused");
  if (slash && !slash[1]) return BEZ_OK; /* an empty object that stands for a folder */
  const char *rest = name + strlen(a->folder);
  if (a->pattern && fnmatch(a->place->path, name, FNM_PATHNAME | FNM_PERIOD | FNM_NOESCAPE) != 0) return BEZ_OK;
  if (a->one && *rest && *rest != '/') return BEZ_OK;
  if (!a->pattern && !(a->one && !*rest) && hidden(a, rest)) return BEZ_OK;
  bez_entry kept = *entry;
  kept.name = bez_arena_strdup(a->arena, name);
  kept.etag = bez_arena_strdup(a->arena, entry->etag);
  if (!kept.name || (entry->etag && !kept.etag)) return bez_fail_memory(err, strlen(name));
  return a->entry(a->ctx, &kept, err);
}

static void begin_url(asking *a) {
  bez_buf_clear(&a->url);
  bez_buf_puts(&a->url, a->place->base);
}

static bez_status get_page(asking *a, bez_response *response, bez_error *err) {
  bez_status st = bez_buf_status(&a->url, err);
  if (st != BEZ_OK) return st;
  bez_request request = bez_place_page(a->place, &a->url);
  return bez_http_page(a->http, &request, PAGE_CEILING, response, &a->page, err);
}

/* Sorted by name, as the signature wants it. */
static void s3_url(asking *a, const char *token) {
  begin_url(a);
  bez_buf_puts(&a->url, "/?");
  if (token) bez_buf_puts(&a->url, "continuation-token=");
  if (token) bez_url_escape(&a->url, token, false);
  bez_buf_printf(&a->url, "%sencoding-type=url&list-type=2&prefix=", token ? "&" : "");
  bez_url_escape(&a->url, a->folder, false);
}

static void gs_url(asking *a, const char *token) {
  begin_url(a);
  bez_buf_printf(&a->url,
                 "/storage/v1/b/%s/o?fields=items(name,size,generation),nextPageToken&prefix=", a->place->bucket);
  bez_url_escape(&a->url, a->folder, false);
  if (token) bez_buf_puts(&a->url, "&pageToken=");
  if (token) bez_url_escape(&a->url, token, false);
}

/* What the service calls the next page: a URL, which must be of the same origin. */
static bez_status hf_url(asking *a, const char *next, bez_error *err) {
  char ours[320], theirs[320];
  if (next) {
    bez_buf_clear(&a->url);
    bez_buf_puts(&a->url, next);
    if (!bez_url_origin(next, theirs) || !bez_url_origin(a->place->base, ours) || strcmp(ours, theirs) != 0)
      return bez_fail(err, BEZ_FORMAT, a->place->shown, "the listing goes on at another host: refused");
    return BEZ_OK;
  }
  begin_url(a);
  bez_buf_printf(&a->url, "/api/%s/tree/%s", a->place->bucket, a->place->commit);
  size_t n = strlen(a->folder);
  while (n && a->folder[n - 1] != '/') n--; /* the folder above, as the path may be a file */
  char *above = bez_arena_strndup(a->arena, a->folder, n ? n - 1 : 0);
  if (!above) return bez_fail_memory(err, n);
  if (*above) bez_buf_putc(&a->url, '/');
  bez_url_escape(&a->url, above, true);
  bez_buf_puts(&a->url, "?recursive=true");
  return BEZ_OK;
}

static bez_status page(asking *a, const char *token, char **next, bez_error *err) {
  bez_response response = {0};
  bez_listing *l = &a->listing;
  bez_url_kind kind = a->place->kind;
  bez_status st = BEZ_OK;
  *next = NULL;
  if (kind == BEZ_URL_S3) s3_url(a, token);
  if (kind == BEZ_URL_GS) gs_url(a, token);
  if (kind == BEZ_URL_HF) BEZ_TRY(hf_url(a, token, err));
  BEZ_TRY(get_page(a, &response, err));
  *l = (bez_listing){.shown = a->place->shown, .entry = on_entry, .ctx = a};
  if (kind == BEZ_URL_S3) st = bez_listing_s3(l, a->page.data, a->page.len, err);
  if (kind == BEZ_URL_GS) st = bez_listing_gs(l, a->page.data, a->page.len, err);
  if (kind == BEZ_URL_HF) st = bez_listing_hf(l, a->page.data, a->page.len, err);
  const char *token_next = kind == BEZ_URL_HF ? response.next : l->next;
  if (st == BEZ_OK && token_next && *token_next) {
    *next = bez_arena_strdup(a->arena, token_next);
    if (!*next) st = bez_fail_memory(err, strlen(token_next));
  }
  bez_arena_free(&l->arena);
cleanup:
  return st;
}

static bez_status all_pages(asking *a, bez_error *err) {
  char *token = NULL;
  for (unsigned n = 0;; n++) {
    char *next;
    bez_status st = page(a, token, &next, err);
    if (st != BEZ_OK || !next) return st;
    if (n == MAX_PAGES || (token && !strcmp(token, next)))
      return bez_fail(err, BEZ_FORMAT, a->place->shown, "the listing does not end");
    token = next;
  }
}

/* The commit first: what is listed and read afterwards cannot change. */
static bez_status pin(asking *a, bez_error *err) {
  bez_response response = {0};
  const char *commit = NULL;
  bez_listing l = {.shown = a->place->shown};
  if (a->place->kind != BEZ_URL_HF || a->place->commit) return BEZ_OK;
  begin_url(a);
  bez_buf_printf(&a->url, "/api/%s/revision/", a->place->bucket);
  bez_url_escape(&a->url, a->place->revision, false);
  bez_status st = get_page(a, &response, err);
  if (st == BEZ_OK) st = bez_listing_hf_commit(&l, a->page.data, a->page.len, &commit, err);
  if (st == BEZ_OK) {
    a->place->commit = bez_arena_strdup(a->arena, commit);
    if (!a->place->commit) st = bez_fail_memory(err, 40);
  }
  bez_arena_free(&l.arena);
  return st;
}

/* Metadata of one object of Google's; *there is false when there is none. */
static bez_status gs_one(asking *a, bool *there, bez_error *err) {
  bez_response response = {0};
  bez_error why = {0};
  begin_url(a);
  bez_buf_printf(&a->url, "/storage/v1/b/%s/o/", a->place->bucket);
  bez_url_escape(&a->url, a->place->path, false);
  bez_buf_puts(&a->url, "?fields=name,size,generation");
  bez_status st = get_page(a, &response, &why);
  *there = st == BEZ_OK;
  if (st == BEZ_IO && response.status == 404) return BEZ_OK;
  if (st != BEZ_OK) {
    if (err && err->code == BEZ_OK) *err = why;
    return st;
  }
  a->folder = a->place->path;
  a->one = true;
  a->listing = (bez_listing){.shown = a->place->shown, .entry = on_entry, .ctx = a};
  st = bez_listing_gs_one(&a->listing, a->page.data, a->page.len, err);
  bez_arena_free(&a->listing.arena);
  return st;
}

static void done(asking *a) {
  bez_buf_free(&a->url);
  bez_buf_free(&a->page);
}

/* Where names must begin: all of a folder's path, or the part of a pattern before its first wildcard. */
static bez_status list_below(asking *a, bez_error *err) {
  const bez_place *p = a->place;
  size_t literal = bez_place_literal(p), n = strlen(p->path);
  a->one = false;
  a->pattern = literal < n;
  a->folder = a->pattern                    ? bez_arena_strndup(a->arena, p->path, literal)
              : !n || p->path[n - 1] == '/' ? p->path
                                            : bez_arena_printf(a->arena, "%s/", p->path);
  return a->folder ? all_pages(a, err) : bez_fail_memory(err, n);
}

/* In a repository a path is a file or a folder: the listing of the folder above shows which. */
static bez_status hf_one(asking *a, bez_error *err) {
  a->folder = a->place->path;
  a->one = true;
  return all_pages(a, err);
}

bez_status bez_place_list_folder(bez_http *http, bez_place *place, bez_arena *arena, bez_entry_fn entry, void *ctx,
                                 bez_error *err) {
  asking a = {.http = http, .place = place, .arena = arena, .entry = entry, .ctx = ctx};
  bez_status st = list_below(&a, err);
  done(&a);
  return st;
}

bez_status bez_place_list(bez_http *http, bez_place *place, bez_arena *arena, bez_entry_fn entry, void *ctx,
                          bez_error *err) {
  asking a = {.http = http, .place = place, .arena = arena, .entry = entry, .ctx = ctx};
  bool one = bez_place_is_one(place), there = false;
  bez_status st = pin(&a, err);
  bez_entry unknown = {.name = place->path, .size = BEZ_SIZE_UNKNOWN};
  if (st == BEZ_OK && one) {
    if (place->kind == BEZ_URL_GS) st = gs_one(&a, &there, err);
    if (place->kind == BEZ_URL_HF) st = hf_one(&a, err);
    if (place->kind == BEZ_URL_S3 || place->kind == BEZ_URL_HTTP) st = entry(ctx, &unknown, err);
  }
  bool folder = !one || (place->kind == BEZ_URL_GS && !there);
  if (st == BEZ_OK && folder) st = list_below(&a, err);
  done(&a);
  return st;
}
