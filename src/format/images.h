/* Pictures and vectors that stand beside the rows of a table: what image and embedding detectors see.
 *
 * Readers of pictures say their size once, ask for room, fill it, and push one row per picture; labels come from the
 * reader (a folder's name) or from --labels-file. All pictures of a data set have one size. */
#ifndef BEZ_FORMAT_IMAGES_H
#define BEZ_FORMAT_IMAGES_H

#include "format/builder.h"

typedef enum bez_picture_kind {
  BEZ_PICTURE_NONE = 0,
  BEZ_PICTURE_PNG,
  BEZ_PICTURE_JPEG,
  BEZ_PICTURE_WEBP,
  BEZ_PICTURE_PNM /* PBM, PGM, PPM */
} bez_picture_kind;

/* What decoding a picture file saw besides the pixels. The pixels are what a loader gets that asks for RGB and nothing
 * else: not turned as EXIF says, alpha dropped, the first picture of several. */
typedef struct bez_image_facts {
  uint32_t width, height; /* as stored, before resampling */
  uint32_t frames;        /* pictures in the file, 1 at least: animations, multi-picture JPEG, one behind the other */
  uint8_t kind;           /* bez_picture_kind */
  uint8_t channels;       /* of the file, less alpha: 1 or 3 */
  uint8_t bits;           /* per sample */
  uint8_t orientation;    /* EXIF 1 … 8; 0: none. Viewers turn by it, most loaders do not */
  uint8_t alpha;          /* 1: there is an alpha channel or a transparent colour */
  uint8_t damaged;        /* 1: the decoder went over damaged data and guessed */
  uint8_t resampled;      /* 1: the pixels kept are another size than the file's */
  uint8_t reserved;
  float see_through;        /* mean of 1 − alpha, 0 … 1 */
  float on_black, on_white; /* mean absolute difference, in grey levels, between the raw colours and the picture laid on
                             * black and on white: large where what alpha hides is not what is shown */
  float sampled[3];         /* mean absolute difference, in grey levels, between every n-th pixel (nearest) and area
                             * average when scaled to 32, 64 and 224 pixels on the shorter side; 0 where the picture
                             * is not at least twice as large. Large where a picture hides another for that size */
  uint64_t trailing;        /* bytes behind the end of the picture */
} bez_image_facts;

/* One picture per row: n × height × width × channels bytes, row major, channels interleaved (1 grey, 3 RGB). */
struct bez_images {
  uint64_t n;
  uint32_t height, width, channels;
  const uint8_t *pixels;
  const bez_image_facts *facts; /* one per picture; NULL where pictures were items of an array */
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
/* The shape fixed so far (height 0: none), and how many there are. */
const bez_images *bez_builder_shape(const bez_builder *builder);
/* Room for the pictures of the next n rows, zeroed; valid until the next call. Not for several threads at once. */
BEZ_MUST_USE bez_status bez_builder_pixels(bez_builder *builder, uint64_t n, uint8_t **out, bez_error *err);
/* The facts of the same pictures, zeroed; a data set has them for all of its pictures or for none. */
BEZ_MUST_USE bez_status bez_builder_facts(bez_builder *builder, uint64_t n, bez_image_facts **out, bez_error *err);
/* Gives back the last n pictures of the last call (some could not be decoded). */
void bez_builder_pixels_back(bez_builder *builder, uint64_t n);
/* A file that could not be read while others could: the scan says so by name, and exits with 3 where `requested`. Not
 * for several threads at once. */
BEZ_MUST_USE bez_status bez_builder_unread(bez_builder *builder, const char *path, const char *why, bool requested,
                                           bez_error *err);
/* Which of n picture files are this shard's; all of them without shards. */
void bez_builder_pictures(const bez_builder *builder, uint64_t n, uint64_t *first, uint64_t *end);
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
