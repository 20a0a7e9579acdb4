/* The bytes SSH's formats are made of (RFC 4251, section 5): big-endian numbers, strings behind their length; and the
 * armor around them in files. */
#ifndef BEZ_CRYPTO_SSH_WIRE_H
#define BEZ_CRYPTO_SSH_WIRE_H

#include "base/cursor.h"

BEZ_MUST_USE bool bez_ssh_take_u32(bez_cursor *c, uint32_t *out);
/* Points at the string's bytes; *len of them. */
BEZ_MUST_USE bool bez_ssh_take(bez_cursor *c, const uint8_t **bytes, size_t *len);
/* The same as a cursor of its own. */
BEZ_MUST_USE bool bez_ssh_take_part(bez_cursor *c, bez_cursor *part);
/* A string that must be exactly this text. */
BEZ_MUST_USE bool bez_ssh_take_text(bez_cursor *c, const char *text);
/* A positive number without needless zeros (mpint); its magnitude without the sign byte. */
BEZ_MUST_USE bool bez_ssh_take_mpint(bez_cursor *c, const uint8_t **bytes, size_t *len);

void bez_ssh_put_u32(bez_buf *out, uint32_t value);
void bez_ssh_put(bez_buf *out, const void *bytes, size_t len);
void bez_ssh_put_text(bez_buf *out, const char *text);

/* Base64 in lines of 70 between "-----BEGIN kind-----" and "-----END kind-----". */
void bez_ssh_armor(bez_buf *out, const char *kind, const void *bytes, size_t len);
/* Undoes it: text must begin with the armor; *used: where the line behind it begins. out is cleared first, and never
 * grows while it is filled, so that wiping it wipes everything. BEZ_FORMAT names subject. */
BEZ_MUST_USE bez_status bez_ssh_unarmor(const char *text, size_t len, const char *kind, const char *subject,
                                        bez_buf *out, size_t *used, bez_error *err);

#endif
