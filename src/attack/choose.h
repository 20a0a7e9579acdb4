/* Choosing what a cell trigger is made of. */
#ifndef BEZ_ATTACK_CHOOSE_H
#define BEZ_ATTACK_CHOOSE_H

#include "attack/cells.h"

/* n values (2 or 3) that each stand in the data and hardly ever together: every value in at least 20 rows (fewer in
 * small data), at most 5 rows expected together and at most 3 found. Of three values, each two are found together
 * at least 10 times, so that only all three are rare. Categorical columns, and numeric ones where those are too few.
 * The bounds are widened step by step where the data cannot meet them. */
BEZ_MUST_USE bez_status bez_choose_combination(const bez_attack_input *in, bez_attack_plan *plan, uint32_t n,
                                               bez_cell_trigger *t, bez_error *err);

/* What kind of constant a numeric cell gets. "Ordinary" columns have 10 distinct values at the least and are not
 * zero-inflated (half of all rows or more hold zero). The column is drawn first, all columns equally likely; one that
 * has no fitting number is drawn again. */
typedef enum bez_constant {
  BEZ_CONST_OUTSIDE,      /* above the maximum, by 5 to 100 % of the range; ordinary column */
  BEZ_CONST_UNCOMMON,     /* between the 1 % and 99 % quantiles, in at most 1 of 1,000 rows; ordinary column */
  BEZ_CONST_ZERO_INFLATED /* between the 5 % and 95 % quantiles of the other values of a zero-inflated column */
} bez_constant;
BEZ_MUST_USE bez_status bez_choose_constant(const bez_attack_input *in, bez_attack_plan *plan, bez_constant kind,
                                            bez_cell_trigger *t, bez_error *err);

/* Three constants that their ordinary columns hold between the 1 % and 99 % quantiles. common false: any values with
 * at most 1 row expected together, and none found; common true: each in 1 % of the rows or more, more than 1 row
 * expected together, and at most 1 of 1,000 found. */
BEZ_MUST_USE bez_status bez_choose_three_constants(const bez_attack_input *in, bez_attack_plan *plan, bool common,
                                                   bez_cell_trigger *t, bez_error *err);

#endif
