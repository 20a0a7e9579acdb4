/* Protocol Buffers on the wire (protobuf.dev/programming-guides/encoding), walked in place: nothing is copied or
 * allocated, every length is checked against what it lies in. Messages are told apart by who walks them. */
#ifndef BEZ_DECODE_PROTOBUF_H
#define BEZ_DECODE_PROTOBUF_H

#include "base/cursor.h"

enum { BEZ_PROTO_VARINT = 0, BEZ_PROTO_FIXED64 = 1, BEZ_PROTO_BYTES = 2, BEZ_PROTO_FIXED32 = 5 };

#define BEZ_PROTO_DEPTH 64u /* messages in messages that a walker follows */

typedef struct bez_proto_field {
  uint32_t number, wire;
  uint64_t value;       /* of a varint or fixed field */
  const uint8_t *bytes; /* of a BEZ_PROTO_BYTES field: a string, a packed list or a message */
  size_t len;
} bez_proto_field;

/* The next field of the message that the cursor spans; groups are stepped over. False at its end, and where it is
 * broken: then the position stays before its end. */
BEZ_MUST_USE bool bez_proto_next(bez_cursor *c, bez_proto_field *out);
/* One varint, as lists of packed numbers hold them. */
BEZ_MUST_USE bool bez_proto_varint(bez_cursor *c, uint64_t *out);
bez_cursor bez_proto_inside(const bez_proto_field *field);
bool bez_proto_is(const bez_proto_field *field, uint32_t number, uint32_t wire);
bool bez_proto_equals(const bez_proto_field *field, const char *text);
/* The first field of that number, as a string or message. */
BEZ_MUST_USE bool bez_proto_find(bez_cursor message, uint32_t number, bez_proto_field *out);
/* Every field of it can be stepped over. */
bool bez_proto_whole(bez_cursor message);

/* A singular field as parsers take it: the last one. True: it stood there before, saying something else. */
bool bez_proto_last(bez_proto_field *kept, const bez_proto_field *next);
/* Its bytes as text that ends in NUL, cut to what fits; a NUL within becomes '?'. Returns out. */
char *bez_proto_text(const bez_proto_field *field, char *out, size_t room);

#endif
