/* Inside ledger/trust.h: what the log has said about trust so far. */
#ifndef BEZ_LEDGER_TRUST_STATE_H
#define BEZ_LEDGER_TRUST_STATE_H

#include "ledger/policy.h"

/* Who signed something that only admins may say, and by which grant. */
typedef struct bez_voucher {
  char fingerprint[52];
  size_t grant; /* number of the grant that makes the signer an admin */
} bez_voucher;

/* One trust entry: the last one that stands says all that its key may do. */
typedef struct bez_grant {
  json_t *body; /* owned; strings below are borrowed from it */
  bez_ssh_key *key;
  const char *principal;
  unsigned roles; /* bez_may */
  const json_t *sources, *paths;
  int64_t not_before, not_after; /* seconds since 1970, both inclusive; INT64_MIN, INT64_MAX: open */
  uint64_t index;                /* of the entry */
  int64_t at;                    /* of the entry; no earlier than the clock */
  bez_voucher *vouchers;         /* owned */
  size_t n_vouchers;
  bool stands; /* one of the vouchers has not been disowned since before it */
} bez_grant;

typedef struct bez_revocation {
  char fingerprint[52];
  int64_t since, at;
  uint64_t index;
  json_t *body;       /* owned */
  const char *reason; /* borrowed from it */
} bez_revocation;

typedef struct bez_known_source {
  json_t *body; /* owned */
  const char *id;
  uint64_t index;
} bez_known_source;

struct bez_trust {
  char *root;        /* fingerprint of the first admin; NULL: no init entry yet */
  bez_grant *grants; /* the root's is the first */
  size_t n_grants, cap_grants;
  bez_revocation *revocations;
  size_t n_revocations, cap_revocations;
  bez_known_source *sources; /* one per id, the last entry */
  size_t n_sources, cap_sources;
  int64_t clock;   /* the latest time an admin's entry about trust states: nobody is judged as of an earlier one */
  bez_arena arena; /* of the policy */
  bez_policy policy;
  char policy_id[65]; /* "" none */
};

/* The key's last grant that stands; NULL: none. */
const bez_grant *bez_trust_grant(const bez_trust *trust, const bez_ssh_key *key);
/* The key's revocation, the one that reaches farthest back; NULL: none. */
const bez_revocation *bez_trust_revocation(const bez_trust *trust, const char *fingerprint);
/* Whether an entry would have its effect: who signed it, and what it says. BEZ_USAGE ("refused: …") or BEZ_FORMAT. */
BEZ_MUST_USE bez_status bez_trust_check(const bez_trust *trust, const bez_entry *entry, const char *policy,
                                        size_t policy_len, bez_error *err);
/* Whether an admin signed it: whose key revokes itself alone is none, and rules nobody else. */
bool bez_trust_by_admin(const bez_trust *trust, const bez_entry *entry);
/* "admin", …; NULL after the last. */
const char *bez_role_name(size_t i, unsigned *role);
/* 0: no such role. */
unsigned bez_role_named(const char *name);
/* Names of people and sources: at most 100 of letters, digits and "._-@+:/", the first no "-" or "/". */
bool bez_trust_name_fine(const char *name);

#endif
