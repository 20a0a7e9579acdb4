/* A small square of pixels as a trigger, at one place or at a place of its own in every picture. */
#ifndef BEZ_ATTACK_PATCH_H
#define BEZ_ATTACK_PATCH_H

#include "attack/image.h"

#define BEZ_PATCH_LOOK "size, pattern (solid, checker, noisy), colour (a name, RRGGBB or random), noise (sd)"
#define BEZ_PATCH_PARAMETERS BEZ_PATCH_LOOK ", position (lower-right …, centre, random or x,y)"

typedef enum bez_patch_pattern { BEZ_PATCH_SOLID, BEZ_PATCH_CHECKER, BEZ_PATCH_NOISY } bez_patch_pattern;

/* Parameters, rows, description. moving: `position` is no parameter, each row draws its own. */
BEZ_MUST_USE bez_status bez_patch_plan(const bez_attack_input *in, bool clean_label, bool moving, bez_attack_plan *plan,
                                       bez_error *err);

#endif
