/* The vault's log: an append-only Merkle tree of entries (RFC 9162, 2.1), kept as C2SP tlog-tiles below log/:
 *   checkpoint              the last signed one (C2SP tlog-checkpoint, signed note)
 *   head                    "<origin>\n<size>\n<base64 root>\n": the state, renamed into place by every append
 *   tile/<L>/<N>[.p/<W>]    hashes (tiles of 256)
 *   tile/entries/<N>[.p/<W>] entries, each behind its length as big-endian uint16
 *   new                     a file on its way to its name; what a crash left is overwritten by the next one
 * A reader trusts nothing but what hashes to the head, and the head as far as checkpoint and entries' signatures bear
 * it out. An append is whole or has not happened: tiles first (new names), fsync, then head. The caller holds the
 * vault's lock for append. Hostile bytes throughout. */
#ifndef BEZ_LEDGER_LOG_H
#define BEZ_LEDGER_LOG_H

#include "base/buf.h"
#include "base/json.h"
#include "crypto/signer.h"
#include "ledger/witness.h"

#define BEZ_LOG_TILE 256u    /* hashes or entries */
#define BEZ_MAX_ENTRY 65535u /* bytes */

typedef struct bez_log bez_log;
typedef struct bez_bytes_view {
  const void *bytes;
  size_t len;
} bez_bytes_view;

/* A new log of no entries. folder: "…/log", not there yet. */
BEZ_MUST_USE bez_status bez_log_create(const char *folder, const char *origin, bez_error *err);
/* vkey: the log key's verifier key, "<name>+<hash>+<base64>" (C2SP signed-note); the checkpoint must be signed by it.
 * Checks head, checkpoint and the right edge of the tree; BEZ_FORMAT names the file. */
BEZ_MUST_USE bez_status bez_log_open(const char *folder, const char *origin, const char *vkey, bez_log **out,
                                     bez_error *err);
void bez_log_close(bez_log *log); /* NULL is fine */
uint64_t bez_log_size(const bez_log *log);
void bez_log_root(const bez_log *log, uint8_t out[32]);
uint64_t bez_log_signed_size(const bez_log *log); /* entries that the checkpoint covers */

/* Takes in what others appended since; BEZ_FORMAT where the log on disk is no continuation of what was open. */
BEZ_MUST_USE bez_status bez_log_refresh(bez_log *log, bez_error *err);
/* The root that the log had at a smaller size. */
BEZ_MUST_USE bez_status bez_log_root_at(bez_log *log, uint64_t size, uint8_t out[32], bez_error *err);

/* Appends n entries as one; signs a checkpoint where log_key is not NULL. BEZ_USAGE: somebody else appended meanwhile
 * (bez_log_refresh, and again), or the key is not the log's. */
BEZ_MUST_USE bez_status bez_log_append(bez_log *log, const bez_bytes_view *entries, size_t n, const bez_signer *log_key,
                                       bez_error *err);
BEZ_MUST_USE bez_status bez_log_sign(bez_log *log, const bez_signer *log_key, bez_error *err);
/* One entry, verified up to the head. */
BEZ_MUST_USE bez_status bez_log_read(bez_log *log, uint64_t index, bez_buf *out, bez_error *err);
/* Entries [first, size) in order, each verified; fn's failure ends it. */
BEZ_MUST_USE bez_status bez_log_each(bez_log *log, uint64_t first,
                                     bez_status (*fn)(void *ctx, uint64_t index, const void *entry, size_t len,
                                                      bez_error *err),
                                     void *ctx, bez_error *err);
/* Every byte below the folder: hashes against entries, every tile, files that do not belong there. damaged: told file
 * and what, once each; NULL: stop at the first. */
BEZ_MUST_USE bez_status bez_log_verify(bez_log *log, void (*damaged)(void *ctx, const char *path, const char *what),
                                       void *ctx, bez_error *err);

/* The checkpoint as a note (with the witnesses' cosignatures that were collected). */
BEZ_MUST_USE bez_status bez_log_checkpoint(bez_log *log, bez_buf *out, bez_error *err);
/* C2SP tlog-proof: an entry's inclusion under the checkpoint. BEZ_USAGE: the checkpoint does not cover it yet. */
BEZ_MUST_USE bez_status bez_log_inclusion(bez_log *log, uint64_t index, bez_buf *out, bez_error *err);
BEZ_MUST_USE bez_status bez_log_consistency(bez_log *log, uint64_t old_size, uint64_t new_size, bez_buf *hashes,
                                            bez_error *err); /* n × 32 bytes */
/* Verifies a tlog-proof for the entry with nothing but the log's verifier key. index, size (NULL: not wanted). */
BEZ_MUST_USE bez_status bez_tlog_proof_verify(const char *proof, size_t len, const void *entry, size_t entry_len,
                                              const char *vkey, uint64_t *index, uint64_t *size, bez_error *err);
/* The same where witnesses have to have cosigned; NULL: none. */
BEZ_MUST_USE bez_status bez_tlog_proof_witnessed(const char *proof, size_t len, const void *entry, size_t entry_len,
                                                 const char *vkey, const bez_witnesses *witnesses, uint64_t *index,
                                                 uint64_t *size, bez_error *err);

#endif
