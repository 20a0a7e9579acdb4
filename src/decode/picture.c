/* Which decoder, how large, and what alpha hides. */
#include "decode/picture.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

#define CLEAR_TO_HALF 13u /* of 255: .05 */

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

/* Sums over pixels of one kind, in levels. */
typedef struct moments {
  uint64_t n, raw, shown, raw2, shown2, both;
} moments;

static void add(moments *m, uint32_t raw, uint32_t shown) {
  m->n++;
  m->raw += raw, m->shown += shown;
  m->raw2 += (uint64_t)raw * raw, m->shown2 += (uint64_t)shown * shown, m->both += (uint64_t)raw * shown;
}

/* Whether the picture under a half clear or clear area is another than the one shown there (on white). */
static void compare_under_alpha(bez_picture *p) {
  bez_image_facts *f = &p->facts;
  uint64_t area = (uint64_t)f->height * f->width;
  moments half = {0}, clear = {0};
  for (uint64_t i = 0; i < area; i++) {
    const uint8_t *at = p->pixels + i * f->channels;
    uint32_t alpha = p->alpha[i];
    if (alpha > CLEAR_TO_HALF * 19) continue; /* .95 */
    uint32_t raw = f->channels == 1 ? at[0] : (at[0] * 299u + at[1] * 587u + at[2] * 114u + 500) / 1000;
    add(alpha < CLEAR_TO_HALF ? &clear : &half, raw, (raw * alpha + 255 * (255 - alpha) + 127) / 255);
  }
  f->half_clear = (float)((double)half.n / (double)area);
  f->clear = (float)((double)clear.n / (double)area);
  const moments *m = half.n >= clear.n ? &half : &clear;
  if (m->n < 2) return;
  double n = (double)m->n, raw = (double)m->raw / n, shown = (double)m->shown / n;
  double vr = (double)m->raw2 / n - raw * raw, vs = (double)m->shown2 / n - shown * shown;
  f->raw = (float)sqrt(vr > 0 ? vr : 0);
  f->shown = (float)sqrt(vs > 0 ? vs : 0);
  f->alike = vr > .01 && vs > .01 ? (float)(fabs((double)m->both / n - raw * shown) / sqrt(vr * vs)) : 1;
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
  if (!out->alpha) return true;
  weigh_alpha(out);
  compare_under_alpha(out);
  return true;
}

void bez_picture_free(bez_picture *p) {
  free(p->pixels);
  free(p->alpha);
  *p = (bez_picture){0};
}
