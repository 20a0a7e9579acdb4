/* BZ-D003: a column's codes as ascending distinct numbers. */
#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "detect/value_spikes.h"

void bez_counted_free(bez_counted *c) {
  free(c->value);
  free(c->count);
  free(c->code);
}

bez_status bez_counted_make(const bez_column *col, bez_counted *c, bez_error *err) {
  size_t room = (size_t)col->n_values + 1;
  *c = (bez_counted){.value = malloc(room * sizeof *c->value),
                     .count = malloc(room * sizeof *c->count),
                     .code = malloc(room * sizeof *c->code)};
  if (!c->value || !c->count || !c->code) return bez_fail_memory(err, room * 20);
  uint32_t code = BEZ_CODE_FIRST;
  for (; code < col->n_values; code++) {
    double number = col->number[code];
    if (isnan(number)) break; /* cells that are no numbers are ordered behind them */
    if (col->count[code] == 0) continue;
    if (c->n > 0 && c->value[c->n - 1] == number) {
      c->count[c->n - 1] += col->count[code];
    } else {
      c->value[c->n] = number;
      c->count[c->n] = col->count[code];
      c->code[c->n++] = code;
    }
    c->total += col->count[code];
  }
  c->code[c->n] = code;
  return BEZ_OK;
}
