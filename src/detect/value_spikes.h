/* Numeric columns as counted numbers, and values of them that fix the label. Private to BZ-D003. */
#ifndef BEZ_DETECT_VALUE_SPIKES_H
#define BEZ_DETECT_VALUE_SPIKES_H

#include "detect/detector.h"

/* A numeric column as ascending distinct numbers with counts, and the first code of each. */
typedef struct bez_counted {
  double *value;
  uint64_t *count;
  uint32_t *code; /* n + 1: codes [code[i], code[i+1]) write the same number */
  size_t n;
  uint64_t total;
} bez_counted;

/* col: numeric. out is to be freed with bez_counted_free, also after a failure. */
BEZ_MUST_USE bez_status bez_counted_make(const bez_column *col, bez_counted *out, bez_error *err);
void bez_counted_free(bez_counted *counted);

/* A number whose rows (nearly) all carry one label, the target. */
typedef struct bez_odd_value {
  uint32_t col;      /* table column */
  uint32_t from, to; /* its codes, [from, to) */
  uint32_t target;   /* label code */
  double value;
  uint64_t rows, of_target; /* rows with the value, and those among them that carry the target */
  uint64_t peers;           /* other numbers of the column that fix a label */
  double local;             /* share of the target in the rows with neighbouring numbers */
  double habit; /* how much numbers of this column move the label by nature: standard deviation, log-odds; NaN: not
                   asked */
  double log_p; /* ln P(so many of one label | neighbours, habit) · values tested; above 0 where it means nothing */
  double apart; /* standard errors between rows of other labels and of the target, for so many rows */
  double pull;  /* standard errors between these rows and rows of other labels, along that line */
  double kind;  /* standard errors by which they predict each other's cells better than such rows do; NaN: not asked */
} bez_odd_value;

/* All numbers that (nearly) fix a label and are worth a look at their rows, the strongest first, at most
 * BEZ_ODD_MOST; log_p and what stands before it is filled in. The caller frees *out. */
#define BEZ_ODD_MOST 256u
BEZ_MUST_USE bez_status bez_odd_values_find(const bez_detect_input *in, bez_report *report, bez_odd_value **out,
                                            size_t *n, bez_error *err);

/* Fills in apart, pull and kind: are these rows a random draw of the rows of other labels? */
BEZ_MUST_USE bez_status bez_odd_values_draw(const bez_detect_input *in, bez_odd_value *odd, size_t n, bez_error *err);

/* A random draw of rows of other labels, whose one label neighbours, column and rows do not explain. After the draw. */
bool bez_odd_value_stands_out(const bez_odd_value *odd);

#endif
