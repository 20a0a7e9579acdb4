/* Asking the index, and adding to it. */
#include <stdarg.h>
#include <string.h>

#include "base/error.h"
#include "crypto/digest.h"
#include "vault/index_inside.h"

static bool bind_all(sqlite3_stmt *statement, const char *types, va_list values) {
  bool ok = true;
  for (int i = 1; *types && ok; types++, i++) {
    if (*types == 'i') {
      ok = sqlite3_bind_int64(statement, i, va_arg(values, int64_t)) == SQLITE_OK;
    } else if (*types == 't') {
      ok = sqlite3_bind_text(statement, i, va_arg(values, const char *), -1, SQLITE_TRANSIENT) == SQLITE_OK;
    } else {
      const void *bytes = va_arg(values, const void *);
      size_t len = va_arg(values, size_t);
      ok = sqlite3_bind_blob64(statement, i, bytes ? bytes : "", len, SQLITE_TRANSIENT) == SQLITE_OK;
    }
  }
  return ok;
}

static bez_status prepare(bez_index *index, bez_query *out, const char *sql, const char *types, va_list values,
                          bez_error *err) {
  sqlite3_stmt *statement = NULL;
  *out = (bez_query){0};
  if (sqlite3_prepare_v2(index->db, sql, -1, &statement, NULL) != SQLITE_OK || !bind_all(statement, types, values)) {
    bez_status st = bez_index_fail(index, err);
    sqlite3_finalize(statement);
    return st;
  }
  out->statement = statement;
  return BEZ_OK;
}

bez_status bez_query_begin(bez_index *index, bez_query *out, bez_error *err, const char *sql, const char *types, ...) {
  va_list values;
  va_start(values, types);
  bez_status st = prepare(index, out, sql, types, values, err);
  va_end(values);
  return st;
}

bez_status bez_query_next(bez_query *query, bool *more, bez_error *err) {
  int code = sqlite3_step(query->statement);
  *more = code == SQLITE_ROW;
  if (code == SQLITE_ROW || code == SQLITE_DONE) return BEZ_OK;
  if (code == SQLITE_NOMEM) return bez_fail_memory(err, 0);
  return bez_fail(err, BEZ_FORMAT, "index", "%s (bezoar vault reindex makes it anew)", sqlite3_errstr(code));
}

int64_t bez_query_int(const bez_query *query, int column) {
  return sqlite3_column_int64(query->statement, column);
}

const char *bez_query_text(const bez_query *query, int column) {
  const char *text = (const char *)sqlite3_column_text(query->statement, column);
  return text ? text : "";
}

const void *bez_query_blob(const bez_query *query, int column, size_t *len) {
  const void *bytes = sqlite3_column_blob(query->statement, column);
  *len = (size_t)sqlite3_column_bytes(query->statement, column);
  return bytes ? bytes : "";
}

void bez_query_end(bez_query *query) {
  sqlite3_finalize(query->statement);
  query->statement = NULL;
}

bez_status bez_index_run(bez_index *index, bez_error *err, const char *sql, const char *types, ...) {
  bez_query query = {0};
  bool more;
  va_list values;
  va_start(values, types);
  bez_status st = prepare(index, &query, sql, types, values, err);
  va_end(values);
  if (st == BEZ_OK) st = bez_query_next(&query, &more, err);
  bez_query_end(&query);
  index->unsaved++;
  return st;
}

static bez_status take_input(bez_index *index, const json_t *input, bez_error *err) {
  const char *dataset = json_string_value(json_object_get(input, "dataset"));
  int64_t version = json_integer_value(json_object_get(input, "version"));
  if (!dataset) return BEZ_OK;
  return bez_index_run(index, err, "INSERT INTO inputs VALUES(?,?,?)", "iti", (int64_t)index->size, dataset, version);
}

/* What a model was trained on, what a run read. */
static bez_status take_inputs(bez_index *index, const bez_entry *entry, bez_error *err) {
  size_t i;
  json_t *item;
  bez_status st = BEZ_OK;
  if (!strcmp(entry->type, "model")) {
    json_t *on = json_object_get(entry->body, "trained_on");
    if (!json_is_array(on)) return take_input(index, on, err);
    json_array_foreach(on, i, item) if (st == BEZ_OK) st = take_input(index, item, err);
  }
  if (!strcmp(entry->type, "run"))
    json_array_foreach(json_object_get(entry->body, "inputs"), i, item) if (st == BEZ_OK) st =
        take_input(index, item, err);
  return st;
}

static bez_status take_submission(bez_index *index, const bez_entry *entry, bez_error *err) {
  uint8_t batch[16], parent[32], run[32];
  const char *parent_hex = bez_entry_text(entry, "parent");
  size_t parent_len = *parent_hex ? 32 : 0;
  const char *batch_hex = bez_entry_text(entry, "batch");
  if (strlen(batch_hex) != 32 || !bez_unhex(batch_hex, batch, 16)) return BEZ_OK;
  if (parent_len && (strlen(parent_hex) != 64 || !bez_unhex(parent_hex, parent, 32))) return BEZ_OK;
  const char *run_hex = bez_entry_text(entry, "run");
  const size_t run_len = strlen(run_hex) == 64 && bez_unhex(run_hex, run, 32) ? 32 : 0;
  return bez_index_run(index, err, "INSERT INTO submissions VALUES(?,?,?,?,?,?)", "ibtbbb", (int64_t)index->size,
                       (const void *)entry->id.bytes, (size_t)BEZ_ID, bez_entry_text(entry, "dataset"),
                       (const void *)batch, sizeof batch, (const void *)parent, parent_len, (const void *)run, run_len);
}

bez_status bez_index_take(bez_index *index, const bez_entry *entry, const char *why, const uint8_t bytes_sha256[32],
                          bez_error *err) {
  const char *dataset = entry ? bez_entry_text(entry, "dataset") : "";
  const char *source = entry ? bez_entry_text(entry, "source") : "";
  const char *who = entry && entry->n_keys ? bez_ssh_key_fingerprint(entry->keys[0]) : NULL;
  int64_t version = entry ? json_integer_value(json_object_get(entry->body, "version")) : 0;
  bez_status st = bez_index_run(index, err, "INSERT INTO entries VALUES(?,?,?,?,?,?,?,?,?)", "ibtitittt",
                                (int64_t)index->size, (const void *)(entry ? entry->id.bytes : bytes_sha256),
                                (size_t)BEZ_ID, entry ? entry->type : "malformed", entry ? entry->seconds : (int64_t)0,
                                *dataset ? dataset : NULL, version, who, *source ? source : NULL, why);
  if (st == BEZ_OK && entry && !why && !strcmp(entry->type, "submission")) st = take_submission(index, entry, err);
  if (st == BEZ_OK && entry && !why) st = take_inputs(index, entry, err);
  index->size++;
  memcpy(index->last, bytes_sha256, 32);
  return st;
}

bez_status bez_index_add_version(bez_index *index, const bez_index_version *v, bez_error *err) {
  return bez_index_run(index, err, "INSERT INTO versions VALUES(?,?,?,?,?,?)", "tiiibb", v->dataset,
                       (int64_t)v->version, (int64_t)v->commit_i, (int64_t)v->submission_i,
                       (const void *)v->commit_id->bytes, (size_t)BEZ_ID, (const void *)v->batch, (size_t)16);
}
