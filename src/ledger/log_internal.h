/* What the parts of the log share. Level L of the tree has a hash for each complete subtree of 256^L entries; tiles are
 * 256 of them. The edge of a level are the hashes behind its last full tile: they are kept in memory, lead to the
 * root, and bear out every full tile, from the top down. */
#ifndef BEZ_LEDGER_LOG_INTERNAL_H
#define BEZ_LEDGER_LOG_INTERNAL_H

#include "crypto/note.h"
#include "ledger/log.h"

#define BEZ_LOG_LEVELS 7u /* a log has less than 2^56 entries */
#define BEZ_LOG_MOST (UINT64_C(1) << 56)
#define BEZ_LOG_ENTRIES 255u /* stands for a level where bundles of entries are meant */
#define BEZ_LOG_BUNDLE (BEZ_LOG_TILE * (2u + BEZ_MAX_ENTRY))
#define BEZ_LOG_NOTE (64u << 10) /* bytes of a checkpoint with its signatures */

typedef uint8_t bez_tile_hashes[BEZ_LOG_TILE][BEZ_MERKLE_HASH];

typedef struct bez_log_state {
  uint64_t size, signed_size;
  uint8_t root[BEZ_MERKLE_HASH];
  bez_buf head, checkpoint; /* as the files have them; no checkpoint: empty */
  bez_tile_hashes edge[BEZ_LOG_LEVELS];
} bez_log_state;

typedef struct bez_log_tile {
  bool filled;
  uint64_t n;
  bez_tile_hashes hash;
} bez_log_tile;

struct bez_log {
  char *folder, *origin;
  bez_vkey key;
  bez_log_state *state;
  bez_log_tile cache[BEZ_LOG_LEVELS][2]; /* full tiles that were borne out, by the last bit of their number */
};

/* Of the edge of a level at a size: how many hashes, and the number of its tile. */
static inline unsigned bez_log_width(uint64_t size, unsigned level) {
  return (unsigned)(size >> (8 * (level == BEZ_LOG_ENTRIES ? 0 : level)) & 255);
}
static inline uint64_t bez_log_edge(uint64_t size, unsigned level) {
  return size >> (8 * (level == BEZ_LOG_ENTRIES ? 0 : level) + 8);
}

/* log_state.c: heads, checkpoints, edges */
void bez_log_state_free(bez_log_state *state);
/* "<origin>\n<size>\n<root>\n": a head, and what a checkpoint signs. */
void bez_log_body(const bez_log *log, uint64_t size, const uint8_t root[BEZ_MERKLE_HASH], bez_buf *out);
/* What the folder holds now, checked; *out is the caller's. The tiles in the cache are then those of *out, or none. */
BEZ_MUST_USE bez_status bez_log_load(bez_log *log, bez_log_state **out, bez_error *err);
/* The root that edges lead to. */
void bez_log_edge_root(uint64_t size, bez_tile_hashes *edge, uint8_t out[BEZ_MERKLE_HASH]);

/* log_blame.c: the edge does not lead to the head; BEZ_FORMAT names the file that does not fit the others. */
BEZ_MUST_USE bez_status bez_log_blame_edge(const bez_log *log, const bez_log_state *state, bez_error *err);

/* log_tile.c: files of tiles and bundles */
/* Appends "<folder>/tile/…". width: BEZ_LOG_TILE for a full one. */
void bez_log_path(const bez_log *log, unsigned level, uint64_t n, unsigned width, bez_buf *out);
/* A whole file; BEZ_FORMAT where there is none. */
BEZ_MUST_USE bez_status bez_log_file(const char *path, size_t ceiling, bez_buf *out, bez_error *err);
/* The root of a full tile. */
void bez_log_tile_root(bez_tile_hashes hashes, uint8_t out[BEZ_MERKLE_HASH]);
/* A tile, borne out up to the root; valid until the next call. Behind the edge's width there is nothing to look at. */
BEZ_MUST_USE bez_status bez_log_tile_get(bez_log *log, unsigned level, uint64_t n, const bez_tile_hashes **out,
                                         bez_error *err);
/* Empties the cache: its tiles were borne out by a root that is no longer believed. */
void bez_log_forget(bez_log *log);
/* Roots of complete subtrees, for proofs. */
bez_merkle_source bez_log_source(bez_log *log);

/* log_read.c */
typedef struct bez_log_bundle {
  bez_buf path, bytes;
  size_t n, at[BEZ_LOG_TILE]; /* entries: where they begin in bytes */
  size_t len[BEZ_LOG_TILE];
} bez_log_bundle; /* zero-initialise; release with bez_log_bundle_free */
/* Bundle n as it is at the log's size, its entries not checked against anything. */
BEZ_MUST_USE bez_status bez_log_bundle_load(const bez_log *log, uint64_t n, bez_log_bundle *out, bez_error *err);
/* Finds the first `width` entries in the bytes; more may follow. */
BEZ_MUST_USE bez_status bez_log_bundle_split(bez_log_bundle *bundle, unsigned width, bez_error *err);
/* An entry of a bundle is the one that its tile names. */
BEZ_MUST_USE bez_status bez_log_bundle_check(const bez_log_bundle *bundle, size_t i, const bez_tile_hashes *tile,
                                             bez_error *err);
void bez_log_bundle_free(bez_log_bundle *bundle);

/* log_write.c */
/* A file below the log's folder, whole, under its name, on the disk; folders are made. folders (NULL: nobody asks)
 * gathers those whose names have to be brought to the disk, too (NUL-terminated, one behind the other). */
BEZ_MUST_USE bez_status bez_log_put(const bez_log *log, const char *path, const void *bytes, size_t len,
                                    bez_buf *folders, bez_error *err);
BEZ_MUST_USE bez_status bez_log_sync(const char *folder, bez_error *err);
/* Takes away partial tiles that were needed at `old` and are needed no more. Failures leave them where they are. */
void bez_log_drop(const bez_log *log, uint64_t old);

/* log_sign.c */
/* The signed note of a head. */
BEZ_MUST_USE bez_status bez_log_note(const bez_log *log, const char *body, size_t len, const bez_signer *key,
                                     bez_buf *out, bez_error *err);
/* Puts the state's checkpoint in place. */
BEZ_MUST_USE bez_status bez_log_put_note(const bez_log *log, bez_error *err);

#endif
