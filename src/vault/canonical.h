/* Inside the canonical form (vault/form.h): for canonical*.c and for forms that know the order of their fields. */
#ifndef BEZ_VAULT_CANONICAL_H
#define BEZ_VAULT_CANONICAL_H

#include "vault/form.h"

static inline bool bez_is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}
static inline void bez_trim(const char **text, size_t *len) {
  while (*len && bez_is_blank(**text)) (*text)++, (*len)--;
  while (*len && bez_is_blank((*text)[*len - 1])) (*len)--;
}

#define BEZ_NUMBER_DIGITS 40u /* written without an exponent up to so many */
#define BEZ_NUMBER_ROOM 64u   /* bytes that a number in its one form may be longer than its text */

/* The one form of a decimal number; its length, 0 where the text is none. out: room for len + BEZ_NUMBER_ROOM. */
size_t bez_canonical_number(const char *text, size_t len, char *out);
/* The one form of nested JSON behind what is in out; false: the text is no JSON, and out is as it was. */
bool bez_canonical_json(const char *text, size_t len, bez_buf *out);

/* For rows whose fields come in ascending order of their names already: key is varint length || name, as it is hashed.
 * Not to be mixed with bez_canonical_field in one row. */
void bez_canonical_next(bez_canonical *c, const char *key, size_t key_len, const char *value, size_t len);

#endif
