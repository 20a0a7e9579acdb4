/* What the headers of an answer say. RFC 9110; every value is hostile. */
#include <string.h>
#include <strings.h>

#include "net/http.h"

static bool take_number(const char **p, const char *end, uint64_t *out) {
  uint64_t n = 0;
  const char *begin = *p;
  for (; *p < end && **p >= '0' && **p <= '9'; ++*p) {
    if (n > (UINT64_MAX - 9) / 10) return false;
    n = n * 10 + (uint64_t)(**p - '0');
  }
  *out = n;
  return *p > begin;
}

/* "bytes 0-99/1234", "bytes 0-99/" and a star, "bytes", a star and "/1234" (nothing of it fits). */
static void read_range(bez_response *r, const char *p, const char *end) {
  bez_response got = {0};
  if (end - p < 6 || strncasecmp(p, "bytes ", 6) != 0) return;
  p += 6;
  if (p < end && *p == '*') {
    p++;
  } else {
    if (!take_number(&p, end, &got.first) || p >= end || *p++ != '-' || !take_number(&p, end, &got.last)) return;
    if (got.last < got.first) return;
    got.has_range = true;
  }
  if (p >= end || *p++ != '/') return;
  if (p < end && *p != '*') got.has_total = take_number(&p, end, &got.total);
  if (got.has_range && got.has_total && got.last >= got.total) return;
  r->first = got.first;
  r->last = got.last;
  r->total = got.total;
  r->has_range = got.has_range;
  r->has_total = got.has_total;
}

/* Printable bytes only; what does not fit is no value. */
static void keep(char *out, size_t cap, const char *p, size_t len) {
  out[0] = '\0';
  if (len >= cap) return;
  for (size_t i = 0; i < len; i++)
    if ((unsigned char)p[i] < 0x20 || (unsigned char)p[i] >= 0x7f) return;
  memcpy(out, p, len);
  out[len] = '\0';
}

/* <https://…>; rel="next", … */
static void read_link(bez_response *r, const char *p, const char *end) {
  while (p < end) {
    const char *open = memchr(p, '<', (size_t)(end - p));
    const char *shut = open ? memchr(open, '>', (size_t)(end - open)) : NULL;
    if (!shut) return;
    const char *next = memchr(shut, '<', (size_t)(end - shut));
    if (!next) next = end;
    if (memmem(shut, (size_t)(next - shut), "rel=\"next\"", 10))
      keep(r->next, sizeof r->next, open + 1, (size_t)(shut - open - 1));
    p = next;
  }
}

static void keep_code(bez_response *r, const char *p, size_t len) {
  size_t n = 0;
  for (; n < len && n + 1 < sizeof r->code; n++) {
    char c = p[n];
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_')) break;
    r->code[n] = c;
  }
  r->code[n] = '\0';
}

typedef struct header {
  const char *name, *value, *end;
  size_t name_len;
} header;

static bool is(const header *h, const char *name) {
  return strlen(name) == h->name_len && !strncasecmp(h->name, name, h->name_len);
}

static void read_value(bez_response *r, const header *h) {
  size_t len = (size_t)(h->end - h->value);
  const char *p = h->value;
  uint64_t n;
  if (is(h, "content-range")) read_range(r, h->value, h->end);
  if (is(h, "etag")) keep(r->etag, sizeof r->etag, h->value, len);
  if (is(h, "last-modified")) keep(r->modified, sizeof r->modified, h->value, len);
  if (is(h, "content-encoding")) keep(r->encoding, sizeof r->encoding, h->value, len);
  if (is(h, "x-amz-bucket-region")) keep(r->region, sizeof r->region, h->value, len);
  if (is(h, "x-error-code")) keep_code(r, h->value, len);
  if (is(h, "link")) read_link(r, h->value, h->end);
  if (is(h, "transfer-encoding")) r->framed = true;
  if (is(h, "content-length") && take_number(&p, h->end, &n) && p == h->end) {
    r->length = n;
    r->has_length = r->framed = true;
  }
  if (is(h, "retry-after") && take_number(&p, h->end, &n) && p == h->end) r->wait = n < 60 ? (unsigned)n : 60;
}

void bez_response_header(bez_response *r, const char *line, size_t len) {
  while (len && strchr("\r\n \t", line[len - 1]) && line[len - 1]) len--;
  if (len >= 5 && !strncmp(line, "HTTP/", 5)) { /* an interim answer (100, 103) came before */
    bool redirected = r->redirected;
    *r = (bez_response){.redirected = redirected, .framed = len >= 6 && line[5] >= '2'};
    return;
  }
  const char *colon = memchr(line, ':', len);
  if (!colon) return;
  header h = {.name = line, .name_len = (size_t)(colon - line), .value = colon + 1, .end = line + len};
  while (h.value < h.end && (*h.value == ' ' || *h.value == '\t')) h.value++;
  read_value(r, &h);
}

void bez_response_code(bez_response *r, const char *body, size_t len) {
  const char *code = r->code[0] || !len ? NULL : memmem(body, len, "<Code>", 6);
  if (code) keep_code(r, code + 6, len - (size_t)(code + 6 - body));
}
