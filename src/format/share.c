/* Who reads what: all of it integer arithmetic on sizes, so that every shard comes to the same cut. */
#include "format/share.h"

static uint64_t part_of(uint64_t items, uint64_t at, uint64_t of) {
  return (uint64_t)((unsigned __int128)items * at / of);
}

void bez_share_range(const bez_share *share, uint64_t units, uint64_t *first, uint64_t *end) {
  *first = share->of ? part_of(units, share->from, share->of) : 0;
  *end = share->of ? part_of(units, share->to, share->of) : units;
}

void bez_share_items(uint32_t shard, uint32_t n_shards, uint64_t items, uint64_t *first, uint64_t *end) {
  *first = n_shards ? part_of(items, shard, n_shards) : 0;
  *end = n_shards ? part_of(items, shard + 1, n_shards) : items;
}

/* A file of no bytes counts as one, so that it has a place on the line. */
static uint64_t weight(uint64_t bytes) {
  return bytes ? bytes : 1;
}

void bez_share_files(uint32_t shard, uint32_t n_shards, const uint64_t *bytes, size_t n, bool whole,
                     bez_share *shares) {
  uint64_t total = 0, at = 0, low, high;
  for (size_t i = 0; i < n; i++) total += weight(bytes[i]);
  bez_share_items(shard, n_shards, total, &low, &high);
  for (size_t i = 0; i < n; at += weight(bytes[i++])) {
    uint64_t size = weight(bytes[i]), middle = at + size / 2;
    bool owner = middle >= low && middle < high;
    shares[i] = (bez_share){.from = 0, .to = owner ? size : 0, .of = size};
    if (whole) continue;
    shares[i].from = low > at ? (low - at < size ? low - at : size) : 0;
    shares[i].to = high > at ? (high - at < size ? high - at : size) : 0;
  }
}
