/* ZIP archives (PKWARE APPNOTE 6.3) as hostile bytes: the directory is read whole and checked against the local
 * headers before any entry is touched. */
#ifndef BEZ_FORMAT_ZIP_H
#define BEZ_FORMAT_ZIP_H

#include "base/arena.h"
#include "format/source.h"

typedef struct bez_zip_entry {
  const char *name; /* NUL-terminated */
  uint16_t method;  /* 0 stored, 8 deflated */
  uint32_t crc;
  uint64_t packed, size; /* bytes in the archive, bytes unpacked */
  uint64_t local_at, data_at;
} bez_zip_entry;

typedef struct bez_zip {
  bez_zip_entry *entries; /* in the order of the directory */
  uint32_t n;
  uint64_t comment; /* bytes of the archive's comment */
} bez_zip;

/* Errors: two entries of one name, local headers that say something else than the directory, entries that share bytes,
 * encrypted entries, other methods, sizes that deflate cannot reach. Entries live in the arena. */
BEZ_MUST_USE bez_status bez_zip_open(const bez_source *source, bez_arena *arena, bez_zip *out, bez_error *err);

/* Unpacks an entry (either method) into the store and checks its CRC-32. */
BEZ_MUST_USE bez_status bez_zip_unpack(const bez_source *source, const bez_zip_entry *entry, bez_store *store,
                                       bez_error *err);

/* Up to `most` bytes of an entry's beginning, unpacked; *got how many. Nothing is checked against its CRC-32. */
BEZ_MUST_USE bez_status bez_zip_peek(const bez_source *source, const bez_zip_entry *entry, uint8_t *out, size_t most,
                                     size_t *got, bez_error *err);

#endif
