/* Witnesses of the log (C2SP tlog-cosignature): others who saw that it only grows. Whoever verifies a proof decides
 * which of them count, and how many it takes. */
#ifndef BEZ_VAULT_WITNESS_H
#define BEZ_VAULT_WITNESS_H

#include "crypto/note.h"

typedef struct bez_witnesses {
  const bez_vkey *keys; /* of kind BEZ_NOTE_COSIGNATURE */
  size_t n, quorum;
} bez_witnesses;

/* How many different witnesses cosigned; who[i] (NULL: not wanted): whether keys[i] did. BEZ_FORMAT: a cosignature of
 * one of them does not hold. */
BEZ_MUST_USE bez_status bez_witnesses_count(const bez_witnesses *witnesses, const bez_checkpoint *note,
                                            const char *subject, size_t *have, bool *who, bez_error *err);

#endif
