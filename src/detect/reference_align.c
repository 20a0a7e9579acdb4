#include "detect/reference_align.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

typedef struct entry {
  double number;
  const char *text;
  size_t len;
  uint32_t code, rows;
  uint8_t side;
} entry;

static int by_number(const void *x, const void *y) {
  const entry *a = x, *b = y;
  if (a->number != b->number) return a->number < b->number ? -1 : 1;
  return a->side != b->side ? (int)a->side - (int)b->side : a->code < b->code ? -1 : 1;
}

static int compare_text(const entry *a, const entry *b) {
  size_t least = a->len < b->len ? a->len : b->len;
  int order = least ? memcmp(a->text, b->text, least) : 0;
  return order ? order : a->len < b->len ? -1 : a->len > b->len;
}

static int by_text(const void *x, const void *y) {
  const entry *a = x, *b = y;
  int order = compare_text(a, b);
  if (order) return order;
  return a->side != b->side ? (int)a->side - (int)b->side : a->code < b->code ? -1 : 1;
}

static uint64_t collect(const bez_column *col, uint8_t side, bool ordered, entry *out) {
  uint64_t n = 0;
  for (uint32_t code = BEZ_CODE_FIRST; code < col->n_values; code++) {
    entry e = {.code = code, .rows = col->count[code], .side = side};
    if (ordered) e.number = col->number[code] + 0.0;
    e.text = bez_value(col, code, &e.len);
    if (e.rows > 0 && !(ordered && isnan(e.number))) out[n++] = e;
  }
  return n;
}

/* Values of more than a bin's share of the rows stand alone; the others share bins with their neighbours. */
static void make_bins(bez_aligned *x) {
  uint64_t rows = 0, in_bin = 0;
  uint32_t at = 1;
  for (uint64_t i = 0; i < x->n_values; i++) rows += x->count[i].a + x->count[i].b;
  uint64_t share = rows / (BEZ_BOOST_BINS / 2) + 1;
  for (uint64_t i = 0; i < x->n_values; i++) {
    uint64_t here = x->count[i].a + x->count[i].b;
    bool full = in_bin > 0 && in_bin + here > share;
    if (x->n_values < BEZ_BOOST_BINS) full = i > 0;
    if (full && at < BEZ_BOOST_BINS - 1) {
      at++;
      in_bin = 0;
    }
    x->bin[i] = (uint8_t)at;
    in_bin += here;
  }
}

static void merge(const entry *list, uint64_t n, bool ordered, bez_aligned *out) {
  for (uint64_t i = 0; i < n; i++) {
    bool same = i > 0 && (ordered ? list[i].number == list[i - 1].number : compare_text(&list[i], &list[i - 1]) == 0);
    uint64_t at = same ? out->n_values - 1 : out->n_values++;
    if (list[i].side == 0) out->count[at].a += list[i].rows;
    if (list[i].side == 1) out->count[at].b += list[i].rows;
    out->value_of[list[i].side][list[i].code] = (uint32_t)at;
    out->code[list[i].side][at] = list[i].code;
  }
}

bez_status bez_align(const bez_column *a, const bez_column *b, bool ordered, bez_aligned *out, bez_error *err) {
  const bez_column *col[2] = {a, b};
  size_t most = (size_t)a->n_values + b->n_values + 1;
  entry *list = malloc(most * sizeof *list);
  *out = (bez_aligned){.missing = {a->count[BEZ_CODE_MISSING], b->count[BEZ_CODE_MISSING]}};
  bool full = list && (out->count = calloc(most, sizeof *out->count)) && (out->bin = calloc(most, 1));
  for (int s = 0; s < 2 && full; s++) {
    full = (out->value_of[s] = malloc((size_t)(col[s]->n_values + 1) * sizeof(uint32_t))) &&
           (out->code[s] = malloc(most * sizeof(uint32_t)));
    if (!full) break;
    memset(out->value_of[s], 0xff, (size_t)(col[s]->n_values + 1) * sizeof(uint32_t));
    memset(out->code[s], 0xff, most * sizeof(uint32_t));
  }
  if (full) {
    uint64_t n = collect(a, 0, ordered, list);
    n += collect(b, 1, ordered, list + n);
    qsort(list, n, sizeof *list, ordered ? by_number : by_text);
    merge(list, n, ordered, out);
    make_bins(out);
  }
  free(list);
  return full ? BEZ_OK : bez_fail_memory(err, most * sizeof *list);
}

void bez_aligned_free(bez_aligned *x) {
  free(x->count);
  free(x->bin);
  for (int s = 0; s < 2; s++) {
    free(x->value_of[s]);
    free(x->code[s]);
  }
}
