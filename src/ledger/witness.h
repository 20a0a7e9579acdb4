/* Witnesses of the log (C2SP tlog-witness, tlog-cosignature): others who saw that it only grows. Whoever verifies a
 * proof decides which of them count, and how many it takes. */
#ifndef BEZ_LEDGER_WITNESS_H
#define BEZ_LEDGER_WITNESS_H

#include "crypto/note.h"

struct bez_log;

typedef struct bez_witnesses {
  const bez_vkey *keys; /* of kind BEZ_NOTE_COSIGNATURE */
  size_t n, quorum;
} bez_witnesses;

/* How many different witnesses cosigned; who[i] (NULL: not wanted): whether keys[i] did. BEZ_FORMAT: a cosignature of
 * one of them does not hold. */
BEZ_MUST_USE bez_status bez_witnesses_count(const bez_witnesses *witnesses, const bez_checkpoint *note,
                                            const char *subject, size_t *have, bool *who, bez_error *err);

/* What a witness is sent (the body of add-checkpoint): the log's checkpoint, and that it continues the one of old_size
 * entries. BEZ_USAGE: nothing signed yet, or old_size is larger. */
BEZ_MUST_USE bez_status bez_witness_request(struct bez_log *log, uint64_t old_size, bez_buf *out, bez_error *err);
/* What a witness answered: lines of signatures. Those that hold and are of witnesses named here are kept with the log's
 * checkpoint, others are passed over. The caller holds the vault's lock. added: how many are new. */
BEZ_MUST_USE bez_status bez_witness_take(struct bez_log *log, const char *lines, size_t len,
                                         const bez_witnesses *witnesses, size_t *added, bez_error *err);

/* Being a witness. It remembers, below `folder` (made where it is not there), the last checkpoint of every log that it
 * cosigned, and never cosigns another history. */
typedef struct bez_cosigner {
  const char *folder;
  const char *name; /* of the witness */
  const bez_signer *signer;
  const char *log_key; /* vkey of the log that is trusted, NULL: one that was cosigned before */
  uint64_t now;        /* seconds since 1970 */
} bez_cosigner;
/* Appends the cosignature line. BEZ_FORMAT: malformed, not signed by the log, or no continuation; BEZ_USAGE: the log is
 * not known, or the request does not begin where the witness stands: *stands is then the size to begin with. */
BEZ_MUST_USE bez_status bez_witness_cosign(const bez_cosigner *cosigner, const char *request, size_t len, bez_buf *line,
                                           uint64_t *stands, bez_error *err);

#endif
