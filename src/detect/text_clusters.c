/* Near-duplicate texts by locality-sensitive hashing.
 *
 *   1. exact copies are joined to the first of them and leave
 *   2. MinHash signatures of 128 entries, kept as one hash per band of 4; in several passes where that would pass 256
 * MiB
 *   3. in each band, every text is a candidate with the first text of equal band hash
 *   4. candidates are compared for real (features of both texts) unless already joined
 *
 * Bands: J. Leskovec, A. Rajaraman, J. Ullman, "Mining of Massive Datasets", chapter 3. Two texts of similarity .5 meet
 * in a band with probability .87, of .7 with .9999. */
#include <stdlib.h>
#include <string.h>

#include "base/compare.h"
#include "base/error.h"
#include "base/threads.h"
#include "detect/floods.h"
#include "fit/tokens.h"
#include "math/minhash.h"

#define BANDS 32u
#define ROWS_PER_BAND 4u
#define TILE 1024u
#define BAND_BYTES (256u << 20)
#define LEAST_FEATURES 7u /* shorter texts are alike by chance: only exact copies of them count */
#define LEAST_JACCARD 0.5

typedef struct clustering {
  const bez_column *text;
  uint64_t n_rows;
  uint64_t seed;
  unsigned threads;
  uint32_t cpu;
  uint32_t *parent; /* union-find; the root is the least row */
  uint64_t *hash;   /* of each text */
  bez_doc *doc;     /* per worker */
  uint32_t **ids;   /* per worker */
  size_t *cap_ids;
  bez_minhash part;
  uint32_t n_bands; /* of this part */
  uint32_t *band;   /* [band · n_rows + row]; 0: takes no part */
  uint64_t compared, most_compared;
  uint32_t *links; /* per row: rows found alike with it as the first of a band */
  bez_watch *watch;
} clustering;

static uint32_t root(uint32_t *parent, uint32_t row) {
  while (parent[row] != row) {
    parent[row] = parent[parent[row]];
    row = parent[row];
  }
  return row;
}

static void join(uint32_t *parent, uint32_t a, uint32_t b) {
  a = root(parent, a);
  b = root(parent, b);
  if (a < b)
    parent[b] = a;
  else
    parent[a] = b;
}

static bez_status hash_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  clustering *c = ctx;
  for (uint64_t r = tile * TILE; r < c->n_rows && r < (tile + 1) * TILE; r++) {
    size_t len;
    const char *text = bez_text_cell(c->text, r, &len);
    c->hash[r] = bez_hash64(text, len, 0) | 1;
  }
  return BEZ_OK;
}

static bez_status join_copies(clustering *c, bez_error *err) {
  size_t slots = 16;
  while (slots < c->n_rows * 2) slots *= 2;
  uint32_t *first = malloc(slots * sizeof *first);
  if (!first) return bez_fail_memory(err, slots * sizeof *first);
  memset(first, 0xFF, slots * sizeof *first);
  for (uint64_t r = 0; r < c->n_rows; r++) {
    c->parent[r] = (uint32_t)r;
    size_t at = (size_t)(c->hash[r] >> 16) & (slots - 1), len;
    while (first[at] != UINT32_MAX && c->hash[first[at]] != c->hash[r]) at = (at + 1) & (slots - 1);
    bez_text_cell(c->text, r, &len);
    if (first[at] == UINT32_MAX)
      first[at] = (uint32_t)r;
    else if (len)
      c->parent[r] = first[at];
  }
  free(first);
  return BEZ_OK;
}

/* Distinct features of a row, the length left out. */
static bez_status load_set(clustering *c, uint64_t row, unsigned worker, size_t *n, bez_error *err) {
  size_t len;
  const char *text = bez_text_cell(c->text, row, &len);
  bez_doc *doc = &c->doc[worker];
  bez_status st = bez_doc_load(doc, text, len, err);
  if (st != BEZ_OK) return st;
  if (doc->n_features > c->cap_ids[worker]) {
    uint32_t *grown = realloc(c->ids[worker], doc->n_features * 2 * sizeof *grown);
    if (!grown) return bez_fail_memory(err, doc->n_features * 2 * sizeof *grown);
    c->ids[worker] = grown;
    c->cap_ids[worker] = doc->n_features * 2;
  }
  *n = 0;
  for (size_t i = 0; i < doc->n_features; i++)
    if (doc->features[i].at != UINT32_MAX) c->ids[worker][(*n)++] = doc->features[i].id;
  return BEZ_OK;
}

static bez_status sign_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  clustering *c = ctx;
  uint32_t signature[BANDS * ROWS_PER_BAND];
  for (uint64_t r = tile * TILE; r < c->n_rows && r < (tile + 1) * TILE; r++) {
    size_t n = 0;
    if (c->parent[r] == r) {
      bez_status st = load_set(c, r, worker, &n, err);
      if (st != BEZ_OK) return st;
    }
    if (n >= LEAST_FEATURES) bez_minhash_signature(&c->part, c->ids[worker], n, signature, c->cpu);
    for (uint32_t b = 0; b < c->n_bands; b++) {
      uint32_t hash = 0;
      if (n >= LEAST_FEATURES) hash = (uint32_t)bez_hash64(signature + b * ROWS_PER_BAND, ROWS_PER_BAND * 4, 1) | 1;
      c->band[(size_t)b * c->n_rows + r] = hash;
    }
  }
  return BEZ_OK;
}

/* Jaccard of the two texts' features, worker 0's scratch. */
static bez_status alike(clustering *c, uint32_t a, uint32_t b, bool *yes, bez_error *err) {
  size_t n_a = 0, n_b = 0, both = 0;
  uint32_t stack[512], *left = stack;
  bez_status st = load_set(c, a, 0, &n_a, err);
  if (st != BEZ_OK) return st;
  if (n_a > 512) left = malloc(n_a * sizeof *left);
  if (!left) return bez_fail_memory(err, n_a * sizeof *left);
  memcpy(left, c->ids[0], n_a * sizeof *left);
  qsort(left, n_a, sizeof *left, bez_compare_u32);
  st = load_set(c, b, 0, &n_b, err);
  for (size_t i = 0; st == BEZ_OK && i < n_b; i++)
    both += bsearch(&c->ids[0][i], left, n_a, sizeof *left, bez_compare_u32) != NULL;
  if (left != stack) free(left);
  if (st == BEZ_OK) *yes = (double)both >= LEAST_JACCARD * (double)(n_a + n_b - both);
  return st;
}

/* Candidates of one band: each row with the first row of its band hash. `first` has slots entries. */
static bez_status join_band(clustering *c, const uint32_t *band, uint32_t *first, size_t slots, bez_error *err) {
  memset(first, 0xFF, slots * sizeof *first);
  for (uint64_t r = 0; r < c->n_rows; r++) {
    if (r % TILE == 0 && !bez_watch_ask(c->watch, 0)) return bez_watch_fail(err);
    if (!band[r]) continue;
    size_t at = (band[r] >> 1) & (slots - 1);
    while (first[at] != UINT32_MAX && band[first[at]] != band[r]) at = (at + 1) & (slots - 1);
    if (first[at] == UINT32_MAX) {
      first[at] = (uint32_t)r;
      continue;
    }
    if (root(c->parent, (uint32_t)r) == root(c->parent, first[at]) || c->compared >= c->most_compared) continue;
    bool yes;
    c->compared++;
    bez_status st = alike(c, first[at], (uint32_t)r, &yes, err);
    if (st != BEZ_OK) return st;
    if (!yes) continue;
    join(c->parent, first[at], (uint32_t)r);
    c->links[first[at]]++;
  }
  return BEZ_OK;
}

static bez_status join_alike(clustering *c, bez_error *err) {
  bez_status st = BEZ_OK;
  uint32_t per_pass = BANDS, *first = NULL;
  while (per_pass > 8 && (uint64_t)per_pass * 4 * c->n_rows > BAND_BYTES) per_pass /= 2;
  size_t slots = 16;
  while (slots < c->n_rows + c->n_rows / 2) slots *= 2;
  c->band = malloc((size_t)per_pass * c->n_rows * sizeof *c->band);
  first = malloc(slots * sizeof *first);
  if (!c->band || !first) {
    st = bez_fail_memory(err, (size_t)per_pass * c->n_rows * sizeof *c->band);
    goto cleanup;
  }
  c->n_bands = per_pass;
  for (uint32_t done = 0; done < BANDS; done += per_pass) {
    c->part = bez_minhash_make(per_pass * ROWS_PER_BAND, done * ROWS_PER_BAND, c->seed);
    BEZ_TRY(bez_parallel_watched((c->n_rows + TILE - 1) / TILE, c->threads, c->watch, sign_tile, c, err));
    for (uint32_t b = 0; b < per_pass; b++) BEZ_TRY(join_band(c, c->band + (size_t)b * c->n_rows, first, slots, err));
  }
cleanup:
  free(first);
  return st;
}

static int largest_first(const void *a, const void *b) {
  const bez_cluster *x = a, *y = b;
  if (x->n_distinct != y->n_distinct) return x->n_distinct > y->n_distinct ? -1 : 1;
  if (x->n != y->n) return x->n > y->n ? -1 : 1;
  return (x->rows[0] > y->rows[0]) - (x->rows[0] < y->rows[0]);
}

/* Counting sort of the rows by root; roots alone are no clusters. */
static bez_status list_clusters(clustering *c, bez_clusters *out, bez_error *err) {
  uint32_t *size = calloc(c->n_rows + 1, sizeof *size);
  uint8_t *copy = calloc(c->n_rows + 1, 1);
  bez_status st = BEZ_OK;
  size_t rows = 0, n = 0;
  if (!size || !copy) {
    st = bez_fail_memory(err, c->n_rows * sizeof *size);
    goto cleanup;
  }
  for (uint64_t r = 0; r < c->n_rows; r++) copy[r] = c->parent[r] != r && c->hash[c->parent[r]] == c->hash[r];
  for (uint64_t r = 0; r < c->n_rows; r++) size[root(c->parent, (uint32_t)r)]++;
  for (uint64_t r = 0; r < c->n_rows; r++)
    if (size[r] > 1) {
      rows += size[r];
      n++;
    }
  out->list = calloc(n + 1, sizeof *out->list);
  out->rows = malloc((rows + 1) * sizeof *out->rows);
  if (!out->list || !out->rows) {
    st = bez_fail_memory(err, rows * sizeof *out->rows);
    goto cleanup;
  }
  rows = 0;
  for (uint64_t r = 0; r < c->n_rows; r++) {
    uint32_t members = size[r];
    size[r] = UINT32_MAX;
    if (members < 2) continue;
    size[r] = (uint32_t)rows; /* from here on where the cluster's next row goes */
    out->list[out->n++] = (bez_cluster){.rows = out->rows + rows, .n = members};
    rows += members;
  }
  for (uint64_t r = 0; r < c->n_rows; r++) {
    uint32_t of = root(c->parent, (uint32_t)r);
    if (size[of] != UINT32_MAX) out->rows[size[of]++] = (uint32_t)r;
  }
  for (size_t i = 0; i < out->n; i++)
    for (uint32_t k = 0; k < out->list[i].n; k++) out->list[i].n_distinct += !copy[out->list[i].rows[k]];
  bez_text_split apart = {c->text, copy, c->hash, c->links, c->threads, c->watch};
  BEZ_TRY(bez_clusters_split(&apart, out, err));
  qsort(out->list, out->n, sizeof *out->list, largest_first);
cleanup:
  free(size);
  free(copy);
  return st;
}

bez_status bez_text_clusters(const bez_detect_input *in, const bez_column *text, bez_clusters *out, bez_error *err) {
  bez_status st = BEZ_OK;
  uint64_t n_rows = in->table->n_rows;
  unsigned threads = in->threads;
  bez_watch watch = bez_detect_watch(in, "floods", "tiles");
  *out = (bez_clusters){0};
  clustering c = {
      .text = text, .n_rows = n_rows, .seed = in->seed, .threads = threads, .cpu = in->cpu, .watch = &watch};
  c.most_compared = 4 * n_rows + 1000000;
  c.parent = malloc((n_rows + 1) * sizeof *c.parent);
  c.links = calloc(n_rows + 1, sizeof *c.links);
  c.hash = malloc((n_rows + 1) * sizeof *c.hash);
  c.doc = calloc(threads, sizeof *c.doc);
  c.ids = calloc(threads, sizeof *c.ids);
  c.cap_ids = calloc(threads, sizeof *c.cap_ids);
  if (!c.parent || !c.links || !c.hash || !c.doc || !c.ids || !c.cap_ids) {
    st = bez_fail_memory(err, n_rows * 16);
    goto cleanup;
  }
  BEZ_TRY(bez_parallel_watched((n_rows + TILE - 1) / TILE, threads, &watch, hash_tile, &c, err));
  BEZ_TRY(join_copies(&c, err));
  BEZ_TRY(join_alike(&c, err));
  BEZ_TRY(list_clusters(&c, out, err));
  out->complete = c.compared < c.most_compared;
cleanup:
  for (unsigned w = 0; w < threads; w++) {
    if (c.doc) bez_doc_free(&c.doc[w]);
    if (c.ids) free(c.ids[w]);
  }
  free(c.doc);
  free(c.ids);
  free(c.cap_ids);
  free(c.parent);
  free(c.links);
  free(c.hash);
  free(c.band);
  if (st != BEZ_OK) bez_clusters_free(out);
  return st;
}

void bez_clusters_free(bez_clusters *c) {
  free(c->list);
  free(c->rows);
  *c = (bez_clusters){0};
}
