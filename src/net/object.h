/* Inside the spool: the objects (spool.c) and how they are fetched (fetch.c). */
#ifndef BEZ_NET_OBJECT_H
#define BEZ_NET_OBJECT_H

#include "base/store.h"
#include "net/listing.h"
#include "net/spool.h"

typedef struct bez_object {
  const char *shown;
  bez_entry entry;      /* etag: from the listing or the first answer */
  const char *modified; /* Last-Modified of the first answer, NULL none */
  const bez_place *place;
  uint64_t at; /* in the store, once laid out */
  bool laid_out, queued, fetched;
  bool streamed;   /* no ranges: only as a whole, and perhaps of a size that shows at the end */
  bool redirected; /* conditions would be read by the wrong host */
} bez_object;

/* fetch.c: asks for the first byte to learn size, version and whether ranges work. *there: false when the service says
 * that there is no such object (BEZ_OK all the same). */
BEZ_MUST_USE bez_status bez_object_probe(bez_http *http, bez_object *object, bez_arena *arena, bool *there,
                                         bez_error *err);
/* Bytes [from, to) of an object of known size into out; picked up where it broke off. */
BEZ_MUST_USE bez_status bez_object_range(bez_http *http, const bez_object *object, uint64_t from, uint64_t to,
                                         uint8_t *out, bez_error *err);
/* A streamed object behind what the store holds (`at` bytes); most: bytes it may have. Sets entry.size. */
BEZ_MUST_USE bez_status bez_object_stream(bez_http *http, bez_object *object, bez_store *store, uint64_t at,
                                          uint64_t most, bez_error *err);

#define BEZ_RANGE ((uint64_t)8 << 20) /* bytes asked for at a time */

#endif
