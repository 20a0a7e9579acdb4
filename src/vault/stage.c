/* The stage: files that are whole or not there. */
#include "vault/stage.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "crypto/digest.h"
#include "crypto/sha256.h"

#define MOST_BYTES (1u << 20) /* of one file */
#define COMMIT "stage/commit"

void bez_staged_free(bez_staged *s) {
  free(s->dataset);
  free(s->path);
  bez_buf_free(&s->entry);
  bez_entry_free(&s->submission);
  *s = (bez_staged){0};
}

void bez_stage_free(bez_stage *stage) {
  for (size_t i = 0; i < stage->n; i++) bez_staged_free(&stage->items[i]);
  free(stage->items);
  *stage = (bez_stage){0};
}

/* The line, then its digest on a line of its own. */
static bez_status write_sealed(const bez_vault *vault, const char *name, bez_buf *line, bez_error *err) {
  char *path = NULL, digest[65];
  uint8_t sum[32];
  bez_status st = BEZ_OK;
  bez_buf_putc(line, '\n');
  BEZ_TRY(bez_buf_status(line, err));
  bez_sha256(line->data, line->len, sum);
  bez_hex(sum, sizeof sum, digest);
  bez_buf_printf(line, "%s\n", digest);
  BEZ_TRY(bez_buf_status(line, err));
  BEZ_TRY(bez_vault_path(vault, name, &path, err));
  BEZ_TRY(bez_file_write(path, line->data, line->len, err));
cleanup:
  free(path);
  return st;
}

static bez_status read_sealed(const char *path, json_t **root, bez_error *err) {
  bez_buf bytes = {0};
  uint8_t sum[32];
  char digits[65];
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_file_read(path, MOST_BYTES, &bytes, err));
  if (bytes.len < 67 || bytes.data[bytes.len - 1] != '\n' || bytes.data[bytes.len - 66] != '\n')
    BEZ_TRY(bez_fail(err, BEZ_FORMAT, path, "damaged: add the data again"));
  bez_sha256(bytes.data, bytes.len - 65, sum);
  bez_hex(sum, sizeof sum, digits);
  if (memcmp(digits, bytes.data + bytes.len - 65, 64) != 0) /* as text: digits of the other case are a change, too */
    BEZ_TRY(bez_fail(err, BEZ_FORMAT, path, "damaged: add the data again"));
  BEZ_TRY(bez_json_parse(bytes.data, bytes.len - 65, path, root, err));
cleanup:
  bez_buf_free(&bytes);
  return st;
}

static void name_of(const char *dataset, char out[80]) {
  char digest[65];
  uint8_t sum[32];
  bez_sha256(dataset, strlen(dataset), sum);
  bez_hex(sum, sizeof sum, digest);
  snprintf(out, 80, "stage/%s", digest);
}

bez_status bez_stage_put(const bez_vault *vault, const char *dataset, const char *path, const bez_stamp *stamp,
                         const bez_buf *entry, bez_error *err) {
  bez_buf line = {0};
  char name[80], digest[65];
  bez_json j = bez_json_make(&line, false);
  bez_hex(stamp->bytes, sizeof stamp->bytes, digest);
  bez_json_open(&j, '{');
  bez_json_kstr(&j, "dataset", dataset);
  bez_json_kstr(&j, "path", path);
  bez_json_kstr(&j, "stamp", digest);
  bez_json_kbool(&j, "settled", stamp->settled);
  bez_json_key(&j, "entry");
  bez_json_strn(&j, entry->data, entry->len);
  bez_json_close(&j, '}');
  name_of(dataset, name);
  bez_status st = write_sealed(vault, name, &line, err);
  bez_buf_free(&line);
  return st;
}

static bez_status drop(const bez_vault *vault, const char *name, bez_error *err) {
  char *path = NULL;
  bez_status st = bez_vault_path(vault, name, &path, err);
  if (st == BEZ_OK && unlink(path) != 0 && errno != ENOENT) st = bez_fail_errno(err, path, "cannot remove");
  free(path);
  return st;
}

bez_status bez_stage_drop(const bez_vault *vault, const char *dataset, bez_error *err) {
  char name[80];
  name_of(dataset, name);
  return drop(vault, name, err);
}

static bez_status take_staged(const char *path, const json_t *root, bez_staged *out, bez_error *err) {
  const char *dataset = json_string_value(json_object_get(root, "dataset"));
  const char *data = json_string_value(json_object_get(root, "path"));
  const char *stamp = json_string_value(json_object_get(root, "stamp"));
  const json_t *entry = json_object_get(root, "entry");
  if (!dataset || !data || !stamp || strlen(stamp) != 64 || !bez_unhex(stamp, out->stamp.bytes, 32) ||
      !json_is_string(entry))
    return bez_fail(err, BEZ_FORMAT, path, "damaged: add the data again");
  out->stamp.settled = json_is_true(json_object_get(root, "settled"));
  out->dataset = strdup(dataset);
  out->path = strdup(data);
  if (!out->dataset || !out->path) return bez_fail_memory(err, strlen(dataset) + strlen(data));
  bez_buf_write(&out->entry, json_string_value(entry), json_string_length(entry));
  bez_status st = bez_buf_status(&out->entry, err);
  if (st == BEZ_OK) st = bez_entry_parse(out->entry.data, out->entry.len, path, &out->submission, err);
  if (st != BEZ_OK) return st;
  if (strcmp(out->submission.type, "submission") != 0 || !out->submission.n_keys ||
      strcmp(bez_entry_text(&out->submission, "dataset"), dataset) != 0)
    return bez_fail(err, BEZ_FORMAT, path, "damaged: add the data again");
  return BEZ_OK;
}

static int by_dataset(const void *a, const void *b) {
  return strcmp(((const bez_staged *)a)->dataset, ((const bez_staged *)b)->dataset);
}

static bez_status read_one(const char *folder, const char *name, bez_stage *out, bez_error *err) {
  char path[4096];
  json_t *root = NULL;
  bez_status st = BEZ_OK;
  if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
    return bez_fail(err, BEZ_USAGE, folder, "the path is too long");
  bez_staged *grown = realloc(out->items, (out->n + 1) * sizeof *grown);
  if (!grown) return bez_fail_memory(err, (out->n + 1) * sizeof *grown);
  out->items = grown;
  out->items[out->n++] = (bez_staged){0};
  BEZ_TRY(read_sealed(path, &root, err));
  BEZ_TRY(take_staged(path, root, &out->items[out->n - 1], err));
cleanup:
  if (st != BEZ_OK) bez_staged_free(&out->items[--out->n]);
  json_decref(root);
  return st;
}

bez_status bez_stage_read(const bez_vault *vault, bez_stage *out, bez_error *err) {
  char *folder = NULL;
  DIR *dir = NULL;
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_vault_path(vault, "stage", &folder, err));
  dir = opendir(folder);
  if (!dir && errno == ENOENT) goto cleanup;
  if (!dir) BEZ_TRY(bez_fail_errno(err, folder, "cannot open"));
  for (const struct dirent *e; (e = readdir(dir)) != NULL;)
    if (strlen(e->d_name) == 64) BEZ_TRY(read_one(folder, e->d_name, out, err));
  if (out->n) qsort(out->items, out->n, sizeof *out->items, by_dataset);
cleanup:
  if (st != BEZ_OK) bez_stage_free(out);
  if (dir) closedir(dir);
  free(folder);
  return st;
}

bez_status bez_stage_put_commit(const bez_vault *vault, const bez_buf *entry, bez_error *err) {
  bez_buf line = {0};
  bez_json j = bez_json_make(&line, false);
  bez_json_open(&j, '{');
  bez_json_key(&j, "entry");
  bez_json_strn(&j, entry->data, entry->len);
  bez_json_close(&j, '}');
  bez_status st = write_sealed(vault, COMMIT, &line, err);
  bez_buf_free(&line);
  return st;
}

bez_status bez_stage_get_commit(const bez_vault *vault, bez_buf *entry, bool *found, bez_error *err) {
  char *path = NULL;
  json_t *root = NULL;
  bez_status st = bez_vault_path(vault, COMMIT, &path, err);
  *found = false;
  if (st != BEZ_OK || access(path, F_OK) != 0) goto cleanup;
  BEZ_TRY(read_sealed(path, &root, err));
  const json_t *text = json_object_get(root, "entry");
  if (!json_is_string(text)) BEZ_TRY(bez_fail(err, BEZ_FORMAT, path, "damaged: commit again"));
  bez_buf_clear(entry);
  bez_buf_write(entry, json_string_value(text), json_string_length(text));
  BEZ_TRY(bez_buf_status(entry, err));
  *found = true;
cleanup:
  json_decref(root);
  free(path);
  return st;
}

bez_status bez_stage_drop_commit(const bez_vault *vault, bez_error *err) {
  return drop(vault, COMMIT, err);
}
