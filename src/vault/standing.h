/* Whether what an entry brought about still stands: the keys that signed it may have been disowned since. */
#ifndef BEZ_VAULT_STANDING_H
#define BEZ_VAULT_STANDING_H

#include "vault/vault.h"

/* *stands: it is signed, and none of its keys is disowned for the time it came in. That is the entry's own time, or a
 * later one of an entry in force before it: whoever has stolen a key cannot date its entries back. */
BEZ_MUST_USE bez_status bez_entry_stands(bez_vault *vault, uint64_t index, const bez_entry *entry, bool *stands,
                                         bez_error *err);

#endif
