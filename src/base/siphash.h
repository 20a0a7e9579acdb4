/* SipHash-2-4 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012): a keyed hash that nobody without the
 * key can steer. It decides where trees of data sets are cut; it is no digest. */
#ifndef BEZ_BASE_SIPHASH_H
#define BEZ_BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

typedef struct bez_sipkey {
  uint64_t k0, k1; /* the 16 bytes of the key, little endian */
} bez_sipkey;

uint64_t bez_siphash(bez_sipkey key, const void *bytes, size_t len);

#endif
