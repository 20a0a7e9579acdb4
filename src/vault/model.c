/* Models and what they were trained on: entries that `impact` follows. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "crypto/digest.h"
#include "vault/answer.h"
#include "vault/index.h"
#include "vault/run_layout.h"

typedef struct binding {
  const char *name;
  bez_made_list made;
  bez_snapshot *trained_on;
  size_t n;
  char run[2 * BEZ_ID + 1]; /* "" none */
} binding;

static void write_model(bez_json *j, const void *ctx) {
  const binding *b = ctx;
  bez_json_kstr(j, "name", b->name);
  bez_json_kstr(j, "sha256", b->made.sha256);
  bez_json_kstr(j, "kind", b->made.folder ? "folder" : "file");
  bez_json_key(j, "trained_on");
  bez_json_open(j, '[');
  for (size_t i = 0; i < b->n; i++) {
    bez_json_open(j, '{');
    bez_json_kstr(j, "dataset", b->trained_on[i].dataset);
    bez_json_kuint(j, "version", b->trained_on[i].version);
    bez_json_khex(j, "rows", b->trained_on[i].rows.id.bytes, BEZ_ID);
    bez_json_close(j, '}');
  }
  bez_json_close(j, ']');
  if (*b->run) bez_json_kstr(j, "run", b->run);
}

/* The run that trained it must be recorded, and have read what it is said to be trained on. */
static bez_status check_run(bez_vault *vault, const char *id, binding *b, bez_error *err) {
  bez_run_record run = {0};
  bez_entry entry = {0};
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_run_load(vault, id, &run, &entry, err));
  for (size_t i = 0; i < b->n; i++) {
    bool read = false;
    for (size_t k = 0; k < run.n_inputs && !read; k++)
      read =
          run.inputs[k].version == b->trained_on[i].version && !strcmp(run.inputs[k].dataset, b->trained_on[i].dataset);
    if (!read)
      BEZ_TRY(bez_fail(err, BEZ_USAGE, "--by", "run %.12s did not read %s@%llu", id, b->trained_on[i].dataset,
                       (unsigned long long)b->trained_on[i].version));
  }
  bez_hex(entry.id.bytes, BEZ_ID, b->run);
cleanup:
  bez_run_free(&run);
  bez_entry_free(&entry);
  return st;
}

static const char *base_of(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash && slash[1] ? slash + 1 : path;
}

bez_status bez_lineage_model_add(bez_vault *vault, const char *path, const bez_model_options *o, char **json,
                                 bez_error *err) {
  binding b = {.name = o->name ? o->name : base_of(path)};
  bez_signer *signer = NULL;
  bez_buf text = {0};
  bez_json j = bez_json_make(&text, false);
  bez_id id;
  bez_status st = BEZ_OK;
  *json = NULL;
  if (!o->n_trained_on) BEZ_TRY(bez_fail(err, BEZ_USAGE, "--trained-on", "say which versions it was trained on"));
  BEZ_TRY(bez_vault_signer(vault, &o->who, &signer, err));
  const bez_claim role = {"model add", NULL, NULL, BEZ_MAY_COMMIT};
  BEZ_TRY(bez_vault_ask(vault, &role, signer, err));
  b.trained_on = calloc(o->n_trained_on, sizeof *b.trained_on);
  if (!b.trained_on) BEZ_TRY(bez_fail_memory(err, o->n_trained_on * sizeof *b.trained_on));
  for (; b.n < o->n_trained_on; b.n++) BEZ_TRY(bez_snapshot_find(vault, o->trained_on[b.n], &b.trained_on[b.n], err));
  for (size_t i = 0; i < b.n; i++) {
    const bez_claim claim = {"model add", b.trained_on[i].dataset, NULL, BEZ_MAY_COMMIT};
    BEZ_TRY(bez_vault_ask(vault, &claim, signer, err));
  }
  if (o->run) BEZ_TRY(check_run(vault, o->run, &b, err));
  BEZ_TRY(bez_made_digest(path, true, &b.made, err));
  BEZ_TRY(bez_vault_say(vault, "model", signer, write_model, &b, &id, err));
  bez_json_open(&j, '{');
  bez_json_khex(&j, "model", id.bytes, BEZ_ID);
  write_model(&j, &b);
  bez_json_close(&j, '}');
  BEZ_TRY(bez_answer(&text, json, err));
cleanup:
  bez_vault_act(vault, NULL);
  bez_signer_close(signer);
  for (size_t i = 0; b.trained_on && i < o->n_trained_on; i++) bez_snapshot_free(&b.trained_on[i]);
  free(b.trained_on);
  bez_made_free(&b.made);
  bez_buf_free(&text);
  return st;
}

static void put_member(bez_json *j, const bez_entry *entry, const char *key) {
  json_t *value = json_object_get(entry->body, key);
  char *text = value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
  if (!text) return;
  bez_json_key(j, key);
  bez_json_raw(j, text, strlen(text));
  free(text);
}

bez_status bez_lineage_models(bez_vault *vault, char **json, bez_error *err) {
  static const char *const members[] = {"time", "name", "sha256", "kind", "trained_on", "run"};
  bez_query query = {0};
  bez_buf text = {0};
  bez_json j = bez_json_make(&text, false);
  bez_entry entry = {0};
  bool more = false;
  bez_status st = BEZ_OK;
  *json = NULL;
  bez_json_open(&j, '{');
  bez_json_key(&j, "models");
  bez_json_open(&j, '[');
  BEZ_TRY(bez_query_begin(vault->index, &query, err,
                          "SELECT i FROM entries WHERE type='model' AND void IS NULL ORDER BY i", ""));
  for (;;) {
    BEZ_TRY(bez_query_next(&query, &more, err));
    if (!more) break;
    bez_entry_free(&entry);
    entry = (bez_entry){0};
    BEZ_TRY(bez_vault_entry(vault, (uint64_t)bez_query_int(&query, 0), &entry, err));
    bez_json_open(&j, '{');
    bez_json_khex(&j, "model", entry.id.bytes, BEZ_ID);
    bez_json_kstr(&j, "by", entry.n_keys ? bez_trust_principal(vault->trust, entry.keys[0]) : "");
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) put_member(&j, &entry, members[i]);
    bez_json_close(&j, '}');
  }
  bez_json_close(&j, ']');
  bez_json_close(&j, '}');
  BEZ_TRY(bez_answer(&text, json, err));
cleanup:
  bez_entry_free(&entry);
  bez_query_end(&query);
  bez_buf_free(&text);
  return st;
}
