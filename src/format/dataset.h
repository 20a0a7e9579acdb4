/* Opening a data set with saved states: a shard of it, what a state holds, or what is new since one was saved. */
#ifndef BEZ_FORMAT_DATASET_H
#define BEZ_FORMAT_DATASET_H

#include "format/reader.h"
#include "format/share.h"
#include "format/state.h"

/* Files by what became of them when a state was at hand. */
typedef struct bez_reuse {
  uint64_t n_same;       /* taken from the state */
  uint64_t n_new;        /* not in it */
  uint64_t n_changed;    /* other content, or another place in the order of files */
  uint64_t n_replanned;  /* the same, read again: columns are taken in otherwise now */
  uint64_t n_gone;       /* in the state alone */
  bez_buf changed, gone; /* the first of them by name, comma separated; owned */
} bez_reuse;

typedef struct bez_state_use {
  bez_state *state;                /* NULL: all is read from files */
  const char *save;                /* where everything read is saved; NULL: nowhere */
  uint32_t shard, n_shards;        /* n_shards 0: the whole data set */
  const bez_read_options *options; /* as they are to be saved; NULL: those of the call */
  const bez_state_unread *left_out;
  size_t n_left_out;
  uint64_t *n_rows; /* set to the rows that were saved; may be NULL */
  bez_spool *spool; /* fetches and keeps what URLs name; NULL: one for this call, where it needs one */
  bez_reuse *reuse; /* filled where there is a state and paths; may be NULL */
} bez_state_use;

/* bez_table_open with all this. n_paths 0: the state alone, no file is opened. out NULL: no table is made (a shard is
 * no data set). */
BEZ_MUST_USE bez_status bez_table_open_with(const char *const *paths, size_t n_paths, const bez_read_options *options,
                                            const bez_state_use *use, bez_table **out, bez_error *err);

/* dataset.c: one file into the builder. only: the reader to use, NULL: the one that knows the bytes best. part, whole:
 * what of it, where its reader can read parts, and where it cannot (then all or nothing); NULL: all. */
BEZ_MUST_USE bez_status bez_read_file(const char *path, const bez_reader *only, bez_builder *builder,
                                      const bez_share *part, const bez_share *whole, bez_error *err);

/* reuse.c: the whole state. */
BEZ_MUST_USE bez_status bez_reuse_all(const bez_state *state, bez_builder *builder, bez_error *err);
/* The files of a list; those that are what they were come from the state, the others are read. */
BEZ_MUST_USE bez_status bez_reuse_list(const bez_state_use *use, const char *const *paths, size_t n,
                                       const bez_reader *only, bez_builder *builder, bez_error *err);
/* Pictures have one size, and labels in a file of their own go by the row: such a state holds for all of the list or
 * for nothing. *done: it held, and everything is in the builder. */
bool bez_reuse_together(const bez_state *state, const bez_read_options *options);
BEZ_MUST_USE bez_status bez_reuse_same(const bez_state_use *use, const char *const *paths, size_t n,
                                       const bez_read_options *options, bez_builder *builder, bool *done,
                                       bez_error *err);
/* Of paths and sizes: whether a data set is made of the same files. */
uint64_t bez_list_hash(const char *const *paths, size_t n);

#endif
