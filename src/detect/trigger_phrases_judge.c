/* Judging one n-gram: all its rows are taken out of the model, its tokens and whatever else its rows have in common are
 * taken out of the rows, and what is left says how probable each row's label was. Many improbable labels of one class
 * among few rows is what a trigger leaves behind.
 *
 * Bound: for independent labels with probabilities p_i and μ = Σ p_i, P(at least k) ≤ exp(k − μ − k ln(k/μ))
 * (H. Chernoff, 1952). Near-duplicates are no independent rows: of those that count only one of each kind does. */
#include "detect/trigger_phrases.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#define COMMON 0.7 /* features in this share of the target's rows belong to the pattern */
#define TWIN_JACCARD 0.4
#define DISTINCT 64u /* distinct rows that are looked for; more prove nothing more */

typedef struct entry {
  uint32_t id, stamp;
  uint32_t in, out; /* rows of the group of the target class, of others */
  uint32_t last;    /* the row that counted it last */
} entry;

struct bez_judge {
  entry *map;
  size_t cap_map;
  uint32_t stamp;
  uint32_t *ids; /* features of all rows, one after another; those inside the n-gram left out */
  size_t n_ids, cap_ids;
  size_t *at; /* per row: where its features begin; n + 1 */
  double *p;  /* per row */
  uint8_t *kept;
  size_t cap_rows;
};

bez_judge *bez_judge_create(void) {
  return calloc(1, sizeof(bez_judge));
}

void bez_judge_destroy(bez_judge *j) {
  if (!j) return;
  free(j->map);
  free(j->ids);
  free(j->at);
  free(j->p);
  free(j->kept);
  free(j);
}

bool bez_phrases_find(const bez_doc *doc, uint64_t gram, size_t from, size_t *at, unsigned *n) {
  for (size_t i = from; i < doc->n_tokens; i++)
    for (unsigned k = 1; k <= 3 && i + k <= doc->n_tokens; k++)
      if (bez_ngram(doc->tokens + i, k) == gram) {
        *at = i;
        *n = k;
        return true;
      }
  return false;
}

static bez_status room_for_rows(bez_judge *j, size_t n, bez_error *err) {
  if (n <= j->cap_rows) return BEZ_OK;
  free(j->at);
  free(j->p);
  free(j->kept);
  j->cap_rows = 0;
  j->at = malloc((n + 1) * sizeof *j->at);
  j->p = malloc(n * sizeof *j->p);
  j->kept = malloc(n);
  if (!j->at || !j->p || !j->kept) return bez_fail_memory(err, n * sizeof *j->at);
  j->cap_rows = n;
  return BEZ_OK;
}

/* The row's features that touch no occurrence of the n-gram. */
static bez_status add_row(bez_judge *j, const bez_doc *doc, uint64_t gram, bez_error *err) {
  if (j->n_ids + doc->n_features > j->cap_ids) {
    size_t cap = (j->n_ids + doc->n_features) * 2;
    uint32_t *grown = realloc(j->ids, cap * sizeof *grown);
    if (!grown) return bez_fail_memory(err, cap * sizeof *grown);
    j->ids = grown;
    j->cap_ids = cap;
  }
  size_t at = 0;
  unsigned n = 0;
  bool found = bez_phrases_find(doc, gram, 0, &at, &n);
  for (size_t i = 0; i < doc->n_features; i++) {
    const bez_feature *f = &doc->features[i];
    if (found && f->at != UINT32_MAX && f->at < at + n && f->at + f->is_pair >= at) continue;
    j->ids[j->n_ids++] = f->id;
  }
  return BEZ_OK;
}

static bez_status load_rows(bez_phrases *p, bez_judge *j, uint64_t gram, const uint32_t *rows, size_t n,
                            unsigned worker, bez_error *err) {
  bez_status st = room_for_rows(j, n, err);
  j->n_ids = 0;
  for (size_t i = 0; i < n && st == BEZ_OK; i++) {
    j->at[i] = j->n_ids;
    st = bez_phrases_load(p, rows[i], &p->doc[worker], err);
    if (st == BEZ_OK) st = add_row(j, &p->doc[worker], gram, err);
  }
  if (st != BEZ_OK) return st;
  j->at[n] = j->n_ids;
  size_t cap = 1024;
  while (cap < j->n_ids * 2) cap *= 2;
  if (cap > j->cap_map) {
    free(j->map);
    j->cap_map = 0;
    j->map = calloc(cap, sizeof *j->map);
    if (!j->map) return bez_fail_memory(err, cap * sizeof *j->map);
    j->cap_map = cap;
    j->stamp = 0;
  }
  return BEZ_OK;
}

static entry *find(bez_judge *j, uint32_t id) {
  size_t at = (id ^ id >> 16) & (j->cap_map - 1);
  while (j->map[at].stamp == j->stamp && j->map[at].id != id) at = (at + 1) & (j->cap_map - 1);
  entry *e = &j->map[at];
  if (e->stamp != j->stamp) *e = (entry){.id = id, .stamp = j->stamp, .last = UINT32_MAX};
  return e;
}

/* Counts of the group's own rows, duplicates left out as in the model. */
static void count_group(bez_phrases *p, bez_judge *j, const uint32_t *rows, size_t n, uint32_t t) {
  if (++j->stamp == 0) {
    memset(j->map, 0, j->cap_map * sizeof *j->map);
    j->stamp = 1;
  }
  for (size_t i = 0; i < n; i++) {
    if (p->state[rows[i]] & BEZ_ROW_DUPLICATE) continue;
    bool in = p->cls[rows[i]] == t;
    for (size_t f = j->at[i]; f < j->at[i + 1]; f++) {
      entry *e = find(j, j->ids[f]);
      if (in)
        e->in++;
      else
        e->out++;
    }
  }
}

/* Probability of class t for each row from what the rest of the data says. n_in: rows of the target in the group. */
static void rate_rows(bez_phrases *p, bez_judge *j, size_t n, uint32_t t, uint32_t n_in, double scale) {
  uint32_t common = n_in >= 4 ? (uint32_t)ceil(COMMON * n_in) : UINT32_MAX;
  for (size_t i = 0; i < n; i++) {
    double margin = 0;
    for (size_t f = j->at[i]; f < j->at[i + 1]; f++) {
      const entry *e = find(j, j->ids[f]);
      if (e->in >= common) continue;
      uint32_t in, out, less_in = (uint32_t)(e->in * scale), less_out = (uint32_t)(e->out * scale);
      bez_nb_counts(p->nb, j->ids[f], t, &in, &out);
      in = in > less_in ? in - less_in : 0;
      out = out > less_out ? out - less_out : 0;
      if (in | out) margin += bez_nb_weight(p->nb, t, in, out);
    }
    j->p[i] = 1.0 / (1.0 + exp(-(p->slope[t] * bez_nb_damp(margin) + p->bias[t])));
  }
}

static size_t shared_features(bez_judge *j, size_t a, size_t b, uint32_t common) {
  size_t both = 0;
  for (size_t f = j->at[a]; f < j->at[a + 1]; f++) find(j, j->ids[f])->last = (uint32_t)a;
  for (size_t f = j->at[b]; f < j->at[b + 1]; f++) {
    const entry *e = find(j, j->ids[f]);
    both += e->last == (uint32_t)a && e->in < common;
  }
  return both;
}

static size_t own_features(bez_judge *j, size_t a, uint32_t common) {
  size_t n = 0;
  for (size_t f = j->at[a]; f < j->at[a + 1]; f++) n += find(j, j->ids[f])->in < common;
  return n;
}

/* Of the target's improbable rows, which count: no duplicates, no near-duplicates of an earlier one. */
static void keep_distinct(bez_phrases *p, bez_judge *j, const uint32_t *rows, size_t n, uint32_t t, uint32_t n_in) {
  uint32_t common = n_in >= 4 ? (uint32_t)ceil(COMMON * n_in) : UINT32_MAX;
  size_t kept[DISTINCT], n_kept = 0;
  for (size_t i = 0; i < n; i++) {
    j->kept[i] = p->cls[rows[i]] == t && j->p[i] < 0.5 && !(p->state[rows[i]] & BEZ_ROW_DUPLICATE);
    if (!j->kept[i] || n_kept == DISTINCT) continue;
    size_t own = own_features(j, i, common);
    for (size_t k = 0; k < n_kept && j->kept[i]; k++) {
      size_t both = shared_features(j, kept[k], i, common), all = own + own_features(j, kept[k], common) - both;
      if ((double)both >= TWIN_JACCARD * (double)all) j->kept[i] = 0;
    }
    if (j->kept[i]) kept[n_kept++] = i;
  }
}

/* What natural words do to labels is no poison: below each level the target must be so many times as frequent as
 * expected, and have so large a share. */
static const double least_ratio[BEZ_PHRASE_LEVELS] = {5.0, 4.0, 4.0};
static const double least_share[BEZ_PHRASE_LEVELS] = {0.0, 0.3, 0.8};

/* The best bound over rows below three probabilities; a Bonferroni factor pays for the choice. */
static void bound(const bez_phrases *p, const bez_judge *j, size_t n, uint32_t t, bez_phrase_score *out) {
  for (size_t b = 0; b < BEZ_PHRASE_LEVELS; b++) {
    double expected = 0;
    uint32_t k = 0, low = 0;
    for (size_t i = 0; i < n; i++) {
      if (j->p[i] >= bez_phrase_level[b]) continue;
      low++;
      expected += j->p[i] > BEZ_PHRASE_LEAST_P ? j->p[i] : BEZ_PHRASE_LEAST_P;
      k += j->kept[i];
    }
    expected *= p->inflate[t][b];
    if (k < 3 || k < least_ratio[b] * expected || k < least_share[b] * low) continue;
    double score = (k * log(k / expected) - k + expected) / log(10) - log10(3);
    if (score <= out->score) continue;
    out->score = score;
    out->n_bad = k;
    out->n_low = low;
    out->expected = expected;
  }
}

bez_status bez_phrases_judge(bez_phrases *p, bez_judge *j, uint64_t gram, const uint32_t *rows, size_t n,
                             bez_phrase_score *out, double *prob, unsigned worker, bez_error *err) {
  uint32_t per_class[BEZ_NB_MAX_CLASSES] = {0};
  *out = (bez_phrase_score){.gram = gram, .n = n, .target = BEZ_PHRASE_NONE};
  for (size_t i = 0; i < n; i++) per_class[p->cls[rows[i]]] += !(p->state[rows[i]] & BEZ_ROW_DUPLICATE);
  bez_status st = load_rows(p, j, gram, rows, n, worker, err);
  if (st != BEZ_OK) return st;
  for (uint32_t t = 0; t < p->n_classes - p->has_other; t++) {
    if (per_class[t] < 3) continue;
    count_group(p, j, rows, n, t);
    rate_rows(p, j, n, t, per_class[t], 1.0);
    bez_phrase_score this = *out;
    this.score = 0;
    for (size_t i = 0; i < n; i++)
      j->kept[i] = p->cls[rows[i]] == t && j->p[i] < 0.5 && !(p->state[rows[i]] & BEZ_ROW_DUPLICATE);
    bound(p, j, n, t, &this);
    if (this.score <= out->score || this.score < 4) continue;
    keep_distinct(p, j, rows, n, t, per_class[t]);
    this.score = 0;
    bound(p, j, n, t, &this);
    if (this.score <= out->score) continue;
    *out = this;
    out->target = t;
    if (prob) memcpy(prob, j->p, n * sizeof *prob);
  }
  return BEZ_OK;
}
