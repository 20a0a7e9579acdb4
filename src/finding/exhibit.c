/* Exhibits: small pieces of the data, cut to a size that a report can carry, that stand alone in every writer. */
#include <math.h>
#include <string.h>

#include "base/utf8.h"
#include "finding/finding.h"
#include "finding/text.h"

enum {
  MAX_CELL_ROWS = 64,
  MAX_CELL_COLS = 256,
  MAX_CELL_BYTES = 240,
  MAX_EXCERPT = 900,   /* bytes of a text exhibit */
  EXCERPT_LEAD = 240,  /* bytes kept before the first span of a long text */
  MAX_SPANS = 64,      /* highlighted spans of one text */
  MAX_TILE = 512,      /* side of a picture */
  MAX_POINTS = 4096,   /* points of a series */
  MARKED_SHARE = 2048, /* of these, at most this many marked ones */
};

static bez_exhibit *add_exhibit(bez_report *report, bez_finding *f, bez_exhibit_kind kind, const char *caption) {
  bez_exhibit *x = f ? bez_report_array(report, 1, sizeof *x) : NULL;
  if (!x) return NULL;
  x->kind = kind;
  x->caption = bez_report_text(report, caption ? caption : "");
  return x->caption ? x : NULL;
}

static void append(bez_finding *f, bez_exhibit *x) {
  if (f->exhibit_last)
    f->exhibit_last->next = x;
  else
    f->exhibit = x;
  f->exhibit_last = x;
}

bez_exhibit *bez_finding_cells(bez_report *report, bez_finding *f, const char *caption, uint32_t n_rows,
                               uint32_t n_cols) {
  bez_exhibit *x = add_exhibit(report, f, BEZ_EXHIBIT_CELLS, caption);
  if (!x) return NULL;
  x->sensitive = true;
  x->n_rows = n_rows < MAX_CELL_ROWS ? n_rows : MAX_CELL_ROWS;
  x->n_cols = n_cols < MAX_CELL_COLS ? n_cols : MAX_CELL_COLS;
  size_t n = (size_t)x->n_rows * x->n_cols;
  x->header = bez_report_array(report, x->n_cols, sizeof *x->header);
  x->cells = bez_report_array(report, n, sizeof *x->cells);
  x->role = bez_report_array(report, x->n_rows, sizeof *x->role);
  x->highlight = bez_report_array(report, n, 1);
  if (!x->header || !x->cells || !x->role || !x->highlight) return NULL;
  for (size_t i = 0; i < n; i++) x->cells[i] = "";
  for (uint32_t c = 0; c < x->n_cols; c++) x->header[c] = "";
  for (uint32_t r = 0; r < x->n_rows; r++) x->role[r] = "";
  append(f, x);
  return x;
}

/* Backs off to the start of a character. */
static size_t char_start(const char *text, size_t at) {
  size_t back = at;
  for (int i = 0; i < 3 && back > 0 && ((unsigned char)text[back] & 0xC0) == 0x80; i++) back--;
  return back;
}

/* A copy cut at MAX_CELL_BYTES. */
static const char *short_text(bez_report *report, const char *text, size_t len) {
  if (len <= MAX_CELL_BYTES) return bez_report_copy(report, text, len);
  char room[MAX_CELL_BYTES + 4];
  size_t keep = char_start(text, MAX_CELL_BYTES);
  memcpy(room, text, keep);
  memcpy(room + keep, "\xE2\x80\xA6", 3);
  return bez_report_copy(report, room, keep + 3);
}

void bez_exhibit_header(bez_report *report, bez_exhibit *x, uint32_t col, const char *text) {
  if (!x || x->kind != BEZ_EXHIBIT_CELLS || col >= x->n_cols) return;
  const char *copy = bez_report_text(report, text);
  if (copy) x->header[col] = copy;
}

void bez_exhibit_cell(bez_report *report, bez_exhibit *x, uint32_t row, uint32_t col, const char *text, size_t len,
                      bool highlight) {
  if (!x || x->kind != BEZ_EXHIBIT_CELLS || row >= x->n_rows || col >= x->n_cols) return;
  size_t at = (size_t)row * x->n_cols + col;
  const char *copy = short_text(report, text ? text : "", text ? len : 0);
  if (copy) x->cells[at] = copy;
  ((uint8_t *)x->highlight)[at] = highlight;
}

void bez_exhibit_role(bez_report *report, bez_exhibit *x, uint32_t row, const char *role) {
  if (!x || x->kind != BEZ_EXHIBIT_CELLS || row >= x->n_rows) return;
  const char *copy = bez_report_text(report, role);
  if (copy) x->role[row] = copy;
}

/* Sorted, without overlaps and empty ones; at most MAX_SPANS. Returns how many. */
static uint32_t tidy_spans(const bez_span *spans, uint32_t n_spans, size_t len, bez_span out[MAX_SPANS]) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < n_spans && n < MAX_SPANS; i++) {
    bez_span s = spans[i];
    if (s.end > len) s.end = (uint32_t)len;
    if (s.begin >= s.end) continue;
    uint32_t at = n++;
    for (; at > 0 && out[at - 1].begin > s.begin; at--) out[at] = out[at - 1];
    out[at] = s;
  }
  uint32_t kept = 0;
  for (uint32_t i = 0; i < n; i++) {
    if (kept && out[i].begin <= out[kept - 1].end) {
      if (out[i].end > out[kept - 1].end) out[kept - 1].end = out[i].end;
    } else {
      out[kept++] = out[i];
    }
  }
  return kept;
}

/* Copies text[from, to) cleaned to out (behind out[n]) and moves the spans from input to output bytes. A span that
 * touches a character covers it whole. Returns the new length. */
static size_t copy_mapped(const char *text, size_t from, size_t to, char *out, size_t n, const bez_span *in,
                          bez_span *mapped, uint32_t n_spans) {
  for (size_t at = from; at < to;) {
    uint32_t cp;
    size_t used = bez_utf8_decode(text + at, to - at, &cp, NULL);
    size_t made = bez_utf8_encode(cp ? cp : 0xFFFD, out + n);
    for (uint32_t i = 0; i < n_spans; i++) {
      if (in[i].begin >= at + used || in[i].end <= at) continue;
      if (mapped[i].end == 0) mapped[i].begin = (uint32_t)n;
      mapped[i].end = (uint32_t)(n + made);
    }
    at += used;
    n += made;
  }
  return n;
}

bez_exhibit *bez_finding_excerpt(bez_report *report, bez_finding *f, const char *caption, const char *text, size_t len,
                                 const bez_span *spans, uint32_t n_spans) {
  bez_exhibit *x = add_exhibit(report, f, BEZ_EXHIBIT_TEXT, caption);
  if (!x) return NULL;
  bez_span in[MAX_SPANS], mapped[MAX_SPANS] = {{0, 0}};
  uint32_t n_in = tidy_spans(spans, n_spans, len, in);
  size_t from = 0, to = len;
  if (len > MAX_EXCERPT) {
    if (n_in && in[0].begin > EXCERPT_LEAD) from = char_start(text, in[0].begin - EXCERPT_LEAD);
    if (len - from < MAX_EXCERPT) from = char_start(text, len - MAX_EXCERPT);
    to = len - from > MAX_EXCERPT ? char_start(text, from + MAX_EXCERPT) : len;
  }
  char *out = bez_report_array(report, 3 * (to - from) + 7, 1);
  bez_span *kept = bez_report_array(report, n_in, sizeof *kept);
  if (!out || !kept) return NULL;
  size_t n = 0;
  if (from > 0) {
    memcpy(out, "\xE2\x80\xA6", 3);
    n = 3;
  }
  n = copy_mapped(text, from, to, out, n, in, mapped, n_in);
  if (to < len) memcpy(out + n, "\xE2\x80\xA6", 3);
  for (uint32_t i = 0; i < n_in; i++)
    if (mapped[i].end > mapped[i].begin) kept[x->n_spans++] = mapped[i];
  x->sensitive = true;
  x->text = out;
  x->spans = kept;
  append(f, x);
  return x;
}

uint8_t *bez_finding_tile(bez_report *report, bez_finding *f, const char *caption, uint32_t width, uint32_t height) {
  bez_exhibit *x = add_exhibit(report, f, BEZ_EXHIBIT_TILE, caption);
  if (!x || width > MAX_TILE || height > MAX_TILE) return NULL;
  x->width = width;
  x->height = height;
  uint8_t *rgb = bez_report_array(report, (size_t)width * height, 3);
  if (!rgb) return NULL;
  x->rgb = rgb;
  x->sensitive = true;
  append(f, x);
  return rgb;
}

/* Which points of a long series stay: every k-th marked one and every l-th other one, in order. */
static uint32_t thin(const uint8_t *marked, uint32_t n, uint8_t *keep) {
  uint32_t n_marked = 0, kept = 0, seen_marked = 0, seen_other = 0;
  for (uint32_t i = 0; i < n; i++) n_marked += marked && marked[i];
  uint32_t step_marked = n_marked / MARKED_SHARE + 1;
  uint32_t room = MAX_POINTS - (n_marked < MARKED_SHARE ? n_marked : MARKED_SHARE);
  uint32_t step_other = (n - n_marked) / room + 1;
  if (n <= MAX_POINTS) step_marked = step_other = 1;
  for (uint32_t i = 0; i < n; i++) {
    keep[i] = marked && marked[i] ? seen_marked++ % step_marked == 0 : seen_other++ % step_other == 0;
    kept += keep[i];
  }
  return kept;
}

bez_exhibit *bez_finding_series(bez_report *report, bez_finding *f, const char *caption, const char *x_label,
                                const char *y_label, const double *x, const double *y, const uint8_t *marked,
                                uint32_t n_points) {
  bez_exhibit *e = add_exhibit(report, f, BEZ_EXHIBIT_SERIES, caption);
  if (!e) return NULL;
  uint8_t *keep = bez_report_array(report, n_points, 1);
  if (!keep) return NULL;
  uint32_t n = thin(marked, n_points, keep);
  double *px = bez_report_array(report, n, sizeof *px), *py = bez_report_array(report, n, sizeof *py);
  uint8_t *pm = bez_report_array(report, n, 1);
  e->x_label = bez_report_text(report, x_label ? x_label : "");
  e->y_label = bez_report_text(report, y_label ? y_label : "");
  if (!px || !py || !pm || !e->x_label || !e->y_label) return NULL;
  for (uint32_t i = 0, k = 0; i < n_points; i++) {
    if (!keep[i]) continue;
    px[k] = isfinite(x[i]) ? x[i] : NAN;
    py[k] = isfinite(y[i]) ? y[i] : NAN;
    pm[k++] = marked && marked[i];
  }
  e->n_points = n;
  e->x = px;
  e->y = py;
  e->marked = marked ? pm : NULL;
  append(f, e);
  return e;
}
