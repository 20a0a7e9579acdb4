/* Checkpoints: the head, signed by the log's key. */
#include <string.h>

#include "base/error.h"
#include "ledger/log_internal.h"

bez_status bez_log_note(const bez_log *log, const char *body, size_t len, const bez_signer *key, bez_buf *out,
                        bez_error *err) {
  bez_vkey is;
  bez_status st = bez_vkey_of(log->key.name, BEZ_NOTE_ED25519, key, &is, err);
  if (st != BEZ_OK) return st;
  if (!bez_vkey_same(&is, &log->key))
    return bez_fail(err, BEZ_USAGE, log->folder, "%s is not the key that signs this log's checkpoints",
                    bez_ssh_key_fingerprint(bez_signer_public(key)));
  bez_buf_write(out, body, len);
  bez_buf_putc(out, '\n');
  return bez_note_sign(body, len, &log->key, 0, key, out, err);
}

bez_status bez_log_put_note(const bez_log *log, bez_error *err) {
  bez_buf path = {0};
  bez_buf_printf(&path, "%s/checkpoint", log->folder);
  bez_status st = bez_buf_status(&path, err);
  if (st == BEZ_OK)
    st = bez_log_put(log, path.data, log->state->checkpoint.data, log->state->checkpoint.len, NULL, err);
  bez_buf_free(&path); /* its name need not be waited for: the checkpoint before it is as good */
  return st;
}

bez_status bez_log_sign(bez_log *log, const bez_signer *log_key, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_buf note = {0}, was = log->state->checkpoint;
  uint64_t was_size = log->state->signed_size;
  if (was.len && was_size == log->state->size) return BEZ_OK;
  BEZ_TRY(bez_log_refresh(log, err)); /* what is signed is what lies there */
  was = log->state->checkpoint;
  was_size = log->state->signed_size;
  BEZ_TRY(bez_log_note(log, log->state->head.data, log->state->head.len, log_key, &note, err));
  log->state->checkpoint = note;
  log->state->signed_size = log->state->size;
  note = (bez_buf){0};
  st = bez_log_put_note(log, err);
  if (st != BEZ_OK) {
    bez_buf_free(&log->state->checkpoint);
    log->state->checkpoint = was;
    log->state->signed_size = was_size;
    return st;
  }
  bez_buf_free(&was);
  bez_log_drop(log, was_size);
cleanup:
  bez_buf_free(&note);
  return st;
}

bez_status bez_log_checkpoint(bez_log *log, bez_buf *out, bez_error *err) {
  if (!log->state->checkpoint.len) return bez_fail(err, BEZ_USAGE, log->folder, "the log has no signed checkpoint yet");
  bez_buf_clear(out);
  bez_buf_write(out, log->state->checkpoint.data, log->state->checkpoint.len);
  return bez_buf_status(out, err);
}
