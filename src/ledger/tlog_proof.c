/* Verifying a C2SP tlog-proof with nothing but keys. */
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/error.h"
#include "ledger/log_internal.h"
#include "ledger/proof_text.h"

#define SUBJECT "proof"
#define FIRST "c2sp.org/tlog-proof@v1\n"

typedef struct proof {
  uint64_t index;
  size_t n;
  uint8_t hashes[BEZ_PROOF_HASHES][BEZ_MERKLE_HASH];
  bez_checkpoint note;
} proof;

static bez_status parse(const char *text, proof *out, bez_error *err) {
  const char *at = text, *wrong = "no transparency log proof (C2SP tlog-proof, version 1)";
  if (!bez_text_skip(&at, FIRST)) return bez_fail(err, BEZ_FORMAT, SUBJECT, "%s", wrong);
  if (bez_text_skip(&at, "extra ")) {
    size_t len = strcspn(at, "\n"), size = 0; /* nothing vouches for it, and nothing here reads it */
    if (!bez_base64_size(at, len, &size) || at[len] != '\n') return bez_fail(err, BEZ_FORMAT, SUBJECT, "%s", wrong);
    at += len + 1;
  }
  if (!bez_text_skip(&at, "index ") || !bez_text_number(&at, &out->index))
    return bez_fail(err, BEZ_FORMAT, SUBJECT, "%s", wrong);
  if (!bez_text_hashes(&at, out->hashes, &out->n)) return bez_fail(err, BEZ_FORMAT, SUBJECT, "%s", wrong);
  bez_status st = bez_note_check(at, strlen(at), SUBJECT, err);
  return st == BEZ_OK ? bez_checkpoint_parse(at, SUBJECT, &out->note, err) : st;
}

/* The log signed it, and so did enough of the witnesses. */
static bez_status check_signatures(const proof *p, const bez_vkey *log, const bez_witnesses *witnesses,
                                   bez_error *err) {
  bool found = false;
  size_t have = 0, origin = strlen(log->name);
  bez_status st = bez_note_verify(&p->note, log, SUBJECT, &found, NULL, err);
  if (st != BEZ_OK) return st;
  if (!found) return bez_fail(err, BEZ_FORMAT, SUBJECT, "the proof's checkpoint is not signed by %s", log->name);
  if (strncmp(p->note.text, log->name, origin) != 0 || p->note.text[origin] != '\n')
    return bez_fail(err, BEZ_FORMAT, SUBJECT, "the proof is of another log than %s", log->name);
  if (!witnesses) return BEZ_OK;
  st = bez_witnesses_count(witnesses, &p->note, SUBJECT, &have, NULL, err);
  if (st == BEZ_OK && have < witnesses->quorum)
    st = bez_fail(err, BEZ_FORMAT, SUBJECT, "%zu of the witnesses asked for cosigned the checkpoint; %zu have to", have,
                  witnesses->quorum);
  return st;
}

bez_status bez_tlog_proof_witnessed(const char *text, size_t len, const void *entry, size_t entry_len, const char *vkey,
                                    const bez_witnesses *witnesses, uint64_t *index, uint64_t *size, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_vkey log;
  uint8_t leaf[BEZ_MERKLE_HASH], root[BEZ_MERKLE_HASH];
  proof *p = calloc(1, sizeof *p);
  char *copy = NULL;
  if (!p) BEZ_TRY(bez_fail_memory(err, sizeof *p));
  BEZ_TRY(bez_text_copy(text, len, SUBJECT, &copy, err));
  BEZ_TRY(bez_vkey_parse(vkey, "key of the log", &log, err));
  BEZ_TRY(parse(copy, p, err));
  BEZ_TRY(check_signatures(p, &log, witnesses, err));
  BEZ_TRY(bez_merkle_leaf(entry, entry_len, leaf, err));
  BEZ_TRY(bez_merkle_root(leaf, p->index, p->note.size, p->hashes[0], p->n, root, err));
  if (memcmp(root, p->note.root, sizeof root) != 0)
    BEZ_TRY(bez_fail(err, BEZ_FORMAT, SUBJECT, "the entry is not entry %llu of the log of %llu entries",
                     (unsigned long long)p->index, (unsigned long long)p->note.size));
  if (index) *index = p->index;
  if (size) *size = p->note.size;
cleanup:
  free(copy);
  free(p);
  return st;
}

bez_status bez_tlog_proof_verify(const char *text, size_t len, const void *entry, size_t entry_len, const char *vkey,
                                 uint64_t *index, uint64_t *size, bez_error *err) {
  return bez_tlog_proof_witnessed(text, len, entry, entry_len, vkey, NULL, index, size, err);
}
