/* Arrays of numbers as pictures: which axis is what, and how numbers become 8-bit pixels. */
#ifndef BEZ_FORMAT_PIXELS_H
#define BEZ_FORMAT_PIXELS_H

#include "format/array.h"
#include "format/images.h"

/* N×H×W, N×H×W×C or N×C×H×W with C of 1, 3 or 4 (the fourth, alpha, is left out and remarked), any plain number type.
 * 8-bit items are taken as they are; others by the range of the whole array: 0…1 × 255, −1…1, 0…255, else least to
 * largest (remarked). NaN becomes 0 (remarked). Appends the pictures; the rows are pushed by the caller. */
BEZ_MUST_USE bez_status bez_pixels_push(const bez_source *source, const bez_array *array, bez_builder *builder,
                                        bez_error *err);

#endif
