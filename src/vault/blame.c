/* bezoar vault blame: a row's commit, contributor, source, transformations, and who read it. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "content/sorted.h"
#include "crypto/digest.h"
#include "vault/answer.h"
#include "vault/index.h"
#include "vault/row.h"
#include "vault/work.h"

#define CHAIN_DEPTH 16u /* runs behind one another */
#define USUAL_ROWS 20u
#define MOST_READERS 64u /* told of one row */
#define MOST_SHOWN 4096u /* bytes of a row's text */

typedef struct blamer {
  bez_vault *vault;
  const bez_snapshot *version;
  bez_json j;
} blamer;

/* Puts a stored document (of the log) as it is. */
static bez_status put_raw(bez_json *j, const char *key, const json_t *value, bez_error *err) {
  char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
  if (!text) return bez_fail_memory(err, 0);
  bez_json_key(j, key);
  bez_json_raw(j, text, strlen(text));
  free(text);
  return BEZ_OK;
}

static void put_signer(bez_json *j, const bez_vault *vault, const bez_entry *entry) {
  bez_json_kstr(j, "time", entry->time);
  bez_json_kstr(j, "by", entry->n_keys ? bez_trust_principal(vault->trust, entry->keys[0]) : "");
  bez_json_kstr(j, "key", entry->n_keys ? bez_ssh_key_fingerprint(entry->keys[0]) : "");
}

/* Where a query with one blob answers an index of the log. */
static bez_status find_index(bez_vault *vault, const char *sql, const void *blob, size_t len, uint64_t *index,
                             uint64_t *second, bool *found, bez_error *err) {
  bez_query query = {0};
  bez_status st = bez_query_begin(vault->index, &query, err, sql, "b", blob, len);
  if (st == BEZ_OK) st = bez_query_next(&query, found, err);
  if (st == BEZ_OK && *found) {
    *index = (uint64_t)bez_query_int(&query, 0);
    *second = (uint64_t)bez_query_int(&query, 1);
  }
  bez_query_end(&query);
  return st;
}

static bez_status put_chain(blamer *b, const bez_entry *submission, unsigned depth, bez_error *err);

/* What the inputs of a run came from, in turn. */
static bez_status put_inputs(blamer *b, const json_t *inputs, unsigned depth, bez_error *err) {
  bez_snapshot s = {0};
  bez_status st = BEZ_OK;
  size_t i;
  json_t *input;
  json_array_foreach(inputs, i, input) {
    const char *dataset = json_string_value(json_object_get(input, "dataset"));
    json_int_t version = json_integer_value(json_object_get(input, "version"));
    bez_error ignored = {0};
    if (!dataset || version <= 0 || bez_snapshot_get(b->vault, dataset, (uint64_t)version, &s, &ignored) != BEZ_OK)
      continue;
    st = put_chain(b, &s.entry, depth + 1, err);
    bez_snapshot_free(&s);
    if (st != BEZ_OK) break;
  }
  return st;
}

/* The run that made a submission, then those that made what it read. */
static bez_status put_chain(blamer *b, const bez_entry *submission, unsigned depth, bez_error *err) {
  const char *run = bez_entry_text(submission, "run");
  bez_entry entry = {0};
  bez_id id;
  uint64_t index = 0, unused;
  bool found = false;
  bez_status st = BEZ_OK;
  if (depth >= CHAIN_DEPTH || strlen(run) != 64 || !bez_unhex(run, id.bytes, BEZ_ID)) return BEZ_OK;
  BEZ_TRY(find_index(b->vault, "SELECT i, 0 FROM entries WHERE id=? AND type='run' AND void IS NULL", id.bytes, BEZ_ID,
                     &index, &unused, &found, err));
  if (!found) return BEZ_OK;
  BEZ_TRY(bez_vault_entry(b->vault, index, &entry, err));
  bez_json_open(&b->j, '{');
  bez_json_kstr(&b->j, "run", run);
  bez_json_kuint(&b->j, "index", index);
  put_signer(&b->j, b->vault, &entry);
  bez_json_kstr(&b->j, "statement", bez_entry_text(&entry, "statement"));
  json_t *inputs = json_object_get(entry.body, "inputs");
  if (inputs) BEZ_TRY(put_raw(&b->j, "inputs", inputs, err));
  bez_json_close(&b->j, '}');
  BEZ_TRY(put_inputs(b, inputs, depth, err));
cleanup:
  bez_entry_free(&entry);
  return st;
}

/* Whether a version of the data set holds the row. A sorted tree that is not there is no reason to leave a reader out.
 */
static bool held_in(blamer *b, uint64_t version, const bez_row *row) {
  bez_snapshot s = {0};
  bez_error ignored = {0};
  uint64_t count = 1;
  if (bez_snapshot_get(b->vault, b->version->dataset, version, &s, &ignored) != BEZ_OK) return false;
  if (s.sorted.height != UINT8_MAX &&
      bez_sorted_find(b->vault->sorted, &s.sorted, row->canonical, &count, &ignored) != BEZ_OK)
    count = 1;
  bez_snapshot_free(&s);
  return count > 0;
}

static bez_status put_reader(blamer *b, uint64_t index, bez_error *err) {
  bez_entry entry = {0};
  bez_status st = bez_vault_entry(b->vault, index, &entry, err);
  if (st == BEZ_OK && !strcmp(bez_entry_text(&entry, "outcome"), "ok")) {
    bez_json_open(&b->j, '{');
    put_signer(&b->j, b->vault, &entry);
    bez_json_kstr(&b->j, "op", bez_entry_text(&entry, "op"));
    bez_json_kuint(&b->j, "version", (uint64_t)json_integer_value(json_object_get(entry.body, "version")));
    bez_json_kuint(&b->j, "index", index);
    bez_json_close(&b->j, '}');
  }
  bez_entry_free(&entry);
  return st;
}

/* Entries of the log about reads of versions that hold the row, the last ones first; *more: how many were not kept. */
static bez_status find_readers(blamer *b, const bez_row *row, uint64_t since, uint64_t indices[MOST_READERS], size_t *n,
                               uint64_t *more, bez_error *err) {
  bez_query query = {0};
  bool next = false, held = false;
  uint64_t asked = 0;
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_query_begin(b->vault->index, &query, err,
                          "SELECT i, version FROM entries WHERE type='access' AND dataset=? AND version>=? "
                          "ORDER BY version DESC, i DESC",
                          "ti", b->version->dataset, (int64_t)since));
  for (;;) {
    BEZ_TRY(bez_query_next(&query, &next, err));
    if (!next) break;
    const uint64_t version = (uint64_t)bez_query_int(&query, 1);
    if (version != asked) held = held_in(b, version, row);
    asked = version;
    if (!held) continue;
    if (*n < MOST_READERS)
      indices[(*n)++] = (uint64_t)bez_query_int(&query, 0);
    else
      ++*more;
  }
cleanup:
  bez_query_end(&query);
  return st;
}

static bez_status put_readers(blamer *b, const bez_row *row, uint64_t since, bez_error *err) {
  uint64_t indices[MOST_READERS], more = 0;
  size_t n = 0;
  bez_status st = find_readers(b, row, since, indices, &n, &more, err);
  bez_json_key(&b->j, "readers");
  bez_json_open(&b->j, '[');
  for (size_t i = n; i > 0 && st == BEZ_OK; i--) st = put_reader(b, indices[i - 1], err);
  bez_json_close(&b->j, ']');
  bez_json_kuint(&b->j, "more_readers", more);
  return st;
}

static bez_status put_commit(blamer *b, uint64_t index, uint64_t version, bez_error *err) {
  bez_entry entry = {0};
  bez_status st = bez_vault_entry(b->vault, index, &entry, err);
  if (st == BEZ_OK) {
    bez_json_key(&b->j, "commit");
    bez_json_open(&b->j, '{');
    bez_json_khex(&b->j, "id", entry.id.bytes, BEZ_ID);
    bez_json_kuint(&b->j, "index", index);
    bez_json_kuint(&b->j, "version", version);
    bez_json_kstr(&b->j, "message", bez_entry_text(&entry, "message"));
    put_signer(&b->j, b->vault, &entry);
    bez_json_close(&b->j, '}');
  }
  bez_entry_free(&entry);
  return st;
}

static bez_status put_submission(blamer *b, const bez_entry *entry, uint64_t index, int64_t committed, bez_error *err) {
  bez_status st = BEZ_OK;
  const char *source = bez_entry_text(entry, "source");
  const char *key = entry->n_keys ? bez_ssh_key_fingerprint(entry->keys[0]) : "";
  const int64_t at = committed > entry->seconds ? committed : entry->seconds;
  bez_json_key(&b->j, "submission");
  bez_json_open(&b->j, '{');
  bez_json_khex(&b->j, "id", entry->id.bytes, BEZ_ID);
  bez_json_kuint(&b->j, "index", index);
  bez_json_kstr(&b->j, "time", entry->time);
  bez_json_kstr(&b->j, "note", bez_entry_text(entry, "note"));
  bez_json_close(&b->j, '}');
  bez_json_key(&b->j, "contributor");
  bez_json_open(&b->j, '{');
  bez_json_kstr(&b->j, "principal", entry->n_keys ? bez_trust_principal(b->vault->trust, entry->keys[0]) : "");
  bez_json_kstr(&b->j, "key", key);
  bez_json_kbool(&b->j, "disowned", bez_trust_disowned(b->vault->trust, key, at));
  bez_json_close(&b->j, '}');
  bez_json_key(&b->j, "source");
  bez_json_open(&b->j, '{');
  bez_json_kstr(&b->j, "id", source);
  const json_t *fields = bez_trust_source(b->vault->trust, source);
  if (fields) st = put_raw(&b->j, "fields", fields, err);
  bez_json_close(&b->j, '}');
  bez_json_key(&b->j, "chain");
  bez_json_open(&b->j, '[');
  if (st == BEZ_OK) st = put_chain(b, entry, 0, err);
  bez_json_close(&b->j, ']');
  return st;
}

static void put_row(blamer *b, const bez_row *row) {
  const bool picture = row->item.type == BEZ_ITEM_FILE_ROW || row->item.type == BEZ_ITEM_DIGEST;
  size_t len = picture ? 0 : row->item.body_len;
  while (len && (row->item.body[len - 1] == '\n' || row->item.body[len - 1] == '\r')) len--;
  bez_json_kuint(&b->j, "row", row->row);
  bez_json_kstr(&b->j, "file", row->name);
  bez_json_key(&b->j, "text");
  bez_json_strn(&b->j, len ? row->item.body : "", len < MOST_SHOWN ? len : MOST_SHOWN);
  bez_json_khex(&b->j, "raw", row->raw, 32);
  bez_json_khex(&b->j, "canonical", row->canonical, 32);
}

static bez_status blame_row(blamer *b, uint64_t number, bez_error *err) {
  bez_row row = {0};
  bez_run run;
  bez_entry entry = {0}, commit = {0};
  uint64_t index = 0, commit_index = 0, version = 0, unused;
  bool found = false;
  const uint64_t n_files = (uint64_t)json_integer_value(json_object_get(b->version->entry.body, "n_files"));
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_row_read(b->vault->objects, &b->version->rows, n_files, number, &row, err));
  BEZ_TRY(bez_provenance_of(b->vault->objects, &b->version->provenance, number, &run, err));
  /* what was submitted with the same batch, and never committed, says nothing */
  BEZ_TRY(find_index(b->vault, "SELECT submission_i, 0 FROM versions WHERE batch=?", run.batch.bytes,
                     sizeof run.batch.bytes, &index, &unused, &found, err));
  if (found)
    BEZ_TRY(find_index(b->vault, "SELECT commit_i, version FROM versions WHERE batch=?", run.batch.bytes,
                       sizeof run.batch.bytes, &commit_index, &version, &found, err));
  if (!found) BEZ_TRY(bez_fail(err, BEZ_FORMAT, b->version->dataset, "a row is of a batch that the log does not have"));
  BEZ_TRY(bez_vault_entry(b->vault, index, &entry, err));
  BEZ_TRY(bez_vault_entry(b->vault, commit_index, &commit, err));
  bez_json_open(&b->j, '{');
  put_row(b, &row);
  bez_json_khex(&b->j, "batch", run.batch.bytes, sizeof run.batch.bytes);
  BEZ_TRY(put_commit(b, commit_index, version, err));
  BEZ_TRY(put_submission(b, &entry, index, commit.seconds, err));
  /* rows that a run wrote may have been of another data set before: its versions are counted anew */
  bool same = !strcmp(bez_entry_text(&entry, "dataset"), b->version->dataset);
  BEZ_TRY(put_readers(b, &row, same ? version : 1, err));
  bez_json_close(&b->j, '}');
cleanup:
  bez_entry_free(&entry);
  bez_entry_free(&commit);
  bez_row_free(&row);
  return st;
}

typedef struct searcher {
  const char *column, *value;
  size_t column_len, value_len;
  bez_buf scratch;
  bool hit;
  uint64_t *rows, n, limit, more;
} searcher;

static bez_status take_field(void *ctx, const char *name, size_t name_len, const char *value, size_t len, int kind,
                             bez_error *err) {
  searcher *s = ctx;
  (void)kind, (void)err;
  if (name_len == s->column_len && !memcmp(name, s->column, name_len) && len == s->value_len &&
      (!len || !memcmp(value, s->value, len)))
    s->hit = true;
  return BEZ_OK;
}

static bez_status take_row(void *ctx, uint64_t row, const bez_form_use *form, const bez_item *item, bez_error *err) {
  searcher *s = ctx;
  const bez_form_use pictures = bez_file_row_form();
  const bez_form_use *use = item->type == BEZ_ITEM_FILE_ROW ? &pictures : form;
  if (!use->form || !use->form->fields) return BEZ_OK;
  s->hit = false;
  bez_status st = use->form->fields(use->state, item, &s->scratch, take_field, s, err);
  if (st != BEZ_OK || !s->hit) return st;
  if (s->n < s->limit)
    s->rows[s->n++] = row;
  else
    s->more++;
  return BEZ_OK;
}

static bez_status search(blamer *b, const char *where, searcher *s, bez_error *err) {
  const char *equals = strchr(where, '=');
  if (!equals || equals == where) return bez_fail(err, BEZ_USAGE, where, "--where takes COLUMN=VALUE");
  s->column = where;
  s->column_len = (size_t)(equals - where);
  s->value = equals + 1;
  s->value_len = strlen(s->value);
  s->rows = calloc(s->limit, sizeof *s->rows);
  if (!s->rows) return bez_fail_memory(err, s->limit * sizeof *s->rows);
  return bez_rows_each(b->vault->objects, &b->version->rows, take_row, s, err);
}

bez_status bez_vault_blame(bez_vault *vault, const char *version, uint64_t row, const char *where, uint64_t limit,
                           const bez_vault_who *reader, char **json, bez_error *err) {
  bez_look look = {0};
  bez_snapshot s = {0};
  bez_buf text = {0};
  searcher found = {.limit = limit && limit < (1u << 20) ? limit : USUAL_ROWS};
  blamer b = {.vault = vault, .version = &s, .j = bez_json_make(&text, false)};
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_snapshot_find(vault, version, &s, err));
  BEZ_TRY(bez_look_begin(vault, "blame", s.dataset, reader, &look, err));
  bez_json_open(&b.j, '{');
  bez_json_kstr(&b.j, "dataset", s.dataset);
  bez_json_kuint(&b.j, "version", s.version);
  bez_json_key(&b.j, "rows");
  bez_json_open(&b.j, '[');
  if (where) {
    BEZ_TRY(search(&b, where, &found, err));
    for (uint64_t i = 0; i < found.n; i++) BEZ_TRY(blame_row(&b, found.rows[i], err));
  } else {
    BEZ_TRY(blame_row(&b, row, err));
  }
  bez_json_close(&b.j, ']');
  bez_json_kuint(&b.j, "more", found.more);
  bez_json_close(&b.j, '}');
  BEZ_TRY(bez_look_record(vault, &look, &s, where, err));
  BEZ_TRY(bez_answer(&text, json, err));
cleanup:
  bez_look_end(vault, &look);
  free(found.rows);
  bez_buf_free(&found.scratch);
  bez_buf_free(&text);
  bez_snapshot_free(&s);
  return st;
}
