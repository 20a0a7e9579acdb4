/* ListObjectsV2. The XML is flat and machine-made: elements, text and the five named entities; what else XML has
 * (document types, CDATA, processing instructions behind the first) is refused. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/limits.h"
#include "net/listing.h"

#define MAX_DEPTH 8u

typedef struct tag {
  const char *name;
  size_t len;
  bool closing, alone; /* </name>, <name/> */
  const char *end;     /* behind the > */
} tag;

typedef struct parser {
  bez_listing *l;
  const char *p, *end;
  bool url_encoded;
  tag open[MAX_DEPTH];
  unsigned depth;
  bez_entry entry;
  bool has_size, truncated;
} parser;

static bez_status broken(const parser *x, const char *why, bez_error *err) {
  return bez_fail(err, BEZ_FORMAT, x->l->shown, "the listing cannot be read: %s", why);
}

/* The tag at p, which is a <. */
static bool read_tag(const parser *x, const char *p, tag *t) {
  const char *end = memchr(p, '>', (size_t)(x->end - p));
  if (!end || end - p > 1024) return false;
  *t = (tag){.name = p + 1, .end = end + 1};
  if (t->name < end && *t->name == '/') t->closing = true, t->name++;
  t->alone = !t->closing && end > t->name && end[-1] == '/';
  while (t->name + t->len < end && !strchr(" \t\r\n/", t->name[t->len])) t->len++;
  return t->len > 0;
}

static bool named(const tag *t, const char *name) {
  return t->len == strlen(name) && !memcmp(t->name, name, t->len);
}

static size_t put_utf8(unsigned long cp, char *out) {
  if (cp < 0x80) {
    out[0] = (char)cp;
    return 1;
  }
  if (cp < 0x800) {
    out[0] = (char)(0xc0 | cp >> 6);
    out[1] = (char)(0x80 | (cp & 63));
    return 2;
  }
  if (cp < 0x10000) {
    out[0] = (char)(0xe0 | cp >> 12);
    out[1] = (char)(0x80 | (cp >> 6 & 63));
    out[2] = (char)(0x80 | (cp & 63));
    return 3;
  }
  out[0] = (char)(0xf0 | cp >> 18);
  out[1] = (char)(0x80 | (cp >> 12 & 63));
  out[2] = (char)(0x80 | (cp >> 6 & 63));
  out[3] = (char)(0x80 | (cp & 63));
  return 4;
}

/* One entity at p (behind the &) that ends before `end`; 0: none that is known. Never longer than its text. */
static size_t entity(const char *p, size_t len, char out[4]) {
  static const struct {
    const char *name;
    char c;
  } known[] = {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (len == strlen(known[i].name) && !memcmp(p, known[i].name, len)) {
      out[0] = known[i].c;
      return 1;
    }
  if (len < 2 || len > 8 || p[0] != '#') return 0;
  bool hex = p[1] == 'x';
  unsigned long cp = 0;
  for (size_t i = 1 + hex; i < len; i++) {
    const char *digits = "0123456789abcdef", *at = p[i] ? strchr(digits, p[i] | 32) : NULL;
    unsigned long digit = at ? (unsigned long)(at - digits) : 16;
    if (digit >= (hex ? 16u : 10u)) return 0;
    cp = cp * (hex ? 16 : 10) + digit;
  }
  return cp && cp <= 0x10ffff && (cp < 0xd800 || cp > 0xdfff) ? put_utf8(cp, out) : 0;
}

/* Text of an element; NULL when it holds what XML does not allow, a NUL, or when memory is out. */
static char *text_of(const parser *x, const char *p, size_t len) {
  char *out = bez_arena_alloc(&x->l->arena, len + 4);
  size_t n = 0;
  for (size_t i = 0; out && i < len; i++) {
    if (!p[i]) return NULL;
    if (p[i] != '&') {
      out[n++] = p[i];
      continue;
    }
    const char *semicolon = memchr(p + i, ';', len - i);
    size_t used = semicolon ? entity(p + i + 1, (size_t)(semicolon - (p + i + 1)), out + n) : 0;
    if (!used) return NULL;
    n += used;
    i = (size_t)(semicolon - p);
  }
  if (out) out[n] = '\0';
  return out;
}

static bez_status take_size(parser *x, const char *text, bez_error *err) {
  char *end;
  if (*text < '0' || *text > '9') return broken(x, "a size is no number", err);
  unsigned long long n = strtoull(text, &end, 10);
  if (*end || n > INT64_MAX) return broken(x, "a size is no number", err);
  x->entry.size = n;
  x->has_size = true;
  return BEZ_OK;
}

/* The text of an innermost element. */
static bez_status take_text(parser *x, const char *p, size_t len, bez_error *err) {
  const tag *t = &x->open[x->depth - 1];
  bool in_contents = x->depth == 3 && named(&x->open[1], "Contents");
  bool key = in_contents && named(t, "Key"), size = in_contents && named(t, "Size");
  bool etag = in_contents && named(t, "ETag");
  bool truncated = x->depth == 2 && named(t, "IsTruncated"), token = x->depth == 2 && named(t, "NextContinuationToken");
  if (!key && !size && !etag && !truncated && !token) return BEZ_OK;
  const char *text = text_of(x, p, len);
  if (text && key && x->url_encoded) text = bez_url_unescape(&x->l->arena, text, strlen(text), true);
  if (!text) return broken(x, "a name or number in it is malformed", err);
  if (key) x->entry.name = text;
  if (etag) x->entry.etag = text;
  if (token) x->l->next = text;
  if (truncated) x->truncated = !strcmp(text, "true");
  return size ? take_size(x, text, err) : BEZ_OK;
}

static bez_status end_entry(parser *x, bez_error *err) {
  if (!x->entry.name || !*x->entry.name || !x->has_size) return broken(x, "an object has no name or no size", err);
  return x->l->entry(x->l->ctx, &x->entry, err);
}

static bez_status take_tag(parser *x, const tag *t, const char *text, size_t len, bez_error *err) {
  if (!t->closing) {
    if (x->depth == 0 && !named(t, "ListBucketResult")) return broken(x, "it is no ListBucketResult", err);
    if (x->depth == MAX_DEPTH) return broken(x, "it is nested too deeply", err);
    if (x->depth == 1 && named(t, "Contents")) x->entry = (bez_entry){0}, x->has_size = false;
    if (!t->alone) x->open[x->depth++] = *t;
    return BEZ_OK;
  }
  if (!x->depth || x->open[x->depth - 1].len != t->len || memcmp(x->open[x->depth - 1].name, t->name, t->len) != 0)
    return broken(x, "its elements do not close in order", err);
  bez_status st = x->open[x->depth - 1].end == text ? take_text(x, text, len, err) : BEZ_OK;
  if (st == BEZ_OK && x->depth == 2 && named(t, "Contents")) st = end_entry(x, err);
  x->depth--;
  return st;
}

/* Past the declaration and blanks in front of the first element. */
static void skip_prologue(parser *x) {
  if (x->end - x->p >= 3 && !memcmp(x->p, "\xef\xbb\xbf", 3)) x->p += 3;
  while (x->p < x->end && strchr(" \t\r\n", *x->p) && *x->p) x->p++;
  if (x->end - x->p < 2 || memcmp(x->p, "<?", 2) != 0) return;
  const char *end = memmem(x->p, (size_t)(x->end - x->p), "?>", 2);
  x->p = end ? end + 2 : x->end;
}

bez_status bez_listing_s3(bez_listing *l, const char *bytes, size_t len, bez_error *err) {
  parser x = {.l = l, .p = bytes, .end = bytes + len};
  l->next = NULL;
  if (!len) return broken(&x, "it is empty", err);
  x.url_encoded = memmem(bytes, len, "<EncodingType>url</EncodingType>", 32) != NULL;
  skip_prologue(&x);
  bool closed = false;
  for (const char *text = x.p; !closed;) {
    tag t;
    const char *at = x.p < x.end ? memchr(x.p, '<', (size_t)(x.end - x.p)) : NULL;
    if (!at || !read_tag(&x, at, &t) || *t.name == '!' || *t.name == '?') return broken(&x, "malformed XML", err);
    bez_status st = take_tag(&x, &t, text, (size_t)(at - text), err);
    if (st != BEZ_OK) return st;
    x.p = text = t.end;
    closed = x.depth == 0;
  }
  if (!x.truncated) l->next = NULL;
  if (x.truncated && (!l->next || !*l->next)) return broken(&x, "it goes on, but does not say where", err);
  return BEZ_OK;
}
