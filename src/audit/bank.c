#include "audit/bank.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/limits.h"

#define KIND "bezoar adapter bank"
#define VERSION 1

bez_bank bez_bank_make(const char *const *features, uint32_t n_features) {
  return (bez_bank){.features = features,
                    .n_features = n_features < BEZ_BANK_FEATURES ? n_features : BEZ_BANK_FEATURES};
}

void bez_bank_free(bez_bank *bank) {
  free(bank->rows);
  bez_arena_free(&bank->arena);
  *bank = bez_bank_make(bank->features, bank->n_features);
}

/* ---- rows ---------------------------------------------------------------------------------------------------------
 */

/* Where the digest is, or would be. */
static size_t place_of(const bez_bank *bank, const char *sha256) {
  size_t low = 0, high = bank->n;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (strcmp(bank->rows[middle].sha256, sha256) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

bez_status bez_bank_put(bez_bank *bank, const bez_bank_row *row, bez_error *err) {
  const size_t at = place_of(bank, row->sha256);
  const bool there = at < bank->n && !strcmp(bank->rows[at].sha256, row->sha256);
  if (!there && bank->n == BEZ_MAX_BANK_ROWS)
    return bez_fail(err, BEZ_LIMIT, "bank", "more than %u adapters", BEZ_MAX_BANK_ROWS);
  if (!there && bank->n == bank->room) {
    const size_t room = bank->room ? 2 * bank->room : 64;
    bez_bank_row *more = realloc(bank->rows, room * sizeof *more);
    if (!more) return bez_fail_memory(err, room * sizeof *more);
    bank->rows = more;
    bank->room = room;
  }
  const char *name = bez_arena_strdup(&bank->arena, row->name);
  if (!name) return bez_fail_memory(err, strlen(row->name));
  if (!there) {
    memmove(bank->rows + at + 1, bank->rows + at, (bank->n - at) * sizeof *bank->rows);
    bank->n++;
  }
  bank->rows[at] = *row;
  bank->rows[at].name = name;
  return BEZ_OK;
}

bez_bank_rank bez_bank_rank_of(const bez_bank *bank, uint32_t feature, double value, const char *sha256) {
  bez_bank_rank rank = {0};
  for (size_t i = 0; i < bank->n; i++) {
    if (!strcmp(bank->rows[i].sha256, sha256)) continue;
    rank.n++;
    rank.larger += value > bank->rows[i].value[feature];
    rank.equal += value == bank->rows[i].value[feature];
  }
  return rank;
}

/* ---- reading ------------------------------------------------------------------------------------------------------
 */

static bool is_digest(const char *text) {
  size_t n = text ? strspn(text, "0123456789abcdef") : 0;
  return n == 64 && text[n] == '\0';
}

static bool is_head(const bez_bank *bank, const json_t *line) {
  const char *kind = json_string_value(json_object_get(line, "kind"));
  const json_t *names = json_object_get(line, "features");
  if (!kind || strcmp(kind, KIND) != 0 || json_integer_value(json_object_get(line, "version")) != VERSION) return false;
  if (json_array_size(names) != bank->n_features) return false;
  for (uint32_t i = 0; i < bank->n_features; i++) {
    const char *name = json_string_value(json_array_get(names, i));
    if (!name || strcmp(name, bank->features[i]) != 0) return false;
  }
  return true;
}

static bool row_of(const bez_bank *bank, const json_t *line, bez_bank_row *row) {
  const char *digest = json_string_value(json_object_get(line, "sha256"));
  const json_t *values = json_object_get(line, "values"), *modules = json_object_get(line, "modules");
  *row = (bez_bank_row){.name = json_string_value(json_object_get(line, "name"))};
  if (!is_digest(digest) || !row->name || !json_is_integer(modules) || json_integer_value(modules) < 0) return false;
  if (json_array_size(values) != bank->n_features) return false;
  memcpy(row->sha256, digest, sizeof row->sha256);
  row->modules = (uint64_t)json_integer_value(modules);
  for (uint32_t i = 0; i < bank->n_features; i++) {
    const json_t *value = json_array_get(values, i);
    row->value[i] = json_number_value(value);
    if (!json_is_number(value) || !isfinite(row->value[i])) return false;
  }
  return true;
}

static bez_status take_line(bez_bank *bank, const char *bytes, size_t len, int64_t number, const char *subject,
                            bez_error *err) {
  json_t *line = NULL;
  bez_bank_row row;
  bez_status st = bez_json_parse(bytes, len, subject, &line, err);
  if (st != BEZ_OK) return st;
  if (number == 1)
    st = is_head(bank, line)
             ? BEZ_OK
             : bez_fail_at(err, BEZ_FORMAT, subject, number, -1, "no bank of adapters, or one of another version");
  else if (!row_of(bank, line, &row))
    st = bez_fail_at(err, BEZ_FORMAT, subject, number, -1, "no row of a bank of adapters");
  else if (place_of(bank, row.sha256) != bank->n) /* in order, each once: nothing is moved about */
    st = bez_fail_at(err, BEZ_FORMAT, subject, number, -1, "rows are not in the order of their digests");
  else
    st = bez_bank_put(bank, &row, err);
  json_decref(line);
  return st;
}

bez_status bez_bank_parse(const char *bytes, size_t len, const char *subject, bez_bank *bank, bez_error *err) {
  int64_t number = 0;
  bez_status st = BEZ_OK;
  for (size_t at = 0; st == BEZ_OK && at < len;) {
    const char *end = memchr(bytes + at, '\n', len - at);
    const size_t n = end ? (size_t)(end - bytes) - at : len - at;
    number++;
    if (!end) return bez_fail_at(err, BEZ_FORMAT, subject, number, -1, "the last line is not whole");
    st = take_line(bank, bytes + at, n, number, subject, err);
    at += n + 1;
  }
  if (st == BEZ_OK && number == 0) return bez_fail(err, BEZ_FORMAT, subject, "an empty file, no bank of adapters");
  return st;
}

bez_status bez_bank_read(const char *path, bez_bank *bank, bez_error *err) {
  bez_buf bytes = {0};
  bez_status st = bez_file_read(path, BEZ_MAX_BANK_BYTES, &bytes, err);
  if (st == BEZ_OK) st = bez_bank_parse(bytes.data, bytes.len, path, bank, err);
  bez_buf_free(&bytes);
  return st;
}

/* ---- writing ------------------------------------------------------------------------------------------------------
 */

static bez_status write_out(const char *path, const bez_bank *bank, bez_error *err) {
  bez_buf out = {.ceiling = BEZ_MAX_BANK_BYTES};
  bez_json j = bez_json_make(&out, false);
  bez_json_open(&j, '{');
  bez_json_kstr(&j, "kind", KIND);
  bez_json_kuint(&j, "version", VERSION);
  bez_json_key(&j, "features");
  bez_json_open(&j, '[');
  for (uint32_t i = 0; i < bank->n_features; i++) bez_json_str(&j, bank->features[i]);
  bez_json_close(&j, ']');
  bez_json_close(&j, '}');
  bez_buf_putc(&out, '\n');
  for (size_t r = 0; r < bank->n; r++) {
    j = bez_json_make(&out, false);
    bez_json_open(&j, '{');
    bez_json_kstr(&j, "sha256", bank->rows[r].sha256);
    bez_json_kstr(&j, "name", bank->rows[r].name);
    bez_json_kuint(&j, "modules", bank->rows[r].modules);
    bez_json_key(&j, "values");
    bez_json_open(&j, '[');
    for (uint32_t i = 0; i < bank->n_features; i++) bez_json_num(&j, bank->rows[r].value[i]);
    bez_json_close(&j, ']');
    bez_json_close(&j, '}');
    bez_buf_putc(&out, '\n');
  }
  bez_status st = bez_buf_status(&out, err);
  if (st == BEZ_OK) st = bez_file_write(path, out.data, out.len, err);
  bez_buf_free(&out);
  return st;
}

/* The folder's lock, released when the descriptor is closed. The file itself is replaced, so a lock on it would not
 * hold for who comes next. */
static bez_status lock_folder(const char *path, int *fd, bez_error *err) {
  const char *slash = strrchr(path, '/');
  char *folder = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
  bez_status st = folder ? BEZ_OK : bez_fail_memory(err, strlen(path));
  *fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
  if (st == BEZ_OK && *fd < 0) st = bez_fail_errno(err, folder, "cannot be opened");
  while (st == BEZ_OK && flock(*fd, LOCK_EX) != 0)
    if (errno != EINTR) st = bez_fail_errno(err, folder, "cannot be locked");
  free(folder);
  return st;
}

bez_status bez_bank_add_to_file(const char *path, const bez_bank *more, size_t *n, bez_error *err) {
  bez_bank bank = bez_bank_make(more->features, more->n_features);
  int fd = -1;
  bez_status st = BEZ_OK;
  BEZ_TRY(lock_folder(path, &fd, err));
  if (access(path, F_OK) == 0) BEZ_TRY(bez_bank_read(path, &bank, err));
  for (size_t i = 0; i < more->n; i++) BEZ_TRY(bez_bank_put(&bank, &more->rows[i], err));
  BEZ_TRY(write_out(path, &bank, err));
  *n = bank.n;
cleanup:
  if (fd >= 0) close(fd);
  bez_bank_free(&bank);
  return st;
}
