/* Reading JSON in place (RFC 8259), token by token, so that duplicate keys, trailing bytes and the exact spelling of
 * numbers stay visible. Strict: UTF-8 is checked, control characters in strings, leading zeros, trailing commas and
 * comments are refused. Taken beyond the standard, because Python's json writes them: NaN, Infinity, -Infinity. */
#ifndef BEZ_FORMAT_JSONSCAN_H
#define BEZ_FORMAT_JSONSCAN_H

#include "base/buf.h"

typedef struct bez_jsonscan {
  const char *begin, *at, *end;
  const char *problem;      /* static text, set by the first failure; `at` then stands at the culprit */
  uint64_t lone_surrogates; /* \uD800-\uDFFF without a partner, each replaced by U+FFFD */
} bez_jsonscan;

typedef enum bez_json_kind {
  BEZ_JSON_BAD = 0,
  BEZ_JSON_OBJECT,
  BEZ_JSON_ARRAY,
  BEZ_JSON_STRING,
  BEZ_JSON_NUMBER,
  BEZ_JSON_WORD, /* true, false, NaN, Infinity */
  BEZ_JSON_NULL
} bez_json_kind;

/* Skips blanks, then tells what the next value is from its first byte (nothing is consumed). */
bez_json_kind bez_jsonscan_kind(bez_jsonscan *s);
/* Skips blanks; consumes the byte when it is next. */
bool bez_jsonscan_eat(bez_jsonscan *s, char c);
/* Skips blanks; whether the input is at its end. */
bool bez_jsonscan_done(bez_jsonscan *s);
/* A string: a slice of the input where it holds no escape, else appended to scratch. No string decodes to more bytes
 * than it is spelled with: a scratch with room for the whole input never moves, and slices of it stay good. */
bool bez_jsonscan_string(bez_jsonscan *s, bez_buf *scratch, const char **text, size_t *len);
/* A number or a word, as it is spelled. */
bool bez_jsonscan_scalar(bez_jsonscan *s, const char **text, size_t *len);
/* Any value, checked and passed over; the slice is its spelling. depth: how deep the value itself lies. */
bool bez_jsonscan_skip(bez_jsonscan *s, unsigned depth, const char **text, size_t *len);
/* Records a failure at the present place; always false. */
bool bez_jsonscan_fail(bez_jsonscan *s, const char *problem);

#endif
