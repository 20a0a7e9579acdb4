/* Reading and writing entries about witnesses. */
#include "vault/witness_list.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "bezoar/witness.h"
#include "crypto/digest.h"
#include "vault/answer.h"
#include "vault/index.h"

void bez_witness_list_free(bez_witness_list *list) {
  for (size_t i = 0; i < list->n; i++) free(list->urls[i]);
  free(list->urls);
  free(list->keys);
  *list = (bez_witness_list){0};
}

size_t bez_witness_list_find(const bez_witness_list *list, const char *name) {
  size_t i = 0;
  while (i < list->n && strcmp(list->keys[i].name, name) != 0) i++;
  return i;
}

bez_witnesses bez_witness_list_keys(const bez_witness_list *list) {
  return (bez_witnesses){.keys = list->keys, .n = list->n, .quorum = 0};
}

static void drop(bez_witness_list *list, const char *name) {
  size_t i = bez_witness_list_find(list, name);
  if (i >= list->n || !list->urls) return;
  free(list->urls[i]);
  list->n--;
  memmove(list->urls + i, list->urls + i + 1, (list->n - i) * sizeof *list->urls);
  memmove(list->keys + i, list->keys + i + 1, (list->n - i) * sizeof *list->keys);
}

static bez_status add(bez_witness_list *list, const bez_vkey *key, const char *url, bez_error *err) {
  drop(list, key->name);
  if (list->n == list->cap) {
    size_t cap = list->cap ? 2 * list->cap : 8;
    bez_vkey *keys = realloc(list->keys, cap * sizeof *keys);
    if (keys) list->keys = keys;
    char **urls = keys ? realloc(list->urls, cap * sizeof *urls) : NULL;
    if (!urls) return bez_fail_memory(err, cap * sizeof *keys);
    list->urls = urls;
    list->cap = cap;
  }
  list->urls[list->n] = strdup(url);
  if (!list->urls[list->n]) return bez_fail_memory(err, strlen(url));
  list->keys[list->n++] = *key;
  return BEZ_OK;
}

/* One entry that has effect. */
static bez_status take(bez_vault *vault, uint64_t index, bez_witness_list *list, bez_error *err) {
  bez_entry entry = {0};
  bez_vkey key;
  bez_error ignored = {0};
  bez_status st = bez_vault_entry(vault, index, &entry, err);
  if (st != BEZ_OK) return st;
  if (json_is_true(json_object_get(entry.body, "removed")))
    drop(list, bez_entry_text(&entry, "name"));
  else if (bez_vkey_parse(bez_entry_text(&entry, "key"), "witness", &key, &ignored) == BEZ_OK &&
           key.kind == BEZ_NOTE_COSIGNATURE)
    st = add(list, &key, bez_entry_text(&entry, "url"), err);
  bez_entry_free(&entry);
  return st;
}

bez_status bez_witness_list_read(bez_vault *vault, bez_witness_list *out, bez_error *err) {
  bez_query query = {0};
  bool more = false;
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_query_begin(vault->index, &query, err,
                          "SELECT i FROM entries WHERE type='witness' AND void IS NULL ORDER BY i", ""));
  for (;;) {
    BEZ_TRY(bez_query_next(&query, &more, err));
    if (!more) break;
    BEZ_TRY(take(vault, (uint64_t)bez_query_int(&query, 0), out, err));
  }
cleanup:
  bez_query_end(&query);
  return st;
}

typedef struct said {
  const char *name, *url;
  const char *key; /* NULL: removed */
} said;

static void write_witness(bez_json *j, const void *ctx) {
  const said *s = ctx;
  bez_json_kstr(j, "name", s->name);
  if (s->key) {
    bez_json_kstr(j, "key", s->key);
    bez_json_kstr(j, "url", s->url);
  } else {
    bez_json_kbool(j, "removed", true);
  }
}

static bez_status say(bez_vault *vault, const said *s, const bez_vault_who *who, char **json, bez_error *err) {
  static const bez_claim claim = {.op = "witness", .role = BEZ_MAY_ADMIN};
  bez_status st = BEZ_OK;
  bez_signer *signer = NULL;
  bez_id id;
  bez_buf out = {0};
  char hex[2 * BEZ_ID + 1];
  BEZ_TRY(bez_vault_signer(vault, who, &signer, err));
  BEZ_TRY(bez_vault_ask(vault, &claim, signer, err));
  BEZ_TRY(bez_vault_say(vault, "witness", signer, write_witness, s, &id, err));
  bez_hex(id.bytes, BEZ_ID, hex);
  bez_json j = bez_json_make(&out, false);
  bez_json_open(&j, '{');
  bez_json_kstr(&j, "witness", s->name);
  if (s->key) {
    bez_json_kstr(&j, "key", s->key);
    bez_json_kstr(&j, "url", s->url);
  } else {
    bez_json_kbool(&j, "removed", true);
  }
  bez_json_kstr(&j, "entry", hex);
  bez_json_close(&j, '}');
  st = bez_answer(&out, json, err);
cleanup:
  bez_vault_act(vault, NULL);
  bez_signer_close(signer);
  bez_buf_free(&out);
  return st;
}

bez_status bez_vault_witness_add(bez_vault *vault, const char *key, const char *url, const bez_vault_who *who,
                                 char **json, bez_error *err) {
  bez_vkey parsed;
  bez_buf text = {0};
  bez_error why = {0};
  if (bez_vkey_parse(key, "key of the witness", &parsed, &why) != BEZ_OK)
    return bez_fail(err, BEZ_USAGE, why.subject, "%s", why.message);
  if (parsed.kind != BEZ_NOTE_COSIGNATURE)
    return bez_fail(err, BEZ_USAGE, "key of the witness", "is a log's key (kind 1); witnesses have keys of kind 4");
  bez_vkey_put(&parsed, &text);
  bez_status st = bez_buf_status(&text, err);
  const said s = {.name = parsed.name, .key = text.data, .url = url ? url : ""};
  if (st == BEZ_OK) st = say(vault, &s, who, json, err);
  bez_buf_free(&text);
  return st;
}

bez_status bez_vault_witness_remove(bez_vault *vault, const char *name, const bez_vault_who *who, char **json,
                                    bez_error *err) {
  bez_witness_list list = {0};
  bez_status st = bez_witness_list_read(vault, &list, err);
  if (st == BEZ_OK && bez_witness_list_find(&list, name) == list.n)
    st = bez_fail(err, BEZ_USAGE, name, "no witness has that name: bezoar vault witness list");
  const said s = {.name = name};
  if (st == BEZ_OK) st = say(vault, &s, who, json, err);
  bez_witness_list_free(&list);
  return st;
}

static bez_status put_one(bez_json *j, const bez_witness_list *list, size_t i, const bez_checkpoint *note,
                          bez_error *err) {
  bool found = false;
  uint64_t time = 0;
  bez_buf key = {0};
  bez_status st = note ? bez_note_verify(note, &list->keys[i], "checkpoint", &found, &time, err) : BEZ_OK;
  bez_vkey_put(&list->keys[i], &key);
  if (st == BEZ_OK) st = bez_buf_status(&key, err);
  if (st == BEZ_OK) {
    bez_json_open(j, '{');
    bez_json_kstr(j, "witness", list->keys[i].name);
    bez_json_kstr(j, "key", key.data);
    bez_json_kstr(j, "url", list->urls[i]);
    bez_json_kbool(j, "cosigned", found);
    bez_json_kuint(j, "time", time);
    bez_json_close(j, '}');
  }
  bez_buf_free(&key);
  return st;
}

bez_status bez_vault_witness_list(bez_vault *vault, char **json, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_witness_list list = {0};
  bez_buf out = {0}, text = {0};
  bez_checkpoint note;
  bool any = bez_log_signed_size(vault->log) > 0;
  BEZ_TRY(bez_witness_list_read(vault, &list, err));
  if (any) BEZ_TRY(bez_log_checkpoint(vault->log, &text, err));
  if (any) BEZ_TRY(bez_checkpoint_parse(text.data, "checkpoint", &note, err));
  bez_json j = bez_json_make(&out, false);
  bez_json_open(&j, '{');
  bez_json_kuint(&j, "size", bez_log_signed_size(vault->log));
  bez_json_key(&j, "witnesses");
  bez_json_open(&j, '[');
  for (size_t i = 0; i < list.n; i++) BEZ_TRY(put_one(&j, &list, i, any ? &note : NULL, err));
  bez_json_close(&j, ']');
  bez_json_close(&j, '}');
  st = bez_answer(&out, json, err);
cleanup:
  bez_witness_list_free(&list);
  bez_buf_free(&out);
  bez_buf_free(&text);
  return st;
}
