/* URLs: only the parts that decide where bytes come from and what may be shown. RFC 3986. */
#include "net/url.h"

#include <string.h>
#include <strings.h>

#include "base/error.h"

bez_url_kind bez_url_kind_of(const char *path) {
  static const struct {
    const char *scheme;
    bez_url_kind kind;
  } schemes[] = {{"https://", BEZ_URL_HTTP},
                 {"http://", BEZ_URL_HTTP},
                 {"s3://", BEZ_URL_S3},
                 {"gs://", BEZ_URL_GS},
                 {"hf://", BEZ_URL_HF}};
  for (size_t i = 0; path && i < sizeof schemes / sizeof *schemes; i++)
    if (!strncasecmp(path, schemes[i].scheme, strlen(schemes[i].scheme))) return schemes[i].kind;
  return BEZ_URL_NONE;
}

/* Behind "scheme://". */
static const char *authority(const char *url) {
  const char *colon = strstr(url, "://");
  return colon ? colon + 3 : url;
}

/* The @ that ends user and password; NULL: there are none. In hf:// it begins a revision, never a user. */
static const char *end_of_user(const char *url) {
  const char *begin = authority(url), *end = begin + strcspn(begin, "/?#"), *at = NULL;
  if (bez_url_kind_of(url) == BEZ_URL_HF) return NULL;
  for (const char *p = begin; p < end; p++)
    if (*p == '@') at = p;
  return at;
}

const char *bez_url_shown(bez_arena *arena, const char *path) {
  bez_url_kind kind = bez_url_kind_of(path);
  if (kind == BEZ_URL_NONE) return path;
  const char *begin = authority(path), *at = end_of_user(path), *host = at ? at + 1 : begin;
  /* Only http has a query: in the others ? and # belong to names. */
  size_t len = kind == BEZ_URL_HTTP ? strcspn(host, "?#") : strlen(host);
  return bez_arena_printf(arena, "%.*s%.*s", (int)(begin - path), path, (int)len, host);
}

bool bez_url_origin(const char *url, char out[320]) {
  const char *host = authority(url);
  size_t scheme = (size_t)(host - url), len = strcspn(host, "/?#");
  if (bez_url_kind_of(url) != BEZ_URL_HTTP || !len || scheme + len >= 320) return false;
  bool https = scheme == 8;
  if (len > 4 && https && !strncmp(host + len - 4, ":443", 4)) len -= 4;
  if (len > 3 && !https && !strncmp(host + len - 3, ":80", 3)) len -= 3;
  for (size_t i = 0; i < scheme + len; i++) out[i] = (char)(url[i] >= 'A' && url[i] <= 'Z' ? url[i] + 32 : url[i]);
  out[scheme + len] = '\0';
  return true;
}

/* Literal addresses and the one name that resolvers answer themselves (RFC 6761). */
static bool is_loopback(const char *host) {
  size_t len = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
  if (!strncmp(host, "127.", 4)) return len > 4 && strspn(host, "0123456789.") >= len;
  return (len == 9 && !strncmp(host, "localhost", 9)) || (len == 5 && !strncmp(host, "[::1]", 5));
}

bool bez_url_is_private(const char *url) {
  char origin[320] = "";
  if (!bez_url_origin(url, origin)) return false;
  return !strncmp(origin, "https://", 8) || is_loopback(origin + 7);
}

bez_status bez_url_check(const char *url, const char *shown, bool plain, bez_error *err) {
  char origin[320];
  for (const unsigned char *p = (const unsigned char *)url; *p; p++)
    if (*p <= 0x20 || *p == 0x7f || *p == '\\')
      return bez_fail(err, BEZ_USAGE, shown, "holds a blank, a backslash or a control character: write it as %%XX");
  if (end_of_user(url))
    return bez_fail(
        err, BEZ_USAGE, shown,
        "a user or password inside a URL is refused: it would end up in logs; use the environment variables "
        "that docs/remote.md names, or a signed URL");
  if (!bez_url_origin(url, origin)) return bez_fail(err, BEZ_USAGE, shown, "names no host");
  if (!plain && !bez_url_is_private(url))
    return bez_fail(err, BEZ_USAGE, shown, "http:// can be read and changed on the way: use https://");
  return BEZ_OK;
}

void bez_url_escape(bez_buf *out, const char *text, bool slashes) {
  static const char hex[] = "0123456789ABCDEF";
  for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
    bool plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') ||
                 strchr("-._~", *p) || (slashes && *p == '/');
    if (!plain) bez_buf_putc(out, '%');
    if (!plain) bez_buf_putc(out, hex[*p >> 4]);
    bez_buf_putc(out, plain ? (char)*p : hex[*p & 15]);
  }
}

static int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c |= 32;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

char *bez_url_unescape(bez_arena *arena, const char *text, size_t len, bool plus) {
  char *out = bez_arena_alloc(arena, len + 1);
  size_t n = 0;
  for (size_t i = 0; out && i < len; i++) {
    char c = text[i];
    if (c == '%') {
      int high = i + 2 < len ? hex_digit(text[i + 1]) : -1, low = high >= 0 ? hex_digit(text[i + 2]) : -1;
      if (low < 0) return NULL;
      c = (char)(high * 16 + low);
      i += 2;
    } else if (c == '+' && plus) {
      c = ' ';
    }
    if (!c) return NULL;
    out[n++] = c;
  }
  return out;
}
