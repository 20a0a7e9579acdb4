/* Values that occur far more often than their neighbours on the number line, judged against how spiky the column is
 * anyway: people heap on round numbers, instruments on steps, forms on defaults. */
#ifndef BEZ_MATH_SPIKES_H
#define BEZ_MATH_SPIKES_H

#include "bezoar/base.h"

#define BEZ_SPIKES_MAX 3u       /* at most this many spikes per column: more are the column's habit */
#define BEZ_SPIKES_WINDOW 10u   /* neighbours by rank on either side */
#define BEZ_SPIKES_DISTINCT 50u /* fewer distinct values have no neighbourhood to speak of */

typedef struct bez_spike {
  size_t index;      /* into value and count */
  double local_mean; /* mean count of the neighbours, at least floor */
  double ratio;      /* count / local_mean */
  double next_ratio; /* the largest ratio among the values that are no spikes */
  double tail;       /* exponent of the Pareto tail fitted to the column's other large ratios */
  double log_p;      /* ln P(some value of the column reaches this ratio by that tail); ≤ 0 */
} bez_spike;

/* value[n] strictly ascending, count[n] ≥ 1; floor: the smallest count that counts as a neighbourhood (1, or more
 * where rarer values were dropped). The ratios of the column's other values give a Pareto tail (Hill 1975, "A simple
 * general approach to inference about the tail of a distribution"), with the candidates themselves left out; a
 * candidate group is the g ≤ 3 largest ratios that lie at least `gap` times above the next. Zero and both ends
 * never count: inflation at zero and topcodes are natural. O(n) time. Returns the number of spikes, largest first. */
size_t bez_spikes_find(const double *value, const uint64_t *count, size_t n, double floor, double gap,
                       bez_spike out[BEZ_SPIKES_MAX]);

#endif
