/* A pack in the making. It may go through several files (parts) so that its directory never fills memory; all of them
 * appear in the store at the end. */
#ifndef BEZ_CONTENT_PACK_WRITE_H
#define BEZ_CONTENT_PACK_WRITE_H

#include <pthread.h>

#include "content/store.h"

enum { BEZ_OPEN_DATA, BEZ_OPEN_NODES, BEZ_OPEN_FRAMES, BEZ_OPEN_BLOCKS };
#define BEZ_BLOCK_OPEN (UINT32_MAX - 8u) /* block of an object that is in open block number (block - this) */

/* What one file holds so far. */
typedef struct bez_part {
  int fd; /* -1: no byte was written yet */
  char *path;
  uint64_t number, offset, flushed;
  bez_block_record *blocks;
  size_t n_blocks, cap_blocks;
  bez_object_record *objects;
  size_t n_objects, cap_objects;
  uint32_t *table; /* of objects by id: their number + 1, 0 none; 2^bits of them */
  unsigned bits;
  bez_refer_record *refers;
  size_t n_refers, cap_refers, settled_refers; /* settled: their frames' block is known */
  bez_buf paths;
  uint32_t last_path;
} bez_part;

struct bez_pack {
  bez_objects *objects;
  pthread_mutex_t mutex;
  bez_part part;
  bez_block *open[BEZ_OPEN_BLOCKS];
  bez_pack_file **done; /* finished parts, below tmp */
  size_t n_done;
  bool anew; /* what the store holds is written again: it is about to go from there */
};

/* bez_pack_begin for gc: objects are taken out of packs that will be removed. */
BEZ_MUST_USE bez_status bez_pack_begin_anew(bez_objects *objects, bez_pack **out, bez_error *err);
/* Object number i of a pack of the store, as it is, by reference or not; hashed on the way. */
BEZ_MUST_USE bez_status bez_pack_copy(bez_pack *pack, const bez_pack_file *file, uint64_t i, bez_buf *scratch,
                                      bez_error *err);

/* part.c */
void bez_part_free(bez_part *part); /* a file that is not finished is removed */
bez_object_record *bez_part_find(const bez_part *part, const bez_id *id);
BEZ_MUST_USE bez_status bez_part_add_object(bez_part *part, const bez_object_record *record, bez_error *err);
/* A sealed block: written, its record kept. tmp: where files are made. */
BEZ_MUST_USE bez_status bez_part_add_block(bez_part *part, const char *tmp, bez_block *block, bez_error *err);
BEZ_MUST_USE bez_status bez_part_add_refer(bez_part *part, const char *path, const bez_refer_record *record,
                                           bez_error *err);
/* Directory, footer, fsync. The path is the caller's then, and the part empty. */
BEZ_MUST_USE bez_status bez_part_finish(bez_part *part, char **path, bez_error *err);

#endif
