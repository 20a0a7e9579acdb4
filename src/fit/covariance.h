/* Means and covariances of vectors, and products with small matrices: sums run over the rows in their order, so that
 * the bits are the same for any number of threads and any instruction set. */
#ifndef BEZ_FIT_COVARIANCE_H
#define BEZ_FIT_COVARIANCE_H

#include "base/threads.h"

/* Some rows of a row-major float matrix. */
typedef struct bez_rows {
  const float *x;
  uint32_t dim;         /* numbers per row */
  const uint32_t *rows; /* which, in the order of summing; NULL: 0 … n − 1 */
  uint32_t n;
} bez_rows;

static inline const float *bez_rows_at(const bez_rows *r, uint32_t i) {
  return r->x + (size_t)(r->rows ? r->rows[i] : i) * r->dim;
}

/* Who works: handed on to bez_parallel_watched and to the kernels' choice. */
typedef struct bez_team {
  unsigned threads;
  uint32_t cpu;
  bez_watch *watch; /* may be NULL */
} bez_team;

/* mean: dim doubles; zeros for no rows. */
void bez_rows_mean(const bez_rows *r, double *mean);
/* out: dim × dim, Σ (x − mean)(x − mean)ᵀ / n, both triangles; zeros for no rows. mean_of may give each row i a mean
 * of its own: mean + mean_of[i] · dim (classes); NULL: one mean. O(n · dim²). */
BEZ_MUST_USE bez_status bez_rows_covariance(const bez_rows *r, const double *mean, const uint32_t *mean_of,
                                            const bez_team *team, double *out, bez_error *err);
/* out: n × k floats, row i = map · (x − mean); map: k × dim, row major. */
BEZ_MUST_USE bez_status bez_rows_project(const bez_rows *r, const double *mean, const double *map, uint32_t k,
                                         const bez_team *team, float *out, bez_error *err);

#endif
