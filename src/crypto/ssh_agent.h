/* The SSH agent (draft-miller-ssh-agent): keys that are used without being seen. Answers are hostile bytes. */
#ifndef BEZ_CRYPTO_SSH_AGENT_H
#define BEZ_CRYPTO_SSH_AGENT_H

#include "crypto/ssh_key.h"

/* The agent's keys of kinds that are known here; n 0 where $SSH_AUTH_SOCK is not set or nobody answers there. Each and
 * the array are the caller's (bez_ssh_keys_free). */
BEZ_MUST_USE bez_status bez_ssh_agent_list(bez_ssh_key ***keys, size_t *n, bez_error *err);
void bez_ssh_keys_free(bez_ssh_key **keys, size_t n); /* NULL is fine */
/* An Ed25519 signature by a key that the agent holds; it has been verified. */
BEZ_MUST_USE bez_status bez_ssh_agent_sign(const bez_ssh_key *key, const void *bytes, size_t len, uint8_t out[64],
                                           bez_error *err);

/* The bodies of answers, for tests and fuzzing. */
BEZ_MUST_USE bez_status bez_ssh_agent_read_list(const void *bytes, size_t len, bez_ssh_key ***keys, size_t *n,
                                                bez_error *err);
BEZ_MUST_USE bez_status bez_ssh_agent_read_signature(const void *bytes, size_t len, uint8_t out[64], bez_error *err);

#endif
