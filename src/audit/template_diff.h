/* What differs between two chat templates, piece by piece: lines, cut in front of every tag. */
#ifndef BEZ_AUDIT_TEMPLATE_DIFF_H
#define BEZ_AUDIT_TEMPLATE_DIFF_H

#include "base/buf.h"
#include "finding/finding.h"

#define BEZ_DIFF_SPANS 64u

typedef struct bez_template_diff {
  bez_buf text; /* "- piece" and "+ piece", one per line, with a piece that stayed around them */
  bez_span spans[BEZ_DIFF_SPANS];
  uint32_t n_spans; /* lines that begin with + */
  size_t added, removed;
} bez_template_diff;

/* Line ends, and blanks at the ends of both, do not count. */
bool bez_template_same(const char *a, const char *b);
BEZ_MUST_USE bez_status bez_template_compare(const char *before, const char *after, bez_template_diff *out,
                                             bez_error *err);
void bez_template_diff_free(bez_template_diff *diff);

#endif
