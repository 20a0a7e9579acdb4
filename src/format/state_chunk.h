/* Inside the format room: constants of the saved state (state.h). */
#ifndef BEZ_FORMAT_STATE_CHUNK_H
#define BEZ_FORMAT_STATE_CHUNK_H

#include "format/state.h"

#define BEZ_STATE_MAGIC "BEZSTATE"
#define BEZ_STATE_HEAD 16u      /* magic, version, number of bodies */
#define BEZ_STATE_BODY_HEAD 40u /* in front of a body's index */
#define BEZ_STATE_CHUNK_HEAD 16u

/* state_in.c: a frame of the state at *at, which moves behind it; `in` and `out` are cleared first. */
BEZ_MUST_USE bez_status bez_state_unpack(const bez_state *state, uint64_t *at, uint64_t raw, uint64_t packed,
                                         uint64_t hash, uint64_t ceiling, bez_buf *in, bez_buf *out, bez_error *err);
/* Whether two bodies may be shards of one data set; BEZ_USAGE names the second file. */
BEZ_MUST_USE bez_status bez_state_alike(const bez_state_body *a, const char *a_path, const bez_state_body *b,
                                        const char *b_path, bez_error *err);

#endif
