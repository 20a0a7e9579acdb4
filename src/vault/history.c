/* bezoar vault log: entries as they stand in the log. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "vault/answer.h"
#include "vault/index.h"
#include "vault/work.h"

/* Fingerprints of a principal's keys are not in the index: those who signed are asked one by one. */
static bool is_by(const bez_vault *vault, const bez_entry *entry, const char *by) {
  for (size_t i = 0; i < entry->n_keys; i++)
    if (!strcmp(bez_ssh_key_fingerprint(entry->keys[i]), by) ||
        !strcmp(bez_trust_principal(vault->trust, entry->keys[i]), by))
      return true;
  return false;
}

/* A list of objects, one of which names the data set: of a commit, a model, a run. */
static bool names_dataset(const json_t *list, const char *key, const char *dataset) {
  size_t i;
  json_t *item;
  json_array_foreach(list, i, item) {
    const char *name = json_string_value(json_object_get(item, key));
    if (name && !strcmp(name, dataset)) return true;
  }
  return false;
}

static bool is_about(const bez_entry *entry, const char *dataset) {
  static const char *const lists[] = {"trained_on", "inputs", "outputs"};
  if (!strcmp(bez_entry_text(entry, "dataset"), dataset)) return true;
  if (names_dataset(json_object_get(entry->body, "datasets"), "name", dataset)) return true;
  for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
    if (names_dataset(json_object_get(entry->body, lists[i]), "dataset", dataset)) return true;
  return false;
}

static bez_status put_entry(bez_json *j, const bez_vault *vault, uint64_t index, const bez_entry *entry,
                            const char *effect, bez_error *err) {
  char *body = json_dumps(entry->body, JSON_COMPACT);
  if (!body) return bez_fail_memory(err, BEZ_MAX_ENTRY);
  bez_json_open(j, '{');
  bez_json_kuint(j, "index", index);
  bez_json_khex(j, "id", entry->id.bytes, BEZ_ID);
  bez_json_kstr(j, "type", entry->type);
  bez_json_kstr(j, "time", entry->time);
  bez_json_kstr(j, "by", entry->n_keys ? bez_trust_principal(vault->trust, entry->keys[0]) : "");
  bez_json_kstr(j, "key", entry->n_keys ? bez_ssh_key_fingerprint(entry->keys[0]) : "");
  bez_json_key(j, "keys");
  bez_json_open(j, '[');
  for (size_t i = 0; i < entry->n_keys; i++) bez_json_str(j, bez_ssh_key_fingerprint(entry->keys[i]));
  bez_json_close(j, ']');
  bez_json_kstr(j, "effect", effect);
  bez_json_key(j, "entry");
  bez_json_raw(j, body, strlen(body));
  bez_json_close(j, '}');
  free(body);
  return BEZ_OK;
}

/* Bytes that are no entry stand in the log for ever, too. */
static void put_malformed(bez_json *j, uint64_t index, const char *why) {
  static const char *const empty[] = {"id", "time", "by", "key"};
  bez_json_open(j, '{');
  bez_json_kuint(j, "index", index);
  bez_json_kstr(j, "type", "malformed");
  for (size_t i = 0; i < sizeof empty / sizeof *empty; i++) bez_json_kstr(j, empty[i], "");
  bez_json_kstr(j, "effect", why);
  bez_json_key(j, "entry");
  bez_json_null(j);
  bez_json_close(j, '}');
}

static bez_status put_all(bez_json *j, bez_vault *vault, const uint64_t *indices, size_t n, bez_error *err) {
  bez_query effect = {0};
  bez_entry entry = {0};
  bool more = false;
  bez_status st = BEZ_OK;
  for (size_t i = 0; i < n; i++) {
    BEZ_TRY(bez_query_begin(vault->index, &effect, err, "SELECT void, type='malformed' FROM entries WHERE i=?", "i",
                            (int64_t)indices[i]));
    BEZ_TRY(bez_query_next(&effect, &more, err));
    if (more && bez_query_int(&effect, 1)) {
      put_malformed(j, indices[i], bez_query_text(&effect, 0));
      bez_query_end(&effect);
      continue;
    }
    BEZ_TRY(bez_vault_entry(vault, indices[i], &entry, err));
    BEZ_TRY(put_entry(j, vault, indices[i], &entry, more ? bez_query_text(&effect, 0) : "", err));
    bez_query_end(&effect);
    bez_entry_free(&entry);
    entry = (bez_entry){0};
  }
cleanup:
  bez_query_end(&effect);
  bez_entry_free(&entry);
  return st;
}

typedef struct found {
  uint64_t *items;
  size_t n, cap;
} found;

static bez_status push(found *f, uint64_t index, bez_error *err) {
  if (f->n == f->cap) {
    size_t cap = f->cap ? 2 * f->cap : 64;
    uint64_t *grown = realloc(f->items, cap * sizeof *grown);
    if (!grown) return bez_fail_memory(err, cap * sizeof *grown);
    f->items = grown;
    f->cap = cap;
  }
  f->items[f->n++] = index;
  return BEZ_OK;
}

/* From the last entry backwards, until there are enough. */
static bez_status collect(bez_vault *vault, const bez_vault_log_filter *f, found *out, bez_error *err) {
  bez_query query = {0};
  bez_entry entry = {0};
  bool more = false;
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_query_begin(
      vault->index, &query, err,
      "SELECT i FROM entries WHERE (?1 IS NULL OR type=?1) AND (?2=0 OR type<>'malformed') ORDER BY i DESC", "ti",
      f->type, (int64_t)(f->dataset || f->by)));
  while (!f->limit || out->n < f->limit) {
    BEZ_TRY(bez_query_next(&query, &more, err));
    if (!more) break;
    const uint64_t index = (uint64_t)bez_query_int(&query, 0);
    bool wanted = true;
    if (f->dataset || f->by) {
      BEZ_TRY(bez_vault_entry(vault, index, &entry, err));
      wanted = (!f->dataset || is_about(&entry, f->dataset)) && (!f->by || is_by(vault, &entry, f->by));
      bez_entry_free(&entry);
      entry = (bez_entry){0};
    }
    if (wanted) BEZ_TRY(push(out, index, err));
  }
  for (size_t i = 0; i < out->n / 2; i++) {
    uint64_t kept = out->items[i];
    out->items[i] = out->items[out->n - 1 - i];
    out->items[out->n - 1 - i] = kept;
  }
cleanup:
  bez_query_end(&query);
  bez_entry_free(&entry);
  return st;
}

bez_status bez_vault_log(bez_vault *vault, const bez_vault_log_filter *filter, char **json, bez_error *err) {
  found all = {0};
  bez_buf text = {0};
  bez_json j = bez_json_make(&text, false);
  bez_status st = BEZ_OK;
  BEZ_TRY(collect(vault, filter, &all, err));
  bez_json_open(&j, '{');
  bez_json_key(&j, "entries");
  bez_json_open(&j, '[');
  BEZ_TRY(put_all(&j, vault, all.items, all.n, err));
  bez_json_close(&j, ']');
  bez_json_kuint(&j, "size", bez_log_size(vault->log));
  bez_json_close(&j, '}');
  BEZ_TRY(bez_answer(&text, json, err));
cleanup:
  free(all.items);
  bez_buf_free(&text);
  return st;
}
