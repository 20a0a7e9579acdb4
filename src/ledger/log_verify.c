/* Every byte below the log's folder: what is there has to lead to the head, and nothing else may be there. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "ledger/entry.h"
#include "ledger/log_internal.h"

typedef struct verifier {
  bez_log *log;
  void (*damaged)(void *ctx, const char *path, const char *what);
  void *ctx;
  bez_buf told; /* paths, NUL-terminated, one behind the other */
  size_t n_told;
} verifier;

static bool told(const verifier *v, const char *path) {
  for (const char *at = v->told.data; at && at < v->told.data + v->told.len; at += strlen(at) + 1)
    if (!strcmp(at, path)) return true;
  return false;
}

/* Takes note of damage: goes on where somebody listens. Anything else than damage ends the walk. */
static bez_status note(verifier *v, bez_status st, const bez_error *why, bez_error *err) {
  if (st == BEZ_OK) return BEZ_OK;
  if (!v->damaged || (st != BEZ_FORMAT && st != BEZ_LIMIT)) {
    if (why->offset >= 0) return bez_fail_at(err, st, why->subject, why->line, why->offset, "%s", why->message);
    return bez_fail(err, st, why->subject, "%s", why->message);
  }
  if (told(v, why->subject)) return BEZ_OK;
  bez_buf_write(&v->told, why->subject, strlen(why->subject) + 1);
  v->n_told++;
  v->damaged(v->ctx, why->subject, why->message);
  return bez_buf_status(&v->told, err);
}

static bez_status verify_tiles(verifier *v, bez_error *err) {
  bez_status st = BEZ_OK;
  for (unsigned level = BEZ_LOG_LEVELS; level-- > 0;)
    for (uint64_t n = 0; n < bez_log_edge(v->log->state->size, level) && st == BEZ_OK; n++) {
      bez_error why = {.offset = -1};
      const bez_tile_hashes *tile = NULL;
      st = note(v, bez_log_tile_get(v->log, level, n, &tile, &why), &why, err);
    }
  return st;
}

/* The bundle of `width` entries under its own name; nothing follows them. */
static bez_status verify_bundle(verifier *v, uint64_t n, unsigned width, bez_log_bundle *bundle, bez_error *err) {
  const bez_tile_hashes *tile = NULL;
  bez_error ignored = {0};
  if (bez_log_tile_get(v->log, 0, n, &tile, &ignored) != BEZ_OK) return BEZ_OK; /* told already */
  bez_buf_clear(&bundle->path);
  bez_log_path(v->log, BEZ_LOG_ENTRIES, n, width, &bundle->path);
  bez_status st = bez_buf_status(&bundle->path, err);
  if (st == BEZ_OK) st = bez_log_file(bundle->path.data, BEZ_LOG_BUNDLE, &bundle->bytes, err);
  if (st == BEZ_OK) st = bez_log_bundle_split(bundle, width, err);
  for (size_t i = 0; i < width && st == BEZ_OK; i++) st = bez_log_bundle_check(bundle, i, tile, err);
  if (st != BEZ_OK) return st;
  size_t end = bundle->at[width - 1] + bundle->len[width - 1];
  if (end == bundle->bytes.len) return BEZ_OK;
  return bez_fail_at(err, BEZ_FORMAT, bundle->path.data, -1, (int64_t)end, "something follows the bundle's last entry");
}

static bez_status verify_bundles(verifier *v, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_log_bundle bundle = {0};
  uint64_t size = v->log->state->size;
  for (uint64_t n = 0; n < (size >> 8) + ((size & 255) != 0) && st == BEZ_OK; n++) {
    bez_error why = {.offset = -1};
    unsigned width = n < size >> 8 ? BEZ_LOG_TILE : (unsigned)(size & 255);
    st = note(v, verify_bundle(v, n, width, &bundle, &why), &why, err);
  }
  bez_log_bundle_free(&bundle);
  return st;
}

/* A partial tile that the checkpoint needs, where the head has outgrown it: the beginning of what is there now. */
static bez_status verify_partial(verifier *v, unsigned level, bez_buf *path, bez_buf *bytes, bez_error *err) {
  uint64_t size = v->log->state->signed_size, n = bez_log_edge(size, level);
  unsigned width = bez_log_width(size, level);
  const bez_tile_hashes *tile = NULL;
  bez_error ignored = {0};
  if (bez_log_tile_get(v->log, level, n, &tile, &ignored) != BEZ_OK) return BEZ_OK; /* told already */
  bez_buf_clear(path);
  bez_log_path(v->log, level, n, width, path);
  bez_status st = bez_buf_status(path, err);
  if (st == BEZ_OK) st = bez_log_file(path->data, sizeof *tile, bytes, err);
  if (st != BEZ_OK) return st;
  if (bytes->len == (size_t)width * BEZ_MERKLE_HASH && memcmp(bytes->data, tile, bytes->len) == 0) return BEZ_OK;
  return bez_fail(err, BEZ_FORMAT, path->data, "is not the beginning of what the log has in its place now");
}

static bez_status verify_signed_edge(verifier *v, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_buf path = {0}, bytes = {0};
  bez_log_bundle bundle = {0};
  uint64_t now = v->log->state->size, size = v->log->state->signed_size;
  for (unsigned level = 0; level < BEZ_LOG_LEVELS && st == BEZ_OK; level++) {
    unsigned width = bez_log_width(size, level);
    bez_error why = {.offset = -1};
    if (!width || size >> (8 * level) == now >> (8 * level)) continue;
    st = note(v, verify_partial(v, level, &path, &bytes, &why), &why, err);
    bez_error whose = {.offset = -1};
    if (!level && st == BEZ_OK) st = note(v, verify_bundle(v, size >> 8, width, &bundle, &whose), &whose, err);
  }
  bez_log_bundle_free(&bundle);
  bez_buf_free(&path);
  bez_buf_free(&bytes);
  return st;
}

/* Whose lines may stand below the checkpoint: the log's, and those of witnesses that its entries ever named. */
typedef struct signers {
  bez_vkey *keys;
  size_t n, cap;
} signers;

static bez_status name_signer(signers *s, const bez_vkey *key, bez_error *err) {
  if (s->n == s->cap) {
    size_t cap = s->cap ? 2 * s->cap : 4;
    bez_vkey *keys = realloc(s->keys, cap * sizeof *keys);
    if (!keys) return bez_fail_memory(err, cap * sizeof *keys);
    s->keys = keys;
    s->cap = cap;
  }
  s->keys[s->n++] = *key;
  return BEZ_OK;
}

static bez_status name_witness(void *ctx, uint64_t index, const void *bytes, size_t len, bez_error *err) {
  static const char begin[] = "{\"type\":\"witness\"";
  bez_entry entry = {0};
  bez_vkey key;
  bez_error ignored = {0};
  (void)index;
  if (len < sizeof begin - 1 || memcmp(bytes, begin, sizeof begin - 1) != 0) return BEZ_OK;
  bez_status st = bez_entry_peek(bytes, len, "witness", &entry, &ignored);
  bool is_key = st == BEZ_OK && bez_vkey_parse(bez_entry_text(&entry, "key"), "witness", &key, &ignored) == BEZ_OK;
  bez_entry_free(&entry);
  return is_key ? name_signer(ctx, &key, err) : BEZ_OK;
}

static bool is_of(const bez_note_signature *signature, const signers *s) {
  for (size_t i = 0; i < s->n; i++)
    if (signature->name_len == strlen(s->keys[i].name) && !memcmp(signature->hint, s->keys[i].hint, 4) &&
        !memcmp(signature->name, s->keys[i].name, signature->name_len))
      return true;
  return false;
}

static bez_status verify_lines(verifier *v, bez_error *err) {
  bez_status st = BEZ_OK;
  signers s = {0};
  bez_buf path = {0};
  bez_checkpoint parsed;
  bez_note_signature signature;
  bool found = false;
  bez_buf_printf(&path, "%s/checkpoint", v->log->folder);
  BEZ_TRY(bez_buf_status(&path, err));
  BEZ_TRY(bez_checkpoint_parse(v->log->state->checkpoint.data, path.data, &parsed, err));
  const char *at = parsed.signatures;
  if (!strchr(at, '\n')[1]) goto cleanup; /* the log's alone: verified when it was opened */
  BEZ_TRY(name_signer(&s, &v->log->key, err));
  BEZ_TRY(bez_log_each(v->log, 0, name_witness, &s, err));
  while (bez_note_next(&at, &signature))
    if (!is_of(&signature, &s))
      BEZ_TRY(bez_fail(err, BEZ_FORMAT, path.data, "somebody signed who is no witness: %.*s", (int)signature.name_len,
                       signature.name));
  for (size_t i = 0; i < s.n; i++) BEZ_TRY(bez_note_verify(&parsed, &s.keys[i], path.data, &found, NULL, err));
cleanup:
  free(s.keys);
  bez_buf_free(&path);
  return st;
}

/* "x001/x234/067", and ".p/W" behind it where it is partial; *width is BEZ_LOG_TILE for a full one. */
static bool parse_number(const char *text, uint64_t *n, unsigned *width) {
  *n = 0;
  *width = BEZ_LOG_TILE;
  for (int groups = 0; groups < 6; groups++) {
    bool more = *text == 'x';
    text += more;
    for (int i = 0; i < 3; i++, text++) {
      if (*text < '0' || *text > '9') return false;
      *n = *n * 10 + (uint64_t)(*text - '0');
    }
    if (!more) {
      if (!*text) return true;
      char *end = NULL;
      if (strncmp(text, ".p/", 3) != 0) return false;
      *width = (unsigned)strtoul(text + 3, &end, 10);
      return !*end && *width > 0 && *width < BEZ_LOG_TILE;
    }
    if (*text++ != '/') return false;
  }
  return false;
}

/* Whether a file (its path within the log's folder) has a name that logs use. What is well named and not looked at by
 * anybody is what an interrupted append left: harmless, and written over when its turn comes. */
static bool belongs(const verifier *v, const char *name) {
  unsigned level = BEZ_LOG_ENTRIES, width = 0;
  uint64_t n = 0;
  bez_buf again = {0};
  if (!strcmp(name, "head") || !strcmp(name, "checkpoint") || !strcmp(name, "new")) return true;
  if (strncmp(name, "tile/", 5) != 0) return false;
  const char *at = name + 5;
  if (strncmp(at, "entries/", 8) == 0) {
    at += 8;
  } else {
    if (*at < '0' || *at >= '0' + (int)BEZ_LOG_LEVELS || at[1] != '/') return false;
    level = (unsigned)(*at - '0');
    at += 2;
  }
  if (!parse_number(at, &n, &width)) return false;
  bez_log_path(v->log, level, n, width, &again); /* there is one way to write it */
  bool same = bez_buf_status(&again, NULL) == BEZ_OK && !strcmp(again.data + strlen(v->log->folder) + 1, name);
  bez_buf_free(&again);
  return same;
}

/* Folders still to be read are kept in a list: a hostile tree may be deep. */
static bez_status walk_folder(verifier *v, const char *folder, bez_buf *folders, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_buf path = {0};
  const struct dirent *entry = NULL;
  size_t own = strlen(v->log->folder);
  DIR *dir = opendir(folder);
  if (!dir) return bez_fail_errno(err, folder, "cannot open");
  while ((entry = readdir(dir)) != NULL) {
    struct stat info;
    if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
    bez_buf_clear(&path);
    bez_buf_printf(&path, "%s/%s", folder, entry->d_name);
    BEZ_TRY(bez_buf_status(&path, err));
    if (lstat(path.data, &info) != 0) {
      if (errno == ENOENT) continue;
      BEZ_TRY(bez_fail_errno(err, path.data, "cannot look at"));
    }
    bez_error why = {.offset = -1};
    if (S_ISDIR(info.st_mode))
      bez_buf_write(folders, path.data, path.len + 1);
    else if (!S_ISREG(info.st_mode) || !belongs(v, path.data + own + 1))
      BEZ_TRY(note(v, bez_fail(&why, BEZ_FORMAT, path.data, "does not belong into a log"), &why, err));
  }
  st = bez_buf_status(folders, err);
cleanup:
  closedir(dir);
  bez_buf_free(&path);
  return st;
}

static bez_status walk_folders(verifier *v, bez_error *err) {
  bez_buf folders = {0}, one = {0};
  bez_buf_write(&folders, v->log->folder, strlen(v->log->folder) + 1);
  bez_status st = bez_buf_status(&folders, err);
  for (size_t at = 0; st == BEZ_OK && at < folders.len;) {
    bez_buf_clear(&one); /* the list moves while it grows */
    bez_buf_puts(&one, folders.data + at);
    at += one.len + 1;
    st = bez_buf_status(&one, err);
    if (st == BEZ_OK) st = walk_folder(v, one.data, &folders, err);
  }
  bez_buf_free(&folders);
  bez_buf_free(&one);
  return st;
}

bez_status bez_log_verify(bez_log *log, void (*damaged)(void *ctx, const char *path, const char *what), void *ctx,
                          bez_error *err) {
  bez_status st = BEZ_OK;
  verifier v = {.log = log, .damaged = damaged, .ctx = ctx};
  bez_error why = {.offset = -1};
  BEZ_TRY(note(&v, bez_log_refresh(log, &why), &why, err)); /* head, checkpoint and edge as they are now */
  if (v.n_told) goto cleanup;
  bez_log_forget(log);
  if (log->state->size && !log->state->checkpoint.len) {
    bez_error none = {.offset = -1};
    BEZ_TRY(note(&v, bez_fail(&none, BEZ_FORMAT, log->folder, "the log's checkpoint is missing"), &none, err));
  }
  if (log->state->checkpoint.len) {
    bez_error lines = {.offset = -1};
    BEZ_TRY(note(&v, verify_lines(&v, &lines), &lines, err));
  }
  BEZ_TRY(verify_tiles(&v, err));
  BEZ_TRY(verify_bundles(&v, err));
  BEZ_TRY(verify_signed_edge(&v, err));
  BEZ_TRY(walk_folders(&v, err));
cleanup:
  if (st == BEZ_OK && v.n_told)
    st = bez_fail(err, BEZ_FORMAT, log->folder, "%zu file%s of the log %s damaged", v.n_told, v.n_told == 1 ? "" : "s",
                  v.n_told == 1 ? "is" : "are");
  bez_buf_free(&v.told);
  return st;
}
