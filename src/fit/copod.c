/* COPOD (Li et al. 2020): the mean of both tails or the tail on the skewed side, whichever is larger, summed. */
#include "fit/ecdf.h"

static double of_column(double low, double high, int skew) {
  double side = skew < 0 ? low : skew > 0 ? high : low + high;
  double mean = 0.5 * (low + high);
  return side > mean ? side : mean;
}

bez_status bez_copod(const bez_matrix *m, const bez_outlier_params *params, double *score, bez_error *err) {
  return bez_ecdf_sum(m, params, of_column, "COPOD", score, err);
}
