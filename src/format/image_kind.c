/* Pictures by their first bytes. */
#include <string.h>

#include "format/image_wire.h"

static bool is_space(uint8_t c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

/* A number that a space follows, spaces and comments before it; false also where the head ends before it is clear. */
static bool pnm_number(const uint8_t *head, size_t len, size_t *at) {
  size_t i = *at, digits = 0;
  for (bool comment = false; i < len && (comment || is_space(head[i]) || head[i] == '#'); i++)
    comment = comment ? head[i] != '\n' : head[i] == '#';
  for (; i < len && head[i] >= '0' && head[i] <= '9'; i++) digits++;
  *at = i;
  return digits > 0 && digits < 6 && i < len && is_space(head[i]);
}

static bool is_pnm(const uint8_t *head, size_t len) {
  size_t at = 2;
  return len >= 3 && head[0] == 'P' && head[1] >= '1' && head[1] <= '6' && (is_space(head[2]) || head[2] == '#') &&
         pnm_number(head, len, &at) && pnm_number(head, len, &at);
}

bez_picture_kind bez_picture_sniff(const uint8_t *head, size_t len) {
  if (len >= 8 && !memcmp(head, "\x89PNG\r\n\x1a\n", 8)) return BEZ_PICTURE_PNG;
  if (len >= 3 && !memcmp(head, "\xff\xd8\xff", 3)) return BEZ_PICTURE_JPEG;
  if (len >= 12 && !memcmp(head, "RIFF", 4) && !memcmp(head + 8, "WEBP", 4)) return BEZ_PICTURE_WEBP;
  if (is_pnm(head, len)) return BEZ_PICTURE_PNM;
  return BEZ_PICTURE_NONE;
}

const char *bez_picture_kind_text(bez_picture_kind kind) {
  switch (kind) {
    case BEZ_PICTURE_PNG: return "png";
    case BEZ_PICTURE_JPEG: return "jpeg";
    case BEZ_PICTURE_WEBP: return "webp";
    case BEZ_PICTURE_PNM: return "pnm";
    case BEZ_PICTURE_NONE: break;
  }
  return "";
}
