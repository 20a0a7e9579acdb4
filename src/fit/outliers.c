/* What every outlier score asks of its matrix. */
#include "fit/outliers.h"

#include "base/error.h"

bez_status bez_matrix_check(const bez_matrix *m, bez_error *err) {
  if (!m->n_rows || !m->n_cols || m->n_rows > UINT32_MAX - 1)
    return bez_fail(err, BEZ_USAGE, "outliers", "needs 1 to 4294967294 rows and a column at least");
  if (m->n_rows > ((uint64_t)1 << 40) / m->n_cols) return bez_fail(err, BEZ_LIMIT, "outliers", "more than 2^40 cells");
  return BEZ_OK;
}
