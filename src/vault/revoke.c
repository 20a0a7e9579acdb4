/* bezoar vault revoke: a key is disowned, and what inherited from it is told. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/time.h"
#include "bezoar/trust.h"
#include "vault/answer.h"
#include "vault/impact.h"

/* What the key named in a "revoked" answer signed since. */
static bez_status put_impact(bez_vault *vault, const json_t *revoked, bez_json *j, bez_error *err) {
  bez_status st = BEZ_OK;
  size_t i;
  json_t *item;
  bez_json_key(j, "impact");
  bez_json_open(j, '[');
  json_array_foreach(json_object_get(revoked, "revoked"), i, item) {
    const char *key = json_string_value(json_object_get(item, "key"));
    const char *since = json_string_value(json_object_get(item, "since"));
    int64_t from = INT64_MIN;
    if (since && !bez_time_parse(since, &from)) from = INT64_MIN;
    if (key && st == BEZ_OK) st = bez_impact_write(vault, "key", key, from, j, err);
  }
  bez_json_close(j, ']');
  return st;
}

bez_status bez_vault_revoke(bez_vault *vault, const char *whom, const char *since, const char *reason,
                            const bez_vault_who *who, char **json, bez_error *err) {
  char *said = NULL;
  json_t *revoked = NULL;
  bez_buf text = {0};
  bez_json j = bez_json_make(&text, false);
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_vault_trust_revoke(vault, whom, since, reason, who, &said, err));
  BEZ_TRY(bez_json_parse(said, strlen(said), "answer", &revoked, err));
  bez_json_open(&j, '{');
  bez_json_key(&j, "revoked");
  char *list = json_dumps(json_object_get(revoked, "revoked"), JSON_COMPACT);
  if (!list) BEZ_TRY(bez_fail_memory(err, 0));
  bez_json_raw(&j, list, strlen(list));
  free(list);
  BEZ_TRY(put_impact(vault, revoked, &j, err));
  bez_json_close(&j, '}');
  BEZ_TRY(bez_answer(&text, json, err));
cleanup:
  json_decref(revoked);
  bez_text_free(said);
  bez_buf_free(&text);
  return st;
}
