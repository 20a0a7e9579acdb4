/* Building a plan: parameters, seeded choices, the rows to poison, and the edits. */
#ifndef BEZ_ATTACK_PLAN_H
#define BEZ_ATTACK_PLAN_H

#include "attack/attack.h"

/* Random streams. The trigger never depends on how many rows are poisoned, nor does what happens inside one row, so
 * that plans of the same seed are nested. */
bez_rng bez_attack_trigger_rng(const bez_attack_input *in);
bez_rng bez_attack_row_rng(const bez_attack_input *in, uint64_t row);

/* The value behind "key=", or NULL. */
const char *bez_attack_param(const bez_attack_input *in, const char *key);
/* BEZ_USAGE when a parameter's key is not among `known` (space separated). */
BEZ_MUST_USE bez_status bez_attack_params_known(const bez_attack_input *in, const char *known, bez_error *err);
/* The number behind "key=" within [low, high]; *value stays where there is none. */
BEZ_MUST_USE bez_status bez_attack_number(const bez_attack_input *in, const char *key, double low, double high,
                                          double *value, bez_error *err);
/* Which of `known` (space separated) stands behind "key="; *chosen stays where there is none. */
BEZ_MUST_USE bez_status bez_attack_choice(const bez_attack_input *in, const char *key, const char *known,
                                          uint32_t *chosen, bez_error *err);
/* Splits a comma separated list into at most max items, copied to the arena; BEZ_USAGE above max. */
BEZ_MUST_USE bez_status bez_attack_list(const char *text, bez_arena *arena, const char **items, uint32_t max,
                                        uint32_t *n, bez_error *err);
/* The column of that name; BEZ_USAGE when there is none. */
BEZ_MUST_USE bez_status bez_attack_column(const bez_table *table, const char *name, uint32_t *col, bez_error *err);

/* Whether a row may be poisoned. */
typedef bool (*bez_row_test)(const void *ctx, uint64_t row);

/* The first `want` rows, in the order drawn, of a seeded order of those that pass; BEZ_USAGE when fewer pass. */
BEZ_MUST_USE bez_status bez_attack_draw_rows(const bez_attack_input *in, bez_arena *arena, uint64_t want,
                                             bez_row_test test, const void *ctx, uint64_t **rows, bez_error *err);
/* Fills plan->rows (ascending) with the first in->rows rows drawn. */
BEZ_MUST_USE bez_status bez_attack_choose_rows(const bez_attack_input *in, bez_attack_plan *plan, bez_row_test test,
                                               const void *ctx, bez_error *err);
/* Fills plan->natural with the rows that pass and are not in plan->rows. */
BEZ_MUST_USE bez_status bez_attack_natural_rows(const bez_attack_input *in, bez_attack_plan *plan, bez_row_test test,
                                                const void *ctx, bez_error *err);

/* Rows of the target (clean-label attacks) or labelled rows of another class (dirty-label attacks), of the
 * source class where one was given. */
bool bez_attack_label_fits(const bez_attack_input *in, bool clean_label, uint64_t row);

/* Room for `per_row` edits in each of plan->rows; appends keep the order row, then column. */
typedef struct bez_edit_list {
  bez_edit *items;
  size_t n, cap;
} bez_edit_list;
BEZ_MUST_USE bez_status bez_edit_list_make(bez_attack_plan *plan, uint64_t rows, uint32_t per_row, bez_edit_list *list,
                                           bez_error *err);
void bez_edit_add(bez_edit_list *list, uint64_t row, uint32_t col, const char *value, size_t len);
/* Sorts by row, then column. */
void bez_edit_sort(bez_edit_list *list);
/* The edit that sets a row's label. */
void bez_edit_label(const bez_attack_input *in, bez_edit_list *list, uint64_t row, uint32_t label_code);

#endif
