/* Pictures as exhibits: a row's picture beside one it is compared with and their difference, and patterns alone. */
#ifndef BEZ_DETECT_PICTURE_SHOW_H
#define BEZ_DETECT_PICTURE_SHOW_H

#include "detect/shared.h"

#define BEZ_PICTURES_SHOWN 3u

/* What is framed in a picture, in its pixels. */
typedef struct bez_frame {
  uint32_t y, x, height, width;
} bez_frame;

/* A row's picture (`what` says why, frame may be NULL), at its right that of `mate` (UINT32_MAX: none), and their
 * difference: grey where they are the same. */
void bez_show_pair(bez_report *report, bez_finding *f, const bez_detect_input *in, uint32_t row, const char *what,
                   const bez_frame *frame, uint32_t mate, const char *mate_is);

/* Up to BEZ_PICTURES_SHOWN of the rows, each beside the picture of `class_of[row] == mate_class` (UINT32_MAX: of any
 * class) that is most like it and is not flagged (per row; not 0: flagged). class_of and mate_class may be NULL: any
 * class. */
BEZ_MUST_USE bez_status bez_show_rows_beside(bez_report *report, bez_finding *f, const bez_detect_input *in,
                                             const uint32_t *rows, uint32_t n, const char *what,
                                             const uint32_t *class_of, const uint32_t *mate_class,
                                             const uint8_t *flagged, const char *mate_is, bez_error *err);

/* height × width × channels pixels, enlarged. */
void bez_show_enlarged(bez_report *report, bez_finding *f, const char *caption, const uint8_t *pixels, uint32_t height,
                       uint32_t width, uint32_t channels);
/* height × width × channels numbers: 0 becomes middle grey, the largest magnitude black or white. */
void bez_show_pattern(bez_report *report, bez_finding *f, const char *caption, const float *pattern, uint32_t height,
                      uint32_t width, uint32_t channels);

#endif
