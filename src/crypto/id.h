/* What things are called that are named by their SHA-256: objects, entries of a log. */
#ifndef BEZ_CRYPTO_ID_H
#define BEZ_CRYPTO_ID_H

#include <stdint.h>

#define BEZ_ID 32u /* bytes */
typedef struct bez_id {
  uint8_t bytes[BEZ_ID]; /* SHA-256 of the object */
} bez_id;

static inline int bez_id_compare(const bez_id *a, const bez_id *b) {
  return __builtin_memcmp(a->bytes, b->bytes, BEZ_ID);
}

#endif
