/* Tokens and features of all texts of a column, kept for work that reads the same texts over and over. */
#ifndef BEZ_FIT_KEPT_DOCS_H
#define BEZ_FIT_KEPT_DOCS_H

#include "fit/tokens.h"

typedef struct bez_kept_docs bez_kept_docs;

/* Room for n_rows texts in tiles of tile_rows; nothing is kept yet. */
BEZ_MUST_USE bez_status bez_kept_docs_create(uint64_t n_rows, uint32_t tile_rows, bez_kept_docs **out, bez_error *err);
void bez_kept_docs_destroy(bez_kept_docs *kept); /* NULL is fine */

/* Adds the next text of a tile (bez_doc_load has read it). Every tile's texts come in order, from one thread at a
 * time; different tiles may be filled at once. */
BEZ_MUST_USE bez_status bez_kept_docs_add(bez_kept_docs *kept, uint64_t tile, const bez_doc *doc, bez_error *err);

/* As bez_doc_load and bez_doc_tokens would, of a text that was added. Any number of threads, each with its own doc. */
BEZ_MUST_USE bez_status bez_kept_docs_load(const bez_kept_docs *kept, uint64_t row, bez_doc *doc, bez_error *err);
BEZ_MUST_USE bez_status bez_kept_docs_tokens(const bez_kept_docs *kept, uint64_t row, bez_doc *doc, bez_error *err);

#endif
