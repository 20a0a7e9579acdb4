/* Files: whole reads with a ceiling, positioned reads, and writes that either happen whole or not at all. */
#ifndef BEZ_BASE_FILE_H
#define BEZ_BASE_FILE_H

#include "base/buf.h"

/* Reads a whole regular file or pipe into buf (cleared first); BEZ_LIMIT above ceiling bytes. */
BEZ_MUST_USE bez_status bez_file_read(const char *path, size_t ceiling, bez_buf *buf, bez_error *err);

/* Exactly len bytes at offset, or BEZ_IO ("file became shorter"). */
BEZ_MUST_USE bez_status bez_file_pread(int fd, const char *path, void *out, size_t len, uint64_t offset,
                                       bez_error *err);

/* A file that appears under its name only when finished: written beside the target, fsynced, renamed.
 * path "-" is standard output (written through). Mode 0666 less the umask. */
typedef struct bez_outfile bez_outfile;
BEZ_MUST_USE bez_status bez_outfile_open(const char *path, bez_outfile **out, bez_error *err);
BEZ_MUST_USE bez_status bez_outfile_write(bez_outfile *file, const void *bytes, size_t len, bez_error *err);
BEZ_MUST_USE bez_status bez_outfile_commit(bez_outfile *file, bez_error *err); /* frees file, success or not */
void bez_outfile_abandon(bez_outfile *file); /* NULL is fine; removes the partial file; frees file */

/* bez_outfile_open + write + commit. */
BEZ_MUST_USE bez_status bez_file_write(const char *path, const void *bytes, size_t len, bez_error *err);

#endif
