/* Inside BZ-D013: profiles of pictures along an axis, and the waves that rows of one class share. */
#ifndef BEZ_DETECT_IMAGE_FREQUENCY_H
#define BEZ_DETECT_IMAGE_FREQUENCY_H

#include "detect/shared.h"

#define BEZ_PROFILE_MAX 64u /* places of a profile */
#define BEZ_PHASES 24u

/* Mean luma of every column (axis 0: waves run from left to right) or line (axis 1), pooled to BEZ_PROFILE_MAX at most.
 */
typedef struct bez_profiles {
  uint32_t n, length, axis;
  float *value; /* n × length; less the class's mean */
} bez_profiles;

/* The caller frees out with bez_profiles_free. The same for any number of threads. */
BEZ_MUST_USE bez_status bez_profiles_make(const bez_images *images, const bez_picture_classes *classes, uint32_t axis,
                                          unsigned threads, bez_profiles *out, bez_error *err);
void bez_profiles_free(bez_profiles *profiles);

/* Per class a metric in which other classes' profiles have unit spread in every direction: the inverse of the Cholesky
 * factor of their covariance (length × length each, lower triangle). usable says per class whether there were rows
 * enough. */
BEZ_MUST_USE bez_status bez_profiles_metrics(const bez_profiles *profiles, const bez_picture_classes *classes,
                                             double *metric, uint8_t *usable, bez_error *err);

/* Where each row lies in the plane of one frequency's cosine and sine, in spreads of other classes' rows: at[2 · row],
 * less the class's medians. periods: per profile length. */
BEZ_MUST_USE bez_status bez_profiles_plane(const bez_profiles *profiles, const bez_picture_classes *classes,
                                           const double *metric, const uint8_t *usable, double periods, float *at,
                                           bez_error *err);

#endif
