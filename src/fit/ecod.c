/* ECOD (Li et al. 2022): the larger of both tails and of the tail on the column's skewed side, summed over columns. */
#include "fit/ecdf.h"

static double of_column(double low, double high, int skew) {
  double side = skew < 0 ? low : skew > 0 ? high : low + high; /* a column without skew counts both */
  double most = low > high ? low : high;
  return side > most ? side : most;
}

bez_status bez_ecod(const bez_matrix *m, const bez_outlier_params *params, double *score, bez_error *err) {
  return bez_ecdf_sum(m, params, of_column, "ECOD", score, err);
}
