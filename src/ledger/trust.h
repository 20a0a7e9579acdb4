/* Who may do what, as the log says: trust, revoke, source and policy entries, in order. */
#ifndef BEZ_LEDGER_TRUST_H
#define BEZ_LEDGER_TRUST_H

#include "ledger/entry.h"

typedef struct bez_trust bez_trust;

BEZ_MUST_USE bez_status bez_trust_create(bez_trust **out, bez_error *err);
void bez_trust_free(bez_trust *trust); /* NULL is fine */
/* Takes an entry into account (any type; those that are not about trust are passed over). BEZ_FORMAT: it was signed by
 * somebody who may not (the entry has no effect then). policy: of a policy entry, the YAML's bytes. */
BEZ_MUST_USE bez_status bez_trust_take(bez_trust *trust, uint64_t index, const bez_entry *entry, const char *policy,
                                       size_t policy_len, bez_error *err);

typedef enum bez_may {                         /* what a key may do; admin may do everything */
                       BEZ_MAY_ADMIN = 1,      /* trust, sources, policy, gc */
                       BEZ_MAY_CONTRIBUTE = 2, /* submissions */
                       BEZ_MAY_COMMIT = 4,     /* commits, rollbacks, models, pins */
                       BEZ_MAY_READ = 8        /* checkouts where the policy asks for a known reader */
} bez_may;

typedef struct bez_asked {
  const bez_ssh_key *key; /* NULL: nobody */
  unsigned role;          /* one bez_may */
  const char *source;     /* "" or NULL: not asked */
  const char *dataset;    /* path; "" or NULL: not asked */
  int64_t at;             /* seconds since 1970 */
} bez_asked;
/* BEZ_OK: may. BEZ_USAGE: may not, and err says why: unknown, expired, not yet valid, revoked (since, reason), not for
 * this source, not for this path, not in this role; "unsigned" for nobody. */
BEZ_MUST_USE bez_status bez_trust_may(const bez_trust *trust, const bez_asked *asked, bez_error *err);

/* The latest time that an admin's entry states: nobody is judged as of an earlier one. */
int64_t bez_trust_clock(const bez_trust *trust);
/* Whether that lies more than a day ahead of the machine's clock: no new entry about trust may, and what does moves no
 * clock. */
bool bez_trust_is_ahead(int64_t seconds);

/* The policy in force. Borrowed strings. */
typedef struct bez_policy {
  unsigned signatures;           /* that a commit needs, by different principals; 1 at least */
  bool require_source;           /* always true: sources must be known */
  bool require_reader;           /* checkout, export and proof need a key that trust names */
  bool require_scan;             /* of what is added */
  const char *scan_fail_on;      /* "error", "warning" */
  const char *const *scan_rules; /* ids; n 0: all */
  size_t n_scan_rules;
  double delay_seconds; /* fresh edits of a source are held back that long (watch) */
} bez_policy;
const bez_policy *bez_trust_policy(const bez_trust *trust);
/* NULL: no such source. The DTA fields as a JSON object, borrowed. */
const json_t *bez_trust_source(const bez_trust *trust, const char *id);
/* "alice" for a key that is or was known, else its fingerprint. The last entry that stands says it: what a revoked
 * admin called somebody makes no second person of them. */
const char *bez_trust_principal(const bez_trust *trust, const bez_ssh_key *key);
/* Whether entries that this key signed at that time have been disowned (revoke … since ≤ at). */
bool bez_trust_disowned(const bez_trust *trust, const char *fingerprint, int64_t at);

#endif
