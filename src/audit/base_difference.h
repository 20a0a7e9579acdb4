/* Weights against the base they are said to come from: pairs of tensors, what is measured of each, and what is judged.
 * For base_difference*.c alone. */
#ifndef BEZ_AUDIT_BASE_DIFFERENCE_H
#define BEZ_AUDIT_BASE_DIFFERENCE_H

#include "audit/audit.h"
#include "format/weights.h"
#include "math/diff_stats.h"

/* One file of weights, opened. */
typedef struct bez_base_file {
  const bez_audit_file *file;
  bez_weights *weights;
} bez_base_file;

/* A tensor of either side. */
typedef struct bez_base_tensor {
  const char *key; /* the name that pairs go by: prefixes taken off, GGUF's names translated */
  uint32_t file, tensor;
} bez_base_tensor;

/* All tensors of a set, by key. */
typedef struct bez_base_side {
  bez_base_file *files;
  uint32_t n_files;
  bez_base_tensor *tensors; /* ascending by key, then file */
  uint32_t n_tensors;
} bez_base_side;

/* What was measured of the difference of two tensors. */
typedef struct bez_base_stats {
  uint64_t items, changed, odd; /* changed: whose bits differ; odd: … and whose difference is not finite */
  uint32_t rows, cols;          /* 1 row where it is no matrix */
  uint32_t changed_rows;
  double base_norm, norm;  /* of the base, of the difference */
  double relative;         /* norm / base_norm */
  double kurtosis;         /* NaN where nothing changed */
  double top_row, top_col; /* share of the difference's energy in the largest one */
  double top_rows;         /* … in the four largest rows */
  double row_relative;     /* the largest row's change over the root mean square of the base's rows */
  uint32_t row, col;       /* which */
  bool spectrum;
  double share[BEZ_DIFF_RANK]; /* of the energy in each singular direction, descending */
  uint32_t rank99;             /* directions that hold 99 % of it; BEZ_DIFF_RANK + 1: more than were looked at */
} bez_base_stats;

typedef struct bez_base_pair {
  const bez_base_tensor *model, *base;
  const char *name; /* the model's */
  const char *role; /* the key with '#' for numbers, and both types: tensors of the same place in different layers */
  bool matrix;      /* at least two rows and columns */
  bez_base_stats stats;
} bez_base_pair;

typedef struct bez_base_match {
  bez_base_pair *pairs; /* in the order of the model's files and tensors */
  uint32_t n_pairs;
  uint32_t added, missing, reshaped, unreadable; /* tensors of the model, of the base, of both */
  uint32_t reordered;                            /* rows stand in another order, which tensors do not show */
  const char *first_added, *first_missing, *first_reshaped, *first_reordered;
} bez_base_match;

/* Opens every file of the set that has tensors; what cannot be read is said. Everything in the report's arena but the
 * open files. */
BEZ_MUST_USE bez_status bez_base_side_open(const bez_audit_set *set, bool speak, bez_report *report, bez_base_side *out,
                                           bez_error *err);
void bez_base_side_close(bez_base_side *side);
BEZ_MUST_USE bez_status bez_base_match_sides(const bez_base_side *model, const bez_base_side *base, bez_arena *arena,
                                             bez_base_match *out, bez_error *err);

/* One pass over both tensors. */
BEZ_MUST_USE bez_status bez_base_measure(const bez_base_side *model, const bez_base_side *base, bez_base_pair *pair,
                                         const bez_audit_context *context, bez_error *err);

/* Adds findings. */
BEZ_MUST_USE bez_status bez_base_judge(const bez_check_input *in, const bez_base_side *model,
                                       const bez_base_match *match, bez_report *report, bez_error *err);

extern const bez_check bez_check_base_difference;

#endif
