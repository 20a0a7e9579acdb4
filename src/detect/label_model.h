/* The models that judge labels for BZ-D006: out-of-fold class probabilities, and the vote of nearest neighbours. */
#ifndef BEZ_DETECT_LABEL_MODEL_H
#define BEZ_DETECT_LABEL_MODEL_H

#include "detect/shared.h"

#define BEZ_JUDGED_CLASSES 50u     /* the most frequent labels; rows of others are not judged */
#define BEZ_JUDGED_ROWS 10u        /* a class of fewer rows is not judged */
#define BEZ_TREE_ROWS 100000u      /* boosted trees up to so many rows … */
#define BEZ_TREE_CELLS 4000000u    /* … and rows × columns × trees per round */
#define BEZ_NEIGHBOUR_ROWS 50000u  /* neighbours are looked for up to so many rows */
#define BEZ_NEIGHBOUR_EXACT 20000u /* exact up to so many; above, among a sample of this size */
#define BEZ_NEIGHBOURS 10u
#define BEZ_CLASS_NONE UINT32_MAX

typedef struct bez_label_model {
  uint32_t n_classes;
  uint32_t *class_code;    /* label code per class, ascending */
  uint32_t *class_of_code; /* per label code; BEZ_CLASS_NONE: not judged */
  uint32_t n_labels_left;  /* labels that are not judged */
  float *p;                /* boosted trees: n_rows × n_classes, calibrated; NULL: the logistic models */
  const bez_woe **woe;     /* per class (two classes: only the second); borrowed from in->shared */
  double **coef;
} bez_label_model;

/* Chooses classes and fits. n_classes < 2: nothing to judge, no model. *out is owned by the caller. */
BEZ_MUST_USE bez_status bez_label_model_fit(const bez_detect_input *in, bez_label_model **out, bez_error *err);
void bez_label_model_destroy(bez_label_model *model); /* NULL is fine */

/* Class (or BEZ_CLASS_NONE) and probabilities of rows [first, first + n); scratch holds n doubles. Thread safe. */
void bez_label_model_rows(const bez_label_model *model, const bez_detect_input *in, uint64_t first, uint32_t n,
                          float *p, uint32_t *label, double *scratch);

/* Votes of the BEZ_NEIGHBOURS nearest rows: votes[row * n_classes + class], a malloc'ed array; *exact says whether
 * all rows were candidates. *votes is NULL where there are more than BEZ_NEIGHBOUR_ROWS rows. */
BEZ_MUST_USE bez_status bez_label_votes(const bez_label_model *model, const bez_detect_input *in, uint8_t **votes,
                                        bool *exact, bez_error *err);

#endif
