/* Files of a run: where they go, what they were. */
#include "vault/run_layout.h"

#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "crypto/digest.h"
#include "crypto/dsse.h"
#include "vault/answer.h"
#include "vault/index.h"
#include "vault/standing.h"

#define LEAST_DIGITS 7u

bool bez_run_is_inside(const char *path) {
  if (!*path || *path == '/') return false;
  for (const char *p = path; *p;) {
    size_t len = strcspn(p, "/");
    if (!len || (len == 1 && *p == '.') || (len == 2 && !strncmp(p, "..", 2))) return false;
    p += len + (p[len] == '/');
  }
  return path[strlen(path) - 1] != '/';
}

bez_status bez_run_place(const char *folder, const char *path, char **out, bez_error *err) {
  bez_buf text = {0};
  bez_buf_printf(&text, "%s/%s", folder, path);
  *out = NULL;
  bez_status st = bez_buf_status(&text, err);
  if (st != BEZ_OK) return st;
  for (char *slash = strchr(text.data + strlen(folder) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
    *slash = '\0';
    int failed = mkdir(text.data, 0777) != 0 && errno != EEXIST;
    if (failed) st = bez_fail_errno(err, text.data, "cannot make the folder");
    *slash = '/';
    if (failed) break;
  }
  if (st == BEZ_OK) {
    *out = text.data;
    text.data = NULL;
  }
  bez_buf_free(&text);
  return st;
}

bez_status bez_run_checkout(bez_vault *vault, const bez_run_input *in, const char *target, const bez_vault_who *reader,
                            unsigned threads, bez_error *err) {
  const bez_signer *acting = vault->acting;
  bez_buf version = {0};
  char *json = NULL;
  bez_buf_printf(&version, "%s@%llu", in->dataset, (unsigned long long)in->version);
  bez_status st = bez_buf_status(&version, err);
  if (st == BEZ_OK)
    st = bez_vault_checkout(vault, version.data, target, false, reader, threads, NULL, NULL, &json, err);
  bez_vault_act(vault, acting);
  bez_text_free(json);
  bez_buf_free(&version);
  return st;
}

void bez_run_remove(const char *folder) {
  char *const paths[] = {(char *)(uintptr_t)folder, NULL};
  FTS *walk = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
  for (FTSENT *e; walk && (e = fts_read(walk));) {
    if (e->fts_info == FTS_D) (void)chmod(e->fts_accpath, 0700); /* commands may have closed their folders */
    if (e->fts_info == FTS_DP || e->fts_info == FTS_DNR)
      (void)rmdir(e->fts_accpath);
    else if (e->fts_info != FTS_D)
      (void)unlink(e->fts_accpath);
  }
  if (walk) fts_close(walk);
}

/* The entry that those digits name alone. */
static bez_status find_run(bez_vault *vault, const char *id, uint64_t *index, bez_error *err) {
  bez_query query = {0};
  bool more = false, found = false;
  const size_t digits = strlen(id);
  bez_status st = BEZ_OK;
  if (digits < LEAST_DIGITS || digits > 2 * BEZ_ID || strspn(id, "0123456789abcdef") != digits)
    return bez_fail(err, BEZ_USAGE, id, "no id of a run: 7 or more of its hexadecimal digits");
  BEZ_TRY(
      bez_query_begin(vault->index, &query, err, "SELECT i, id FROM entries WHERE type='run' AND void IS NULL", ""));
  for (;;) {
    char hex[2 * BEZ_ID + 1];
    size_t len;
    BEZ_TRY(bez_query_next(&query, &more, err));
    if (!more) break;
    const uint8_t *bytes = bez_query_blob(&query, 1, &len);
    if (len != BEZ_ID) continue;
    bez_hex(bytes, BEZ_ID, hex);
    if (strncmp(hex, id, digits) != 0) continue;
    if (found) BEZ_TRY(bez_fail(err, BEZ_USAGE, id, "several runs begin with these digits"));
    found = true;
    *index = (uint64_t)bez_query_int(&query, 0);
  }
  if (!found) st = bez_fail(err, BEZ_USAGE, id, "no such run is recorded: bezoar vault log --type run lists them");
cleanup:
  bez_query_end(&query);
  return st;
}

/* The entry, and the envelope that it names. */
static bez_status load_envelope(bez_vault *vault, const char *id, uint64_t *index, bez_entry *entry, bez_buf *envelope,
                                bez_error *err) {
  bez_id statement;
  bez_status st = BEZ_OK;
  BEZ_TRY(find_run(vault, id, index, err));
  BEZ_TRY(bez_vault_entry(vault, *index, entry, err));
  BEZ_TRY(bez_entry_hex(entry, "statement", statement.bytes, BEZ_ID, err));
  BEZ_TRY(bez_objects_get(vault->objects, BEZ_OBJECT_BLOB, &statement, envelope, err));
cleanup:
  return st;
}

bez_status bez_lineage_statement(bez_vault *vault, const char *run, char **json, bez_error *err) {
  bez_entry entry = {0};
  bez_buf envelope = {0};
  uint64_t index = 0;
  *json = NULL;
  bez_status st = load_envelope(vault, run, &index, &entry, &envelope, err);
  if (st == BEZ_OK) st = bez_answer(&envelope, json, err);
  bez_entry_free(&entry);
  bez_buf_free(&envelope);
  return st;
}

bez_status bez_run_load(bez_vault *vault, const char *id, bez_run_record *out, bez_entry *entry, bez_error *err) {
  bez_buf bytes = {0}, payload = {0};
  json_t *envelope = NULL;
  uint64_t index = 0;
  bool stands = false;
  bez_status st = BEZ_OK;
  *out = (bez_run_record){0};
  BEZ_TRY(load_envelope(vault, id, &index, entry, &bytes, err));
  BEZ_TRY(bez_entry_stands(vault, index, entry, &stands, err));
  if (!stands)
    BEZ_TRY(bez_refuse(err, bez_fail(err, BEZ_USAGE, id, "the key that recorded this run was revoked since then")));
  BEZ_TRY(bez_json_parse(bytes.data ? bytes.data : "", bytes.len, "statement of the run", &envelope, err));
  BEZ_TRY(bez_dsse_open_raw(envelope, BEZ_IN_TOTO_PAYLOAD, entry->keys, entry->n_keys, "statement of the run", &payload,
                            err));
  BEZ_TRY(bez_run_parse(payload.data ? payload.data : "", payload.len, out, err));
cleanup:
  json_decref(envelope);
  bez_buf_free(&bytes);
  bez_buf_free(&payload);
  return st;
}
