/* What a proof shows of the commit: that it named the submission, and who signed. */
#include "vault/proof_commit.h"

#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "crypto/allowed_signers.h"
#include "crypto/digest.h"

#define SUBJECT "proof"
#define MAX_ALLOWED (16u << 20)

size_t bez_tlog_proof_head(const char *text, size_t len) {
  for (size_t i = 0; i + 1 < len; i++)
    if (text[i] == '\n' && text[i + 1] == '\n') return i + 2;
  return 0;
}

size_t bez_tlog_proof_shared(const bez_buf *text, const bez_buf *other) {
  size_t at = text->len, line = text->len;
  for (size_t n = 1; n <= text->len && n <= other->len; n++) {
    if (text->data[text->len - n] != other->data[other->len - n]) break;
    at--;
    if (!at || text->data[at - 1] == '\n') line = at;
  }
  return line;
}

/* The version of the one data set that has this submission; 0: none, or not of the submission's data set. */
static uint64_t find_version(const json_t *datasets, const bez_entry *submission) {
  uint64_t found = 0;
  size_t i;
  json_t *item;
  char id[2 * BEZ_ID + 1];
  bez_hex(submission->id.bytes, BEZ_ID, id);
  json_array_foreach(datasets, i, item) {
    const char *said = json_string_value(json_object_get(item, "submission"));
    if (!said || strcmp(said, id) != 0) continue;
    const char *name = json_string_value(json_object_get(item, "name"));
    const json_int_t version = json_integer_value(json_object_get(item, "version"));
    if (found || version < 1 || !name || strcmp(name, bez_entry_text(submission, "dataset")) != 0) return 0;
    found = (uint64_t)version;
  }
  return found;
}

bez_status bez_commit_of_submission(bez_bytes_view bytes, const bez_entry *submission, bez_entry *commit,
                                    uint64_t *version, bez_error *err) {
  bez_status st = bez_entry_parse(bytes.bytes, bytes.len, SUBJECT, commit, err);
  if (st != BEZ_OK) return st;
  if (strcmp(commit->type, "commit") != 0) return bez_fail(err, BEZ_FORMAT, SUBJECT, "the entry is no commit");
  if (strcmp(commit->origin, submission->origin) != 0)
    return bez_fail(err, BEZ_FORMAT, SUBJECT, "the commit is of another vault, %s", commit->origin);
  if (!commit->n_keys) return bez_fail(err, BEZ_FORMAT, SUBJECT, "the commit is not signed");
  *version = find_version(json_object_get(commit->body, "datasets"), submission);
  if (!*version) return bez_fail(err, BEZ_FORMAT, SUBJECT, "the commit did not take in the submission");
  return BEZ_OK;
}

static bool allows(const bez_allowed_signer *list, size_t n, const bez_ssh_key *key, int64_t at) {
  for (size_t i = 0; i < n; i++)
    if (bez_ssh_key_same(list[i].key, key) && at >= list[i].valid_after && at <= list[i].valid_before) return true;
  return false;
}

static bez_status check_signers(const bez_allowed_signer *list, size_t n, const bez_entry *entry, const char *path,
                                bez_error *err) {
  for (size_t k = 0; k < entry->n_keys; k++)
    if (!allows(list, n, entry->keys[k], entry->seconds))
      return bez_fail(err, BEZ_FORMAT, SUBJECT, "the %s of %s was signed by %s, which %s does not allow", entry->type,
                      entry->time, bez_ssh_key_fingerprint(entry->keys[k]), path);
  return BEZ_OK;
}

bez_status bez_entries_signed_by(const char *allowed, const bez_entry *const *entries, size_t n, bez_error *err) {
  bez_buf text = {0};
  bez_allowed_signer *list = NULL;
  bez_error wrong = {0};
  size_t have = 0;
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_file_read(allowed, MAX_ALLOWED, &text, err));
  st = bez_allowed_signers_parse(text.data ? text.data : "", text.len, BEZ_VAULT_NAMESPACE, allowed, &list, &have,
                                 &wrong);
  if (st == BEZ_FORMAT) /* not the proof's fault */
    BEZ_TRY(bez_fail(err, BEZ_USAGE, allowed, "no file of allowed signers: %s", wrong.message));
  if (st != BEZ_OK && err) *err = wrong;
  for (size_t i = 0; i < n && st == BEZ_OK; i++) st = check_signers(list, have, entries[i], allowed, err);
cleanup:
  bez_allowed_signers_free(list, have);
  bez_buf_free(&text);
  return st;
}
