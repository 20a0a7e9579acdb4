/* A sorted tree from nothing but digests, by several threads. Where a leaf ends by its last item's hash does not depend
 * on what lies before it: a thread that begins behind such an item cuts as one that came from the left. So each tile is
 * cut from its first such item on, to the first such item of a tile behind it. */
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "base/error.h"
#include "base/threads.h"
#include "content/digests.h"
#include "content/sorted_leaf.h"
#include "crypto/sha256_many.h"

enum { MESSAGE = 1 + 32 + 8 }; /* what is hashed of an item */

/* A leaf in the making whose items are hashed all at once. */
typedef struct maker {
  bez_leaf leaf;
  uint8_t messages[BEZ_LEAF_ITEMS][MESSAGE];
} maker;

typedef struct job {
  uint32_t cpu; /* bez_cpu_features() */
  bez_sipkey key;
  const bez_digest_window *window;
  size_t begin[BEZ_WINDOW_TILES]; /* behind the first item that ends a leaf by its hash; n where there is none */
  bool cuts[BEZ_WINDOW_TILES];    /* there is one */
  bool reaches_end[BEZ_WINDOW_TILES];
  maker makers[BEZ_WINDOW_TILES];
  bez_block *blocks[BEZ_WINDOW_TILES];
  bez_tree_entry *entries[BEZ_WINDOW_TILES];
  size_t n_entries[BEZ_WINDOW_TILES], cap_entries[BEZ_WINDOW_TILES];
} job;

static bool ends_by_hash(bez_sipkey key, const uint8_t digest[32], uint64_t count) {
  uint8_t stored[BEZ_SORTED_ITEM];
  size_t len = bez_sorted_store(digest, count, stored);
  return bez_leaf_ends(bez_siphash(key, stored, len), 1, len);
}

static void find_begins(job *j) {
  for (size_t t = 0; t < j->window->n_tiles; t++) {
    const bez_digest_run *run = &j->window->tiles[t];
    j->cuts[t] = false;
    for (j->begin[t] = 0; j->begin[t] < run->n && !j->cuts[t]; j->begin[t]++)
      j->cuts[t] = ends_by_hash(j->key, run->digests[j->begin[t]], run->counts[j->begin[t]]);
  }
}

static bool add_item(maker *m, bez_sipkey key, const uint8_t digest[32], uint64_t count) {
  uint8_t stored[BEZ_SORTED_ITEM], *message = m->messages[m->leaf.sum.items];
  bez_leaf_item item = {.stored = stored, .rows = count, .last = digest};
  item.len = bez_sorted_store(digest, count, stored);
  message[0] = 0;
  memcpy(message + 1, digest, 32);
  for (unsigned i = 0; i < 8; i++) message[33 + i] = (uint8_t)(count >> (8 * i));
  return bez_leaf_add(&m->leaf, key, &item);
}

static void hash_items(maker *m, uint32_t cpu) {
  bez_sha256_job jobs[BEZ_LEAF_ITEMS];
  size_t n = (size_t)m->leaf.sum.items;
  for (size_t i = 0; i < n; i++) jobs[i] = (bez_sha256_job){m->messages[i], MESSAGE, m->leaf.hashes[i]};
  bez_sha256_many(cpu, jobs, n);
}

static bez_status close_leaf(job *j, size_t t, bez_error *err) {
  if (j->n_entries[t] == j->cap_entries[t]) {
    size_t cap = j->cap_entries[t] ? j->cap_entries[t] * 2 : 512;
    bez_tree_entry *more = realloc(j->entries[t], cap * sizeof *more);
    if (!more) return bez_fail_memory(err, cap * sizeof *more);
    j->entries[t] = more;
    j->cap_entries[t] = cap;
  }
  bez_leaf *leaf = &j->makers[t].leaf;
  bez_tree_entry *entry = &j->entries[t][j->n_entries[t]++];
  hash_items(&j->makers[t], j->cpu);
  bez_status st = bez_buf_status(&leaf->bytes, err);
  if (st != BEZ_OK) return st;
  *entry = leaf->sum;
  bez_merkle_fold_by(j->cpu, leaf->hashes, (size_t)leaf->sum.items, entry->root);
  st = bez_block_put(j->blocks[t], BEZ_OBJECT_LEAF, leaf->bytes.data, leaf->bytes.len, false, &entry->id, err);
  bez_leaf_clear(leaf);
  return st;
}

static bez_status take_items(job *j, size_t t, const bez_digest_run *run, size_t from, size_t to, bez_error *err) {
  bez_status st = BEZ_OK;
  for (size_t i = from; i < to && st == BEZ_OK; i++)
    if (add_item(&j->makers[t], j->key, run->digests[i], run->counts[i])) st = close_leaf(j, t, err);
  return st;
}

static bez_status build_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  job *j = ctx;
  size_t t = (size_t)tile, n = j->window->n_tiles;
  (void)worker;
  j->n_entries[t] = 0;
  j->reaches_end[t] = false;
  if (t > 0 && !j->cuts[t]) return BEZ_OK; /* belongs to a tile before it */
  bez_status st = BEZ_OK;
  if (!j->blocks[t]) st = bez_block_create(&j->blocks[t], err);
  if (st == BEZ_OK) st = take_items(j, t, &j->window->tiles[t], t == 0 ? 0 : j->begin[t], j->window->tiles[t].n, err);
  size_t to = t + 1;
  for (; to < n && st == BEZ_OK; to++) {
    st = take_items(j, t, &j->window->tiles[to], 0, j->begin[to], err);
    if (j->cuts[to]) break;
  }
  j->reaches_end[t] = to == n;
  if (st == BEZ_OK) st = bez_block_seal(j->blocks[t], err);
  return st;
}

/* The tiles' leaves into pack and tree, in order. The leaf that is still open becomes the first of the next window. */
static bez_status take_tiles(job *j, bez_pack *pack, bez_tree_writer *writer, bez_error *err) {
  bez_status st = BEZ_OK;
  for (size_t t = 0; t < j->window->n_tiles && st == BEZ_OK; t++) {
    if (j->n_entries[t]) st = bez_pack_add(pack, j->blocks[t], err);
    for (size_t i = 0; i < j->n_entries[t] && st == BEZ_OK; i++) st = bez_tree_leaf(writer, &j->entries[t][i], err);
    if (t == 0 || !j->reaches_end[t]) continue;
    maker open = j->makers[t];
    j->makers[t] = j->makers[0];
    j->makers[0] = open;
  }
  return st;
}

static void job_free(job *j) {
  for (size_t t = 0; t < BEZ_WINDOW_TILES; t++) {
    bez_leaf_free(&j->makers[t].leaf);
    bez_block_free(j->blocks[t]);
    free(j->entries[t]);
  }
  free(j);
}

bez_status bez_sorted_build(bez_pack *pack, bez_sipkey key, bez_digests *added, unsigned threads, bez_tree *out,
                            bez_error *err) {
  bez_tree_writer *writer = NULL;
  bez_digest_window window = {0};
  job *j = calloc(1, sizeof *j);
  if (!j) return bez_fail_memory(err, sizeof *j);
  j->cpu = bez_cpu_features();
  j->key = key;
  j->window = &window;
  bez_status st = bez_tree_begin(pack, BEZ_TREE_SORTED, key, &writer, err);
  while (st == BEZ_OK) {
    st = bez_digests_next(added, threads, &window, err);
    if (st != BEZ_OK || !window.n_tiles) break;
    find_begins(j);
    st = bez_parallel(window.n_tiles, threads, build_tile, j, err);
    if (st == BEZ_OK) st = take_tiles(j, pack, writer, err);
  }
  hash_items(&j->makers[0], j->cpu);
  if (st == BEZ_OK) st = bez_leaf_flush(&j->makers[0].leaf, pack, writer, err);
  if (st == BEZ_OK) {
    st = bez_tree_finish(writer, out, err);
    writer = NULL;
  }
  bez_tree_abandon(writer);
  bez_digest_window_free(&window);
  job_free(j);
  return st;
}
