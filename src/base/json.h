/* JSON out: a streaming writer with deterministic numbers. JSON in: libjansson behind our ceilings (duplicate
 * keys refused, depth and size limited). RFC 8259. */
#ifndef BEZ_BASE_JSON_H
#define BEZ_BASE_JSON_H

#include <jansson.h>

#include "base/buf.h"

typedef struct bez_json {
  bez_buf *out;
  unsigned depth;
  uint64_t has_item; /* one bit per depth: a comma is due */
  bool pretty;       /* two-space indent */
  bool after_key;
} bez_json;

bez_json bez_json_make(bez_buf *out, bool pretty);
void bez_json_open(bez_json *j, char bracket);  /* '{' or '[' */
void bez_json_close(bez_json *j, char bracket); /* '}' or ']' */
void bez_json_key(bez_json *j, const char *key);
void bez_json_str(bez_json *j, const char *text); /* NULL writes null; invalid UTF-8 becomes U+FFFD */
void bez_json_strn(bez_json *j, const char *text, size_t len);
void bez_json_num(bez_json *j, double value); /* shortest form that reads back the same; NaN and infinities: null */
void bez_json_int(bez_json *j, int64_t value);
void bez_json_uint(bez_json *j, uint64_t value);
void bez_json_bool(bez_json *j, bool value);
void bez_json_null(bez_json *j);
/* A value that is JSON already. */
void bez_json_raw(bez_json *j, const char *text, size_t len);
/* key + value */
void bez_json_kstr(bez_json *j, const char *key, const char *text);
void bez_json_knum(bez_json *j, const char *key, double value);
void bez_json_kuint(bez_json *j, const char *key, uint64_t value);
void bez_json_kbool(bez_json *j, const char *key, bool value);

/* Shortest decimal that reads back as the same double; "nan", "inf", "-inf" otherwise. Returns its length. */
size_t bez_format_double(double value, char out[32]);

/* The document, to be released with json_decref. subject names it in errors. */
BEZ_MUST_USE bez_status bez_json_parse(const char *bytes, size_t len, const char *subject, json_t **out,
                                       bez_error *err);
BEZ_MUST_USE bez_status bez_json_read_file(const char *path, json_t **out, bez_error *err);

#endif
