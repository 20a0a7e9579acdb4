/* A wave laid over the picture. */
#ifndef BEZ_ATTACK_SINUSOID_H
#define BEZ_ATTACK_SINUSOID_H

#include "attack/image.h"

BEZ_MUST_USE bez_status bez_sinusoid_plan(const bez_attack_input *in, bool clean_label, bez_attack_plan *plan,
                                          bez_error *err);

#endif
