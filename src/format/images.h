/* Pictures and vectors that stand beside the rows of a table: what image and embedding detectors see.
 *
 * Readers of pictures say their size once, ask for room, fill it, and push one row per picture; labels come from the
 * reader (a folder's name) or from --labels-file. All pictures of a data set have one size. */
#ifndef BEZ_FORMAT_IMAGES_H
#define BEZ_FORMAT_IMAGES_H

#include "format/builder.h"
#include "math/scaled_view.h"

typedef enum bez_picture_kind {
  BEZ_PICTURE_NONE = 0,
  BEZ_PICTURE_PNG,
  BEZ_PICTURE_JPEG,
  BEZ_PICTURE_WEBP,
  BEZ_PICTURE_PNM /* PBM, PGM, PPM */
} bez_picture_kind;

/* What the bytes behind a picture begin with, or hold within their first 64 KiB. */
typedef enum bez_picture_tail {
  BEZ_TAIL_NONE = 0, /* no bytes */
  BEZ_TAIL_ZEROS,    /* padding */
  BEZ_TAIL_PICTURE,  /* one more picture */
  BEZ_TAIL_ZIP,
  BEZ_TAIL_ARCHIVE, /* RAR, 7z, gzip, xz, zstd, bzip2 */
  BEZ_TAIL_PDF,
  BEZ_TAIL_PROGRAM, /* ELF, PE, Mach-O, a class file, #! */
  BEZ_TAIL_MARKUP,  /* HTML, a script element, PHP */
  BEZ_TAIL_OTHER,
  BEZ_TAILS
} bez_picture_tail;

/* What decoding a picture file saw besides the pixels. The pixels are what a loader gets that asks for RGB and nothing
 * else: not turned as EXIF says, alpha dropped, the first picture of several. */
typedef struct bez_image_facts {
  uint32_t width, height;   /* as stored, before resampling */
  uint32_t frames;          /* pictures in the file, 1 at least: animations, multi-picture JPEG, one behind the other */
  uint8_t kind;             /* bez_picture_kind */
  uint8_t channels;         /* of the file, less alpha: 1 or 3 */
  uint8_t bits;             /* per sample */
  uint8_t orientation;      /* EXIF 1 … 8; 0: none. Viewers turn by it, most loaders do not */
  uint8_t alpha;            /* 1: there is an alpha channel or a transparent colour */
  uint8_t damaged;          /* 1: the decoder went over damaged data and guessed */
  uint8_t resampled;        /* 1: the pixels kept are another size than the file's */
  uint8_t tail;             /* bez_picture_tail: what the trailing bytes look like */
  uint8_t unshown;          /* 1: the picture kept is not part of the animation that viewers play */
  float see_through;        /* mean of 1 − alpha, 0 … 1 */
  float on_black, on_white; /* mean absolute difference, in grey levels, between the raw colours and the picture laid on
                             * black and on white: large where what alpha hides is not what is shown */
  float half_clear, clear;  /* shares of the pixels with alpha between .05 and .95, and below */
  float raw, shown, alike; /* of the half clear pixels, of the clear ones where those are fewer: spread of the raw luma,
                            * spread of the luma laid on white, and the size of their correlation */
  float gamma;             /* mean change in grey levels that a viewer makes because of the file's gamma; 0: none */
  bez_scaled_view scaled;  /* whether a scaler without smoothing shows another picture, at the file's own size */
  uint64_t trailing;       /* bytes behind the end of the picture */
} bez_image_facts;

/* What people see and loaders do not, or the other way round. */
typedef enum bez_image_oddity {
  BEZ_ODD_SCALED = 1u << 0,   /* another picture for a scaler without smoothing */
  BEZ_ODD_ALPHA = 1u << 1,    /* another picture under alpha */
  BEZ_ODD_POLYGLOT = 1u << 2, /* a program, an archive, a document behind the picture */
  BEZ_ODD_UNSHOWN = 1u << 3,  /* viewers play an animation without the picture that loaders take */
  BEZ_ODD_GAMMA = 1u << 4,    /* viewers change it a lot */
  BEZ_ODD_GAMMA_SLIGHT = 1u << 5,
  BEZ_ODD_TURNED = 1u << 6, /* by EXIF */
  BEZ_ODD_FRAMES = 1u << 7,
  BEZ_ODD_CLEAR = 1u << 8, /* see-through: the raw colours are not what is shown on white */
  BEZ_ODD_TAIL = 1u << 9   /* further bytes behind the picture */
} bez_image_oddity;
#define BEZ_ODDITIES 10u
#define BEZ_ODD_SHOWN (BEZ_ODD_SCALED | BEZ_ODD_ALPHA | BEZ_ODD_GAMMA | BEZ_ODD_TURNED) /* to be seen in two tiles */

uint32_t bez_image_odd(const bez_image_facts *facts);

/* A picture as people see it (turned, on white, smoothly made smaller) and as a loader does, in squares of
 * BEZ_VIEW_SIDE, RGB, white where the picture is not. */
#define BEZ_VIEW_SIDE 96u
#define BEZ_VIEW_BYTES ((size_t)BEZ_VIEW_SIDE * BEZ_VIEW_SIDE * 3)
#define BEZ_VIEWS_KEPT 3u /* of an oddity */
typedef struct bez_image_views {
  uint64_t row; /* of the table */
  uint32_t odd; /* what is shown */
  const uint8_t *person, *loader;
  struct bez_image_views *next;
} bez_image_views;

/* One picture per row: n × height × width × channels bytes, row major, channels interleaved (1 grey, 3 RGB). */
struct bez_images {
  uint64_t n;
  uint32_t height, width, channels;
  const uint8_t *pixels;
  const bez_image_facts *facts; /* one per picture; NULL where pictures were items of an array */
  bez_image_views *views;       /* of the first odd pictures, by row */
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
/* Keeps the two views (2 × BEZ_VIEW_BYTES, copied) of picture `row` of those pushed so far, in rising order. */
BEZ_MUST_USE bez_status bez_builder_views(bez_builder *builder, uint64_t row, uint32_t odd, const uint8_t *views,
                                          bez_error *err);
/* Which of the oddities of a picture still want to be shown. */
uint32_t bez_builder_wants_views(const bez_builder *builder, uint32_t odd);
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
