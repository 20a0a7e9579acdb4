/* Recoding through libjpeg. What is decoded here was encoded here a moment ago, so no hostile bytes meet the decoder.
 */
#include "attack/jpeg.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include "base/error.h"

/* libjpeg's default is to exit. */
typedef struct trap {
  struct jpeg_error_mgr manager;
  jmp_buf back;
  char message[JMSG_LENGTH_MAX];
} trap;

static _Noreturn void on_error(j_common_ptr info) {
  trap *t = (trap *)info->err;
  info->err->format_message(info, t->message);
  longjmp(t->back, 1);
}

static void on_message(j_common_ptr info, int level) {
  (void)info, (void)level;
}

static void set_trap(trap *t, struct jpeg_error_mgr **manager) {
  *manager = jpeg_std_error(&t->manager);
  t->manager.error_exit = on_error;
  t->manager.emit_message = on_message;
}

typedef struct picture {
  uint32_t height, width, channels;
  uint8_t *pixels;
} picture;

static bez_status encode(const picture *p, int quality, unsigned char **bytes, unsigned long *len, bez_error *err) {
  struct jpeg_compress_struct c;
  trap t;
  set_trap(&t, &c.err);
  if (setjmp(t.back)) {
    jpeg_destroy_compress(&c);
    return bez_fail(err, BEZ_INTERNAL, NULL, "libjpeg: %s", t.message);
  }
  jpeg_create_compress(&c);
  jpeg_mem_dest(&c, bytes, len);
  c.image_width = p->width;
  c.image_height = p->height;
  c.input_components = (int)p->channels;
  c.in_color_space = p->channels == 3 ? JCS_RGB : JCS_GRAYSCALE;
  jpeg_set_defaults(&c);
  jpeg_set_quality(&c, quality, TRUE);
  c.dct_method = JDCT_ISLOW; /* the same bits on every machine */
  jpeg_start_compress(&c, TRUE);
  while (c.next_scanline < c.image_height) {
    JSAMPROW row = p->pixels + (size_t)c.next_scanline * p->width * p->channels;
    (void)jpeg_write_scanlines(&c, &row, 1);
  }
  jpeg_finish_compress(&c);
  jpeg_destroy_compress(&c);
  return BEZ_OK;
}

static bez_status decode(const picture *p, const unsigned char *bytes, unsigned long len, bez_error *err) {
  struct jpeg_decompress_struct d;
  trap t;
  set_trap(&t, &d.err);
  if (setjmp(t.back)) {
    jpeg_destroy_decompress(&d);
    return bez_fail(err, BEZ_INTERNAL, NULL, "libjpeg: %s", t.message);
  }
  jpeg_create_decompress(&d);
  jpeg_mem_src(&d, bytes, len);
  (void)jpeg_read_header(&d, TRUE);
  d.dct_method = JDCT_ISLOW;
  (void)jpeg_start_decompress(&d);
  bool same = d.output_width == p->width && d.output_height == p->height && d.output_components == (int)p->channels;
  while (same && d.output_scanline < d.output_height) {
    JSAMPROW row = p->pixels + (size_t)d.output_scanline * p->width * p->channels;
    (void)jpeg_read_scanlines(&d, &row, 1);
  }
  if (same) (void)jpeg_finish_decompress(&d);
  jpeg_destroy_decompress(&d);
  return same ? BEZ_OK : bez_fail(err, BEZ_INTERNAL, NULL, "libjpeg: the picture came back with another shape");
}

bez_status bez_jpeg_recode(uint32_t height, uint32_t width, uint32_t channels, int quality, uint8_t *pixels,
                           bez_error *err) {
  picture p = {.height = height, .width = width, .channels = channels, .pixels = pixels};
  unsigned char *bytes = NULL;
  unsigned long len = 0;
  bez_status st = encode(&p, quality, &bytes, &len, err);
  if (st == BEZ_OK) st = decode(&p, bytes, len, err);
  free(bytes);
  return st;
}

/* ---- behind a painting ---- */

typedef struct after {
  bez_painting first;
  const bez_images *images;
  int quality;
} after;

static bool listed(const bez_painting *p, uint64_t row) {
  size_t low = 0, high = p->n_rows;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (p->rows[middle] < row)
      low = middle + 1;
    else
      high = middle;
  }
  return low < p->n_rows && p->rows[low] == row;
}

static bez_status paint(const void *ctx, uint64_t row, uint8_t *pixels, bez_error *err) {
  const after *a = ctx;
  bez_status st = BEZ_OK;
  if (a->first.paint && (a->first.every || listed(&a->first, row))) st = a->first.paint(a->first.ctx, row, pixels, err);
  if (st != BEZ_OK) return st;
  return bez_jpeg_recode(a->images->height, a->images->width, a->images->channels, a->quality, pixels, err);
}

bez_status bez_jpeg_after(const bez_images *images, int quality, bez_attack_plan *plan, bez_error *err) {
  after *a = bez_arena_alloc(&plan->arena, sizeof *a);
  if (!a) return bez_fail_memory(err, sizeof *a);
  *a = (after){.first = plan->rewrite.painting, .images = images, .quality = quality};
  plan->rewrite.painting = (bez_painting){.every = true, .paint = paint, .ctx = a};
  json_object_set_new(plan->detail, "jpeg", json_integer(quality));
  return BEZ_OK;
}
