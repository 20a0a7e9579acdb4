/* Requests that are made again when the failure may pass; whole pages (listings, metadata). */
#include "base/error.h"
#include "net/http.h"

static bez_status keep(void *ctx, bez_response *response, const char *bytes, size_t len, bez_error *err) {
  bez_buf *out = ctx;
  (void)response;
  bez_buf_write(out, bytes, len);
  return bez_buf_status(out, err);
}

static void restart_page(void *ctx) {
  bez_buf_clear(ctx);
}

bez_status bez_http_get(bez_http *http, const bez_request *request, bez_response *response, bez_body_fn body,
                        void (*restart)(void *ctx), void *ctx, bez_error *err) {
  for (unsigned failures = 1;; failures++) {
    bez_error why = {0};
    if (restart) restart(ctx);
    bez_status st = bez_http_try(http, request, response, body, ctx, &why);
    if (st == BEZ_OK) return BEZ_OK;
    if (!response->again || failures == BEZ_HTTP_ATTEMPTS) {
      if (err && err->code == BEZ_OK) *err = why;
      return st;
    }
    st = bez_http_wait(http, failures, response->wait, err);
    if (st != BEZ_OK) return st;
  }
}

bez_status bez_http_page(bez_http *http, const bez_request *request, size_t ceiling, bez_response *response,
                         bez_buf *out, bez_error *err) {
  bez_error why = {0};
  out->ceiling = ceiling;
  bez_status st = bez_http_get(http, request, response, keep, restart_page, out, &why);
  if (st == BEZ_LIMIT) return bez_fail(err, st, request->shown, "an answer of more than %zu bytes: refused", ceiling);
  if (st == BEZ_OK && !response->framed)
    return bez_fail(err, BEZ_FORMAT, request->shown, "the answer does not say where it ends: it may be cut");
  if (st != BEZ_OK && err && err->code == BEZ_OK) *err = why;
  return st;
}
