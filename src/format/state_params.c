/* What a state was read with, and how it knows a file again. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "format/share.h"
#include "format/state.h"

#define BLOCK ((size_t)1 << 20)

static void put_text(bez_buf *out, const char *text) {
  bez_put_le32(out, (uint32_t)strlen(text));
  bez_buf_puts(out, text);
}

static void put_pair(bez_buf *out, uint32_t *n, const char *key, const char *value) {
  if (!value) return;
  put_text(out, key);
  put_text(out, value);
  ++*n;
}

bez_status bez_state_pack_params(const bez_read_options *o, bez_buf *out, uint32_t *n, bez_error *err) {
  char text[80];
  uint64_t bytes;
  *n = 0;
  put_pair(out, n, "label", o->label);
  put_pair(out, n, "source", o->source);
  put_pair(out, n, "id", o->id);
  for (size_t i = 0; i < o->n_text; i++) put_pair(out, n, "text", o->text[i]);
  for (size_t i = 0; i < o->n_types; i++) put_pair(out, n, "type", o->types[i]);
  for (size_t i = 0; i < o->n_columns; i++) put_pair(out, n, "columns", o->columns[i]);
  for (size_t i = 0; i < o->n_exclude; i++) put_pair(out, n, "exclude", o->exclude[i]);
  if (o->picture_height || o->picture_width || o->picture_channels) {
    snprintf(text, sizeof text, "%ux%ux%u", o->picture_height, o->picture_width, o->picture_channels);
    put_pair(out, n, "picture-size", text);
  }
  if (o->labels_file) {
    bez_status st = bez_state_print(o->labels_file, 0, 1, 1, &bytes, text, err);
    if (st != BEZ_OK) return st;
    put_pair(out, n, "labels-file", o->labels_file);
    put_pair(out, n, "labels-print", text);
  }
  return bez_buf_status(out, err);
}

static const char *saved(const bez_state *state, const char *key) {
  const bez_state_body *b = &state->bodies[0];
  for (uint32_t i = 0; i < b->n_params; i++)
    if (!strcmp(b->params[i].key, key)) return b->params[i].value;
  return NULL;
}

static bez_status contradicts(const bez_state *state, const char *key, bez_error *err) {
  char option[32];
  const char *value = saved(state, key);
  snprintf(option, sizeof option, "--%s", key);
  if (value) return bez_fail(err, BEZ_USAGE, option, "%s was read with --%s %s", state->path, key, value);
  return bez_fail(err, BEZ_USAGE, option, "%s was read without it", state->path);
}

static bez_status adopt_one(const bez_state *state, const char *key, const char **option, bez_error *err) {
  const char *value = saved(state, key);
  if (!*option) *option = value;
  return *option == value || (value && !strcmp(*option, value)) ? BEZ_OK : contradicts(state, key, err);
}

static bez_status adopt_list(bez_state *state, const char *key, const char *const **list, size_t *n, bez_error *err) {
  const bez_state_body *b = &state->bodies[0];
  const char **values = bez_arena_array(&state->arena, (size_t)b->n_params + 1, sizeof *values);
  size_t found = 0;
  if (!values) return bez_fail_memory(err, b->n_params * sizeof *values);
  for (uint32_t i = 0; i < b->n_params; i++)
    if (!strcmp(b->params[i].key, key)) values[found++] = b->params[i].value;
  bool same = *n == found;
  for (size_t i = 0; same && i < found; i++) same = !strcmp((*list)[i], values[i]);
  if (*n && !same) return contradicts(state, key, err);
  *list = values;
  *n = found;
  return BEZ_OK;
}

bez_status bez_state_adopt(bez_state *state, bez_read_options *o, bez_error *err) {
  bez_status st;
  BEZ_TRY(adopt_one(state, "label", &o->label, err));
  BEZ_TRY(adopt_one(state, "source", &o->source, err));
  BEZ_TRY(adopt_one(state, "id", &o->id, err));
  BEZ_TRY(adopt_one(state, "labels-file", &o->labels_file, err));
  BEZ_TRY(adopt_list(state, "text", &o->text, &o->n_text, err));
  BEZ_TRY(adopt_list(state, "type", &o->types, &o->n_types, err));
  BEZ_TRY(adopt_list(state, "columns", &o->columns, &o->n_columns, err));
  BEZ_TRY(adopt_list(state, "exclude", &o->exclude, &o->n_exclude, err));
cleanup:
  return st;
}

static bez_status print_stretch(int fd, const char *path, uint64_t at, uint64_t stop, char out[65], bez_error *err) {
  bez_buf all = {0};
  bez_status st = BEZ_OK;
  char one[65];
  uint8_t *block = malloc(BLOCK);
  if (!block) return bez_fail_memory(err, BLOCK);
  for (; at < stop; at += BLOCK) {
    size_t want = stop - at < BLOCK ? (size_t)(stop - at) : BLOCK;
    BEZ_TRY(bez_file_pread(fd, path, block, want, at, err));
    if (bez_sha256_hex(block, want, one) < 0) BEZ_TRY(bez_fail(err, BEZ_INTERNAL, path, "SHA-256 is not available"));
    bez_buf_write(&all, one, 64);
  }
  BEZ_TRY(bez_buf_status(&all, err));
  if (bez_sha256_hex(all.data ? all.data : "", all.len, out) < 0)
    st = bez_fail(err, BEZ_INTERNAL, path, "SHA-256 is not available");
cleanup:
  bez_buf_free(&all);
  free(block);
  return st;
}

bez_status bez_state_print(const char *path, uint64_t first, uint64_t end, uint64_t units, uint64_t *raw_bytes,
                           char out[65], bez_error *err) {
  struct stat info;
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return bez_fail_errno(err, path, "cannot open");
  bez_status st = BEZ_OK;
  if (fstat(fd, &info) < 0 || !S_ISREG(info.st_mode)) st = bez_fail(err, BEZ_IO, path, "is no regular file any more");
  if (st == BEZ_OK) {
    *raw_bytes = (uint64_t)info.st_size;
    bez_share share = {first, end, units};
    uint64_t at, stop;
    bez_share_range(&share, *raw_bytes, &at, &stop);
    st = print_stretch(fd, path, at, stop, out, err);
  }
  close(fd);
  return st;
}
