/* What lies on the stack of the abstract pickle machine (pickle.h): constants as they are, everything else as an
 * expression that is remembered and never evaluated. */
#ifndef BEZ_DECODE_PICKLE_VALUE_H
#define BEZ_DECODE_PICKLE_VALUE_H

#include "decode/pickle.h"

#define BEZ_PICKLE_KEPT 16u /* items of a container that are remembered */

typedef enum bez_pickle_kind {
  BEZ_PV_MARK,
  BEZ_PV_NONE,
  BEZ_PV_BOOL,
  BEZ_PV_INT,
  BEZ_PV_LONG, /* too wide for 64 bits, or written as text: s */
  BEZ_PV_FLOAT,
  BEZ_PV_STR,
  BEZ_PV_BYTES,
  BEZ_PV_BUFFER, /* out of band: unknown */
  BEZ_PV_TUPLE,
  BEZ_PV_LIST,
  BEZ_PV_DICT, /* keys and values in turn */
  BEZ_PV_SET,
  BEZ_PV_GLOBAL, /* items: module, name, whether both are known texts */
  BEZ_PV_MODULE, /* items[0] its name: what import_module() would give */
  BEZ_PV_CALL,   /* items[0] callee, items[1 …] arguments */
  BEZ_PV_PERSISTENT,
  BEZ_PV_EXTENSION
} bez_pickle_kind;

struct bez_pickle_node;

typedef struct bez_pickle_value {
  uint8_t kind;
  uint32_t n; /* bytes of s; BYTES and STR */
  union {
    const uint8_t *s;
    int64_t i;
    double f;
    struct bez_pickle_node *node;
  } as;
} bez_pickle_value;

typedef struct bez_pickle_node {
  uint64_t count;      /* items there were */
  uint32_t kept, room; /* of items */
  bez_pickle_value *items;
} bez_pickle_node;

static inline bool bez_pickle_has_node(const bez_pickle_value *v) {
  return (v->kind >= BEZ_PV_TUPLE && v->kind <= BEZ_PV_CALL) || v->kind == BEZ_PV_PERSISTENT;
}

void bez_pickle_push(bez_pickle_node *node, bez_pickle_value item);

/* As Python would write it, cut off near BEZ_PICKLE_TEXT bytes; printable ASCII. Appends. */
void bez_pickle_write(bez_buf *out, const bez_pickle_value *value, unsigned depth);

/* A call: callee(arguments). */
void bez_pickle_write_call(bez_buf *out, const bez_pickle_node *call, unsigned depth);

#endif
