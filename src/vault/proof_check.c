/* bezoar vault verify-proof: nothing is believed but the log's key. */
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/error.h"
#include "crypto/digest.h"
#include "crypto/merkle.h"
#include "crypto/note.h"
#include "crypto/sha256.h"
#include "ledger/entry.h"
#include "ledger/log.h"
#include "ledger/proof_text.h"
#include "vault/answer.h"
#include "vault/proof.h"
#include "vault/proof_commit.h"
#include "vault/work.h"

#define SUBJECT "proof"

typedef struct checker {
  const bez_proof_check_options *options;
  bez_vkey log;
  bez_vkey *witness_keys;
  bez_witnesses witnesses; /* of witness_keys */
  bez_claims claims;
  bez_entry entry, commit;
  uint64_t index, commit_index, version, size;
  bez_buf rows; /* the file's rows: positions in claims, a size_t each */
} checker;

/* "NAME LENGTH\n" and so many bytes. */
static bool take_part(const char **at, const char *end, const char *name, bez_bytes_view *out) {
  uint64_t len;
  if (!bez_text_skip(at, name) || !bez_text_number(at, &len) || len > (uint64_t)(end - *at)) return false;
  *out = (bez_bytes_view){*at, (size_t)len};
  *at += len;
  return true;
}

/* The last line: so that no other byte passes for another claim. */
static bool take_end(const char *text, const char **at) {
  uint8_t digest[32];
  bez_buf want = {0};
  bez_sha256(text, (size_t)(*at - text), digest);
  bez_buf_puts(&want, "end ");
  bez_base64_put(&want, digest, sizeof digest);
  bez_buf_putc(&want, '\n');
  bool same = want.data && strcmp(*at, want.data) == 0;
  bez_buf_free(&want);
  return same;
}

static bez_status check_tree(const checker *c, const bez_row_claim *claim, bez_error *err) {
  bez_id tree;
  const char *member = claim->kind == BEZ_CLAIM_INCLUDED ? "rows" : "sorted";
  bez_status st = bez_entry_hex(&c->entry, member, tree.bytes, BEZ_ID, err);
  if (st == BEZ_OK && bez_id_compare(&tree, &claim->tree) != 0)
    st = bez_fail(err, BEZ_FORMAT, SUBJECT, "a claim is of another tree than the one that was signed");
  return st;
}

/* A quorum that the witnesses named cannot reach is a mistake, not a demand that nobody has to meet. */
static bez_status take_witnesses(checker *c, bez_error *err) {
  const bez_proof_check_options *o = c->options;
  bez_status st = BEZ_OK;
  if (o->quorum > o->n_witnesses)
    return bez_fail(err, BEZ_USAGE, "--quorum", "%zu witnesses are to have cosigned, and %zu are named", o->quorum,
                    o->n_witnesses);
  if (!o->n_witnesses) return BEZ_OK;
  c->witness_keys = calloc(o->n_witnesses, sizeof *c->witness_keys);
  if (!c->witness_keys) return bez_fail_memory(err, o->n_witnesses * sizeof *c->witness_keys);
  for (size_t i = 0; i < o->n_witnesses && st == BEZ_OK; i++)
    st = bez_vkey_parse(o->witnesses[i], "key of a witness", &c->witness_keys[i], err);
  c->witnesses = (bez_witnesses){c->witness_keys, o->n_witnesses, o->quorum};
  return st;
}

static bez_status check_witnessed(checker *c, bez_bytes_view log, bez_bytes_view entry, bez_error *err) {
  return bez_tlog_proof_witnessed(log.bytes, log.len, entry.bytes, entry.len, c->options->log_key, &c->witnesses,
                                  &c->index, &c->size, err);
}

static bez_status check_entry(checker *c, bez_bytes_view entry, bez_error *err) {
  bez_status st = bez_entry_parse(entry.bytes, entry.len, SUBJECT, &c->entry, err);
  if (st != BEZ_OK) return st;
  if (strcmp(c->entry.type, "submission") != 0) return bez_fail(err, BEZ_FORMAT, SUBJECT, "the entry is no submission");
  if (strcmp(c->entry.origin, c->log.name) != 0)
    return bez_fail(err, BEZ_FORMAT, SUBJECT, "the submission is of another vault, %s", c->entry.origin);
  if (!c->entry.n_keys) return bez_fail(err, BEZ_FORMAT, SUBJECT, "the submission is not signed");
  return BEZ_OK;
}

/* The tlog-proof of the commit: place, and what the submission's has from a byte on, its whole checkpoint at least. */
static bez_status check_place(checker *c, bez_bytes_view log, bez_bytes_view entry, bez_bytes_view place, uint64_t from,
                              bez_error *err) {
  bez_buf whole = {0};
  bez_status st = BEZ_OK;
  if (from > bez_tlog_proof_head(log.bytes, log.len))
    BEZ_TRY(bez_fail(err, BEZ_FORMAT, SUBJECT, "the commit's place in the log is malformed"));
  bez_buf_write(&whole, place.bytes, place.len);
  bez_buf_write(&whole, (const char *)log.bytes + from, log.len - (size_t)from);
  BEZ_TRY(bez_buf_status(&whole, err));
  BEZ_TRY(bez_tlog_proof_witnessed(whole.data, whole.len, entry.bytes, entry.len, c->options->log_key, &c->witnesses,
                                   &c->commit_index, &c->size, err));
  if (c->commit_index <= c->index)
    BEZ_TRY(bez_fail(err, BEZ_FORMAT, SUBJECT, "the commit stands before the submission"));
cleanup:
  bez_buf_free(&whole);
  return st;
}

static bez_status check_allowed(const checker *c, bez_error *err) {
  const bez_entry *const entries[] = {&c->entry, &c->commit};
  return c->options->allowed_signers ? bez_entries_signed_by(c->options->allowed_signers, entries, 2, err) : BEZ_OK;
}

static bez_status find_claim(void *ctx, const uint8_t canonical[32], bez_error *err) {
  checker *c = ctx;
  for (size_t i = 0; i < c->claims.n; i++) {
    if (memcmp(c->claims.items[i].canonical, canonical, 32) != 0) continue;
    bez_buf_write(&c->rows, &i, sizeof i);
    return bez_buf_status(&c->rows, err);
  }
  char hex[65];
  bez_hex(canonical, 32, hex);
  return bez_fail(err, BEZ_FORMAT, SUBJECT, "it says nothing about a row of %s, with the canonical digest %s",
                  c->options->rows, hex);
}

/* Absent and present are both answers; who needs one of them says which. */
static bez_status check_wanted(const checker *c, bez_error *err) {
  for (size_t i = 0; i < c->claims.n; i++) {
    const bez_row_claim *claim = &c->claims.items[i];
    char hex[65];
    if (c->options->want == BEZ_PROOF_ANY) continue;
    if ((claim->kind == BEZ_CLAIM_ABSENT) == (c->options->want == BEZ_PROOF_ABSENT)) continue;
    bez_hex(claim->canonical, 32, hex);
    return bez_fail(err, BEZ_FORMAT, SUBJECT, "it shows that a row with the canonical digest %s is %s", hex,
                    bez_claim_name(claim->kind));
  }
  return BEZ_OK;
}

static bez_status check_row_proof(checker *c, const char *text, size_t len, bez_error *err) {
  const char *at = text, *end = text + len;
  bez_bytes_view entry, log, commit, place;
  uint64_t from = 0;
  bez_status st = BEZ_OK;
  if (!bez_text_skip(&at, BEZ_ROW_PROOF)) return bez_fail(err, BEZ_FORMAT, SUBJECT, "is no proof of this version");
  while (strncmp(at, "claim ", 6) == 0) {
    bez_row_claim claim;
    BEZ_TRY(bez_claim_check(&at, &claim, err));
    BEZ_TRY(bez_claims_add(&c->claims, &claim, err));
  }
  bool whole = c->claims.n && take_part(&at, end, "submission ", &entry) && take_part(&at, end, "log ", &log) &&
               take_part(&at, end, "commit ", &commit) && bez_text_skip(&at, "from ") && bez_text_number(&at, &from) &&
               take_part(&at, end, "place ", &place) && take_end(text, &at);
  if (!whole) BEZ_TRY(bez_fail_at(err, BEZ_FORMAT, SUBJECT, -1, at - text, "malformed, or damaged"));
  BEZ_TRY(check_witnessed(c, log, entry, err));
  BEZ_TRY(check_entry(c, entry, err));
  BEZ_TRY(check_place(c, log, commit, place, from, err));
  BEZ_TRY(bez_commit_of_submission(commit, &c->entry, &c->commit, &c->version, err));
  BEZ_TRY(check_allowed(c, err));
  for (size_t i = 0; i < c->claims.n; i++) BEZ_TRY(check_tree(c, &c->claims.items[i], err));
  if (c->options->rows) BEZ_TRY(bez_rows_of_file(c->options->rows, find_claim, c, err));
  BEZ_TRY(check_wanted(c, err));
cleanup:
  return st;
}

static void write_rows(bez_json *j, const checker *c) {
  bez_json_key(j, "rows");
  bez_json_open(j, '[');
  for (size_t row = 0, at; row < c->rows.len / sizeof at; row++) {
    memcpy(&at, c->rows.data + row * sizeof at, sizeof at);
    bez_json_open(j, '{');
    bez_json_kuint(j, "row", row);
    bez_json_kstr(j, "claim", bez_claim_name(c->claims.items[at].kind));
    bez_json_khex(j, "canonical", c->claims.items[at].canonical, 32);
    bez_json_close(j, '}');
  }
  bez_json_close(j, ']');
}

static void write_signers(bez_json *j, const char *name, const bez_entry *entry) {
  bez_json_key(j, name);
  bez_json_open(j, '[');
  for (size_t i = 0; i < entry->n_keys; i++) bez_json_str(j, bez_ssh_key_fingerprint(entry->keys[i]));
  bez_json_close(j, ']');
}

static bez_status answer_row_proof(const checker *c, char **json, bez_error *err) {
  bez_buf text = {0};
  bez_json j = bez_json_make(&text, false);
  bez_json_open(&j, '{');
  bez_json_kbool(&j, "ok", true);
  bez_json_kstr(&j, "kind", "row");
  bez_json_kstr(&j, "log", c->log.name);
  bez_json_kuint(&j, "index", c->index);
  bez_json_kuint(&j, "size", c->size);
  bez_json_khex(&j, "entry", c->entry.id.bytes, BEZ_ID);
  bez_json_kstr(&j, "dataset", bez_entry_text(&c->entry, "dataset"));
  bez_json_kstr(&j, "time", c->entry.time);
  bez_json_kuint(&j, "n_rows", (uint64_t)json_integer_value(json_object_get(c->entry.body, "n_rows")));
  bez_json_kuint(&j, "version", c->version);
  bez_json_khex(&j, "commit", c->commit.id.bytes, BEZ_ID);
  bez_json_kuint(&j, "commit_index", c->commit_index);
  write_signers(&j, "contributors", &c->entry);
  write_signers(&j, "committers", &c->commit);
  bez_json_kbool(&j, "allowed", c->options->allowed_signers != NULL);
  bez_claims_write(&j, &c->claims);
  if (c->options->rows) write_rows(&j, c);
  bez_json_close(&j, '}');
  return bez_answer(&text, json, err);
}

/* ---- consistency ---- */

typedef struct growth {
  uint64_t size;
  uint8_t root[32];
  size_t n;
  uint8_t hashes[BEZ_PROOF_HASHES][BEZ_MERKLE_HASH];
  bez_checkpoint note;
} growth;

static bez_status parse_growth(const char *text, growth *out, bez_error *err) {
  const char *at = text;
  bool ok = bez_text_skip(&at, BEZ_CONSISTENCY_PROOF "size ") && bez_text_number(&at, &out->size) &&
            bez_text_skip(&at, "root ") && strcspn(at, "\n") == 44 && bez_base64_get(at, 44, out->root, 32);
  if (ok) at += 44;
  ok = ok && bez_text_skip(&at, "\n") && bez_text_hashes(&at, out->hashes, &out->n);
  if (!ok) return bez_fail_at(err, BEZ_FORMAT, SUBJECT, -1, at - text, "malformed, or damaged");
  bez_status st = bez_note_check(at, strlen(at), SUBJECT, err);
  return st == BEZ_OK ? bez_checkpoint_parse(at, SUBJECT, &out->note, err) : st;
}

static bez_status check_growth(const checker *c, const growth *g, bez_error *err) {
  bool found = false;
  size_t origin = strlen(c->log.name);
  bez_status st = bez_note_verify(&g->note, &c->log, SUBJECT, &found, NULL, err);
  if (st != BEZ_OK) return st;
  if (!found || strncmp(g->note.text, c->log.name, origin) != 0 || g->note.text[origin] != '\n')
    return bez_fail(err, BEZ_FORMAT, SUBJECT, "the checkpoint is not signed by %s", c->log.name);
  size_t have = 0;
  st = bez_witnesses_count(&c->witnesses, &g->note, SUBJECT, &have, NULL, err);
  if (st != BEZ_OK) return st;
  if (have < c->witnesses.quorum)
    return bez_fail(err, BEZ_FORMAT, SUBJECT, "%zu of the witnesses asked for cosigned the checkpoint; %zu have to",
                    have, c->witnesses.quorum);
  return bez_merkle_extends(g->size, g->root, g->note.size, g->note.root, g->hashes[0], g->n, err);
}

static void write_head(bez_json *j, const char *key, uint64_t size, const uint8_t root[32]) {
  bez_json_key(j, key);
  bez_json_open(j, '{');
  bez_json_kuint(j, "size", size);
  bez_json_khex(j, "root", root, 32);
  bez_json_close(j, '}');
}

static bez_status verify_growth(const checker *c, const char *text, char **json, bez_error *err) {
  bez_buf out = {0};
  growth *g = calloc(1, sizeof *g);
  if (!g) return bez_fail_memory(err, sizeof *g);
  bez_status st = parse_growth(text, g, err);
  if (st == BEZ_OK) st = check_growth(c, g, err);
  if (st == BEZ_OK) {
    bez_json j = bez_json_make(&out, false);
    bez_json_open(&j, '{');
    bez_json_kbool(&j, "ok", true);
    bez_json_kstr(&j, "kind", "consistency");
    bez_json_kstr(&j, "log", c->log.name);
    write_head(&j, "old", g->size, g->root);
    write_head(&j, "new", g->note.size, g->note.root);
    bez_json_close(&j, '}');
    st = bez_answer(&out, json, err);
  }
  free(g);
  return st;
}

bez_status bez_proof_verify(const char *proof, size_t len, const bez_proof_check_options *options, char **json,
                            bez_error *err) {
  checker c = {.options = options};
  char *text = NULL;
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_vkey_parse(options->log_key, "key of the log", &c.log, err));
  BEZ_TRY(take_witnesses(&c, err));
  BEZ_TRY(bez_text_copy(proof, len, SUBJECT, &text, err));
  if (strncmp(text, BEZ_CONSISTENCY_PROOF, strlen(BEZ_CONSISTENCY_PROOF)) == 0) {
    BEZ_TRY(verify_growth(&c, text, json, err));
  } else {
    BEZ_TRY(check_row_proof(&c, text, len, err));
    BEZ_TRY(answer_row_proof(&c, json, err));
  }
cleanup:
  bez_entry_free(&c.entry);
  bez_entry_free(&c.commit);
  free(c.witness_keys);
  free(c.claims.items);
  bez_buf_free(&c.rows);
  free(text);
  return st;
}
