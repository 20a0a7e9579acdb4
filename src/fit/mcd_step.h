/* One C-step of FAST-MCD: distances under an estimate, the h nearest rows, their mean and covariance. */
#ifndef BEZ_FIT_MCD_STEP_H
#define BEZ_FIT_MCD_STEP_H

#include "fit/outliers.h"

/* Standardised rows in blocks of eight (math/mahalanobis.h); lanes behind the last row are zero. */
typedef struct bez_mcd_rows {
  double *block;
  uint64_t n;
  uint32_t n_cols;
} bez_mcd_rows;

/* A location and a scatter, as a pivoted Cholesky factor. */
typedef struct bez_mcd_fit {
  uint32_t rank, number;
  uint32_t *order;
  double *mean, *factor;
  double log_det; /* each column left out counts as the smallest pivot that is not */
} bez_mcd_fit;

typedef struct bez_mcd_work {
  double *distance, *order; /* per row */
  uint32_t *chosen;         /* per row */
  double *blocks;           /* rows gathered */
  double *y, *sum, *product, *covariance;
} bez_mcd_work;

/* Columns less their median, by their median absolute deviation (by their standard deviation where that is 0). */
BEZ_MUST_USE bez_status bez_mcd_rows_scale(const bez_matrix *m, unsigned threads, bez_mcd_rows *out, bez_error *err);
BEZ_MUST_USE bez_status bez_mcd_rows_take(const bez_mcd_rows *from, const uint32_t *row, uint32_t n, bez_mcd_rows *out,
                                          bez_error *err);
/* The largest magnitude of a row's numbers, in deviations. */
double bez_mcd_farthest(const bez_mcd_rows *rows, uint64_t row);
/* In place: the columns whose keep is not 0, in their order. keep: n_cols. */
void bez_mcd_rows_keep(bez_mcd_rows *rows, const uint8_t *keep);
void bez_mcd_rows_destroy(bez_mcd_rows *rows);

BEZ_MUST_USE bez_status bez_mcd_fit_create(bez_mcd_fit *fit, uint32_t n_cols, bez_error *err);
void bez_mcd_fit_destroy(bez_mcd_fit *fit);
BEZ_MUST_USE bez_status bez_mcd_work_create(const bez_mcd_rows *rows, bez_mcd_work *out, bez_error *err);
void bez_mcd_work_destroy(bez_mcd_work *work);

/* Mean and covariance of n > 0 rows become the fit. Does not touch work->distance. */
void bez_mcd_fit_rows(const bez_mcd_rows *rows, const uint32_t *row, uint32_t n, bez_mcd_fit *fit, uint32_t cpu,
                      bez_mcd_work *work);
/* Squared distances of all rows under the fit. */
void bez_mcd_distances(const bez_mcd_rows *rows, uint32_t cpu, const bez_mcd_fit *fit, double *out, bez_mcd_work *work);
/* The h rows nearest under the fit, ties by row, make the new one. */
void bez_mcd_step(const bez_mcd_rows *rows, uint32_t h, uint32_t cpu, bez_mcd_fit *fit, bez_mcd_work *work);

#endif
