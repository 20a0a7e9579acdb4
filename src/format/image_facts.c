/* What is odd about a picture file, by what its decoder saw. Thresholds: docs/detect/human-view.md. */
#include "format/images.h"

#define HALF_CLEAR 0.75f /* of all pixels, before alpha can draw a picture of its own */
#define CLEAR 0.98f
#define SPREAD 5.0f /* grey levels, of a picture */
#define SPREAD_CLEAR 15.0f
#define ALIKE 0.45f /* correlation of raw and shown; clean see-through pictures stay above .5 */
#define LEVELS 8.0f /* a difference people see */
#define MUCH 40.0f

static bool alpha_differs(const bez_image_facts *f) {
  if (!f->alpha) return false;
  if (f->clear >= CLEAR) return f->raw >= SPREAD_CLEAR;
  return f->half_clear >= HALF_CLEAR && f->raw >= SPREAD && f->shown >= SPREAD && f->alike < ALIKE;
}

static uint32_t odd_tail(uint8_t tail) {
  switch (tail) {
    case BEZ_TAIL_NONE:
    case BEZ_TAIL_ZEROS: return 0;
    case BEZ_TAIL_PICTURE:
    case BEZ_TAIL_OTHER: return BEZ_ODD_TAIL;
    default: return BEZ_ODD_POLYGLOT;
  }
}

uint32_t bez_image_odd(const bez_image_facts *f) {
  uint32_t odd = odd_tail(f->tail);
  if (bez_scaled_is_other(&f->scaled)) odd |= BEZ_ODD_SCALED;
  if (alpha_differs(f))
    odd |= BEZ_ODD_ALPHA;
  else if (f->alpha && f->on_white >= LEVELS)
    odd |= BEZ_ODD_CLEAR;
  if (f->unshown) odd |= BEZ_ODD_UNSHOWN;
  if (f->frames > 1 && !f->unshown) odd |= BEZ_ODD_FRAMES;
  if (f->orientation > 1) odd |= BEZ_ODD_TURNED;
  if (f->gamma >= MUCH)
    odd |= BEZ_ODD_GAMMA;
  else if (f->gamma >= LEVELS)
    odd |= BEZ_ODD_GAMMA_SLIGHT;
  return odd;
}
