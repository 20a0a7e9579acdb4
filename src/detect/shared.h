/* Fits that several detectors use, made on first demand and kept for the scan. Detectors run one after another,
 * so no lock is needed. */
#ifndef BEZ_DETECT_SHARED_H
#define BEZ_DETECT_SHARED_H

#include "detect/detector.h"
#include "detect/embedding_space.h"
#include "detect/picture_classes.h"
#include "fit/tracks.h"
#include "fit/woe.h"

typedef struct bez_shared bez_shared;
bez_shared *bez_shared_create(void); /* NULL: out of memory */
void bez_shared_destroy(bez_shared *shared);

/* The out-of-fold weight-of-evidence logistic model of one class of the label column against the rest (for two
 * classes: of the second class against the first, asked with its code). */
BEZ_MUST_USE bez_status bez_shared_woe(const bez_detect_input *in, uint32_t label_code, const bez_woe **out,
                                       bez_error *err);

/* The groups of near-duplicate pictures (in->table->images must be there). */
BEZ_MUST_USE bez_status bez_shared_tracks(const bez_detect_input *in, const bez_tracks **out, bez_error *err);

/* The labels of the pictures as classes (a label column and pictures must be there). */
BEZ_MUST_USE bez_status bez_shared_picture_classes(const bez_detect_input *in, const bez_picture_classes **out,
                                                   bez_error *err);
/* Which pictures look like another label: judges of those classes. *out is NULL where there are fewer than two. */
BEZ_MUST_USE bez_status bez_shared_picture_labels(const bez_detect_input *in, const bez_picture_labels **out,
                                                  bez_error *err);
/* The vectors as principal components, grouped by label (label and in->table->vectors must be there). */
BEZ_MUST_USE bez_status bez_shared_space(const bez_detect_input *in, const bez_space **out, bez_error *err);

#endif
