/* The features in which BZ-D021 compares the data with a golden set. */
#ifndef BEZ_DETECT_KNN_SHAPLEY_H
#define BEZ_DETECT_KNN_SHAPLEY_H

#include "detect/detector.h"

/* Numbers and category codes of two tables in one layout. */
typedef struct bez_pair_features {
  uint32_t n_num, n_cat;
  float *num[2];    /* 0: the data, 1: the golden set; rows × n_num */
  uint32_t *cat[2]; /* rows × n_cat; a value that the data do not have is UINT32_MAX */
  const char *what; /* "embeddings", "pictures", "columns" */
} bez_pair_features;

/* Embeddings where both have them; else pictures (histograms of oriented gradients); else columns of the same name:
 * numbers standardised by the data and clipped to ±4, missing ones at the mean, categories compared for equality. n_num
 * and n_cat 0: nothing in common. */
BEZ_MUST_USE bez_status bez_pair_features_make(const bez_detect_input *in, bez_pair_features *out, bez_error *err);
void bez_pair_features_free(bez_pair_features *f);

#endif
