/* Large arrays that may outgrow memory: anonymous pages up to the budget, then pages of an unlinked temporary
 * file (TMPDIR, else /var/tmp) that the kernel can write back. The budget is shared by all stores of one data
 * set and may be used from several threads. */
#ifndef BEZ_BASE_STORE_H
#define BEZ_BASE_STORE_H

#include "bezoar/base.h"

typedef struct bez_budget {
  uint64_t bytes;           /* ceiling for anonymous pages; 0: no ceiling */
  _Atomic uint64_t in_use;  /* anonymous bytes handed out */
  _Atomic uint64_t spilled; /* bytes in temporary files */
} bez_budget;

typedef struct bez_store {
  void *data; /* page aligned, zeroed */
  size_t cap; /* bytes mapped */
  int fd;     /* the temporary file, -1 while anonymous */
  bez_budget *budget;
} bez_store; /* zero-initialise, then bez_store_init */

void bez_store_init(bez_store *store, bez_budget *budget);
/* At least `bytes` mapped; contents kept, new bytes zero. The data pointer may move. */
BEZ_MUST_USE bez_status bez_store_grow(bez_store *store, size_t bytes, bez_error *err);
/* Gives back what lies behind `bytes`. */
void bez_store_trim(bez_store *store, size_t bytes);
void bez_store_free(bez_store *store);
/* An empty unlinked temporary file (TMPDIR, else /var/tmp), to be closed by the caller. */
BEZ_MUST_USE bez_status bez_store_file(int *fd, bez_error *err);

#endif
