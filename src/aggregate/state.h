/* What stateful rules remember: vectors by key (a client, or "" for the server's own), as updates whose layers are
 * owned. New ones are staged during a call and take effect when it succeeds. */
#ifndef BEZ_AGGREGATE_STATE_H
#define BEZ_AGGREGATE_STATE_H

#include "aggregate/layout.h"

/* NULL: nothing is remembered, or not for a model of this layout. */
const bez_update *bez_state_get(const bez_aggregate_state *state, const char *key, const bez_update *layout);

/* A staged vector of zeros, its floating-point layers as F32 (F64 where the layout's are). The data may be written to.
 */
BEZ_MUST_USE bez_status bez_state_stage(bez_aggregate_state *state, const char *key, const bez_update *layout,
                                        const bez_update **out, bez_error *err);
void bez_state_commit(bez_aggregate_state *state);
void bez_state_discard(bez_aggregate_state *state);

#endif
