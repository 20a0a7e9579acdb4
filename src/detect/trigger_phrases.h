/* The stages of BZ-D004 share this: one text column's rows, classes, model and candidates. */
#ifndef BEZ_DETECT_TRIGGER_PHRASES_H
#define BEZ_DETECT_TRIGGER_PHRASES_H

#include "detect/detector.h"
#include "fit/kept_docs.h"
#include "fit/naive_bayes.h"

#define BEZ_PHRASE_TILE 1024u /* rows */
#define BEZ_PHRASE_NONE 255u  /* class of a row without label */
#define BEZ_PHRASE_ROWS 2048u /* rows of a candidate that are judged; more are sampled by a hash of the row */

#define BEZ_PHRASE_WARNING 10.0 /* a lower score is no finding */
/* With k improbable rows at least .004 · k are expected: a score of k · (ln(1/.004) − 1 + .004)/ln 10 − log10 3 at the
 * most. Fewer rows than these cannot be a finding and are not judged. */
#define BEZ_PHRASE_LEAST_BAD 6u
#define BEZ_PHRASE_LEVELS 3u
#define BEZ_PHRASE_LEAST_P 0.004 /* no label is less probable than a slip of the pen */
/* Rows are improbable below one of these. */
static const double bez_phrase_level[BEZ_PHRASE_LEVELS] = {0.02, 0.1, 0.5};

/* Accounts of an n-gram's rows (trigger_phrases_effects.c). */
#define BEZ_EFFECT_KINDS 39u
#define BEZ_EFFECT_TERMS 47u
#define BEZ_EFFECT_ROWS 10u  /* distinct rows of the label; of fewer not enough can be known */
#define BEZ_EFFECT_SHARE 0.5 /* of the n-gram's rows have the label */
#define BEZ_EFFECT_WARNING 3.5

enum { BEZ_ROW_DUPLICATE = 1, BEZ_ROW_PEELED = 2, BEZ_ROW_ODD = 4 };

typedef struct bez_phrases {
  const bez_detect_input *in;
  const bez_column *text, *label;
  uint64_t n_rows;
  uint32_t n_classes;
  uint32_t code_of[BEZ_NB_MAX_CLASSES]; /* label code of each class; the last may stand for all others */
  bool has_other;                       /* the last class is "all others" and no target */
  uint8_t *cls;                         /* per row */
  uint8_t *state;                       /* per row */
  bez_nb *nb;
  double slope[BEZ_NB_MAX_CLASSES], bias[BEZ_NB_MAX_CLASSES]; /* calibration of class t against the rest */
  double inflate[BEZ_NB_MAX_CLASSES][BEZ_PHRASE_LEVELS]; /* labels seen : labels expected, below each level, ≥ 1 */
  double *effect_terms; /* logarithms of every account for a row, by class, label or not, bin of p */
  bez_doc *doc;         /* per worker */
  bez_kept_docs *kept;  /* tokens and features of all rows; NULL where there is too much text */
} bez_phrases;

/* Rows that hold one n-gram. */
typedef struct bez_phrase_row {
  uint64_t gram;
  uint32_t row; /* a text column of more than 2^32 rows is not examined */
} bez_phrase_row;

/* What a candidate amounts to for its best target class. */
typedef struct bez_phrase_score {
  uint64_t gram;
  size_t first, n; /* its rows among the candidates' */
  uint32_t target; /* class */
  uint32_t n_bad;  /* distinct rows of the target that their other words contradict */
  uint32_t n_low;  /* rows that their other words contradict as a target, whatever their label */
  double expected; /* of n_bad */
  double score;    /* −log10 of the bound */
  uint32_t likely; /* class of most of its rows; BEZ_PHRASE_NONE where its effect is not examined */
  double ratio;    /* log10 of the likelihood ratio of planted to natural; 0 where the score is the finding */
} bez_phrase_score;

/* Rows in tiles: fn(ctx, phrases, tile, first row, end row, worker). */
typedef bez_status (*bez_phrase_fn)(void *ctx, bez_phrases *p, uint64_t tile, uint64_t first, uint64_t end,
                                    unsigned worker, bez_error *err);
BEZ_MUST_USE bez_status bez_phrases_sweep(bez_phrases *p, bez_phrase_fn fn, void *ctx, bez_error *err);

/* Loads a row's tokens and features; the cell is read as its first BEZ_MAX_TOKENS tokens. */
BEZ_MUST_USE bez_status bez_phrases_load(bez_phrases *p, uint64_t row, bez_doc *doc, bez_error *err);
/* Tokens only. */
BEZ_MUST_USE bez_status bez_phrases_tokens(bez_phrases *p, uint64_t row, bez_doc *doc, bez_error *err);
/* Keeps the tokens of all rows, where the text is small enough: candidates are many, and every one reads its rows. */
BEZ_MUST_USE bez_status bez_phrases_keep(bez_phrases *p, bez_error *err);

/* Counts all rows into a fresh model, duplicates once. */
BEZ_MUST_USE bez_status bez_phrases_model(bez_phrases *p, bez_error *err);
/* Takes rows out of the model. */
BEZ_MUST_USE bez_status bez_phrases_peel(bez_phrases *p, const uint32_t *rows, size_t n, bez_error *err);
/* Fits the calibration of every class against the rest. */
BEZ_MUST_USE bez_status bez_phrases_calibrate(bez_phrases *p, bez_error *err);

/* Rows of n-grams that occur in rows which other words contradict; ascending by (gram, row). *out is owned by the
 * caller. */
BEZ_MUST_USE bez_status bez_phrases_nominate(bez_phrases *p, bez_phrase_row **out, size_t *n_out, bez_error *err);
/* All rows that hold the n-gram, ascending. *out is owned by the caller. */
BEZ_MUST_USE bez_status bez_phrases_collect(bez_phrases *p, uint64_t gram, uint32_t **out, size_t *n_out,
                                            bez_error *err);

/* Scratch of one judging worker; zero-initialise. */
typedef struct bez_judge bez_judge;
bez_judge *bez_judge_create(void);
void bez_judge_destroy(bez_judge *judge);
/* Judges the rows of one n-gram against every class; prob (n entries, NULL where not wanted) receives the probability
 * of the best target from the row's other words, no row of the group counted; effect (BEZ_EFFECT_KINDS, NULL where not
 * wanted) the likelihoods of the accounts for out->likely. */
BEZ_MUST_USE bez_status bez_phrases_judge(bez_phrases *p, bez_judge *judge, uint64_t gram, const uint32_t *rows,
                                          size_t n, bez_phrase_score *out, double *prob, float *effect, unsigned worker,
                                          bez_error *err);
/* The same rows as evidence that the n-gram was planted with class t: effect receives the likelihoods of all accounts,
 * near-duplicates once, prob the probabilities; n_bad is the number of distinct rows. */
BEZ_MUST_USE bez_status bez_phrases_judge_effect(bez_phrases *p, bez_judge *judge, uint64_t gram, const uint32_t *rows,
                                                 size_t n, uint32_t t, bez_phrase_score *out, double *prob,
                                                 float *effect, unsigned worker, bez_error *err);

/* Tabulates what rows say for each account; after calibration. */
BEZ_MUST_USE bez_status bez_effects_prepare(bez_phrases *p, bez_error *err);
/* Adds one row: has it the label t, and how probable do its other words make it? sum: BEZ_EFFECT_TERMS. */
void bez_effects_add(const bez_phrases *p, uint32_t t, bool has_label, double prob, double *sum);
/* Sums over n rows (changed) to likelihoods, the largest about 1: BEZ_EFFECT_KINDS. */
void bez_effects_finish(double *sum, size_t n, float *likelihood);
/* How frequent each account is among n n-grams (likelihood: n · BEZ_EFFECT_KINDS); *examined: those with a class. */
BEZ_MUST_USE bez_status bez_effects_estimate(const bez_phrase_score *scores, const float *likelihood, size_t n,
                                             double *weight, size_t *examined, bez_error *err);
/* log10 of the likelihood of "planted" over that of the natural effects. */
double bez_effects_ratio(const double *weight, const float *likelihood);

/* One finding: the rows of the target that hold the n-gram and that their other words contradict (prob per row). */
BEZ_MUST_USE bez_status bez_phrases_report(bez_phrases *p, bez_report *report, const bez_phrase_score *score,
                                           bez_severity severity, const uint32_t *rows, const double *prob, size_t n,
                                           bez_error *err);
/* The place of the n-gram in a loaded row: first token and number of tokens; false where it is not. */
bool bez_phrases_find(const bez_doc *doc, uint64_t gram, size_t from, size_t *at, unsigned *n);

#endif
