/* Entries about trust: made, judged as the log will judge them, and only then appended. */
#ifndef BEZ_VAULT_TRUST_WRITE_H
#define BEZ_VAULT_TRUST_WRITE_H

#include "ledger/trust_state.h"
#include "vault/vault.h"

/* policy: the YAML of a policy entry, else NULL. Refusals are written down, and say "refused: …". */
typedef struct bez_statement_of_trust {
  const char *type;
  void (*write)(bez_json *j, const void *ctx);
  const void *ctx;
  const char *policy;
  size_t policy_len;
} bez_statement_of_trust;
BEZ_MUST_USE bez_status bez_trust_say(bez_vault *vault, const bez_statement_of_trust *what, const bez_signer *signer,
                                      bez_id *id, bez_error *err);

/* "now", RFC 3339 or a day. BEZ_USAGE names the option. */
BEZ_MUST_USE bez_status bez_trust_time(const char *text, const char *option, int64_t *out, bez_error *err);
/* A public key: a line, a file NAME.pub, or the name of a key of the folder. */
BEZ_MUST_USE bez_status bez_trust_public(const char *text, bez_ssh_key **out, bez_error *err);
void bez_json_kid(bez_json *j, const char *key, const bez_id *id);

#endif
