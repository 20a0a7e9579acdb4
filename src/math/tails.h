/* Tail probabilities and false-discovery control. Everything that can be small is a natural logarithm, because the
 * tails that matter here lie far below the smallest double. All functions are pure and thread safe. */
#ifndef BEZ_MATH_TAILS_H
#define BEZ_MATH_TAILS_H

#include "bezoar/base.h"

/* ln I_x(a, b), the regularised incomplete beta function; a, b > 0, x in [0, 1]. Continued fraction of DLMF 8.17.22
 * (https://dlmf.nist.gov/8.17) by the modified Lentz method. Relative error of I about 1e-9 for a, b ≤ 1e7. */
double bez_log_beta_inc(double a, double b, double x);

/* ln P(X ≥ k) and ln P(X ≤ k) for X ~ Binomial(n, p); DLMF 8.17.5. */
double bez_binomial_log_sf(uint64_t k, uint64_t n, double p);
double bez_binomial_log_cdf(uint64_t k, uint64_t n, double p);

/* ln P(X ≥ k) where X of n draws without replacement from `total` items hit one of the `marked` ones; the tail that
 * Fisher's exact test sums. n, marked ≤ total. */
double bez_hypergeometric_log_sf(uint64_t k, uint64_t total, uint64_t marked, uint64_t n);

/* ln P(X ≥ k) for the beta-binomial with mean p and overdispersion rho in [0, 1): the variance is
 * n·p·(1−p)·(1 + (n−1)·rho). rho = 0 is the binomial. O(n − k) time. */
double bez_beta_binomial_log_sf(uint64_t k, uint64_t n, double p, double rho);

/* ln P(Z ≥ z), standard normal; asymptotic series of DLMF 7.12.1 beyond z = 30. */
double bez_normal_log_sf(double z);

/* Chernoff's bound in the form of Hoeffding (1963, theorem 1): an upper bound of ln P(Σ X_i ≥ k) for n independent
 * X_i in [0, 1] whose means average p: −n·KL(k/n ‖ p), 0 where k/n ≤ p. */
double bez_chernoff_log_bound(double k, double n, double p);

/* Benjamini and Hochberg (1995): q[i] = min over the ranks at or above that of i of p·n/rank, at most 1. p holds
 * probabilities in [0, 1]; q may be p. Rejecting q ≤ α keeps the false discovery rate ≤ α for independent (or
 * positively dependent, Benjamini and Yekutieli 2001) tests. */
BEZ_MUST_USE bez_status bez_benjamini_hochberg(const double *p, size_t n, double *q, bez_error *err);

#endif
