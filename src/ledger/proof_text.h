/* The lines that C2SP's proofs and requests are made of. */
#ifndef BEZ_LEDGER_PROOF_TEXT_H
#define BEZ_LEDGER_PROOF_TEXT_H

#include "base/buf.h"
#include "crypto/merkle.h"

#define BEZ_PROOF_HASHES 63u

/* Each moves *at on where it is true and leaves it anywhere where it is not. */
BEZ_MUST_USE bool bez_text_skip(const char **at, const char *text);
/* A decimal number without leading zeroes, and a line end. */
BEZ_MUST_USE bool bez_text_number(const char **at, uint64_t *out);
/* Lines of one hash each in Base64, and the empty line behind them. */
BEZ_MUST_USE bool bez_text_hashes(const char **at, uint8_t hashes[BEZ_PROOF_HASHES][BEZ_MERKLE_HASH], size_t *n);
/* The same written: n × 32 bytes, without the empty line. */
void bez_text_put_hashes(bez_buf *out, const void *hashes, size_t len);
/* Hostile bytes as text of its own, released with free; BEZ_FORMAT where a NUL is among them. */
BEZ_MUST_USE bez_status bez_text_copy(const char *bytes, size_t len, const char *subject, char **out, bez_error *err);

#endif
