/* Which pictures look like another label than theirs: two judges that did not see a row's own label, and rounds that
 * take what they dispute out of the next judges' training.
 *
 * Features are HOG (fit/hog.h) in their leading 127 principal directions. One judge is the vote of the ten nearest
 * rows, the other a ridge regression on ±1 per class, five folds. Poison that floods a class teaches both that it
 * belongs there, so rows that are disputed neither vote nor train in the next round ("peeling"). */
#ifndef BEZ_FIT_PICTURE_LABELS_H
#define BEZ_FIT_PICTURE_LABELS_H

#include "base/threads.h"
#include "format/images.h"

#define BEZ_PICTURE_NONE UINT32_MAX
#define BEZ_PICTURE_SAMPLE 8192u /* rows that directions are fitted on and neighbours are looked for among */

typedef struct bez_picture_labels {
  uint32_t n_rows, n_classes;
  float *score;     /* per row: (ridge + vote of its label) − the best of the others'; +2 … −4; 9: not judged */
  uint32_t *other;  /* per row: the class with most of ridge + vote among the others */
  float threshold;  /* rows below are disputed */
  uint32_t rounds;  /* until nothing changed */
  double agreement; /* share of judged rows whose label both judges together would give */
} bez_picture_labels;

/* class_of: per row a class below n_classes, or BEZ_PICTURE_NONE for rows that are not judged.
 * O(rows · (pixels + 576 · 127 + min(rows, 8192) · 128)) time, 700 bytes per row. */
BEZ_MUST_USE bez_status bez_picture_labels_fit(const bez_images *images, const uint32_t *class_of, uint32_t n_classes,
                                               unsigned threads, uint32_t cpu, bez_watch *watch,
                                               bez_picture_labels **out, bez_error *err);
void bez_picture_labels_destroy(bez_picture_labels *labels); /* NULL is fine */

/* Rows that are not judged never are. */
static inline bool bez_picture_disputed(const bez_picture_labels *labels, uint32_t row) {
  return labels->score[row] < labels->threshold;
}

/* Inside the fit: the rows' features, n × BEZ_PICTURE_DIM; the last is 1. */
#define BEZ_PICTURE_DIM 128u
BEZ_MUST_USE bez_status bez_picture_features(const bez_images *images, unsigned threads, uint32_t cpu, bez_watch *watch,
                                             float *out, bez_error *err);
/* Every step-th row, about most of them: fixed, spread over the file. */
uint32_t bez_picture_sample(uint64_t n_rows, uint32_t most, uint32_t *rows);

#endif
