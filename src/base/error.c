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

void bez_error_set(bez_error *err, bez_status code, const char *subject, int64_t line, int64_t offset, const char *fmt,
                   ...) {
  if (!err || err->code != BEZ_OK) return;
  err->code = code;
  err->line = line;
  err->offset = offset;
  snprintf(err->subject, sizeof err->subject, "%s", subject ? subject : "");
  va_list args;
  va_start(args, fmt);
  vsnprintf(err->message, sizeof err->message, fmt, args);
  va_end(args);
}

void bez_error_set_errno(bez_error *err, const char *subject, const char *what) {
  int saved = errno;
  char text[128];
  /* GNU strerror_r may return a static string instead of filling text. */
  const char *reason = strerror_r(saved, text, sizeof text);
  bez_error_set(err, BEZ_IO, subject, -1, -1, "%s: %s", what, reason);
}

void bez_error_clear(bez_error *err) {
  if (err) *err = (bez_error){.offset = -1, .line = -1};
}
