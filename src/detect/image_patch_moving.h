/* Inside BZ-D011: windows that recur bit by bit in many pictures of one label, wherever they stand. */
#ifndef BEZ_DETECT_IMAGE_PATCH_MOVING_H
#define BEZ_DETECT_IMAGE_PATCH_MOVING_H

#include "detect/image_patch.h"

/* A window of a picture that recurs elsewhere. */
typedef struct bez_sighting {
  uint32_t code, row;
  uint16_t y, x; /* the first one in the picture */
  uint32_t times;
} bez_sighting;

/* One code and its pictures: sightings [begin, begin + n), ascending by row. */
typedef struct bez_recurrence {
  size_t begin;
  uint32_t n, n_label, label, groups;
  double evidence;
} bez_recurrence;

typedef struct bez_recurrences {
  bez_sighting *sightings;
  size_t n_sightings;
  bez_recurrence *list; /* strongest first */
  size_t n;
  bool complete; /* false: too many windows recur to hold them */
} bez_recurrences;

BEZ_MUST_USE bez_status bez_recurrences_find(const bez_patch_data *data, bez_recurrences *out, bez_error *err);
void bez_recurrences_free(bez_recurrences *r);

#endif
