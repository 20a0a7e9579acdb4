/* Pictures as whitened residuals: what is left of each when its label's mean and everything pictures have in common is
 * taken out, so that a faint pattern that some rows share stands out.
 *
 * Pixels (pooled to 4,096 samples at most) become opponent colours and their DCT-II. The label's mean is subtracted.
 * The lowest 768 or so terms are whitened by their joint covariance over a sample, the others divided by their own
 * spread. Each value is kept in 8 bits (1/16, cut off at ±7.9), each row with its length. */
#ifndef BEZ_DETECT_IMAGE_WHITE_H
#define BEZ_DETECT_IMAGE_WHITE_H

#include "detect/shared.h"
#include "math/dense.h"

typedef struct bez_white {
  const bez_images *images;
  const bez_picture_classes *classes;
  uint32_t n, dim; /* dim: a multiple of 16 */
  int8_t *value;   /* n × dim */
  float *scale;    /* per row: makes value a vector of length 1 at most, of 1 from the median length on */
  /* how it was made */
  uint32_t factor, height, width, channels; /* after pooling */
  uint32_t samples;                         /* height × width × channels */
  uint32_t low, padded; /* jointly whitened terms; up to a multiple of 16, where the other terms begin */
  uint32_t *place;      /* samples: where each term of the transform stands in `dim` */
  float *mean;          /* classes × dim */
  float *whiten;        /* low × low, lower triangle: the inverse of the covariance's Cholesky factor */
  float *spread;        /* dim: 1 / spread, from `padded` on */
  float *dct_y, *dct_x; /* height × height, width × width */
  bez_dense_fn dense;
} bez_white;

/* leave_out: rows that neither means nor covariance come from (per row; may be NULL).
 * O(rows · (samples · (height + width) + low² / 2)) time, dim bytes per row. */
BEZ_MUST_USE bez_status bez_white_make(const bez_detect_input *in, const bez_picture_classes *classes,
                                       const uint8_t *leave_out, bez_white *out, bez_error *err);
void bez_white_free(bez_white *white);

/* The mean difference of rows from the means of the given classes (per row), in pixels: height × width × channels. */
BEZ_MUST_USE bez_status bez_white_pattern(const bez_white *white, const uint32_t *rows, uint32_t n,
                                          const uint32_t *class_of, float *pixels, bez_error *err);

/* Inside the whitening (image_white_terms.c): the terms of sixteen pictures, terms[place * 16 + lane]; lanes beyond n
 * repeat the last row. scratch: 2 × samples × 16. */
#define BEZ_WHITE_LANES BEZ_DENSE_LANES
void bez_white_terms(const bez_white *white, const uint32_t *rows, uint32_t n, float *terms, float *scratch);
BEZ_MUST_USE bez_status bez_white_shape(const bez_images *images, bez_white *white, bez_error *err);

#endif
