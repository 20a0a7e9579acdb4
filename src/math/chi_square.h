/* Tails of the chi-square and the Kolmogorov distribution. All functions are pure and thread safe. */
#ifndef BEZ_MATH_CHI_SQUARE_H
#define BEZ_MATH_CHI_SQUARE_H

/* ln P(X ≥ x) and P(X ≤ x) for X ~ χ² with df > 0 degrees of freedom: the incomplete gamma function by its series
 * (DLMF 8.11.4) below x/2 = df/2 + 1 and by its continued fraction (DLMF 8.9.2) above. Relative error about 1e-12. */
double bez_chi_square_log_sf(double x, double df);
double bez_chi_square_cdf(double x, double df);

/* The x with P(X ≤ x) = p, 0 < p < 1: start of Wilson and Hilferty (1931), then safeguarded Newton steps. */
double bez_chi_square_quantile(double p, double df);

/* ln P(D ≥ d) for the largest distance d between two empirical distribution functions of n and m values (two-sided
 * Kolmogorov-Smirnov): the asymptotic law with Stephens' correction for small samples, λ = (√e + .12 + .11/√e)·d,
 * e = nm/(n+m) (M. A. Stephens, "Use of the Kolmogorov-Smirnov, Cramér-von Mises and related statistics without
 * extensive tables", 1970). With ties the true tail is smaller: the test is then conservative. */
double bez_kolmogorov_log_sf(double d, double n, double m);

#endif
