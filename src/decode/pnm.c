/* PBM, PGM and PPM, plain and raw, up to 16 bits (netpbm's pages pbm(5), pgm(5), ppm(5)). */
#include "base/cursor.h"
#include "decode/picture.h"

typedef struct job {
  bez_cursor in;
  bez_picture *out;
  bool plain, bitmap;
  uint32_t most; /* maxval */
} job;

static bool is_space(uint8_t c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The next byte that is neither space nor comment. */
static bool skip_space(bez_cursor *c, uint8_t *out) {
  bool comment = false;
  while (bez_cursor_u8(c, out)) {
    if (comment)
      comment = *out != '\n' && *out != '\r';
    else if (*out == '#')
      comment = true;
    else if (!is_space(*out))
      return true;
  }
  return false;
}

/* A number and the one space behind it. */
static bool read_number(bez_cursor *c, uint32_t *out) {
  uint8_t d;
  if (!skip_space(c, &d)) return false;
  uint32_t v = 0;
  do {
    if (d < '0' || d > '9' || v > 100000) return false;
    v = v * 10 + (d - '0');
  } while (bez_cursor_u8(c, &d) && !is_space(d));
  *out = v;
  return true;
}

static bool header(job *j, bool probe) {
  bez_image_facts *f = &j->out->facts;
  uint8_t kind;
  if (!bez_cursor_skip(&j->in, 1) || !bez_cursor_u8(&j->in, &kind)) return false;
  j->plain = kind <= '3';
  j->bitmap = kind == '1' || kind == '4';
  f->channels = kind == '3' || kind == '6' ? 3 : 1;
  j->most = 1;
  if (!read_number(&j->in, &f->width) || !read_number(&j->in, &f->height)) return false;
  if (!j->bitmap && (!read_number(&j->in, &j->most) || j->most == 0 || j->most > 65535)) return false;
  f->bits = j->bitmap ? 1 : j->most > 255 ? 16 : 8;
  uint64_t least = (uint64_t)f->width * f->height / (j->bitmap ? 8 : 1); /* what the samples take up at the least */
  if (least > j->in.len) return bez_picture_fail(j->out, "damaged PNM: it ends too early");
  return bez_picture_room(j->out, probe, false);
}

static bool sample(job *j, uint32_t *v) {
  uint8_t high = 0, low;
  if (j->plain && j->bitmap) { /* digits need no space between them */
    if (!skip_space(&j->in, &low)) return false;
    *v = low - (uint32_t)'0';
    return *v <= 1;
  }
  if (j->plain) return read_number(&j->in, v);
  if (j->most > 255 && !bez_cursor_u8(&j->in, &high)) return false;
  if (!bez_cursor_u8(&j->in, &low)) return false;
  *v = (uint32_t)high << 8 | low;
  return true;
}

/* Rows of a raw bitmap end at a byte. */
static bool bits(job *j) {
  uint32_t w = j->out->facts.width;
  const uint8_t *row;
  for (uint32_t y = 0; y < j->out->facts.height; y++) {
    if (!bez_cursor_take(&j->in, ((size_t)w + 7) / 8, &row)) return false;
    for (uint32_t x = 0; x < w; x++)
      j->out->pixels[(size_t)y * w + x] = row[x / 8] >> (7 - x % 8) & 1 ? 0 : 255; /* 1 is black */
  }
  return true;
}

static bool samples(job *j) {
  size_t n = (size_t)j->out->facts.height * j->out->facts.width * j->out->facts.channels;
  for (size_t i = 0; i < n; i++) {
    uint32_t v;
    if (!sample(j, &v)) return false;
    if (v > j->most) v = j->most;
    if (j->bitmap) v = 1 - v;
    j->out->pixels[i] = (uint8_t)((v * 255 + j->most / 2) / j->most);
  }
  return true;
}

bool bez_pnm_decode(const uint8_t *bytes, size_t len, bool probe, bez_picture *out) {
  job j = {.in = {.data = bytes, .len = len}, .out = out};
  if (!header(&j, probe)) return bez_picture_fail(out, "damaged PNM: its header");
  if (probe) return true;
  if (!(j.bitmap && !j.plain ? bits(&j) : samples(&j))) return bez_picture_fail(out, "damaged PNM: it ends too early");
  const uint8_t *rest = bytes + j.in.pos;
  size_t left = bez_cursor_left(&j.in);
  while (left && is_space(*rest)) rest++, left--; /* a last line end */
  bez_picture_trailing(rest, left, &out->facts);
  out->facts.frames = 1 + (left > 8 && bez_picture_sniff(rest, left) == BEZ_PICTURE_PNM);
  return true;
}
