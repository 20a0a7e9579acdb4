/* Opening a log and asking it how far it reaches. */
#include "ledger/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "crypto/sha256.h"
#include "ledger/log_internal.h"

static bez_status make(const char *folder, const char *origin, bez_log **out, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_log *log = calloc(1, sizeof *log);
  if (!log) return bez_fail_memory(err, sizeof *log);
  log->folder = strdup(folder);
  log->origin = strdup(origin);
  if (!log->folder || !log->origin) BEZ_TRY(bez_fail_memory(err, strlen(folder) + strlen(origin)));
  if (!*origin || strchr(origin, '\n')) BEZ_TRY(bez_fail(err, BEZ_USAGE, folder, "a log's origin is one line"));
  *out = log;
  return BEZ_OK;
cleanup:
  bez_log_close(log);
  return st;
}

bez_status bez_log_create(const char *folder, const char *origin, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_log *log = NULL;
  bez_buf body = {0}, path = {0}, folders = {0};
  uint8_t root[BEZ_MERKLE_HASH];
  BEZ_TRY(make(folder, origin, &log, err));
  if (mkdir(folder, 0777) != 0) BEZ_TRY(bez_fail_errno(err, folder, "cannot make the log's folder"));
  bez_sha256("", 0, root);
  bez_log_body(log, 0, root, &body);
  bez_buf_printf(&path, "%s/head", folder);
  BEZ_TRY(bez_buf_status(&body, err));
  BEZ_TRY(bez_buf_status(&path, err));
  BEZ_TRY(bez_log_put(log, path.data, body.data, body.len, &folders, err));
  BEZ_TRY(bez_log_sync(folder, err));
cleanup:
  bez_buf_free(&body);
  bez_buf_free(&path);
  bez_buf_free(&folders);
  bez_log_close(log);
  return st;
}

bez_status bez_log_open(const char *folder, const char *origin, const char *vkey, bez_log **out, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_log *log = NULL;
  BEZ_TRY(make(folder, origin, &log, err));
  BEZ_TRY(bez_vkey_parse(vkey, "key of the log", &log->key, err));
  if (log->key.kind != BEZ_NOTE_ED25519)
    BEZ_TRY(bez_fail(err, BEZ_FORMAT, "key of the log", "a witness's key cannot be a log's"));
  BEZ_TRY(bez_log_load(log, &log->state, err));
  *out = log;
  return BEZ_OK;
cleanup:
  bez_log_close(log);
  return st;
}

void bez_log_close(bez_log *log) {
  if (!log) return;
  bez_log_state_free(log->state);
  free(log->folder);
  free(log->origin);
  free(log);
}

bez_status bez_log_refresh(bez_log *log, bez_error *err) {
  bez_log_state *now = NULL, *was = log->state;
  uint8_t root[BEZ_MERKLE_HASH];
  bez_status st = bez_log_load(log, &now, err);
  if (st != BEZ_OK) return st;
  log->state = now;
  if (now->size < was->size)
    st = bez_fail(err, BEZ_FORMAT, log->folder, "the log had %llu entries and has %llu: entries were taken away",
                  (unsigned long long)was->size, (unsigned long long)now->size);
  if (st == BEZ_OK) st = bez_log_root_at(log, was->size, root, err);
  if (st == BEZ_OK && memcmp(root, was->root, sizeof root) != 0)
    st = bez_fail(err, BEZ_FORMAT, log->folder, "the log is no continuation of what it was: its history was replaced");
  if (st != BEZ_OK) bez_log_forget(log);
  log->state = st == BEZ_OK ? now : was;
  bez_log_state_free(st == BEZ_OK ? was : now);
  return st;
}

uint64_t bez_log_size(const bez_log *log) {
  return log->state->size;
}

void bez_log_root(const bez_log *log, uint8_t out[32]) {
  memcpy(out, log->state->root, BEZ_MERKLE_HASH);
}

uint64_t bez_log_signed_size(const bez_log *log) {
  return log->state->signed_size;
}

bez_status bez_log_root_at(bez_log *log, uint64_t size, uint8_t out[32], bez_error *err) {
  bez_merkle_source source = bez_log_source(log);
  if (size > log->state->size)
    return bez_fail(err, BEZ_USAGE, log->folder, "the log has %llu entries, not %llu",
                    (unsigned long long)log->state->size, (unsigned long long)size);
  return bez_merkle_range(&source, 0, size, out, err);
}
