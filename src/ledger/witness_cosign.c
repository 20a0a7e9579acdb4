/* The witness's side: a log may only grow between two checkpoints that are cosigned. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "crypto/digest.h"
#include "crypto/sha256.h"
#include "ledger/log_internal.h"
#include "ledger/proof_text.h"

#define SUBJECT "request"

typedef struct request {
  uint64_t old_size;
  size_t n;
  uint8_t hashes[BEZ_PROOF_HASHES][BEZ_MERKLE_HASH];
  bez_checkpoint note;
  size_t origin_len; /* of the note's first line */
} request;

/* Where the witness stands with a log: the log's key, and the body of the checkpoint that was cosigned last. */
typedef struct standing {
  bez_buf path, text, key;
  uint64_t size;
  uint8_t root[BEZ_MERKLE_HASH];
} standing;

static bez_status parse(const char *text, request *out, bez_error *err) {
  const char *at = text;
  if (!bez_text_skip(&at, "old ") || !bez_text_number(&at, &out->old_size) ||
      !bez_text_hashes(&at, out->hashes, &out->n))
    return bez_fail(err, BEZ_FORMAT, SUBJECT, "no request to a witness (C2SP tlog-witness, add-checkpoint)");
  bez_status st = bez_note_check(at, strlen(at), SUBJECT, err);
  if (st == BEZ_OK) st = bez_checkpoint_parse(at, SUBJECT, &out->note, err);
  if (st != BEZ_OK) return st;
  out->origin_len = strcspn(out->note.text, "\n");
  if (out->old_size > out->note.size)
    return bez_fail(err, BEZ_FORMAT, SUBJECT, "a log of %llu entries does not continue one of %llu",
                    (unsigned long long)out->note.size, (unsigned long long)out->old_size);
  return BEZ_OK;
}

static void release(standing *s) {
  bez_buf_free(&s->path);
  bez_buf_free(&s->text);
  bez_buf_free(&s->key);
}

/* The file of a log; its name stands for witness and origin. Nothing there: size 0, key empty. */
static bez_status read_standing(const bez_cosigner *cosigner, const bez_vkey *self, const request *r, standing *out,
                                bez_error *err) {
  bez_status st = BEZ_OK;
  bez_sha256_state state;
  uint8_t digest[BEZ_SHA256];
  char name[2 * BEZ_SHA256 + 1];
  bez_buf note = {0};
  bez_checkpoint last;
  bez_sha256_begin(&state);
  bez_sha256_add(&state, self->key, sizeof self->key);
  bez_sha256_add(&state, r->note.text, r->origin_len);
  bez_sha256_end(&state, digest);
  bez_hex(digest, sizeof digest, name);
  bez_buf_printf(&out->path, "%s/%s", cosigner->folder, name);
  BEZ_TRY(bez_buf_status(&out->path, err));
  if (access(out->path.data, F_OK) != 0 && errno == ENOENT) goto cleanup;
  BEZ_TRY(bez_file_read(out->path.data, BEZ_LOG_NOTE, &out->text, err));
  const char *line = strchr(out->text.data, '\n');
  if (!line) BEZ_TRY(bez_fail(err, BEZ_FORMAT, out->path.data, "is damaged: it says no more what was cosigned"));
  bez_buf_write(&out->key, out->text.data, (size_t)(line - out->text.data));
  bez_buf_printf(&note, "%s\n\n", line + 1);
  BEZ_TRY(bez_buf_status(&out->key, err));
  BEZ_TRY(bez_buf_status(&note, err));
  BEZ_TRY(bez_checkpoint_parse(note.data, out->path.data, &last, err));
  out->size = last.size;
  memcpy(out->root, last.root, sizeof out->root);
cleanup:
  bez_buf_free(&note);
  return st;
}

/* By the key that this witness trusts for the log's origin. */
static bez_status check_log(const bez_cosigner *cosigner, const request *r, const standing *s, bez_vkey *log,
                            bez_error *err) {
  bool found = false;
  bez_vkey kept;
  const char *text = cosigner->log_key ? cosigner->log_key : s->key.len ? s->key.data : NULL;
  if (!text)
    return bez_fail(err, BEZ_USAGE, SUBJECT, "the log %.*s is not known to this witness: name its key",
                    (int)r->origin_len, r->note.text);
  bez_status st = bez_vkey_parse(text, "key of the log", log, err);
  if (st == BEZ_OK && s->key.len) st = bez_vkey_parse(s->key.data, s->path.data, &kept, err);
  if (st != BEZ_OK) return st;
  if (s->key.len && !bez_vkey_same(log, &kept))
    return bez_fail(err, BEZ_USAGE, SUBJECT, "the log %.*s was cosigned with another key before", (int)r->origin_len,
                    r->note.text);
  if (log->kind != BEZ_NOTE_ED25519 || strlen(log->name) != r->origin_len ||
      memcmp(log->name, r->note.text, r->origin_len) != 0)
    return bez_fail(err, BEZ_USAGE, SUBJECT, "the checkpoint is of the log %.*s, not of %s", (int)r->origin_len,
                    r->note.text, log->name);
  st = bez_note_verify(&r->note, log, SUBJECT, &found, NULL, err);
  if (st == BEZ_OK && !found)
    st = bez_fail(err, BEZ_FORMAT, SUBJECT, "the checkpoint is not signed by the log %s", log->name);
  return st;
}

static bez_status check_growth(const request *r, const standing *s, bez_error *err) {
  if (r->old_size != s->size)
    return bez_fail(err, BEZ_USAGE, SUBJECT,
                    "the last checkpoint cosigned has %llu entries; the request begins with %llu",
                    (unsigned long long)s->size, (unsigned long long)r->old_size);
  return bez_merkle_extends(s->size, s->root, r->note.size, r->note.root, r->hashes[0], r->n, err);
}

/* What will be stood by is on the disk before anybody can see the signature. */
static bez_status remember(const bez_cosigner *cosigner, const request *r, const standing *s, const bez_vkey *log,
                           bez_error *err) {
  bez_buf text = {0};
  bez_vkey_put(log, &text);
  bez_buf_putc(&text, '\n');
  bez_buf_write(&text, r->note.text, r->note.len);
  bez_status st = bez_buf_status(&text, err);
  if (st == BEZ_OK) st = bez_file_write(s->path.data, text.data, text.len, err);
  if (st == BEZ_OK) st = bez_log_sync(cosigner->folder, err);
  bez_buf_free(&text);
  return st;
}

/* One request at a time: looking and remembering are one step. */
static bez_status lock(const char *folder, int *fd, bez_error *err) {
  bez_buf path = {0};
  if (mkdir(folder, 0777) != 0 && errno != EEXIST) return bez_fail_errno(err, folder, "cannot make the folder");
  bez_buf_printf(&path, "%s/lock", folder);
  bez_status st = bez_buf_status(&path, err);
  if (st == BEZ_OK) {
    *fd = open(path.data, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (*fd < 0 || flock(*fd, LOCK_EX) != 0) st = bez_fail_errno(err, path.data, "cannot lock");
  }
  bez_buf_free(&path);
  return st;
}

bez_status bez_witness_cosign(const bez_cosigner *cosigner, const char *bytes, size_t len, bez_buf *line,
                              uint64_t *stands, bez_error *err) {
  bez_status st = BEZ_OK;
  int fd = -1;
  char *text = NULL;
  standing s = {0};
  bez_vkey self, log;
  request *r = calloc(1, sizeof *r);
  *stands = 0;
  if (!r) BEZ_TRY(bez_fail_memory(err, sizeof *r));
  BEZ_TRY(bez_text_copy(bytes, len, SUBJECT, &text, err));
  BEZ_TRY(parse(text, r, err));
  BEZ_TRY(bez_vkey_of(cosigner->name, BEZ_NOTE_COSIGNATURE, cosigner->signer, &self, err));
  BEZ_TRY(lock(cosigner->folder, &fd, err));
  BEZ_TRY(read_standing(cosigner, &self, r, &s, err));
  *stands = s.size;
  BEZ_TRY(check_log(cosigner, r, &s, &log, err));
  BEZ_TRY(check_growth(r, &s, err));
  BEZ_TRY(remember(cosigner, r, &s, &log, err));
  st = bez_note_sign(r->note.text, r->note.len, &self, cosigner->now, cosigner->signer, line, err);
cleanup:
  if (fd >= 0) close(fd);
  release(&s);
  free(text);
  free(r);
  return st;
}
