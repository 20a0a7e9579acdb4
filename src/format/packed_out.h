/* An output file that is packed when its name says so (.gz, .zst), and appears whole or not at all. */
#ifndef BEZ_FORMAT_PACKED_OUT_H
#define BEZ_FORMAT_PACKED_OUT_H

#include "base/file.h"

typedef struct bez_packed_out bez_packed_out;
BEZ_MUST_USE bez_status bez_packed_out_open(const char *path, bez_packed_out **out, bez_error *err);
BEZ_MUST_USE bez_status bez_packed_out_write(bez_packed_out *out, const void *bytes, size_t len, bez_error *err);
BEZ_MUST_USE bez_status bez_packed_out_commit(bez_packed_out *out, bez_error *err); /* frees out, success or not */
void bez_packed_out_abandon(bez_packed_out *out);                                   /* NULL is fine */

#endif
