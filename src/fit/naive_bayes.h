/* Naive Bayes over hashed presence features, one class against the rest, from which any row or group of rows can be
 * taken out exactly: counts are subtracted, nothing is fitted again.
 *
 *   w(f) = ln (n_t(f) + a·π_t)/(N_t + a·π_t) − ln (n_r(f) + a·π_r)/(N_r + a·π_r)
 *
 * n: rows of class t (of the rest r) that hold f, N: rows, π: shares of the classes, a = 1: an unseen feature says
 * nothing whatever the balance. Counts are integers, so that they may be added in any order.
 * Naive Bayes with presence features: McCallum & Nigam, AAAI-98 workshop on learning for text categorization. */
#ifndef BEZ_FIT_NAIVE_BAYES_H
#define BEZ_FIT_NAIVE_BAYES_H

#include "base/summary.h"
#include "fit/tokens.h"

#define BEZ_NB_MAX_CLASSES 64u
#define BEZ_NB_TABLE 4096u /* logarithms of small counts are tabulated */

typedef struct bez_nb {
  uint32_t n_classes; /* ≥ 2 */
  uint32_t mask;      /* slots − 1, slots a power of two */
  uint32_t *count;    /* [slot · n_classes + class] */
  uint64_t rows[BEZ_NB_MAX_CLASSES];
  uint64_t n_rows;
  /* made by bez_nb_prepare */
  double *log_in, *log_out; /* [class · BEZ_NB_TABLE + n]: ln(n + a·π_t), ln(n + a·π_r) */
  double offset[BEZ_NB_MAX_CLASSES];
  double share[BEZ_NB_MAX_CLASSES];
} bez_nb;

/* log2_slots in [8, 26]; n_classes in [2, BEZ_NB_MAX_CLASSES]. */
BEZ_MUST_USE bez_status bez_nb_create(uint32_t n_classes, unsigned log2_slots, bez_nb **out, bez_error *err);
void bez_nb_destroy(bez_nb *nb); /* NULL is fine */

/* Adds (sign 1) or removes (sign −1) one row of class k. bez_nb_add may be called from several threads at once;
 * the row counts are added by the caller with bez_nb_rows. */
void bez_nb_add(bez_nb *nb, const bez_feature *features, size_t n, uint32_t k, int sign);
void bez_nb_rows(bez_nb *nb, uint32_t k, int64_t rows);
/* Tabulates logarithms: after the last change of counts, before margins are asked. */
BEZ_MUST_USE bez_status bez_nb_prepare(bez_nb *nb, bez_error *err);

/* Weight of n_in rows of class t and n_out others holding a feature. */
double bez_nb_weight(const bez_nb *nb, uint32_t t, uint32_t n_in, uint32_t n_out);
/* Rows with the feature: of class t, and of all others. */
static inline void bez_nb_counts(const bez_nb *nb, uint32_t id, uint32_t t, uint32_t *n_in, uint32_t *n_out) {
  const uint32_t *c = nb->count + (size_t)(id & nb->mask) * nb->n_classes;
  uint32_t total = 0;
  for (uint32_t k = 0; k < nb->n_classes; k++) total += c[k];
  *n_in = c[t];
  *n_out = total - c[t];
}

/* Log-odds of class t against the rest, without the prior, of a row that is itself in the counts as class own
 * (UINT32_MAX: it is not). contribution (n entries) receives each feature's weight where it is not NULL. */
double bez_nb_margin(const bez_nb *nb, const bez_feature *features, size_t n, uint32_t t, uint32_t own,
                     double *contribution);

/* The damped margin m/√(1+|m|): naive Bayes counts its evidence more than once. */
double bez_nb_damp(double margin);

/* Platt's sigmoid p = 1/(1+exp(−(a·x+b))) fitted to n pairs by Newton's method. */
void bez_platt_fit(const double *x, const uint8_t *y, size_t n, double *a, double *b);

/* The counts as a mergeable summary. params: bez_nb_params; state: bez_nb; batch: bez_nb_batch. */
typedef struct bez_nb_params {
  uint32_t n_classes, log2_slots;
} bez_nb_params;
typedef struct bez_nb_batch {
  const char *const *text;
  const size_t *len;
  const uint32_t *label; /* class of each text */
  size_t n;
} bez_nb_batch;
extern const bez_summary bez_nb_summary;
/* For bez_summary_seal and _open. */
uint64_t bez_nb_digest(const bez_nb_params *params);

#endif
