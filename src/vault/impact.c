/* bezoar vault impact: every later version, run and model that inherited it. */
#include "vault/impact.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "crypto/digest.h"
#include "vault/answer.h"
#include "vault/index.h"
#include "vault/remake.h"
#include "vault/work.h"

typedef struct affected {
  char *dataset;
  uint64_t version, rows;
  bez_id commit;
} affected;

typedef struct spread {
  bez_vault *vault;
  bez_taint taint;
  affected *versions;
  size_t n_versions, cap;
  bez_buf runs; /* uint64_t indices of run entries */
} spread;

static void spread_free(spread *s) {
  for (size_t i = 0; i < s->n_versions; i++) free(s->versions[i].dataset);
  free(s->versions);
  bez_buf_free(&s->runs);
  bez_taint_free(&s->taint);
}

typedef struct counter {
  const bez_taint *taint;
  uint64_t rows;
} counter;

static bez_status count_run(void *ctx, const bez_run *run, bez_error *err) {
  counter *c = ctx;
  (void)err;
  if (bez_taint_has(c->taint, &run->batch)) c->rows += run->n_rows;
  return BEZ_OK;
}

/* Rows of a version that are of tainted batches, or are tainted themselves. */
static bez_status count_rows(spread *s, bez_snapshot *version, uint64_t *rows, bez_error *err) {
  counter c = {.taint = &s->taint};
  bez_status st = BEZ_OK;
  if (s->taint.batches.len) BEZ_TRY(bez_provenance_each(s->vault->objects, &version->provenance, count_run, &c, err));
  for (size_t at = 0; at < s->taint.digests.len; at += 32) {
    uint64_t count = 0;
    if (version->sorted.height == UINT8_MAX) BEZ_TRY(bez_sorted_remake(s->vault, version, &version->sorted, err));
    BEZ_TRY(
        bez_sorted_find(s->vault->sorted, &version->sorted, (const uint8_t *)s->taint.digests.data + at, &count, err));
    c.rows += count;
  }
  *rows = c.rows;
cleanup:
  return st;
}

static affected *find_affected(const spread *s, const char *dataset, uint64_t version) {
  for (size_t i = 0; i < s->n_versions; i++)
    if (s->versions[i].version == version && !strcmp(s->versions[i].dataset, dataset)) return &s->versions[i];
  return NULL;
}

static bez_status add_affected(spread *s, const bez_snapshot *version, uint64_t rows, bez_error *err) {
  if (s->n_versions == s->cap) {
    size_t cap = s->cap ? 2 * s->cap : 32;
    affected *grown = realloc(s->versions, cap * sizeof *grown);
    if (!grown) return bez_fail_memory(err, cap * sizeof *grown);
    s->versions = grown;
    s->cap = cap;
  }
  char *dataset = strdup(version->dataset);
  if (!dataset) return bez_fail_memory(err, strlen(version->dataset) + 1);
  s->versions[s->n_versions++] = (affected){dataset, version->version, rows, version->commit};
  return BEZ_OK;
}

/* Looks at every version once more; *grew: one came in, or has more such rows. */
static bez_status look_at_versions(spread *s, bool *grew, bez_error *err) {
  bez_query query = {0};
  bez_snapshot version = {0};
  bool more = false;
  uint64_t rows = 0;
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_query_begin(s->vault->index, &query, err,
                          "SELECT dataset, version FROM versions ORDER BY commit_i, dataset", ""));
  for (;;) {
    BEZ_TRY(bez_query_next(&query, &more, err));
    if (!more) break;
    BEZ_TRY(bez_snapshot_get(s->vault, bez_query_text(&query, 0), (uint64_t)bez_query_int(&query, 1), &version, err));
    BEZ_TRY(count_rows(s, &version, &rows, err));
    affected *known = find_affected(s, version.dataset, version.version);
    if (known) {
      *grew = *grew || known->rows != rows;
      known->rows = rows;
    } else if (rows) {
      *grew = true;
      BEZ_TRY(add_affected(s, &version, rows, err));
    }
    bez_snapshot_free(&version);
  }
cleanup:
  bez_snapshot_free(&version);
  bez_query_end(&query);
  return st;
}

static bool has_run(const spread *s, uint64_t index) {
  for (size_t at = 0; at < s->runs.len; at += sizeof index)
    if (!memcmp(s->runs.data + at, &index, sizeof index)) return true;
  return false;
}

/* What a tainted run made is tainted as a whole. */
static bez_status take_outputs(spread *s, uint64_t run, bez_error *err) {
  bez_query query = {0};
  bool more = false;
  size_t len;
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_query_begin(s->vault->index, &query, err,
                          "SELECT s.batch FROM submissions s JOIN entries e ON e.id=s.run WHERE e.i=?", "i",
                          (int64_t)run));
  for (;;) {
    BEZ_TRY(bez_query_next(&query, &more, err));
    if (!more) break;
    const void *bytes = bez_query_blob(&query, 0, &len);
    bez_batch batch;
    if (len != sizeof batch.bytes) continue;
    memcpy(batch.bytes, bytes, len);
    if (!bez_taint_has(&s->taint, &batch)) bez_buf_write(&s->taint.batches, batch.bytes, sizeof batch.bytes);
  }
  st = bez_buf_status(&s->taint.batches, err);
cleanup:
  bez_query_end(&query);
  return st;
}

static bez_status look_at_runs(spread *s, bez_error *err) {
  bez_query query = {0};
  bool more = false;
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_query_begin(s->vault->index, &query, err,
                          "SELECT n.i, n.dataset, n.version FROM inputs n JOIN entries e ON e.i=n.i WHERE "
                          "e.type='run' ORDER BY n.i",
                          ""));
  for (;;) {
    BEZ_TRY(bez_query_next(&query, &more, err));
    if (!more) break;
    const uint64_t index = (uint64_t)bez_query_int(&query, 0);
    if (has_run(s, index) || !find_affected(s, bez_query_text(&query, 1), (uint64_t)bez_query_int(&query, 2))) continue;
    bez_buf_write(&s->runs, &index, sizeof index);
    BEZ_TRY(bez_buf_status(&s->runs, err));
    BEZ_TRY(take_outputs(s, index, err));
  }
cleanup:
  bez_query_end(&query);
  return st;
}

static bez_status put_versions(const spread *s, bez_json *j, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_json_key(j, "versions");
  bez_json_open(j, '[');
  for (size_t i = 0; i < s->n_versions; i++) {
    bez_snapshot last = {0};
    bool found = false;
    BEZ_TRY(bez_snapshot_last(s->vault, s->versions[i].dataset, &last, &found, err));
    bez_json_open(j, '{');
    bez_json_kstr(j, "dataset", s->versions[i].dataset);
    bez_json_kuint(j, "version", s->versions[i].version);
    bez_json_khex(j, "commit", s->versions[i].commit.bytes, BEZ_ID);
    bez_json_kuint(j, "rows", s->versions[i].rows);
    bez_json_kbool(j, "latest", last.version == s->versions[i].version);
    bez_json_close(j, '}');
    bez_snapshot_free(&last);
  }
  bez_json_close(j, ']');
cleanup:
  return st;
}

static bez_status put_document(bez_json *j, const char *key, const json_t *value, bez_error *err) {
  char *text = value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
  if (value && !text) return bez_fail_memory(err, 0);
  bez_json_key(j, key);
  bez_json_raw(j, text ? text : "[]", text ? strlen(text) : 2);
  free(text);
  return BEZ_OK;
}

static bez_status put_runs(const spread *s, bez_json *j, bez_error *err) {
  bez_entry entry = {0};
  bez_status st = BEZ_OK;
  bez_json_key(j, "runs");
  bez_json_open(j, '[');
  for (size_t at = 0; at < s->runs.len; at += sizeof(uint64_t)) {
    uint64_t index;
    memcpy(&index, s->runs.data + at, sizeof index);
    BEZ_TRY(bez_vault_entry(s->vault, index, &entry, err));
    bez_json_open(j, '{');
    bez_json_khex(j, "run", entry.id.bytes, BEZ_ID);
    bez_json_kuint(j, "index", index);
    bez_json_kstr(j, "by", entry.n_keys ? bez_trust_principal(s->vault->trust, entry.keys[0]) : "");
    bez_json_kstr(j, "time", entry.time);
    BEZ_TRY(put_document(j, "inputs", json_object_get(entry.body, "inputs"), err));
    BEZ_TRY(put_document(j, "outputs", json_object_get(entry.body, "outputs"), err));
    bez_json_close(j, '}');
    bez_entry_free(&entry);
    entry = (bez_entry){0};
  }
  bez_json_close(j, ']');
cleanup:
  bez_entry_free(&entry);
  return st;
}

static bez_status put_model(const spread *s, bez_json *j, uint64_t index, const char *dataset, uint64_t version,
                            bez_error *err) {
  bez_entry entry = {0};
  bez_status st = bez_vault_entry(s->vault, index, &entry, err);
  if (st == BEZ_OK) {
    bez_json_open(j, '{');
    bez_json_kstr(j, "name", bez_entry_text(&entry, "name"));
    bez_json_kstr(j, "sha256", bez_entry_text(&entry, "sha256"));
    bez_json_kstr(j, "dataset", dataset);
    bez_json_kuint(j, "version", version);
    bez_json_kuint(j, "index", index);
    bez_json_kstr(j, "by", entry.n_keys ? bez_trust_principal(s->vault->trust, entry.keys[0]) : "");
    bez_json_kstr(j, "time", entry.time);
    bez_json_close(j, '}');
  }
  bez_entry_free(&entry);
  return st;
}

static bez_status put_models(const spread *s, bez_json *j, bez_error *err) {
  bez_query query = {0};
  bool more = false;
  bez_status st = BEZ_OK;
  bez_json_key(j, "models");
  bez_json_open(j, '[');
  BEZ_TRY(bez_query_begin(s->vault->index, &query, err,
                          "SELECT n.i, n.dataset, n.version FROM inputs n JOIN entries e ON e.i=n.i WHERE "
                          "e.type='model' ORDER BY n.i",
                          ""));
  for (;;) {
    BEZ_TRY(bez_query_next(&query, &more, err));
    if (!more) break;
    const uint64_t version = (uint64_t)bez_query_int(&query, 2);
    if (find_affected(s, bez_query_text(&query, 1), version))
      BEZ_TRY(put_model(s, j, (uint64_t)bez_query_int(&query, 0), bez_query_text(&query, 1), version, err));
  }
  bez_json_close(j, ']');
cleanup:
  bez_query_end(&query);
  return st;
}

bez_status bez_impact_write(bez_vault *vault, const char *kind, const char *what, int64_t since, bez_json *j,
                            bez_error *err) {
  spread s = {.vault = vault};
  bool grew = true;
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_taint_find(vault, kind, what, since, &s.taint, err));
  while (grew) {
    grew = false;
    BEZ_TRY(look_at_versions(&s, &grew, err));
    if (grew) BEZ_TRY(look_at_runs(&s, err));
  }
  bez_json_open(j, '{');
  bez_json_key(j, "of");
  bez_json_open(j, '{');
  bez_json_kstr(j, "kind", s.taint.kind);
  bez_json_kstr(j, "what", what);
  bez_json_close(j, '}');
  BEZ_TRY(put_versions(&s, j, err));
  BEZ_TRY(put_runs(&s, j, err));
  BEZ_TRY(put_models(&s, j, err));
  bez_json_close(j, '}');
cleanup:
  spread_free(&s);
  return st;
}

bez_status bez_vault_impact(bez_vault *vault, const char *kind, const char *what, char **json, bez_error *err) {
  bez_buf text = {0};
  bez_json j = bez_json_make(&text, false);
  bez_status st = bez_impact_write(vault, kind, what, INT64_MIN, &j, err);
  if (st == BEZ_OK) return bez_answer(&text, json, err);
  bez_buf_free(&text);
  return st;
}
