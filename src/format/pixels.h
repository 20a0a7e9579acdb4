/* Arrays of numbers as pictures: which axis is what, and how numbers become 8-bit pixels. */
#ifndef BEZ_FORMAT_PIXELS_H
#define BEZ_FORMAT_PIXELS_H

#include "format/array.h"
#include "format/images.h"

/* N×H×W, N×H×W×C or N×C×H×W with C of 1, 3 or 4 (the fourth, alpha, is left out and remarked), any plain number type.
 * 8-bit items are taken as they are; others by the range of the whole array: 0…1 × 255, −1…1, 0…255, else least to
 * largest (remarked). NaN becomes 0 (remarked). Appends the pictures (of a shard: those of its part); the rows are
 * pushed by the caller. */
BEZ_MUST_USE bez_status bez_pixels_push(const bez_source *source, const bez_array *array, bez_builder *builder,
                                        bez_error *err);

/* Where the pixels of an array's rows lie and how their items become 8-bit pixels: pixel = value · scale + shift. */
typedef struct bez_pixel_layout {
  uint32_t height, width, channels, kept; /* kept: channels that stay (alpha does not) */
  bool planar;                            /* N×C×H×W */
  bool stretched;                         /* scaled from least to largest */
  double scale, shift;
} bez_pixel_layout;

/* Reads the array once where items are no bytes. */
BEZ_MUST_USE bez_status bez_pixel_layout_find(const bez_source *source, const bez_array *array,
                                              bez_pixel_layout *layout, bez_error *err);
/* The items of one row as height × width × kept pixels; tells how many were no number. */
uint64_t bez_pixels_get(const bez_pixel_layout *layout, const bez_field *field, const uint8_t *items, uint8_t *out);
/* The way back: items of pixels that differ between before and after get the new value, the others keep their bytes. */
void bez_pixels_put(const bez_pixel_layout *layout, const bez_field *field, const uint8_t *before, const uint8_t *after,
                    uint8_t *items);

#endif
