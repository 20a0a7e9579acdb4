/* Picture files in the decoders, without the helper around them. */
#include <math.h>
#include <stdlib.h>

#include "base/limits.h"
#include "decode/picture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const bez_picture *p, bool good, bool probe) {
  const bez_image_facts *f = &p->facts;
  if (good == (p->why[0] != 0)) abort();
  if (!good) return;
  if (!f->width || !f->height || !f->frames || (f->channels != 1 && f->channels != 3) || f->orientation > 8) abort();
  if (f->width > BEZ_MAX_IMAGE_SIDE || f->height > BEZ_MAX_IMAGE_SIDE) abort();
  if (probe != !p->pixels || (!probe && f->alpha != (p->alpha != NULL))) abort();
  if (!(f->see_through >= 0 && f->see_through <= 1 && f->on_black <= 255 && f->on_white <= 255)) abort();
  if (!(f->half_clear + f->clear <= 1.001f && f->raw <= 255 && f->gamma >= 0 && f->gamma <= 255)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  bez_picture header = {0}, whole = {0};
  uint8_t out[7 * 9 * 3], views[2 * BEZ_VIEW_BYTES];
  bool good = bez_picture_decode(data, size, true, &header);
  check(&header, good, true);
  /* Large pictures are slow, not wrong: a few bytes announce what takes seconds to fill. */
  if (good && (uint64_t)header.facts.width * header.facts.height <= 1u << 20) {
    good = bez_picture_decode(data, size, false, &whole);
    check(&whole, good, false);
    if (good) {
      if (whole.facts.width != header.facts.width || whole.facts.height != header.facts.height) abort();
      if (!bez_picture_fit(&whole, 7, 9, size % 2 ? 1 : 3, out)) abort();
      if (!bez_picture_views(&whole, views)) abort();
      if (whole.facts.scaled.height > whole.facts.height / 2 || whole.facts.tail >= BEZ_TAILS) abort();
      (void)bez_image_odd(&whole.facts);
    }
  }
  bez_picture_free(&header);
  bez_picture_free(&whole);
  return 0;
}
