/* The HTTP client over libcurl; compiled only where libcurl is (http_none.c stands in elsewhere). */
#ifdef BEZ_HAVE_CURL
#include "net/http.h"

#include <curl/curl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/hash.h"
#include "net/url.h"

#define MAX_REDIRECTS 5
#define CONNECT_SECONDS 20L
#define CODE_BYTES 4096

struct bez_http {
  bez_http_options options;
  CURL *curl;
  char problem[CURL_ERROR_SIZE];
};

/* One answer as it comes in. */
typedef struct transfer {
  bez_http *http;
  const bez_request *request;
  bez_response *response;
  bez_body_fn body;
  void *ctx;
  bez_error *err;
  bez_status status; /* of the body function */
  bool cancelled;
  size_t n_head;
  char head[CODE_BYTES + 1]; /* of an answer that is an error; ends in a NUL */
} transfer;

static size_t on_header(char *bytes, size_t one, size_t len, void *ctx) {
  transfer *t = ctx;
  (void)one;
  bez_response_header(t->response, bytes, len);
  return len;
}

static size_t on_body(char *bytes, size_t one, size_t len, void *ctx) {
  transfer *t = ctx;
  (void)one;
  curl_easy_getinfo(t->http->curl, CURLINFO_RESPONSE_CODE, &t->response->status);
  if (t->response->status != 200 && t->response->status != 206) {
    size_t room = CODE_BYTES - t->n_head, n = len < room ? len : room;
    memcpy(t->head + t->n_head, bytes, n);
    t->n_head += n;
    return t->n_head < CODE_BYTES ? len : 0; /* a long page that explains an error is not waited for */
  }
  t->status = t->body(t->ctx, t->response, bytes, len, t->err);
  return t->status == BEZ_OK && !t->response->enough ? len : 0;
}

static int on_progress(void *ctx, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d) {
  transfer *t = ctx;
  (void)a, (void)b, (void)c, (void)d;
  t->cancelled = !bez_watch_ask(t->http->options.watch, t->http->options.worker);
  return t->cancelled;
}

/* Where systems keep the authorities they trust; NULL: where libcurl was built to look. A library that travels in a
 * wheel was built elsewhere. */
static const char *usual_authorities(void) {
  static const char *const files[] = {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
                                      "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"};
  for (size_t i = 0; i < sizeof files / sizeof *files; i++)
    if (access(files[i], R_OK) == 0) return files[i];
  return NULL;
}

static void trust(CURL *curl) {
  const char *file = getenv("CURL_CA_BUNDLE"), *folder = getenv("SSL_CERT_DIR");
  if (!file || !*file) file = getenv("SSL_CERT_FILE");
  if ((!file || !*file) && (!folder || !*folder)) file = usual_authorities();
  if (file && *file) curl_easy_setopt(curl, CURLOPT_CAINFO, file);
  if (folder && *folder) curl_easy_setopt(curl, CURLOPT_CAPATH, folder);
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
}

bez_status bez_http_create(const bez_http_options *options, bez_http **out, bez_error *err) {
  *out = NULL;
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
    return bez_fail(err, BEZ_INTERNAL, "libcurl", "cannot be started");
  bez_http *http = calloc(1, sizeof *http);
  CURL *curl = curl_easy_init();
  if (!http || !curl) {
    free(http);
    if (curl) curl_easy_cleanup(curl);
    curl_global_cleanup();
    return bez_fail_memory(err, sizeof *http);
  }
  http->curl = curl;
  if (options) http->options = *options;
  double stall = http->options.stall > 0 ? http->options.stall : 60;
  trust(curl);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L); /* "a/../b" is a name in a bucket */
  const char *agent = http->options.agent;
  curl_easy_setopt(curl, CURLOPT_USERAGENT, agent ? agent : "bezoar/" BEZ_VERSION_STRING);
  http->options.agent = NULL;
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, http->problem);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)(stall < CONNECT_SECONDS ? stall + 1 : CONNECT_SECONDS));
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)(stall < 1 ? 1 : stall));
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
  *out = http;
  return BEZ_OK;
}

void bez_http_destroy(bez_http *http) {
  if (!http) return;
  curl_easy_cleanup(http->curl);
  free(http);
  curl_global_cleanup();
}

static bool add_header(struct curl_slist **list, const char *name, const char *value) {
  bez_buf line = {0};
  bez_buf_printf(&line, "%s: %s", name, value);
  struct curl_slist *more = line.failed == BEZ_OK ? curl_slist_append(*list, line.data) : NULL;
  if (line.data) OPENSSL_cleanse(line.data, line.len);
  bez_buf_free(&line);
  if (more) *list = more;
  return more != NULL;
}

static bez_status add_signature(const bez_request *r, struct curl_slist **list, bez_error *err) {
  bez_signed s;
  char origin[320], path[8192];
  const char *rest = strstr(r->url, "://");
  rest = rest ? strchr(rest + 3, '/') : NULL;
  const char *query = rest ? strchr(rest, '?') : NULL;
  size_t len = !rest ? 0 : query ? (size_t)(query - rest) : strlen(rest);
  if (!rest || len >= sizeof path || !bez_url_origin(r->url, origin))
    return bez_fail(err, BEZ_LIMIT, r->shown, "the name is too long");
  memcpy(path, rest, len);
  path[len] = '\0';
  bez_status st = bez_sigv4(r->aws, strstr(origin, "://") + 3, path, query ? query + 1 : "", time(NULL), &s, err);
  if (st != BEZ_OK) return st;
  bool good = add_header(list, "x-amz-content-sha256", BEZ_SHA256_OF_NOTHING) &&
              add_header(list, "x-amz-date", s.date) && add_header(list, "Authorization", s.authorization) &&
              (!r->aws->token || add_header(list, "x-amz-security-token", r->aws->token));
  return good ? BEZ_OK : bez_fail_memory(err, 512);
}

/* secret: the URL is still of the origin that the credentials are for. */
static bez_status make_headers(const bez_request *r, bool secret, struct curl_slist **list, bez_error *err) {
  bool good = true;
  if (r->aws && secret) {
    bez_status st = add_signature(r, list, err);
    if (st != BEZ_OK) return st;
  }
  if (r->bearer && secret) {
    if (strpbrk(r->bearer, "\r\n")) return bez_fail(err, BEZ_USAGE, r->shown, "the access token holds a line end");
    bez_buf value = {0};
    bez_buf_printf(&value, "Bearer %s", r->bearer);
    good = value.failed == BEZ_OK && add_header(list, "Authorization", value.data);
    if (value.data) OPENSSL_cleanse(value.data, value.len);
    bez_buf_free(&value);
  }
  if (r->if_match) good = good && add_header(list, "If-Match", r->if_match);
  if (r->post) good = good && add_header(list, "Content-Type", "text/plain; charset=utf-8");
  if (r->accept_gzip) good = good && add_header(list, "Accept-Encoding", "gzip");
  return good ? BEZ_OK : bez_fail_memory(err, 512);
}

static bool may_pass(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_SSL_CONNECT_ERROR: return true;
    default: return false;
  }
}

/* What went wrong below HTTP. The texts of libcurl name hosts, never the query of a URL. */
static bez_status settle(const transfer *t, CURLcode code, bez_error *err) {
  const char *shown = t->request->shown;
  if (t->cancelled) return bez_watch_fail(err);
  if (t->status != BEZ_OK) return t->status;
  if (code == CURLE_OK || t->response->enough) return BEZ_OK;
  if (code == CURLE_WRITE_ERROR && t->n_head) return BEZ_OK; /* the page of an error, cut by us */
  if (code == CURLE_OUT_OF_MEMORY) return bez_fail_memory(err, CODE_BYTES);
  t->response->again = may_pass(code);
  const char *why = t->http->problem[0] ? t->http->problem : curl_easy_strerror(code);
  if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE)
    return bez_fail(err, BEZ_IO, shown,
                    "the server's certificate cannot be trusted (%s); SSL_CERT_FILE names further authorities", why);
  return bez_fail(err, BEZ_IO, shown, "%s", why);
}

/* One request to one host. */
static bez_status transfer_once(transfer *t, const char *url, bool secret, bez_error *err) {
  CURL *curl = t->http->curl;
  struct curl_slist *headers = NULL;
  char range[48] = "";
  const bez_request *r = t->request;
  bool redirected = t->response->redirected;
  *t->response = (bez_response){.redirected = redirected};
  t->n_head = 0;
  t->http->problem[0] = '\0';
  bez_status st = make_headers(r, secret, &headers, err);
  if (st != BEZ_OK) goto cleanup;
  if (r->ranged) snprintf(range, sizeof range, "%llu-%llu", (unsigned long long)r->first, (unsigned long long)r->last);
  curl_easy_setopt(curl, CURLOPT_URL, url);
  curl_easy_setopt(curl, CURLOPT_NOPROXY, strncasecmp(url, "http://", 7) ? NULL : "*"); /* plain http stays here */
  curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
  if (r->post) curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)strlen(r->post));
  if (r->post) curl_easy_setopt(curl, CURLOPT_POSTFIELDS, r->post);
  curl_easy_setopt(curl, CURLOPT_RANGE, r->ranged ? range : NULL);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, t);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, t);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, t);
  CURLcode code = curl_easy_perform(curl);
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &t->response->status);
  st = settle(t, code, err);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, NULL);
cleanup:
  curl_slist_free_all(headers);
  return st;
}

static bool is_redirect(long status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* Where the answer leads, when one may go there. *secret falls once the origin changes, and stays so. */
static bez_status next_url(transfer *t, const char *from, bool *secret, char **out, bez_error *err) {
  char *target = NULL, old_origin[320], new_origin[320];
  const char *shown = t->request->shown;
  curl_easy_getinfo(t->http->curl, CURLINFO_REDIRECT_URL, &target);
  if (!target || !bez_url_origin(target, new_origin) || !bez_url_origin(from, old_origin))
    return bez_fail(err, BEZ_IO, shown, "the server redirects to what is no http or https URL: refused");
  bool down = !strncmp(old_origin, "https:", 6) && strncmp(new_origin, "https:", 6) != 0;
  bool same = !strcmp(old_origin, new_origin);
  if (down || (!bez_url_is_private(target) && !(t->request->plain && same)))
    return bez_fail(err, BEZ_IO, shown, "the server redirects to an unencrypted address (%s): refused", new_origin);
  if (!same) *secret = false;
  t->response->redirected = true;
  char *copy = strdup(target);
  if (!copy) return bez_fail_memory(err, strlen(target));
  *out = copy;
  return BEZ_OK;
}

/* Statuses that mean: later, perhaps. */
static bez_status refused(const bez_request *r, bez_response *a, bez_error *err) {
  long s = a->status;
  a->again = s == 408 || s == 429 || s == 500 || s == 502 || s == 503 || s == 504;
  const char *why = s == 401   ? ": the credentials are missing or wrong"
                    : s == 403 ? ": not allowed with these credentials, or not there"
                    : s == 404 ? ": not there, or not allowed without credentials"
                    : s == 412 ? ": it was changed while it was read"
                    : s == 429 ? ": too many requests"
                               : "";
  return bez_fail(err, BEZ_IO, r->shown, "the server answers %ld%s%s%s%s", s, a->code[0] ? " (" : "", a->code,
                  a->code[0] ? ")" : "", why);
}

bez_status bez_http_try(bez_http *http, const bez_request *request, bez_response *response, bez_body_fn body, void *ctx,
                        bez_error *err) {
  transfer *t = calloc(1, sizeof *t);
  if (!t) return bez_fail_memory(err, sizeof *t);
  *t = (transfer){.http = http, .request = request, .response = response, .body = body, .ctx = ctx, .err = err};
  *response = (bez_response){0};
  char *url = strdup(request->url);
  bool secret = true;
  bez_status st = url ? bez_url_check(url, request->shown, request->plain, err) : bez_fail_memory(err, 0);
  for (int hop = 0; st == BEZ_OK; hop++) {
    char *next = NULL;
    st = transfer_once(t, url, secret, err);
    if (st != BEZ_OK || !is_redirect(response->status) || !request->follow || request->post) break;
    if (hop == MAX_REDIRECTS) st = bez_fail(err, BEZ_IO, request->shown, "more than %d redirects", MAX_REDIRECTS);
    if (st == BEZ_OK) st = next_url(t, url, &secret, &next, err);
    if (st != BEZ_OK) break;
    free(url);
    url = next;
  }
  if (st == BEZ_OK && response->status != 200 && response->status != 206) {
    bez_response_code(response, t->head, t->n_head);
    t->head[t->n_head] = '\0';
    size_t line = strcspn(t->head, "\r\n");
    if (line < sizeof response->said) memcpy(response->said, t->head, line);
    st = refused(request, response, err);
  }
  free(url);
  free(t);
  return st;
}

bez_status bez_http_wait(bez_http *http, unsigned failures, unsigned asked, bez_error *err) {
  uint64_t full = (uint64_t)250 << (failures < 8 ? failures - 1 : 7); /* milliseconds */
  uint64_t mixed = bez_mix64((uint64_t)http->options.worker << 32 | (failures + 1));
  uint64_t left = full - mixed % (full / 2); /* not all at the same moment */
  if (asked * UINT64_C(1000) > left) left = asked * UINT64_C(1000);
  while (left) {
    uint64_t step = left < 100 ? left : 100;
    struct timespec t = {.tv_nsec = (long)step * 1000000L};
    if (!bez_watch_ask(http->options.watch, http->options.worker)) return bez_watch_fail(err);
    nanosleep(&t, NULL);
    left -= step;
  }
  return BEZ_OK;
}
#else
typedef int bez_net_http_is_not_built;
#endif
