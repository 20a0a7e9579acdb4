/* Asking witnesses over HTTP (add-checkpoint), and by file. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "bezoar/witness.h"
#include "ledger/proof_text.h"
#include "net/http.h"
#include "vault/answer.h"
#include "vault/witness_list.h"

#define ANSWER 65536u /* bytes of a witness's answer at the most */

/* Where a 409 says the witness stands. */
static bool stands_at(const bez_response *response, uint64_t *size) {
  char line[sizeof response->said + 2];
  const char *at = line;
  if (response->status != 409) return false;
  size_t len = strlen(response->said);
  memcpy(line, response->said, len);
  memcpy(line + len, "\n", 2);
  return bez_text_number(&at, size);
}

typedef struct answer {
  bez_buf *out;
} answer;

static bez_status take_body(void *ctx, bez_response *response, const char *bytes, size_t len, bez_error *err) {
  bez_buf *out = ((answer *)ctx)->out;
  (void)response;
  if (len > ANSWER || out->len > ANSWER - len)
    return bez_fail(err, BEZ_LIMIT, "witness", "answers with more than %u bytes", ANSWER);
  bez_buf_write(out, bytes, len);
  return bez_buf_status(out, err);
}

static bez_status post(bez_http *http, const char *url, const char *body, bez_response *response, bez_buf *out,
                       bez_error *err) {
  const bez_request request = {.url = url, .shown = url, .post = body};
  answer a = {.out = out};
  bez_buf_clear(out);
  return bez_http_try(http, &request, response, take_body, &a, err);
}

/* Begins with what the witness says it stands at: a first request from nothing is how one asks (tlog-witness). */
static bez_status ask_one(bez_vault *vault, bez_http *http, const bez_witness_list *list, size_t i, bool *cosigned,
                          bez_error *err) {
  bez_status st = BEZ_OK;
  bez_buf url = {0}, request = {0}, lines = {0};
  bez_response response = {0};
  uint64_t size = 0;
  size_t added = 0, have = 0;
  const char *prefix = list->urls[i];
  const bez_witnesses one = {.keys = &list->keys[i], .n = 1, .quorum = 1};
  bez_error first = {0};
  bez_buf_printf(&url, "%.*s/add-checkpoint", (int)(strlen(prefix) - (*prefix && prefix[strlen(prefix) - 1] == '/')),
                 prefix);
  BEZ_TRY(bez_buf_status(&url, err));
  BEZ_TRY(bez_witness_request(vault->log, 0, &request, err));
  st = post(http, url.data, request.data, &response, &lines, &first);
  if (st != BEZ_OK && stands_at(&response, &size)) {
    if (size > bez_log_signed_size(vault->log))
      BEZ_TRY(bez_fail(err, BEZ_FORMAT, list->keys[i].name,
                       "the witness has seen this log with %llu entries: entries were taken away here, or the log was "
                       "split",
                       (unsigned long long)size));
    BEZ_TRY(bez_witness_request(vault->log, size, &request, err));
    BEZ_TRY(post(http, url.data, request.data, &response, &lines, err));
  } else if (st != BEZ_OK) {
    BEZ_TRY(bez_fail(err, st, first.subject, "%s", first.message));
  }
  BEZ_TRY(bez_witness_take(vault->log, lines.data ? lines.data : "", lines.len, &one, &added, err));
  BEZ_TRY(bez_log_checkpoint(vault->log, &lines, err));
  bez_checkpoint note;
  BEZ_TRY(bez_checkpoint_parse(lines.data, "checkpoint", &note, err));
  BEZ_TRY(bez_witnesses_count(&one, &note, "checkpoint", &have, NULL, err));
  *cosigned = have == 1;
  if (!*cosigned) st = bez_fail(err, BEZ_FORMAT, list->keys[i].name, "the witness's answer holds no cosignature of it");
cleanup:
  bez_buf_free(&url);
  bez_buf_free(&request);
  bez_buf_free(&lines);
  return st;
}

static bool wanted(const char *name, const char *const *names, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (!strcmp(names[i], name)) return true;
  return !n;
}

static bez_status check_names(const bez_witness_list *list, const char *const *names, size_t n, bez_error *err) {
  bool any = false;
  for (size_t i = 0; i < n; i++)
    if (bez_witness_list_find(list, names[i]) == list->n)
      return bez_fail(err, BEZ_USAGE, names[i], "no witness has that name: bezoar vault witness list");
  for (size_t i = 0; i < list->n; i++) any = any || (*list->urls[i] && wanted(list->keys[i].name, names, n));
  return any ? BEZ_OK : bez_fail(err, BEZ_USAGE, "witness", "no witness with a URL: bezoar vault witness add --url");
}

bez_status bez_vault_witness_ask(bez_vault *vault, const char *const *names, size_t n, char **json, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_witness_list list = {0};
  bez_http *http = NULL;
  bez_buf out = {0};
  bool all = true;
  bez_json j = bez_json_make(&out, false);
  BEZ_TRY(bez_witness_list_read(vault, &list, err));
  BEZ_TRY(check_names(&list, names, n, err));
  BEZ_TRY(bez_http_create(&(bez_http_options){.stall = 30}, &http, err));
  bez_json_open(&j, '{');
  bez_json_key(&j, "asked");
  bez_json_open(&j, '[');
  for (size_t i = 0; i < list.n; i++) {
    bool cosigned = false;
    bez_error why = {0};
    if (!*list.urls[i] || !wanted(list.keys[i].name, names, n)) continue;
    BEZ_TRY(bez_vault_lock(vault, err)); /* nobody appends between the request and what comes of it */
    st = ask_one(vault, http, &list, i, &cosigned, &why);
    bez_vault_unlock(vault);
    if (st == BEZ_MEMORY) BEZ_TRY(bez_fail_memory(err, ANSWER));
    all = all && st == BEZ_OK && cosigned;
    bez_json_open(&j, '{');
    bez_json_kstr(&j, "witness", list.keys[i].name);
    bez_json_kstr(&j, "url", list.urls[i]);
    bez_json_kbool(&j, "cosigned", st == BEZ_OK && cosigned);
    bez_json_kstr(&j, "why", st == BEZ_OK ? "" : why.message);
    bez_json_close(&j, '}');
  }
  bez_json_close(&j, ']');
  bez_json_kuint(&j, "size", bez_log_signed_size(vault->log));
  bez_json_kbool(&j, "ok", all);
  bez_json_close(&j, '}');
  st = bez_answer(&out, json, err);
cleanup:
  bez_http_destroy(http);
  bez_witness_list_free(&list);
  bez_buf_free(&out);
  return st;
}

bez_status bez_vault_witness_request(bez_vault *vault, uint64_t old_size, char **json, bez_error *err) {
  bez_buf request = {0}, out = {0};
  bez_status st = bez_witness_request(vault->log, old_size, &request, err);
  bez_json j = bez_json_make(&out, false);
  if (st == BEZ_OK) {
    bez_json_open(&j, '{');
    bez_json_kuint(&j, "size", bez_log_signed_size(vault->log));
    bez_json_kuint(&j, "old_size", old_size);
    bez_json_kstr(&j, "request", request.data);
    bez_json_close(&j, '}');
    st = bez_answer(&out, json, err);
  }
  bez_buf_free(&request);
  bez_buf_free(&out);
  return st;
}

bez_status bez_vault_witness_take(bez_vault *vault, const char *lines, size_t len, char **json, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_witness_list list = {0};
  bez_buf out = {0};
  size_t added = 0;
  BEZ_TRY(bez_witness_list_read(vault, &list, err));
  const bez_witnesses all = bez_witness_list_keys(&list);
  BEZ_TRY(bez_vault_lock(vault, err));
  st = bez_witness_take(vault->log, lines, len, &all, &added, err);
  bez_vault_unlock(vault);
  if (st != BEZ_OK) goto cleanup;
  bez_json j = bez_json_make(&out, false);
  bez_json_open(&j, '{');
  bez_json_kbool(&j, "ok", added > 0);
  bez_json_kuint(&j, "size", bez_log_signed_size(vault->log));
  bez_json_kuint(&j, "added", added);
  bez_json_close(&j, '}');
  st = bez_answer(&out, json, err);
cleanup:
  bez_witness_list_free(&list);
  bez_buf_free(&out);
  return st;
}
