/* Cutting files that have no rows by their content: an insertion moves the cuts around it and no others. The rolling
 * hash is a gear hash (Xia et al., "Ddelta", 2014) whose table comes from the vault's key, so that nobody without it
 * can write a file that is cut badly. */
#ifndef BEZ_CONTENT_CHUNK_H
#define BEZ_CONTENT_CHUNK_H

#include <stdbool.h>

#include "base/siphash.h"

#define BEZ_CHUNK_MIN (32u << 10)
#define BEZ_CHUNK_MAX (256u << 10) /* bytes that a caller must have at hand, less only at the end of a file */

typedef struct bez_chunker {
  uint64_t gear[256];
} bez_chunker;

void bez_chunker_make(bez_chunker *chunker, bez_sipkey key);
/* Length of the chunk that bytes begin with (len > 0): BEZ_CHUNK_MIN … BEZ_CHUNK_MAX, about 72 KiB on average; less
 * only at the end of a file, where all that is left is given. */
size_t bez_chunk_length(const bez_chunker *chunker, const uint8_t *bytes, size_t len);

#endif
