/* Inside BZ-D012: candidate groups of rows of one class that may share a pattern, and how far they stand out. */
#ifndef BEZ_DETECT_IMAGE_BLEND_H
#define BEZ_DETECT_IMAGE_BLEND_H

#include "detect/image_white.h"

#define BEZ_BLEND_DIRECTIONS 4u /* leading directions of a class that are looked at */
#define BEZ_BLEND_GROUPS 6u     /* groups of near-duplicates that a candidate needs */

typedef struct bez_blend_data {
  const bez_detect_input *in;
  const bez_picture_classes *classes;
  const bez_picture_labels *labels;
  const bez_tracks *tracks;
  const bez_white *white;
} bez_blend_data;

/* What rows share: those of the class that match the mean of their like better than other classes' rows do. */
typedef struct bez_blend_match {
  uint32_t class_id;
  uint32_t *rows; /* ascending */
  float *score;   /* of each: spreads of other classes' rows above their median */
  uint32_t n, groups;
  double median; /* of score */
  double others; /* the score that one in a thousand other rows reaches; 3 at least */
  double ratio;  /* median / others */
  double valley; /* rows of the class that score .2 … .5 of the median, per row above: what varies smoothly has many */
} bez_blend_match;

/* Rows of the class on the smaller side of the best cut along its leading directions: up to BEZ_BLEND_DIRECTIONS lists
 * of rows (malloc'ed; n[k] 0: none). Pairs of near-duplicates do not count. */
BEZ_MUST_USE bez_status bez_blend_candidates(const bez_blend_data *data, uint32_t class_id,
                                             uint32_t *rows[BEZ_BLEND_DIRECTIONS], uint32_t n[BEZ_BLEND_DIRECTIONS],
                                             bez_error *err);

/* Matches the mean of the candidate's rows with all rows of the class and a sample of the others, leaving each row's
 * own track out, and goes on with the rows that match. out->n is 0 where nothing is left. */
BEZ_MUST_USE bez_status bez_blend_match_rows(const bez_blend_data *data, uint32_t class_id, const uint32_t *rows,
                                             uint32_t n, bez_blend_match *out, bez_error *err);
void bez_blend_match_free(bez_blend_match *match);

/* Tracks among rows; seen has a byte per track. */
uint32_t bez_blend_groups(const bez_tracks *tracks, const uint32_t *rows, uint32_t n, uint8_t *seen);

#endif
