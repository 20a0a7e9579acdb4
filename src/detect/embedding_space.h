/* The space in which the embedding detectors look: vectors of the labelled rows, grouped by label, as their first
 * principal components, and the same whitened by the spread inside the classes. Made once per scan
 * (bez_shared_space). */
#ifndef BEZ_DETECT_EMBEDDING_SPACE_H
#define BEZ_DETECT_EMBEDDING_SPACE_H

#include "detect/detector.h"
#include "fit/covariance.h"

#define BEZ_SPACE_DIM 128u    /* principal components kept, at most */
#define BEZ_SPACE_EXACT 1024u /* longer vectors are hashed to so many numbers first (signed count sketch) */
#define BEZ_SPACE_CLASS 80u   /* rows a class must have to be judged */

typedef struct bez_space {
  uint32_t n;         /* rows that carry a label */
  uint32_t dim;       /* components; 0: all vectors are the same */
  uint32_t given_dim; /* numbers per vector in the file */
  uint32_t n_classes; /* labels in use, also small ones */
  uint32_t n_judged;  /* of BEZ_SPACE_CLASS rows and more */
  uint32_t *code;     /* label code per class, ascending */
  uint32_t *first;    /* n_classes + 1: where a class begins among the rows below */
  uint32_t *row;      /* n table rows, grouped by class, ascending inside */
  uint32_t *class_of; /* n: the class at that place */
  float *x;           /* n × dim: principal components about the overall mean */
  float *z;           /* n × dim: the same, white inside the classes (pooled covariance, ridge 10⁻³ of its mean) */
  double explained;   /* share of the variance that the components hold */
} bez_space;

/* O(n · d²) time, 8 · n · dim bytes kept. Labels are needed (BEZ_NEED_LABEL). BEZ_LIMIT beyond UINT32_MAX rows. */
BEZ_MUST_USE bez_status bez_space_fit(const bez_detect_input *in, bez_space **out, bez_error *err);
void bez_space_destroy(bez_space *space); /* NULL is fine */

/* The rows of a class in one of the two coordinates (space->x or space->z). */
static inline bez_rows bez_space_class(const bez_space *s, const float *coordinates, uint32_t k) {
  return (bez_rows){.x = coordinates + (size_t)s->first[k] * s->dim, .dim = s->dim, .n = s->first[k + 1] - s->first[k]};
}
static inline bool bez_space_judged(const bez_space *s, uint32_t k) {
  return s->dim > 0 && s->first[k + 1] - s->first[k] >= BEZ_SPACE_CLASS;
}

#endif
