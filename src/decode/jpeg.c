/* JPEG (ITU-T T.81) through libjpeg with its defaults, as training programs decode it; CMYK becomes RGB. */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jerror.h>
#include <jpeglib.h>

#include "base/cursor.h"
#include "decode/picture.h"

#define MAX_SCANS 200           /* a progressive picture of thousands of scans costs minutes */
#define MAX_MEMORY (512l << 20) /* coefficients of progressive pictures */

typedef struct job {
  struct jpeg_decompress_struct cinfo;
  struct jpeg_error_mgr errors;
  struct jpeg_progress_mgr progress;
  jmp_buf jump;
  bez_picture *out;
  uint8_t *row; /* CMYK */
  const uint8_t *bytes;
  size_t len;
  bool probe;
} job;

static job *job_of(j_common_ptr cinfo) {
  return cinfo->client_data;
}

static _Noreturn void on_error(j_common_ptr cinfo) {
  char text[JMSG_LENGTH_MAX];
  cinfo->err->format_message(cinfo, text);
  bez_picture_fail(job_of(cinfo)->out, "damaged JPEG: %s", text);
  longjmp(job_of(cinfo)->jump, 1);
}

/* Below 0 is a warning: the decoder goes on with a guess. An end that comes too early is no picture to us (nor to most
 * loaders); other damage is decoded as loaders do, and remembered. */
static void on_message(j_common_ptr cinfo, int level) {
  int code = cinfo->err->msg_code;
  if (level >= 0) return;
  if (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER) {
    bez_picture_fail(job_of(cinfo)->out, "damaged JPEG: it ends too early");
    longjmp(job_of(cinfo)->jump, 1);
  }
  if (code != JWRN_EXTRANEOUS_DATA && code != JWRN_ADOBE_XFORM && code != JWRN_JFIF_MAJOR)
    job_of(cinfo)->out->facts.damaged = 1;
}

static void on_progress(j_common_ptr cinfo) {
  if (((j_decompress_ptr)cinfo)->input_scan_number <= MAX_SCANS) return;
  job_of(cinfo)->out->limit = true;
  bez_picture_fail(job_of(cinfo)->out, "a JPEG of more than %d scans", MAX_SCANS);
  longjmp(job_of(cinfo)->jump, 1);
}

/* Skips entropy-coded data to the next marker. */
static bool next_marker(bez_cursor *c, uint8_t *marker) {
  uint8_t byte;
  for (bool mark = false; bez_cursor_u8(c, &byte);) {
    if (mark && byte != 0 && byte != 0xff && !(byte >= 0xd0 && byte <= 0xd7)) return *marker = byte, true;
    mark = byte == 0xff;
  }
  return false;
}

static void read_segment(uint8_t marker, const uint8_t *p, size_t n, bez_image_facts *f) {
  if (marker == 0xe1 && n > 6 && !memcmp(p, "Exif\0\0", 6)) f->orientation = bez_exif_orientation(p + 6, n - 6);
}

/* Segments up to the end of the image; what follows it is trailing, further pictures in there are counted. */
static void walk(const uint8_t *bytes, size_t len, bez_image_facts *f) {
  bez_cursor c = {.data = bytes, .len = len, .pos = 2};
  const uint8_t *size, *body;
  uint8_t marker;
  while (next_marker(&c, &marker) && marker != 0xd9) {
    if (marker == 0x01) continue; /* TEM has no body */
    if (!bez_cursor_take(&c, 2, &size)) return;
    size_t n = (size_t)size[0] << 8 | size[1];
    if (n < 2 || !bez_cursor_take(&c, n - 2, &body)) return;
    read_segment(marker, body, n - 2, f);
  }
  bez_picture_trailing(bytes + c.pos, bez_cursor_left(&c), f);
  for (const uint8_t *p = bytes + c.pos, *end = bytes + len;
       (p = memmem(p, (size_t)(end - p), "\xff\xd8\xff", 3)) != NULL && f->frames < 1000; p += 3)
    f->frames++;
}

static bool header(job *j) {
  struct jpeg_decompress_struct *d = &j->cinfo;
  bez_image_facts *f = &j->out->facts;
  jpeg_create_decompress(d);
  d->mem->max_memory_to_use = MAX_MEMORY;
  d->client_data = j;
  d->progress = &j->progress;
  j->progress.progress_monitor = on_progress;
  jpeg_mem_src(d, j->bytes, j->len);
  jpeg_read_header(d, TRUE);
  bool grey = d->jpeg_color_space == JCS_GRAYSCALE;
  bool cmyk = d->jpeg_color_space == JCS_CMYK || d->jpeg_color_space == JCS_YCCK;
  d->out_color_space = grey ? JCS_GRAYSCALE : cmyk ? JCS_CMYK : JCS_RGB;
  f->width = d->image_width;
  f->height = d->image_height;
  f->bits = (uint8_t)d->data_precision;
  f->channels = grey ? 1 : 3;
  return bez_picture_room(j->out, j->probe, false);
}

/* Adobe's programs write CMYK inverted; without their marker it is taken as it stands. */
static void from_cmyk(const job *j, const uint8_t *in, uint8_t *out) {
  bool inverted = j->cinfo.saw_Adobe_marker;
  for (uint32_t x = 0; x < j->out->facts.width; x++, in += 4, out += 3) {
    uint32_t k = inverted ? in[3] : 255u - in[3];
    for (int c = 0; c < 3; c++) out[c] = (uint8_t)(((inverted ? in[c] : 255u - in[c]) * k + 127) / 255);
  }
}

static bool body(job *j) {
  struct jpeg_decompress_struct *d = &j->cinfo;
  size_t each = (size_t)j->out->facts.width * j->out->facts.channels;
  jpeg_start_decompress(d);
  bool cmyk = d->output_components == 4;
  if (!cmyk && d->output_components != j->out->facts.channels)
    return bez_picture_fail(j->out, "unexpected JPEG channels");
  j->row = malloc((size_t)j->out->facts.width * 4);
  if (!j->row) return bez_picture_fail(j->out, "memory is out");
  while (d->output_scanline < d->output_height) {
    uint8_t *to = j->out->pixels + d->output_scanline * each;
    JSAMPROW row = cmyk ? j->row : to;
    if (jpeg_read_scanlines(d, &row, 1) != 1) return bez_picture_fail(j->out, "damaged JPEG");
    if (cmyk) from_cmyk(j, j->row, to);
  }
  jpeg_finish_decompress(d);
  return true;
}

static bool run(job *j) {
  if (setjmp(j->jump)) return false;
  return header(j) && (j->probe || body(j));
}

bool bez_jpeg_decode(const uint8_t *bytes, size_t len, bool probe, bez_picture *out) {
  job *j = calloc(1, sizeof *j);
  if (!j) return bez_picture_fail(out, "memory is out");
  j->bytes = bytes, j->len = len, j->out = out, j->probe = probe;
  j->cinfo.err = jpeg_std_error(&j->errors);
  j->cinfo.client_data = j;
  j->errors.error_exit = on_error;
  j->errors.emit_message = on_message;
  walk(bytes, len, &out->facts);
  bool good = run(j);
  jpeg_destroy_decompress(&j->cinfo);
  free(j->row);
  free(j);
  return good;
}
