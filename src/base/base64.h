/* Base64 with padding (RFC 4648, section 4): the pixels of a tile in JSON, what signatures are made of. */
#ifndef BEZ_BASE_BASE64_H
#define BEZ_BASE_BASE64_H

#include "base/buf.h"

void bez_base64_put(bez_buf *out, const uint8_t *bytes, size_t len);
/* Decodes exactly `want` bytes; false when the text holds anything else, set bits behind the last byte included. */
bool bez_base64_get(const char *text, size_t len, uint8_t *out, size_t want);
/* How many bytes a text stands for, by its length and padding; false where no text is so long. */
bool bez_base64_size(const char *text, size_t len, size_t *size);

#endif
