/* Exhibits of the checks for patches: the patch itself, and pictures that carry it beside their nearest ones without.
 */
#ifndef BEZ_DETECT_IMAGE_PATCH_SHOW_H
#define BEZ_DETECT_IMAGE_PATCH_SHOW_H

#include "detect/image_patch.h"

#define BEZ_SHOWN 3u /* example pictures */

typedef struct bez_patch_spot {
  uint32_t row, y, x, height, width; /* what is framed */
} bez_patch_spot;

/* The patch, pixels enlarged. */
void bez_show_patch(bez_report *report, bez_finding *f, const uint8_t *pixels, uint32_t height, uint32_t width,
                    uint32_t channels);
/* Each example with a frame around the patch, and at its right the nearest picture of the label that is not among
 * `rows` (ascending). */
BEZ_MUST_USE bez_status bez_show_rows(const bez_patch_data *data, bez_report *report, bez_finding *f,
                                      const uint32_t *rows, uint32_t n_rows, uint32_t label, const bez_patch_spot *at,
                                      uint32_t n, bez_error *err);

#endif
