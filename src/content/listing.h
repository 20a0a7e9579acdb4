/* The files of a data set: one file, or all below a folder. */
#ifndef BEZ_CONTENT_LISTING_H
#define BEZ_CONTENT_LISTING_H

#include "bezoar/base.h"

typedef struct bez_listed {
  char *name; /* relative to the folder; "" for a single file; owned */
  uint64_t size;
} bez_listed;

typedef struct bez_listing {
  char *root; /* the folder or the file */
  bool single;
  bez_listed *files; /* in bytewise order of their names */
  size_t n, cap;
  uint64_t bytes;
} bez_listing; /* zero-initialise; release with bez_listing_free */

/* BEZ_USAGE names what is no regular file (links are not followed), what has a name that is not UTF-8, and a folder
 * without files. Folders called ".bezoar" are left out: a vault is not its own data; what else is called so,
 * in capitals or not, is BEZ_USAGE: no checkout writes it. */
BEZ_MUST_USE bez_status bez_listing_make(const char *path, bez_listing *out, bez_error *err);
void bez_listing_free(bez_listing *listing);
/* Where a file lies; NULL: memory is out. Owned by the caller. */
char *bez_listing_path(const bez_listing *listing, size_t file);

#endif
