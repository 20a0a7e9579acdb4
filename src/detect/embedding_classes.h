/* What the detectors that look at one class after the other share: the run over the classes, and the report. A detector
 * is one function that scores the rows of a class and looks for two groups among them. */
#ifndef BEZ_DETECT_EMBEDDING_CLASSES_H
#define BEZ_DETECT_EMBEDDING_CLASSES_H

#include "detect/embedding_split.h"
#include "detect/shared.h"

#define BEZ_EMBEDDING_MEASURES 2u

/* One class, filled by a detector: rows are those of bez_space_class, in that order. */
typedef struct bez_embedding_class {
  double *score; /* the larger, the more suspicious; comparable between classes */
  uint8_t *side; /* 1: in the smaller group; zeroed before */
  double *along; /* position between the groups: 0 the larger's mean, 1 the smaller's */
  bez_split split;
  double measure[BEZ_EMBEDDING_MEASURES]; /* what the detector is known for, named below */
  bool judged;
} bez_embedding_class;

typedef struct bez_embedding_method {
  const bez_rule *rule;
  const char *stage;                                /* of the progress */
  const char *score_name;                           /* "squared projection on …" */
  const char *measure_name[BEZ_EMBEDDING_MEASURES]; /* NULL: not used */
  bez_status (*judge)(const bez_space *space, uint32_t k, bez_embedding_class *out, bez_error *err);
  /* After all classes: measures that compare classes. May be NULL. */
  void (*compare)(const bez_space *space, bez_embedding_class *classes);
} bez_embedding_method;

/* Runs the method over the classes: a warning for each class with a clear split, else one note with a ranked list. */
BEZ_MUST_USE bez_status bez_embedding_detect(const bez_detect_input *in, const bez_embedding_method *method,
                                             bez_report *report, bez_error *err);

/* The first `most` principal directions of a class about its mean (in x or z); vectors: most × dim, value: most.
 * Returns how many there are (0: nothing varies) through *found. scratch of its own. */
BEZ_MUST_USE bez_status bez_embedding_directions(const bez_rows *rows, uint32_t most, double *mean, double *vector,
                                                 double *value, uint32_t *found, bez_error *err);

#endif
