/* Members of hostile JSON documents as bytes and numbers. */
#ifndef BEZ_CRYPTO_JSON_BYTES_H
#define BEZ_CRYPTO_JSON_BYTES_H

#include "base/arena.h"
#include "base/json.h"
#include "crypto/chain.h"

/* A base64 text decoded onto the arena. BEZ_FORMAT: it is none; `what` names it. */
BEZ_MUST_USE bez_status bez_json_bytes(bez_arena *arena, const json_t *text, const char *subject, const char *what,
                                       bez_bytes *out, bez_error *err);
/* The same of exactly n bytes. */
BEZ_MUST_USE bez_status bez_json_digest(const json_t *text, uint8_t *out, size_t n, const char *subject,
                                        const char *what, bez_error *err);
/* A number, or one as decimal text (Protocol Buffers write 64-bit numbers so). False: neither. */
bool bez_json_count(const json_t *value, uint64_t *out);
/* The member's text; "" where there is none. */
const char *bez_json_text(const json_t *object, const char *key);

/* Writes key and base64. */
void bez_json_kbase64(bez_json *j, const char *key, const void *bytes, size_t len);

#endif
