#include "crypto/rekor.h"

#include <string.h>

#include "base/base64.h"
#include "base/error.h"
#include "crypto/checkpoint.h"
#include "crypto/json_bytes.h"

enum { MAX_PROOF = 64 /* hashes: of a log of 2^64 entries */ };

typedef struct rekor_reader {
  const json_t *entry;
  const char *subject;
  const bez_log *log;
  bez_bytes body;
  bez_rekor_record record;
  uint64_t proven; /* the leaf's number, by the inclusion proof */
} rekor_reader;

/* ---- the log's promise --------------------------------------------------------------------------------------------
 */

/* What the log signs when it takes an entry in: RFC 8785 form of four members. */
static void put_promise(bez_buf *out, const rekor_reader *r) {
  char id[65];
  bez_json j = bez_json_make(out, false);
  bez_hex(r->log->id, 32, id);
  bez_json_open(&j, '{');
  bez_json_kstr(&j, "body", bez_json_text(r->entry, "canonicalizedBody"));
  bez_json_kuint(&j, "integratedTime", (uint64_t)r->record.at);
  bez_json_kstr(&j, "logID", id);
  bez_json_kuint(&j, "logIndex", r->record.index);
  bez_json_close(&j, '}');
}

/* Rekor v2 gives no promise and no time. */
static bez_status check_promise(rekor_reader *r, bez_arena *arena, bez_error *err) {
  const json_t *promise = json_object_get(json_object_get(r->entry, "inclusionPromise"), "signedEntryTimestamp");
  uint64_t at = 0;
  bez_bytes signature;
  bez_buf text = {0};
  r->record.at = INT64_MIN;
  if (!promise || json_is_null(promise)) return BEZ_OK;
  bez_status st = bez_json_bytes(arena, promise, r->subject, "signed entry time", &signature, err);
  if (st != BEZ_OK) return st;
  if (!bez_json_count(json_object_get(r->entry, "integratedTime"), &at) || !at)
    return bez_fail(err, BEZ_FORMAT, r->subject, "the log's entry has no time");
  r->record.at = (int64_t)at;
  put_promise(&text, r);
  BEZ_TRY(bez_buf_status(&text, err));
  if (!bez_log_signed(r->log, text.data, text.len, signature.data, signature.len))
    BEZ_TRY(bez_fail(err, BEZ_FORMAT, r->subject, "the signed entry time is not the log's over this entry"));
  if (r->record.at < r->log->from || r->record.at > r->log->until)
    BEZ_TRY(bez_fail(err, BEZ_FORMAT, r->subject, "the log was not trusted at the time of its entry"));
cleanup:
  bez_buf_free(&text);
  return st;
}

/* ---- its proof ----------------------------------------------------------------------------------------------------
 */

/* By any signature line whose hint is the log's key. */
static bool checkpoint_signed(const bez_checkpoint *checkpoint, const bez_log *log) {
  bez_note_signature line;
  for (const char *at = checkpoint->signatures; bez_note_next(&at, &line);)
    if (!memcmp(line.hint, log->id, sizeof line.hint) &&
        bez_log_signed(log, checkpoint->text, checkpoint->len, line.bytes, line.len))
      return true;
  return false;
}

static bez_status read_hashes(const json_t *list, const char *subject, uint8_t *out, size_t *n, bez_error *err) {
  *n = json_array_size(list);
  if (*n > MAX_PROOF) return bez_fail(err, BEZ_FORMAT, subject, "an inclusion proof of %zu hashes", *n);
  bez_status st = BEZ_OK;
  for (size_t i = 0; i < *n && st == BEZ_OK; i++)
    st = bez_json_digest(json_array_get(list, i), out + i * BEZ_MERKLE_HASH, BEZ_MERKLE_HASH, subject,
                         "hash of the inclusion proof", err);
  return st;
}

static bez_status check_inclusion(rekor_reader *r, bez_error *err) {
  const json_t *proof = json_object_get(r->entry, "inclusionProof");
  const char *note = bez_json_text(json_object_get(proof, "checkpoint"), "envelope");
  uint8_t hashes[MAX_PROOF * BEZ_MERKLE_HASH], leaf[BEZ_MERKLE_HASH], root[BEZ_MERKLE_HASH];
  uint64_t index = 0, size = 0;
  size_t n = 0;
  bez_checkpoint checkpoint;
  bez_error why = {0};
  if (!json_is_object(proof) || !*note)
    return bez_fail(err, BEZ_FORMAT, r->subject, "the log's entry has no inclusion proof with a checkpoint");
  if (!bez_json_count(json_object_get(proof, "logIndex"), &index) ||
      !bez_json_count(json_object_get(proof, "treeSize"), &size))
    return bez_fail(err, BEZ_FORMAT, r->subject, "the inclusion proof has no index and size");
  bez_status st = read_hashes(json_object_get(proof, "hashes"), r->subject, hashes, &n, err);
  if (st == BEZ_OK) st = bez_checkpoint_parse(note, r->subject, &checkpoint, err);
  if (st == BEZ_OK) st = bez_merkle_leaf(r->body.data, r->body.len, leaf, err);
  if (st != BEZ_OK) return st;
  if (bez_merkle_root(leaf, index, size, hashes, n, root, &why) != BEZ_OK)
    return bez_fail(err, BEZ_FORMAT, r->subject, "%s", why.message);
  if (checkpoint.size != size || memcmp(root, checkpoint.root, sizeof root) != 0)
    return bez_fail(err, BEZ_FORMAT, r->subject, "the inclusion proof does not lead to the log's checkpoint");
  if (!checkpoint_signed(&checkpoint, r->log))
    return bez_fail(err, BEZ_FORMAT, r->subject, "the checkpoint is not signed by a log of the trusted root");
  r->proven = index;
  return BEZ_OK;
}

/* ---- an entry -----------------------------------------------------------------------------------------------------
 */

static bez_status find_log(rekor_reader *r, const bez_trusted_root *root, bez_error *err) {
  uint8_t id[32];
  const json_t *given = json_object_get(json_object_get(r->entry, "logId"), "keyId");
  bez_status st = bez_json_digest(given, id, sizeof id, r->subject, "log's id", err);
  if (st != BEZ_OK) return st;
  r->log = bez_log_find(root->logs, root->n_logs, id, INT64_MIN);
  if (!r->log) return bez_fail(err, BEZ_FORMAT, r->subject, "the entry is of no transparency log of the trusted root");
  r->record.log_url = r->log->url;
  return BEZ_OK;
}

bez_status bez_rekor_verify(const json_t *entry, const bez_bundle *bundle, const bez_trusted_root *root,
                            const char *subject, bez_rekor_record *out, bez_error *err) {
  rekor_reader r = {.entry = entry, .subject = subject};
  bez_arena arena = {0};
  bez_status st = BEZ_OK;
  const json_t *kind = json_object_get(entry, "kindVersion");
  BEZ_TRY(find_log(&r, root, err));
  BEZ_TRY(bez_json_bytes(&arena, json_object_get(entry, "canonicalizedBody"), subject, "body of the log's entry",
                         &r.body, err));
  if (!bez_json_count(json_object_get(entry, "logIndex"), &r.record.index))
    BEZ_TRY(bez_fail(err, BEZ_FORMAT, subject, "the log's entry has no index"));
  BEZ_TRY(bez_rekor_body(&r.body, bez_json_text(kind, "kind"), bez_json_text(kind, "version"), bundle, subject, err));
  BEZ_TRY(check_inclusion(&r, err));
  BEZ_TRY(check_promise(&r, &arena, err));
  if (r.record.at == INT64_MIN) r.record.index = r.proven; /* a promise alone vouches for the entry's own number */
  *out = r.record;
cleanup:
  bez_arena_free(&arena);
  return st;
}
