/* Sorting digests: by their first 32 bits in four passes of a radix sort, which leaves next to nothing to do for the
 * insertion sort behind it. (Who can make thousands of rows whose digests share 32 bits has spent 2^32 hashes on each.)
 */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "content/digests.h"

typedef struct ref {
  uint64_t key; /* the first eight bytes, big endian */
  uint64_t at;
} ref;

static uint64_t key_of(const uint8_t digest[32]) {
  uint64_t key;
  memcpy(&key, digest, sizeof key);
  return __builtin_bswap64(key);
}

static void radix_pass(const ref *from, ref *to, size_t n, unsigned shift) {
  size_t starts[257] = {0};
  for (size_t i = 0; i < n; i++) starts[(from[i].key >> shift & 255) + 1]++;
  for (size_t i = 0; i < 256; i++) starts[i + 1] += starts[i];
  for (size_t i = 0; i < n; i++) to[starts[from[i].key >> shift & 255]++] = from[i];
}

static int compare_refs(const uint8_t (*digests)[32], ref a, ref b) {
  if (a.key != b.key) return a.key < b.key ? -1 : 1;
  return memcmp(digests[a.at] + 8, digests[b.at] + 8, 24);
}

static void insertion(const uint8_t (*digests)[32], ref *refs, size_t n) {
  for (size_t i = 1; i < n; i++) {
    ref x = refs[i];
    size_t j = i;
    for (; j > 0 && compare_refs(digests, refs[j - 1], x) > 0; j--) refs[j] = refs[j - 1];
    refs[j] = x;
  }
}

static bez_status run_alloc(size_t n, bez_digest_run *out, bez_error *err) {
  *out = (bez_digest_run){malloc((n ? n : 1) * sizeof *out->digests), malloc((n ? n : 1) * sizeof *out->counts), 0};
  if (out->digests && out->counts) return BEZ_OK;
  bez_digest_run_free(out);
  return bez_fail_memory(err, n * (sizeof *out->digests + sizeof *out->counts));
}

void bez_digest_run_free(bez_digest_run *run) {
  free(run->digests);
  free(run->counts);
  *run = (bez_digest_run){0};
}

static void append(bez_digest_run *run, const uint8_t digest[32], uint64_t count) {
  if (run->n && memcmp(run->digests[run->n - 1], digest, 32) == 0) {
    run->counts[run->n - 1] += count;
    return;
  }
  memcpy(run->digests[run->n], digest, 32);
  run->counts[run->n++] = count;
}

bez_status bez_digest_run_sort(const uint8_t (*digests)[32], size_t n, bez_digest_run *out, bez_error *err) {
  bez_status st = run_alloc(n, out, err);
  if (st != BEZ_OK) return st;
  ref *refs = calloc(n ? n : 1, 2 * sizeof *refs);
  if (!refs) {
    bez_digest_run_free(out);
    return bez_fail_memory(err, n * 2 * sizeof *refs);
  }
  for (size_t i = 0; i < n; i++) refs[i] = (ref){key_of(digests[i]), i};
  radix_pass(refs, refs + n, n, 32);
  radix_pass(refs + n, refs, n, 40);
  radix_pass(refs, refs + n, n, 48);
  radix_pass(refs + n, refs, n, 56);
  insertion(digests, refs, n);
  for (size_t i = 0; i < n; i++) append(out, digests[refs[i].at], 1);
  free(refs);
  return BEZ_OK;
}

bez_status bez_digest_run_merge(bez_digest_run *a, bez_digest_run *b, bez_error *err) {
  bez_digest_run both;
  bez_status st = run_alloc(a->n + b->n, &both, err);
  if (st != BEZ_OK) return st;
  size_t i = 0, j = 0;
  while (i < a->n || j < b->n) {
    bool of_a = j == b->n || (i < a->n && memcmp(a->digests[i], b->digests[j], 32) <= 0);
    if (of_a) {
      append(&both, a->digests[i], a->counts[i]);
      i++;
    } else {
      append(&both, b->digests[j], b->counts[j]);
      j++;
    }
  }
  bez_digest_run_free(a);
  bez_digest_run_free(b);
  *a = both;
  return BEZ_OK;
}
