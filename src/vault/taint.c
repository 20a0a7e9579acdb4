/* What a name stands for: a key, a source, a commit or a row, as batches and digests. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "crypto/digest.h"
#include "vault/impact.h"
#include "vault/index.h"
#include "vault/row.h"

void bez_taint_free(bez_taint *taint) {
  bez_buf_free(&taint->batches);
  bez_buf_free(&taint->digests);
}

bool bez_taint_has(const bez_taint *taint, const bez_batch *batch) {
  for (size_t at = 0; at < taint->batches.len; at += sizeof batch->bytes)
    if (!memcmp(taint->batches.data + at, batch->bytes, sizeof batch->bytes)) return true;
  return false;
}

/* Takes all batches that a query answers. */
static bez_status take_batches(bez_query *query, bez_taint *out, bez_error *err) {
  bool more = false;
  size_t len;
  bez_status st = BEZ_OK;
  for (;;) {
    BEZ_TRY(bez_query_next(query, &more, err));
    if (!more) break;
    const void *batch = bez_query_blob(query, 0, &len);
    if (len == 16) bez_buf_write(&out->batches, batch, len);
  }
  st = bez_buf_status(&out->batches, err);
cleanup:
  return st;
}

static bez_status of_fingerprint(bez_vault *vault, const char *fingerprint, int64_t since, bez_taint *out,
                                 bez_error *err) {
  bez_query query = {0};
  bez_status st = bez_query_begin(vault->index, &query, err,
                                  "SELECT s.batch FROM submissions s JOIN entries e ON e.i=s.i JOIN versions v ON "
                                  "v.submission_i=s.i JOIN entries c ON c.i=v.commit_i WHERE e.who=? AND "
                                  "max(e.time,c.time)>=?",
                                  "ti", fingerprint, since);
  if (st == BEZ_OK) st = take_batches(&query, out, err);
  bez_query_end(&query);
  return st;
}

/* "alice" has keys; those that submitted something are in the index. */
static bez_status of_key(bez_vault *vault, const char *whom, int64_t since, bez_taint *out, bool *known,
                         bez_error *err) {
  bez_query query = {0};
  bez_entry entry = {0};
  bool more = false;
  bez_status st = BEZ_OK;
  *known = !strncmp(whom, "SHA256:", 7);
  if (*known) return of_fingerprint(vault, whom, since, out, err);
  BEZ_TRY(bez_query_begin(vault->index, &query, err,
                          "SELECT who, min(i) FROM entries WHERE type='submission' AND who IS NOT NULL GROUP BY who",
                          ""));
  for (;;) {
    BEZ_TRY(bez_query_next(&query, &more, err));
    if (!more) break;
    BEZ_TRY(bez_vault_entry(vault, (uint64_t)bez_query_int(&query, 1), &entry, err));
    if (entry.n_keys && !strcmp(bez_trust_principal(vault->trust, entry.keys[0]), whom)) {
      *known = true;
      BEZ_TRY(of_fingerprint(vault, bez_query_text(&query, 0), since, out, err));
    }
    bez_entry_free(&entry);
    entry = (bez_entry){0};
  }
cleanup:
  bez_entry_free(&entry);
  bez_query_end(&query);
  return st;
}

static bez_status of_source(bez_vault *vault, const char *source, bez_taint *out, bool *known, bez_error *err) {
  bez_query query = {0};
  *known = bez_trust_source(vault->trust, source) != NULL;
  bez_status st =
      bez_query_begin(vault->index, &query, err,
                      "SELECT s.batch FROM submissions s JOIN entries e ON e.i=s.i WHERE e.source=?", "t", source);
  if (st == BEZ_OK) st = take_batches(&query, out, err);
  bez_query_end(&query);
  *known = *known || out->batches.len;
  return st;
}

static bez_status of_commit(bez_vault *vault, const char *digits, bez_taint *out, bool *known, bez_error *err) {
  bez_query query = {0};
  size_t len = strlen(digits);
  *known = false;
  if (len < 7 || len > 64 || strspn(digits, "0123456789abcdefABCDEF") != len) return BEZ_OK;
  bez_status st = bez_query_begin(vault->index, &query, err,
                                  "SELECT batch FROM versions WHERE substr(lower(hex(commit_id)),1,?)=lower(?)", "it",
                                  (int64_t)len, digits);
  if (st == BEZ_OK) st = take_batches(&query, out, err);
  bez_query_end(&query);
  *known = out->batches.len > 0;
  return st;
}

/* "train.csv@3#17", or a canonical digest. */
static bez_status of_row(bez_vault *vault, const char *what, bez_taint *out, bool *known, bez_error *err) {
  bez_snapshot s = {0};
  bez_row row = {0};
  uint8_t digest[32];
  char *text = NULL, *end = NULL;
  const char *hash = strrchr(what, '#');
  bez_status st = BEZ_OK;
  *known = hash || (strlen(what) == 64 && bez_unhex(what, digest, sizeof digest));
  if (hash) {
    unsigned long long number = strtoull(hash + 1, &end, 10);
    if (!hash[1] || *end) BEZ_TRY(bez_fail(err, BEZ_USAGE, what, "a row is written DATA@VERSION#NUMBER"));
    text = strndup(what, (size_t)(hash - what));
    if (!text) BEZ_TRY(bez_fail_memory(err, strlen(what)));
    BEZ_TRY(bez_snapshot_find(vault, text, &s, err));
    const json_int_t n_files = json_integer_value(json_object_get(s.entry.body, "n_files"));
    BEZ_TRY(bez_row_read(vault->objects, &s.rows, (uint64_t)n_files, number, &row, err));
    memcpy(digest, row.canonical, sizeof digest);
  }
  if (*known) bez_buf_write(&out->digests, digest, sizeof digest);
  st = bez_buf_status(&out->digests, err);
cleanup:
  free(text);
  bez_row_free(&row);
  bez_snapshot_free(&s);
  return st;
}

static bez_status of_kind(bez_vault *vault, const char *kind, const char *what, int64_t since, bez_taint *out,
                          bool *known, bez_error *err) {
  out->kind = kind;
  if (!strcmp(kind, "key")) return of_key(vault, what, since, out, known, err);
  if (!strcmp(kind, "source")) return of_source(vault, what, out, known, err);
  if (!strcmp(kind, "commit")) return of_commit(vault, what, out, known, err);
  return of_row(vault, what, out, known, err);
}

bez_status bez_taint_find(bez_vault *vault, const char *kind, const char *what, int64_t since, bez_taint *out,
                          bez_error *err) {
  static const char *const kinds[] = {"key", "source", "commit", "row"};
  bool known = false;
  bez_status st = BEZ_OK;
  if (kind) {
    st = of_kind(vault, kind, what, since, out, &known, err);
    if (st == BEZ_OK && !known) st = bez_fail(err, BEZ_USAGE, what, "no %s of that name is in the vault", kind);
    return st;
  }
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    bez_taint one = {0};
    if (!strcmp(kinds[i], "row") && out->kind) break; /* 64 digits that are a commit's are no row's */
    st = of_kind(vault, kinds[i], what, since, &one, &known, err);
    if (st == BEZ_OK && known && out->kind)
      st = bez_fail(err, BEZ_USAGE, what, "is both a %s and a %s: say which with --kind", out->kind, kinds[i]);
    if (st == BEZ_OK && known) {
      *out = one;
      one = (bez_taint){0};
    }
    bez_taint_free(&one);
    if (st != BEZ_OK) return st;
  }
  if (out->kind) return BEZ_OK;
  return bez_fail(err, BEZ_USAGE, what,
                  "is no key, principal, source, commit or row (DATA@VERSION#NUMBER) of this vault");
}
