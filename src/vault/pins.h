/* What must be kept: pins, models, latest versions. */
#ifndef BEZ_VAULT_PINS_H
#define BEZ_VAULT_PINS_H

#include "vault/vault.h"

typedef struct bez_pin {
  char *dataset;
  uint64_t version; /* 0: all */
  char *why;
} bez_pin;

typedef struct bez_pins {
  bez_pin *items;
  size_t n, cap;
} bez_pins; /* zero-initialise; release with bez_pins_free */

/* "train.csv@3" → data set and number; without "@" all versions, number 0. False: neither. */
bool bez_pin_split(const char *what, char *dataset, size_t cap, uint64_t *version);
/* Pins in force, and the data that models were trained on. */
BEZ_MUST_USE bez_status bez_pins_read(bez_vault *vault, bez_pins *out, bez_error *err);
const bez_pin *bez_pins_find(const bez_pins *pins, const char *dataset, uint64_t version); /* NULL: none */
void bez_pins_free(bez_pins *pins);

#endif
