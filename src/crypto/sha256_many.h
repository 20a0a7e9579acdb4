/* SHA-256 of many messages, two at a time where the processor has SHA extensions: one message keeps its unit waiting
 * for half of the time, because every round needs the one before. */
#ifndef BEZ_CRYPTO_SHA256_MANY_H
#define BEZ_CRYPTO_SHA256_MANY_H

#include "crypto/sha256.h"

typedef struct bez_sha256_job {
  const void *bytes;
  size_t len;
  uint8_t *out; /* BEZ_SHA256 bytes */
} bez_sha256_job;

/* cpu: bez_cpu_features(). Any order of work; the digests are those of bez_sha256. Safe from any thread. */
void bez_sha256_many(uint32_t cpu, const bez_sha256_job *jobs, size_t n);

/* sha256_many_sha.c: n blocks of 64 bytes into each of two states (one: into the first alone). */
void bez_sha256_two_sha(uint32_t a[8], const uint8_t *blocks_a, uint32_t b[8], const uint8_t *blocks_b, size_t n);
void bez_sha256_one_sha(uint32_t a[8], const uint8_t *blocks, size_t n);

#endif
