/* bezoar vault prove: claims of a version's trees, the submission that signed the trees, and its place in the log. */
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/error.h"
#include "crypto/digest.h"
#include "crypto/sha256.h"
#include "ledger/proof_text.h"
#include "vault/answer.h"
#include "vault/proof.h"
#include "vault/proof_commit.h"
#include "vault/remake.h"
#include "vault/work.h"

bez_status bez_claims_add(bez_claims *claims, const bez_row_claim *claim, bez_error *err) {
  if (claims->n == BEZ_MOST_CLAIMS) return bez_fail(err, BEZ_LIMIT, "proof", "more than %u claims", BEZ_MOST_CLAIMS);
  if (!claims->items || claims->n == claims->cap) {
    size_t cap = claims->cap ? claims->cap * 2 : 4;
    bez_row_claim *more = realloc(claims->items, cap * sizeof *more);
    if (!more) return bez_fail_memory(err, cap * sizeof *more);
    claims->items = more;
    claims->cap = cap;
  }
  claims->items[claims->n++] = *claim;
  return BEZ_OK;
}

void bez_claims_write(bez_json *j, const bez_claims *claims) {
  static const char *const types[] = {"", "", "", "row", "file", "digest"};
  bez_json_key(j, "claims");
  bez_json_open(j, '[');
  for (size_t i = 0; i < claims->n; i++) {
    const bez_row_claim *claim = &claims->items[i];
    bez_json_open(j, '{');
    bez_json_kstr(j, "claim", bez_claim_name(claim->kind));
    bez_json_khex(j, "canonical", claim->canonical, 32);
    if (claim->kind == BEZ_CLAIM_INCLUDED) bez_json_khex(j, "raw", claim->raw, 32);
    if (claim->kind == BEZ_CLAIM_INCLUDED) bez_json_kstr(j, "type", types[claim->type]);
    if (claim->kind == BEZ_CLAIM_PRESENT) bez_json_kuint(j, "count", claim->count);
    bez_json_close(j, '}');
  }
  bez_json_close(j, ']');
}

typedef struct maker {
  bez_vault *vault;
  const bez_vault_prove_options *options;
  bez_snapshot version;
  bez_tree sorted;
  bez_claims claims;
  bez_buf text, digests;
  bez_signer *reader;
} maker;

static bez_status take_digest(void *ctx, const uint8_t canonical[32], bez_error *err) {
  bez_buf *digests = ctx;
  if (digests->len / 32 == BEZ_MOST_CLAIMS)
    return bez_fail(err, BEZ_LIMIT, "proof", "of more than %u rows", BEZ_MOST_CLAIMS);
  bez_buf_write(digests, canonical, 32);
  return bez_buf_status(digests, err);
}

/* The digests that are asked for. */
static bez_status read_digests(maker *m, bez_error *err) {
  uint8_t digest[32];
  if (m->options->rows) return bez_rows_of_file(m->options->rows, take_digest, &m->digests, err);
  if (strlen(m->options->digest) != 64 || !bez_unhex(m->options->digest, digest, 32))
    return bez_fail(err, BEZ_USAGE, m->options->digest, "is no canonical digest: 64 hexadecimal digits");
  return take_digest(&m->digests, digest, err);
}

static bez_status claim_digests(maker *m, bez_error *err) {
  bez_status st = BEZ_OK;
  for (size_t at = 0; at < m->digests.len && st == BEZ_OK; at += 32) {
    bez_row_claim claim;
    const uint8_t *digest = (const uint8_t *)m->digests.data + at;
    st = bez_claim_digest(m->vault->sorted, &m->sorted, digest, &m->text, &claim, err);
    if (st == BEZ_OK) st = bez_claims_add(&m->claims, &claim, err);
  }
  return st;
}

static bez_status claim_row(maker *m, bez_error *err) {
  bez_row_claim claim;
  json_int_t files = json_integer_value(json_object_get(m->version.entry.body, "n_files"));
  bez_status st =
      bez_claim_row(m->vault->objects, &m->version.rows, files == 1 ? 1 : 0, *m->options->row, &m->text, &claim, err);
  return st == BEZ_OK ? bez_claims_add(&m->claims, &claim, err) : st;
}

/* A sorted tree that was lost, or is damaged, is made again from the rows. */
static bez_status claim_sorted(maker *m, bez_error *err) {
  bez_error damage = {0};
  size_t begin = m->text.len;
  bez_status st = read_digests(m, err);
  if (st != BEZ_OK) return st;
  st = BEZ_FORMAT;
  m->sorted = m->version.sorted;
  if (m->sorted.height <= BEZ_TREE_HEIGHT) st = claim_digests(m, &damage);
  if (st != BEZ_FORMAT) {
    if (st != BEZ_OK && err) *err = damage;
    return st;
  }
  m->text.len = begin;
  m->claims.n = 0;
  st = bez_sorted_remake(m->vault, &m->version, &m->sorted, err);
  return st == BEZ_OK ? claim_digests(m, err) : st;
}

static bez_status write_claims(maker *m, bez_error *err) {
  return m->options->row ? claim_row(m, err) : claim_sorted(m, err);
}

static void put_part(bez_buf *out, const char *name, const bez_buf *part) {
  bez_buf_printf(out, "%s %zu\n", name, part->len);
  bez_buf_write(out, part->data, part->len);
}

/* The commit that took the submission in. Of its tlog-proof the end is left out that the submission's has, too:
 * the checkpoint, and the hashes that both paths need. */
static bez_status write_commit(maker *m, const bez_buf *log, bez_error *err) {
  bez_buf entry = {0}, place = {0};
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_log_read(m->vault->log, m->version.commit_index, &entry, err));
  BEZ_TRY(bez_log_inclusion(m->vault->log, m->version.commit_index, &place, err));
  const size_t from = bez_tlog_proof_shared(log, &place);
  if (from > bez_tlog_proof_head(log->data, log->len))
    BEZ_TRY(bez_fail(err, BEZ_USAGE, "log", "was signed anew meanwhile: try again"));
  place.len -= log->len - from;
  put_part(&m->text, "commit", &entry);
  bez_buf_printf(&m->text, "from %zu\n", from);
  put_part(&m->text, "place", &place);
cleanup:
  bez_buf_free(&entry);
  bez_buf_free(&place);
  return st;
}

/* The submission that signed the trees, the commit, where they stand in the log, and the digest of all that. */
static bez_status write_evidence(maker *m, bez_error *err) {
  bez_buf entry = {0}, log = {0};
  uint8_t digest[32];
  bez_status st = bez_log_read(m->vault->log, m->version.submission_index, &entry, err);
  if (st == BEZ_OK) st = bez_log_inclusion(m->vault->log, m->version.submission_index, &log, err);
  put_part(&m->text, "submission", &entry);
  put_part(&m->text, "log", &log);
  if (st == BEZ_OK) st = write_commit(m, &log, err);
  if (st == BEZ_OK) st = bez_buf_status(&m->text, err);
  if (st == BEZ_OK) {
    bez_sha256(m->text.data, m->text.len, digest);
    bez_buf_puts(&m->text, "end ");
    bez_base64_put(&m->text, digest, sizeof digest);
    bez_buf_putc(&m->text, '\n');
    st = bez_buf_status(&m->text, err);
  }
  bez_buf_free(&entry);
  bez_buf_free(&log);
  return st;
}

static bez_status record(maker *m, const char *why, bez_error *err) {
  bez_buf detail = {0};
  const bez_vault_prove_options *o = m->options;
  if (o->row)
    bez_buf_printf(&detail, "row %llu", (unsigned long long)*o->row);
  else if (o->digest)
    bez_buf_printf(&detail, "digest %.64s", o->digest);
  else
    bez_buf_printf(&detail, "%zu rows of a file", m->claims.n);
  bez_status st = bez_buf_status(&detail, err);
  if (st == BEZ_OK) st = bez_vault_record_access(m->vault, "proof", &m->version, m->reader, why, detail.data, err);
  bez_buf_free(&detail);
  return st;
}

static bez_status answer(maker *m, char **json, bez_error *err) {
  bez_buf text = {0};
  bez_json j = bez_json_make(&text, false);
  bez_json_open(&j, '{');
  bez_json_kstr(&j, "dataset", m->version.dataset);
  bez_json_kuint(&j, "version", m->version.version);
  bez_json_khex(&j, "commit", m->version.commit.bytes, BEZ_ID);
  bez_json_key(&j, "proof");
  bez_json_strn(&j, m->text.data, m->text.len);
  bez_json_kuint(&j, "bytes", m->text.len);
  bez_claims_write(&j, &m->claims);
  bez_json_kstr(&j, "reader", m->reader ? bez_trust_principal(m->vault->trust, bez_signer_public(m->reader)) : "");
  bez_json_close(&j, '}');
  return bez_answer(&text, json, err);
}

static bez_status make(maker *m, bez_error *err) {
  bez_buf_puts(&m->text, BEZ_ROW_PROOF);
  bez_status st = write_claims(m, err);
  if (st == BEZ_OK && !m->claims.n) st = bez_fail(err, BEZ_USAGE, m->options->rows, "has no rows");
  return st == BEZ_OK ? write_evidence(m, err) : st;
}

bez_status bez_vault_prove(bez_vault *vault, const bez_vault_prove_options *options, char **json, bez_error *err) {
  maker m = {.vault = vault, .options = options};
  bez_error unsaid = {0};
  bez_status st = BEZ_OK;
  if ((options->row != NULL) + (options->digest != NULL) + (options->rows != NULL) != 1)
    return bez_fail(err, BEZ_USAGE, "proof", "needs a row, a digest or a file with rows, one of them");
  BEZ_TRY(bez_snapshot_find(vault, options->version, &m.version, err));
  BEZ_TRY(bez_vault_open_reader(vault, "proof", m.version.dataset, options->reader, &m.reader, err));
  st = make(&m, err);
  if (st != BEZ_OK) {
    const char *why = err && err->message[0] ? err->message : bez_status_text(st);
    if (record(&m, why, &unsaid) != BEZ_OK) goto cleanup; /* the first failure is what is told */
    goto cleanup;
  }
  BEZ_TRY(record(&m, NULL, err));
  BEZ_TRY(answer(&m, json, err));
cleanup:
  bez_vault_act(vault, NULL);
  bez_signer_close(m.reader);
  bez_snapshot_free(&m.version);
  bez_buf_free(&m.text);
  bez_buf_free(&m.digests);
  free(m.claims.items);
  return st;
}

bez_status bez_vault_prove_consistency(bez_vault *vault, uint64_t old_size, uint64_t new_size, char **json,
                                       bez_error *err) {
  bez_buf text = {0}, hashes = {0}, note = {0}, out = {0};
  uint64_t is_signed = bez_log_signed_size(vault->log);
  uint8_t root[32];
  bez_status st = BEZ_OK;
  if (new_size && new_size != is_signed)
    BEZ_TRY(bez_fail(err, BEZ_USAGE, "log",
                     "the checkpoint covers %llu entries: of another size nobody signed the root (bezoar vault "
                     "checkpoint signs the newest)",
                     (unsigned long long)is_signed));
  BEZ_TRY(bez_log_root_at(vault->log, old_size, root, err));
  BEZ_TRY(bez_log_consistency(vault->log, old_size, is_signed, &hashes, err));
  BEZ_TRY(bez_log_checkpoint(vault->log, &note, err));
  bez_buf_puts(&text, BEZ_CONSISTENCY_PROOF);
  bez_buf_printf(&text, "size %llu\nroot ", (unsigned long long)old_size);
  bez_base64_put(&text, root, sizeof root);
  bez_buf_putc(&text, '\n');
  bez_text_put_hashes(&text, hashes.data, hashes.len);
  bez_buf_putc(&text, '\n');
  bez_buf_write(&text, note.data, note.len);
  BEZ_TRY(bez_buf_status(&text, err));
  bez_json j = bez_json_make(&out, false);
  bez_json_open(&j, '{');
  bez_json_kuint(&j, "old", old_size);
  bez_json_kuint(&j, "new", is_signed);
  bez_json_key(&j, "proof");
  bez_json_strn(&j, text.data, text.len);
  bez_json_kuint(&j, "bytes", text.len);
  bez_json_close(&j, '}');
  BEZ_TRY(bez_answer(&out, json, err));
cleanup:
  bez_buf_free(&text);
  bez_buf_free(&hashes);
  bez_buf_free(&note);
  bez_buf_free(&out);
  return st;
}
