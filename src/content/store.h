/* Inside a store of objects. */
#ifndef BEZ_CONTENT_STORE_H
#define BEZ_CONTENT_STORE_H

#include <pthread.h>

#include "base/limits.h"
#include "content/pack.h"

struct bez_objects {
  char *folder, *tmp;
  pthread_rwlock_t lock; /* of packs; readers hold it while they read */
  bez_pack_file **packs; /* ascending by path */
  size_t n, cap;
  _Atomic size_t hint;     /* the pack where something was found last */
  _Atomic uint64_t number; /* of the next pack */
  bez_block_cache *cache;
  bez_buf damaged; /* paths of packs that were told as damaged, NUL-terminated: they are told once */
};

/* A new number at every call. */
uint64_t bez_objects_number(const bez_objects *objects);

#endif
