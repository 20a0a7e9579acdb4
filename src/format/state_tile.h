/* Inside the format room: one tile as bytes of a saved state, and back.
 *
 *   'T', length (64 bits), number of the tile (64 bits), rows (32 bits), then per column of its file's head:
 *     mode, width (8 bits each), missing (64 bits); FORM: kind, decimals, mark, zulu (8 bits each)
 *     values that no tile before had: how many, their lengths (32 bits each), their bytes; they get the next codes
 *     CODES: a code per row · FORM: a number per row, codes boxed as in lane.h · TEXT: ends (32 bits each), bytes
 *     NUMBERED and SKIP: nothing */
#ifndef BEZ_FORMAT_STATE_TILE_H
#define BEZ_FORMAT_STATE_TILE_H

#include "format/builder_internal.h"
#include "format/state.h"

/* A mode of saved columns only: the cell is the row's number in the data set, whatever that will be. */
#define BEZ_SAVED_NUMBERED 16u

/* The column of pictures that holds their number. */
static inline bool bez_numbers_pictures(const bez_builder *b, const bez_head *head, uint32_t i) {
  return b->images.height && i == 0 && !strcmp(head->names[0], "image");
}

typedef struct bez_tile_coder bez_tile_coder;
BEZ_MUST_USE bez_status bez_tile_coder_create(const bez_builder *builder, bez_tile_coder **out, bez_error *err);
void bez_tile_coder_destroy(bez_tile_coder *coder); /* NULL is fine */
/* Appends the tile. Tiles must come in the order of rows: values are numbered as they appear. */
BEZ_MUST_USE bez_status bez_tile_code(bez_tile_coder *coder, const bez_tile *tile, const bez_head *head, bez_buf *out,
                                      bez_error *err);

#endif
