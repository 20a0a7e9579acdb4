/* Reading the state of a log: head, checkpoint and the right edge of the tree have to fit each other. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/error.h"
#include "crypto/sha256.h"
#include "ledger/log_internal.h"

#define ATTEMPTS 16 /* somebody may append while we read */

void bez_log_state_free(bez_log_state *state) {
  if (!state) return;
  bez_buf_free(&state->head);
  bez_buf_free(&state->checkpoint);
  free(state);
}

void bez_log_body(const bez_log *log, uint64_t size, const uint8_t root[BEZ_MERKLE_HASH], bez_buf *out) {
  bez_buf_printf(out, "%s\n%llu\n", log->origin, (unsigned long long)size);
  bez_base64_put(out, root, BEZ_MERKLE_HASH);
  bez_buf_putc(out, '\n');
}

void bez_log_edge_root(uint64_t size, bez_tile_hashes *edge, uint8_t out[BEZ_MERKLE_HASH]) {
  bool any = false;
  bez_sha256("", 0, out);
  for (unsigned level = 0; level < BEZ_LOG_LEVELS; level++) { /* from right to left, smaller subtrees first */
    size_t end = bez_log_width(size, level);
    while (end) {
      size_t n = end & (~end + 1);
      bez_tile_hashes fold;
      memcpy(fold, edge[level][end - n], n * BEZ_MERKLE_HASH);
      for (size_t k = n; k > 1; k /= 2)
        for (size_t i = 0; i < k / 2; i++) bez_merkle_node(fold[2 * i], fold[2 * i + 1], fold[i]);
      if (any)
        bez_merkle_node(fold[0], out, out);
      else
        memcpy(out, fold[0], BEZ_MERKLE_HASH);
      any = true;
      end -= n;
    }
  }
}

static bez_status named(const bez_log *log, const char *name, bez_buf *path, bez_error *err) {
  bez_buf_clear(path);
  bez_buf_printf(path, "%s/%s", log->folder, name);
  return bez_buf_status(path, err);
}

/* A head is the body of a checkpoint, to the byte. */
static bez_status read_head(const bez_log *log, bez_log_state *state, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_buf path = {0}, again = {0};
  bez_checkpoint head = {0};
  BEZ_TRY(named(log, "head", &path, err));
  BEZ_TRY(bez_log_file(path.data, BEZ_LOG_NOTE, &state->head, err));
  bez_buf_printf(&again, "%s\n\n", state->head.data); /* as a note would go on */
  BEZ_TRY(bez_buf_status(&again, err));
  BEZ_TRY(bez_checkpoint_parse(again.data, path.data, &head, err));
  if (head.size >= BEZ_LOG_MOST) BEZ_TRY(bez_fail(err, BEZ_FORMAT, path.data, "no log is that long"));
  state->size = head.size;
  memcpy(state->root, head.root, sizeof state->root);
  bez_buf_clear(&again);
  bez_log_body(log, state->size, state->root, &again);
  BEZ_TRY(bez_buf_status(&again, err));
  if (again.len != state->head.len || memcmp(again.data, state->head.data, again.len) != 0)
    BEZ_TRY(bez_fail(err, BEZ_FORMAT, path.data, "the head is not one of the log %s", log->origin));
cleanup:
  bez_buf_free(&path);
  bez_buf_free(&again);
  return st;
}

static bez_status read_edge(const bez_log *log, bez_log_state *state, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_buf path = {0}, bytes = {0};
  uint8_t root[BEZ_MERKLE_HASH];
  for (unsigned level = 0; level < BEZ_LOG_LEVELS; level++) {
    unsigned width = bez_log_width(state->size, level);
    if (!width) continue;
    bez_buf_clear(&path);
    bez_log_path(log, level, bez_log_edge(state->size, level), width, &path);
    BEZ_TRY(bez_buf_status(&path, err));
    if (access(path.data, F_OK) != 0 && errno == ENOENT)
      BEZ_TRY(bez_fail(err, BEZ_FORMAT, path.data, "is missing, if the head is right that the log has %llu entries",
                       (unsigned long long)state->size));
    BEZ_TRY(bez_log_file(path.data, sizeof(bez_tile_hashes), &bytes, err));
    if (bytes.len != (size_t)width * BEZ_MERKLE_HASH)
      BEZ_TRY(bez_fail(err, BEZ_FORMAT, path.data, "a tile of %u hashes has %u bytes, this one %zu", width,
                       width * BEZ_MERKLE_HASH, bytes.len));
    memcpy(state->edge[level], bytes.data, bytes.len);
  }
  bez_log_edge_root(state->size, state->edge, root);
  if (memcmp(root, state->root, sizeof root) != 0) st = bez_log_blame_edge(log, state, err);
cleanup:
  bez_buf_free(&path);
  bez_buf_free(&bytes);
  return st;
}

static bez_status parse_checkpoint(const bez_log *log, const char *path, bez_log_state *state, uint8_t *root,
                                   bez_error *err) {
  bez_checkpoint note;
  bool found = false;
  size_t origin = strlen(log->origin);
  bez_status st = bez_note_check(state->checkpoint.data, state->checkpoint.len, path, err);
  if (st == BEZ_OK) st = bez_checkpoint_parse(state->checkpoint.data, path, &note, err);
  if (st != BEZ_OK) return st;
  if (strncmp(note.text, log->origin, origin) != 0 || note.text[origin] != '\n')
    return bez_fail(err, BEZ_FORMAT, path, "the checkpoint is of another log than %s", log->origin);
  st = bez_note_verify(&note, &log->key, path, &found, NULL, err);
  if (st == BEZ_OK && !found) st = bez_fail(err, BEZ_FORMAT, path, "the checkpoint is not signed by the log's key");
  state->signed_size = note.size;
  memcpy(root, note.root, BEZ_MERKLE_HASH);
  return st;
}

/* The log of `state` begins with the one that its checkpoint is about. */
static bez_status check_beginning(bez_log *log, bez_log_state *state, const char *path, const uint8_t *root,
                                  bez_error *err) {
  uint8_t is[BEZ_MERKLE_HASH];
  bez_log_state *kept = log->state;
  if (state->signed_size > state->size)
    return bez_fail(err, BEZ_FORMAT, path,
                    "a checkpoint of %llu entries was signed, the log's head has %llu: entries were taken away",
                    (unsigned long long)state->signed_size, (unsigned long long)state->size);
  log->state = state;
  bez_status st = bez_log_root_at(log, state->signed_size, is, err);
  log->state = kept;
  if (st == BEZ_OK && memcmp(is, root, sizeof is) != 0)
    st =
        bez_fail(err, BEZ_FORMAT, path, "the log's first %llu entries are not those that its checkpoint was signed for",
                 (unsigned long long)state->signed_size);
  return st;
}

/* The checkpoint is read first: whoever appends puts the head in place before it. */
static bez_status load_once(bez_log *log, bez_log_state *state, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_buf path = {0};
  uint8_t root[BEZ_MERKLE_HASH];
  BEZ_TRY(named(log, "checkpoint", &path, err));
  bool none = access(path.data, F_OK) != 0 && errno == ENOENT;
  if (!none) BEZ_TRY(bez_log_file(path.data, BEZ_LOG_NOTE, &state->checkpoint, err));
  BEZ_TRY(read_head(log, state, err));
  BEZ_TRY(read_edge(log, state, err));
  if (!none) {
    BEZ_TRY(parse_checkpoint(log, path.data, state, root, err));
    BEZ_TRY(check_beginning(log, state, path.data, root, err));
  }
cleanup:
  bez_buf_free(&path);
  return st;
}

/* Whether the head is still what `state` was read from. */
static bool unmoved(const bez_log *log, const bez_log_state *state) {
  bez_buf path = {0}, head = {0};
  bool same = named(log, "head", &path, NULL) != BEZ_OK ||
              bez_log_file(path.data, BEZ_LOG_NOTE, &head, NULL) != BEZ_OK ||
              (head.len == state->head.len && memcmp(head.data, state->head.data, head.len) == 0);
  bez_buf_free(&path);
  bez_buf_free(&head);
  return same;
}

bez_status bez_log_load(bez_log *log, bez_log_state **out, bez_error *err) {
  bez_status st = BEZ_OK;
  for (int i = 0; i < ATTEMPTS; i++) {
    bez_error why = {0};
    bez_log_state *state = calloc(1, sizeof *state);
    if (!state) return bez_fail_memory(err, sizeof *state);
    bez_log_forget(log);
    st = load_once(log, state, &why);
    if (st == BEZ_OK) {
      *out = state;
      return BEZ_OK;
    }
    bool final = i + 1 == ATTEMPTS || !state->head.len || unmoved(log, state);
    bez_log_state_free(state);
    bez_log_forget(log);
    if (final) return bez_fail(err, st, why.subject, "%s", why.message);
  }
  return st;
}
