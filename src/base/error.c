/* Status texts and the caller-owned error. */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

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

/* A URL in an error keeps neither user nor query: a signed one is a secret, and errors end up in logs. */
static void cut_secrets(char *text) {
  for (char *at = text; (at = strstr(at, "://")) != NULL;) {
    char *host = at + 3, *end = host + strcspn(host, " \t\n\"'<>"), kept = *end;
    bool http = at - text >= 4 && (!strncasecmp(at - 4, "http", 4) || !strncasecmp(at - 4, "ttps", 4));
    *end = '\0';
    char *path = host + strcspn(host, "/"), *user = memrchr(host, '@', (size_t)(path - host));
    size_t cut = http && user ? (size_t)(user + 1 - host) : 0, query = http ? strcspn(host, "?") : strlen(host);
    *end = kept;
    size_t rest = strlen(end);
    memmove(host + query, end, rest + 1);
    if (cut) memmove(host, host + cut, strlen(host + cut) + 1);
    at = host + query - cut;
  }
}

void bez_error_set(bez_error *err, bez_status code, const char *subject, int64_t line, int64_t offset, const char *fmt,
                   ...) {
  if (!err || err->code != BEZ_OK) return;
  err->code = code;
  err->line = line;
  err->offset = offset;
  snprintf(err->subject, sizeof err->subject, "%s", subject ? subject : "");
  cut_secrets(err->subject);
  va_list args;
  va_start(args, fmt);
  vsnprintf(err->message, sizeof err->message, fmt, args);
  cut_secrets(err->message);
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
