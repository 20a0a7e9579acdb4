/* Floods of rows, exact copies: a bit per hash says "seen", another "seen again"; only rows of the second kind are kept
 * and sorted, so that ten million rows need little more than 80 MB. Near copies: floods_near.c. */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/threads.h"
#include "detect/cells.h"
#include "detect/floods.h"

#define TILE 16384u
#define MOST_CANDIDATES 4000000u /* rows seen again that are kept */
#define LEAST_COPIES 10.0        /* in small tables */
#define ENOUGH_COPIES 20.0       /* in large ones */
#define RATIO 3.0
#define NORMAL_RANK 4u   /* the fifth largest group is normal */
#define LEAST_COLUMNS 3u /* with fewer, equal rows mean nothing */
#define MOST_FLOODS 20u
#define EXHIBIT_ROWS 5u

typedef struct rows_of {
  uint64_t hash;
  uint32_t row;
} rows_of;

typedef struct found {
  rows_of *list;
  size_t n, cap;
} found;

typedef struct table_floods {
  const bez_detect_input *in;
  uint64_t n_rows;
  uint32_t d;
  uint64_t *seen, *again; /* bits */
  uint64_t bit_mask;
  uint64_t keep; /* hashes above are not kept: a sample where nearly everything is a copy */
  found *tiles;
} table_floods;

/* Equal for equal values; a value that was too rare to be kept is like no other. */
static uint64_t flood_cell(const bez_detect_input *in, uint32_t f, uint64_t row) {
  const bez_column *col = &in->table->cols[in->features[f]];
  uint32_t code = bez_code(col, row);
  if (code != BEZ_CODE_RARE || !col->truncated) return bez_mix64(code + ((uint64_t)f + 1) * 0x9E3779B97F4A7C15ull);
  if (!col->raw) return bez_mix64(row + 0x100000000000ull) + f;
  uint32_t bits;
  memcpy(&bits, &col->raw[row], sizeof bits);
  return bez_mix64(bits + ((uint64_t)f + 1) * 0xD1B54A32D192ED03ull);
}

static uint64_t row_hash(const table_floods *t, uint64_t row) {
  uint64_t sum = 0;
  for (uint32_t f = 0; f < t->d; f++) sum += flood_cell(t->in, f, row);
  return sum;
}

static bez_status see_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  table_floods *t = ctx;
  for (uint64_t r = tile * TILE; r < t->n_rows && r < (tile + 1) * TILE; r++) {
    uint64_t at = bez_mix64(row_hash(t, r)) & t->bit_mask, bit = (uint64_t)1 << (at & 63);
    uint64_t old = __atomic_fetch_or(&t->seen[at >> 6], bit, __ATOMIC_RELAXED);
    if (old & bit) __atomic_fetch_or(&t->again[at >> 6], bit, __ATOMIC_RELAXED);
  }
  return BEZ_OK;
}

static bez_status keep_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  table_floods *t = ctx;
  found *out = &t->tiles[tile];
  for (uint64_t r = tile * TILE; r < t->n_rows && r < (tile + 1) * TILE; r++) {
    uint64_t hash = bez_mix64(row_hash(t, r)), at = hash & t->bit_mask;
    if (!(t->again[at >> 6] >> (at & 63) & 1) || hash > t->keep) continue;
    if (out->n == out->cap) {
      size_t cap = out->cap ? out->cap * 2 : 64;
      rows_of *grown = realloc(out->list, cap * sizeof *grown);
      if (!grown) return bez_fail_memory(err, cap * sizeof *grown);
      out->list = grown;
      out->cap = cap;
    }
    out->list[out->n++] = (rows_of){hash, (uint32_t)r};
  }
  return BEZ_OK;
}

static int by_hash(const void *a, const void *b) {
  const rows_of *x = a, *y = b;
  if (x->hash != y->hash) return x->hash < y->hash ? -1 : 1;
  return (x->row > y->row) - (x->row < y->row);
}

/* Rows that may be copies, sorted by hash. */
static bez_status find_copies(table_floods *t, rows_of **out, size_t *n_out, bez_error *err) {
  uint64_t n_tiles = (t->n_rows + TILE - 1) / TILE, bits = 1 << 16, many = 0;
  bez_status st = BEZ_OK;
  while (bits < 16 * t->n_rows && bits < (1ull << 28)) bits *= 2;
  t->bit_mask = bits - 1;
  t->seen = calloc(bits / 64, 8);
  t->again = calloc(bits / 64, 8);
  t->tiles = calloc(n_tiles, sizeof *t->tiles);
  if (!t->seen || !t->again || !t->tiles) {
    st = bez_fail_memory(err, bits / 4);
    goto cleanup;
  }
  BEZ_TRY(bez_detect_parallel(t->in, "floods", n_tiles, see_tile, t, err));
  for (uint64_t w = 0; w < bits / 64; w++) many += (uint64_t)__builtin_popcountll(t->again[w]);
  t->keep = many > MOST_CANDIDATES / 4 ? UINT64_MAX / many * (MOST_CANDIDATES / 4) : UINT64_MAX;
  BEZ_TRY(bez_detect_parallel(t->in, "floods", n_tiles, keep_tile, t, err));
  for (uint64_t i = 0; i < n_tiles; i++) *n_out += t->tiles[i].n;
  *out = malloc((*n_out + 1) * sizeof **out);
  if (!*out) {
    st = bez_fail_memory(err, *n_out * sizeof **out);
    goto cleanup;
  }
  size_t n = 0;
  for (uint64_t i = 0; i < n_tiles; i++) {
    if (t->tiles[i].n) memcpy(*out + n, t->tiles[i].list, t->tiles[i].n * sizeof **out);
    n += t->tiles[i].n;
  }
  qsort(*out, n, sizeof **out, by_hash);
cleanup:
  for (uint64_t i = 0; t->tiles && i < n_tiles; i++) free(t->tiles[i].list);
  free(t->tiles);
  free(t->seen);
  free(t->again);
  return st;
}

static bez_status emit(table_floods *t, bez_report *report, const uint32_t *rows, uint64_t n, unsigned changed,
                       double normal, bez_severity severity, bez_error *err) {
  assert(n > 0);
  bez_finding *f = bez_report_add(report, &bez_detector_floods.rule, severity);
  if (!f) return bez_report_status(report, err);
  if (changed)
    bez_finding_title(report, f, "%llu rows are one row with at most %u column%s changed", (unsigned long long)n,
                      changed, changed == 1 ? "" : "s");
  else
    bez_finding_title(report, f, "%llu exact copies of one row", (unsigned long long)n);
  const bez_column *first = &t->in->table->cols[t->in->features[0]];
  uint64_t shown[EXHIBIT_ROWS], *all = malloc((size_t)n * sizeof *all);
  if (!all) return bez_fail_memory(err, (size_t)n * sizeof *all);
  for (uint64_t i = 0; i < n; i++) all[i] = rows[i];
  uint32_t n_shown = n < EXHIBIT_ROWS ? (uint32_t)n : EXHIBIT_ROWS;
  for (uint32_t i = 0; i < n_shown; i++) shown[i] = rows[(uint64_t)i * (n - 1) / (n_shown > 1 ? n_shown - 1 : 1)];
  char pattern[64];
  snprintf(pattern, sizeof pattern, "row %016llx", (unsigned long long)row_hash(t, rows[0]));
  bez_finding_subject(report, f, changed ? first->name : pattern, NULL);
  f->score = (double)n;
  bez_finding_number(report, f, "rows", (double)n);
  bez_finding_number(report, f, "normal in this data is up to", floor(normal));
  bez_label_share share = {0};
  bez_status st = bez_cells_purity(t->in, all, n, &share, err);
  if (st == BEZ_OK && t->in->label >= 0) {
    bez_finding_number(report, f, "purity", share.purity);
    bez_finding_text(report, f, "most frequent label", "%s",
                     bez_cells_value(report, &t->in->table->cols[t->in->label], share.code));
  }
  bez_cells_exhibit(report, f, t->in, "Some of the copies", "copy", shown, n_shown, NULL, 0);
  free(all);
  return st == BEZ_OK ? bez_floods_rows(t->in, report, f, rows, n, err) : st;
}

/* A group of equal rows. */
typedef struct group {
  size_t first;
  uint32_t n;
} group;

static int largest_first(const void *a, const void *b) {
  const group *x = a, *y = b;
  if (x->n != y->n) return x->n > y->n ? -1 : 1;
  return (x->first > y->first) - (x->first < y->first);
}

static bez_status note(table_floods *t, bez_report *report, uint64_t copies, size_t groups, uint32_t most, bool sampled,
                       bez_error *err) {
  if (sampled) {
    bez_report_not_checked(report, false, "BZ-D008 floods", "most rows are copies: only a sample of them was grouped");
    return BEZ_OK;
  }
  bez_finding *f = bez_report_add_list(report, &bez_detector_floods.rule, (double)copies / (double)t->n_rows);
  if (!f) return bez_report_status(report, err);
  bez_finding_title(report, f, "%llu of %llu rows equal another one in all features, in %zu groups",
                    (unsigned long long)copies, (unsigned long long)t->n_rows, groups);
  bez_finding_subject(report, f, "exact copies", NULL);
  bez_finding_number(report, f, "largest group", most);
  return bez_report_status(report, err);
}

static bez_status report_copies(table_floods *t, bez_report *report, const rows_of *list, size_t n, bez_error *err) {
  bez_status st = BEZ_OK;
  group *groups = malloc((n / 2 + 1) * sizeof *groups);
  uint32_t *rows = malloc((n + 1) * sizeof *rows);
  size_t n_groups = 0;
  uint64_t copies = 0;
  if (!groups || !rows) {
    st = bez_fail_memory(err, n * sizeof *groups);
    goto cleanup;
  }
  for (size_t i = 0, end; i < n; i = end) {
    for (end = i + 1; end < n && list[end].hash == list[i].hash;) end++;
    if (end - i < 2) continue;
    groups[n_groups++] = (group){i, (uint32_t)(end - i)};
    copies += end - i;
  }
  if (!n_groups) goto cleanup;
  qsort(groups, n_groups, sizeof *groups, largest_first);
  double normal = RATIO * (n_groups > NORMAL_RANK ? groups[NORMAL_RANK].n : 1);
  double least = (double)t->n_rows / 1000; /* in large tables a school class may be one row */
  least = least < LEAST_COPIES ? LEAST_COPIES : least > ENOUGH_COPIES ? ENOUGH_COPIES : least;
  if (normal < least) normal = least;
  for (size_t g = 0; g < n_groups && g < MOST_FLOODS && groups[g].n > normal; g++) {
    for (uint32_t i = 0; i < groups[g].n; i++) rows[i] = list[groups[g].first + i].row;
    BEZ_TRY(emit(t, report, rows, groups[g].n, 0, normal, BEZ_SEV_WARNING, err));
  }
  BEZ_TRY(note(t, report, copies, n_groups, groups[0].n, t->keep != UINT64_MAX, err));
cleanup:
  free(groups);
  free(rows);
  return st;
}

bez_status bez_floods_table(const bez_detect_input *in, bez_report *report, bez_error *err) {
  table_floods t = {.in = in, .n_rows = in->table->n_rows, .d = in->n_features};
  bez_near_flood near[MOST_FLOODS] = {{0}};
  rows_of *list = NULL;
  size_t n = 0, n_near = 0;
  bool checked = true;
  bez_status st = BEZ_OK;
  if (t.n_rows < 2 || t.d < LEAST_COLUMNS) return BEZ_OK;
  BEZ_TRY(find_copies(&t, &list, &n, err));
  BEZ_TRY(report_copies(&t, report, list, n, err));
  BEZ_TRY(bez_near_floods(in, near, MOST_FLOODS, &n_near, &checked, err));
  if (!checked)
    bez_report_not_checked(report, false, "BZ-D008 near copies of rows", "%llu rows of %u features are too many",
                           (unsigned long long)t.n_rows, t.d);
  /* As many as can be told, and perhaps more: crowded neighbourhoods are this data's nature. */
  bez_severity severity = n_near < MOST_FLOODS ? BEZ_SEV_WARNING : BEZ_SEV_NOTE;
  for (size_t i = 0; i < n_near; i++)
    BEZ_TRY(emit(&t, report, near[i].rows, near[i].n, near[i].radius, near[i].normal, severity, err));
cleanup:
  for (size_t i = 0; i < MOST_FLOODS; i++) free(near[i].rows);
  free(list);
  return st;
}
