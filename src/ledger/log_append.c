/* Appending: bundles and tiles under names that no reader of the old head looks at, then the head. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "ledger/log_internal.h"

typedef struct growth {
  bez_log *log;
  bez_log_state *next;
  bez_buf bundle;  /* the entries behind the last full bundle */
  bez_buf folders; /* to be brought to the disk */
  bez_buf path;
} growth;

static bez_status put(growth *g, unsigned level, uint64_t n, unsigned width, const void *bytes, size_t len,
                      bez_error *err) {
  bez_buf_clear(&g->path);
  bez_log_path(g->log, level, n, width, &g->path);
  bez_status st = bez_buf_status(&g->path, err);
  if (st == BEZ_OK) st = bez_log_put(g->log, g->path.data, bytes, len, &g->folders, err);
  return st;
}

/* The entries of the bundle that is not full yet; they have to be those of the tree. */
static bez_status begin(growth *g, bez_error *err) {
  bez_status st = BEZ_OK;
  uint64_t size = g->log->state->size;
  bez_log_bundle last = {0};
  if (!bez_log_width(size, 0)) return BEZ_OK;
  BEZ_TRY(bez_log_bundle_load(g->log, bez_log_edge(size, 0), &last, err));
  for (size_t i = 0; i < last.n; i++)
    BEZ_TRY(bez_log_bundle_check(&last, i, (const bez_tile_hashes *)&g->log->state->edge[0], err));
  bez_buf_write(&g->bundle, last.bytes.data, last.at[last.n - 1] + last.len[last.n - 1]);
  st = bez_buf_status(&g->bundle, err);
cleanup:
  bez_log_bundle_free(&last);
  return st;
}

/* One more hash at level 0; tiles that become full are written and go up by one hash. */
static bez_status push(growth *g, const uint8_t leaf[BEZ_MERKLE_HASH], bez_error *err) {
  uint64_t at = g->next->size; /* of hashes at the level */
  uint8_t hash[BEZ_MERKLE_HASH];
  memcpy(hash, leaf, sizeof hash);
  for (unsigned level = 0; level < BEZ_LOG_LEVELS; level++, at >>= 8) {
    memcpy(g->next->edge[level][at & 255], hash, sizeof hash);
    if ((at & 255) != 255) break;
    bez_status st = put(g, level, at >> 8, BEZ_LOG_TILE, g->next->edge[level], sizeof(bez_tile_hashes), err);
    if (st != BEZ_OK) return st;
    bez_log_tile_root(g->next->edge[level], hash);
  }
  g->next->size++;
  return BEZ_OK;
}

static bez_status add(growth *g, const bez_bytes_view *entry, bez_error *err) {
  uint8_t leaf[BEZ_MERKLE_HASH];
  uint64_t index = g->next->size;
  bez_buf_putc(&g->bundle, (char)(entry->len >> 8));
  bez_buf_putc(&g->bundle, (char)(entry->len & 255));
  bez_buf_write(&g->bundle, entry->bytes, entry->len);
  bez_status st = bez_buf_status(&g->bundle, err);
  if (st == BEZ_OK) st = bez_merkle_leaf(entry->bytes, entry->len, leaf, err);
  if (st == BEZ_OK) st = push(g, leaf, err);
  if (st == BEZ_OK && (index & 255) == 255) {
    st = put(g, BEZ_LOG_ENTRIES, index >> 8, BEZ_LOG_TILE, g->bundle.data, g->bundle.len, err);
    bez_buf_clear(&g->bundle);
  }
  return st;
}

/* Partial tiles and the partial bundle of the new size, as far as they are new. */
static bez_status put_edge(growth *g, bez_error *err) {
  uint64_t old = g->log->state->size, size = g->next->size;
  bez_status st = BEZ_OK;
  if (bez_log_width(size, 0))
    st = put(g, BEZ_LOG_ENTRIES, bez_log_edge(size, 0), bez_log_width(size, 0), g->bundle.data, g->bundle.len, err);
  for (unsigned level = 0; st == BEZ_OK && level < BEZ_LOG_LEVELS; level++) {
    unsigned width = bez_log_width(size, level);
    if (width && old >> (8 * level) != size >> (8 * level))
      st = put(g, level, bez_log_edge(size, level), width, g->next->edge[level], (size_t)width * BEZ_MERKLE_HASH, err);
  }
  return st;
}

static bez_status sync_folders(growth *g, bez_error *err) {
  bez_status st = bez_buf_status(&g->folders, err);
  for (const char *at = g->folders.data; st == BEZ_OK && at < g->folders.data + g->folders.len; at += strlen(at) + 1)
    st = bez_log_sync(at, err);
  return st;
}

/* The head takes the append in: before it nothing has happened, behind it everything. What follows is an addition that
 * may fail without harm: the head is unsigned then. */
static bez_status put_head(growth *g, const bez_signer *log_key, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_log *log = g->log;
  bez_log_state *next = g->next;
  bez_error ignored = {0};
  bez_log_edge_root(next->size, next->edge, next->root);
  bez_log_body(log, next->size, next->root, &next->head);
  BEZ_TRY(bez_buf_status(&next->head, err));
  if (log_key) BEZ_TRY(bez_log_note(log, next->head.data, next->head.len, log_key, &next->checkpoint, err));
  bez_buf_clear(&g->path);
  bez_buf_printf(&g->path, "%s/head", log->folder);
  BEZ_TRY(bez_buf_status(&g->path, err));
  BEZ_TRY(bez_log_put(log, g->path.data, next->head.data, next->head.len, NULL, err));
  bez_log_state *old = log->state;
  if (!next->checkpoint.len) { /* what was signed stays so */
    bez_buf kept = next->checkpoint;
    next->checkpoint = old->checkpoint;
    old->checkpoint = kept;
    next->signed_size = old->signed_size;
  }
  log->state = next;
  g->next = old; /* to be released */
  st = bez_log_sync(log->folder, err);
  if (st == BEZ_OK && next->signed_size != old->signed_size && bez_log_put_note(log, &ignored) != BEZ_OK) {
    bez_buf_clear(&next->checkpoint);
    bez_buf_write(&next->checkpoint, old->checkpoint.data, old->checkpoint.len);
    next->signed_size = old->signed_size;
  }
cleanup:
  return st;
}

/* Nobody appended since the state was read. */
static bez_status check_current(growth *g, bez_error *err) {
  bez_buf head = {0};
  const bez_log_state *state = g->log->state;
  bez_buf_printf(&g->path, "%s/head", g->log->folder);
  bez_status st = bez_buf_status(&g->path, err);
  if (st == BEZ_OK) st = bez_log_file(g->path.data, BEZ_LOG_NOTE, &head, err);
  if (st == BEZ_OK && (head.len != state->head.len || memcmp(head.data, state->head.data, head.len) != 0))
    st = bez_fail(err, BEZ_USAGE, g->log->folder, "somebody else appended to the log meanwhile");
  bez_buf_free(&head);
  return st;
}

static bez_status check_sizes(const bez_log *log, const bez_bytes_view *entries, size_t n, bez_error *err) {
  if (n >= BEZ_LOG_MOST - log->state->size) return bez_fail(err, BEZ_LIMIT, log->folder, "the log is full");
  for (size_t i = 0; i < n; i++)
    if (entries[i].len > BEZ_MAX_ENTRY)
      return bez_fail(err, BEZ_LIMIT, log->folder, "an entry of the log has %u bytes at the most, this one %zu",
                      BEZ_MAX_ENTRY, entries[i].len);
  return BEZ_OK;
}

bez_status bez_log_append(bez_log *log, const bez_bytes_view *entries, size_t n, const bez_signer *log_key,
                          bez_error *err) {
  bez_status st = BEZ_OK;
  growth g = {.log = log};
  uint64_t was = log->state->size, was_signed = log->state->signed_size;
  if (!n) return BEZ_OK;
  BEZ_TRY(check_sizes(log, entries, n, err));
  BEZ_TRY(check_current(&g, err));
  g.next = calloc(1, sizeof *g.next);
  if (!g.next) BEZ_TRY(bez_fail_memory(err, sizeof *g.next));
  g.next->size = was;
  g.next->signed_size = log_key ? was + n : log->state->signed_size;
  memcpy(g.next->edge, log->state->edge, sizeof g.next->edge);
  BEZ_TRY(begin(&g, err));
  for (size_t i = 0; i < n; i++) BEZ_TRY(add(&g, &entries[i], err));
  BEZ_TRY(put_edge(&g, err));
  BEZ_TRY(sync_folders(&g, err));
  BEZ_TRY(put_head(&g, log_key, err));
  bez_log_drop(log, was);
  bez_log_drop(log, was_signed);
cleanup:
  bez_log_state_free(g.next);
  bez_buf_free(&g.bundle);
  bez_buf_free(&g.folders);
  bez_buf_free(&g.path);
  return st;
}
