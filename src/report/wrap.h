/* Paragraphs for a terminal: wrapped at spaces to a width, with an indent. */
#ifndef BEZ_REPORT_WRAP_H
#define BEZ_REPORT_WRAP_H

#include "base/buf.h"

typedef struct bez_paper {
  bez_buf *out;
  unsigned width; /* columns of a line */
  bool ascii, color;
} bez_paper;

/* Writes text (hazards escaped) wrapped from column `at` on, further lines indented by `indent`, and ends the line.
 * Words longer than a line are broken. */
void bez_wrap(const bez_paper *paper, unsigned at, unsigned indent, const char *text, size_t len);
/* bez_wrap of what a buffer holds; its failure becomes the paper's, and the buffer is empty afterwards. */
void bez_wrap_take(const bez_paper *paper, unsigned at, unsigned indent, bez_buf *line);
/* Text cut to `columns` with an ellipsis, and padded to them if asked; hazards escaped. */
void bez_fit(const bez_paper *paper, unsigned columns, bool pad, const char *text);
void bez_spaces(bez_buf *out, unsigned n);

#endif
