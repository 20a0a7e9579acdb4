/* Guessing the dialect of a CSV file from its first bytes.
 *
 * Each of four separators is tried with and without quotes on the same sample; the reading that leaves the fewest
 * odd records wins, then the one with the most cells. A record is odd when its number of cells is not the usual one.
 * A reading with quotes also pays for cells with bytes behind the closing quote, for a quote that never closes, and,
 * once it has met either, for cells that were quoted without need: prose that happens to begin with a quotation mark
 * looks like that. A reading without quotes pays where most records hold cells that begin and end with one. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/compare.h"
#include "base/error.h"
#include "base/limits.h"
#include "format/cell.h"
#include "format/csv.h"

#define SAMPLE_RECORDS 2000u
#define HEADER_RECORDS 200u

typedef struct reading {
  bez_csv_dialect dialect;
  uint32_t n_records;
  uint32_t usual;    /* cells of most records */
  uint32_t n_usual;  /* records that have so many */
  uint32_t bad;      /* quoting that does not fit */
  uint32_t needless; /* quoted cells without a separator, line end or quote inside */
  uint32_t left_on;  /* cells that begin and end with a quote that counts for nothing */
  bool too_wide;     /* a record of more cells than are read */
} reading;

static uint32_t quotes_left_on(const bez_csv_record *record) {
  uint32_t n = 0;
  for (uint32_t c = 0; c < record->n; c++) {
    const bez_csv_cell *cell = &record->cells[c];
    n += cell->len >= 2 && cell->begin[0] == '"' && cell->begin[cell->len - 1] == '"';
  }
  return n;
}

static uint32_t quoted_needlessly(const bez_csv_dialect *d, const bez_csv_record *record) {
  uint32_t n = 0;
  for (uint32_t c = 0; c < record->n; c++) {
    const bez_csv_cell *cell = &record->cells[c];
    n += cell->quoted && !cell->escaped && !memchr(cell->begin, d->separator, cell->len) &&
         !memchr(cell->begin, d->newline, cell->len);
  }
  return n;
}

/* Lines behind the first of an unclosed record that look like records of their own. */
static uint32_t records_swallowed(const bez_csv_dialect *d, const char *p, size_t len) {
  uint32_t n = 0, cells = 1, lines = 0;
  for (size_t i = 0; i < len; i++) {
    cells += p[i] == d->separator;
    if (p[i] != d->newline) continue;
    n += lines++ && cells == d->n_cols;
    cells = 1;
  }
  return n;
}

static void find_usual(reading *r, uint32_t *widths) {
  qsort(widths, r->n_records, sizeof *widths, bez_compare_u32);
  for (uint32_t i = 0, run = 0; i < r->n_records; i++) {
    run = i && widths[i] == widths[i - 1] ? run + 1 : 1;
    if (run >= r->n_usual) {
      r->n_usual = run;
      r->usual = widths[i];
    }
  }
}

static void try_reading(reading *r, const char *p, size_t len, bool whole, bez_csv_record *record, uint32_t *widths) {
  size_t used, at = 0;
  while (at < len && r->n_records < SAMPLE_RECORDS) {
    bez_csv_split_result got = bez_csv_split(&r->dialect, p + at, len - at, whole, record, &used);
    if (got != BEZ_CSV_RECORD && r->dialect.quotes) r->bad += records_swallowed(&r->dialect, p + at, len - at);
    r->too_wide |= got == BEZ_CSV_TOO_WIDE;
    if (got != BEZ_CSV_RECORD) break;
    at += used;
    if (record->n == 0) continue;
    r->bad += record->bad_quote;
    if (r->dialect.quotes)
      r->needless += quoted_needlessly(&r->dialect, record);
    else
      r->left_on += quotes_left_on(record);
    if (r->n_records == 0) r->dialect.n_cols = record->n;
    widths[r->n_records++] = record->n;
  }
  if (r->n_records) find_usual(r, widths);
  if (r->bad) r->bad += r->needless;
  if (r->left_on * 2 >= r->n_records) r->bad += r->left_on;
}

static double oddness(const reading *r) {
  if (!r->n_records) return 2;
  return ((double)(r->n_records - r->n_usual) + r->bad) / r->n_records;
}

/* One column for all is the reading of last resort: it is never odd. */
static bool better(const reading *a, const reading *b) {
  double x = oddness(a), y = oddness(b);
  bool one_a = a->usual < 2, one_b = b->usual < 2;
  if (one_a != one_b) return one_a ? y > 0.5 : x <= 0.5;
  if (x < y - 1e-12 || y < x - 1e-12) return x < y;
  return a->usual > b->usual;
}

static bool same_bytes(const bez_csv_cell *a, const char *bytes, size_t len) {
  return a->len == len && !memcmp(a->begin, bytes, len);
}

/* One column's say on whether its first cell is a name (> 0) or a value (< 0). */
typedef struct header_vote {
  const char *head;
  uint32_t len;
  bool head_number, head_empty;
  double number;
  uint32_t n, n_number, n_same, n_repeat;
  uint64_t seen; /* a small Bloom filter of earlier cells */
} header_vote;

static int count_vote(const header_vote *v, bool *whole_number) {
  bool numeric = v->n && v->n_number * 10 >= v->n * 9;
  *whole_number = v->head_number && v->number == floor(v->number);
  if (v->head_empty) return 0;
  if (numeric) return v->head_number ? -1 : 2;
  if (v->n_same) return -1;
  return v->n_repeat * 2 > v->n ? 1 : 0;
}

static void add_cell(header_vote *v, const bez_csv_cell *cell) {
  double number;
  uint64_t hash = 1469598103934665603ull;
  if (bez_cell_is_missing(cell->begin, cell->len)) return;
  for (uint32_t i = 0; i < cell->len; i++) hash = (hash ^ (unsigned char)cell->begin[i]) * 1099511628211ull;
  uint64_t bit = (uint64_t)1 << (hash >> 58);
  v->n++;
  v->n_number += bez_parse_number(cell->begin, cell->len, &number, NULL);
  v->n_same += same_bytes(cell, v->head, v->len);
  v->n_repeat += (v->seen & bit) != 0;
  v->seen |= bit;
}

/* 0, 1, 2 … or years: names that software gives to columns. */
static bool numbers_name_columns(const header_vote *votes, uint32_t n) {
  bool years = true, counting = true;
  double last = 0;
  uint32_t seen = 0;
  for (uint32_t c = 0; c < n; c++) {
    if (!votes[c].head_number) continue;
    years &= votes[c].number >= 1800 && votes[c].number <= 2200;
    counting &= !seen || votes[c].number == last + 1;
    last = votes[c].number;
    seen++;
  }
  return seen >= 3 && (counting || years);
}

static bool has_header(const bez_csv_dialect *d, const char *p, size_t len, bool whole, bez_csv_record *record) {
  size_t used, at = 0;
  header_vote *votes = NULL;
  uint32_t n = 0;
  for (uint32_t k = 0; at < len && k < HEADER_RECORDS; at += used) {
    if (bez_csv_split(d, p + at, len - at, whole, record, &used) != BEZ_CSV_RECORD) break;
    if (record->n == 0) continue;
    if (k++ == 0) {
      n = record->n;
      votes = calloc(n, sizeof *votes);
      if (!votes) return true;
      for (uint32_t c = 0; c < n; c++) {
        header_vote *v = &votes[c];
        v->head = record->cells[c].begin;
        v->len = record->cells[c].len;
        v->head_empty = bez_cell_is_missing(v->head, v->len);
        v->head_number = bez_parse_number(v->head, v->len, &v->number, NULL);
      }
      continue;
    }
    for (uint32_t c = 0; c < n && c < record->n; c++) add_cell(&votes[c], &record->cells[c]);
  }
  int sum = 0;
  bool any_number = false, whole_number, names = n && numbers_name_columns(votes, n);
  for (uint32_t c = 0; c < n; c++) {
    sum += count_vote(&votes[c], &whole_number);
    any_number |= votes[c].head_number;
    names &= !votes[c].head_number || whole_number;
  }
  free(votes);
  return any_number ? names || sum > 0 : sum >= 0;
}

static bez_status refuse_foreign(const char *p, size_t len, const char *path, uint32_t *skip, bez_error *err) {
  *skip = 0;
  if (len == 0) return bez_fail_at(err, BEZ_FORMAT, path, -1, 0, "the file is empty");
  if (len >= 2 && ((p[0] == '\xff' && p[1] == '\xfe') || (p[0] == '\xfe' && p[1] == '\xff')))
    return bez_fail_at(err, BEZ_FORMAT, path, 1, 0, "UTF-16 text; convert it to UTF-8 first");
  if (len >= 3 && !memcmp(p, "\xef\xbb\xbf", 3)) *skip = 3;
  return BEZ_OK;
}

/* Bytes of a first line sep=; (quoted or not, any case), its end included; 0: there is none. */
static uint32_t separator_line(const char *p, size_t len, char newline, char *separator) {
  size_t quote = len && *p == '"', at = quote + 4;
  if (len < at + 2 + quote || strncasecmp(p + quote, "sep=", 4) || !p[at] || !strchr(",\t;|", p[at])) return 0;
  *separator = p[at++];
  if (quote && p[at++] != '"') return 0;
  if (newline == '\n' && p[at] == '\r' && at + 1 < len) at++;
  return p[at] == newline ? (uint32_t)at + 1 : 0;
}

bez_status bez_csv_sniff(const char *head, size_t len, bool whole, const char *path, bez_csv_dialect *out,
                         bez_error *err) {
  static const char separators[] = {',', '\t', ';', '|'};
  uint32_t skip, told;
  char named = 0;
  bez_status st = refuse_foreign(head, len, path, &skip, err);
  if (st != BEZ_OK) return st;
  const char *p = head + skip;
  len -= skip;
  char newline = memchr(p, '\n', len) || !memchr(p, '\r', len) ? '\n' : '\r';
  told = separator_line(p, len, newline, &named);
  skip += told;
  p += told;
  len -= told;
  const char *line_end = memchr(p, '\n', len);
  bez_csv_record record = {0};
  uint32_t *widths = malloc(SAMPLE_RECORDS * sizeof *widths);
  if (!widths) return bez_fail_memory(err, SAMPLE_RECORDS * sizeof *widths);
  reading best = {0};
  bool too_wide = false, divisible = false;
  for (unsigned k = 0; k < 8; k++) {
    reading r = {.dialect = {.separator = separators[k / 2], .newline = newline, .quotes = k % 2 == 0, .skip = skip}};
    if (told && r.dialect.separator != named) continue;
    r.dialect.told = told;
    try_reading(&r, p, len, whole, &record, widths);
    too_wide |= r.too_wide;
    divisible |= r.usual > 1 && r.dialect.n_cols > 1;
    if (!best.dialect.separator || better(&r, &best)) best = r;
  }
  free(widths);
  if (too_wide && best.usual < 2) {
    bez_csv_record_free(&record);
    return bez_fail_at(err, BEZ_LIMIT, path, 1, (int64_t)skip, "more than %u columns", BEZ_MAX_COLUMNS);
  }
  best.dialect.crlf = line_end && line_end > p && line_end[-1] == '\r';
  best.dialect.doubtful = divisible && best.usual < 2;
  best.dialect.header = has_header(&best.dialect, p, len, whole, &record);
  bez_csv_record_free(&record);
  if (best.n_records == 0 && whole)
    return bez_fail_at(err, BEZ_FORMAT, path, 1, (int64_t)skip, "no record: the file holds only empty lines");
  *out = best.dialect;
  return BEZ_OK;
}
