/* WebP (RFC 9649) through libwebp; of an animation the first picture as it is shown. */
#include <stdlib.h>
#include <string.h>

#include <webp/decode.h>
#include <webp/demux.h>

#include "base/cursor.h"
#include "decode/picture.h"

/* Chunks of the RIFF container. */
static void walk(const uint8_t *bytes, size_t len, bez_image_facts *f) {
  bez_cursor c = {.data = bytes, .len = len, .pos = 4};
  const uint8_t *name, *body;
  uint32_t size, frames = 0;
  if (!bez_cursor_le32(&c, &size)) return;
  uint64_t end = 8 + (uint64_t)size + (size & 1);
  if (end < len) {
    bez_picture_trailing(bytes + end, len - (size_t)end, f);
    c.len = (size_t)end;
  }
  if (!bez_cursor_skip(&c, 4)) return;
  while (bez_cursor_take(&c, 4, &name) && bez_cursor_le32(&c, &size)) {
    if (!bez_cursor_take(&c, size, &body)) return;
    if (!memcmp(name, "ANMF", 4)) f->frames = ++frames;
    if (!memcmp(name, "EXIF", 4)) f->orientation = bez_exif_orientation(body, size);
    if ((size & 1) && !bez_cursor_skip(&c, 1)) return;
  }
}

/* RGBA as libwebp gives it. */
static void store(const uint8_t *rgba, bez_picture *out) {
  size_t area = (size_t)out->facts.height * out->facts.width;
  for (size_t i = 0; i < area; i++) {
    memcpy(out->pixels + i * 3, rgba + i * 4, 3);
    if (out->alpha) out->alpha[i] = rgba[i * 4 + 3];
  }
}

static bool animated(const uint8_t *bytes, size_t len, bez_picture *out) {
  WebPData data = {.bytes = bytes, .size = len};
  WebPAnimDecoderOptions options;
  uint8_t *rgba;
  int when;
  if (!WebPAnimDecoderOptionsInit(&options)) return false;
  options.color_mode = MODE_RGBA;
  options.use_threads = 0;
  WebPAnimDecoder *d = WebPAnimDecoderNew(&data, &options);
  if (!d) return false;
  WebPAnimInfo info;
  bool good = WebPAnimDecoderGetInfo(d, &info) && info.canvas_width == out->facts.width &&
              info.canvas_height == out->facts.height && WebPAnimDecoderGetNext(d, &rgba, &when);
  if (good) store(rgba, out);
  WebPAnimDecoderDelete(d);
  return good;
}

static bool still(const uint8_t *bytes, size_t len, bez_picture *out) {
  bez_image_facts *f = &out->facts;
  size_t area = (size_t)f->height * f->width;
  if (!out->alpha) return WebPDecodeRGBInto(bytes, len, out->pixels, area * 3, (int)f->width * 3) != NULL;
  uint8_t *rgba = malloc(area * 4);
  if (!rgba) return bez_picture_fail(out, "memory is out");
  bool good = WebPDecodeRGBAInto(bytes, len, rgba, area * 4, (int)f->width * 4) != NULL;
  if (good) store(rgba, out);
  free(rgba);
  return good;
}

bool bez_webp_decode(const uint8_t *bytes, size_t len, bool probe, bez_picture *out) {
  WebPBitstreamFeatures features;
  VP8StatusCode code = WebPGetFeatures(bytes, len, &features);
  if (code != VP8_STATUS_OK)
    return bez_picture_fail(out,
                            code == VP8_STATUS_NOT_ENOUGH_DATA ? "damaged WebP: it ends too early" : "damaged WebP");
  out->facts.width = (uint32_t)features.width;
  out->facts.height = (uint32_t)features.height;
  out->facts.channels = 3;
  out->facts.bits = 8;
  walk(bytes, len, &out->facts);
  if (!bez_picture_room(out, probe, features.has_alpha != 0)) return false;
  if (probe) return true;
  return (features.has_animation ? animated(bytes, len, out) : still(bytes, len, out)) ||
         bez_picture_fail(out, "damaged WebP");
}
