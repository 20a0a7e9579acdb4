/* What goes between a scan and the helper that decodes pictures (src/decode/). One machine, one build: plain structs.
 * The parent believes nothing but sizes it has checked (image_helper.c). */
#ifndef BEZ_FORMAT_IMAGE_WIRE_H
#define BEZ_FORMAT_IMAGE_WIRE_H

#include "format/images.h"

#define BEZ_IMAGE_MAGIC 0x315a4942u  /* "BIZ1": a request */
#define BEZ_IMAGE_ANSWER 0x325a4942u /* "BIZ2": its answer */
#define BEZ_IMAGE_WHY 160u           /* bytes of a reason, the NUL included */

typedef enum bez_image_op {
  BEZ_IMAGE_PROBE = 1, /* facts as far as headers tell, no pixels */
  BEZ_IMAGE_DECODE,    /* facts and pixels, resampled to the size asked for */
  BEZ_IMAGE_VIEWS      /* facts and two views of 2 × BEZ_VIEW_BYTES (images.h) */
} bez_image_op;

/* To the helper; `bytes` bytes of the file follow. */
typedef struct bez_image_request {
  uint32_t magic, op;
  uint32_t height, width, channels; /* wanted; for BEZ_IMAGE_DECODE */
  uint32_t reserved;
  uint64_t bytes;
} bez_image_request;

/* Back; bez_image_answer_bytes of the request follow where why is empty. */
typedef struct bez_image_reply {
  uint32_t magic;
  uint32_t limit; /* the reason is a ceiling of ours */
  bez_image_facts facts;
  char why[BEZ_IMAGE_WHY]; /* "": all is well */
} bez_image_reply;

static inline size_t bez_image_answer_bytes(const bez_image_request *q) {
  return q->op == BEZ_IMAGE_VIEWS    ? 2 * BEZ_VIEW_BYTES
         : q->op == BEZ_IMAGE_DECODE ? (size_t)q->height * q->width * q->channels
                                     : 0;
}

/* What a file's first bytes say; 16 are enough. */
bez_picture_kind bez_picture_sniff(const uint8_t *head, size_t len);
const char *bez_picture_kind_text(bez_picture_kind kind); /* "png", … */

#endif
