#include "crypto/checkpoint.h"

#include <string.h>

#include "base/base64.h"
#include "base/error.h"

#define DASH "\xE2\x80\x94 " /* begins a signature line */

/* A decimal number and nothing else up to the line's end. */
static bool size_line(const char *line, size_t len, uint64_t *out) {
  uint64_t value = 0;
  if (!len || len > 19 || (len > 1 && *line == '0')) return false;
  for (size_t i = 0; i < len; i++) {
    if (line[i] < '0' || line[i] > '9') return false;
    value = value * 10 + (uint64_t)(line[i] - '0');
  }
  *out = value;
  return true;
}

bez_status bez_checkpoint_parse(const char *note, const char *subject, bez_checkpoint *out, bez_error *err) {
  const char *blank = strstr(note, "\n\n"), *line[3], *at = note;
  size_t len[3];
  *out = (bez_checkpoint){.text = note};
  if (!blank) return bez_fail(err, BEZ_FORMAT, subject, "the log's checkpoint is no signed note");
  for (const char *next; (next = strstr(blank + 1, "\n\n")) != NULL;) blank = next; /* the last one divides */
  out->len = (size_t)(blank + 1 - note);
  out->signatures = blank + 2;
  for (int i = 0; i < 3; i++) { /* origin, size, root; further lines are extensions */
    const char *end = memchr(at, '\n', (size_t)(note + out->len - at));
    if (!end) return bez_fail(err, BEZ_FORMAT, subject, "the log's checkpoint has no size and root");
    line[i] = at;
    len[i] = (size_t)(end - at);
    at = end + 1;
  }
  if (!len[0] || !size_line(line[1], len[1], &out->size) ||
      !bez_base64_get(line[2], len[2], out->root, BEZ_MERKLE_HASH))
    return bez_fail(err, BEZ_FORMAT, subject, "the log's checkpoint has no size and root");
  return BEZ_OK;
}

static bool signature_line(const char *line, size_t len, bez_note_signature *out) {
  uint8_t raw[4 + BEZ_NOTE_SIGNATURE];
  size_t size = 0, dash = strlen(DASH);
  if (len <= dash || memcmp(line, DASH, dash) != 0) return false;
  const char *name = line + dash, *space = memchr(name, ' ', len - dash);
  if (!space || space == name) return false;
  const char *text = space + 1;
  size_t text_len = (size_t)(line + len - text);
  if (!bez_base64_size(text, text_len, &size) || size <= 4 || size > sizeof raw) return false;
  if (!bez_base64_get(text, text_len, raw, size)) return false;
  *out = (bez_note_signature){.name = name, .name_len = (size_t)(space - name), .len = size - 4};
  memcpy(out->hint, raw, 4);
  memcpy(out->bytes, raw + 4, out->len);
  return true;
}

bool bez_note_next(const char **at, bez_note_signature *out) {
  while (**at) {
    const char *line = *at;
    size_t len = strcspn(line, "\n");
    *at = line + len + (line[len] == '\n');
    if (signature_line(line, len, out)) return true;
  }
  return false;
}
