/* Reading files into a rows tree: the path of every byte that enters the vault. */
#ifndef BEZ_CONTENT_INGEST_H
#define BEZ_CONTENT_INGEST_H

#include "content/form.h"
#include "content/sorted.h"
#include "content/tree.h"

typedef struct bez_ingest_options {
  bez_sipkey key;
  const bez_tree
      *parent; /* rows tree of the version before, NULL none: leaves it has are not hashed row by row again */
  const bez_tree *parent_sorted; /* its sorted tree; NULL none */
  const char *form;              /* name of the form for all files, NULL: by content */
  const char *labels; /* pictures: a file with a label per picture (CSV or JSONL: file, label); NULL: folder names */
  bool by_reference;  /* rows stay where they are (bez_pack_refer) */
  unsigned threads;   /* 0: all processors */
  uint64_t memory;    /* ceiling of anonymous memory in bytes, 0: 384 MiB */
  bez_progress_fn progress;
  void *progress_ctx;
} bez_ingest_options;

typedef struct bez_ingest_result {
  bez_tree rows, sorted;
  uint64_t n_files, bytes; /* of the data set */
  uint64_t fresh_leaves, known_leaves, fresh_rows;
  uint8_t sha256[32]; /* of a single file's bytes where `whole` is set; of by-reference files it is always known */
  bool has_sha256;
  char form[32]; /* name of the first file's */
} bez_ingest_result;

/* path: a file or a folder (files in bytewise order of their paths below it; names relative to it, "" for a single
 * file; links, devices and names that are not UTF-8 are refused by name). A file that changes while it is read is
 * refused. Rows go into pack (of objects), the sorted tree into sorted_pack (of sorted_objects); the caller finishes
 * both. */
BEZ_MUST_USE bez_status bez_ingest(const bez_objects *objects, bez_pack *pack, const bez_objects *sorted_objects,
                                   bez_pack *sorted_pack, const char *path, const bez_ingest_options *options,
                                   bez_ingest_result *out, bez_error *err);

typedef struct bez_checkout_options {
  unsigned threads; /* 0: all processors */
  bool replace;     /* a file that is there already; a folder never */
  bez_progress_fn progress;
  void *progress_ctx;
  /* Asked when all is written and verified, before it gets its name; an error leaves things as they were. NULL: none */
  bez_status (*ready)(void *ctx, bez_error *err);
  void *ready_ctx;
} bez_checkout_options;

/* Writes a version back, bit by bit: to a file (data set of one file) or into a folder that is not there yet; beside
 * the target first, renamed when whole and verified. Every leaf is verified. BEZ_FORMAT names object and rows;
 * BEZ_LIMIT: the tree says more bytes than there is room for, and nothing was written. */
BEZ_MUST_USE bez_status bez_checkout(const bez_objects *objects, const bez_tree *rows, const char *path,
                                     const bez_checkout_options *options, bez_error *err);

#endif
