/* Which decoder, how large, and what alpha hides. */
#include "decode/picture.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

bool bez_picture_fail(bez_picture *p, const char *fmt, ...) {
  va_list args;
  if (p->why[0]) return false;
  va_start(args, fmt);
  vsnprintf(p->why, sizeof p->why, fmt, args);
  va_end(args);
  return false;
}

bool bez_picture_room(bez_picture *p, bool probe, bool alpha) {
  uint32_t h = p->facts.height, w = p->facts.width;
  if (!h || !w) return bez_picture_fail(p, "a picture of %u × %u pixels", w, h);
  uint64_t area = (uint64_t)h * w, bytes = area * (p->facts.channels + alpha);
  if (h > BEZ_MAX_IMAGE_SIDE || w > BEZ_MAX_IMAGE_SIDE || bytes > BEZ_MAX_IMAGE_BYTES) {
    p->limit = true;
    return bez_picture_fail(p, "%u × %u pixels are too large", w, h);
  }
  p->facts.alpha = alpha;
  if (probe) return true;
  p->pixels = calloc(area, p->facts.channels);
  if (alpha) p->alpha = calloc(area, 1);
  return (p->pixels && (p->alpha || !alpha)) || bez_picture_fail(p, "memory is out");
}

/* Raw colours against the picture as people see it, laid on black and on white. */
static void weigh_alpha(bez_picture *p) {
  uint64_t area = (uint64_t)p->facts.height * p->facts.width, clear = 0, black = 0, white = 0;
  uint32_t c = p->facts.channels;
  for (uint64_t i = 0; i < area; i++) {
    uint32_t lack = 255u - p->alpha[i];
    if (!lack) continue;
    clear += lack;
    for (uint32_t k = 0; k < c; k++) {
      uint32_t v = p->pixels[i * c + k]; /* v − v·α and v·α + 255·(1−α) − v, times 255 */
      black += v * lack;
      white += (255 - v) * lack;
    }
  }
  p->facts.see_through = (float)((double)clear / (255.0 * (double)area));
  p->facts.on_black = (float)((double)black / (255.0 * (double)area * c));
  p->facts.on_white = (float)((double)white / (255.0 * (double)area * c));
}

bool bez_picture_decode(const uint8_t *bytes, size_t len, bool probe, bez_picture *out) {
  bez_picture_kind kind = bez_picture_sniff(bytes, len);
  bool good = false;
  out->facts.kind = (uint8_t)kind;
  out->facts.frames = 1;
  switch (kind) {
    case BEZ_PICTURE_PNG: good = bez_png_decode(bytes, len, probe, out); break;
    case BEZ_PICTURE_JPEG: good = bez_jpeg_decode(bytes, len, probe, out); break;
    case BEZ_PICTURE_WEBP: good = bez_webp_decode(bytes, len, probe, out); break;
    case BEZ_PICTURE_PNM: good = bez_pnm_decode(bytes, len, probe, out); break;
    case BEZ_PICTURE_NONE: return bez_picture_fail(out, "no PNG, JPEG, WebP or PNM picture");
  }
  if (!good) return bez_picture_fail(out, "cannot be decoded");
  if (out->facts.frames < 1) out->facts.frames = 1;
  if (out->alpha) weigh_alpha(out);
  return true;
}

void bez_picture_free(bez_picture *p) {
  free(p->pixels);
  free(p->alpha);
  *p = (bez_picture){0};
}
