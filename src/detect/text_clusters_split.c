/* Chains taken apart: texts that only share a part with their neighbours (a link's beginning, a licence, a template)
 * can join into one cluster whose ends have nothing in common. What stays together must be like one text, the centre.
 */
#include <stdlib.h>
#include <string.h>

#include "base/compare.h"
#include "base/error.h"
#include "base/threads.h"
#include "detect/floods.h"
#include "fit/tokens.h"

#define CENTRES 16u      /* that are tried in one round */
#define MOST_ROUNDS 12u  /* of one cluster */
#define LEAST_AROUND 8u  /* different texts around a centre; smaller clusters are left as they are */
#define LEAST_CENTRE 0.4 /* Jaccard index with the centre, of the shortest texts */
#define EDITS 2.0        /* words that a near copy may have changed, and the share of words */
#define EDITED 0.1
#define TILE 256u

typedef struct slot {
  uint32_t id;   /* of a feature, + 1; 0: free */
  uint32_t held; /* bit k: by centre k */
} slot;

typedef struct split {
  const bez_text_split *in;
  const bez_cluster *cluster;
  uint16_t *like; /* per row of the cluster: bit k: like centre k */
  uint8_t *group; /* 0: none yet */
  bez_doc *doc;   /* per worker */
  uint32_t centre[CENTRES];
  size_t n_features[CENTRES];
  double least[CENTRES]; /* Jaccard index with it */
  uint32_t n_centres;
  slot *table;
  size_t cap;
} split;

static slot *find(const split *s, uint32_t id) {
  size_t at = (id ^ id >> 15) & (s->cap - 1);
  while (s->table[at].id && s->table[at].id != id + 1) at = (at + 1) & (s->cap - 1);
  return &s->table[at];
}

static bez_status load(const split *s, uint32_t row, bez_doc *doc, bez_error *err) {
  size_t len;
  const char *text = bez_text_cell(s->in->text, row, &len);
  return bez_doc_load(doc, text, len, err);
}

/* The texts that most were found alike with, of those in no group yet; of equals the first. */
static void choose_centres(split *s) {
  const uint32_t *rows = s->cluster->rows, *links = s->in->links;
  s->n_centres = 0;
  for (uint32_t i = 0; i < s->cluster->n; i++) {
    if (s->group[i] || s->in->copy[rows[i]]) continue;
    uint32_t at = s->n_centres;
    while (at > 0 && links[rows[s->centre[at - 1]]] < links[rows[i]]) at--;
    if (at == CENTRES) continue;
    uint32_t moved = (s->n_centres < CENTRES ? s->n_centres : CENTRES - 1) - at;
    memmove(s->centre + at + 1, s->centre + at, moved * sizeof *s->centre);
    s->centre[at] = i;
    if (s->n_centres < CENTRES) s->n_centres++;
  }
}

/* A changed word changes three features: itself and two pairs. Templates with a long common part and their own matter
 * beside it pass any fixed likeness; a copy has little of its own, however long it is. */
static double least_likeness(size_t n_features) {
  double n = (double)n_features, changed = 3.0 * (EDITS + EDITED * n / 2.0);
  double likeness = (n - changed) / (n + changed);
  return likeness > LEAST_CENTRE ? likeness : LEAST_CENTRE;
}

static bez_status load_centres(split *s, bez_error *err) {
  size_t total = 0;
  bez_doc *doc = &s->doc[0];
  for (uint32_t k = 0; k < s->n_centres; k++) {
    bez_status st = load(s, s->cluster->rows[s->centre[k]], doc, err);
    if (st != BEZ_OK) return st;
    total += doc->n_features;
  }
  for (s->cap = 1024; s->cap < 2 * total;) s->cap *= 2;
  free(s->table);
  s->table = calloc(s->cap, sizeof *s->table);
  if (!s->table) return bez_fail_memory(err, s->cap * sizeof *s->table);
  for (uint32_t k = 0; k < s->n_centres; k++) {
    bez_status st = load(s, s->cluster->rows[s->centre[k]], doc, err);
    if (st != BEZ_OK) return st;
    s->n_features[k] = 0;
    for (size_t i = 0; i < doc->n_features; i++) {
      if (doc->features[i].at == UINT32_MAX) continue; /* the length */
      slot *f = find(s, doc->features[i].id);
      *f = (slot){doc->features[i].id + 1, f->held | 1u << k};
      s->n_features[k]++;
    }
    s->least[k] = least_likeness(s->n_features[k]);
  }
  return BEZ_OK;
}

static bez_status compare_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  split *s = ctx;
  bez_doc *doc = &s->doc[worker];
  const bez_cluster *k = s->cluster;
  for (uint64_t i = tile * TILE; i < k->n && i < (tile + 1) * TILE; i++) {
    uint32_t both[CENTRES] = {0};
    size_t n = 0;
    s->like[i] = 0;
    if (s->group[i]) continue;
    bez_status st = load(s, k->rows[i], doc, err);
    if (st != BEZ_OK) return st;
    for (size_t j = 0; j < doc->n_features; j++) {
      if (doc->features[j].at == UINT32_MAX) continue;
      n++;
      for (uint32_t held = find(s, doc->features[j].id)->held; held; held &= held - 1) both[__builtin_ctz(held)]++;
    }
    for (uint32_t c = 0; c < s->n_centres; c++)
      if ((double)both[c] >= s->least[c] * (double)(n + s->n_features[c] - both[c])) s->like[i] |= (uint16_t)(1u << c);
  }
  return BEZ_OK;
}

/* The centre with most different texts around it; their number. */
static uint32_t best_centre(const split *s, uint32_t *best) {
  uint32_t around[CENTRES] = {0};
  for (uint32_t i = 0; i < s->cluster->n; i++)
    for (uint32_t c = 0; c < s->n_centres && !s->in->copy[s->cluster->rows[i]]; c++) around[c] += s->like[i] >> c & 1;
  *best = 0;
  for (uint32_t c = 1; c < s->n_centres; c++)
    if (around[c] > around[*best]) *best = c;
  return around[*best];
}

static bez_status find_groups(split *s, uint8_t *n_groups, bez_error *err) {
  *n_groups = 0;
  for (unsigned round = 0; round < MOST_ROUNDS; round++) {
    uint32_t best;
    choose_centres(s);
    if (s->n_centres < LEAST_AROUND) return BEZ_OK; /* as many different texts are left */
    bez_status st = load_centres(s, err);
    if (st == BEZ_OK)
      st = bez_parallel_watched((s->cluster->n + TILE - 1) / TILE, s->in->threads, s->in->watch, compare_tile, s, err);
    if (st != BEZ_OK) return st;
    if (best_centre(s, &best) < LEAST_AROUND) return BEZ_OK;
    (*n_groups)++;
    for (uint32_t i = 0; i < s->cluster->n; i++)
      if (s->like[i] >> best & 1) s->group[i] = *n_groups;
  }
  return BEZ_OK;
}

typedef struct new_list {
  bez_cluster *list;
  size_t n, cap;
} new_list;

static bez_status append(new_list *out, bez_cluster k, bez_error *err) {
  if (out->n == out->cap) {
    size_t cap = out->cap ? out->cap * 2 : 64;
    bez_cluster *grown = realloc(out->list, cap * sizeof *grown);
    if (!grown) return bez_fail_memory(err, cap * sizeof *grown);
    out->list = grown;
    out->cap = cap;
  }
  out->list[out->n++] = k;
  return BEZ_OK;
}

typedef struct text_row {
  uint64_t hash;
  uint32_t row;
} text_row;

static int by_text(const void *a, const void *b) {
  const text_row *x = a, *y = b;
  if (x->hash != y->hash) return x->hash < y->hash ? -1 : 1;
  return (x->row > y->row) - (x->row < y->row);
}

/* Rows that are like no centre: copies of one text are a cluster, the others stay together as a chain. */
static bez_status append_rest(const split *s, uint32_t *rows, uint32_t n, new_list *out, bez_error *err) {
  text_row *sorted = malloc(((size_t)n + 1) * sizeof *sorted);
  bez_status st = sorted ? BEZ_OK : bez_fail_memory(err, (size_t)n * sizeof *sorted);
  uint32_t at = 0;
  for (uint32_t i = 0; st == BEZ_OK && i < n; i++) sorted[i] = (text_row){s->in->hash[rows[i]], rows[i]};
  if (st == BEZ_OK && n) qsort(sorted, n, sizeof *sorted, by_text);
  for (uint32_t i = 0, end; st == BEZ_OK && i < n; i = end) {
    for (end = i + 1; end < n && sorted[end].hash == sorted[i].hash;) end++;
    if (end - i < 2) continue;
    bez_cluster k = {.rows = rows + at, .n = end - i, .n_distinct = 1};
    for (uint32_t j = i; j < end; j++) rows[at++] = sorted[j].row;
    st = append(out, k, err);
  }
  bez_cluster chain = {.rows = rows + at, .chained = true};
  for (uint32_t i = 0; st == BEZ_OK && i < n; i++) {
    bool alone =
        (i == 0 || sorted[i - 1].hash != sorted[i].hash) && (i + 1 == n || sorted[i + 1].hash != sorted[i].hash);
    if (alone) chain.rows[chain.n++] = sorted[i].row;
  }
  qsort(chain.rows, chain.n, sizeof *chain.rows, bez_compare_u32);
  chain.n_distinct = chain.n;
  if (st == BEZ_OK && chain.n > 1) st = append(out, chain, err);
  free(sorted);
  return st;
}

/* The cluster's rows by group, in place. */
static bez_status append_groups(const split *s, uint8_t n_groups, new_list *out, bez_error *err) {
  uint32_t n = s->cluster->n, *rows = s->cluster->rows, at = 0;
  uint32_t *sorted = malloc((size_t)n * sizeof *sorted);
  bez_status st = sorted ? BEZ_OK : bez_fail_memory(err, (size_t)n * sizeof *sorted);
  if (st != BEZ_OK) return st;
  for (unsigned g = 1; g <= n_groups + 1u; g++)
    for (uint32_t i = 0; i < n; i++)
      if (s->group[i] == (g <= n_groups ? g : 0)) sorted[at++] = rows[i];
  memcpy(rows, sorted, (size_t)n * sizeof *rows);
  free(sorted);
  at = 0;
  for (unsigned g = 1; st == BEZ_OK && g <= n_groups; g++) {
    bez_cluster k = {.rows = rows + at};
    for (uint32_t i = 0; i < n; i++) k.n += s->group[i] == g;
    for (uint32_t i = 0; i < k.n; i++) k.n_distinct += !s->in->copy[k.rows[i]];
    at += k.n;
    if (k.n > 1) st = append(out, k, err);
  }
  return st == BEZ_OK ? append_rest(s, rows + at, n - at, out, err) : st;
}

static bez_status split_cluster(split *s, const bez_cluster *k, new_list *out, bez_error *err) {
  uint8_t n_groups = 0;
  bez_status st = BEZ_OK;
  s->cluster = k;
  s->like = calloc(k->n, sizeof *s->like);
  s->group = calloc(k->n, 1);
  if (!s->like || !s->group) st = bez_fail_memory(err, (size_t)k->n * sizeof *s->like);
  if (st == BEZ_OK) st = find_groups(s, &n_groups, err);
  if (st == BEZ_OK) st = append_groups(s, n_groups, out, err);
  free(s->like);
  free(s->group);
  return st;
}

bez_status bez_clusters_split(const bez_text_split *in, bez_clusters *clusters, bez_error *err) {
  split s = {.in = in, .doc = calloc(in->threads, sizeof *s.doc)};
  new_list out = {0};
  bez_status st = s.doc ? BEZ_OK : bez_fail_memory(err, in->threads * sizeof *s.doc);
  for (size_t i = 0; st == BEZ_OK && i < clusters->n; i++) {
    bool large = clusters->list[i].n_distinct >= LEAST_AROUND;
    st = large ? split_cluster(&s, &clusters->list[i], &out, err) : append(&out, clusters->list[i], err);
  }
  if (st == BEZ_OK && out.n) {
    free(clusters->list);
    clusters->list = out.list;
    clusters->n = out.n;
    out.list = NULL;
  }
  free(out.list);
  free(s.table);
  for (unsigned w = 0; s.doc && w < in->threads; w++) bez_doc_free(&s.doc[w]);
  free(s.doc);
  return st;
}
