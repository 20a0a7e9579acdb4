/* The pages in which the services list their objects, read as hostile input. */
#ifndef BEZ_NET_LISTING_H
#define BEZ_NET_LISTING_H

#include "net/place.h"

typedef bez_status (*bez_entry_fn)(void *ctx, const bez_entry *entry, bez_error *err);

typedef struct bez_listing {
  const char *shown;  /* whose listing, for errors */
  bez_entry_fn entry; /* called for each object; what it is given lives as long as the arena */
  void *ctx;
  bez_arena arena;
  const char *next; /* out: what to ask with for the next page; NULL: this was the last */
} bez_listing;

/* ListObjectsV2: XML, names percent-encoded where EncodingType says so.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html */
BEZ_MUST_USE bez_status bez_listing_s3(bez_listing *listing, const char *bytes, size_t len, bez_error *err);
/* Objects: list, or (one object) Objects: get. https://cloud.google.com/storage/docs/json_api/v1/objects */
BEZ_MUST_USE bez_status bez_listing_gs(bez_listing *listing, const char *bytes, size_t len, bez_error *err);
BEZ_MUST_USE bez_status bez_listing_gs_one(bez_listing *listing, const char *bytes, size_t len, bez_error *err);
/* The tree of a repository: files only. https://huggingface.co/docs/hub/api */
BEZ_MUST_USE bez_status bez_listing_hf(bez_listing *listing, const char *bytes, size_t len, bez_error *err);
/* The commit that a revision stands for: 40 hex digits in the arena. */
BEZ_MUST_USE bez_status bez_listing_hf_commit(bez_listing *listing, const char *bytes, size_t len, const char **commit,
                                              bez_error *err);

/* list.c: every data object that the place names, in no particular order; asks for as many pages as there are. What a
 * folder hides (names that begin with . or _, the card of a repository) is left out. An object that was named by itself
 * and whose size nobody has said yet comes with size BEZ_SIZE_UNKNOWN. Fills place->commit. */
#define BEZ_SIZE_UNKNOWN UINT64_MAX
BEZ_MUST_USE bez_status bez_place_list(bez_http *http, bez_place *place, bez_arena *arena, bez_entry_fn entry,
                                       void *ctx, bez_error *err);
/* The same when there is no object of that name: as a folder. */
BEZ_MUST_USE bez_status bez_place_list_folder(bez_http *http, bez_place *place, bez_arena *arena, bez_entry_fn entry,
                                              void *ctx, bez_error *err);

#endif
