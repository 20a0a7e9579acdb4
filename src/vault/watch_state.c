/* A list of URLs as objects of the vault: JSON that says the columns, and parts of JSON lines, a row each. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/limits.h"
#include "crypto/digest.h"
#include "crypto/json_bytes.h"
#include "vault/watch.h"

static void put_hex(bez_json *j, const char *key, const uint8_t *bytes, size_t n) {
  char hex[2 * BEZ_DIGEST_MOST + 1];
  bez_hex(bytes, n, hex);
  bez_json_kstr(j, key, hex);
}

void bez_watchlist_put_row(bez_json *j, const bez_watchlist *list, const bez_watched *row) {
  uint8_t phash[8];
  for (unsigned i = 0; i < 8; i++) phash[i] = (uint8_t)(row->phash >> (56 - 8 * i));
  bez_json_open(j, '{');
  bez_json_key(j, "cells");
  bez_json_open(j, '[');
  for (uint32_t c = 0; c < list->n_columns; c++) bez_json_str(j, row->cells[c]);
  bez_json_close(j, ']');
  if (row->know & BEZ_KNOW_SHA256) put_hex(j, "sha256", row->sha256, 32);
  if (row->know & BEZ_KNOW_SHA512) put_hex(j, "sha512", row->sha512, 64);
  if (row->know & BEZ_KNOW_MD5) put_hex(j, "md5", row->md5, 16);
  if (row->know & BEZ_KNOW_PHASH) put_hex(j, "phash", phash, 8);
  if (row->learned) bez_json_kuint(j, "learned", (uint64_t)row->learned);
  if (row->know & BEZ_KNOW_SEEN) {
    put_hex(j, "seen", row->seen, 32);
    bez_json_kuint(j, "since", (uint64_t)row->seen_since);
  }
  bez_json_close(j, '}');
}

static bez_status no_list(const char *subject, bez_error *err) {
  return bez_fail(err, BEZ_FORMAT, subject, "is no list of URLs");
}

bez_status bez_watchlist_take_head(bez_watchlist *list, const json_t *head, const char *subject, bez_error *err) {
  const json_t *columns = json_object_get(head, "columns");
  const size_t n = json_array_size(columns);
  uint64_t url = 0;
  *list = (bez_watchlist){0};
  if (!json_is_integer(json_object_get(head, "format")) || json_integer_value(json_object_get(head, "format")) != 1)
    return bez_fail(err, BEZ_UNSUPPORTED, subject, "a list of URLs in another format than 1");
  if (!n || n > BEZ_MAX_COLUMNS || !bez_json_count(json_object_get(head, "url"), &url) || url >= n)
    return no_list(subject, err);
  list->columns = bez_arena_array(&list->arena, n, sizeof *list->columns);
  if (!list->columns) return bez_fail_memory(err, n * sizeof *list->columns);
  for (size_t c = 0; c < n; c++) {
    const char *name = json_string_value(json_array_get(columns, c));
    if (!name || strlen(name) > BEZ_MAX_NAME) return no_list(subject, err);
    list->columns[c] = bez_arena_strdup(&list->arena, name);
    if (!list->columns[c]) return bez_fail_memory(err, strlen(name));
  }
  list->n_columns = (uint32_t)n;
  list->url_column = (uint32_t)url;
  return BEZ_OK;
}

/* A digest that may be absent. */
static bool take_hex(const json_t *line, const char *key, uint8_t *out, size_t n, unsigned bit, unsigned *know) {
  const json_t *value = json_object_get(line, key);
  if (!value) return true;
  if (!json_is_string(value) || !bez_unhex(json_string_value(value), out, n)) return false;
  *know |= bit;
  return true;
}

static bool take_time(const json_t *line, const char *key, int64_t *out) {
  const json_t *value = json_object_get(line, key);
  *out = value ? json_integer_value(value) : 0;
  return !value || (json_is_integer(value) && *out >= 0);
}

static bez_status take_row(bez_watchlist *list, const json_t *line, const char **cells, const char *subject,
                           bez_error *err) {
  const json_t *texts = json_object_get(line, "cells");
  bez_watched row = {.cells = cells};
  uint8_t phash[8] = {0};
  bool good = json_array_size(texts) == list->n_columns;
  for (uint32_t c = 0; good && c < list->n_columns; c++) {
    cells[c] = json_string_value(json_array_get(texts, c));
    good = cells[c] != NULL;
  }
  good = good && strlen(cells[list->url_column]) <= BEZ_MAX_URL &&
         take_hex(line, "sha256", row.sha256, 32, BEZ_KNOW_SHA256, &row.know) &&
         take_hex(line, "sha512", row.sha512, 64, BEZ_KNOW_SHA512, &row.know) &&
         take_hex(line, "md5", row.md5, 16, BEZ_KNOW_MD5, &row.know) &&
         take_hex(line, "phash", phash, 8, BEZ_KNOW_PHASH, &row.know) &&
         take_hex(line, "seen", row.seen, 32, BEZ_KNOW_SEEN, &row.know) && take_time(line, "since", &row.seen_since) &&
         take_time(line, "learned", &row.learned);
  if (!good) return no_list(subject, err);
  for (unsigned i = 0; i < 8; i++) row.phash = row.phash << 8 | phash[i];
  return bez_watchlist_add(list, &row) ? BEZ_OK : bez_fail_memory(err, sizeof row);
}

bez_status bez_watchlist_take_part(bez_watchlist *list, const char *bytes, size_t len, const char *subject,
                                   bez_error *err) {
  const char **cells = calloc(list->n_columns, sizeof *cells);
  bez_status st = cells ? BEZ_OK : bez_fail_memory(err, list->n_columns * sizeof *cells);
  while (st == BEZ_OK && len) {
    const char *end = memchr(bytes, '\n', len);
    json_t *line = NULL;
    if (!end) {
      st = no_list(subject, err);
      break;
    }
    st = bez_json_parse(bytes, (size_t)(end - bytes), subject, &line, err);
    if (st == BEZ_OK) st = take_row(list, line, cells, subject, err);
    json_decref(line);
    len -= (size_t)(end + 1 - bytes);
    bytes = end + 1;
  }
  free(cells);
  return st;
}
