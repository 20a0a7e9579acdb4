/* Label contradiction of a pattern: the parts of BZ-D001. Private to detect/label_contradiction*.c.
 *
 * One target label at a time. A row that carries the target *contradicts* by c = −(log-odds of the target by all other
 * columns − log-odds of its share), and a pattern's T is the sum of c, clipped to ±2, over its rows with the target.
 *
 *   rows   (..._rows.c)   score every row; keep those with the target that contradict even with their three most
 *                         supporting columns forgotten (candidates), and a sample of all rows beside them
 *   mine   (..._mine.c)   every set of 1–3 columns: patterns whose T among candidates is large, less what the sample
 *                         says of the other rows
 *   exact  (..._exact.c)  the surviving patterns over all rows
 *   kind   (..._kind.c)   do their rows predict each other's remaining cells?
 *   smooth (..._smooth.c) do neighbouring numbers behave alike?
 *   judge  (..._judge.c)  calibrated significance, decisive columns, the strongest first and its rows removed
 *   show   (..._show.c)   the finding */
#ifndef BEZ_DETECT_LABEL_CONTRADICTION_H
#define BEZ_DETECT_LABEL_CONTRADICTION_H

#include "detect/detector.h"
#include "fit/woe.h"

#define BEZ_LCO_MAX_COLS 3u
#define BEZ_LCO_CLIP 2.0f
#define BEZ_LCO_LEVELS 64u /* of the log-odds of the target, in steps of BEZ_LCO_STEP, from −8 to 8 */
#define BEZ_LCO_STEP .25

typedef struct bez_lco_view {
  const bez_detect_input *in;
  const bez_woe *woe;
  uint32_t target;      /* label code */
  double sign;          /* +1: the target is the model's class 1; −1: its other class */
  double origin;        /* log-odds of the target at which a row contradicts by 0 */
  const uint64_t *skip; /* rows already explained, one bit each; NULL none */
} bez_lco_view;

/* The gathered rows. ids: 0 where the value cannot be part of a pattern, else 1 … n_ids. */
typedef struct bez_lco_rows {
  uint64_t n, n_cand; /* the first n_cand are the candidates */
  double weight;      /* rows that each of the others stands for */
  uint64_t *row;
  float *base;        /* c with all columns in */
  uint8_t *is_target; /* carries the target */
  float **g;          /* [feature][i]: c without C = base + Σ_{c∈C} gamma_c · g[c] */
  uint16_t **bin;     /* [feature][i]: bin of the model */
  uint16_t **id;      /* [feature][i] */
  uint16_t **id_of;   /* [feature][code] */
  uint32_t **code_of; /* [feature][id] */
  uint32_t *n_ids;    /* ids 1 … n_ids */
  uint32_t n_features;
} bez_lco_rows;

BEZ_MUST_USE bez_status bez_lco_rows_make(const bez_lco_view *view, bez_lco_rows **out, bez_error *err);
void bez_lco_rows_destroy(bez_lco_rows *rows); /* NULL is fine */

/* Two log likelihood ratios of "a share q of the pattern's rows was planted" against "natural":
 *   rows    their other columns look like rows of the other labels, more than the pattern's values lead one to expect:
 *           Σ_target ln(1 − q + q·f_others(level)/f_expected(level))
 *   labels  they all carry the target, which the other columns do not explain, even when the pattern has an effect
 *           of its own on the log-odds:  Σ_target ln(q + (1 − q)·p) + Σ_others ln((1 − q)(1 − p)) −
 *           ln ∫ Π P(label | log-odds + e) dN(e; 0, sd²), for several sd
 * Their sum is the strength; natural data reaches high values in one of them, but then the other is negative. */
#define BEZ_LCO_EFFECTS 5u /* 1, 1.5, 2.25, 3.375, 5.0625 */

typedef struct bez_lco_pattern {
  uint32_t k;                      /* 1 … 3 columns */
  uint32_t col[BEZ_LCO_MAX_COLS];  /* features, ascending */
  uint32_t code[BEZ_LCO_MAX_COLS]; /* value codes */
  uint32_t target;                 /* label code */
  uint64_t key;                    /* ids, 16 bits each */
  double n, n_target, t;           /* mined: estimates; exact: exact */
  float ratio[BEZ_LCO_LEVELS];     /* ln of how much likelier a level is in planted rows than in natural ones */
  bool has_peers;                  /* other values share the bin, or other columns say what to expect */
  /* exact only */
  double expected;  /* rows with the target that the other columns predict */
  double promise;   /* mined: an estimate of the strength, labels without an effect of their own */
  double rows_llr;  /* see above */
  double whole_llr; /* of rows and purity together, against all rows with the target: picks a pattern's form */
  double labels_llr[BEZ_LCO_EFFECTS];
  double kind;     /* nats per row by which the rows predict each other's remaining cells better than a draw of the
                      other labels' rows does: about 0 for planted rows, large for a natural group (..._kind.c) */
  double kind_sd;  /* its standard deviation for rows drawn at random */
  bool smooth;     /* numbers next to the pattern's behave alike (..._smooth.c) */
  uint64_t n_rows; /* rows with the target */
  uint64_t *row;   /* those rows, ascending */
  float *c;        /* their contradiction, not clipped */
  /* judged */
  double strength; /* their sum at the effect size of this data set */
  bool decisive;   /* one of many such values of its columns */
} bez_lco_pattern;

typedef struct bez_lco_patterns {
  bez_lco_pattern *item;
  size_t n, cap;
  uint64_t tested; /* patterns that were looked at */
  uint32_t deep;   /* columns of which sets of three were looked at; 0: all */
} bez_lco_patterns;

#define BEZ_LCO_DEEP 42u /* wider tables: sets of three among so many columns, those with the most values */

void bez_lco_patterns_free(bez_lco_patterns *patterns);
/* Appends `from` to `to`, which then owns its rows; `from` is left empty. */
BEZ_MUST_USE bez_status bez_lco_patterns_move(bez_lco_patterns *to, bez_lco_patterns *from, bez_error *err);

/* Level of a row that contradicts by c, and back to the middle of a level. */
static inline uint32_t bez_lco_level(const bez_lco_view *view, double c) {
  double level = (view->origin - c) / BEZ_LCO_STEP + BEZ_LCO_LEVELS / 2.0;
  return level < 0 ? 0 : level >= BEZ_LCO_LEVELS ? BEZ_LCO_LEVELS - 1 : (uint32_t)level;
}
static inline double bez_lco_level_eta(uint32_t level) {
  return ((double)level - BEZ_LCO_LEVELS / 2.0 + .5) * BEZ_LCO_STEP;
}

/* Fills ratio, has_peers and promise of n patterns of one column set (..._expect.c). */
BEZ_MUST_USE bez_status bez_lco_expect(const bez_lco_view *view, const bez_lco_rows *rows, bez_lco_pattern *patterns,
                                       size_t n, bez_error *err);

/* Patterns with T ≥ t_min (t_min_single for one column), at least 8 rows with the target and purity near .9,
 * ordered by column set, then key. */
BEZ_MUST_USE bez_status bez_lco_mine(const bez_lco_view *view, const bez_lco_rows *rows, double t_min,
                                     double t_min_single, bez_lco_patterns *out, bez_error *err);

/* Replaces the estimates by exact values and lists the rows. */
BEZ_MUST_USE bez_status bez_lco_exact(const bez_lco_view *view, const bez_lco_rows *rows, bez_lco_patterns *patterns,
                                      bez_error *err);

/* Fills smooth of the patterns that may be reported (..._smooth.c). */
BEZ_MUST_USE bez_status bez_lco_smooth(const bez_lco_view *view, const bez_lco_rows *rows, bez_lco_patterns *patterns,
                                       bez_error *err);

/* Fills kind of the patterns that may be reported (..._kind.c). */
BEZ_MUST_USE bez_status bez_lco_kind(const bez_lco_view *view, const bez_lco_rows *rows, bez_lco_patterns *patterns,
                                     bez_error *err);

#define BEZ_LCO_Q_ERROR .03
#define BEZ_LCO_STRENGTH_ERROR 18.0 /* an error asks for this strength as well */
#define BEZ_LCO_Q_WARNING .1
#define BEZ_LCO_LABELS_ERROR 2.5 /* and labels that speak so clearly: below, a warning at best */

/* Chance, by the calibration on clean data, that natural data with so many patterns shows such a strength. */
double bez_lco_q(double strength, uint64_t tested);
/* Fills strength and decisive of every pattern; returns the natural effect size in force (an index): the smallest
 * at which no more than a few disjoint patterns stand out. */
BEZ_MUST_USE bez_status bez_lco_judge(const bez_detect_input *in, bez_lco_patterns *patterns, uint32_t *effect,
                                      bez_error *err);
/* The strongest pattern that stands out and is not decisive, in its shortest form; NULL: none. */
const bez_lco_pattern *bez_lco_best(const bez_lco_patterns *patterns);

/* Adds the finding of a judged pattern, with rows and exhibits (..._show.c). `flagged`: one bit per row of this and
 * of earlier findings, which are no clean neighbours. */
BEZ_MUST_USE bez_status bez_lco_show(const bez_lco_view *view, const bez_lco_patterns *patterns,
                                     const bez_lco_pattern *p, uint32_t effect, const uint64_t *flagged,
                                     bez_report *report, bez_error *err);
/* Notes on columns whose values decide by themselves (..._notes.c). */
BEZ_MUST_USE bez_status bez_lco_notes(const bez_detect_input *in, const bez_lco_patterns *patterns, bez_report *report,
                                      bez_error *err);
/* The exhibits (..._exhibits.c). */
BEZ_MUST_USE bez_status bez_lco_exhibits(const bez_lco_view *view, const bez_lco_pattern *p, const uint64_t *flagged,
                                         bez_report *report, bez_finding *f, bez_error *err);

/* The text of a value as messages show it: 'column="value"', 'column=12', 'column is missing'. In the report's
 * arena; NULL when memory is out. */
const char *bez_lco_value_text(const bez_detect_input *in, bez_report *report, uint32_t feature, uint32_t code,
                               bool quoted);

#endif
