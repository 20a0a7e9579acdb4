/* Entries, each the one that its tile names, and proofs. */
#include <string.h>
#include <unistd.h>

#include "base/cursor.h"
#include "base/error.h"
#include "ledger/log_internal.h"
#include "ledger/proof_text.h"

void bez_log_bundle_free(bez_log_bundle *bundle) {
  bez_buf_free(&bundle->path);
  bez_buf_free(&bundle->bytes);
  bundle->n = 0;
}

/* Where a bundle of at least `width` entries lies: under its own name, or, where somebody appended meanwhile, under
 * that of a larger one. */
static bez_status find_bundle(const bez_log *log, uint64_t n, unsigned width, bez_log_bundle *out, bez_error *err) {
  for (unsigned w = width; w <= BEZ_LOG_TILE; w++) {
    bez_buf_clear(&out->path);
    bez_log_path(log, BEZ_LOG_ENTRIES, n, w, &out->path);
    bez_status st = bez_buf_status(&out->path, err);
    if (st != BEZ_OK) return st;
    if (access(out->path.data, F_OK) == 0) return BEZ_OK;
  }
  bez_buf_clear(&out->path);
  bez_log_path(log, BEZ_LOG_ENTRIES, n, width, &out->path);
  bez_status st = bez_buf_status(&out->path, err);
  return st == BEZ_OK ? bez_fail(err, BEZ_FORMAT, out->path.data, "is missing") : st;
}

bez_status bez_log_bundle_split(bez_log_bundle *out, unsigned width, bez_error *err) {
  out->n = 0;
  bez_cursor at = {.data = (const uint8_t *)out->bytes.data, .len = out->bytes.len};
  const uint8_t *length = NULL, *entry = NULL;
  for (unsigned i = 0; i < width; i++) {
    if (!bez_cursor_take(&at, 2, &length)) break;
    size_t len = (size_t)length[0] << 8 | length[1];
    if (!bez_cursor_take(&at, len, &entry)) break;
    out->at[i] = at.pos - len;
    out->len[i] = len;
    out->n++;
  }
  if (out->n < width)
    return bez_fail_at(err, BEZ_FORMAT, out->path.data, -1, (int64_t)at.pos, "the bundle ends within entry %zu",
                       out->n);
  return BEZ_OK;
}

bez_status bez_log_bundle_load(const bez_log *log, uint64_t n, bez_log_bundle *out, bez_error *err) {
  bool full = n < bez_log_edge(log->state->size, 0);
  unsigned width = full ? BEZ_LOG_TILE : bez_log_width(log->state->size, 0);
  bez_status st = BEZ_OK;
  out->n = 0;
  for (int i = 0; i < 3; i++) { /* a name may pass on between looking and opening */
    bez_error why = {0};
    st = find_bundle(log, n, width, out, err);
    if (st != BEZ_OK) return st;
    st = bez_log_file(out->path.data, BEZ_LOG_BUNDLE, &out->bytes, &why);
    if (st == BEZ_OK) break;
    if (st != BEZ_FORMAT || i == 2) return bez_fail(err, st, why.subject, "%s", why.message);
  }
  return bez_log_bundle_split(out, width, err);
}

bez_status bez_log_bundle_check(const bez_log_bundle *bundle, size_t i, const bez_tile_hashes *tile, bez_error *err) {
  uint8_t is[BEZ_MERKLE_HASH];
  bez_status st = bez_merkle_leaf(bundle->bytes.data + bundle->at[i], bundle->len[i], is, err);
  if (st == BEZ_OK && memcmp(is, (*tile)[i], sizeof is) != 0)
    st = bez_fail_at(err, BEZ_FORMAT, bundle->path.data, -1, (int64_t)bundle->at[i],
                     "entry %zu of the bundle is not the one that the log's root stands for", i);
  return st;
}

bez_status bez_log_read(bez_log *log, uint64_t index, bez_buf *out, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_log_bundle bundle = {0};
  const bez_tile_hashes *tile = NULL;
  size_t i = index & 255;
  if (index >= log->state->size)
    return bez_fail(err, BEZ_USAGE, log->folder, "the log has %llu entries, there is no entry %llu",
                    (unsigned long long)log->state->size, (unsigned long long)index);
  BEZ_TRY(bez_log_tile_get(log, 0, index >> 8, &tile, err));
  BEZ_TRY(bez_log_bundle_load(log, index >> 8, &bundle, err));
  BEZ_TRY(bez_log_bundle_check(&bundle, i, tile, err));
  bez_buf_clear(out);
  bez_buf_write(out, bundle.bytes.data + bundle.at[i], bundle.len[i]);
  st = bez_buf_status(out, err);
cleanup:
  bez_log_bundle_free(&bundle);
  return st;
}

bez_status bez_log_each(bez_log *log, uint64_t first,
                        bez_status (*fn)(void *ctx, uint64_t index, const void *entry, size_t len, bez_error *err),
                        void *ctx, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_log_bundle bundle = {0};
  const bez_tile_hashes *tile = NULL;
  for (uint64_t index = first, size = log->state->size; index < size; index++) {
    size_t i = index & 255;
    if (index == first || !i) {
      BEZ_TRY(bez_log_tile_get(log, 0, index >> 8, &tile, err));
      BEZ_TRY(bez_log_bundle_load(log, index >> 8, &bundle, err));
      for (size_t k = i; k < bundle.n; k++) BEZ_TRY(bez_log_bundle_check(&bundle, k, tile, err));
    }
    BEZ_TRY(fn(ctx, index, bundle.bytes.data + bundle.at[i], bundle.len[i], err));
  }
cleanup:
  bez_log_bundle_free(&bundle);
  return st;
}

bez_status bez_log_consistency(bez_log *log, uint64_t old_size, uint64_t new_size, bez_buf *hashes, bez_error *err) {
  bez_merkle_source source = bez_log_source(log);
  if (new_size > log->state->size)
    return bez_fail(err, BEZ_USAGE, log->folder, "the log has %llu entries, not %llu",
                    (unsigned long long)log->state->size, (unsigned long long)new_size);
  return bez_merkle_consistency(&source, old_size, new_size, hashes, err);
}

bez_status bez_log_inclusion(bez_log *log, uint64_t index, bez_buf *out, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_buf hashes = {0};
  bez_merkle_source source = bez_log_source(log);
  if (index >= log->state->signed_size)
    return bez_fail(err, BEZ_USAGE, log->folder,
                    "the log's signed checkpoint covers %llu entries, not yet entry %llu: sign a new one",
                    (unsigned long long)log->state->signed_size, (unsigned long long)index);
  BEZ_TRY(bez_merkle_inclusion(&source, index, log->state->signed_size, &hashes, err));
  bez_buf_clear(out);
  bez_buf_printf(out, "c2sp.org/tlog-proof@v1\nindex %llu\n", (unsigned long long)index);
  bez_text_put_hashes(out, hashes.data, hashes.len);
  bez_buf_putc(out, '\n');
  bez_buf_write(out, log->state->checkpoint.data, log->state->checkpoint.len);
  st = bez_buf_status(out, err);
cleanup:
  bez_buf_free(&hashes);
  return st;
}
