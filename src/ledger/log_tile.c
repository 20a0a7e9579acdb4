/* Tiles: their names, their bytes, and how a full one is borne out by the one above it. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "ledger/log_internal.h"

/* 1234067 is x001/x234/067. */
static void put_number(uint64_t n, bez_buf *out) {
  unsigned part[8];
  size_t parts = 0;
  do {
    part[parts++] = (unsigned)(n % 1000);
    n /= 1000;
  } while (n && parts < 8);
  while (parts-- > 1) bez_buf_printf(out, "x%03u/", part[parts]);
  bez_buf_printf(out, "%03u", part[0]);
}

void bez_log_path(const bez_log *log, unsigned level, uint64_t n, unsigned width, bez_buf *out) {
  if (level == BEZ_LOG_ENTRIES)
    bez_buf_printf(out, "%s/tile/entries/", log->folder);
  else
    bez_buf_printf(out, "%s/tile/%u/", log->folder, level);
  put_number(n, out);
  if (width != BEZ_LOG_TILE) bez_buf_printf(out, ".p/%u", width);
}

bez_status bez_log_file(const char *path, size_t ceiling, bez_buf *out, bez_error *err) {
  if (access(path, F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR))
    return bez_fail(err, BEZ_FORMAT, path, "is missing");
  return bez_file_read(path, ceiling, out, err);
}

void bez_log_tile_root(bez_tile_hashes hashes, uint8_t out[BEZ_MERKLE_HASH]) {
  bez_tile_hashes level;
  memcpy(level, hashes, sizeof level);
  for (size_t n = BEZ_LOG_TILE; n > 1; n /= 2)
    for (size_t i = 0; i < n / 2; i++) bez_merkle_node(level[2 * i], level[2 * i + 1], level[i]);
  memcpy(out, level[0], BEZ_MERKLE_HASH);
}

static bez_status read_full(const bez_log *log, unsigned level, bez_log_tile *tile, const uint8_t *root,
                            bez_error *err) {
  bez_status st = BEZ_OK;
  bez_buf path = {0}, bytes = {0};
  uint8_t is[BEZ_MERKLE_HASH];
  tile->filled = false;
  bez_log_path(log, level, tile->n, BEZ_LOG_TILE, &path);
  BEZ_TRY(bez_buf_status(&path, err));
  BEZ_TRY(bez_log_file(path.data, sizeof tile->hash, &bytes, err));
  if (bytes.len != sizeof tile->hash)
    BEZ_TRY(bez_fail(err, BEZ_FORMAT, path.data, "a tile of the log has %zu bytes, this one %zu", sizeof tile->hash,
                     bytes.len));
  memcpy(tile->hash, bytes.data, sizeof tile->hash);
  bez_log_tile_root(tile->hash, is);
  if (memcmp(is, root, sizeof is) != 0)
    BEZ_TRY(bez_fail(err, BEZ_FORMAT, path.data, "the tile's hashes are not those that the log's root stands for"));
  tile->filled = true;
cleanup:
  bez_buf_free(&path);
  bez_buf_free(&bytes);
  return st;
}

/* Without recursion: up to the first level where the tile is known, and down again. */
bez_status bez_log_tile_get(bez_log *log, unsigned level, uint64_t n, const bez_tile_hashes **out, bez_error *err) {
  const bez_tile_hashes *above = NULL;
  unsigned top = level;
  if (level >= BEZ_LOG_LEVELS || n > bez_log_edge(log->state->size, level))
    return bez_fail(err, BEZ_INTERNAL, log->folder, "the log has no such tile");
  for (;; top++) {
    uint64_t at = n >> (8 * (top - level));
    const bez_log_tile *kept = &log->cache[top][at & 1];
    if (at == bez_log_edge(log->state->size, top)) above = (const bez_tile_hashes *)&log->state->edge[top];
    if (!above && kept->filled && kept->n == at) above = &kept->hash;
    if (above) break;
  }
  while (top-- > level) {
    uint64_t at = n >> (8 * (top - level));
    bez_log_tile *tile = &log->cache[top][at & 1];
    tile->n = at;
    bez_status st = read_full(log, top, tile, (*above)[at & 255], err);
    if (st != BEZ_OK) return st;
    above = (const bez_tile_hashes *)&tile->hash;
  }
  *out = above;
  return BEZ_OK;
}

void bez_log_forget(bez_log *log) {
  for (unsigned level = 0; level < BEZ_LOG_LEVELS; level++)
    log->cache[level][0].filled = log->cache[level][1].filled = false;
}

static bez_status subtree(void *ctx, unsigned height, uint64_t index, uint8_t out[BEZ_MERKLE_HASH], bez_error *err) {
  bez_log *log = ctx;
  unsigned level = height / 8, rest = height % 8;
  uint64_t first = index << rest;
  const bez_tile_hashes *tile = NULL;
  bez_tile_hashes fold;
  if (level >= BEZ_LOG_LEVELS || (index + 1) << rest > log->state->size >> (8 * level))
    return bez_fail(err, BEZ_INTERNAL, log->folder, "the log has no such subtree");
  bez_status st = bez_log_tile_get(log, level, first >> 8, &tile, err);
  if (st != BEZ_OK) return st;
  size_t n = (size_t)1 << rest;
  memcpy(fold, (*tile)[first & 255], n * BEZ_MERKLE_HASH);
  for (; n > 1; n /= 2)
    for (size_t i = 0; i < n / 2; i++) bez_merkle_node(fold[2 * i], fold[2 * i + 1], fold[i]);
  memcpy(out, fold[0], BEZ_MERKLE_HASH);
  return BEZ_OK;
}

bez_merkle_source bez_log_source(bez_log *log) {
  return (bez_merkle_source){.get = subtree, .ctx = log};
}
