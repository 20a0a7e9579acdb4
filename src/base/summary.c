/* The envelope of saved summaries: "BEZS", name length + name, version, parameter digest, body length, body,
 * bez_hash64 of the body. The hash catches accidents; the parser of each kind copes with malice. */
#include "base/summary.h"

#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/limits.h"

bez_status bez_summary_seal(const bez_summary *kind, uint64_t params_digest, const bez_buf *body, bez_buf *out,
                            bez_error *err) {
  bez_status st = bez_buf_status(body, err);
  if (st != BEZ_OK) return st;
  if (body->len > BEZ_MAX_SAVED)
    return bez_fail(err, BEZ_LIMIT, kind->name, "saved state larger than %u bytes", BEZ_MAX_SAVED);
  bez_buf_write(out, "BEZS", 4);
  bez_put_le32(out, (uint32_t)strlen(kind->name));
  bez_buf_puts(out, kind->name);
  bez_put_le32(out, kind->version);
  bez_put_le64(out, params_digest);
  bez_put_le64(out, body->len);
  bez_buf_write(out, body->data, body->len);
  bez_put_le64(out, bez_hash64(body->data ? body->data : "", body->len, 0));
  return bez_buf_status(out, err);
}

bez_status bez_summary_open(const bez_summary *kind, uint64_t params_digest, const uint8_t *bytes, size_t len,
                            bez_cursor *body, bez_error *err) {
  bez_cursor c = {bytes, len, 0};
  const uint8_t *magic, *name, *data;
  uint32_t name_len, version;
  uint64_t digest, body_len, check;
  if (len > BEZ_MAX_SAVED)
    return bez_fail(err, BEZ_LIMIT, kind->name, "saved state larger than %u bytes", BEZ_MAX_SAVED);
  if (!bez_cursor_take(&c, 4, &magic) || memcmp(magic, "BEZS", 4) != 0)
    return bez_fail_at(err, BEZ_FORMAT, kind->name, -1, 0, "not a saved summary");
  if (!bez_cursor_le32(&c, &name_len) || !bez_cursor_take(&c, name_len, &name) || name_len != strlen(kind->name) ||
      memcmp(name, kind->name, name_len) != 0)
    return bez_fail_at(err, BEZ_FORMAT, kind->name, -1, 4, "saved summary of another kind");
  if (!bez_cursor_le32(&c, &version) || version != kind->version)
    return bez_fail_at(err, BEZ_UNSUPPORTED, kind->name, -1, (int64_t)c.pos, "saved by another version");
  if (!bez_cursor_le64(&c, &digest) || digest != params_digest)
    return bez_fail_at(err, BEZ_USAGE, kind->name, -1, (int64_t)c.pos, "saved with other parameters");
  if (!bez_cursor_count(&c, 1, &body_len) || !bez_cursor_take(&c, (size_t)body_len, &data) ||
      !bez_cursor_le64(&c, &check) || bez_cursor_left(&c) != 0)
    return bez_fail_at(err, BEZ_FORMAT, kind->name, -1, (int64_t)c.pos,
                       "saved summary is cut short or has trailing bytes");
  if (check != bez_hash64(data, (size_t)body_len, 0))
    return bez_fail_at(err, BEZ_FORMAT, kind->name, -1, (int64_t)c.pos, "saved summary is damaged");
  *body = (bez_cursor){data, (size_t)body_len, 0};
  return BEZ_OK;
}
