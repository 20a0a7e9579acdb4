/* BZ-D008 is two searches with one kind of finding: floods_text.c and floods_table.c; floods.c holds the rule. */
#ifndef BEZ_DETECT_FLOODS_H
#define BEZ_DETECT_FLOODS_H

#include "base/hash.h"
#include "detect/detector.h"

BEZ_MUST_USE bez_status bez_floods_text(const bez_detect_input *in, bez_report *report, uint32_t col, bez_error *err);
BEZ_MUST_USE bez_status bez_floods_table(const bez_detect_input *in, bez_report *report, bez_error *err);

/* Clusters of one text column, the sizes of which say what is normal. */
typedef struct bez_cluster {
  uint32_t *rows; /* ascending */
  uint32_t n;
  uint32_t n_distinct; /* different texts */
  bool chained;        /* each is like some other, but they have no centre: no flood */
} bez_cluster;
typedef struct bez_clusters {
  bez_cluster *list; /* descending by n_distinct, then n, then first row; at least 2 rows each */
  size_t n;
  uint32_t *rows; /* storage of all */
  bool complete;  /* false: more look-alike pairs than are compared */
} bez_clusters;
/* Near-duplicate texts: MinHash 128 in 32 bands of 4, then Jaccard ≥ .5 over tokens and token pairs with the first of
 * their band, joined transitively; then chains are taken apart. */
BEZ_MUST_USE bez_status bez_text_clusters(const bez_detect_input *in, const bez_column *text, bez_clusters *out,
                                          bez_error *err);

/* What taking apart needs of the clustering. */
typedef struct bez_text_split {
  const bez_column *text;
  const uint8_t *copy;   /* per row: the same text as an earlier row */
  const uint64_t *hash;  /* per row: of the text */
  const uint32_t *links; /* per row: texts it was found alike with first */
  unsigned threads;
  bez_watch *watch;
} bez_text_split;
/* Clusters of 8 different texts or more whose texts are not all like one of them (up to 2 words and a tenth of
 * the words changed; Jaccard ≥ .4 at the least) become clusters that
 * are, and a chain of what is left. Unsorted. */
BEZ_MUST_USE bez_status bez_clusters_split(const bez_text_split *in, bez_clusters *clusters, bez_error *err);
/* How many different texts of the cluster are one word away from one text, in ever other places: a typical flood is a
 * star, a template is not. */
BEZ_MUST_USE bez_status bez_text_star(const bez_column *text, const bez_cluster *c, uint32_t *spread, bez_error *err);
void bez_clusters_free(bez_clusters *c);

/* Rows that differ from one row in few columns. */
typedef struct bez_near_flood {
  uint32_t *rows; /* ascending, owned by the caller */
  uint64_t n;
  unsigned radius; /* columns that may differ */
  double normal;   /* how many rows a neighbourhood of this data may hold */
} bez_near_flood;
/* At most `max` neighbourhoods that are far more crowded than those of random rows; fewer than 2^32 rows. *checked is
 * false where there are too many cells. */
BEZ_MUST_USE bez_status bez_near_floods(const bez_detect_input *in, bez_near_flood *out, size_t max, size_t *n,
                                        bool *checked, bez_error *err);

/* Hash of one cell, by column and value. */
static inline uint64_t bez_flood_cell(const bez_column *col, uint32_t f, uint64_t row) {
  return bez_mix64(bez_code(col, row) + ((uint64_t)f + 1) * 0x9E3779B97F4A7C15ull);
}
/* At most `max` rows that have near copies differing in many columns each in turn; sum: per row, of bez_flood_cell. */
BEZ_MUST_USE bez_status bez_flood_hubs(const bez_column *const *col, uint32_t d, uint64_t n_rows, const uint64_t *sum,
                                       unsigned threads, uint32_t *hub, size_t max, size_t *n, bez_error *err);

/* The rows of a finding with their labels. */
BEZ_MUST_USE bez_status bez_floods_rows(const bez_detect_input *in, bez_report *report, bez_finding *f,
                                        const uint32_t *rows, uint64_t n, bez_error *err);

#endif
