/* The vault's objects: immutable bytes named by their SHA-256, gathered in packs.
 *
 * A folder of packs is a store. The vault has two: objects/ (what cannot be made again: rows, chunks, trees,
 * statements, reports) and index/sorted/ (sorted trees, which can). A pack is written under tmp/ beside the store,
 * fsynced and renamed: it is there whole or not at all, and nothing in it ever changes. Layout: docs/vault/format.md.
 *
 * Reading is safe from any number of threads. Whatever is handed out has been hashed and is what it is called; anything
 * else is BEZ_FORMAT that names the pack, the place and the object. */
#ifndef BEZ_CONTENT_OBJECT_H
#define BEZ_CONTENT_OBJECT_H

#include "base/buf.h"
#include "bezoar/base.h"
#include "crypto/id.h"

typedef enum bez_object_kind {
  BEZ_OBJECT_BLOB = 1, /* statements, reports, lists, roots of trees */
  BEZ_OBJECT_LEAF = 2, /* of a tree: items (content/item.h) */
  BEZ_OBJECT_NODE = 3  /* of a tree: entries (content/tree.h) */
} bez_object_kind;

typedef struct bez_objects bez_objects;

/* folder: of packs; made where it is not there and `make` is set. BEZ_FORMAT: a pack whose directory is damaged (the
 * others can still be read: *out is set then too, for `verify`). */
BEZ_MUST_USE bez_status bez_objects_open(const char *folder, bool make, bez_objects **out, bez_error *err);
void bez_objects_close(bez_objects *objects); /* NULL is fine */
/* Looks for packs that came since (another process wrote them), and lets go of those that went. BEZ_FORMAT: a damaged
 * one that was not told of before; the others are there. */
BEZ_MUST_USE bez_status bez_objects_refresh(bez_objects *objects, bez_error *err);
bool bez_objects_has(const bez_objects *objects, const bez_id *id);
/* Replaces what is in out. BEZ_FORMAT "object … is missing" where it is in no pack. kind: what it must be, 0 any. */
BEZ_MUST_USE bez_status bez_objects_get(const bez_objects *objects, bez_object_kind kind, const bez_id *id,
                                        bez_buf *out, bez_error *err);

/* A pack in the making. Objects that the store or this pack already holds are not written again. */
typedef struct bez_pack bez_pack;
BEZ_MUST_USE bez_status bez_pack_begin(bez_objects *objects, bez_pack **out, bez_error *err);
/* One thread at a time, in an order that does not depend on threads: it decides the bytes of the pack. id: filled. */
BEZ_MUST_USE bez_status bez_pack_put(bez_pack *pack, bez_object_kind kind, const void *bytes, size_t len, bez_id *id,
                                     bez_error *err);
/* Whether the store or this pack holds it; any thread. */
bool bez_pack_has(const bez_pack *pack, const bez_id *id);
/* An object that the pack holds so far is read back, too (trees are read while they grow). */
BEZ_MUST_USE bez_status bez_pack_get(bez_pack *pack, bez_object_kind kind, const bez_id *id, bez_buf *out,
                                     bez_error *err);

/* The same from several threads: each fills a block of its own (its objects hashed by the caller or here, packed by
 * zstd when it is sealed), and one thread adds sealed blocks in order. About BEZ_BLOCK bytes make a good block. */
#define BEZ_BLOCK (64u << 10) /* text packs 2 % worse than in 256 KiB; a leaf that is looked at costs a quarter */
typedef struct bez_block bez_block;
BEZ_MUST_USE bez_status bez_block_create(bez_block **out, bez_error *err);
void bez_block_free(bez_block *block); /* NULL is fine */
/* id_known: *id is the object's SHA-256 already, taken as it is; else it is filled. */
BEZ_MUST_USE bez_status bez_block_put(bez_block *block, bez_object_kind kind, const void *bytes, size_t len,
                                      bool id_known, bez_id *id, bez_error *err);
size_t bez_block_bytes(const bez_block *block);
BEZ_MUST_USE bez_status bez_block_seal(bez_block *block, bez_error *err);
/* The same with a packer of the thread's own, kept from block to block: hundreds of KiB that need not be one per block.
 */
typedef struct bez_packer bez_packer;
BEZ_MUST_USE bez_status bez_packer_create(bez_packer **out, bez_error *err);
void bez_packer_free(bez_packer *packer); /* NULL is fine */
BEZ_MUST_USE bez_status bez_block_seal_by(bez_block *block, bez_packer *packer, bez_error *err);
/* Takes the objects in; the block is empty then and can be filled anew. */
BEZ_MUST_USE bez_status bez_pack_add(bez_pack *pack, bez_block *block, bez_error *err);

/* By reference: the object's bytes stay in a file (absolute path) at [offset, offset + len). What has to lie around
 * them to make the leaf (content/item.h) is kept in the pack: prefixes[i] and lengths describe it, see bez_item_frame.
 */
BEZ_MUST_USE bez_status bez_pack_refer(bez_pack *pack, const char *path, uint64_t offset, uint64_t len,
                                       const void *frame, size_t frame_len, const bez_id *id, bez_error *err);

/* fsync, rename, folder fsync; the objects are in the store then. A pack without objects leaves no file. bytes (NULL:
 * not wanted): of the new file. The pack is freed, success or not. */
BEZ_MUST_USE bez_status bez_pack_finish(bez_pack *pack, uint64_t *bytes, bez_error *err);
void bez_pack_abandon(bez_pack *pack); /* NULL is fine; leaves nothing behind */

/* Every pack, byte by byte: stored blocks and directories against their digests, by several threads. damaged (NULL:
 * stop at the first) is told what and where, once per damaged block or directory, with the ids of the objects in it. */
typedef struct bez_damage {
  const char *pack; /* path */
  uint64_t offset, len;
  const char *what;
  const bez_id *ids; /* NULL where they cannot be told */
  size_t n_ids;
} bez_damage;
typedef struct bez_objects_sum {
  uint64_t packs, blocks, objects, stored_bytes, raw_bytes, referred_bytes;
} bez_objects_sum;
BEZ_MUST_USE bez_status bez_objects_verify(bez_objects *objects, unsigned threads, bez_progress_fn progress,
                                           void *progress_ctx, void (*damaged)(void *ctx, const bez_damage *damage),
                                           void *ctx, bez_objects_sum *sum, bez_error *err);

/* Removes the packs that verify finds damaged: for a store whose objects can be made again. removed: how many. */
BEZ_MUST_USE bez_status bez_objects_remove_damaged(bez_objects *objects, uint64_t *removed, bez_error *err);

#endif
