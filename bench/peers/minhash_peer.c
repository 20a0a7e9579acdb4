/* Our side of minhash_peers.py: sets in, near-duplicate candidates out.
 *
 *   minhash_peer AT.u64 IDS.u32 SETS THREADS RUNS OUT.u32
 *
 * 128 entries, 32 bands of 4: pairs of sets that share a band, each once, as (smaller, larger). Prints the best of some
 * runs in seconds: signatures and candidates. */
#include "peer.h"

#include "base/cpu.h"
#include "base/hash.h"
#include "base/threads.h"
#include "math/minhash.h"

#define BANDS 32u
#define TILE 256u

typedef struct job {
  const uint64_t *at;
  const uint32_t *ids;
  size_t n;
  bez_minhash hash;
  uint64_t *key; /* [band · n + set]: band hash, then the set in the low bits */
} job;

static bez_status sign(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  job *j = ctx;
  uint32_t signature[128];
  for (size_t i = tile * TILE; i < j->n && i < (tile + 1) * TILE; i++) {
    bez_minhash_signature(&j->hash, j->ids + j->at[i], j->at[i + 1] - j->at[i], signature, bez_cpu_features());
    for (uint32_t b = 0; b < BANDS; b++)
      j->key[b * j->n + i] = (bez_hash64(signature + 4 * b, 16, b) & ~0xFFFFFFull) | i; /* up to 2^24 sets */
  }
  return BEZ_OK;
}

static int ascending(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return (x > y) - (x < y);
}

static bez_status sort_band(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  job *j = ctx;
  qsort(j->key + tile * j->n, j->n, sizeof *j->key, ascending);
  return BEZ_OK;
}

static size_t pairs(const job *j, uint64_t **out) {
  size_t n = 0, cap = 1024;
  uint64_t *list = malloc(cap * sizeof *list);
  for (uint32_t b = 0; b < BANDS; b++) {
    const uint64_t *k = j->key + b * j->n;
    for (size_t i = 0, end; i < j->n; i = end) {
      for (end = i + 1; end < j->n && k[end] >> 24 == k[i] >> 24;) end++;
      for (size_t x = i; x < end; x++)
        for (size_t y = x + 1; y < end; y++) {
          if (n == cap) list = realloc(list, (cap *= 2) * sizeof *list);
          list[n++] = (k[x] & 0xFFFFFF) << 32 | (k[y] & 0xFFFFFF);
        }
    }
  }
  qsort(list, n, sizeof *list, ascending);
  size_t kept = 0;
  for (size_t i = 0; i < n; i++)
    if (!kept || list[kept - 1] != list[i]) list[kept++] = list[i];
  *out = list;
  return kept;
}

int main(int argc, char **argv) {
  if (argc != 7) return 2;
  job j = {.n = strtoull(argv[3], NULL, 10), .hash = bez_minhash_make(128, 0, 1)};
  j.at = load(argv[1], (j.n + 1) * sizeof *j.at);
  j.ids = load(argv[2], j.at[j.n] * sizeof *j.ids);
  j.key = malloc(BANDS * j.n * sizeof *j.key);
  double best = 1e9;
  uint64_t *list = NULL;
  size_t n = 0;
  for (int run = atoi(argv[5]); run > 0; run--) {
    double start = now();
    unsigned threads = (unsigned)atoi(argv[4]);
    free(list);
    if (bez_parallel((j.n + TILE - 1) / TILE, threads, sign, &j, NULL) != BEZ_OK) return 2;
    if (bez_parallel(BANDS, threads, sort_band, &j, NULL) != BEZ_OK) return 2;
    n = pairs(&j, &list);
    if (now() - start < best) best = now() - start;
  }
  uint32_t *pair = malloc((n + 1) * 2 * sizeof *pair);
  if (!pair) return 2;
  for (size_t i = 0; i < n; i++) pair[2 * i] = (uint32_t)(list[i] >> 32), pair[2 * i + 1] = (uint32_t)list[i];
  store(argv[6], pair, n * 2 * sizeof *pair);
  printf("%.6f\n", best);
  return 0;
}
