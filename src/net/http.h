/* One HTTP GET (or POST of a small text) at a time over a connection that is kept: TLS always verified, redirects only
 * to what is at least as private, credentials only to the origin they were meant for. */
#ifndef BEZ_NET_HTTP_H
#define BEZ_NET_HTTP_H

#include "base/buf.h"
#include "base/threads.h"
#include "net/sigv4.h"

typedef struct bez_http bez_http; /* one per thread */

typedef struct bez_http_options {
  double stall;      /* seconds without a byte after which a connection counts as dropped; 0: 60 */
  bez_watch *watch;  /* asked whether to go on; NULL: nobody */
  unsigned worker;   /* of the watch */
  const char *agent; /* User-Agent, NULL: "bezoar/VERSION"; borrowed for the creation */
} bez_http_options;

typedef struct bez_request {
  const char *url, *shown; /* shown: what errors call it */
  const char *bearer;      /* token for the origin of url, NULL none */
  const bez_aws *aws;      /* sign with these, NULL none */
  const char *if_match;    /* ETag, NULL none */
  const char *post;        /* text to be posted; NULL: a GET. Never sent anywhere else than to url */
  uint64_t first, last;    /* bytes wanted, when ranged */
  bool ranged;
  bool follow;      /* redirects are followed */
  bool plain;       /* an endpoint variable says http: it may be so, to this origin alone */
  bool accept_gzip; /* what is stored packed may come packed; ranges are then those of the packed bytes */
} bez_request;

typedef struct bez_response {
  long status;                 /* of HTTP; 0: there was no answer */
  uint64_t length;             /* of the body, when has_length */
  uint64_t first, last, total; /* Content-Range, when has_range; total when has_total */
  bool has_length, has_range, has_total;
  bool framed;       /* the end of the body can be told from a dropped connection */
  bool redirected;   /* somebody else than the host of url answered */
  bool enough;       /* set by the body function: the rest is not wanted */
  bool again;        /* the failure may pass */
  unsigned wait;     /* seconds the server asks to wait, 0: not said */
  char etag[256];    /* as it stands, "" none */
  char modified[64]; /* Last-Modified */
  char encoding[32]; /* Content-Encoding */
  char region[64];   /* x-amz-bucket-region */
  char code[64];     /* the service's own name of the error */
  char said[64];     /* the first line of an answer that is an error, "" none or too long */
  char next[4096];   /* Link rel="next" */
} bez_response;

/* Called for each piece of the body of a 200 or 206. */
typedef bez_status (*bez_body_fn)(void *ctx, bez_response *response, const char *bytes, size_t len, bez_error *err);

/* BEZ_UNSUPPORTED in a build without libcurl. To be called in one thread; a handle may then work in any other. */
BEZ_MUST_USE bez_status bez_http_create(const bez_http_options *options, bez_http **out, bez_error *err);
void bez_http_destroy(bez_http *http); /* NULL is fine */

/* One attempt. BEZ_OK for 200 and 206; for other answers BEZ_IO with status and code filled; BEZ_CANCELLED when the
 * watch says so; what the body function returned. */
BEZ_MUST_USE bez_status bez_http_try(bez_http *http, const bez_request *request, bez_response *response,
                                     bez_body_fn body, void *ctx, bez_error *err);
/* Waits before attempt number `failures` (1: the first repetition): a quarter of a second, doubled each time, less a
 * share that differs by worker, or what the server asked for up to a minute. */
BEZ_MUST_USE bez_status bez_http_wait(bez_http *http, unsigned failures, unsigned asked, bez_error *err);

#define BEZ_HTTP_ATTEMPTS 6u /* in a row without a byte of progress */

/* retry.c: attempts until one succeeds or repeating it is of no use. restart (NULL: nothing) is called before each. */
BEZ_MUST_USE bez_status bez_http_get(bez_http *http, const bez_request *request, bez_response *response,
                                     bez_body_fn body, void (*restart)(void *ctx), void *ctx, bez_error *err);
/* A whole body of at most ceiling bytes. */
BEZ_MUST_USE bez_status bez_http_page(bez_http *http, const bez_request *request, size_t ceiling,
                                      bez_response *response, bez_buf *out, bez_error *err);

/* Header lines, one by one; exposed for tests and the fuzzer. line need not end in NUL. */
void bez_response_header(bez_response *response, const char *line, size_t len);
/* The service's name of an error from the body of its answer. */
void bez_response_code(bez_response *response, const char *body, size_t len);

#endif
