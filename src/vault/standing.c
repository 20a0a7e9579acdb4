/* Entries of keys that were disowned later. */
#include "vault/standing.h"

#include "base/error.h"
#include "vault/index.h"

bez_status bez_entry_stands(bez_vault *vault, uint64_t index, const bez_entry *entry, bool *stands, bez_error *err) {
  bez_query query = {0};
  bool more = false;
  int64_t at = entry->seconds;
  bez_status st = BEZ_OK;
  *stands = entry->n_keys > 0;
  /* of entries that only somebody who is trusted can have brought into force */
  BEZ_TRY(bez_query_begin(vault->index, &query, err,
                          "SELECT max(time) FROM entries WHERE i<? AND void IS NULL AND type IN "
                          "('init','trust','revoke','source','policy','commit')",
                          "i", (int64_t)index));
  BEZ_TRY(bez_query_next(&query, &more, err));
  if (more && bez_query_int(&query, 0) > at) at = bez_query_int(&query, 0);
  for (size_t i = 0; i < entry->n_keys; i++)
    if (bez_trust_disowned(vault->trust, bez_ssh_key_fingerprint(entry->keys[i]), at)) *stands = false;
cleanup:
  bez_query_end(&query);
  return st;
}
