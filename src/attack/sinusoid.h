/* A wave laid over the picture. */
#ifndef BEZ_ATTACK_SINUSOID_H
#define BEZ_ATTACK_SINUSOID_H

#include "attack/image.h"

/* Parameters (delta in levels of 0 … 255, frequency in periods per width), rows, description. BEZ_USAGE where the width
 * cannot hold the periods. Barni, Kallas, Tondi, 2019. */
BEZ_MUST_USE bez_status bez_sinusoid_plan(const bez_attack_input *in, bool clean_label, bez_attack_plan *plan,
                                          bez_error *err);

#endif
