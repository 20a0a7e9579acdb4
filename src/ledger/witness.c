/* Counting cosignatures. */
#include "ledger/witness.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

/* The same key under two names is one witness. */
static bool counted(const bez_vkey *keys, size_t i, const bool *found) {
  for (size_t k = 0; k < i; k++)
    if (found[k] && !memcmp(keys[k].key, keys[i].key, sizeof keys[i].key)) return true;
  return false;
}

bez_status bez_witnesses_count(const bez_witnesses *witnesses, const bez_checkpoint *note, const char *subject,
                               size_t *have, bool *who, bez_error *err) {
  bez_status st = BEZ_OK;
  bool *found = calloc(witnesses->n + 1, sizeof *found);
  *have = 0;
  if (!found) return bez_fail_memory(err, witnesses->n);
  for (size_t i = 0; i < witnesses->n && st == BEZ_OK; i++) {
    st = bez_note_verify(note, &witnesses->keys[i], subject, &found[i], NULL, err);
    if (st == BEZ_OK && found[i] && !counted(witnesses->keys, i, found)) ++*have;
    if (who) who[i] = found[i];
  }
  free(found);
  return st;
}
