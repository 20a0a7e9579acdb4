#include "crypto/json_bytes.h"

#include <string.h>

#include "base/base64.h"
#include "base/error.h"

bez_status bez_json_bytes(bez_arena *arena, const json_t *text, const char *subject, const char *what, bez_bytes *out,
                          bez_error *err) {
  size_t size = 0;
  if (!json_is_string(text)) return bez_fail(err, BEZ_FORMAT, subject, "there is no %s", what);
  const char *chars = json_string_value(text);
  const size_t len = json_string_length(text);
  if (!bez_base64_size(chars, len, &size)) return bez_fail(err, BEZ_FORMAT, subject, "the %s is not base64", what);
  uint8_t *bytes = bez_arena_alloc(arena, size + 1);
  if (!bytes) return bez_fail_memory(err, size + 1);
  if (!bez_base64_get(chars, len, bytes, size)) return bez_fail(err, BEZ_FORMAT, subject, "the %s is not base64", what);
  *out = (bez_bytes){bytes, size};
  return BEZ_OK;
}

bez_status bez_json_digest(const json_t *text, uint8_t *out, size_t n, const char *subject, const char *what,
                           bez_error *err) {
  if (!json_is_string(text)) return bez_fail(err, BEZ_FORMAT, subject, "there is no %s", what);
  if (!bez_base64_get(json_string_value(text), json_string_length(text), out, n))
    return bez_fail(err, BEZ_FORMAT, subject, "the %s is not %zu bytes of base64", what, n);
  return BEZ_OK;
}

bool bez_json_count(const json_t *value, uint64_t *out) {
  uint64_t n = 0;
  if (json_is_integer(value) && json_integer_value(value) >= 0) {
    *out = (uint64_t)json_integer_value(value);
    return true;
  }
  const char *text = json_string_value(value);
  size_t len = text ? strlen(text) : 0;
  if (!len || len > 18) return false;
  for (size_t i = 0; i < len; i++) {
    if (text[i] < '0' || text[i] > '9') return false;
    n = n * 10 + (uint64_t)(text[i] - '0');
  }
  *out = n;
  return true;
}

const char *bez_json_text(const json_t *object, const char *key) {
  const char *text = json_string_value(json_object_get(object, key));
  return text ? text : "";
}

void bez_json_kbase64(bez_json *j, const char *key, const void *bytes, size_t len) {
  bez_buf text = {0};
  bez_base64_put(&text, bytes, len);
  if (text.failed != BEZ_OK && j->out->failed == BEZ_OK) j->out->failed = text.failed;
  bez_json_kstr(j, key, text.data ? text.data : "");
  bez_buf_free(&text);
}
