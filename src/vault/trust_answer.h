/* How a grant of trust is told. */
#ifndef BEZ_VAULT_TRUST_ANSWER_H
#define BEZ_VAULT_TRUST_ANSWER_H

#include "ledger/trust_state.h"

/* {"principal","key","public","roles","sources","paths","valid_after","valid_before" … without the closing brace. */
void bez_grant_begin(bez_json *j, const bez_grant *grant);

#endif
