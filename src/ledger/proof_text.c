/* Reading and writing lines of proofs. */
#include "ledger/proof_text.h"

#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/error.h"

bool bez_text_skip(const char **at, const char *text) {
  size_t len = strlen(text);
  if (strncmp(*at, text, len) != 0) return false;
  *at += len;
  return true;
}

bool bez_text_number(const char **at, uint64_t *out) {
  size_t len = strcspn(*at, "\n");
  *out = 0;
  if (!len || len > 19 || (**at == '0' && len > 1) || (*at)[len] != '\n') return false;
  for (size_t i = 0; i < len; i++) {
    char c = (*at)[i];
    if (c < '0' || c > '9') return false;
    *out = *out * 10 + (uint64_t)(c - '0');
  }
  *at += len + 1;
  return true;
}

bool bez_text_hashes(const char **at, uint8_t hashes[BEZ_PROOF_HASHES][BEZ_MERKLE_HASH], size_t *n) {
  for (*n = 0; **at && **at != '\n';) {
    size_t len = strcspn(*at, "\n");
    if (*n == BEZ_PROOF_HASHES || (*at)[len] != '\n' || !bez_base64_get(*at, len, hashes[(*n)++], BEZ_MERKLE_HASH))
      return false;
    *at += len + 1;
  }
  return bez_text_skip(at, "\n");
}

void bez_text_put_hashes(bez_buf *out, const void *hashes, size_t len) {
  for (size_t at = 0; at + BEZ_MERKLE_HASH <= len; at += BEZ_MERKLE_HASH) {
    bez_base64_put(out, (const uint8_t *)hashes + at, BEZ_MERKLE_HASH);
    bez_buf_putc(out, '\n');
  }
}

bez_status bez_text_copy(const char *bytes, size_t len, const char *subject, char **out, bez_error *err) {
  *out = NULL;
  if (len && memchr(bytes, '\0', len)) return bez_fail(err, BEZ_FORMAT, subject, "is no text");
  char *copy = malloc(len + 1);
  if (!copy) return bez_fail_memory(err, len + 1);
  if (len) memcpy(copy, bytes, len);
  copy[len] = '\0';
  *out = copy;
  return BEZ_OK;
}
