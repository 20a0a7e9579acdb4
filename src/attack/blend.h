/* A pattern that covers the whole picture, blended in. */
#ifndef BEZ_ATTACK_BLEND_H
#define BEZ_ATTACK_BLEND_H

#include "attack/image.h"

#define BEZ_BLEND_GRID 4u /* points along a side of a smooth pattern */

/* smooth false: noise, every number of every pixel drawn alone. alpha: the default of the parameter. */
BEZ_MUST_USE bez_status bez_blend_plan(const bez_attack_input *in, bool smooth, double alpha, bez_attack_plan *plan,
                                       bez_error *err);

#endif
