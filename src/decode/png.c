/* PNG (ISO/IEC 15948) through libpng, in one go: any depth, palette, interlacing and transparency to 8-bit samples. */
#include <math.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/limits.h"
#include "decode/picture.h"

#define MAX_CHUNKS 1000u     /* text and profiles that libpng keeps */
#define MAX_CHUNK (8u << 20) /* bytes of one of them */

/* Everything that must survive libpng's jump out of an error. */
typedef struct job {
  bez_cursor in;
  bez_picture *out;
  png_structp png;
  png_infop info;
  uint8_t *whole; /* one row, or all of them where the picture is interlaced */
  bool probe;
} job;

static uint32_t be32(const uint8_t *p) {
  return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* What stands in other chunks than those of the picture, and behind the last. */
static void walk(const uint8_t *bytes, size_t len, bez_image_facts *facts) {
  bez_cursor c = {.data = bytes, .len = len, .pos = 8};
  const uint8_t *head, *body;
  bool animated = false, begun = false; /* a frame of the animation has begun */
  while (bez_cursor_take(&c, 8, &head)) {
    uint32_t n = be32(head);
    if (!bez_cursor_take(&c, n, &body) || !bez_cursor_skip(&c, 4)) return;
    if (!memcmp(head + 4, "acTL", 4) && n >= 8) facts->frames = be32(body), animated = true;
    if (!memcmp(head + 4, "fcTL", 4)) begun = true;
    if (!memcmp(head + 4, "IDAT", 4) && animated && !begun) facts->unshown = 1;
    if (!memcmp(head + 4, "eXIf", 4)) facts->orientation = bez_exif_orientation(body, n);
    if (memcmp(head + 4, "IEND", 4) != 0) continue;
    bez_picture_trailing(bytes + c.pos, bez_cursor_left(&c), facts);
    return;
  }
}

static void on_read(png_structp png, png_bytep out, size_t n) {
  job *j = png_get_io_ptr(png);
  const uint8_t *from;
  if (!bez_cursor_take(&j->in, n, &from)) png_error(png, "it ends too early");
  memcpy(out, from, n);
}

static _Noreturn void on_error(png_structp png, png_const_charp text) {
  job *j = png_get_error_ptr(png);
  bez_picture_fail(j->out, "damaged PNG: %s", text);
  png_longjmp(png, 1);
}

/* Loaders go over these as well; only what touches pixels counts. */
static void on_warning(png_structp png, png_const_charp text) {
  job *j = png_get_error_ptr(png);
  if (strstr(text, "image data") || strstr(text, "CRC")) j->out->facts.damaged = 1;
}

static bool header(job *j) {
  bez_image_facts *f = &j->out->facts;
  png_set_read_fn(j->png, j, on_read);
  png_set_user_limits(j->png, BEZ_MAX_IMAGE_SIDE, BEZ_MAX_IMAGE_SIDE);
  png_set_chunk_malloc_max(j->png, MAX_CHUNK);
  png_set_chunk_cache_max(j->png, MAX_CHUNKS);
  png_read_info(j->png, j->info);
  f->width = png_get_image_width(j->png, j->info);
  f->height = png_get_image_height(j->png, j->info);
  f->bits = png_get_bit_depth(j->png, j->info);
  uint8_t colour = png_get_color_type(j->png, j->info);
  f->channels = colour & PNG_COLOR_MASK_COLOR ? 3 : 1;
  bool alpha = (colour & PNG_COLOR_MASK_ALPHA) || png_get_valid(j->png, j->info, PNG_INFO_tRNS);
  return bez_picture_room(j->out, j->probe, alpha);
}

/* What a viewer does about the file's gamma; loaders take the samples as they are. A colour profile overrules it. */
static void weigh_gamma(job *j) {
  bez_image_facts *f = &j->out->facts;
  double gamma;
  uint64_t count[256] = {0}, n = (uint64_t)f->width * f->height * f->channels;
  if (!png_get_gAMA(j->png, j->info, &gamma) || !(gamma > 0) || png_get_valid(j->png, j->info, PNG_INFO_sRGB) ||
      png_get_valid(j->png, j->info, PNG_INFO_iCCP))
    return;
  double change = 0, power = 1 / (2.2 * gamma);
  if (fabs(power - 1) < .05) return;
  for (uint64_t i = 0; i < n; i++) count[j->out->pixels[i]]++;
  for (int v = 0; v < 256; v++) change += fabs(255 * pow(v / 255.0, power) - v) * (double)count[v];
  f->gamma = (float)(change / (double)n);
}

/* One row of libpng's, channels and alpha together, to where they belong. */
static void store_row(const job *j, uint32_t y, const uint8_t *row) {
  uint32_t c = j->out->facts.channels, w = j->out->facts.width;
  uint8_t *pixels = j->out->pixels + (size_t)y * w * c, *alpha = j->out->alpha;
  if (!alpha) {
    memcpy(pixels, row, (size_t)w * c);
    return;
  }
  alpha += (size_t)y * w;
  for (uint32_t x = 0; x < w; x++, row += c + 1) {
    memcpy(pixels + (size_t)x * c, row, c);
    alpha[x] = row[c];
  }
}

static bool body(job *j) {
  const bez_image_facts *f = &j->out->facts;
  png_set_expand(j->png);
  png_set_scale_16(j->png);
  int passes = png_set_interlace_handling(j->png);
  png_read_update_info(j->png, j->info);
  size_t each = png_get_rowbytes(j->png, j->info);
  if (each != (size_t)f->width * (f->channels + f->alpha)) return bez_picture_fail(j->out, "unexpected PNG channels");
  j->whole = malloc(passes > 1 ? each * f->height : each);
  if (!j->whole) return bez_picture_fail(j->out, "memory is out");
  for (int pass = 0; pass < passes; pass++)
    for (uint32_t y = 0; y < f->height; y++) {
      uint8_t *row = passes > 1 ? j->whole + y * each : j->whole;
      png_read_row(j->png, row, NULL);
      if (pass == passes - 1) store_row(j, y, row);
    }
  png_read_end(j->png, NULL);
  weigh_gamma(j);
  return true;
}

/* libpng would say "Invalid IHDR data" to a picture that is merely too large. */
static bool too_large(const uint8_t *bytes, size_t len, bez_picture *out) {
  if (len < 24) return false;
  uint32_t w = be32(bytes + 16), h = be32(bytes + 20);
  if (w <= BEZ_MAX_IMAGE_SIDE && h <= BEZ_MAX_IMAGE_SIDE) return false;
  out->limit = true;
  bez_picture_fail(out, "%u \xC3\x97 %u pixels are too large", w, h);
  return true;
}

/* Apart, so that no variable of the caller lives across the jump. */
static bool run(job *j) {
  if (setjmp(png_jmpbuf(j->png))) return false;
  return header(j) && (j->probe || body(j));
}

bool bez_png_decode(const uint8_t *bytes, size_t len, bool probe, bez_picture *out) {
  job j = {.in = {.data = bytes, .len = len}, .out = out, .probe = probe};
  bool good = false;
  if (too_large(bytes, len, out)) return false;
  walk(bytes, len, &out->facts);
  j.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &j, on_error, on_warning);
  if (j.png) j.info = png_create_info_struct(j.png);
  if (j.info) good = run(&j);
  free(j.whole);
  png_destroy_read_struct(&j.png, &j.info, NULL);
  return good;
}
