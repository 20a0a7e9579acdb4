/* What a data set is a sequence of: items. Put behind each other, the bodies of items are the files, bit by bit.
 *
 * An item on disk (in a leaf): type (1 byte), varint length of head, head, varint length of body, body. Varints are
 * LEB128, shortest form, at most 10 bytes. A leaf is items behind each other and nothing else.
 *
 * The hash of an item, a leaf of the Merkle tree inside the tree's leaf (RFC 9162, section 2.1.1):
 *   SHA-256(0x00 || type || raw digest || canonical digest || head)
 * with the raw digest = SHA-256(body), and the canonical digest as the item's form defines it (content/form.h): 32 zero
 * bytes where the item is no row. An item of type DIGEST has the canonical digest as its body, and as its raw digest.
 */
#ifndef BEZ_CONTENT_ITEM_H
#define BEZ_CONTENT_ITEM_H

#include "base/cursor.h"
#include "content/object.h"

typedef enum bez_item_type {
  BEZ_ITEM_FILE = 1,  /* a file begins. head: its name; body: its form as JSON (bez_form_open), no bytes of the file */
  BEZ_ITEM_BYTES = 2, /* bytes of no row: header, blank lines, an archive's end, chunks of files without rows */
  BEZ_ITEM_ROW = 3,   /* one row of the file that began last */
  BEZ_ITEM_FILE_ROW = 4, /* a file that is one row (a picture). head: its name, and where it has a label a NUL and the
                            label; body: its bytes */
  BEZ_ITEM_DIGEST = 5    /* a row of a packed or columnar file whose bytes are BYTES items: body: canonical digest */
} bez_item_type;

typedef struct bez_item {
  bez_item_type type;
  const char *head, *body; /* borrowed */
  size_t head_len, body_len;
} bez_item;

static inline bool bez_item_is_row(bez_item_type type) {
  return type == BEZ_ITEM_ROW || type == BEZ_ITEM_FILE_ROW || type == BEZ_ITEM_DIGEST;
}
/* Of FILE and FILE_ROW: how much of the head is the name. */
static inline size_t bez_item_name_len(const bez_item *item) {
  const char *nul = item->head_len ? (const char *)__builtin_memchr(item->head, 0, item->head_len) : NULL;
  return nul ? (size_t)(nul - item->head) : item->head_len;
}
/* Bytes of the item that belong to a file. */
static inline size_t bez_item_file_bytes(const bez_item *item) {
  return item->type == BEZ_ITEM_FILE || item->type == BEZ_ITEM_DIGEST ? 0 : item->body_len;
}

void bez_put_varint(bez_buf *out, uint64_t value);
BEZ_MUST_USE bool bez_cursor_varint(bez_cursor *c, uint64_t *out); /* false: none, or not in its shortest form */

void bez_item_write(bez_buf *out, const bez_item *item);
/* The next one; false at a malformed one, with the place in the cursor. Hostile bytes. */
BEZ_MUST_USE bool bez_item_next(bez_cursor *c, bez_item *out);

/* raw: SHA-256(body); canonical: 32 bytes. */
void bez_item_hash(const bez_item *item, const uint8_t raw[32], const uint8_t canonical[32], uint8_t out[32]);

#endif
