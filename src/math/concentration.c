#include "math/concentration.h"

#include <math.h>

#include "base/error.h"
#include "math/tails.h"

/* Mean and spread of the rates of all groups but one. */
static void estimate_others(const bez_group *groups, size_t n, size_t out, double *mean, double *spread) {
  double hits = 0.5, rows = 1.0, chi = 0, weight = 0, used = 0;
  for (size_t i = 0; i < n; i++) {
    if (i == out) continue;
    hits += (double)groups[i].hits;
    rows += (double)groups[i].rows;
  }
  *mean = hits / rows;
  for (size_t i = 0; i < n; i++) {
    double m = (double)groups[i].rows, x = (double)groups[i].hits - m * *mean;
    if (i == out || groups[i].rows < 2) continue;
    chi += x * x / (m * *mean * (1.0 - *mean));
    weight += m - 1.0;
    used += 1.0;
  }
  /* Pearson's statistic has the mean used − 1 + weight·rho and, as a sum of `used` terms, about √(2/used) of itself
   * as standard error. */
  double wide = chi * (1.0 + 4.0 * sqrt(2.0 / (used > 2.0 ? used : 2.0)));
  *spread = weight > 0 && wide > used ? (wide - used) / weight : 0;
  if (*spread > 0.9) *spread = 0.9;
}

bez_status bez_concentration(bez_group *groups, size_t n, bool natural, bez_error *err) {
  uint64_t hits = 0, rows = 0;
  if (natural && n > BEZ_CONCENTRATION_GROUPS)
    return bez_fail(err, BEZ_LIMIT, "groups", "more than %u groups", BEZ_CONCENTRATION_GROUPS);
  for (size_t i = 0; i < n; i++) {
    if (groups[i].hits > groups[i].rows) return bez_fail(err, BEZ_USAGE, "groups", "more hits than rows");
    hits += groups[i].hits;
    rows += groups[i].rows;
  }
  for (size_t i = 0; i < n; i++) {
    bez_group *g = &groups[i];
    double others = ((double)(hits - g->hits) + 0.5) / ((double)(rows - g->rows) + 1.0), mean;
    g->lift = (((double)g->hits + 0.5) / ((double)g->rows + 1.0)) / others;
    g->spread = 0;
    if (natural && g->hits > 0) {
      estimate_others(groups, n, i, &mean, &g->spread);
      g->log_p = bez_beta_binomial_log_sf(g->hits, g->rows, mean, g->spread);
    } else {
      g->log_p = bez_hypergeometric_log_sf(g->hits, rows, hits, g->rows);
    }
  }
  return BEZ_OK;
}
