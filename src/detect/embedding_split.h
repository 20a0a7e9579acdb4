/* Two groups along a line: where the values part best, and how clear the parting is. What makes poison of natural
 * variety is the gap: rows that share a trigger stand together, and hardly a row stands between them and the rest. */
#ifndef BEZ_DETECT_EMBEDDING_SPLIT_H
#define BEZ_DETECT_EMBEDDING_SPLIT_H

#include "fit/covariance.h"

#define BEZ_SPLIT_LEAST 32u    /* rows of the smaller group; and a twentieth of the class */
#define BEZ_SPLIT_GAP 3.2      /* difference of the means over the sum of both standard deviations */
#define BEZ_SPLIT_BETWEEN 0.03 /* share of rows in the middle three tenths of the way between the means */

typedef struct bez_split {
  uint32_t n, dim; /* rows, and coordinates the direction was chosen in */
  uint32_t n_small;
  double gap, between;
  double more; /* asked of the gap beyond BEZ_SPLIT_GAP */
  double gain; /* share · (1 − share) · |difference of the means|², in units of the coordinates: what the likelihood of
                * two groups of one covariance gains per row, doubled (Tang et al. 2021) */
} bez_split;

/* A direction chosen among many coordinates parts few rows by chance: the gap asked for grows with coordinates per row.
 */
static inline double bez_split_gap_needed(const bez_split *s) {
  return BEZ_SPLIT_GAP + s->more + (s->n ? (double)s->dim / s->n : 0.0);
}
static inline bool bez_split_is_clear(const bez_split *s) {
  return s->n_small > 0 && s->gap >= bez_split_gap_needed(s) && s->between <= BEZ_SPLIT_BETWEEN;
}

/* The fewest rows of a group among n. */
static inline uint32_t bez_split_least(uint32_t n) {
  return n / 20 > BEZ_SPLIT_LEAST ? n / 20 : BEZ_SPLIT_LEAST;
}

/* The threshold that makes two normal distributions, each of its own mean and spread, most likely (candidates: edges of
 * 1,024 bins over mean ± 5 standard deviations). side[i] = 1 above it. False where no threshold leaves bez_split_least
 * rows on either side, or nothing varies. O(n). */
bool bez_split_line(const double *value, uint32_t n, uint8_t *side);
/* n, n_small, gap and between for given sides; turns them round so that 1 is the smaller group. */
void bez_split_measure(const double *value, uint32_t n, uint8_t *side, bez_split *out);

/* Both in one for a direction that is already chosen among `dim` coordinates; along (n): positions, 0 at the larger
 * group's mean, 1 at the smaller's. n_small 0: no split. */
void bez_split_values(const double *value, uint32_t n, uint32_t dim, uint8_t *side, double *along, bez_split *out);
/* The positions alone, for given sides. */
void bez_split_along(const double *value, uint32_t n, const uint8_t *side, double *along);
/* Whether a is the clearer split: few rows between before many, then the wider gap. */
bool bez_split_better(const bez_split *a, const bez_split *b);

/* The clearest split of the rows: from each of `starts` directions (starts × dim, unit length) a threshold, then the
 * difference of the two means as direction, and again until nothing moves. side: n, 1 the smaller group; along (n, may
 * be NULL): positions, 0 at the larger group's mean, 1 at the smaller's. n_small 0: none. */
BEZ_MUST_USE bez_status bez_split_rows(const bez_rows *r, const double *start, uint32_t starts, uint8_t *side,
                                       double *along, bez_split *out, bez_error *err);

#endif
