/* Near copies of pictures. */
#ifndef BEZ_ATTACK_FLOOD_PICTURES_H
#define BEZ_ATTACK_FLOOD_PICTURES_H

#include "attack/image.h"

/* Turns plan->rewrite.copies, which are set, into near copies: parameter transform=. */
BEZ_MUST_USE bez_status bez_flood_pictures(const bez_attack_input *in, bez_attack_plan *plan, bez_error *err);

#endif
