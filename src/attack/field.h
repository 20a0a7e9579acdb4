/* Smooth fields over a picture: a small grid of numbers, drawn out by cubic convolution. */
#ifndef BEZ_ATTACK_FIELD_H
#define BEZ_ATTACK_FIELD_H

#include <stdint.h>

/* grid: k × k numbers, row major, k ≥ 2; its corners are the picture's. out: height × width. Keys, Cubic Convolution
 * Interpolation for Digital Image Processing, 1981, with a = −3/4 and the edges repeated. */
void bez_field_draw_out(const double *grid, uint32_t k, uint32_t height, uint32_t width, double *out);

#endif
