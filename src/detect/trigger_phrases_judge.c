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
#define AHEAD 16u    /* counts fetched ahead */
#define DISTINCT 64u /* distinct rows that are looked for; more prove nothing more */

/* A feature of the group's rows. Everything about it is worked out once per class, however many rows hold it. */
typedef struct entry {
  uint32_t id;
  uint32_t total; /* rows of the model that hold it */
  uint32_t all;   /* rows of the group, duplicates left out */
  uint32_t in;    /* those of the target class */
  uint32_t last;  /* the row that counted it last */
  double weight;  /* for the target class, the group left out; 0 where it is common to the group */
} entry;

/* Where a feature's entry is; a mark of an older group is a free place. */
typedef struct place {
  uint32_t stamp, at;
} place;

struct bez_judge {
  place *map;
  size_t cap_map, mask;
  uint32_t stamp;
  uint32_t *ids; /* features of all rows, one after another; those inside the n-gram left out; then their entries */
  size_t n_ids, cap_ids;
  entry *entries;
  size_t n_entries, cap_entries;
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
  free(j->entries);
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

static bez_status room_for_features(bez_judge *j, bez_error *err) {
  size_t cap = 1024;
  while (cap < j->n_ids * 2) cap *= 2;
  j->mask = cap - 1; /* a small group uses a small part, which stays in the cache */
  if (cap > j->cap_map) {
    free(j->map);
    j->cap_map = 0;
    j->map = calloc(cap, sizeof *j->map);
    if (!j->map) return bez_fail_memory(err, cap * sizeof *j->map);
    j->cap_map = cap;
    j->stamp = 0;
  }
  if (j->n_ids > j->cap_entries) {
    free(j->entries);
    j->cap_entries = 0;
    j->entries = malloc(cap * sizeof *j->entries);
    if (!j->entries) return bez_fail_memory(err, cap * sizeof *j->entries);
    j->cap_entries = cap;
  }
  return BEZ_OK;
}

static void fetch_count(const bez_phrases *p, const bez_judge *j, size_t i) {
  if (i >= j->n_entries) return;
  __builtin_prefetch(p->nb->count + (size_t)(j->entries[i].id & p->nb->mask) * p->nb->n_classes);
}

static uint32_t entry_of(bez_judge *j, uint32_t id) {
  size_t at = (id ^ id >> 16) & j->mask;
  for (; j->map[at].stamp == j->stamp; at = (at + 1) & j->mask)
    if (j->entries[j->map[at].at].id == id) return j->map[at].at;
  j->map[at] = (place){j->stamp, (uint32_t)j->n_entries};
  j->entries[j->n_entries] = (entry){.id = id, .last = UINT32_MAX};
  return (uint32_t)j->n_entries++;
}

/* Turns the features of the rows into entries, and counts what does not depend on the class. */
static bez_status index_features(bez_phrases *p, bez_judge *j, const uint32_t *rows, size_t n, bez_error *err) {
  bez_status st = room_for_features(j, err);
  if (st != BEZ_OK) return st;
  if (++j->stamp == 0) {
    memset(j->map, 0, j->cap_map * sizeof *j->map);
    j->stamp = 1;
  }
  j->n_entries = 0;
  for (size_t i = 0; i < n; i++) {
    uint32_t one = !(p->state[rows[i]] & BEZ_ROW_DUPLICATE);
    for (size_t f = j->at[i]; f < j->at[i + 1]; f++) {
      if (f + AHEAD < j->n_ids) __builtin_prefetch(&j->map[(j->ids[f + AHEAD] ^ j->ids[f + AHEAD] >> 16) & j->mask]);
      j->ids[f] = entry_of(j, j->ids[f]);
      j->entries[j->ids[f]].all += one;
    }
  }
  for (size_t i = 0; i < j->n_entries; i++) {
    fetch_count(p, j, i + AHEAD);
    uint32_t in, out;
    bez_nb_counts(p->nb, j->entries[i].id, 0, &in, &out);
    j->entries[i].total = in + out;
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
  return index_features(p, j, rows, n, err);
}

/* Counts of the group's own rows, duplicates left out as in the model. */
static void count_group(bez_phrases *p, bez_judge *j, const uint32_t *rows, size_t n, uint32_t t) {
  for (size_t e = 0; e < j->n_entries; e++) j->entries[e].in = 0;
  for (size_t i = 0; i < n; i++) {
    if (p->cls[rows[i]] != t || p->state[rows[i]] & BEZ_ROW_DUPLICATE) continue;
    for (size_t f = j->at[i]; f < j->at[i + 1]; f++) j->entries[j->ids[f]].in++;
  }
}

/* What each feature says of class t, from the rest of the data. */
static void weigh_features(bez_phrases *p, bez_judge *j, uint32_t t, uint32_t common) {
  for (size_t i = 0; i < j->n_entries; i++) {
    entry *e = &j->entries[i];
    fetch_count(p, j, i + AHEAD);
    uint32_t in = p->nb->count[(size_t)(e->id & p->nb->mask) * p->nb->n_classes + t], out = e->total - in;
    uint32_t less_out = e->all - e->in;
    in = in > e->in ? in - e->in : 0;
    out = out > less_out ? out - less_out : 0;
    e->weight = e->in < common && (in | out) ? bez_nb_weight(p->nb, t, in, out) : 0.0;
  }
}

/* Probability of class t for each row. */
static void rate_rows(bez_phrases *p, bez_judge *j, size_t n, uint32_t t) {
  for (size_t i = 0; i < n; i++) {
    double margin = 0;
    for (size_t f = j->at[i]; f < j->at[i + 1]; f++) margin += j->entries[j->ids[f]].weight;
    j->p[i] = 1.0 / (1.0 + exp(-(p->slope[t] * bez_nb_damp(margin) + p->bias[t])));
  }
}

/* Features in so many rows of the target belong to the pattern. */
static uint32_t common_from(uint32_t n_in) {
  return n_in >= 4 ? (uint32_t)ceil(COMMON * n_in) : UINT32_MAX;
}

static size_t shared_features(bez_judge *j, size_t a, size_t b, uint32_t common) {
  size_t both = 0;
  for (size_t f = j->at[a]; f < j->at[a + 1]; f++) j->entries[j->ids[f]].last = (uint32_t)a;
  for (size_t f = j->at[b]; f < j->at[b + 1]; f++) {
    const entry *e = &j->entries[j->ids[f]];
    both += e->last == (uint32_t)a && e->in < common;
  }
  return both;
}

static size_t own_features(bez_judge *j, size_t a, uint32_t common) {
  size_t n = 0;
  for (size_t f = j->at[a]; f < j->at[a + 1]; f++) n += j->entries[j->ids[f]].in < common;
  return n;
}

/* Of the target's rows below p = `below`, which count: no duplicates, no near-duplicates of an earlier one. */
static void keep_distinct(bez_phrases *p, bez_judge *j, const uint32_t *rows, size_t n, uint32_t t, uint32_t n_in,
                          double below) {
  uint32_t common = common_from(n_in);
  size_t kept[DISTINCT], n_kept = 0;
  for (size_t i = 0; i < n; i++) {
    j->kept[i] = p->cls[rows[i]] == t && j->p[i] < below && !(p->state[rows[i]] & BEZ_ROW_DUPLICATE);
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
static const double least_ratio[BEZ_PHRASE_LEVELS] = {5.0, 4.0, 6.0};
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

/* What every account makes of the rows; of the target's only those kept. */
static void account(const bez_phrases *p, const bez_judge *j, const uint32_t *rows, size_t n, uint32_t t,
                    const uint8_t *kept, float *effect) {
  double sum[BEZ_EFFECT_TERMS] = {0};
  size_t counted = 0;
  for (size_t i = 0; i < n; i++) {
    if (p->state[rows[i]] & BEZ_ROW_DUPLICATE) continue;
    bool in = p->cls[rows[i]] == t;
    if (in && kept && !kept[i]) continue;
    bez_effects_add(p, t, in, j->p[i], sum);
    counted++;
  }
  bez_effects_finish(sum, counted, effect);
}

/* Are rows enough, and most of them, of class t? */
static bool worth_an_account(const uint32_t *per_class, uint32_t n_classes, uint32_t t) {
  uint32_t all = 0;
  for (uint32_t k = 0; k < n_classes; k++) all += per_class[k];
  return per_class[t] >= BEZ_EFFECT_ROWS && per_class[t] >= BEZ_EFFECT_SHARE * all;
}

bez_status bez_phrases_judge_effect(bez_phrases *p, bez_judge *j, uint64_t gram, const uint32_t *rows, size_t n,
                                    uint32_t t, bez_phrase_score *out, double *prob, float *effect, unsigned worker,
                                    bez_error *err) {
  uint32_t n_in = 0;
  *out = (bez_phrase_score){.gram = gram, .n = n, .target = t, .likely = t};
  for (size_t i = 0; i < n; i++) n_in += p->cls[rows[i]] == t && !(p->state[rows[i]] & BEZ_ROW_DUPLICATE);
  bez_status st = load_rows(p, j, gram, rows, n, worker, err);
  if (st != BEZ_OK) return st;
  count_group(p, j, rows, n, t);
  weigh_features(p, j, t, common_from(n_in));
  rate_rows(p, j, n, t);
  keep_distinct(p, j, rows, n, t, n_in, 2.0);
  account(p, j, rows, n, t, j->kept, effect);
  memcpy(prob, j->p, n * sizeof *prob);
  for (size_t i = 0; i < n; i++) {
    out->n_bad += j->kept[i];
    out->n_low += p->cls[rows[i]] == t ? j->kept[i] : !(p->state[rows[i]] & BEZ_ROW_DUPLICATE);
    if (j->kept[i]) out->expected += j->p[i];
  }
  return BEZ_OK;
}

bez_status bez_phrases_judge(bez_phrases *p, bez_judge *j, uint64_t gram, const uint32_t *rows, size_t n,
                             bez_phrase_score *out, double *prob, float *effect, unsigned worker, bez_error *err) {
  uint32_t per_class[BEZ_NB_MAX_CLASSES] = {0}, most = 0;
  *out = (bez_phrase_score){.gram = gram, .n = n, .target = BEZ_PHRASE_NONE, .likely = BEZ_PHRASE_NONE};
  for (size_t i = 0; i < n; i++) per_class[p->cls[rows[i]]] += !(p->state[rows[i]] & BEZ_ROW_DUPLICATE);
  for (uint32_t t = 0; t < p->n_classes - p->has_other; t++) most = per_class[t] > most ? per_class[t] : most;
  if (most < BEZ_PHRASE_LEAST_BAD) return BEZ_OK;
  bez_status st = load_rows(p, j, gram, rows, n, worker, err);
  if (st != BEZ_OK) return st;
  for (uint32_t t = 0; t < p->n_classes - p->has_other; t++) {
    if (per_class[t] < BEZ_PHRASE_LEAST_BAD) continue;
    count_group(p, j, rows, n, t);
    weigh_features(p, j, t, common_from(per_class[t]));
    rate_rows(p, j, n, t);
    if (effect && out->likely == BEZ_PHRASE_NONE && worth_an_account(per_class, p->n_classes, t)) {
      out->likely = t;
      account(p, j, rows, n, t, NULL, effect);
    }
    bez_phrase_score this = *out;
    this.score = 0;
    for (size_t i = 0; i < n; i++)
      j->kept[i] = p->cls[rows[i]] == t && j->p[i] < 0.5 && !(p->state[rows[i]] & BEZ_ROW_DUPLICATE);
    bound(p, j, n, t, &this);
    if (this.score <= out->score || this.score < 4) continue;
    keep_distinct(p, j, rows, n, t, per_class[t], 0.5);
    this.score = 0;
    bound(p, j, n, t, &this);
    if (this.score <= out->score) continue;
    *out = this;
    out->target = t;
    if (prob) memcpy(prob, j->p, n * sizeof *prob);
  }
  return BEZ_OK;
}
