/* Deflate data in memory, unpacked with a bound on what comes out (RFC 1950 to 1952, over zlib). */
#ifndef BEZ_DECODE_INFLATE_H
#define BEZ_DECODE_INFLATE_H

#include "decode/model.h"

typedef struct bez_inflated {
  uint8_t *bytes; /* the caller's to free */
  size_t len;
  size_t used; /* of the input */
  bool whole;  /* the data came to their end */
} bez_inflated;

/* window: as in inflateInit2: -15 plain deflate, 15 zlib. What comes out counts against the file's allowance
 * (bez_model_may_unpack), and a ratio that only bombs have ends it. */
void bez_inflate(const uint8_t *data, size_t len, int window, struct bez_model_out *out, uint32_t part,
                 bez_inflated *made);

/* True and said ("bomb"): so much out of so little. */
bool bez_is_bomb(struct bez_model_out *out, uint32_t part, uint64_t packed, uint64_t unpacked);

#endif
