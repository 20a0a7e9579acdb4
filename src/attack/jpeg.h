/* Pictures through JPEG and back: what poison looks like in data that were compressed afterwards. */
#ifndef BEZ_ATTACK_JPEG_H
#define BEZ_ATTACK_JPEG_H

#include "attack/attack.h"
#include "format/images.h"

/* Encodes the picture (quality 1 … 100, 4:2:0 for colour, as libjpeg does by default) and decodes it again in place. */
BEZ_MUST_USE bez_status bez_jpeg_recode(uint32_t height, uint32_t width, uint32_t channels, int quality,
                                        uint8_t *pixels, bez_error *err);

/* Makes the plan recode every picture behind its painting. */
BEZ_MUST_USE bez_status bez_jpeg_after(const bez_images *images, int quality, bez_attack_plan *plan, bez_error *err);

#endif
