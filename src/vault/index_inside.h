/* The index as its own files see it. */
#ifndef BEZ_VAULT_INDEX_INSIDE_H
#define BEZ_VAULT_INDEX_INSIDE_H

#include <sqlite3.h>

#include "vault/index.h"

struct bez_index {
  sqlite3 *db; /* in memory */
  char *folder;
  uint64_t size;
  uint8_t last[32];
  unsigned unsaved; /* changes since it was written */
};

/* BEZ_INTERNAL (or BEZ_MEMORY) with SQLite's words. */
BEZ_MUST_USE bez_status bez_index_fail(const bez_index *index, bez_error *err);

#endif
