/* Exhibits in HTML: cells as a table, text with marks, a small picture, a plot. */
#include <string.h>

#include "base/base64.h"
#include "base/utf8.h"
#include "report/html.h"
#include "report/visible.h"

enum {
  MAX_COLUMNS = 24,    /* of a cell exhibit that are shown */
  PRINTED_COLUMNS = 9, /* of these, on paper */
  LONG_CELL = 40       /* bytes: longer cells wrap */
};

void bez_html_text(bez_buf *out, const char *text, size_t len) {
  size_t plain = 0;
  for (size_t at = 0; at < len;) {
    uint32_t cp;
    char escape[16];
    size_t used = bez_utf8_decode(text + at, len - at, &cp, NULL);
    if (bez_hazardous(cp)) {
      bez_markup_text(out, BEZ_MARKUP_XML, text + plain, at - plain);
      bez_buf_puts(out, "<span class=\"esc\">");
      bez_buf_write(out, escape, bez_escape(cp, escape));
      bez_buf_puts(out, "</span>");
      plain = at + used;
    }
    at += used;
  }
  bez_markup_text(out, BEZ_MARKUP_XML, text + plain, len - plain);
}

void bez_html_puts(bez_buf *out, const char *text) {
  if (text) bez_html_text(out, text, strlen(text));
}

void bez_html_short(bez_buf *out, const char *text, size_t max) {
  size_t len = text ? strlen(text) : 0, keep = len > max ? max : len;
  while (keep < len && keep > 0 && ((unsigned char)text[keep] & 0xC0) == 0x80) keep--;
  if (keep) bez_html_text(out, text, keep);
  if (keep < len) bez_buf_puts(out, "\xE2\x80\xA6");
}

static bool highlighted(const bez_exhibit *x, uint32_t col) {
  for (uint32_t r = 0; r < x->n_rows; r++)
    if (x->highlight[(size_t)r * x->n_cols + col]) return true;
  return false;
}

/* Highlighted columns first, then the others, both in table order. */
static uint32_t pick_columns(const bez_exhibit *x, uint32_t picked[MAX_COLUMNS]) {
  uint32_t n = 0;
  for (int pass = 0; pass < 2; pass++)
    for (uint32_t c = 0; c < x->n_cols && n < MAX_COLUMNS; c++)
      if (highlighted(x, c) == (pass == 0)) picked[n++] = c;
  return n;
}

/* "<td class=…>" with the classes that apply. */
static void open_cell(bez_buf *out, const char *tag, bool hit, bool wide, bool far) {
  bez_buf_puts(out, tag);
  if (hit || wide || far)
    bez_buf_printf(out, " class=\"%s%s%s\"", hit ? "hit" : "", wide ? " long" : "", far ? " far" : "");
  bez_buf_putc(out, '>');
}

static void put_cell_row(bez_buf *out, const bez_exhibit *x, uint32_t r, const uint32_t *cols, uint32_t n) {
  const char *kind = strstr(x->role[r], "flagged") ? "flag" : strstr(x->role[r], "clean") ? "clean" : "";
  bez_buf_printf(out, "<tr class=\"%s\"><th scope=\"row\">", kind);
  bez_html_puts(out, *x->role[r] ? x->role[r] : "row");
  bez_buf_puts(out, "</th>");
  for (uint32_t i = 0; i < n; i++) {
    size_t at = (size_t)r * x->n_cols + cols[i];
    open_cell(out, "<td", x->highlight[at], strlen(x->cells[at]) > LONG_CELL, i >= PRINTED_COLUMNS);
    bez_html_puts(out, x->cells[at]);
    bez_buf_puts(out, "</td>");
  }
  bez_buf_puts(out, "</tr>\n");
}

static void put_cells(bez_buf *out, const bez_exhibit *x) {
  uint32_t cols[MAX_COLUMNS], n = pick_columns(x, cols);
  bez_buf_puts(out, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Example rows\"><table "
                    "class=\"cells\"><caption>");
  bez_html_puts(out, x->caption);
  if (n < x->n_cols) bez_buf_printf(out, " <span class=\"dim\">(%u of %u columns)</span>", n, x->n_cols);
  bez_buf_puts(out, "</caption><thead><tr><th scope=\"col\">row</th>");
  for (uint32_t i = 0; i < n; i++) {
    open_cell(out, "<th scope=\"col\"", highlighted(x, cols[i]), false, i >= PRINTED_COLUMNS);
    bez_html_puts(out, x->header[cols[i]]);
    bez_buf_puts(out, "</th>");
  }
  bez_buf_puts(out, "</tr></thead><tbody>\n");
  for (uint32_t r = 0; r < x->n_rows; r++) put_cell_row(out, x, r, cols, n);
  bez_buf_puts(out, "</tbody></table></div>\n");
}

/* Line breaks and tabs of a text are layout here and need no escape. */
static void put_text_lines(bez_buf *out, const char *text, size_t len) {
  for (size_t at = 0; at < len;) {
    size_t end = at;
    while (end < len && text[end] != '\n' && text[end] != '\t') end++;
    bez_html_text(out, text + at, end - at);
    if (end < len) bez_buf_putc(out, text[end++]);
    at = end;
  }
}

static void put_text(bez_buf *out, const bez_exhibit *x) {
  size_t at = 0;
  bez_buf_puts(out, "<figcaption>");
  bez_html_puts(out, x->caption);
  bez_buf_puts(out, "</figcaption><p class=\"excerpt\">");
  for (uint32_t i = 0; i < x->n_spans; i++) {
    put_text_lines(out, x->text + at, x->spans[i].begin - at);
    bez_buf_puts(out, "<mark>");
    put_text_lines(out, x->text + x->spans[i].begin, x->spans[i].end - x->spans[i].begin);
    bez_buf_puts(out, "</mark>");
    at = x->spans[i].end;
  }
  put_text_lines(out, x->text + at, strlen(x->text) - at);
  bez_buf_puts(out, "</p>\n");
}

static void le32(uint8_t *p, uint32_t value) {
  for (int i = 0; i < 4; i++) p[i] = (uint8_t)(value >> (8 * i));
}

/* A 24-bit BMP, bottom row first, rows padded to four bytes: the simplest picture that every browser shows. */
static void put_tile(bez_buf *out, const bez_exhibit *x) {
  uint8_t head[54] = {'B', 'M'};
  size_t stride = ((size_t)x->width * 3 + 3) / 4 * 4;
  bez_buf bmp = {0};
  le32(head + 2, (uint32_t)(sizeof head + stride * x->height));
  le32(head + 10, sizeof head);
  le32(head + 14, 40);
  le32(head + 18, x->width);
  le32(head + 22, x->height);
  head[26] = 1;
  head[28] = 24;
  bez_buf_write(&bmp, head, sizeof head);
  for (uint32_t r = x->height; r-- > 0;) {
    const uint8_t *row = x->rgb + (size_t)r * x->width * 3;
    for (uint32_t c = 0; c < x->width; c++)
      for (int k = 2; k >= 0; k--) bez_buf_putc(&bmp, (char)row[c * 3 + (uint32_t)k]);
    for (size_t pad = (size_t)x->width * 3; pad < stride; pad++) bez_buf_putc(&bmp, 0);
  }
  bez_buf_puts(out, "<img class=\"tile\" alt=\"");
  bez_markup_puts(out, BEZ_MARKUP_XML, x->caption);
  bez_buf_printf(out, "\" width=\"%u\" height=\"%u\" src=\"data:image/bmp;base64,", x->width, x->height);
  bez_base64_put(out, (const uint8_t *)bmp.data, bmp.len);
  bez_buf_puts(out, "\"><figcaption>");
  bez_html_puts(out, x->caption);
  bez_buf_puts(out, "</figcaption>\n");
  if (bmp.failed != BEZ_OK) out->failed = bmp.failed;
  bez_buf_free(&bmp);
}

void bez_html_exhibit(bez_buf *out, const bez_exhibit *exhibit) {
  bez_buf_puts(out, exhibit->kind == BEZ_EXHIBIT_TILE ? "<figure class=\"picture\">" : "<figure>");
  switch (exhibit->kind) {
    case BEZ_EXHIBIT_CELLS: put_cells(out, exhibit); break;
    case BEZ_EXHIBIT_TEXT: put_text(out, exhibit); break;
    case BEZ_EXHIBIT_TILE: put_tile(out, exhibit); break;
    case BEZ_EXHIBIT_SERIES:
      bez_buf_puts(out, "<figcaption>");
      bez_html_puts(out, exhibit->caption);
      bez_buf_puts(out, "</figcaption>");
      bez_html_plot(out, exhibit);
      break;
  }
  bez_buf_puts(out, "</figure>\n");
}
