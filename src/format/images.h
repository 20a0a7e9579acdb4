/* Pictures and vectors that stand beside the rows of a table: what image and embedding detectors see.
 *
 * Readers of pictures say their size once, ask for room, fill it, and push one row per picture; labels come from the
 * reader (a folder's name) or from --labels-file. All pictures of a data set have one size. */
#ifndef BEZ_FORMAT_IMAGES_H
#define BEZ_FORMAT_IMAGES_H

#include "format/builder.h"

/* One picture per row: n × height × width × channels bytes, row major, channels interleaved (1 grey, 3 RGB). */
struct bez_images {
  uint64_t n;
  uint32_t height, width, channels;
  const uint8_t *pixels;
};

/* One vector per row, float32, row major. */
struct bez_vectors {
  uint64_t n;
  uint32_t dim;
  const float *values;
};

static inline uint64_t bez_image_bytes(const bez_images *images) {
  return (uint64_t)images->height * images->width * images->channels;
}
static inline const uint8_t *bez_image(const bez_images *images, uint64_t row) {
  return images->pixels + row * bez_image_bytes(images);
}
static inline const float *bez_vector(const bez_vectors *vectors, uint64_t row) {
  return vectors->values + row * vectors->dim;
}

/* Says that rows carry pictures of this size. The first call fixes it; another size later is BEZ_FORMAT. Channels are
 * 1 or 3, sides 1 … BEZ_MAX_IMAGE_SIDE. */
BEZ_MUST_USE bez_status bez_builder_images(bez_builder *builder, const char *path, uint32_t height, uint32_t width,
                                           uint32_t channels, bez_error *err);
/* Room for the pictures of the next n rows, zeroed; valid until the next call. Not for several threads at once. */
BEZ_MUST_USE bez_status bez_builder_pixels(bez_builder *builder, uint64_t n, uint8_t **out, bez_error *err);
/* Pushes n rows as one file: column "image" (their number in the data set) and column "label". labels: one text per
 * row, or NULL: from --labels-file where that was given, else there is no label column. */
BEZ_MUST_USE bez_status bez_image_rows_push(bez_builder *builder, const char *path, const char *format, uint64_t bytes,
                                            uint64_t n, const char *const *labels, bez_error *err);

/* Inside the format room: the labels of --labels-file (borrowed until the builder is gone), and what they mean for a
 * finished table. */
void bez_builder_labels(bez_builder *builder, const bez_table *labels);
BEZ_MUST_USE bez_status bez_labels_open(const bez_read_options *options, bez_table **out, bez_error *err);
BEZ_MUST_USE bez_status bez_vectors_open(const bez_read_options *options, bez_table *table, bez_error *err);

#endif
