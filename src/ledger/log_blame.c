/* Which file is damaged where the right edge of the tree does not lead to the head. Each level's last hashes can be
 * made from what lies below it: hashes from full tiles, those of level 0 from entries. The first that differ are the
 * damage, unless all fit: then it is the head. Read only when something is wrong. */
#include <string.h>

#include "base/error.h"
#include "ledger/log_internal.h"

/* The edge of level 0 against its bundle. */
static bez_status blame_leaves(const bez_log *log, const bez_log_state *state, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_log_bundle bundle = {0};
  bez_buf path = {0};
  unsigned width = bez_log_width(state->size, 0), wrong = 0;
  uint64_t n = bez_log_edge(state->size, 0);
  if (!width) return BEZ_OK;
  bez_log_path(log, BEZ_LOG_ENTRIES, n, width, &bundle.path);
  bez_log_path(log, 0, n, width, &path);
  BEZ_TRY(bez_buf_status(&bundle.path, err));
  BEZ_TRY(bez_buf_status(&path, err));
  if (bez_log_file(bundle.path.data, BEZ_LOG_BUNDLE, &bundle.bytes, NULL) != BEZ_OK) goto cleanup;
  if (bez_log_bundle_split(&bundle, width, NULL) != BEZ_OK) goto cleanup; /* both are damaged: nothing to go by */
  for (size_t i = 0; i < width; i++)
    wrong += bez_log_bundle_check(&bundle, i, (const bez_tile_hashes *)&state->edge[0], NULL) != BEZ_OK;
  if (wrong)
    st = bez_fail(err, BEZ_FORMAT, path.data, "%u of the tile's %u hashes are not those of the entries", wrong, width);
cleanup:
  bez_log_bundle_free(&bundle);
  bez_buf_free(&path);
  return st;
}

/* The edge of a higher level against the full tiles below it. */
static bez_status blame_level(const bez_log *log, const bez_log_state *state, unsigned level, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_buf path = {0}, bytes = {0};
  bez_tile_hashes below;
  uint8_t root[BEZ_MERKLE_HASH];
  unsigned width = bez_log_width(state->size, level), wrong = 0;
  uint64_t first = bez_log_edge(state->size, level) << 8;
  for (unsigned i = 0; i < width; i++) {
    bez_buf_clear(&path);
    bez_log_path(log, level - 1, first + i, BEZ_LOG_TILE, &path);
    BEZ_TRY(bez_buf_status(&path, err));
    if (bez_log_file(path.data, sizeof below, &bytes, NULL) != BEZ_OK || bytes.len != sizeof below) continue;
    memcpy(below, bytes.data, sizeof below);
    bez_log_tile_root(below, root);
    wrong += memcmp(root, state->edge[level][i], sizeof root) != 0;
  }
  bez_buf_clear(&path);
  bez_log_path(log, level, first >> 8, width, &path);
  BEZ_TRY(bez_buf_status(&path, err));
  if (wrong)
    st = bez_fail(err, BEZ_FORMAT, path.data, "%u of the tile's %u hashes are not those of the tiles below it", wrong,
                  width);
cleanup:
  bez_buf_free(&path);
  bez_buf_free(&bytes);
  return st;
}

bez_status bez_log_blame_edge(const bez_log *log, const bez_log_state *state, bez_error *err) {
  bez_buf path = {0};
  bez_status st = blame_leaves(log, state, err);
  for (unsigned level = 1; level < BEZ_LOG_LEVELS && st == BEZ_OK; level++) st = blame_level(log, state, level, err);
  bez_buf_printf(&path, "%s/head", log->folder);
  if (st == BEZ_OK) st = bez_buf_status(&path, err);
  if (st == BEZ_OK) st = bez_fail(err, BEZ_FORMAT, path.data, "the log's entries do not lead to the root in the head");
  bez_buf_free(&path);
  return st;
}
