/* The catalogue of detectors: what each finds, under which null hypothesis, at what cost. */
#ifndef BEZOAR_DETECT_H
#define BEZOAR_DETECT_H

#include "bezoar/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Static storage throughout. */
typedef struct bez_detector_info {
  const char *id, *name, *title, *summary, *remedy, *taxonomy;
  const char *null_hypothesis, *calibration, *cost, *source;
  bool needs_label, needs_text, needs_source;
  bool needs_cells, needs_numbers;    /* two feature columns; a numeric one */
  bool needs_images, needs_vectors;   /* pictures; embeddings beside the rows */
  bool needs_golden, needs_reference; /* a golden set; known-good data to compare with */
} bez_detector_info;
BEZ_API size_t bez_detector_count(void);
BEZ_API bez_detector_info bez_detector_get(size_t index);

/* Outlier scores for a matrix of the caller's: the methods of detector BZ-D022 by themselves. Zero-initialise for the
 * defaults (or pass NULL for them). */
typedef enum bez_outlier_method {
  BEZ_OUTLIER_ISOLATION_FOREST = 0, /* Liu, Ting, Zhou 2012: in (0, 1] */
  BEZ_OUTLIER_ECOD,                 /* Li et al. 2022 */
  BEZ_OUTLIER_COPOD,                /* Li et al. 2020 */
  BEZ_OUTLIER_ROBUST_COVARIANCE     /* Rousseeuw and Van Driessen 1999: squared distances */
} bez_outlier_method;

typedef struct bez_outlier_options {
  uint64_t seed;            /* isolation forest and robust covariance */
  unsigned threads;         /* 0: all processors; never changes the scores */
  uint32_t trees;           /* isolation forest, 0: 100 */
  uint32_t sample;          /* rows per tree, 0: 256 */
  double support;           /* robust covariance: share of the rows fitted, 0: (n + p + 1)/2n */
  bez_progress_fn progress; /* may be NULL */
  void *progress_ctx;
} bez_outlier_options;

/* "isolation-forest", "ecod", "copod", "robust-covariance"; NULL behind the last. */
BEZ_API const char *bez_outlier_method_name(bez_outlier_method method);
BEZ_API BEZ_MUST_USE bool bez_outlier_method_parse(const char *name, bez_outlier_method *out);

/* x: n_rows × n_cols numbers, row major; NaN is missing. score receives n_rows numbers, higher is odder. BEZ_USAGE
 * without rows or columns, BEZ_LIMIT where a method cannot take so many columns (robust covariance: 256). Memory: up to
 * 88 bytes per row and 16 per row and thread, and 8 bytes per cell for robust covariance. */
BEZ_API BEZ_MUST_USE bez_status bez_outlier_scores(const double *x, uint64_t n_rows, uint32_t n_cols,
                                                   bez_outlier_method method, const bez_outlier_options *options,
                                                   double *score, bez_error *err);

#ifdef __cplusplus
}
#endif
#endif
