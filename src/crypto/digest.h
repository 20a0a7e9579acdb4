/* Digests of bytes and of stretches of files, through OpenSSL. */
#ifndef BEZ_CRYPTO_DIGEST_H
#define BEZ_CRYPTO_DIGEST_H

#include "bezoar/base.h"

typedef enum bez_digest_kind {
  BEZ_DIGEST_NONE,
  BEZ_DIGEST_SHA256, /* FIPS 180-4 */
  BEZ_DIGEST_SHA384,
  BEZ_DIGEST_SHA512,
  BEZ_DIGEST_BLAKE2B /* RFC 7693, 64 bytes */
} bez_digest_kind;

#define BEZ_DIGEST_MOST 64u /* bytes */

/* "sha256", "sha384", "sha512", "blake2b" and "blake2" (two names of one); BEZ_DIGEST_NONE: none of them. */
bez_digest_kind bez_digest_named(const char *name);
const char *bez_digest_name(bez_digest_kind kind); /* "blake2b"; static */
size_t bez_digest_size(bez_digest_kind kind);      /* bytes */

/* Lower-case hexadecimal, 2 × n digits and a NUL. */
void bez_hex(const uint8_t *bytes, size_t n, char *out);
/* Exactly n bytes from 2 × n digits of either case; false: the text holds anything else. */
BEZ_MUST_USE bool bez_unhex(const char *text, uint8_t *out, size_t n);

/* Of bytes in memory; out has room for BEZ_DIGEST_MOST. */
BEZ_MUST_USE bez_status bez_digest_bytes(bez_digest_kind kind, const void *bytes, size_t len, uint8_t *out,
                                         bez_error *err);
/* Of bytes [first, first + len) of an open file, read in pieces of a mebibyte; BEZ_IO where the file is shorter. go_on
 * (NULL: nobody) is asked between pieces; false: BEZ_CANCELLED. path names the file in errors. */
typedef bool (*bez_digest_ask)(void *ctx);
BEZ_MUST_USE bez_status bez_digest_file(bez_digest_kind kind, int fd, const char *path, uint64_t first, uint64_t len,
                                        bez_digest_ask go_on, void *ctx, uint8_t *out, bez_error *err);

#endif
