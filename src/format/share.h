/* Cutting a data set into shards: which files, or which part of a file, shard i of n reads.
 *
 * With at least as many files as shards a file goes whole to one shard; else the data set is a line of bytes, cut into
 * n equal stretches, and a file lies in all stretches it touches. Shards follow one another in the order of the rows.
 */
#ifndef BEZ_FORMAT_SHARE_H
#define BEZ_FORMAT_SHARE_H

#include "bezoar/base.h"

typedef struct bez_share {
  uint64_t from, to, of; /* the part [from / of, to / of); of 0: all */
} bez_share;

/* The whole units in the part: shares that meet give ranges that meet. */
void bez_share_range(const bez_share *share, uint64_t units, uint64_t *first, uint64_t *end);
/* Item range of shard i of n. */
void bez_share_items(uint32_t shard, uint32_t n_shards, uint64_t items, uint64_t *first, uint64_t *end);
/* Shares of n files of these sizes for one shard; shares[k].from == .to: nothing. whole: files are not cut. */
void bez_share_files(uint32_t shard, uint32_t n_shards, const uint64_t *bytes, size_t n, bool whole, bez_share *shares);

#endif
