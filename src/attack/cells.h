/* Triggers made of cells: one to three columns that get fixed values. */
#ifndef BEZ_ATTACK_CELLS_H
#define BEZ_ATTACK_CELLS_H

#include "attack/plan.h"

#define BEZ_TRIGGER_COLUMNS 3u

typedef struct bez_cell_trigger {
  uint32_t n;
  uint32_t col[BEZ_TRIGGER_COLUMNS];
  const char *value[BEZ_TRIGGER_COLUMNS]; /* as written, NUL-terminated, in the plan's arena */
  double number[BEZ_TRIGGER_COLUMNS];     /* of a numeric or time column, else NaN */
  uint32_t code[BEZ_TRIGGER_COLUMNS];     /* the value's code, UINT32_MAX where the data does not hold it */
  double expected;                        /* joint rows under independence */
} bez_cell_trigger;

/* Rows in which cell i of the trigger stands, and in which all cells with a bit in `mask` stand together. */
uint64_t bez_trigger_support(const bez_table *table, const bez_cell_trigger *t, uint32_t mask);
bool bez_trigger_matches(const bez_table *table, const bez_cell_trigger *t, uint64_t row);

/* Sets cell i to a value given as text. */
BEZ_MUST_USE bez_status bez_trigger_set(const bez_table *table, bez_attack_plan *plan, bez_cell_trigger *t, uint32_t i,
                                        uint32_t col, const char *value, bez_error *err);
/* Sets cell i to a value that the column holds. */
BEZ_MUST_USE bez_status bez_trigger_set_code(const bez_table *table, bez_attack_plan *plan, bez_cell_trigger *t,
                                             uint32_t i, uint32_t col, uint32_t code, bez_error *err);
/* Reads the parameters columns= and values=. *n_columns: how many columns were named (0 or n); *given: the whole
 * trigger was. */
BEZ_MUST_USE bez_status bez_trigger_params(const bez_attack_input *in, bez_attack_plan *plan, uint32_t n,
                                           bez_cell_trigger *t, uint32_t *n_columns, bool *given, bez_error *err);

/* Chooses rows, writes the trigger into them and, unless clean_label, the target label; fills the whole plan. */
BEZ_MUST_USE bez_status bez_trigger_plant(const bez_attack_input *in, const bez_cell_trigger *t, bool clean_label,
                                          bez_attack_plan *plan, bez_error *err);

#endif
