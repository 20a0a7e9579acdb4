/* Status texts and the caller-owned error. */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *bez_version(void) {
  return BEZ_VERSION_STRING;
}

const char *bez_status_text(bez_status status) {
  switch (status) {
    case BEZ_OK: return "ok";
    case BEZ_USAGE: return "usage error";
    case BEZ_IO: return "input/output error";
    case BEZ_FORMAT: return "malformed input";
    case BEZ_LIMIT: return "limit exceeded";
    case BEZ_MEMORY: return "out of memory";
    case BEZ_UNSUPPORTED: return "not supported";
    case BEZ_CANCELLED: return "cancelled";
    case BEZ_INTERNAL: return "internal error";
  }
  return "unknown status";
}

static void fill(bez_error *err, bez_status code, const char *subject, int64_t line, int64_t offset, const char *fmt,
                 va_list args) BEZ_PRINTF(6, 0);

static void fill(bez_error *err, bez_status code, const char *subject, int64_t line, int64_t offset, const char *fmt,
                 va_list args) {
  if (!err || err->code != BEZ_OK) return;
  err->code = code;
  err->line = line;
  err->offset = offset;
  snprintf(err->subject, sizeof err->subject, "%s", subject ? subject : "");
  vsnprintf(err->message, sizeof err->message, fmt, args);
}

bez_status bez_fail(bez_error *err, bez_status code, const char *subject, const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  fill(err, code, subject, -1, -1, fmt, args);
  va_end(args);
  return code;
}

bez_status bez_fail_at(bez_error *err, bez_status code, const char *subject, int64_t line, int64_t offset,
                       const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  fill(err, code, subject, line, offset, fmt, args);
  va_end(args);
  return code;
}

bez_status bez_fail_memory(bez_error *err, size_t wanted) {
  return bez_fail(err, BEZ_MEMORY, NULL, "out of memory (%zu bytes wanted)", wanted);
}

bez_status bez_fail_errno(bez_error *err, const char *subject, const char *what) {
  int saved = errno;
  char text[128];
  /* GNU strerror_r may return a static string instead of filling text. */
  const char *reason = strerror_r(saved, text, sizeof text);
  return bez_fail(err, BEZ_IO, subject, "%s: %s", what, reason);
}

void bez_error_clear(bez_error *err) {
  if (err) *err = (bez_error){.offset = -1, .line = -1};
}
