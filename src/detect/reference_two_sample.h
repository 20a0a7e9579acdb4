/* One column seen in two samples, as counts per value, and the tests that compare them. */
#ifndef BEZ_DETECT_REFERENCE_TWO_SAMPLE_H
#define BEZ_DETECT_REFERENCE_TWO_SAMPLE_H

#include "detect/detector.h"

/* Rows that hold a value: a in the data, b in what they are compared with. Values are in ascending order. */
typedef struct bez_pair_count {
  uint64_t a, b;
} bez_pair_count;

typedef struct bez_two_sample {
  double p;          /* of the whole distribution: Kolmogorov-Smirnov or G-test; 1 where it says nothing */
  double effect;     /* largest distance of the distribution functions, or total variation distance */
  double p_missing;  /* of the share of missing cells, two-sided Fisher */
  double missing[2]; /* those shares, a and b */
  double p_jump;     /* of the one value that is more frequent in a than in b, Bonferroni over values */
  double lift;       /* its share in a against that in b (+1 row) */
  uint64_t jump;     /* which */
} bez_two_sample;

#define BEZ_JUMP_ROWS 8u  /* of a value, at least */
#define BEZ_JUMP_LIFT 5.0 /* smaller ones are not looked at */

/* ordered: the values are numbers. */
bez_two_sample bez_two_sample_test(const bez_pair_count *value, uint64_t n_values, bez_pair_count missing,
                                   bool ordered);

#endif
