#include "fit/draw.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

/* The place of a number in the table, or the empty one where it would go. */
static uint32_t place_of(const uint32_t *slot, uint32_t n_slots, uint32_t number) {
  uint32_t at = (number * 2654435761u) & (n_slots - 1);
  while (slot[at] != UINT32_MAX && slot[at] != number) at = (at + 1) & (n_slots - 1);
  return at;
}

bez_status bez_draw_distinct(bez_rng *rng, uint32_t n, uint32_t k, uint32_t *out, bez_error *err) {
  uint32_t n_slots = 16;
  while (n_slots < 2 * k) n_slots *= 2;
  uint32_t *slot = malloc((size_t)n_slots * sizeof *slot);
  if (!slot) return bez_fail_memory(err, (size_t)n_slots * sizeof *slot);
  memset(slot, 0xff, (size_t)n_slots * sizeof *slot);
  for (uint32_t i = 0; i < k; i++) {
    uint32_t last = n - k + i, number = (uint32_t)bez_rng_below(rng, (uint64_t)last + 1);
    if (slot[place_of(slot, n_slots, number)] == number) number = last; /* which cannot have been drawn yet */
    slot[place_of(slot, n_slots, number)] = number;
    out[i] = number;
  }
  free(slot);
  return BEZ_OK;
}
