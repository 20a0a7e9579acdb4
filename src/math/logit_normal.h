/* Binomial counts whose log-odds differ by nature: the logistic-normal binomial (Aitchison and Shen 1980,
 * "Logistic-normal distributions: some properties and uses"). Pure and thread safe. */
#ifndef BEZ_MATH_LOGIT_NORMAL_H
#define BEZ_MATH_LOGIT_NORMAL_H

#include "bezoar/base.h"

/* ln of p^k·(1−p)^(n−k) averaged over p = 1/(1+exp(−x)), x ~ N(mean, sd²): the likelihood of k in n, without the
 * binomial coefficient. Trapezoids of a quarter sd over ±4 sd. k ≤ n, sd > 0. */
double bez_logit_normal_log_mass(uint64_t k, uint64_t n, double mean, double sd);

/* ln P(X ≥ k): binomial tails over the same grid. */
double bez_logit_normal_log_sf(uint64_t k, uint64_t n, double mean, double sd);

#endif
