/* A remote path taken apart: which service, which bucket or repository, which part of it, with which credentials. */
#ifndef BEZ_NET_PLACE_H
#define BEZ_NET_PLACE_H

#include "net/http.h"
#include "net/url.h"

typedef struct bez_place {
  bez_url_kind kind;
  const char *shown;    /* the whole path, as errors show it */
  const char *prefix;   /* what stands before the name of an entry when it is shown: "s3://bucket/" */
  const char *base;     /* "https://host", "https://host/bucket" …, no slash at the end; http: the whole URL */
  const char *bucket;   /* gs: the bucket; hf: "datasets/org/name" or "models/org/name" */
  const char *path;     /* key, prefix that ends in a slash, or pattern; "": all */
  const char *revision; /* hf: as it was given, else "main" … */
  const char *commit;   /* … and what it stood for when it was first asked; NULL before */
  const char *bearer;   /* access token; NULL none */
  bez_aws aws;          /* key_id NULL: requests are not signed */
  bool plain;           /* an endpoint variable says http */
} bez_place;

/* Something to fetch. Strings are borrowed. */
typedef struct bez_entry {
  const char *name;    /* key, or path in the repository; http: "" */
  const char *etag;    /* NULL where the listing has none */
  uint64_t generation; /* gs; 0 none */
  uint64_t size;
} bez_entry;

/* Reads the environment variables of the service. Strings live in the arena or the environment. */
BEZ_MUST_USE bez_status bez_place_parse(const char *url, bez_arena *arena, bez_place *out, bez_error *err);

/* The request for an entry's content, without a range; url is cleared, filled and borrowed. */
BEZ_MUST_USE bez_status bez_place_request(const bez_place *place, const bez_entry *entry, const char *shown,
                                          bez_buf *url, bez_request *out, bez_error *err);
/* The same for one of the service's own pages; url has been filled. */
bez_request bez_place_page(const bez_place *place, const bez_buf *url);

/* Whether the path names one object, or what part of it stands before the first wildcard (all of it: no wildcard). */
bool bez_place_is_one(const bez_place *place);
size_t bez_place_literal(const bez_place *place);

#endif
