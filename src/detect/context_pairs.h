/* Pair tables of binned columns, and how much the other columns contradict a combination of two values. Private to
 * BZ-D002. */
#ifndef BEZ_DETECT_CONTEXT_PAIRS_H
#define BEZ_DETECT_CONTEXT_PAIRS_H

#include "detect/detector.h"

#define BEZ_CONTEXT_BINS 1024u        /* a bin per value for categorical columns of so many values … */
#define BEZ_CONTEXT_NUMBERS 254u      /* … and numeric ones of so many */
#define BEZ_CONTEXT_QUANTILES 32u     /* bins of a column of more values: context only */
#define BEZ_CONTEXT_CELLS (16u << 20) /* cells of all pair tables together, 4 bytes each */
#define BEZ_CONTEXT_SUPPORT 20u
#define BEZ_CONTEXT_LIFT 2.0

typedef struct bez_context_column {
  uint32_t col; /* table column */
  uint32_t n_bins;
  bool per_value; /* bin = value code: may be half of a combination */
  uint16_t *bin;  /* per value code */
  uint64_t *rows; /* per bin */
  double entropy;
  double *bias; /* per step of rest rows: what counting so few takes from the mean log ratio */
  uint32_t n_bias;
} bez_context_column;

/* A combination and what the other columns say of it. */
typedef struct bez_context_hit {
  uint32_t a, b;           /* indices into columns, a < b */
  uint32_t code_a, code_b; /* value codes */
  uint64_t support;
  double lift;
  double gain; /* what the rows have in common beyond the two values, nats per row; drawn at random: about 0 */
  double mean; /* mean contradiction per row, in [−2, 2]; natural combinations lie below 0 */
  double
      spike; /* −log10 of the chance of so many rows where the two columns are otherwise nearly independent; 0 none */
  bool one_label; /* its rows carry one label; the detector asks */
  double z;       /* mean / (standard deviation + 0.3) · √rows, over at most 512 rows */
} bez_context_hit;

typedef struct bez_context {
  const bez_detect_input *in;
  uint32_t n_cols;
  bez_context_column *cols;
  uint64_t n_pairs;
  uint32_t **table;       /* per pair (a < b): n_bins[a] × n_bins[b] counts */
  uint8_t *twin;          /* n_cols × n_cols: the first all but determines the second */
  bez_context_hit **hits; /* per pair */
  uint32_t *n_hits;
} bez_context;

/* BEZ_LIMIT where the tables would pass BEZ_CONTEXT_CELLS (nothing is counted then). */
BEZ_MUST_USE bez_status bez_context_create(const bez_detect_input *in, bez_context **out, bez_error *err);
void bez_context_destroy(bez_context *context); /* NULL is fine */
/* Counts all pairs and finds twins; then judges every combination of two values that is over-represented, and keeps
 * the hits of at least this mean and z and at most this gain. */
BEZ_MUST_USE bez_status bez_context_count(bez_context *context, bez_error *err);
BEZ_MUST_USE bez_status bez_context_judge(bez_context *context, double mean_least, double z_least, double gain_most,
                                          bez_error *err);

#endif
