/* Rows drawn without replacement. */
#ifndef BEZ_FIT_DRAW_H
#define BEZ_FIT_DRAW_H

#include "base/rng.h"
#include "bezoar/base.h"

/* k different numbers below n < 2³² − 1 into out, every set equally likely (not every order), in O(k) time: R. W.
 * Floyd's algorithm (Bentley and Floyd, "A sample of brilliance", CACM 1987). k ≤ n, k < 2³⁰. */
BEZ_MUST_USE bez_status bez_draw_distinct(bez_rng *rng, uint32_t n, uint32_t k, uint32_t *out, bez_error *err);

#endif
