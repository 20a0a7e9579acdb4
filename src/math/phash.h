/* A perceptual hash of a picture: 64 bits that stay nearly the same when a picture is packed anew, made smaller or
 * given another brightness, and that differ in about half their places between two pictures. It is no cryptographic
 * hash: who wants to can make two different pictures hash alike, so that it may send a picture to a person, and never
 * vouch for one. The lowest frequencies of a discrete cosine transform against their median; Zauner, "Implementation
 * and benchmarking of perceptual image hash functions", 2010. Whole numbers throughout: the same on every machine. */
#ifndef BEZ_MATH_PHASH_H
#define BEZ_MATH_PHASH_H

#include <stdbool.h>
#include <stdint.h>

#define BEZ_PHASH_SIDE 32u

/* grey: the picture averaged down to 32 × 32 levels, row major. False: it is as good as flat, and has no hash. */
bool bez_phash(const uint8_t grey[BEZ_PHASH_SIDE * BEZ_PHASH_SIDE], uint64_t *out);

/* Bits that differ, 0 … 64. */
static inline unsigned bez_phash_distance(uint64_t a, uint64_t b) {
  return (unsigned)__builtin_popcountll(a ^ b);
}

#endif
