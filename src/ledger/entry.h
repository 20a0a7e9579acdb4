/* An entry of the log: one line of JSON (compact, keys in a fixed order, ending in "\n"), then one or more armored
 * SSHSIG signatures (namespace BEZ_VAULT_NAMESPACE) over exactly that line, so that `ssh-keygen -Y verify` can check
 * it. Entries of readers without a key have no signature. At most BEZ_MAX_ENTRY bytes; large things are objects, named
 * by their id.
 *
 * Every entry: "type", "vault" (origin), "time" (RFC 3339, UTC, seconds), "nonce" (32 hex digits, random): no entry can
 * be played a second time or in another vault. The id of an entry is the SHA-256 of its line.
 * What each type says: docs/vault/entries.md. */
#ifndef BEZ_LEDGER_ENTRY_H
#define BEZ_LEDGER_ENTRY_H

#include "base/json.h"
#include "crypto/id.h"
#include "crypto/signer.h"

#define BEZ_VAULT_NAMESPACE "bezoar-vault"

/* Writes {"type":…,"vault":…,"time":…,"nonce":… and leaves the object open for the caller, who closes it. now: seconds
 * since 1970, 0: the clock. */
BEZ_MUST_USE bez_status bez_entry_begin(bez_json *j, const char *type, const char *origin, int64_t now, bez_error *err);
/* line: without or with its "\n" → the entry with a signature of each signer. n may be 0. */
BEZ_MUST_USE bez_status bez_entry_sign(const char *line, size_t len, const bez_signer *const *signers, size_t n,
                                       bez_buf *out, bez_error *err);
/* Adds one more signature to an entry. */
BEZ_MUST_USE bez_status bez_entry_cosign(bez_buf *entry, const bez_signer *signer, bez_error *err);

typedef struct bez_entry {
  json_t *body;     /* owned */
  const char *type; /* borrowed from body, as the next ones */
  const char *origin, *time;
  int64_t seconds; /* of time, since 1970 */
  bez_id id;
  bez_ssh_key **keys; /* of the signatures, all of which hold; owned */
  size_t n_keys;
} bez_entry; /* zero-initialise; release with bez_entry_free */

/* Hostile bytes. BEZ_FORMAT: malformed, or a signature that does not hold. Whether keys are trusted: ledger/trust.h. */
BEZ_MUST_USE bez_status bez_entry_parse(const void *bytes, size_t len, const char *subject, bez_entry *out,
                                        bez_error *err);
/* The same without verifying signatures (n_keys 0), for what the index remembers as verified. */
BEZ_MUST_USE bez_status bez_entry_peek(const void *bytes, size_t len, const char *subject, bez_entry *out,
                                       bez_error *err);
void bez_entry_free(bez_entry *entry);
/* A member that is a string; "" where there is none. */
const char *bez_entry_text(const bez_entry *entry, const char *key);

#endif
