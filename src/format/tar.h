/* tar archives as hostile bytes: POSIX ustar and pax (IEEE 1003.1, pax interchange format), GNU long names and sizes,
 * and the headers before both. Every checksum is verified; nothing is ever extracted. */
#ifndef BEZ_FORMAT_TAR_H
#define BEZ_FORMAT_TAR_H

#include "base/arena.h"
#include "format/source.h"

typedef struct bez_tar_entry {
  const char *name;  /* NUL-terminated, in the arena */
  uint64_t at, size; /* where its bytes lie in the source */
  uint64_t begin;    /* … and the first of its headers */
} bez_tar_entry;

typedef struct bez_tar {
  const bez_source *source;
  bez_arena *arena;
  uint64_t pos;      /* of the next header */
  uint64_t others;   /* members so far that are no regular files: links, devices */
  uint64_t trailing; /* after the end: bytes other than zeros behind it */
  bool open_end;     /* after the end: the closing blocks are missing */
  bool cut_off;      /* after a failure: the bytes end before a header or a member does */
} bez_tar;           /* set source and arena */

/* The next regular file; *end: there is none. Errors name the offset: a checksum that is wrong, a member that goes on
 * behind the end of the file, names and extended headers beyond all reason. */
BEZ_MUST_USE bez_status bez_tar_next(bez_tar *tar, bez_tar_entry *out, bool *end, bez_error *err);

/* Whether a block of 512 bytes is a header with the right checksum. */
bool bez_tar_is_header(const uint8_t *block);
/* Names that would lead out of a folder, or that print as something else. */
bool bez_tar_unsafe(const char *name);

#endif
