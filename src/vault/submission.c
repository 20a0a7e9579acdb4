/* Submissions and commits as entries. */
#include <openssl/rand.h>
#include <string.h>

#include "base/error.h"
#include "crypto/digest.h"
#include "vault/work.h"

void bez_json_khex(bez_json *j, const char *key, const uint8_t *bytes, size_t n) {
  char digits[2 * 64 + 1];
  bez_hex(bytes, n < 64 ? n : 64, digits);
  bez_json_kstr(j, key, digits);
}

bez_status bez_batch_draw(bez_batch *out, bez_error *err) {
  if (RAND_bytes(out->bytes, sizeof out->bytes) == 1) return BEZ_OK;
  return bez_fail(err, BEZ_IO, NULL, "no random numbers");
}

bool bez_submission_has_report(const bez_entry *submission) {
  uint8_t digest[BEZ_ID];
  bez_error malformed = {0};
  return bez_entry_hex(submission, "report", digest, sizeof digest, &malformed) == BEZ_OK;
}

static void write_submission(bez_json *j, const bez_submission *s) {
  bez_json_kstr(j, "dataset", s->dataset);
  bez_json_khex(j, "batch", s->batch.bytes, sizeof s->batch.bytes);
  bez_json_kstr(j, "source", s->source);
  if (s->parent->version)
    bez_json_khex(j, "parent", s->parent->commit.bytes, BEZ_ID);
  else
    bez_json_kstr(j, "parent", "");
  bez_json_khex(j, "rows", s->rows->id.bytes, BEZ_ID);
  bez_json_khex(j, "sorted", s->sorted->id.bytes, BEZ_ID);
  bez_json_khex(j, "provenance", s->provenance->id.bytes, BEZ_ID);
  bez_json_kuint(j, "n_rows", s->rows->top.rows);
  bez_json_kuint(j, "added", s->changes.added);
  bez_json_kuint(j, "removed", s->changes.removed);
  bez_json_kuint(j, "changed", s->changes.changed);
  bez_json_kuint(j, "n_files", s->n_files);
  bez_json_kuint(j, "bytes", s->bytes);
  bez_json_kstr(j, "form", s->form);
  bez_json_kstr(j, "note", s->note ? s->note : "");
  if (s->sha256) bez_json_khex(j, "sha256", s->sha256, 32);
  if (s->report) bez_json_khex(j, "report", s->report->bytes, BEZ_ID);
  if (s->run) bez_json_kstr(j, "run", s->run);
}

bez_status bez_submission_sign(const bez_vault *vault, const bez_submission *submission, const bez_signer *signer,
                               bez_buf *entry, bez_error *err) {
  bez_buf line = {0};
  bez_json j = bez_json_make(&line, false);
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_entry_begin(&j, "submission", vault->origin, bez_vault_now(), err));
  write_submission(&j, submission);
  bez_json_close(&j, '}');
  BEZ_TRY(bez_buf_status(&line, err));
  BEZ_TRY(bez_entry_sign(line.data, line.len, &signer, 1, entry, err));
cleanup:
  bez_buf_free(&line);
  return st;
}

bez_status bez_commit_sign(const bez_vault *vault, const char *message, const bez_commit_item *items, size_t n,
                           void (*extra)(bez_json *j, const void *ctx), const void *ctx, const bez_signer *signer,
                           bez_buf *entry, bez_error *err) {
  bez_buf line = {0};
  bez_json j = bez_json_make(&line, false);
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_entry_begin(&j, "commit", vault->origin, bez_vault_now(), err));
  bez_json_kstr(&j, "message", message);
  bez_json_key(&j, "datasets");
  bez_json_open(&j, '[');
  for (size_t i = 0; i < n; i++) {
    bez_json_open(&j, '{');
    bez_json_kstr(&j, "name", items[i].dataset);
    bez_json_kuint(&j, "version", items[i].version);
    bez_json_khex(&j, "submission", items[i].submission.bytes, BEZ_ID);
    bez_json_close(&j, '}');
  }
  bez_json_close(&j, ']');
  if (extra) extra(&j, ctx);
  bez_json_close(&j, '}');
  BEZ_TRY(bez_buf_status(&line, err));
  BEZ_TRY(bez_entry_sign(line.data, line.len, &signer, 1, entry, err));
cleanup:
  bez_buf_free(&line);
  return st;
}
