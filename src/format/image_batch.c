/* Batches of encoded pictures (image_batch.h): each thread has a helper of its own for a stretch of the batch. */
#include "format/image_batch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compare.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/threads.h"
#include "format/image_helper.h"

#define STRETCH 1024u          /* pictures between two looks at whether to go on */
#define HEAD_BYTES (64u << 10) /* tell the size of nearly every picture */

typedef struct hand {
  bez_helper helper;
  bez_buf room;
} hand;

typedef struct pass {
  bez_image_batch *batch;
  hand *hands;
  uint64_t first; /* of the stretch */
  bez_image_request request;
  uint8_t *pixels;        /* decoding: of the first good picture */
  bez_image_facts *facts; /* decoding: theirs */
  uint64_t *slot;         /* decoding: per picture, its place among the good ones */
} pass;

static bool lies_in_the_picture(bez_status st) {
  return st == BEZ_IO || st == BEZ_FORMAT || st == BEZ_LIMIT || st == BEZ_UNSUPPORTED;
}

static bez_status set_why(bez_image_batch *b, uint64_t i, const char *text, bez_error *err) {
  b->why[i] = strdup(text);
  return b->why[i] ? BEZ_OK : bez_fail_memory(err, strlen(text));
}

/* One question about picture i; reply->why may come back set. most: bytes to send, 0: all. *whole: they were all. */
static bez_status ask(pass *p, hand *h, uint64_t i, uint64_t most, bez_image_reply *reply, uint8_t *pixels, bool *whole,
                      bez_error *err) {
  bez_image_batch *b = p->batch;
  bez_image_request q = p->request;
  const uint8_t *bytes;
  bez_error why = {0};
  *reply = (bez_image_reply){0};
  *whole = true;
  bez_status st = b->load(b->ctx, i, most, &h->room, &bytes, &q.bytes, &why);
  if (st != BEZ_OK && !lies_in_the_picture(st)) return bez_fail(err, st, why.subject, "%s", why.message);
  if (st != BEZ_OK || q.bytes > BEZ_MAX_PICTURE_FILE) {
    snprintf(reply->why, sizeof reply->why, "%.150s", st != BEZ_OK ? why.message : "the file is larger than 256 MiB");
    return BEZ_OK;
  }
  *whole = !most || q.bytes < most;
  return bez_image_helper_ask(&h->helper, &q, bytes, reply, pixels, err);
}

static bez_status probe_one(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  pass *p = ctx;
  uint64_t i = p->first + tile;
  bez_image_reply reply;
  bool whole;
  bez_status st = ask(p, &p->hands[worker], i, HEAD_BYTES, &reply, NULL, &whole, err);
  if (st == BEZ_OK && reply.why[0] && !whole) st = ask(p, &p->hands[worker], i, 0, &reply, NULL, &whole, err);
  if (st != BEZ_OK) return st;
  p->batch->facts[i] = reply.facts;
  return reply.why[0] ? set_why(p->batch, i, reply.why, err) : BEZ_OK;
}

static bez_status decode_one(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  pass *p = ctx;
  uint64_t i = p->first + tile, each = (uint64_t)p->request.height * p->request.width * p->request.channels;
  bez_image_reply reply;
  bool whole;
  if (p->batch->why[i]) return BEZ_OK;
  uint8_t *to = p->pixels + p->slot[i] * each;
  bez_status st = ask(p, &p->hands[worker], i, 0, &reply, to, &whole, err);
  if (st != BEZ_OK) return st;
  p->batch->facts[i] = p->facts[p->slot[i]] = reply.facts;
  return reply.why[0] ? set_why(p->batch, i, reply.why, err) : BEZ_OK;
}

/* All pictures, a stretch at a time. Helpers end with each stretch: they would not outlive the threads that started
 * them. */
static bez_status go_through(pass *p, const char *stage, bez_tile_fn fn, bez_error *err) {
  bez_image_batch *b = p->batch;
  unsigned threads = bez_builder_threads(b->builder);
  bez_progress_fn progress;
  void *ctx;
  bez_status st = BEZ_OK;
  bez_builder_progress(b->builder, &progress, &ctx);
  p->hands = calloc(threads, sizeof *p->hands);
  if (!p->hands) return bez_fail_memory(err, threads * sizeof *p->hands);
  for (p->first = 0; st == BEZ_OK && p->first < b->n; p->first += STRETCH) {
    uint64_t n = b->n - p->first < STRETCH ? b->n - p->first : STRETCH;
    st = bez_parallel(n, threads, fn, p, err);
    for (unsigned t = 0; t < threads; t++) bez_helper_stop(&p->hands[t].helper);
    if (st == BEZ_OK && progress && !progress(ctx, stage, "pictures", p->first + n, b->n))
      st = bez_fail(err, BEZ_CANCELLED, NULL, "cancelled");
  }
  for (unsigned t = 0; t < threads; t++) bez_buf_free(&p->hands[t].room);
  free(p->hands);
  b->n_good = 0;
  for (uint64_t i = 0; i < b->n; i++) b->n_good += !b->why[i];
  return st;
}

bez_status bez_image_batch_probe(bez_image_batch *b, bez_error *err) {
  b->facts = calloc(b->n + 1, sizeof *b->facts);
  b->why = calloc(b->n + 1, sizeof *b->why);
  if (!b->facts || !b->why) return bez_fail_memory(err, b->n * sizeof *b->facts);
  pass p = {.batch = b, .request = {.magic = BEZ_IMAGE_MAGIC, .op = BEZ_IMAGE_PROBE}};
  return go_through(&p, "look at pictures", probe_one, err);
}

/* The most frequent of n sorted keys (the largest of equally frequent ones) and how often it occurs. */
static uint64_t most_frequent(const uint64_t *key, uint64_t n, uint64_t *times) {
  uint64_t best = key[0];
  *times = 0;
  for (uint64_t i = 0, first = 0; i < n; i++) {
    if (key[i] != key[first]) first = i;
    if (i - first + 1 >= *times) {
      *times = i - first + 1;
      best = key[i];
    }
  }
  return best;
}

static bez_status choose_size(const bez_image_batch *b, uint32_t *height, uint32_t *width, bez_error *err) {
  uint64_t *key = malloc((b->n_good + 1) * sizeof *key), n = 0, times;
  if (!key) return bez_fail_memory(err, b->n_good * sizeof *key);
  for (uint64_t i = 0; i < b->n; i++)
    if (!b->why[i]) key[n++] = (uint64_t)b->facts[i].height << 32 | b->facts[i].width;
  qsort(key, n, sizeof *key, bez_compare_u64);
  uint64_t best = most_frequent(key, n, &times);
  *height = (uint32_t)(best >> 32);
  *width = (uint32_t)best;
  if (times * 10 < n) {
    *height = (uint32_t)(key[n / 2] >> 32);
    for (uint64_t i = 0; i < n; i++) key[i] &= UINT32_MAX;
    qsort(key, n, sizeof *key, bez_compare_u64);
    *width = (uint32_t)key[n / 2];
  }
  free(key);
  uint32_t longer = *height > *width ? *height : *width;
  if (longer <= BEZ_PICTURE_SIDE) return BEZ_OK;
  *height = (*height * BEZ_PICTURE_SIDE + longer / 2) / longer;
  *width = (*width * BEZ_PICTURE_SIDE + longer / 2) / longer;
  if (!*height) *height = 1;
  if (!*width) *width = 1;
  return BEZ_OK;
}

/* The shape that options ask for, else what suits the pictures. */
static bez_status choose_shape(const bez_image_batch *b, bez_images *shape, bez_error *err) {
  const bez_read_options *o = bez_builder_options(b->builder);
  shape->height = o->picture_height;
  shape->width = o->picture_width;
  shape->channels = o->picture_channels;
  bez_status st = shape->height && shape->width ? BEZ_OK : choose_size(b, &shape->height, &shape->width, err);
  if (shape->channels) return st;
  shape->channels = 1;
  for (uint64_t i = 0; i < b->n; i++)
    if (!b->why[i] && b->facts[i].channels == 3) shape->channels = 3;
  return st;
}

/* What happened to pictures that are not of the size or the kind of the others. */
static void say_changes(const bez_image_batch *b, const char *path, const bez_images *to) {
  uint64_t resampled = 0, recoloured = 0;
  char text[128];
  for (uint64_t i = 0; i < b->n; i++) {
    if (b->why[i]) continue;
    const bez_image_facts *f = &b->facts[i];
    resampled += f->height != to->height || f->width != to->width;
    recoloured += f->channels != to->channels;
  }
  snprintf(text, sizeof text, "all are kept as %u \xC3\x97 %u pixels", to->width, to->height);
  if (resampled) bez_builder_remark(b->builder, "pictures-resampled", path, resampled, -1, text);
  if (recoloured)
    bez_builder_remark(b->builder, "mixed-colours", path, recoloured, -1,
                       to->channels == 3 ? "grey pictures among colour ones were taken as colour"
                                         : "colour pictures behind grey ones were taken as grey");
}

bez_status bez_image_batch_shape(bez_image_batch *b, const char *path, bez_error *err) {
  bez_images shape = *bez_builder_shape(b->builder);
  if (!b->n_good) return BEZ_OK;
  if (!shape.height) {
    bez_status st = choose_shape(b, &shape, err);
    if (st != BEZ_OK) return st;
  }
  say_changes(b, path, &shape);
  return bez_builder_images(b->builder, path, shape.height, shape.width, shape.channels, err);
}

/* Pictures that failed in decoding left gaps. */
static void close_gaps(const bez_image_batch *b, const pass *p, uint64_t asked) {
  uint64_t each = (uint64_t)p->request.height * p->request.width * p->request.channels, kept = 0;
  for (uint64_t i = 0; i < b->n; i++) {
    if (b->why[i] || p->slot[i] == kept++) continue;
    memmove(p->pixels + (kept - 1) * each, p->pixels + p->slot[i] * each, each);
    p->facts[kept - 1] = p->facts[p->slot[i]];
  }
  bez_builder_pixels_back(b->builder, asked - kept);
}

/* The two views of the first odd pictures, one after another: there are few. first: row of the first good one. */
static bez_status look_twice(pass *p, uint64_t first, bez_error *err) {
  bez_image_batch *b = p->batch;
  bez_status st = BEZ_OK;
  hand h = {0};
  bez_image_reply reply;
  bool whole;
  uint8_t *views = malloc(2 * BEZ_VIEW_BYTES);
  if (!views) return bez_fail_memory(err, 2 * BEZ_VIEW_BYTES);
  p->request = (bez_image_request){.magic = BEZ_IMAGE_MAGIC, .op = BEZ_IMAGE_VIEWS};
  for (uint64_t i = 0, row = first; i < b->n; i++) {
    if (b->why[i]) continue;
    uint32_t odd = bez_builder_wants_views(b->builder, bez_image_odd(&b->facts[i]));
    if (odd) {
      BEZ_TRY(ask(p, &h, i, 0, &reply, views, &whole, err));
      if (!reply.why[0]) BEZ_TRY(bez_builder_views(b->builder, row, odd, views, err));
    }
    row++;
  }
cleanup:
  bez_helper_stop(&h.helper);
  bez_buf_free(&h.room);
  free(views);
  return st;
}

bez_status bez_image_batch_decode(bez_image_batch *b, bez_error *err) {
  const bez_images *shape = bez_builder_shape(b->builder);
  bez_status st = BEZ_OK;
  uint64_t asked = b->n_good, at = 0;
  pass p = {.batch = b,
            .request = {.magic = BEZ_IMAGE_MAGIC,
                        .op = BEZ_IMAGE_DECODE,
                        .height = shape->height,
                        .width = shape->width,
                        .channels = shape->channels}};
  if (!asked) return BEZ_OK;
  p.slot = malloc((b->n + 1) * sizeof *p.slot);
  if (!p.slot) return bez_fail_memory(err, b->n * sizeof *p.slot);
  for (uint64_t i = 0; i < b->n; i++) p.slot[i] = b->why[i] ? UINT64_MAX : at++;
  BEZ_TRY(bez_builder_pixels(b->builder, asked, &p.pixels, err));
  BEZ_TRY(bez_builder_facts(b->builder, asked, &p.facts, err));
  BEZ_TRY(go_through(&p, "decode pictures", decode_one, err));
  close_gaps(b, &p, asked);
  BEZ_TRY(look_twice(&p, shape->n - b->n_good, err));
cleanup:
  free(p.slot);
  return st;
}

void bez_image_batch_free(bez_image_batch *b) {
  for (uint64_t i = 0; b->why && i < b->n; i++) free(b->why[i]);
  free(b->why);
  free(b->facts);
  b->why = NULL;
  b->facts = NULL;
}
