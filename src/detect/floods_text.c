/* Floods of messages: clusters of near-duplicates, weighed against each other. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "detect/cells.h"
#include "detect/floods.h"
#include "fit/tokens.h"

#define LEAST_DISTINCT 12u
#define LEAST_STAR 8u       /* texts one word away from one text, in different places */
#define RATIO 2.5           /* of copies */
#define NEAR_RATIO 4.0      /* of texts that vary as templates do */
#define NORMAL_RANK 4u      /* the fifth largest cluster is normal */
#define COPY_TOKENS 12u     /* shorter messages are repeated word for word by nature */
#define CORPUS_SHARE 2.5e-3 /* of texts without labels: generated pages come in dozens of near copies */
#define MOST_FLOODS 20u
#define VIEW_CLUSTERS 10u /* shown in the note */
#define EXCERPTS 4u

static int descending(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x < y) - (x > y);
}

/* What a cluster must pass, by sizes of one kind (different texts, or rows). */
static double threshold(const uint32_t *sizes, size_t n, double ratio, double share, double most) {
  double normal = n > NORMAL_RANK ? sizes[NORMAL_RANK] : 1.0, least = share < most ? share : most;
  if (least < LEAST_DISTINCT) least = LEAST_DISTINCT;
  return ratio * normal > least ? ratio * normal : least;
}

/* Exact copies of one text, if all of the cluster's are of one. */
static uint32_t copies_in(const bez_cluster *k) {
  return k->n - k->n_distinct + 1;
}

static bez_status thresholds(const bez_clusters *c, uint64_t n_rows, bool corpus, double *distinct, double *rows,
                             bez_error *err) {
  uint32_t *sizes = malloc((c->n + 1) * sizeof *sizes);
  if (!sizes) return bez_fail_memory(err, c->n * sizeof *sizes);
  for (size_t i = 0; i < c->n; i++) sizes[i] = c->list[i].chained ? 0 : c->list[i].n_distinct;
  qsort(sizes, c->n, sizeof *sizes, descending);
  double most = corpus && CORPUS_SHARE * (double)n_rows > 30.0 ? CORPUS_SHARE * (double)n_rows : 30.0;
  *distinct = threshold(sizes, c->n, NEAR_RATIO, 0.01 * (double)n_rows, most);
  for (size_t i = 0; i < c->n; i++) sizes[i] = copies_in(&c->list[i]);
  qsort(sizes, c->n, sizeof *sizes, descending);
  *rows = threshold(sizes, c->n, RATIO, 0.003 * (double)n_rows, 20.0);
  free(sizes);
  return BEZ_OK;
}

static bool is_long(const bez_column *col, uint32_t row) {
  bez_token tokens[COPY_TOKENS];
  size_t len;
  const char *text = bez_text_cell(col, row, &len);
  return bez_tokenize(text, len, tokens, COPY_TOKENS) == COPY_TOKENS;
}

/* The first words of a text, for titles. */
static const char *opening(bez_report *report, const bez_column *col, uint32_t row) {
  size_t len, cut;
  const char *text = bez_text_cell(col, row, &len);
  cut = len;
  if (cut > 48)
    for (cut = 48; cut > 0 && ((unsigned char)text[cut] & 0xC0) == 0x80;) cut--;
  const char *copy = bez_arena_strndup(&report->arena, text, cut);
  const char *shown = copy && cut < len ? bez_arena_printf(&report->arena, "%s…", copy) : copy;
  return shown ? shown : "";
}

static bez_status purity(const bez_detect_input *in, bez_report *report, bez_finding *f, const bez_cluster *k,
                         bez_error *err) {
  if (in->label < 0) return BEZ_OK;
  bez_label_share share;
  uint64_t *rows = malloc((size_t)k->n * sizeof *rows);
  if (!rows) return bez_fail_memory(err, (size_t)k->n * sizeof *rows);
  for (uint32_t i = 0; i < k->n; i++) rows[i] = k->rows[i];
  bez_status st = bez_cells_purity(in, rows, k->n, &share, err);
  free(rows);
  if (st != BEZ_OK) return st;
  bez_finding_number(report, f, "purity", share.purity);
  bez_finding_text(report, f, "most frequent label", "%s",
                   bez_cells_value(report, &in->table->cols[in->label], share.code));
  return BEZ_OK;
}

static bez_status report_flood(const bez_detect_input *in, bez_report *report, const bez_column *col,
                               const bez_cluster *k, double normal, bez_error *err) {
  bez_finding *f = bez_report_add(report, &bez_detector_floods.rule, BEZ_SEV_WARNING);
  if (!f) return bez_report_status(report, err);
  const char *start = opening(report, col, k->rows[0]);
  if (k->n_distinct == 1)
    bez_finding_title(report, f, "%u exact copies of one message: \"%s\"", k->n, start);
  else
    bez_finding_title(report, f, "%u near copies of one message, %u different texts: \"%s\"", k->n, k->n_distinct,
                      start);
  bez_finding_subject(report, f, start, NULL);
  f->score = (double)k->n;
  bez_finding_text(report, f, "column", "%s", col->name);
  bez_finding_number(report, f, "rows", k->n);
  bez_finding_number(report, f, "different texts", k->n_distinct);
  bez_finding_number(report, f, "normal in this data is up to", floor(normal));
  bez_status st = purity(in, report, f, k, err);
  for (uint32_t i = 0; i < k->n && i < EXCERPTS; i++) {
    size_t len;
    const char *text = bez_text_cell(col, k->rows[(uint64_t)i * (k->n - 1) / (EXCERPTS - 1)], &len);
    bez_finding_excerpt(report, f, "a copy", text, len, NULL, 0);
  }
  return st == BEZ_OK ? bez_floods_rows(in, report, f, k->rows, k->n, err) : st;
}

/* All clusters in one note: how many, and the largest of them. */
static bez_status report_view(const bez_detect_input *in, bez_report *report, const bez_column *col,
                              const bez_clusters *c, bez_error *err) {
  uint64_t rows = 0, chained = 0;
  size_t n = 0;
  const bez_cluster *largest[VIEW_CLUSTERS];
  for (size_t i = 0; i < c->n; i++) {
    if (c->list[i].chained) chained += c->list[i].n;
    if (c->list[i].chained) continue;
    rows += c->list[i].n;
    if (n < VIEW_CLUSTERS) largest[n] = &c->list[i];
    n++;
  }
  if (!n) return BEZ_OK;
  bez_finding *f = bez_report_add(report, &bez_detector_floods.rule, BEZ_SEV_NOTE);
  if (!f) return bez_report_status(report, err);
  f->ranked_list = true;
  f->score = (double)rows / (double)in->table->n_rows;
  bez_finding_title(report, f, "%llu of %llu texts of \"%s\" are copies or near copies, in %zu cluster%s",
                    (unsigned long long)rows, (unsigned long long)in->table->n_rows, col->name, n, n == 1 ? "" : "s");
  bez_finding_subject(report, f, col->name, NULL);
  bez_finding_number(report, f, "clusters", (double)n);
  bez_finding_number(report, f, "largest, different texts", largest[0]->n_distinct);
  if (chained) bez_finding_number(report, f, "others that share a part with some text", (double)chained);
  uint32_t shown = n < VIEW_CLUSTERS ? (uint32_t)n : VIEW_CLUSTERS;
  bez_exhibit *x = bez_finding_cells(report, f, "The largest clusters", shown, 3);
  static const char *const heads[] = {"rows", "different texts", "begins with"};
  for (uint32_t h = 0; x && h < 3; h++) bez_exhibit_header(report, x, h, heads[h]);
  for (uint32_t i = 0; x && i < shown; i++) {
    char number[32];
    const char *start = opening(report, col, largest[i]->rows[0]);
    bez_exhibit_cell(report, x, i, 0, number, (size_t)snprintf(number, sizeof number, "%u", largest[i]->n), false);
    bez_exhibit_cell(report, x, i, 1, number, (size_t)snprintf(number, sizeof number, "%u", largest[i]->n_distinct),
                     false);
    bez_exhibit_cell(report, x, i, 2, start, strlen(start), false);
  }
  return bez_report_status(report, err);
}

bez_status bez_floods_text(const bez_detect_input *in, bez_report *report, uint32_t c, bez_error *err) {
  const bez_column *col = &in->table->cols[c];
  if (!col->text_at || !in->table->n_rows) return BEZ_OK;
  bez_clusters clusters;
  bez_status st = bez_text_clusters(in, col, &clusters, err);
  if (st != BEZ_OK) return st;
  double distinct, rows;
  uint32_t floods = 0;
  BEZ_TRY(thresholds(&clusters, in->table->n_rows, in->label < 0, &distinct, &rows, err));
  for (size_t i = 0; i < clusters.n && floods < MOST_FLOODS; i++) {
    const bez_cluster *k = &clusters.list[i];
    uint32_t star = 0;
    if (k->chained) continue;
    if (k->n_distinct >= LEAST_STAR) BEZ_TRY(bez_text_star(col, k, &star, err));
    bool near = k->n_distinct >= distinct, copies = copies_in(k) >= rows && is_long(col, k->rows[0]);
    if (star < LEAST_STAR && !near && !copies) continue;
    BEZ_TRY(report_flood(in, report, col, k, star >= LEAST_STAR ? LEAST_STAR : near ? distinct : rows, err));
    floods++;
  }
  if (clusters.n) BEZ_TRY(report_view(in, report, col, &clusters, err));
  if (!clusters.complete)
    bez_report_not_checked(report, false, "BZ-D008 floods", "too many look-alike texts in \"%s\" to compare them all",
                           col->name);
cleanup:
  bez_clusters_free(&clusters);
  return st;
}
