/* Whether files are as they were, without reading them: size, times to the nanosecond, and inode of every one. */
#ifndef BEZ_CONTENT_STAMP_H
#define BEZ_CONTENT_STAMP_H

#include "bezoar/base.h"

typedef struct bez_stamp {
  uint8_t bytes[32]; /* SHA-256 over all of it */
  bool settled;      /* nothing changed within the last two seconds: a later change cannot hide in the same tick */
  uint64_t n_files, n_bytes;
} bez_stamp;

/* path: a file or a folder. BEZ_IO: it is not there. */
BEZ_MUST_USE bez_status bez_stamp_take(const char *path, bez_stamp *out, bez_error *err);

#endif
