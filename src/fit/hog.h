/* Histograms of oriented gradients: what a picture looks like when colour, brightness and small shifts do not count.
 *
 * N. Dalal, B. Triggs, Histograms of oriented gradients for human detection, CVPR 2005. Luma gradients go into 8 × 8
 * cells of nine signed directions (neighbouring directions share a gradient); a cell is divided by the energy of each
 * of the four 2 × 2 blocks it lies in, clipped at .2, and the four are added (P. Felzenszwalb et al., Object detection
 * with discriminatively trained part-based models, 2010). Vectors have unit length. Pictures above 64 pixels are
 * pooled. */
#ifndef BEZ_FIT_HOG_H
#define BEZ_FIT_HOG_H

#include "format/images.h"

#define BEZ_HOG_DIM 576u

typedef struct bez_hog bez_hog;

BEZ_MUST_USE bez_status bez_hog_create(const bez_images *images, bez_hog **out, bez_error *err);
void bez_hog_destroy(bez_hog *hog); /* NULL is fine */
/* The BEZ_HOG_DIM values of a picture; zeros where it has no contrast. Thread safe. */
void bez_hog_row(const bez_hog *hog, uint64_t row, float *out);

#endif
