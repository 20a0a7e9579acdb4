/* An aggregation rule or a pre-aggregator: one file that ends in one `const bez_aggregator`, and one row in
 * aggregators.def. */
#ifndef BEZ_AGGREGATE_AGGREGATOR_H
#define BEZ_AGGREGATE_AGGREGATOR_H

#include "aggregate/rows.h"

#define BEZ_MOST_PARAMETERS 4u

/* One knob, in its field's own name. */
typedef struct bez_knob {
  const char *name;
  double fallback, least, most; /* NaN fallback: the rule works it out */
  bool whole;                   /* a whole number */
} bez_knob;

struct bez_aggregator;

typedef struct bez_aggregate_input {
  const struct bez_aggregator *rule;
  bez_update_rows *rows;
  uint32_t n, f;       /* rows to aggregate (the extra rows are not among them) and how many may be malicious */
  const double *share; /* n weights by the server's policy, sum 1 */
  double knob[BEZ_MOST_PARAMETERS]; /* of the rule, in the order of its list */
  int root;                         /* row of the server's own update, -1 none */
  int memory;                       /* row of what the state remembers, -1 none */
  const char *const *client;        /* who each row is; buckets have none: NULL */
  bez_aggregate_state *state;
  const bez_update *layout;
  void *const *out; /* the result's buffers, one per layer of the layout */
  uint64_t seed;
  bool judged; /* somebody wants verdicts: trimmed counts and distances are to be worked out */
} bez_aggregate_input;

/* Per row, filled by the rule. The arrays come in with weight 0, reason BEZ_KEPT and NaN elsewhere. */
typedef struct bez_aggregate_rows {
  double *weight, *score, *trimmed, *distance; /* distance stays NaN where the rule did not come by it */
  bez_verdict_reason *reason;
} bez_aggregate_rows;

typedef struct bez_aggregator {
  bez_aggregator_info info;
  bez_knob knobs[BEZ_MOST_PARAMETERS + 1]; /* ends with a row whose name is NULL */
  bool remembers;                          /* the state's vector "" becomes a row (in->memory) */
  /* Fewest rows for f malicious ones. */
  uint32_t (*least)(uint32_t f);
  /* A rule: writes the result (bez_rows_combine, bez_order_rows …) and fills what it knows of each row. */
  bez_status (*run)(const bez_aggregate_input *in, bez_aggregate_rows *out, bez_error *err);
  /* A pre-aggregator: the new rows, and how many of them may be malicious. mix->weight is the caller's to free. */
  bez_status (*mix)(const bez_aggregate_input *in, bez_mix *mix, uint32_t *f, bez_error *err);
} bez_aggregator;

#define BEZ_AGGREGATOR(symbol) extern const bez_aggregator symbol;
#include "aggregate/aggregators.def"
#undef BEZ_AGGREGATOR

extern const bez_aggregator *const bez_aggregators[]; /* NULL-terminated, order of aggregators.def */

const bez_aggregator *bez_aggregator_find(const char *name, bool pre); /* NULL: none */

/* ---- what several rules use ------------------------------------------------------------------------------------- */

/* mix->weight, n_out × n zeros. */
BEZ_MUST_USE bez_status bez_mix_make(uint32_t n_out, uint32_t n_in, bez_mix *mix, bez_error *err);

/* Rows by ascending score; of equal scores the smaller digest of the row's contents comes first, so that the order of
 * the clients does not matter. order: n row numbers. */
BEZ_MUST_USE bez_status bez_rows_rank(const bez_update_rows *rows, const double *score, uint32_t n, uint32_t *order,
                                      bez_error *err);

/* The same where it was already settled who comes first among equals: the smaller place. */
BEZ_MUST_USE bez_status bez_rank_placed(const double *score, const uint32_t *place, uint32_t n, uint32_t *order,
                                        bez_error *err);

/* Σ of the k smallest of n values, by sorting them (values are reordered). */
double bez_sum_smallest(double *values, uint32_t n, uint32_t k);

/* Krum's scores over the listed rows: Σ of the `neighbours` smallest squared distances to others of the list. distance:
 * side × side (bez_rows_distances); scratch: n doubles. */
void bez_krum_scores(const double *distance, uint32_t side, const uint32_t *list, uint32_t n, uint32_t neighbours,
                     double *scratch, double *score);

/* The result is Σ weight[i] · row i; weights and distances go to the output, rows without weight get the reason. */
BEZ_MUST_USE bez_status bez_aggregate_weighted(const bez_aggregate_input *in, const double *weight,
                                               bez_verdict_reason without, bez_aggregate_rows *out, bez_error *err);

/* Coordinate by coordinate, over the listed rows (NULL: all): math/order.h. */
BEZ_MUST_USE bez_status bez_aggregate_ordered(const bez_aggregate_input *in, const uint32_t *list, uint32_t n, int kind,
                                              uint32_t lo, uint32_t hi, bez_aggregate_rows *out, bez_error *err);

/* square[i] = squared distance of row i to the coordinate-wise median of the rows; n values. One pass, nothing is
 * written. */
BEZ_MUST_USE bez_status bez_median_distances(const bez_aggregate_input *in, double *square, bez_error *err);

#endif
