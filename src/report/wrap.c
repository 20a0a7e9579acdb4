/* Wrapping and fitting to terminal columns. */
#include "report/wrap.h"

#include <string.h>

#include "base/utf8.h"
#include "report/visible.h"

void bez_spaces(bez_buf *out, unsigned n) {
  while (n--) bez_buf_putc(out, ' ');
}

/* Bytes of the longest prefix that fits into `columns`; at least one character, so that wrapping always moves. */
static size_t fitting(const char *text, size_t len, size_t columns) {
  size_t used = 0, at = 0;
  while (at < len) {
    uint32_t cp;
    size_t n = bez_utf8_decode(text + at, len - at, &cp, NULL);
    used += bez_char_columns(cp);
    if (used > columns && at > 0) break;
    at += n;
  }
  return at;
}

static void wrap_clean(const bez_paper *paper, unsigned at, unsigned indent, const char *text, size_t len) {
  unsigned column = at;
  bool line_start = true;
  for (size_t i = 0; i < len;) {
    if (text[i] == ' ') {
      i++;
      continue;
    }
    const char *space = memchr(text + i, ' ', len - i);
    size_t word = space ? (size_t)(space - (text + i)) : len - i;
    size_t wide = bez_columns(text + i, word);
    unsigned gap = line_start ? 0 : 1;
    if (column + gap + wide > paper->width && !line_start) {
      bez_buf_putc(paper->out, '\n');
      bez_spaces(paper->out, indent);
      column = indent;
      gap = 0;
    }
    if (column + gap + wide > paper->width) { /* a word longer than the line */
      word = fitting(text + i, word, paper->width > column ? paper->width - column : 1);
      wide = bez_columns(text + i, word);
    }
    bez_spaces(paper->out, gap);
    bez_buf_write(paper->out, text + i, word);
    column += gap + (unsigned)wide;
    line_start = false;
    i += word;
    if (i < len && text[i] != ' ') { /* the rest of a broken word */
      bez_buf_putc(paper->out, '\n');
      bez_spaces(paper->out, indent);
      column = indent;
      line_start = true;
    }
  }
  bez_buf_putc(paper->out, '\n');
}

void bez_wrap(const bez_paper *paper, unsigned at, unsigned indent, const char *text, size_t len) {
  bez_buf clean = {0};
  bez_visible(&clean, text, len, paper->ascii);
  wrap_clean(paper, at, indent, clean.data ? clean.data : "", clean.len);
  if (clean.failed != BEZ_OK) paper->out->failed = clean.failed;
  bez_buf_free(&clean);
}

void bez_wrap_take(const bez_paper *paper, unsigned at, unsigned indent, bez_buf *line) {
  bez_wrap(paper, at, indent, line->data ? line->data : "", line->len);
  if (line->failed != BEZ_OK) paper->out->failed = line->failed;
  bez_buf_clear(line);
}

void bez_fit(const bez_paper *paper, unsigned columns, bool pad, const char *text) {
  bez_buf clean = {0};
  bez_visible(&clean, text, strlen(text), paper->ascii);
  size_t wide = bez_columns(clean.data ? clean.data : "", clean.len), keep = clean.len;
  const char *ellipsis = paper->ascii ? "..." : "\xE2\x80\xA6";
  if (wide > columns) {
    size_t mark = paper->ascii ? 3 : 1;
    keep = columns > mark ? fitting(clean.data, clean.len, columns - mark) : 0;
    wide = bez_columns(clean.data, keep) + mark;
  }
  if (keep) bez_buf_write(paper->out, clean.data, keep);
  if (keep < clean.len) bez_buf_puts(paper->out, ellipsis);
  if (pad && wide < columns) bez_spaces(paper->out, columns - (unsigned)wide);
  if (clean.failed != BEZ_OK) paper->out->failed = clean.failed;
  bez_buf_free(&clean);
}
