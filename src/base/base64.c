/* Base64 (RFC 4648). */
#include "base/base64.h"

#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void bez_base64_put(bez_buf *out, const uint8_t *bytes, size_t len) {
  for (size_t i = 0; i < len; i += 3) {
    size_t n = len - i < 3 ? len - i : 3;
    uint32_t word = (uint32_t)bytes[i] << 16;
    if (n > 1) word |= (uint32_t)bytes[i + 1] << 8;
    if (n > 2) word |= bytes[i + 2];
    for (size_t k = 0; k < 4; k++) bez_buf_putc(out, k <= n ? digits[word >> (18 - 6 * k) & 63] : '=');
  }
}

bool bez_base64_get(const char *text, size_t len, uint8_t *out, size_t want) {
  if (len / 4 != (want + 2) / 3 || len % 4) return false;
  size_t n = 0;
  for (size_t i = 0; i < len; i += 4) {
    uint32_t word = 0;
    size_t pads = 0;
    for (size_t k = 0; k < 4; k++) {
      const char *digit = text[i + k] ? strchr(digits, text[i + k]) : NULL;
      bool pad = text[i + k] == '=' && i + 4 == len && k >= 2;
      if (pad)
        pads++;
      else if (!digit || pads)
        return false;
      word = word << 6 | (pad ? 0 : (uint32_t)(digit - digits));
    }
    size_t have = 3 - pads;
    if (n + have > want || word & ((1u << 8 * pads) - 1)) return false; /* one text per value: spare bits are zero */
    for (size_t k = 0; k < have; k++) out[n++] = (uint8_t)(word >> (16 - 8 * k));
  }
  return n == want;
}

bool bez_base64_size(const char *text, size_t len, size_t *size) {
  if (len % 4) return false;
  size_t pads = 0;
  while (pads < 2 && pads < len && text[len - 1 - pads] == '=') pads++;
  *size = len / 4 * 3 - pads;
  return true;
}
