/* Inside the canonical form (content/form.h): for canonical*.c and for forms that know the order of their fields. */
#ifndef BEZ_CONTENT_CANONICAL_H
#define BEZ_CONTENT_CANONICAL_H

#include "content/form.h"

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

/* Between hold and release bez_canonical_finish only gathers rows; their digests stand where they were asked for behind
 * release, which hashes them together. */
void bez_canonical_hold(bez_canonical *c);
BEZ_MUST_USE bez_status bez_canonical_release(bez_canonical *c, bez_error *err);
uint32_t bez_canonical_cpu(const bez_canonical *c); /* bez_cpu_features(), asked once */

/* For rows whose fields come in ascending order of their names, without a call per field: behind begin, room for all of
 * the row is asked for (NULL: memory is out), fields are put one behind the other, and `end` tells how far they go.
 * bez_canonical_field is not to be used in such a row. */
char *bez_canonical_room(bez_canonical *c, size_t bytes);
void bez_canonical_end(bez_canonical *c, const char *end);
#define BEZ_FIELD_ROOM (BEZ_NUMBER_ROOM + 32u) /* beside the bytes of its key and of its value */
#define BEZ_COPY 16u                           /* bytes that are copied at once; keys are readable so far */

/* Copies n bytes, of `readable` that may be read; BEZ_COPY bytes may be written. */
static inline void bez_copy_short(char *to, const char *from, size_t n, size_t readable) {
  if (n <= BEZ_COPY && readable >= BEZ_COPY)
    __builtin_memcpy(to, from, BEZ_COPY);
  else
    __builtin_memcpy(to, from, n);
}

/* varint length || value in its one form; value is trimmed and not empty. Returns the end. */
char *bez_canonical_long(char *to, const char *value, size_t len);
static inline char *bez_canonical_value(char *to, const char *value, size_t len, size_t readable) {
  char c = *value;
  if (len >= 0x40 || (c >= '0' && c <= '9') || c == '-' || c == '+') return bez_canonical_long(to, value, len);
  *to = (char)len;
  bez_copy_short(to + 1, value, len, readable);
  return to + 1 + len;
}
/* key: varint length || name, as it is hashed, readable for BEZ_COPY bytes. */
static inline char *bez_canonical_put(char *to, const char *key, size_t key_len, const char *value, size_t len,
                                      size_t readable) {
  const char *begin = value;
  bez_trim(&value, &len);
  if (!len) return to;
  bez_copy_short(to, key, key_len, BEZ_COPY);
  return bez_canonical_value(to + key_len, value, len, readable - (size_t)(value - begin));
}

#endif
