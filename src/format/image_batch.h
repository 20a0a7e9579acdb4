/* Many encoded pictures into the pixels of a data set: sizes first, one size for all, then decoding on all threads.
 *
 *   bez_image_batch b = {.builder = builder, .n = n, .load = load, .ctx = ctx};
 *   probe → shape → decode; why[i] then says which could not be read; push one row for each of the others; free */
#ifndef BEZ_FORMAT_IMAGE_BATCH_H
#define BEZ_FORMAT_IMAGE_BATCH_H

#include "base/buf.h"
#include "format/images.h"

typedef struct bez_image_batch {
  bez_builder *builder;
  uint64_t n;
  /* The encoded bytes of picture i, at most `most` of them (0: all); they stay good until the next call with the same
   * room. From several threads. An error of one file (IO, FORMAT, LIMIT, UNSUPPORTED) leaves that picture out. */
  bez_status (*load)(void *ctx, uint64_t i, uint64_t most, bez_buf *room, const uint8_t **bytes, uint64_t *len,
                     bez_error *err);
  void *ctx;
  bez_image_facts *facts; /* n; what is known so far */
  char **why;             /* n; NULL: fine so far */
  uint64_t n_good;
} bez_image_batch;

BEZ_MUST_USE bez_status bez_image_batch_probe(bez_image_batch *batch, bez_error *err);
/* Fixes the size of the data set's pictures where the builder has none yet: the most frequent one where a tenth of the
 * pictures have it, else the median height and width; both divided alike so that no side is longer than
 * BEZ_PICTURE_SIDE; colour when any picture is. */
BEZ_MUST_USE bez_status bez_image_batch_shape(bez_image_batch *batch, const char *path, bez_error *err);
/* Pixels and facts of the good ones, in order, at the end of the builder's. */
BEZ_MUST_USE bez_status bez_image_batch_decode(bez_image_batch *batch, bez_error *err);
void bez_image_batch_free(bez_image_batch *batch);

#endif
