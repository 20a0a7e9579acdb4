/* Inside the format room: the index of a saved state's body (state.h). */
#ifndef BEZ_FORMAT_STATE_INDEX_H
#define BEZ_FORMAT_STATE_INDEX_H

#include "format/state.h"

/* Fills the body from its unpacked index. */
BEZ_MUST_USE bez_status bez_state_parse_index(bez_state *state, bez_state_body *body, const uint8_t *bytes, size_t len,
                                              bez_error *err);

#endif
