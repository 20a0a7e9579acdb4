/* A reference bank: the numbers of adapters that are known, so that those of another become ranks among them. A text
 * file, one JSON object per line: first what it is and the features' names, then an adapter per line, by SHA-256. */
#ifndef BEZ_AUDIT_BANK_H
#define BEZ_AUDIT_BANK_H

#include "base/arena.h"
#include "bezoar/base.h"

#define BEZ_BANK_FEATURES 16u /* at most */

typedef struct bez_bank_row {
  char sha256[65]; /* of the adapter's file */
  const char *name;
  uint64_t modules;
  double value[BEZ_BANK_FEATURES];
} bez_bank_row;

typedef struct bez_bank {
  bez_arena arena;
  bez_bank_row *rows; /* by sha256, ascending, each once */
  size_t n, room;
  const char *const *features; /* borrowed */
  uint32_t n_features;
} bez_bank;

/* An empty one. */
bez_bank bez_bank_make(const char *const *features, uint32_t n_features);
/* Hostile bytes: BEZ_FORMAT for what is no bank, one of other features or another version; BEZ_LIMIT above
 * BEZ_MAX_BANK_ROWS rows. subject names it in errors. */
BEZ_MUST_USE bez_status bez_bank_parse(const char *bytes, size_t len, const char *subject, bez_bank *bank,
                                       bez_error *err);
BEZ_MUST_USE bez_status bez_bank_read(const char *path, bez_bank *bank, bez_error *err);
/* A row of the same SHA-256 is replaced. name is copied. */
BEZ_MUST_USE bez_status bez_bank_put(bez_bank *bank, const bez_bank_row *row, bez_error *err);
/* Puts the rows of more into the file at path, which need not be there yet. Whole or not at all, and one process at a
 * time (a lock on its folder): two at once both get their rows in. *n: rows in it afterwards. */
BEZ_MUST_USE bez_status bez_bank_add_to_file(const char *path, const bez_bank *more, size_t *n, bez_error *err);
void bez_bank_free(bez_bank *bank);

/* How many rows, but those of this SHA-256, the value is larger than, and how many it equals. *n: those compared. */
typedef struct bez_bank_rank {
  size_t larger, equal, n;
} bez_bank_rank;
bez_bank_rank bez_bank_rank_of(const bez_bank *bank, uint32_t feature, double value, const char *sha256);

#endif
