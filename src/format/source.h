/* Where bytes come from: a plain file read in place, or one behind gzip or zstd that is unpacked into a store. */
#ifndef BEZ_FORMAT_SOURCE_H
#define BEZ_FORMAT_SOURCE_H

#include "base/store.h"
#include "net/spool.h"

typedef struct bez_source {
  const char *path;
  uint64_t size;        /* bytes of the (unpacked) content */
  int fd;               /* readable with pread when ≥ 0 … */
  const uint8_t *bytes; /* … else the unpacked or fetched content in memory or a temporary file */
  bez_store store;
  const char *packing; /* "", "gzip", "zstd" */
} bez_source;

/* Opens path, unpacking by content (not by extension), ratio and size ceilings applied. */
BEZ_MUST_USE bez_status bez_source_open(const char *path, bez_budget *budget, bez_source *out, bez_error *err);
/* The same for what the spool (NULL: none) has fetched under this name; it must outlive the source. */
BEZ_MUST_USE bez_status bez_source_open_in(const bez_spool *spool, const char *path, bez_budget *budget,
                                           bez_source *out, bez_error *err);
/* The first bytes as they lie there, still packed, and how many there are; 0: none, or no regular file. */
size_t bez_source_head(const bez_spool *spool, const char *path, uint8_t *head, size_t most, uint64_t *size);
/* A descriptor that reads the content from its first byte, to be closed by the caller; bytes that lie in memory are
 * copied to an unlinked temporary file. */
BEZ_MUST_USE bez_status bez_source_descriptor(const bez_source *source, int *fd, bez_error *err);
/* BEZ_USAGE for a URL: what is to be done with the path can only be done with a local file. */
BEZ_MUST_USE bez_status bez_source_must_be_local(const char *path, bez_error *err);
void bez_source_close(bez_source *source);
/* Copies up to len bytes at offset (fewer only at the end). */
BEZ_MUST_USE bez_status bez_source_read(const bez_source *source, uint64_t offset, void *out, size_t len, size_t *got,
                                        bez_error *err);
/* A number that tells this content from another of the same size, never 0: of all bytes up to a mebibyte, of 256 evenly
 * spread blocks above it, so that it costs the same for any size. It catches accidents, not forgers. */
BEZ_MUST_USE bez_status bez_source_digest(const bez_source *source, uint64_t *digest, bez_error *err);

#endif
