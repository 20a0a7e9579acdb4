/* Saying who may do what. */
#include "vault/trust_write.h"

#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/time.h"
#include "crypto/digest.h"

void bez_json_kid(bez_json *j, const char *key, const bez_id *id) {
  char hex[2 * BEZ_ID + 1];
  bez_hex(id->bytes, BEZ_ID, hex);
  bez_json_kstr(j, key, hex);
}

bez_status bez_trust_time(const char *text, const char *option, int64_t *out, bez_error *err) {
  if (!strcmp(text, "now")) {
    *out = bez_time_now();
    return BEZ_OK;
  }
  if (bez_time_parse(text, out)) return BEZ_OK;
  return bez_fail(err, BEZ_USAGE, option, "%.40s is no time: 2026-01-31T12:00:00Z, 2026-01-31, or now", text);
}

bez_status bez_trust_public(const char *text, bez_ssh_key **out, bez_error *err) {
  bez_buf path = {0};
  bez_status st = BEZ_OK;
  if (strpbrk(text, " \t")) return bez_ssh_key_parse(text, "key", out, err);
  if (!strncmp(text, "SHA256:", 7))
    return bez_fail(err, BEZ_USAGE, text, "a fingerprint does not hold the key: name its file (NAME.pub)");
  if (!strchr(text, '/') && bez_signer_exists(text)) {
    BEZ_TRY(bez_signer_folder(&path, err));
    bez_buf_printf(&path, "/%s.pub", text);
    BEZ_TRY(bez_buf_status(&path, err));
    BEZ_TRY(bez_ssh_key_read(path.data, out, err));
  } else {
    BEZ_TRY(bez_ssh_key_read(text, out, err));
  }
cleanup:
  bez_buf_free(&path);
  return st;
}

/* Judged under the lock, so that nothing comes between the judgement and the entry. */
static bez_status judge(bez_vault *vault, const bez_statement_of_trust *what, const bez_signer *signer,
                        const bez_entry *entry, bez_error *err) {
  bez_error why = {0};
  bez_status st = bez_trust_check(vault->trust, entry, what->policy, what->policy_len, &why);
  if (st == BEZ_OK && bez_trust_is_ahead(entry->seconds))
    st = bez_fail(&why, BEZ_USAGE, what->type, "refused: dated %s, more than a day ahead of this machine's clock",
                  entry->time);
  if (st == BEZ_OK) return BEZ_OK;
  if (err && err->code == BEZ_OK) *err = why;
  return bez_vault_refused(vault, &(bez_claim){.op = what->type}, signer, st, err);
}

bez_status bez_trust_say(bez_vault *vault, const bez_statement_of_trust *what, const bez_signer *signer, bez_id *id,
                         bez_error *err) {
  bez_buf line = {0}, bytes = {0};
  bez_entry entry = {0};
  bez_json j = bez_json_make(&line, false);
  bool locked = false;
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_vault_lock(vault, err));
  locked = true;
  BEZ_TRY(bez_entry_begin(&j, what->type, vault->origin, 0, err));
  what->write(&j, what->ctx);
  bez_json_close(&j, '}');
  BEZ_TRY(bez_buf_status(&line, err));
  BEZ_TRY(bez_entry_sign(line.data, line.len, &signer, 1, &bytes, err));
  BEZ_TRY(bez_entry_parse(bytes.data, bytes.len, what->type, &entry, err));
  BEZ_TRY(judge(vault, what, signer, &entry, err));
  const bez_bytes_view view = {bytes.data, bytes.len};
  BEZ_TRY(bez_vault_append(vault, &view, 1, err));
  if (id) *id = entry.id;
cleanup:
  if (locked) bez_vault_unlock(vault);
  bez_entry_free(&entry);
  bez_buf_free(&line);
  bez_buf_free(&bytes);
  return st;
}
