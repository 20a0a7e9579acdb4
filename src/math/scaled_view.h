/* What a scaler without smoothing makes of a picture: whether the few pixels that it looks at show another picture
 * than all of them do (Xiao, Chen, Shen, Chen, Li, Seeing is Not Believing, USENIX Security 2019). */
#ifndef BEZ_MATH_SCALED_VIEW_H
#define BEZ_MATH_SCALED_VIEW_H

#include "base/error.h"

#define BEZ_SCALED_LEAST 7u /* rows and columns of the smaller picture, at least */

/* Which pixel an output pixel i of m shows, of n. */
typedef enum bez_sampler {
  BEZ_SAMPLE_FLOOR,   /* floor(i·n/m): OpenCV's and PyTorch's nearest */
  BEZ_SAMPLE_CENTRE,  /* floor((i + ½)·n/m): Pillow's nearest */
  BEZ_SAMPLE_ROUND,   /* round(i·n/m): TensorFlow 1 */
  BEZ_SAMPLE_CORNERS, /* round(i·(n − 1)/(m − 1)): corners aligned */
  BEZ_SAMPLERS,
  BEZ_SAMPLE_BILINEAR = BEZ_SAMPLERS /* the two around (i + ½)·n/m − ½: bilinear, not antialiased */
} bez_sampler;

/* The size and sampler whose view departs most from the picture. */
typedef struct bez_scaled_view {
  uint32_t height, width; /* of the smaller picture; 0: no size stood out */
  uint8_t down, across;   /* bez_sampler of rows and columns; both are BILINEAR or none is */
  uint8_t plain;          /* 1: what is seen there is of one colour, or the whole picture is of two */
  uint8_t reserved;
  float gap;   /* grey levels: spread over areas of the difference between the view and the pixels around it */
  float quiet; /* the same for pixels beside those that the sampler looks at */
  float comb;  /* by how many standard errors the sampled rows (columns; the smaller) are rougher than the others */
  float own;   /* 0 … 1: share of the view's spread that a linear function of the surroundings does not explain */
} bez_scaled_view;

/* How many times the view departs more than its neighbours: 1 on natural pictures, with 1 level for rounding. */
static inline float bez_scaled_ratio(const bez_scaled_view *v) {
  return v->gap / (v->quiet + 1);
}
/* Whether another picture appears, and whether one may where others of the data set do at the same size. */
bool bez_scaled_is_other(const bez_scaled_view *view);
bool bez_scaled_may_be_other(const bez_scaled_view *view);

/* pixels: height × width × channels, interleaved, 1 or 3 channels. Looks at all sizes from BEZ_SCALED_LEAST or 1/32 to
 * half the sides, rows and columns apart. O(pixels + height² + width²) time, O(height + width) memory. */
BEZ_MUST_USE bez_status bez_scaled_view_find(const uint8_t *pixels, uint32_t height, uint32_t width, uint32_t channels,
                                             bez_scaled_view *out, bez_error *err);

/* The view itself: out is view->height × view->width × channels. */
void bez_scaled_view_draw(const uint8_t *pixels, uint32_t height, uint32_t width, uint32_t channels,
                          const bez_scaled_view *view, uint8_t *out);

/* The sampled pixel of output pixel i; for BILINEAR the first of two, *weight of the second. */
uint32_t bez_sample_at(uint8_t sampler, uint32_t i, uint32_t large, uint32_t small, double *weight);

/* ---- inside (scaled_comb.c) ---- */

#define BEZ_SCALED_SPARSE 2.2 /* factor below which bilinear scaling leaves too few pixels untouched */
#define BEZ_COMB_CANDIDATES 4u
typedef struct bez_comb {
  uint32_t size; /* 0: none */
  uint8_t sampler;
  double z;
} bez_comb;
/* Rows of a picture by how rough they are, against those around; the first and last do not count. */
typedef struct bez_scaled_rows {
  double *rough; /* n */
  uint32_t n;
  double sum, variance;
} bez_scaled_rows;
/* rough: n ≥ 3 numbers; room for as many, which the result keeps. */
void bez_scaled_rows_make(const double *rough, uint32_t n, double *room, bez_scaled_rows *out);
/* By how much the rows of that size stand out; size 0: it cannot be. */
bez_comb bez_comb_at(const bez_scaled_rows *rows, uint8_t sampler, uint32_t size);
/* Those that stand out most of all sizes, best first. */
void bez_comb_find(const bez_scaled_rows *rows, bez_comb out[BEZ_COMB_CANDIDATES]);

#endif
