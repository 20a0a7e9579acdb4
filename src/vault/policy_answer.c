/* Showing and setting the policy. */
#include "base/error.h"
#include "base/file.h"
#include "base/limits.h"
#include "bezoar/trust.h"
#include "crypto/digest.h"
#include "vault/answer.h"
#include "vault/trust_write.h"

static bez_status put_yaml(bez_vault *vault, bez_json *j, bez_error *err) {
  bez_id id;
  bez_buf yaml = {0};
  bez_status st = BEZ_OK;
  if (!bez_unhex(vault->trust->policy_id, id.bytes, BEZ_ID)) {
    bez_json_kstr(j, "yaml", "");
    return BEZ_OK;
  }
  BEZ_TRY(bez_objects_get(vault->objects, BEZ_OBJECT_BLOB, &id, &yaml, err));
  bez_json_key(j, "yaml");
  bez_json_strn(j, yaml.data ? yaml.data : "", yaml.len);
cleanup:
  bez_buf_free(&yaml);
  return st;
}

bez_status bez_vault_policy_show(bez_vault *vault, char **json, bez_error *err) {
  bez_buf out = {0};
  bez_json j = bez_json_make(&out, false);
  bez_json_open(&j, '{');
  bez_json_key(&j, "policy");
  bez_policy_write(bez_trust_policy(vault->trust), &j);
  bez_json_kstr(&j, "object", vault->trust->policy_id);
  bez_status st = put_yaml(vault, &j, err);
  bez_json_close(&j, '}');
  if (st == BEZ_OK) return bez_answer(&out, json, err);
  bez_buf_free(&out);
  return st;
}

static bez_status store(bez_vault *vault, const bez_buf *yaml, bez_id *id, bez_error *err) {
  bez_pack *pack = NULL;
  bez_status st = bez_pack_begin(vault->objects, &pack, err);
  if (st != BEZ_OK) return st;
  st = bez_pack_put(pack, BEZ_OBJECT_BLOB, yaml->data ? yaml->data : "", yaml->len, id, err);
  if (st == BEZ_OK) return bez_pack_finish(pack, NULL, err);
  bez_pack_abandon(pack);
  return st;
}

static void write_id(bez_json *j, const void *ctx) {
  bez_json_kid(j, "policy", ctx);
}

static bez_status check(const bez_buf *yaml, const char *path, bez_error *err) {
  bez_arena arena = {0};
  bez_policy policy;
  bez_status st = bez_policy_parse(yaml->data ? yaml->data : "", yaml->len, path, &arena, &policy, err);
  bez_arena_free(&arena);
  return st;
}

bez_status bez_vault_policy_set(bez_vault *vault, const char *path, const bez_vault_who *who, char **json,
                                bez_error *err) {
  bez_buf yaml = {0}, out = {0};
  bez_json j = bez_json_make(&out, false);
  bez_signer *signer = NULL;
  bez_id object, entry;
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_file_read(path, BEZ_MAX_YAML_BYTES, &yaml, err));
  BEZ_TRY(check(&yaml, path, err));
  BEZ_TRY(bez_vault_signer(vault, who, &signer, err));
  BEZ_TRY(bez_vault_ask(vault, &(bez_claim){.op = "policy", .role = BEZ_MAY_ADMIN}, signer, err));
  BEZ_TRY(store(vault, &yaml, &object, err));
  const bez_statement_of_trust what = {.type = "policy",
                                       .write = write_id,
                                       .ctx = &object,
                                       .policy = yaml.data ? yaml.data : "",
                                       .policy_len = yaml.len};
  BEZ_TRY(bez_trust_say(vault, &what, signer, &entry, err));
  bez_json_open(&j, '{');
  bez_json_key(&j, "policy");
  bez_policy_write(bez_trust_policy(vault->trust), &j);
  bez_json_kid(&j, "object", &object);
  bez_json_kid(&j, "entry", &entry);
  bez_json_close(&j, '}');
  BEZ_TRY(bez_answer(&out, json, err));
cleanup:
  bez_vault_act(vault, NULL);
  bez_signer_close(signer);
  bez_buf_free(&yaml);
  bez_buf_free(&out);
  return st;
}
