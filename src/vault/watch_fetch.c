/* One URL: what its server answers now, as digests, held against what was listed. */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

#include "base/error.h"
#include "base/limits.h"
#include "crypto/digest.h"
#include "crypto/sha256.h"
#include "format/image_helper.h"
#include "math/phash.h"
#include "net/http.h"
#include "net/url.h"
#include "vault/watch.h"

#define MOST_BYTES (64u << 20)
#define SECONDS 60.0
#define NEAR_BITS 10u
#define NO_DISTANCE 255u
#define TITLE_BYTES 120u

struct bez_watch_fetcher {
  bez_http *http;
  bez_helper helper;
  const bez_watch_options *options;
  bez_watch *stop; /* of all */
  unsigned worker;
  bez_watch own; /* of the request: ends it at the deadline */
  double deadline;
  bool late;
  bez_buf body, plain;
};

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static bool go_on(void *ctx, const char *stage, const char *unit, uint64_t done, uint64_t total) {
  bez_watch_fetcher *f = ctx;
  (void)stage, (void)unit, (void)done, (void)total;
  f->late = now() > f->deadline;
  return !f->late && bez_watch_ask(f->stop, f->worker);
}

bez_status bez_watch_fetchers_create(unsigned n, const bez_watch_options *options, bez_watch *stop,
                                     bez_watch_fetcher **out, bez_error *err) {
  bez_watch_fetcher *f = calloc(n, sizeof *f);
  *out = f;
  if (!f) return bez_fail_memory(err, n * sizeof *f);
  bez_status st = BEZ_OK;
  for (unsigned i = 0; st == BEZ_OK && i < n; i++) {
    f[i].options = options;
    f[i].stop = stop;
    f[i].worker = i;
    f[i].own = (bez_watch){.progress = go_on, .ctx = &f[i], .stage = "fetch", .unit = "URLs"};
    f[i].body.ceiling = options->max_bytes ? options->max_bytes : MOST_BYTES;
    f[i].plain.ceiling = f[i].body.ceiling;
    bez_http_options http = {
        .stall = options->timeout > 0 ? options->timeout : SECONDS, .watch = &f[i].own, .agent = options->agent};
    st = bez_http_create(&http, &f[i].http, err);
  }
  if (st == BEZ_OK) return BEZ_OK;
  bez_watch_fetchers_free(f, n);
  *out = NULL;
  return st;
}

void bez_watch_fetchers_free(bez_watch_fetcher *f, unsigned n) {
  for (unsigned i = 0; f && i < n; i++) {
    bez_http_destroy(f[i].http);
    bez_helper_stop(&f[i].helper);
    bez_buf_free(&f[i].body);
    bez_buf_free(&f[i].plain);
  }
  free(f);
}

static bez_status keep(void *ctx, bez_response *response, const char *bytes, size_t len, bez_error *err) {
  bez_buf *out = ctx;
  (void)response;
  bez_buf_write(out, bytes, len);
  return bez_buf_status(out, err);
}

static bez_status say(char **to, const char *text, bez_error *err) {
  free(*to);
  *to = strdup(text);
  return *to ? BEZ_OK : bez_fail_memory(err, strlen(text) + 1);
}

/* Asks until there is an answer, or asking again is of no use. *why: as it was said last. */
static bez_status ask(bez_watch_fetcher *f, const char *url, bez_response *response, bez_error *why, bez_error *err) {
  const bez_request request = {
      .url = url, .shown = "", .follow = !f->options->no_redirects}; /* the URL stands beside the reason anyway */
  bez_status st = BEZ_OK;
  for (unsigned failures = 1;; failures++) {
    *why = (bez_error){0};
    bez_buf_clear(&f->body);
    f->late = false;
    f->own.stopped = false;
    f->deadline = now() + (f->options->timeout > 0 ? f->options->timeout : SECONDS);
    st = bez_http_try(f->http, &request, response, keep, &f->body, why);
    if (st == BEZ_OK || !bez_watch_ask(f->stop, f->worker)) break;
    if (!(response->again || f->late) || failures > f->options->retries) break;
    f->deadline = now() + 90; /* of the pause */
    f->own.stopped = false;
    st = bez_http_wait(f->http, failures, response->wait, err);
    if (st != BEZ_OK) return st;
  }
  return st;
}

/* A failure in words; those that are ours are passed on. */
static bez_status explain(bez_watch_fetcher *f, bez_status st, const bez_response *r, const bez_error *why,
                          bez_checked *out, bez_error *err) {
  char text[200];
  out->gone = r->status == 404 || r->status == 410;
  if (!bez_watch_ask(f->stop, f->worker)) return bez_watch_fail(err);
  if (st == BEZ_MEMORY || st == BEZ_UNSUPPORTED) return bez_fail(err, st, why->subject, "%s", why->message);
  if (f->late)
    snprintf(text, sizeof text, "no whole answer within %.3g seconds",
             f->options->timeout > 0 ? f->options->timeout : SECONDS);
  else if (st == BEZ_LIMIT)
    snprintf(text, sizeof text, "more than %zu bytes", f->body.ceiling);
  else
    snprintf(text, sizeof text, "%.190s", why->message);
  return say(&out->why, text, err);
}

/* What a server packs without being asked is looked at unpacked, too. False: it does not unpack, or (out->failed) to
 * too much. */
static bool unpack(const bez_buf *in, bez_buf *out) {
  z_stream z = {.next_in = (Bytef *)in->data, .avail_in = (uInt)in->len};
  bez_buf_clear(out);
  if (in->len > UINT32_MAX / 2 || inflateInit2(&z, 15 + 32) != Z_OK) return false;
  int code = Z_OK;
  while (code == Z_OK) {
    uint8_t piece[16384];
    z.next_out = piece;
    z.avail_out = sizeof piece;
    code = inflate(&z, Z_NO_FLUSH);
    bez_buf_write(out, piece, sizeof piece - z.avail_out);
    if (out->failed != BEZ_OK || (code == Z_OK && !z.avail_in && z.avail_out)) break;
  }
  inflateEnd(&z);
  return code == Z_STREAM_END && out->failed == BEZ_OK;
}

/* Every digest that is known has to fit. */
static bez_status fits(const bez_watched *row, const bez_buf *body, const uint8_t sha256[32], bool *good,
                       bez_error *err) {
  uint8_t digest[BEZ_DIGEST_MOST];
  *good = (row->know & BEZ_KNOW_DIGEST) != 0;
  if (row->know & BEZ_KNOW_SHA256) *good = *good && !memcmp(sha256, row->sha256, 32);
  if (*good && row->know & BEZ_KNOW_SHA512) {
    bez_status st = bez_digest_bytes(BEZ_DIGEST_SHA512, body->data ? body->data : "", body->len, digest, err);
    if (st != BEZ_OK) return st;
    *good = !memcmp(digest, row->sha512, 64);
  }
  if (*good && row->know & BEZ_KNOW_MD5) {
    if (EVP_Digest(body->data ? body->data : "", body->len, digest, NULL, EVP_md5(), NULL) != 1)
      return bez_fail(err, BEZ_UNSUPPORTED, "md5", "this machine's OpenSSL does not compute MD5");
    *good = !memcmp(digest, row->md5, 16);
  }
  return BEZ_OK;
}

/* The perceptual hash, by pixels that the sandboxed decoder made. A picture that cannot be decoded has none. */
static bez_status look(bez_watch_fetcher *f, const bez_buf *body, bez_checked *out, bez_error *err) {
  uint8_t grey[BEZ_PHASH_SIDE * BEZ_PHASH_SIDE] = {0};
  bez_image_reply reply = {0};
  const bez_image_request request = {.magic = BEZ_IMAGE_MAGIC,
                                     .op = BEZ_IMAGE_DECODE,
                                     .height = BEZ_PHASH_SIDE,
                                     .width = BEZ_PHASH_SIDE,
                                     .channels = 1,
                                     .bytes = body->len};
  out->picture = body->len && bez_picture_sniff((const uint8_t *)body->data, body->len) != BEZ_PICTURE_NONE;
  if (!out->picture || body->len > BEZ_MAX_PICTURE_FILE) return BEZ_OK;
  bez_status st = bez_image_helper_ask(&f->helper, &request, (const uint8_t *)body->data, &reply, grey, err);
  if (st == BEZ_OK && !reply.why[0]) out->has_phash = bez_phash(grey, &out->phash);
  return st;
}

static bez_status judge(bez_watch_fetcher *f, const bez_watched *row, const bez_response *r, bez_checked *out,
                        bez_error *err) {
  const bez_buf *body = &f->body;
  char title[TITLE_BYTES];
  bool exact;
  bez_sha256(body->data ? body->data : "", body->len, out->sha256);
  bez_status st = fits(row, body, out->sha256, &exact, err);
  if (st == BEZ_OK && !exact && strstr(r->encoding, "gzip")) {
    if (unpack(&f->body, &f->plain)) body = &f->plain;
    if (f->plain.failed == BEZ_LIMIT) return say(&out->why, "unpacked it is larger than --max-size", err);
    bez_sha256(body->data ? body->data : "", body->len, out->sha256);
    st = fits(row, body, out->sha256, &exact, err);
  }
  out->bytes = body->len;
  if (st == BEZ_OK && !(exact && row->know & BEZ_KNOW_PHASH)) st = look(f, body, out, err);
  if (st != BEZ_OK) return st;
  if (row->know & BEZ_KNOW_PHASH && out->has_phash) out->distance = (uint8_t)bez_phash_distance(row->phash, out->phash);
  out->html = !out->picture && body->len && bez_page_is_html(body->data, body->len);
  unsigned near = f->options->near ? f->options->near : NEAR_BITS;
  out->verdict = exact                            ? BEZ_SEEN_EXACT
                 : !(row->know & BEZ_KNOW_DIGEST) ? BEZ_SEEN_FIRST
                 : out->distance <= near          ? BEZ_SEEN_NEAR
                                                  : BEZ_SEEN_DIFFERENT;
  if (!out->html) return BEZ_OK;
  bez_page_title(body->data, body->len, title, sizeof title);
  return title[0] ? say(&out->title, title, err) : BEZ_OK;
}

bez_status bez_watch_fetch(bez_watch_fetcher *fetchers, unsigned which, const bez_watched *row, bez_checked *out,
                           bez_error *err) {
  bez_watch_fetcher *f = &fetchers[which];
  bez_response response = {0};
  bez_error why = {0};
  *out = (bez_checked){.distance = NO_DISTANCE};
  if (bez_url_kind_of(row->url) != BEZ_URL_HTTP) return say(&out->why, "no http or https URL", err);
  bez_status st = ask(f, row->url, &response, &why, err);
  out->status = response.status > 0 && response.status < 1000 ? (uint16_t)response.status : 0;
  out->redirected = response.redirected;
  if (st != BEZ_OK) return explain(f, st, &response, &why, out, err);
  if (!response.framed) return say(&out->why, "the answer does not say where it ends: it may be cut", err);
  return judge(f, row, &response, out, err);
}
