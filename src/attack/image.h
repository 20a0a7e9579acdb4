/* Attacks on pictures: which rows, which labels, and how one picture is painted on. */
#ifndef BEZ_ATTACK_IMAGE_H
#define BEZ_ATTACK_IMAGE_H

#include "attack/plan.h"
#include "format/images.h"

/* What a picture attack is. ctx lives in the plan's arena, as what it points to does: painting comes later. */
typedef struct bez_image_trigger {
  bool clean_label;
  const void *ctx;
  /* Paints the trigger on one picture of the row; nothing but ctx, row and the pixels may decide. */
  bez_status (*paint)(const void *ctx, uint64_t row, uint8_t *pixels, bez_error *err);
  bool (*carries)(const void *ctx, uint64_t row); /* a picture that has it without us; NULL: none has */
} bez_image_trigger;

/* BEZ_UNSUPPORTED without pictures, BEZ_USAGE for an unknown parameter. */
BEZ_MUST_USE bez_status bez_image_begin(const bez_attack_input *in, const char *known, bez_error *err);
/* Rows, label edits, painting, natural rows. plan->trigger and plan->detail are the attack's own. */
BEZ_MUST_USE bez_status bez_image_plant(const bez_attack_input *in, const bez_image_trigger *t, bez_attack_plan *plan,
                                        bez_error *err);
/* A copy of the input in the plan's arena, for ctx; NULL when memory is out. */
const bez_attack_input *bez_image_keep(const bez_attack_input *in, bez_attack_plan *plan);

/* To the nearest 8-bit value. */
static inline uint8_t bez_to_pixel(double value) {
  return value <= 0 ? 0 : value >= 255 ? 255 : (uint8_t)(((int)(2 * value) + 1) / 2);
}

#endif
