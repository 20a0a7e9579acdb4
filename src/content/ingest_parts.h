/* What ingest is made of. Bytes go through four steps, each by threads where it can be, and come out the same for any
 * number of them:
 *
 *   reader   files → items, framed as they are stored, in slabs of some MiB          (ingest_read.c)
 *   slab     keyed hash of each item; leaves end where it says so; ids of leaves     (ingest_slab.c)
 *   known    leaves that the parent version has already: nothing more to do for them (ingest_parent.c)
 *   leaf     digests of rows and the Merkle root of a leaf that is new               (ingest_leaf.c)
 *
 * and ingest.c runs slab after slab through them and hands the result on, in order. */
#ifndef BEZ_CONTENT_INGEST_PARTS_H
#define BEZ_CONTENT_INGEST_PARTS_H

#include "content/chunk.h"
#include "content/ingest.h"
#include "content/labels.h"
#include "content/listing.h"
#include "crypto/sha256.h"

/* ---- leaf ---- */

/* The form of the rows that follow, opened from a FILE item. */
typedef struct bez_context {
  bez_form_use use;
  uint8_t identity[32]; /* SHA-256 of the FILE item's body */
  uint32_t known;       /* number of the same context in the parent version; BEZ_NOT_KNOWN: none */
  uint64_t last_slab;   /* that needs it */
  struct bez_context *next;
} bez_context;

void bez_contexts_free(bez_context *first);

/* Digests of the leaf in [bytes, bytes + len): entry's root, items, rows, bytes; canonical: of its rows, in order, room
 * for BEZ_LEAF_ITEMS. use: the form in force where it begins, NULL none; those of FILE items in it are opened here. c:
 * the thread's own. BEZ_FORMAT: no leaf, or a row that no form reads. */
BEZ_MUST_USE bez_status bez_leaf_digest(const void *bytes, size_t len, const bez_form_use *use, bez_canonical *c,
                                        bez_tree_entry *entry, uint8_t (*canonical)[32], bez_error *err);

/* The same for a leaf of a single BYTES item of so many bytes, whose raw digest is known. */
void bez_leaf_digest_lone(const uint8_t raw[32], uint64_t bytes, bez_tree_entry *entry);

/* ---- known ---- */

#define BEZ_NOT_KNOWN UINT32_MAX

typedef struct bez_parent bez_parent;
/* The leaves of the tree and the contexts that they stand in. */
BEZ_MUST_USE bez_status bez_parent_make(const bez_objects *objects, const bez_tree *tree, bez_budget *budget,
                                        bez_parent **out, bez_error *err);
void bez_parent_free(bez_parent *known); /* NULL is fine */
uint32_t bez_parent_context(const bez_parent *known, const uint8_t identity[32]);
/* Number of the leaf with that id in that context (BEZ_NOT_KNOWN for none before the first file), else BEZ_NOT_KNOWN.
 * Any thread. */
uint32_t bez_parent_find(const bez_parent *known, const bez_id *id, uint32_t context);
/* Takes one occurrence of it: false where all have been taken. */
bool bez_parent_take(bez_parent *known, uint32_t leaf, bez_tree_entry *out);
/* Canonical digests of the rows in leaves that were not taken. */
BEZ_MUST_USE bez_status bez_parent_removed(bez_parent *known, unsigned threads, bez_digests *removed, bez_error *err);

/* ---- slab ---- */

#define BEZ_SLAB (8u << 20)
#define BEZ_SLAB_TILE 2048u /* items or leaves at a time for one thread */

typedef struct bez_new_leaf {
  size_t begin, len;          /* in the slab's bytes */
  size_t first, n, start;     /* its first item, how many; the first of the slab's starts behind its beginning */
  const bez_context *context; /* in force where it begins; NULL none */
  bez_tree_entry entry;
  uint32_t known;
  bool fresh;
  bool lone; /* it is one BYTES item of so many bytes with that digest */
  size_t lone_len;
  uint8_t raw[32];
  bool referable; /* by reference: its bytes lie in one file */
  size_t file;
  uint64_t offset, file_bytes;
} bez_new_leaf;

/* Leaves that go into one block. */
typedef struct bez_group {
  bez_block *block; /* owned */
  size_t first, n;  /* in the slab's list of fresh leaves */
} bez_group;

typedef struct bez_slab {
  uint64_t number;
  uint8_t *bytes; /* items as stored */
  size_t len, cap;
  size_t *end; /* of each item in bytes */
  uint64_t *hash;
  uint8_t (*canonical)[32]; /* of the rows of a fresh leaf, from its first item's place on */
  size_t n, cap_items;
  size_t n_hashed; /* items at the front whose hash is known: they were left over from the slab before */
  size_t *starts;  /* of each FILE and FILE_ROW item: its file in the listing */
  size_t n_starts, cap_starts;
  bez_new_leaf *leaves;
  size_t n_leaves, cap_leaves;
  size_t *fresh; /* leaves */
  size_t n_fresh, cap_fresh;
  bez_group *groups;
  size_t n_groups, cap_groups;
  bool last;
} bez_slab; /* zero-initialise */

void bez_slab_free(bez_slab *slab);
void bez_slab_clear(bez_slab *slab);
/* Room for n more items of `bytes` bytes together (heads and bodies). */
BEZ_MUST_USE bez_status bez_slab_reserve(bez_slab *slab, size_t n, size_t bytes, bez_error *err);
/* Appends an item; room was made. */
void bez_slab_put(bez_slab *slab, bez_item_type type, const void *head, size_t head_len, const void *body,
                  size_t body_len);
BEZ_MUST_USE bez_status bez_slab_start(bez_slab *slab, size_t file, bez_error *err); /* before FILE and FILE_ROW */

typedef struct bez_cut_state {
  bez_context *contexts, *current; /* all that are open, oldest first; in force at the end of the last leaf cut */
  const bez_parent *known;
  bool by_reference;
  size_t file; /* by reference: where the next item's bytes lie */
  uint64_t offset;
} bez_cut_state;
/* Leaves of the slab, as far as they are complete; the items behind them are copied to the front of next. */
BEZ_MUST_USE bez_status bez_slab_cut(bez_slab *slab, bez_cut_state *cut, bez_slab *next, bez_error *err);

/* ---- reader ---- */

typedef struct bez_reader bez_reader;
BEZ_MUST_USE bez_status bez_reader_open(const bez_listing *list, const bez_ingest_options *options, bez_reader **out,
                                        bez_error *err);
void bez_reader_close(bez_reader *reader); /* NULL is fine */
/* Three steps, each beside other work, always in this order: bytes from files, … */
BEZ_MUST_USE bez_status bez_reader_load(bez_reader *reader, bez_error *err);
/* … the digest of a single file's bytes, … */
void bez_reader_hash(bez_reader *reader);
/* … and items from bytes, behind what the slab holds. slab->last: these were the last. */
BEZ_MUST_USE bez_status bez_reader_cut(bez_reader *reader, bez_slab *slab, bez_error *err);
uint64_t bez_reader_bytes(const bez_reader *reader);               /* read so far */
const char *bez_reader_form(const bez_reader *reader);             /* of the first file; "" none yet */
void bez_reader_sha256(const bez_reader *reader, uint8_t out[32]); /* of a single file that was read to its end */

#endif
