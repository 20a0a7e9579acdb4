/* The regression on the weights of evidence. Private to fit/woe*.c. */
#ifndef BEZ_FIT_WOE_NEWTON_H
#define BEZ_FIT_WOE_NEWTON_H

#include "fit/woe.h"

/* Fills coef, intercept and inverse. stratum[row]: 2 · fold + class, 15 where the row takes no part. */
BEZ_MUST_USE bez_status bez_woe_newton(bez_woe *woe, const bez_table *table, const uint8_t *stratum, unsigned threads,
                                       bez_error *err);

#endif
