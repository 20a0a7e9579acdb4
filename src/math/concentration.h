/* Is one of many groups hit more often than the others? Tests per group, honest about groups that differ by nature. */
#ifndef BEZ_MATH_CONCENTRATION_H
#define BEZ_MATH_CONCENTRATION_H

#include "bezoar/base.h"

#define BEZ_CONCENTRATION_GROUPS 5000u /* at most so many groups where natural differences are estimated */

typedef struct bez_group {
  uint64_t hits, rows; /* hits ≤ rows */
  double log_p;        /* out: ln P(at least so many hits | null) */
  double lift;         /* out: the group's rate against that of all other groups, +½ hit each */
  double spread;       /* out: the overdispersion rho assumed */
} bez_group;

/* natural = false: the null is that the hits are a random sample of all rows (hypergeometric, Fisher's exact test).
 * natural = true: groups have rates of their own, spread as a beta distribution; each group is tested against the
 * beta-binomial whose mean and spread are estimated from all *other* groups by moments (Kleinman 1973, "Proportions
 * with extraneous variance"), the spread widened by four of its own standard errors. BEZ_LIMIT above
 * BEZ_CONCENTRATION_GROUPS groups then. O(n) or O(n²) time. */
BEZ_MUST_USE bez_status bez_concentration(bez_group *groups, size_t n, bool natural, bez_error *err);

#endif
