/* Paths that lead out of a model's folder, on any system that might load it: "a/../../b", "C:x", "\\host\share". */
#include "decode/outside.h"

#include <ctype.h>
#include <string.h>

static bool separates(char c) {
  return c == '/' || c == '\\';
}

const char *bez_path_leads_out(const char *path, size_t len) {
  if (!len) return NULL;
  if (memchr(path, 0, len)) return "a NUL in the path ends it for some programs";
  if (separates(path[0])) return "the path is absolute";
  if (len >= 2 && isalpha((unsigned char)path[0]) && path[1] == ':') return "the path names a drive";
  if (path[0] == '~') return "the path names a home folder";
  if (memmem(path, len, "://", 3)) return "it is an address, not a file";
  for (size_t from = 0, i = 0; i <= len; i++) {
    if (i < len && !separates(path[i])) continue;
    if (i - from == 2 && path[from] == '.' && path[from + 1] == '.') return "the path leads upwards";
    from = i + 1;
  }
  return memchr(path, '\\', len) ? "a backslash separates folders on Windows" : NULL;
}

bool bez_model_outside(struct bez_model_out *out, uint32_t part, uint64_t at, const char *path, size_t len,
                       const char *role) {
  char what[200];
  const char *why = bez_path_leads_out(path, len);
  if (!why) return false;
  const size_t n = len < sizeof what ? len : sizeof what - 1;
  for (size_t i = 0; i < n; i++) what[i] = path[i] ? path[i] : '?';
  what[n] = 0;
  bez_model_code(out, part, at, "outside-path", what, "%s is \"%s\": %s", role, what, why);
  return true;
}
