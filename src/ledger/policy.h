/* policy.yaml: what the vault demands of those who write to it and read from it. */
#ifndef BEZ_LEDGER_POLICY_H
#define BEZ_LEDGER_POLICY_H

#include "base/arena.h"
#include "ledger/trust.h"

/* What holds where no policy was set. */
void bez_policy_default(bez_policy *out);
/* Hostile bytes; what is not stated is as above. Keys that are unknown are errors with their line. Strings live in the
 * arena. */
BEZ_MUST_USE bez_status bez_policy_parse(const char *yaml, size_t len, const char *subject, bez_arena *arena,
                                         bez_policy *out, bez_error *err);
/* The policy as a JSON object. */
void bez_policy_write(const bez_policy *policy, bez_json *j);

#endif
