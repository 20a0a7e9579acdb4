/* An out-of-fold label model of texts: linear support vector machines (L2 loss) on character n-grams, one class against
 * the rest, 5 folds, margins turned into probabilities by Platt's sigmoid on the out-of-fold rows.
 *
 * Dual coordinate descent: Hsieh, Chang, Lin, Keerthi, Sundararajan, "A dual coordinate descent method for large-scale
 * linear SVM", ICML 2008. Each fold and class is trained by one thread in a fixed order: any number of threads gives
 * the same bits. */
#ifndef BEZ_FIT_TEXT_MODEL_H
#define BEZ_FIT_TEXT_MODEL_H

#include "base/threads.h"
#include "fit/char_grams.h"
#include "format/table.h"

#define BEZ_TEXT_FOLDS 5u
#define BEZ_TEXT_CLASSES 64u
#define BEZ_TEXT_NONE 255u

typedef struct bez_text_model {
  const bez_column *text;
  uint64_t n_rows;
  const uint8_t *cls; /* per row, BEZ_TEXT_NONE without; the caller's */
  uint32_t n_classes;
  uint32_t n_machines; /* 1 for two classes (of class 1), else one per class */
  uint64_t seed;
  uint32_t slots;
  float *idf;     /* slots */
  float **weight; /* [fold · n_machines + machine]: slots weights, then the bias */
  double slope[BEZ_TEXT_CLASSES], bias[BEZ_TEXT_CLASSES];
  uint64_t n_trained; /* rows the machines saw: all that have a class, or a sample */
} bez_text_model;

/* cls: per row a class in [0, n_classes) or BEZ_TEXT_NONE; it must outlive the model. n_classes ≥ 2. watch may be NULL.
 */
BEZ_MUST_USE bez_status bez_text_model_fit(const bez_column *text, const uint8_t *cls, uint64_t n_rows,
                                           uint32_t n_classes, uint64_t seed, unsigned threads, bez_watch *watch,
                                           bez_text_model **out, bez_error *err);
void bez_text_model_destroy(bez_text_model *m); /* NULL is fine */

/* Class probabilities of one row by machines that did not see it; p holds n_classes. */
BEZ_MUST_USE bez_status bez_text_model_row(const bez_text_model *m, bez_grams *scratch, uint64_t row, float *p,
                                           bez_error *err);

#endif
