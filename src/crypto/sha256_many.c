/* Two lanes that take the next message when they have finished one (sha256_many.h). */
#include "crypto/sha256_many.h"

#include <string.h>

#include "base/cpu.h"

#define BLOCK 64u

#if defined(__x86_64__)
typedef struct lane {
  const bez_sha256_job *job; /* NULL: idle */
  uint32_t state[8];
  const uint8_t *at; /* blocks that are to be done now … */
  size_t blocks;
  uint8_t tail[2 * BLOCK]; /* … and the last ones, padded */
  size_t tail_blocks;      /* 0: at is the tail */
} lane;

static void put_be(uint8_t *out, uint64_t value, unsigned bytes) {
  for (unsigned i = 0; i < bytes; i++) out[i] = (uint8_t)(value >> 8 * (bytes - 1 - i));
}

/* Fractions of the square roots of the first eight primes (FIPS 180-4, 5.3.3). */
static void start(lane *l, const bez_sha256_job *job) {
  static const uint32_t first[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  size_t rest = job->len % BLOCK;
  l->job = job;
  memcpy(l->state, first, sizeof first);
  l->at = job->bytes;
  l->blocks = job->len / BLOCK;
  l->tail_blocks = rest + 9 > BLOCK ? 2 : 1;
  memset(l->tail, 0, l->tail_blocks * BLOCK);
  if (rest) memcpy(l->tail, l->at + job->len - rest, rest);
  l->tail[rest] = 0x80;
  put_be(l->tail + l->tail_blocks * BLOCK - 8, (uint64_t)job->len * 8, 8);
}

/* Blocks to do: of the message, then of its tail; 0: it is finished, and its digest is written. */
static size_t ready(lane *l) {
  if (l->blocks) return l->blocks;
  if (l->tail_blocks) {
    l->at = l->tail;
    l->blocks = l->tail_blocks;
    l->tail_blocks = 0;
    return l->blocks;
  }
  for (unsigned i = 0; i < 8; i++) put_be(l->job->out + 4 * i, l->state[i], 4);
  l->job = NULL;
  return 0;
}

static void move(lane *l, size_t blocks) {
  l->at += blocks * BLOCK;
  l->blocks -= blocks;
}

static void run_lanes(const bez_sha256_job *jobs, size_t n) {
  lane a = {0}, b = {0};
  size_t next = 0;
  for (;;) {
    while ((!a.job || !ready(&a)) && next < n) start(&a, &jobs[next++]);
    while ((!b.job || !ready(&b)) && next < n) start(&b, &jobs[next++]);
    if (!a.job || !b.job) break;
    size_t both = a.blocks < b.blocks ? a.blocks : b.blocks;
    if (both) bez_sha256_two_sha(a.state, a.at, b.state, b.at, both);
    move(&a, both);
    move(&b, both);
  }
  lane *left = a.job ? &a : &b;
  while (left->job && ready(left)) {
    bez_sha256_one_sha(left->state, left->at, left->blocks);
    move(left, left->blocks);
  }
}
#endif

void bez_sha256_many(uint32_t cpu, const bez_sha256_job *jobs, size_t n) {
#if defined(__x86_64__)
  if (cpu & BEZ_CPU_SHA && n > 1) {
    run_lanes(jobs, n);
    return;
  }
#endif
  for (size_t i = 0; i < n; i++) bez_sha256(jobs[i].bytes, jobs[i].len, jobs[i].out);
}
