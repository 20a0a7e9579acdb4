/* From marks to findings: groups, severity, excerpts. */
#include "detect/character_tricks.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "detect/cells.h"
#include "math/bytescan.h"
#include "math/tails.h"
#include "math/unicode_class.h"

#define EXCERPTS 3u
#define SKEW_LOG_P (-9.210340371976182) /* ln 1e-4 */
#define RARE_SHARE 0.06
#define STRAY_SHARE                                                                                                    \
  5e-4                  /* of texts: below it marks are what large corpora hold by nature, above twice it no accident */
#define MAX_VALUES 200u /* findings per column: each costs a pass over its codes */

/* What a group of rows amounts to. */
typedef struct verdict {
  bez_severity severity;
  bool skewed;
  double log_p;
  bez_label_share label;
} verdict;

static const char *character_name(uint32_t cp) {
  static const struct {
    uint32_t cp;
    const char *name;
  } names[] = {{0x08, "backspace"},
               {0x7F, "delete"},
               {0xAD, "soft hyphen"},
               {0x34F, "combining grapheme joiner"},
               {0x200B, "zero width space"},
               {0x200C, "zero width non-joiner"},
               {0x200D, "zero width joiner"},
               {0x200E, "left-to-right mark"},
               {0x200F, "right-to-left mark"},
               {0x202A, "left-to-right embedding"},
               {0x202B, "right-to-left embedding"},
               {0x202C, "pop directional formatting"},
               {0x202D, "left-to-right override"},
               {0x202E, "right-to-left override"},
               {0x2060, "word joiner"},
               {0x2062, "invisible times"},
               {0x2063, "invisible separator"},
               {0x2066, "left-to-right isolate"},
               {0x2067, "right-to-left isolate"},
               {0x2068, "first strong isolate"},
               {0x2069, "pop directional isolate"},
               {0x3164, "hangul filler"},
               {0xFEFF, "zero width no-break space"}};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (names[i].cp == cp) return names[i].name;
  return "";
}

/* How surely is a mark no accident? Soft hyphens and joiners stand inside words by right. */
static bool on_purpose(uint32_t trick, uint32_t cp, uint64_t n_inside, uint64_t n) {
  if (trick == BEZ_TRICK_MIXED || trick == BEZ_TRICK_TWIN || trick == BEZ_TRICK_TAG) return true;
  if (cp == 0x202D || cp == 0x202E) return true;
  if (cp == 0xAD || cp == 0x200C || cp == 0x200D || trick == BEZ_TRICK_STYLED) return false;
  return 2 * n_inside >= n;
}

/* What the number of rows alone says. Texts without labels (corpora) hold stray soft hyphens, joiners and overstrikes
 * by nature, and quote look-alikes when they write about them. */
static bez_severity by_number(const bez_detect_input *in, uint64_t n, bool purpose, bool prose) {
  double total = (double)in->table->n_rows, share = (double)n / (total > 0 ? total : 1);
  bool corpus = prose && in->label < 0;
  if (corpus && (share < STRAY_SHARE || !purpose)) return BEZ_SEV_NOTE;
  if (!purpose) return n >= 3 ? BEZ_SEV_WARNING : BEZ_SEV_NOTE;
  bool many = n >= 3 && share <= RARE_SHARE && (!corpus || share >= 2 * STRAY_SHARE);
  return many ? BEZ_SEV_ERROR : BEZ_SEV_WARNING;
}

static bez_status weigh(const bez_detect_input *in, const uint64_t *rows, uint64_t n, bool purpose, bool prose,
                        verdict *out, bez_error *err) {
  *out = (verdict){.severity = by_number(in, n, purpose, prose), .log_p = NAN};
  uint64_t total = in->table->n_rows;
  if (in->label >= 0) {
    bez_status st = bez_cells_purity(in, rows, n, &out->label, err);
    if (st != BEZ_OK) return st;
    const bez_column *label = &in->table->cols[in->label];
    uint64_t of_label = label->count[out->label.code];
    uint64_t with = (uint64_t)llround(out->label.purity * (double)n);
    out->log_p = bez_hypergeometric_log_sf(with, total, of_label, n);
    out->skewed = n >= 4 && out->log_p <= SKEW_LOG_P;
  }
  if (out->skewed) out->severity = BEZ_SEV_ERROR;
  return BEZ_OK;
}

static bez_status fill_rows(const bez_detect_input *in, bez_report *report, bez_finding *f, const uint64_t *rows,
                            uint64_t n, bez_error *err) {
  bez_row_hit *hits = malloc((size_t)n * sizeof *hits);
  if (!hits) return bez_fail_memory(err, (size_t)n * sizeof *hits);
  const char **labels = bez_cells_labels(report, in);
  const bez_column *label = in->label >= 0 ? &in->table->cols[in->label] : NULL;
  for (uint64_t i = 0; i < n; i++)
    hits[i] = (bez_row_hit){.row = bez_global_row(in->table, rows[i]),
                            .score = NAN,
                            .q = NAN,
                            .label = labels && label ? labels[bez_code(label, rows[i])] : NULL};
  bez_finding_rows(report, f, hits, n);
  free(hits);
  return BEZ_OK;
}

static void fill_verdict(const bez_detect_input *in, bez_report *report, bez_finding *f, const verdict *v,
                         const char *pattern) {
  const char *target = v->skewed ? bez_cells_value(report, &in->table->cols[in->label], v->label.code) : NULL;
  bez_finding_subject(report, f, pattern, target);
  f->score = isnan(v->log_p) ? 0.0 : -v->log_p / log(10);
  if (isnan(v->log_p)) return;
  f->p_value = exp(v->log_p);
  bez_finding_number(report, f, "purity", v->label.purity);
  bez_finding_text(report, f, "most frequent label", "%s",
                   bez_cells_value(report, &in->table->cols[in->label], v->label.code));
}

static void excerpt(bez_report *report, bez_finding *f, const bez_column *col, const bez_mark *mark) {
  bez_trick_hit hits[32];
  bez_span spans[32];
  size_t len, n_spans = 0;
  const char *text = bez_text_cell(col, mark->row, &len);
  size_t n = bez_character_scan(text, len, hits, 32);
  for (size_t i = 0; i < n && i < 32; i++)
    if (hits[i].trick == mark->trick && bez_mark_key(&hits[i]) == mark->key)
      spans[n_spans++] = (bez_span){hits[i].begin, hits[i].end};
  char caption[128];
  snprintf(caption, sizeof caption, "%s, U+%04X first at byte %u", bez_trick_text((bez_trick)mark->trick),
           (unsigned)mark->cp, n_spans ? (unsigned)spans[0].begin : 0u);
  bez_finding_excerpt(report, f, caption, text, len, spans, (uint32_t)n_spans);
}

static int by_group(const void *a, const void *b) {
  const bez_mark *x = a, *y = b;
  if (x->trick != y->trick) return x->trick < y->trick ? -1 : 1;
  if (x->key != y->key) return x->key < y->key ? -1 : 1;
  return (x->row > y->row) - (x->row < y->row);
}

static bez_status report_group(const bez_detect_input *in, bez_report *report, const bez_column *col,
                               const bez_mark *marks, size_t n, uint64_t *rows, bez_error *err) {
  uint64_t inside = 0;
  for (size_t i = 0; i < n; i++) {
    rows[i] = marks[i].row;
    inside += marks[i].inside;
  }
  verdict v;
  bez_status st = weigh(in, rows, n, on_purpose(marks->trick, marks->key, inside, n), true, &v, err);
  if (st != BEZ_OK) return st;
  const char *what = bez_trick_text((bez_trick)marks->trick);
  bez_finding *f = bez_report_add(report, &bez_detector_character_tricks.rule, v.severity);
  char pattern[96], where[64] = "";
  if (inside)
    snprintf(where, sizeof where, inside == n ? " inside words" : " (%llu inside words)", (unsigned long long)inside);
  if (marks->key)
    snprintf(pattern, sizeof pattern, "U+%04X %s", (unsigned)marks->key, character_name(marks->key));
  else
    snprintf(pattern, sizeof pattern, "%s", what);
  bez_finding_title(report, f, "%zu row%s of \"%s\" hold%s %s%s", n, n == 1 ? "" : "s", col->name, n == 1 ? "s" : "",
                    pattern, marks->key ? where : "");
  fill_verdict(in, report, f, &v, pattern);
  bez_finding_text(report, f, "kind", "%s", what);
  bez_finding_number(report, f, "support", (double)n);
  bez_finding_number(report, f, "inside words", (double)inside);
  for (size_t i = 0; i < n && i < EXCERPTS; i++) excerpt(report, f, col, &marks[i]);
  return fill_rows(in, report, f, rows, n, err);
}

bez_status bez_tricks_report_texts(const bez_detect_input *in, bez_report *report, uint32_t c, bez_mark *marks,
                                   size_t n, bez_error *err) {
  if (!n) return BEZ_OK;
  uint64_t *rows = malloc(n * sizeof *rows);
  if (!rows) return bez_fail_memory(err, n * sizeof *rows);
  bez_status st = BEZ_OK;
  qsort(marks, n, sizeof *marks, by_group);
  for (size_t at = 0; at < n && st == BEZ_OK;) {
    size_t end = at + 1;
    while (end < n && marks[end].trick == marks[at].trick && marks[end].key == marks[at].key) end++;
    st = report_group(in, report, &in->table->cols[c], marks + at, end - at, rows, err);
    at = end;
  }
  free(rows);
  return st;
}

/* The value as a reader sees it: hidden characters gone, look-alikes as the letters they pass for. Returns its length;
 * 0 where it does not fit. */
static size_t skeleton(const char *text, size_t len, char out[BEZ_MAX_NAME]) {
  size_t n = 0;
  for (size_t at = 0; at < len;) {
    uint32_t cp;
    at += bez_utf8_decode(text + at, len - at, &cp, NULL);
    if (bez_uc_hidden(cp) != BEZ_HIDDEN_NONE) continue;
    char twin = bez_uc_twin(cp);
    if (n + 4 > BEZ_MAX_NAME) return 0;
    if (twin)
      out[n++] = twin;
    else
      n += bez_utf8_encode(cp, out + n);
  }
  return n;
}

/* The other value that this one passes for; 0 where there is none. Values ascend by bytes. */
static uint32_t impersonated(const bez_column *col, uint32_t code) {
  char seen[BEZ_MAX_NAME];
  size_t len;
  const char *value = bez_value(col, code, &len);
  size_t n = skeleton(value, len, seen);
  if (!n || (n == len && !memcmp(seen, value, len))) return 0;
  uint32_t lo = BEZ_CODE_FIRST, hi = col->n_values;
  while (lo < hi) {
    uint32_t mid = lo + (hi - lo) / 2;
    size_t other_len;
    const char *other = bez_value(col, mid, &other_len);
    int order = memcmp(other, seen, other_len < n ? other_len : n);
    if (!order) order = (other_len > n) - (other_len < n);
    if (!order) return mid;
    if (order < 0)
      lo = mid + 1;
    else
      hi = mid;
  }
  return 0;
}

static bez_status report_value(const bez_detect_input *in, bez_report *report, uint32_t c, uint32_t code,
                               const bez_trick_hit *hit, bez_error *err) {
  const bez_column *col = &in->table->cols[c];
  uint64_t n = 0;
  uint64_t *rows = malloc(((size_t)col->count[code] + 1) * sizeof *rows);
  if (!rows) return bez_fail_memory(err, ((size_t)col->count[code] + 1) * sizeof *rows);
  for (uint64_t r = 0; r < in->table->n_rows && n < col->count[code]; r++)
    if (bez_code(col, r) == code) rows[n++] = r;
  uint32_t other = impersonated(col, code);
  bool purpose = other || on_purpose(hit->trick, bez_mark_key(hit), hit->inside, 1);
  verdict v;
  bez_status st = weigh(in, rows, n, purpose, false, &v, err);
  if (st == BEZ_OK) {
    bez_finding *f = bez_report_add(report, &bez_detector_character_tricks.rule, v.severity);
    const char *value = bez_cells_value(report, col, code);
    bez_finding_title(report, f, "%llu row%s of \"%s\" hold%s \"%s\" with %s (U+%04X)%s%s%s", (unsigned long long)n,
                      n == 1 ? "" : "s", col->name, n == 1 ? "s" : "", value, bez_trick_text((bez_trick)hit->trick),
                      (unsigned)hit->cp, other ? ", which passes for \"" : "",
                      other ? bez_cells_value(report, col, other) : "", other ? "\"" : "");
    char *pattern = bez_arena_printf(&report->arena, "%s=%s", col->name, value);
    fill_verdict(in, report, f, &v, pattern);
    bez_finding_number(report, f, "support", (double)n);
    bez_span span = {hit->begin, hit->end};
    size_t len;
    const char *bytes = bez_value(col, code, &len);
    bez_finding_excerpt(report, f, "the value", bytes, len, &span, 1);
    st = fill_rows(in, report, f, rows, n, err);
  }
  free(rows);
  return st;
}

bez_status bez_tricks_values(const bez_detect_input *in, bez_report *report, uint32_t c, bez_error *err) {
  const bez_column *col = &in->table->cols[c];
  if (col->n_values <= BEZ_CODE_FIRST) return BEZ_OK;
  uint64_t at = col->value_at[BEZ_CODE_FIRST], end = col->value_at[col->n_values];
  uint32_t code = BEZ_CODE_FIRST, n_found = 0;
  while (at < end) {
    at += bez_scan_plain_ascii(col->value_bytes + at, (size_t)(end - at), in->cpu);
    if (at >= end) break;
    while (col->value_at[code + 1] <= at) code++;
    size_t len;
    const char *value = bez_value(col, code, &len);
    bez_trick_hit hit;
    if (bez_character_scan(value, len, &hit, 1) || impersonated(col, code)) {
      if (++n_found > MAX_VALUES) {
        bez_report_not_checked(report, false, "BZ-D005 character tricks", "more than %u odd values in \"%s\"",
                               MAX_VALUES, col->name);
        break;
      }
      if (!bez_character_scan(value, len, &hit, 1))
        hit = (bez_trick_hit){.trick = BEZ_TRICK_TWIN, .end = (uint32_t)len};
      bez_status st = report_value(in, report, c, code, &hit, err);
      if (st != BEZ_OK) return st;
    }
    at = col->value_at[++code];
  }
  return BEZ_OK;
}
