/* Ingest: slab after slab through the steps of ingest_parts.h. */
#include "content/ingest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "base/error.h"
#include "base/threads.h"
#include "content/ingest_parts.h"
#include "crypto/sha256_many.h"

#define MEMORY (384ull << 20)
#define FIXED (128ull << 20) /* of that: slabs, blocks, the reader's window */
#define MOST_THREADS 256u
#define LEAF_TILE 16u /* leaves at a time for one thread: they may be large */

typedef struct ingest {
  const bez_ingest_options *options;
  const bez_objects *objects;
  bez_pack *pack;
  bez_listing list;
  bez_reader *reader;
  bez_parent *known;
  bez_budget budget;
  bez_digests *added, *removed;
  bez_tree_writer *rows;
  bez_cut_state cut;
  bez_slab slabs[3];
  bez_slab *now, *next, *before; /* being digested, being filled, being written */
  bez_canonical **canonicals;    /* one per thread, */
  bez_packer **packers;          /* as of these */
  unsigned threads;
  uint32_t cpu;
  bez_ingest_result *out;
} ingest;

/* ---- keyed hashes of items ---- */

static void hash_items(const ingest *in, bez_slab *slab, uint64_t tile) {
  size_t first = slab->n_hashed + tile * BEZ_SLAB_TILE, end = first + BEZ_SLAB_TILE;
  if (end > slab->n) end = slab->n;
  for (size_t i = first; i < end; i++) {
    size_t begin = i ? slab->end[i - 1] : 0;
    /* A leaf ends behind an item as large as a leaf, whatever its hash. */
    bool large = slab->end[i] - begin >= BEZ_LEAF_BYTES;
    slab->hash[i] = large ? 0 : bez_siphash(in->options->key, slab->bytes + begin, slab->end[i] - begin);
  }
}

/* First round: keyed hashes of this slab's items, and the digest of the bytes behind them. */
static bez_status first_round(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  (void)worker, (void)err;
  ingest *in = ctx;
  if (tile == 0)
    bez_reader_hash(in->reader);
  else
    hash_items(in, in->now, tile - 1);
  return BEZ_OK;
}

/* ---- ids of leaves ---- */

/* A chunk of a file without rows is one large message, its leaf another: they are hashed side by side. Where a version
 * was before, most leaves need no more than their id. */
static bool lone_bytes(const ingest *in, const bez_slab *slab, bez_new_leaf *leaf, bez_sha256_job *job) {
  bez_cursor at = {.data = slab->bytes + leaf->begin, .len = leaf->len};
  bez_item item;
  leaf->lone = !in->known && leaf->n == 1 && bez_item_next(&at, &item) && item.type == BEZ_ITEM_BYTES && !item.head_len;
  if (!leaf->lone) return false;
  leaf->lone_len = item.body_len;
  *job = (bez_sha256_job){item.body, item.body_len, leaf->raw};
  return true;
}

static void name_leaves(const ingest *in, bez_slab *slab, uint64_t tile) {
  bez_sha256_job jobs[2 * LEAF_TILE] = {0};
  size_t first = tile * LEAF_TILE, end = first + LEAF_TILE, n = 0;
  if (end > slab->n_leaves) end = slab->n_leaves;
  for (size_t i = first; i < end; i++) {
    bez_new_leaf *leaf = &slab->leaves[i];
    jobs[n++] = (bez_sha256_job){slab->bytes + leaf->begin, leaf->len, leaf->entry.id.bytes};
    n += lone_bytes(in, slab, leaf, &jobs[n]);
  }
  bez_sha256_many(in->cpu, jobs, n);
  for (size_t i = first; i < end; i++) {
    bez_new_leaf *leaf = &slab->leaves[i];
    uint32_t context = leaf->context ? leaf->context->known : BEZ_NOT_KNOWN;
    leaf->known = in->known ? bez_parent_find(in->known, &leaf->entry.id, context) : BEZ_NOT_KNOWN;
  }
}

/* Second round: the next slab is cut into items while this one's leaves are named. */
static bez_status second_round(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  (void)worker;
  ingest *in = ctx;
  if (tile == 0) return bez_reader_cut(in->reader, in->next, err);
  name_leaves(in, in->now, tile - 1);
  return BEZ_OK;
}

/* ---- digests of fresh leaves ---- */

static bez_status add_group(bez_slab *slab, bez_error *err) {
  if (slab->n_groups == slab->cap_groups) {
    size_t cap = slab->cap_groups ? slab->cap_groups * 2 : 64;
    bez_group *groups = realloc(slab->groups, cap * sizeof *groups);
    if (!groups) return bez_fail_memory(err, cap * sizeof *groups);
    memset(groups + slab->cap_groups, 0, (cap - slab->cap_groups) * sizeof *groups);
    slab->groups = groups;
    slab->cap_groups = cap;
  }
  bez_group *group = &slab->groups[slab->n_groups++];
  group->first = slab->n_fresh;
  group->n = 0;
  return group->block ? BEZ_OK : bez_block_create(&group->block, err);
}

/* Which leaves are new, and which of them share a block. */
static bez_status group_leaves(ingest *in, bez_slab *slab, bez_error *err) {
  size_t bytes = BEZ_BLOCK;
  if (slab->n_leaves > slab->cap_fresh) {
    size_t *fresh = realloc(slab->fresh, slab->n_leaves * sizeof *fresh);
    if (!fresh) return bez_fail_memory(err, slab->n_leaves * sizeof *fresh);
    slab->fresh = fresh;
    slab->cap_fresh = slab->n_leaves;
  }
  for (size_t i = 0; i < slab->n_leaves; i++) {
    bez_new_leaf *leaf = &slab->leaves[i];
    leaf->fresh = leaf->known == BEZ_NOT_KNOWN || !bez_parent_take(in->known, leaf->known, &leaf->entry);
    in->out->known_leaves += !leaf->fresh;
    in->out->fresh_leaves += leaf->fresh;
    if (!leaf->fresh) continue;
    if (bytes >= BEZ_BLOCK) {
      bez_status st = add_group(slab, err);
      if (st != BEZ_OK) return st;
      bytes = 0;
    }
    bytes += leaf->len;
    slab->fresh[slab->n_fresh++] = i;
    slab->groups[slab->n_groups - 1].n++;
  }
  return BEZ_OK;
}

static bez_status digest_leaf(const ingest *in, bez_slab *slab, bez_new_leaf *leaf, bez_block *block, bez_canonical *c,
                              bez_error *err) {
  const bez_form_use *use = leaf->context ? &leaf->context->use : NULL;
  const uint8_t *bytes = slab->bytes + leaf->begin;
  bez_status st = BEZ_OK;
  if (leaf->lone)
    bez_leaf_digest_lone(leaf->raw, leaf->lone_len, &leaf->entry);
  else
    st = bez_leaf_digest(bytes, leaf->len, use, c, &leaf->entry, slab->canonical + leaf->first, err);
  if (st != BEZ_OK || leaf->referable || bez_objects_has(in->objects, &leaf->entry.id)) return st;
  return bez_block_put(block, BEZ_OBJECT_LEAF, bytes, leaf->len, true, &leaf->entry.id, err);
}

static bez_status digest_group(const ingest *in, bez_slab *slab, const bez_group *group, unsigned worker,
                               bez_error *err) {
  bez_status st = BEZ_OK;
  for (size_t i = group->first; i < group->first + group->n && st == BEZ_OK; i++)
    st = digest_leaf(in, slab, &slab->leaves[slab->fresh[i]], group->block, in->canonicals[worker], err);
  return st == BEZ_OK ? bez_block_seal_by(group->block, in->packers[worker], err) : st;
}

/* ---- handing on, in order ---- */

/* The leaf less the bytes that stay in the file. */
static bez_status refer(const ingest *in, const bez_slab *slab, const bez_new_leaf *leaf, bez_buf *frame,
                        bez_error *err) {
  bez_cursor at = {.data = slab->bytes + leaf->begin, .len = leaf->len};
  bez_item item;
  bez_buf_clear(frame);
  while (bez_item_next(&at, &item)) {
    bez_buf_putc(frame, (char)item.type);
    bez_put_varint(frame, item.head_len);
    bez_buf_write(frame, item.head, item.head_len);
    bez_put_varint(frame, item.body_len);
    bez_buf_write(frame, item.body, item.body_len - bez_item_file_bytes(&item));
  }
  char *path = bez_listing_path(&in->list, leaf->file);
  bez_status st = path ? bez_buf_status(frame, err) : bez_fail_memory(err, 1);
  if (st == BEZ_OK)
    st = bez_pack_refer(in->pack, path, leaf->offset, leaf->file_bytes, frame->data, frame->len, &leaf->entry.id, err);
  free(path);
  return st;
}

static bez_status hand_on(ingest *in, bez_slab *slab, bez_error *err) {
  bez_buf frame = {0};
  bez_status st = BEZ_OK;
  for (size_t i = 0; i < slab->n_groups; i++) BEZ_TRY(bez_pack_add(in->pack, slab->groups[i].block, err));
  for (size_t i = 0; i < slab->n_leaves; i++) {
    const bez_new_leaf *leaf = &slab->leaves[i];
    if (leaf->fresh && leaf->referable && !bez_objects_has(in->objects, &leaf->entry.id))
      BEZ_TRY(refer(in, slab, leaf, &frame, err));
    BEZ_TRY(bez_tree_leaf(in->rows, &leaf->entry, err));
    if (!leaf->fresh) continue;
    in->out->fresh_rows += leaf->entry.rows;
    BEZ_TRY(bez_digests_add(in->added, (const uint8_t(*)[32])slab->canonical + leaf->first, leaf->entry.rows, err));
  }
cleanup:
  bez_buf_free(&frame);
  return st;
}

/* Third round: the bytes behind the next slab are loaded and the slab before is written, while fresh leaves of this one
 * are digested: by far the longest, so that the other two find a hand. */
static bez_status third_round(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  ingest *in = ctx;
  if (tile == 0) return bez_reader_load(in->reader, err);
  if (tile == 1) return hand_on(in, in->before, err);
  return digest_group(in, in->now, &in->now->groups[tile - 2], worker, err);
}

/* ---- the whole ---- */

static void rotate(ingest *in) {
  bez_slab *free_one = in->before;
  in->before = in->now;
  in->now = in->next;
  in->next = free_one;
  bez_slab_clear(in->next);
  in->next->number = in->now->number + 1;
  while (in->cut.contexts && in->cut.contexts != in->cut.current && in->cut.contexts->last_slab < in->now->number) {
    bez_context *done = in->cut.contexts;
    in->cut.contexts = done->next;
    done->next = NULL;
    bez_contexts_free(done);
  }
}

static uint64_t tiles(size_t n, size_t size) {
  return (n + size - 1) / size;
}

static bez_status one_slab(ingest *in, bez_error *err) {
  bez_slab *slab = in->now;
  const bez_ingest_options *o = in->options;
  bez_status st;
  if (o->progress && !o->progress(o->progress_ctx, "reading", "bytes", bez_reader_bytes(in->reader), in->list.bytes))
    return bez_fail(err, BEZ_CANCELLED, NULL, "cancelled");
  BEZ_TRY(bez_parallel(1 + tiles(slab->n - slab->n_hashed, BEZ_SLAB_TILE), in->threads, first_round, in, err));
  BEZ_TRY(bez_slab_cut(slab, &in->cut, in->next, err));
  BEZ_TRY(bez_parallel(1 + tiles(slab->n_leaves, LEAF_TILE), in->threads, second_round, in, err));
  BEZ_TRY(group_leaves(in, slab, err));
  BEZ_TRY(bez_parallel(2 + slab->n_groups, in->threads, third_round, in, err));
  rotate(in);
cleanup:
  return st;
}

static bez_status read_rows(ingest *in, bez_error *err) {
  in->now = &in->slabs[0];
  in->next = &in->slabs[1];
  in->before = &in->slabs[2];
  in->next->number = 1;
  bez_status st = bez_tree_begin(in->pack, BEZ_TREE_ROWS, in->options->key, &in->rows, err);
  if (st == BEZ_OK) st = bez_reader_load(in->reader, err);
  bez_reader_hash(in->reader);
  if (st == BEZ_OK) st = bez_reader_cut(in->reader, in->now, err);
  if (st == BEZ_OK) st = bez_reader_load(in->reader, err);
  while (st == BEZ_OK && !in->before->last) st = one_slab(in, err);
  if (st == BEZ_OK) st = hand_on(in, in->before, err);
  if (st != BEZ_OK) return st;
  bez_tree_writer *writer = in->rows;
  in->rows = NULL;
  return bez_tree_finish(writer, &in->out->rows, err);
}

static bez_status make_sorted(ingest *in, const bez_objects *objects, bez_pack *pack, bool *lost, bez_error *err) {
  bez_tree empty = {.kind = BEZ_TREE_SORTED};
  const bez_tree *old = &empty;
  bez_status st = BEZ_OK;
  if (in->known && in->out->known_leaves) { /* else nothing stays: it is made anew */
    old = in->options->parent_sorted;
    st = bez_parent_removed(in->known, in->threads, in->removed, err);
    *lost = st == BEZ_FORMAT || st == BEZ_IO;
  }
  if (st != BEZ_OK) return st;
  return bez_sorted_edit(objects, pack, in->options->key, old, in->removed, in->added, in->threads, &in->out->sorted,
                         err);
}

static bez_status prepare(ingest *in, bool with_parent, bool *lost, bez_error *err) {
  const bez_ingest_options *o = in->options;
  uint64_t memory = o->memory ? o->memory : MEMORY;
  memory = memory > 2 * FIXED ? memory - FIXED : memory / 2;
  bez_status st = BEZ_OK;
  in->budget.bytes = memory / 4;
  if (with_parent) {
    st = bez_parent_make(in->objects, o->parent, &in->budget, &in->known, err);
    *lost = st == BEZ_FORMAT || st == BEZ_IO;
    in->cut.known = in->known;
  }
  in->cut.by_reference = o->by_reference;
  in->canonicals = calloc(in->threads, sizeof *in->canonicals);
  in->packers = calloc(in->threads, sizeof *in->packers);
  if (st == BEZ_OK && (!in->canonicals || !in->packers))
    st = bez_fail_memory(err, in->threads * sizeof *in->canonicals);
  for (unsigned i = 0; i < in->threads && st == BEZ_OK; i++) st = bez_canonical_create(&in->canonicals[i], err);
  for (unsigned i = 0; i < in->threads && st == BEZ_OK; i++) st = bez_packer_create(&in->packers[i], err);
  if (st == BEZ_OK) st = bez_digests_create(memory / 4 * 3, &in->added, err);
  if (st == BEZ_OK) st = bez_digests_create(memory / 8, &in->removed, err);
  if (st == BEZ_OK) st = bez_reader_open(&in->list, o, &in->reader, err);
  return st;
}

static void release(ingest *in) {
  bez_reader_close(in->reader);
  bez_parent_free(in->known);
  bez_digests_free(in->added);
  bez_digests_free(in->removed);
  bez_tree_abandon(in->rows);
  bez_contexts_free(in->cut.contexts);
  for (size_t i = 0; i < 3; i++) bez_slab_free(&in->slabs[i]);
  for (unsigned i = 0; in->canonicals && i < in->threads; i++) bez_canonical_free(in->canonicals[i]);
  for (unsigned i = 0; in->packers && i < in->threads; i++) bez_packer_free(in->packers[i]);
  free(in->canonicals);
  free(in->packers);
  bez_listing_free(&in->list);
}

/* *lost: the version before cannot be read (its files were changed, where they were taken by reference): without it, it
 * goes. */
static bez_status run(const bez_objects *objects, bez_pack *pack, const bez_objects *sorted_objects,
                      bez_pack *sorted_pack, const char *path, const bez_ingest_options *options, bool with_parent,
                      bez_ingest_result *out, bool *lost, bez_error *err) {
  ingest in = {.options = options, .objects = objects, .pack = pack, .out = out};
  *out = (bez_ingest_result){0};
  in.cpu = bez_cpu_features();
  in.threads = options->threads ? options->threads : bez_cpu_count();
  if (in.threads > MOST_THREADS) in.threads = MOST_THREADS;
  bez_status st = bez_listing_make(path, &in.list, err);
  if (st == BEZ_OK) st = prepare(&in, with_parent, lost, err);
  if (st == BEZ_OK) st = read_rows(&in, err);
  if (st == BEZ_OK) st = make_sorted(&in, sorted_objects, sorted_pack, lost, err);
  if (st == BEZ_OK) {
    out->n_files = in.list.n;
    out->bytes = bez_reader_bytes(in.reader);
    out->has_sha256 = in.list.single;
    if (out->has_sha256) bez_reader_sha256(in.reader, out->sha256);
    (void)snprintf(out->form, sizeof out->form, "%s", bez_reader_form(in.reader));
  }
  release(&in);
  return st;
}

bez_status bez_ingest(const bez_objects *objects, bez_pack *pack, const bez_objects *sorted_objects,
                      bez_pack *sorted_pack, const char *path, const bez_ingest_options *options,
                      bez_ingest_result *out, bez_error *err) {
  bool lost = false, with_parent = options->parent && options->parent_sorted;
  char *absolute = options->by_reference ? realpath(path, NULL) : NULL;
  if (options->by_reference && !absolute) return bez_fail_errno(err, path, "cannot find");
  const char *from = absolute ? absolute : path;
  bez_error why = {0};
  bez_status st = run(objects, pack, sorted_objects, sorted_pack, from, options, with_parent, out, &lost, &why);
  if (st != BEZ_OK && lost) {
    why = (bez_error){0};
    st = run(objects, pack, sorted_objects, sorted_pack, from, options, false, out, &lost, &why);
  }
  if (st != BEZ_OK && err && err->code == BEZ_OK) *err = why;
  free(absolute);
  return st;
}
