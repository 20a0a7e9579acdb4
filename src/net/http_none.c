/* A build without libcurl: what http.c offers, refused. */
#ifndef BEZ_HAVE_CURL
#include "base/error.h"
#include "net/http.h"

#define NOT_BUILT "this build of Bezoar has no libcurl: it reads local files only; download the data first"

bez_status bez_http_create(const bez_http_options *options, bez_http **out, bez_error *err) {
  (void)options;
  *out = NULL;
  return bez_fail(err, BEZ_UNSUPPORTED, NULL, NOT_BUILT);
}

void bez_http_destroy(bez_http *http) {
  (void)http;
}

bez_status bez_http_try(bez_http *http, const bez_request *request, bez_response *response, bez_body_fn body, void *ctx,
                        bez_error *err) {
  (void)http, (void)body, (void)ctx;
  *response = (bez_response){0};
  return bez_fail(err, BEZ_UNSUPPORTED, request->shown, NOT_BUILT);
}

bez_status bez_http_wait(bez_http *http, unsigned failures, unsigned asked, bez_error *err) {
  (void)http, (void)failures, (void)asked;
  return bez_fail(err, BEZ_UNSUPPORTED, NULL, NOT_BUILT);
}
#else
typedef int bez_net_has_curl;
#endif
