/* Which patterns stand out, given how patterns of this data set behave. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "detect/label_contradiction.h"

/* Whatever the number of patterns: natural cells of real tables (a school and a grade, a flight and a day) reach 15.3,
 * planted ones begin at 16.7 (docs/detect/label-contradiction.md). */
#define STRENGTH_MIN 16.0
#define ROWS_MIN 3.0
#define LABELS_MIN 1.0
#define LABELS_CLEAR 14.0 /* below it, the pattern must be pure: natural effects on the label reach 11 */
#define LABELS_ALONE 7.0  /* for a value without peers */
#define PURITY_MIN .9
#define STRENGTH_WEAK 30.0 /* where the labels say less than BEZ_LCO_LABELS_ERROR … */
#define STRENGTH_DRAW 20.0 /* … and the rows have no more in common than a random draw */
#define KIND_CHANCE 2.0    /* standard deviations that rows drawn at random may have in common; each nat beyond costs */
#define KIND_MOST 5.0      /* … and the most: such rows are of a kind. Planted rows reach 3.6 */
#define DECISIVE_OTHERS 3u /* so many other values of the same columns stand out: the columns decide by nature */
#define DECISIVE_T 5.0
#define DECISIVE_LABELS 3.0
#define DECISIVE_PURITY .9
#define DECISIVE_TWICE 2.0
#define FEW 5u           /* disjoint patterns that a poisoner may leave */
#define LIKE_BEST .5     /* other forms of the strongest pattern have this share of its strength */
#define COLUMN_COST 4.0  /* log of the columns and values that might have been named instead */
#define COMMON_SHARE .05 /* a value above is no sign of a decisive column */

double bez_lco_q(double strength, uint64_t tested) {
  if (strength < STRENGTH_MIN) return 1.0;
  return fmin(1.0, (double)(tested > 1 ? tested : 1) * exp(-strength));
}

static double purity(const bez_lco_pattern *p) {
  return p->n > 0 ? p->n_target / p->n : 0;
}

/* Labels that hardly speak for planting, or rows that do not, are not outweighed by the other. Without peers nobody
 * knows how rows with such a value look by nature: then the labels alone must be clear. */
static double apparent_strength(const bez_lco_pattern *p, uint32_t effect) {
  double rows = p->rows_llr, labels = p->labels_llr[effect];
  if (labels < LABELS_MIN || rows < ROWS_MIN || (!p->has_peers && labels < LABELS_ALONE)) return 0;
  if (purity(p) < PURITY_MIN && labels < LABELS_CLEAR) return 0;
  return rows + labels;
}

/* Rows that predict each other's remaining cells are a natural group; a little of it counts against planting. */
static double strength_at(const bez_lco_pattern *p, uint32_t effect) {
  double strength = apparent_strength(p, effect);
  if (p->smooth || p->kind > KIND_MOST * p->kind_sd) return 0;
  strength -= p->n_target * fmax(0, p->kind - KIND_CHANCE * p->kind_sd);
  double least = p->kind <= p->kind_sd ? STRENGTH_DRAW : STRENGTH_WEAK;
  return p->labels_llr[effect] < BEZ_LCO_LABELS_ERROR && strength < least ? 0 : fmax(0, strength);
}

static bool clear(const bez_lco_pattern *p) {
  return p->t >= DECISIVE_T && p->labels_llr[0] >= DECISIVE_LABELS && purity(p) >= DECISIVE_PURITY;
}

/* A column decides by nature when several of its values speak so clearly, for whatever label. Only a value that is
 * twice as strong as every other is still suspect. */
static void mark_singles(bez_lco_pattern *const *one, size_t n) {
  for (size_t i = 0; i < n; i++) {
    uint32_t others = 0;
    double largest = 0;
    for (size_t j = 0; j < n; j++) {
      if (j == i || one[j]->col[0] != one[i]->col[0] || !clear(one[j])) continue;
      others++;
      largest = fmax(largest, one[j]->t);
    }
    one[i]->decisive = others >= DECISIVE_OTHERS && one[i]->t < DECISIVE_TWICE * largest;
  }
}

/* Patterns that hold an uncommon value of a column that decides are explained by it. */
static void mark_longer(const bez_detect_input *in, bez_lco_pattern *p, bez_lco_pattern *const *one, size_t n) {
  for (size_t i = 0; i < n; i++) {
    if (!one[i]->decisive) continue;
    const bez_column *col = &in->table->cols[in->features[one[i]->col[0]]];
    for (uint32_t c = 0; c < p->k; c++)
      if (p->col[c] == one[i]->col[0] && (double)col->count[p->code[c]] < COMMON_SHARE * (double)in->table->n_rows)
        p->decisive = true;
  }
}

static bez_status mark_decisive(const bez_detect_input *in, bez_lco_patterns *list, bez_error *err) {
  bez_lco_pattern **one = malloc((list->n ? list->n : 1) * sizeof *one);
  size_t n = 0;
  if (!one) return bez_fail_memory(err, list->n * sizeof *one);
  for (size_t i = 0; i < list->n; i++) {
    list->item[i].decisive = false;
    if (list->item[i].k == 1) one[n++] = &list->item[i];
  }
  mark_singles(one, n);
  for (size_t i = 0; i < list->n; i++)
    if (list->item[i].k > 1) mark_longer(in, &list->item[i], one, n);
  free(one);
  return BEZ_OK;
}

/* Do most rows of p lie in rows already marked? Marks them otherwise. */
static bool covered(const bez_lco_pattern *p, uint64_t *marks) {
  uint64_t old = 0;
  for (uint64_t i = 0; i < p->n_rows; i++) old += marks[p->row[i] >> 6] >> (p->row[i] & 63) & 1;
  if (old * 2 > p->n_rows) return true;
  for (uint64_t i = 0; i < p->n_rows; i++) marks[p->row[i] >> 6] |= 1ull << (p->row[i] & 63);
  return false;
}

typedef struct ranked {
  double strength;
  size_t index;
} ranked;

static int by_strength(const void *a, const void *b) {
  const ranked *x = a, *y = b;
  if (x->strength != y->strength) return x->strength < y->strength ? 1 : -1;
  return x->index < y->index ? -1 : x->index > y->index;
}

/* Patterns with mostly rows of their own that stand out at this effect size; stops above FEW. Natural groups count:
 * they show how large natural effects are. */
static bez_status count_disjoint(const bez_detect_input *in, const bez_lco_patterns *list, uint32_t effect,
                                 uint32_t *count, bez_error *err) {
  uint64_t words = (in->table->n_rows + 63) / 64;
  uint64_t *marks = calloc(words ? words : 1, sizeof *marks);
  ranked *order = malloc((list->n ? list->n : 1) * sizeof *order);
  *count = 0;
  if (marks && order) {
    size_t n = 0;
    for (size_t i = 0; i < list->n; i++) {
      double s = apparent_strength(&list->item[i], effect);
      if (!list->item[i].decisive && bez_lco_q(s, list->tested) <= BEZ_LCO_Q_WARNING) order[n++] = (ranked){s, i};
    }
    qsort(order, n, sizeof *order, by_strength);
    for (size_t i = 0; i < n && *count <= FEW; i++) *count += !covered(&list->item[order[i].index], marks);
  }
  bez_status st = marks && order ? BEZ_OK : bez_fail_memory(err, words * sizeof *marks);
  free(marks);
  free(order);
  return st;
}

bez_status bez_lco_judge(const bez_detect_input *in, bez_lco_patterns *patterns, uint32_t *effect, bez_error *err) {
  bez_status st = mark_decisive(in, patterns, err);
  if (st != BEZ_OK) return st;
  for (; *effect + 1 < BEZ_LCO_EFFECTS; ++*effect) {
    uint32_t count;
    st = count_disjoint(in, patterns, *effect, &count, err);
    if (st != BEZ_OK) return st;
    if (count <= FEW) break;
  }
  for (size_t i = 0; i < patterns->n; i++) patterns->item[i].strength = strength_at(&patterns->item[i], *effect);
  return BEZ_OK;
}

/* What the pattern explains less what it takes to name it: natural rows at its edge lower the first, columns that
 * cut planted rows off cost more than they gain. */
static double description(const bez_lco_pattern *p) {
  return p->whole_llr - COLUMN_COST * p->k;
}

static bool shares_rows(const bez_lco_pattern *x, const bez_lco_pattern *y) {
  uint64_t i = 0, j = 0, both = 0;
  while (i < x->n_rows && j < y->n_rows) {
    if (x->row[i] == y->row[j])
      both++, i++, j++;
    else if (x->row[i] < y->row[j])
      i++;
    else
      j++;
  }
  return both * 10 >= (x->n_rows < y->n_rows ? x->n_rows : y->n_rows) * 8;
}

const bez_lco_pattern *bez_lco_best(const bez_lco_patterns *patterns) {
  const bez_lco_pattern *best = NULL, *pick;
  for (size_t i = 0; i < patterns->n; i++) {
    const bez_lco_pattern *p = &patterns->item[i];
    if (p->decisive || bez_lco_q(p->strength, patterns->tested) > BEZ_LCO_Q_WARNING) continue;
    if (!best || p->strength > best->strength) best = p;
  }
  pick = best;
  double pick_score = best ? description(best) : 0;
  for (size_t i = 0; best && i < patterns->n; i++) {
    const bez_lco_pattern *p = &patterns->item[i];
    double score = description(p);
    if (p->decisive || p->target != best->target || p->strength < LIKE_BEST * best->strength) continue;
    if (score > pick_score && shares_rows(p, best)) {
      pick = p;
      pick_score = score;
    }
  }
  return pick;
}
