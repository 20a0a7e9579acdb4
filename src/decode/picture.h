/* One picture file in memory → pixels and facts. Runs in the helper only: hostile bytes meet libpng, libjpeg and
 * libwebp here and nowhere else. */
#ifndef BEZ_DECODE_PICTURE_H
#define BEZ_DECODE_PICTURE_H

#include "format/image_wire.h"

typedef struct bez_picture {
  bez_image_facts facts;
  uint8_t *pixels; /* height × width × facts.channels; owned */
  uint8_t *alpha;  /* height × width, NULL where there is none; owned */
  bool limit;      /* it failed at a ceiling of ours */
  char why[BEZ_IMAGE_WHY];
} bez_picture; /* zero-initialise; free with bez_picture_free */

/* Facts, and unless probing the pixels in the file's own size. False: why says so, in words for people. */
bool bez_picture_decode(const uint8_t *bytes, size_t len, bool probe, bez_picture *out);
void bez_picture_free(bez_picture *picture);

/* Area average to another size: each pixel is the mean of what it covers, rounded; exact, in whole numbers. */
bool bez_picture_area(const uint8_t *in, uint32_t height, uint32_t width, uint32_t channels, uint8_t *out,
                      uint32_t out_height, uint32_t out_width);
/* Into the size and channels asked for; fills facts.scaled and facts.resampled. False: memory is out. */
bool bez_picture_fit(bez_picture *picture, uint32_t height, uint32_t width, uint32_t channels, uint8_t *out);

/* Two views of BEZ_VIEW_BYTES each: as people see it, as a loader does. False: memory is out. */
bool bez_picture_views(bez_picture *picture, uint8_t *out);

/* Per format; in their files. They fill width, height, channels and bits first and call bez_picture_room. */
bool bez_png_decode(const uint8_t *bytes, size_t len, bool probe, bez_picture *out);
bool bez_jpeg_decode(const uint8_t *bytes, size_t len, bool probe, bez_picture *out);
bool bez_webp_decode(const uint8_t *bytes, size_t len, bool probe, bez_picture *out);
bool bez_pnm_decode(const uint8_t *bytes, size_t len, bool probe, bez_picture *out);

/* Checks the size against the ceilings and, unless probing, makes room for pixels (and alpha). */
bool bez_picture_room(bez_picture *picture, bool probe, bool alpha);
/* Keeps the first reason; false, so that `return bez_picture_fail(…)` reads well. */
bool bez_picture_fail(bez_picture *picture, const char *fmt, ...) BEZ_PRINTF(2, 3);

/* What stands behind the picture: fills trailing and tail. */
void bez_picture_trailing(const uint8_t *bytes, size_t len, bez_image_facts *facts);

/* The orientation in a block of EXIF data (a TIFF header and what follows), 0: none. */
uint8_t bez_exif_orientation(const uint8_t *bytes, size_t len);

#endif
