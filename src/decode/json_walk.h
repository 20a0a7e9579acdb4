/* JSON of a configuration, value by value: as lenient as Python's json module (RFC 8259 with NaN, Infinity, lone
 * surrogates, keys that stand there twice), in memory that grows with the longest string and the keys of open objects
 * only. */
#ifndef BEZ_DECODE_JSON_WALK_H
#define BEZ_DECODE_JSON_WALK_H

#include "base/buf.h"

#define BEZ_JSON_DEPTH 64u

/* Where a value stands in what is open around it. */
typedef struct bez_json_step {
  bool object;
  bez_buf key;    /* of an object: NUL-terminated */
  uint32_t index; /* of an array: 0-based */
} bez_json_step;

typedef struct bez_json_event {
  char what;        /* '{' '[' opened, '}' ']' closed, 's' string, 'n' number, 't' 'f' '0' true, false, null */
  const char *text; /* of a string, decoded, NUL behind it; of a number, as it is written */
  size_t len;
  size_t at, end; /* bytes of the document, all of the value's where it was closed */
  const bez_json_step *path;
  unsigned depth; /* steps of path */
} bez_json_event;

typedef struct bez_json_end {
  const char *why; /* NULL: read to the end */
  size_t where;
  size_t twice; /* keys that stand there twice */
} bez_json_end;

/* Several values behind each other are read one by one. */
void bez_json_walk(const char *bytes, size_t len, void (*on_event)(void *ctx, const bez_json_event *e), void *ctx,
                   bez_json_end *end);

/* The key of the step; "" in an array or outside. */
const char *bez_json_key_at(const bez_json_event *e, unsigned step);
/* Does any step have it? */
bool bez_json_below(const bez_json_event *e, const char *key);

#endif
