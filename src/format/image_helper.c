/* Asking the helper that decodes pictures. It has met hostile bytes and may be anyone's by now: of its answers only
 * plain numbers are taken, each within its bounds, and as many pixels as were asked for. */
#include "format/image_helper.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/limits.h"

#define RETIRE 1000u /* files; then a fresh one takes over */

static const bez_helper_limits limits = {
    .memory = (uint64_t)3 << 29, /* twice the largest picture, three times the largest file */
    .cpu_seconds = 300,
    .patience = 60, /* for one answer */
};

static float in_range(float value, float most) {
  return value >= 0 && value <= most ? value : value > most ? most : 0; /* NaN: 0 */
}

/* A view that no scaler of this picture has is none. */
static void check_scaled(bez_image_facts *f) {
  bez_scaled_view *v = &f->scaled;
  bool two = v->down == BEZ_SAMPLE_BILINEAR;
  if (!v->height || !v->width || v->height > f->height / 2 || v->width > f->width / 2 ||
      v->down > BEZ_SAMPLE_BILINEAR || v->across > BEZ_SAMPLE_BILINEAR || two != (v->across == BEZ_SAMPLE_BILINEAR)) {
    *v = (bez_scaled_view){0};
    return;
  }
  v->plain = v->plain != 0;
  v->reserved = 0;
  v->gap = in_range(v->gap, 255);
  v->quiet = in_range(v->quiet, 255);
  v->comb = in_range(v->comb, 1e6f);
  v->own = in_range(v->own, 1);
}

bool bez_image_facts_check(bez_image_facts *f) {
  f->alpha = f->alpha != 0;
  f->damaged = f->damaged != 0;
  f->resampled = f->resampled != 0;
  if (f->orientation > 8) f->orientation = 0;
  f->see_through = in_range(f->see_through, 1);
  f->on_black = in_range(f->on_black, 255);
  f->on_white = in_range(f->on_white, 255);
  f->half_clear = in_range(f->half_clear, 1);
  f->clear = in_range(f->clear, 1);
  f->raw = in_range(f->raw, 255);
  f->shown = in_range(f->shown, 255);
  f->alike = in_range(f->alike, 1);
  f->gamma = in_range(f->gamma, 255);
  f->unshown = f->unshown != 0;
  if (f->tail >= BEZ_TAILS) f->tail = BEZ_TAIL_OTHER;
  check_scaled(f);
  return f->kind >= BEZ_PICTURE_PNG && f->kind <= BEZ_PICTURE_PNM && f->width && f->height && f->frames &&
         f->width <= BEZ_MAX_IMAGE_SIDE && f->height <= BEZ_MAX_IMAGE_SIDE && (f->channels == 1 || f->channels == 3);
}

/* Numbers within their bounds, texts printable. False: no honest helper answers like that. */
static bool check(const bez_image_request *q, bez_image_reply *r) {
  bez_image_facts *f = &r->facts;
  if (r->magic != BEZ_IMAGE_ANSWER || !memchr(r->why, 0, sizeof r->why)) return false;
  for (char *p = r->why; *p; p++)
    if ((unsigned char)*p < 0x20 || *p == 0x7f) *p = ' ';
  bool good = bez_image_facts_check(f);
  f->resampled = q->op == BEZ_IMAGE_DECODE && (f->width != q->width || f->height != q->height);
  if (f->trailing > q->bytes) f->trailing = q->bytes;
  return good || r->why[0];
}

/* One exchange; an error: the helper is lost. */
static bez_status exchange(bez_helper *h, const bez_image_request *q, const uint8_t *bytes, bez_image_reply *r,
                           uint8_t *pixels, bez_error *err) {
  bool ended = false;
  bez_status st = bez_child_write(&h->child, q, sizeof *q, err);
  if (st == BEZ_OK) st = bez_child_write(&h->child, bytes, (size_t)q->bytes, err);
  if (st == BEZ_OK) st = bez_child_read(&h->child, r, sizeof *r, &ended, err);
  if (st != BEZ_OK) return st;
  if (ended) return bez_fail(err, BEZ_IO, BEZ_HELPER_NAME, "the helper ended");
  if (!check(q, r)) return bez_fail(err, BEZ_FORMAT, BEZ_HELPER_NAME, "the helper answered nonsense");
  if (r->why[0] || !bez_image_answer_bytes(q)) return BEZ_OK;
  st = bez_child_read(&h->child, pixels, bez_image_answer_bytes(q), &ended, err);
  return st == BEZ_OK && ended ? bez_fail(err, BEZ_IO, BEZ_HELPER_NAME, "the helper ended") : st;
}

bez_status bez_image_helper_ask(bez_helper *h, const bez_image_request *q, const uint8_t *bytes, bez_image_reply *r,
                                uint8_t *pixels, bez_error *err) {
  if (h->served >= RETIRE) bez_helper_stop(h);
  for (;;) {
    bez_status st = h->running ? BEZ_OK : bez_helper_start(h, NULL, &limits, "pictures are decoded", err);
    if (st != BEZ_OK) return st;
    bez_error why = {0};
    if (exchange(h, q, bytes, r, pixels, &why) == BEZ_OK) {
      h->served++;
      return BEZ_OK;
    }
    bez_helper_stop(h);
    if (h->served) continue; /* files before this one may have worn it out: again with a fresh one */
    *r = (bez_image_reply){.magic = BEZ_IMAGE_ANSWER};
    snprintf(r->why, sizeof r->why, "the decoder gave up over it (%.100s)", why.message);
    return BEZ_OK;
  }
}
