/* EXIF (CIPA DC-008): a TIFF file in small, of which one tag is read. */
#include <string.h>

#include "base/cursor.h"
#include "decode/picture.h"

#define TAG_ORIENTATION 0x0112u
#define TYPE_SHORT 3u

static uint32_t number(const uint8_t *p, unsigned n, bool big) {
  uint32_t v = 0;
  for (unsigned i = 0; i < n; i++) v = v << 8 | p[big ? i : n - 1 - i];
  return v;
}

uint8_t bez_exif_orientation(const uint8_t *bytes, size_t len) {
  bez_cursor c = {.data = bytes, .len = len};
  const uint8_t *p;
  if (len >= 6 && !memcmp(bytes, "Exif\0\0", 6)) c.data += 6, c.len -= 6;
  if (!bez_cursor_take(&c, 8, &p)) return 0;
  bool big = !memcmp(p, "MM\0*", 4);
  if (!big && memcmp(p, "II*\0", 4) != 0) return 0;
  uint32_t at = number(p + 4, 4, big);
  if (at < 8 || !bez_cursor_skip(&c, at - 8) || !bez_cursor_take(&c, 2, &p)) return 0;
  for (uint32_t n = number(p, 2, big); n > 0 && bez_cursor_take(&c, 12, &p); n--) {
    if (number(p, 2, big) != TAG_ORIENTATION) continue;
    uint32_t value = number(p + 8, 2, big);
    return number(p + 2, 2, big) == TYPE_SHORT && value >= 1 && value <= 8 ? (uint8_t)value : 0;
  }
  return 0;
}
