/* The log's side: asking witnesses, and keeping what they signed. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "ledger/log_internal.h"
#include "ledger/proof_text.h"

bez_status bez_witness_request(bez_log *log, uint64_t old_size, bez_buf *out, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_buf hashes = {0};
  const bez_log_state *state = log->state;
  if (!state->checkpoint.len)
    return bez_fail(err, BEZ_USAGE, log->folder, "the log has no signed checkpoint yet: bezoar vault checkpoint");
  BEZ_TRY(bez_log_consistency(log, old_size, state->signed_size, &hashes, err));
  bez_buf_clear(out);
  bez_buf_printf(out, "old %llu\n", (unsigned long long)old_size);
  bez_text_put_hashes(out, hashes.data, hashes.len);
  bez_buf_putc(out, '\n');
  bez_buf_write(out, state->checkpoint.data, state->checkpoint.len);
  st = bez_buf_status(out, err);
cleanup:
  bez_buf_free(&hashes);
  return st;
}

/* The witness whose line this is, as its name and hint have it; NULL: of nobody we know. */
static const bez_vkey *witness_of(const char *line, size_t len, const bez_witnesses *witnesses) {
  char text[BEZ_NOTE_NAME + 2 * BEZ_NOTE_SIGNATURE];
  const char *at = text;
  bez_note_signature signature;
  if (len >= sizeof text) return NULL;
  memcpy(text, line, len);
  text[len] = '\0';
  if (!bez_note_next(&at, &signature)) return NULL;
  for (size_t i = 0; i < witnesses->n; i++) {
    const bez_vkey *key = &witnesses->keys[i];
    if (key->kind == BEZ_NOTE_COSIGNATURE && signature.name_len == strlen(key->name) &&
        !memcmp(signature.name, key->name, signature.name_len) && !memcmp(signature.hint, key->hint, 4))
      return key;
  }
  return NULL;
}

/* The checkpoint with a line below it; *better: the line is of the witness, holds, and is newer than what was there. */
static bez_status try_line(const bez_buf *note, const bez_vkey *key, const char *line, size_t len, bez_buf *out,
                           bool *better, bez_error *err) {
  bez_checkpoint was, is;
  bool found = false;
  uint64_t before = 0, time = 0;
  bez_buf alone = {0};
  bez_status st = bez_checkpoint_parse(note->data, "checkpoint", &was, err);
  if (st != BEZ_OK) return st;
  BEZ_TRY(bez_note_verify(&was, key, "checkpoint", &found, &before, err));
  bez_buf_write(&alone, was.text, was.len);
  bez_buf_printf(&alone, "\n%.*s\n", (int)len, line);
  BEZ_TRY(bez_buf_status(&alone, err));
  BEZ_TRY(bez_checkpoint_parse(alone.data, "cosignature", &is, err));
  *better = false;
  BEZ_TRY(bez_note_check(alone.data, alone.len, "cosignature", err));
  BEZ_TRY(bez_note_verify(&is, key, "cosignature", better, &time, err));
  if (found && before >= time) *better = false;
  if (!*better) goto cleanup;
  bez_buf_clear(out);
  bez_buf_write(out, was.text, was.len + 1); /* with the empty line */
  for (const char *at = was.signatures; *at;) {
    size_t n = strcspn(at, "\n") + 1;
    if (witness_of(at, n - 1, &(bez_witnesses){.keys = key, .n = 1}) == NULL) bez_buf_write(out, at, n);
    at += n;
  }
  bez_buf_printf(out, "%.*s\n", (int)len, line);
  st = bez_buf_status(out, err);
cleanup:
  bez_buf_free(&alone);
  return st;
}

bez_status bez_witness_take(bez_log *log, const char *lines, size_t len, const bez_witnesses *witnesses, size_t *added,
                            bez_error *err) {
  bez_status st = BEZ_OK;
  bez_buf note = {0}, next = {0};
  char *text = NULL;
  *added = 0;
  BEZ_TRY(bez_log_refresh(log, err));
  BEZ_TRY(bez_text_copy(lines, len, "cosignature", &text, err));
  BEZ_TRY(bez_log_checkpoint(log, &note, err));
  for (const char *at = text; *at; at += strcspn(at, "\n"), at += *at == '\n') {
    size_t n = strcspn(at, "\n");
    const bez_vkey *key = witness_of(at, n, witnesses);
    bool better = false;
    if (!key) continue;
    BEZ_TRY(try_line(&note, key, at, n, &next, &better, err));
    if (!better) continue;
    bez_buf was = note;
    note = next;
    next = was;
    ++*added;
  }
  if (!*added) goto cleanup;
  bez_buf was = log->state->checkpoint;
  log->state->checkpoint = note;
  note = was;
  st = bez_log_put_note(log, err);
  if (st != BEZ_OK) { /* as it was */
    note = log->state->checkpoint;
    log->state->checkpoint = was;
  }
cleanup:
  free(text);
  bez_buf_free(&note);
  bez_buf_free(&next);
  return st;
}
