/* Runs of provenance trees, one by one. */
#ifndef BEZ_CONTENT_PROVENANCE_RUNS_H
#define BEZ_CONTENT_PROVENANCE_RUNS_H

#include "content/provenance.h"
#include "content/tree_node.h"

/* SHA-256(0x00 || le64 n_rows || batch) */
void bez_run_hash(uint64_t n_rows, const bez_batch *batch, uint8_t out[32]);

/* Writing: runs of one batch next to each other become one. */
typedef struct bez_run_writer {
  bez_pack *pack;
  bez_sipkey key;
  bez_tree_writer *tree;
  bez_leaf leaf;
  bez_run open; /* n_rows 0: none */
} bez_run_writer;
BEZ_MUST_USE bez_status bez_run_writer_begin(bez_run_writer *writer, bez_pack *pack, bez_sipkey key, bez_error *err);
BEZ_MUST_USE bez_status bez_run_writer_add(bez_run_writer *writer, uint64_t n_rows, bez_batch batch, bez_error *err);
BEZ_MUST_USE bez_status bez_run_writer_finish(bez_run_writer *writer, bez_tree *out, bez_error *err);
void bez_run_writer_free(bez_run_writer *writer); /* also after a finish */

typedef struct bez_run_leaf {
  size_t n;
  bez_run runs[BEZ_LEAF_ITEMS]; /* row: counted from the leaf's first */
} bez_run_leaf;
/* A leaf's bytes; they must bear out the entry above (NULL: not asked). Hostile bytes. */
BEZ_MUST_USE bez_status bez_run_leaf_parse(const void *bytes, size_t len, const bez_tree_entry *above,
                                           bez_run_leaf *out, bez_error *err);

#endif
