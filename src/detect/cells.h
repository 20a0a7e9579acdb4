/* Cells as text, for titles, patterns, row lists and exhibits of the table detectors. */
#ifndef BEZ_DETECT_CELLS_H
#define BEZ_DETECT_CELLS_H

#include "detect/detector.h"

/* The value of a code as a printable, NUL-terminated string on the report's arena, cut to 120 bytes; "(missing)" for
 * an empty cell. Never NULL ("" when memory is out). */
const char *bez_cells_value(bez_report *report, const bez_column *col, uint32_t code);

/* The label of a row, or NULL where there is no label column. */
const char *bez_cells_label(bez_report *report, const bez_detect_input *in, uint64_t row);

/* One text per label code, made once so that long row lists share it. n_values entries; NULL without label column
 * or without memory (the report remembers). */
const char **bez_cells_labels(bez_report *report, const bez_detect_input *in);

/* An exhibit of up to eight columns (the highlighted ones first, then others, then the label) and the given rows. */
void bez_cells_exhibit(bez_report *report, bez_finding *f, const bez_detect_input *in, const char *caption,
                       const char *role, const uint64_t *rows, uint32_t n_rows, const uint32_t *highlight,
                       uint32_t n_highlight);

/* How the labels of some rows are spread. */
typedef struct bez_label_share {
  uint32_t code; /* the most frequent label, ties to the lowest code */
  double purity; /* its share among the rows, 0 without label column or rows */
} bez_label_share;
BEZ_MUST_USE bez_status bez_cells_purity(const bez_detect_input *in, const uint64_t *rows, uint64_t n_rows,
                                         bez_label_share *out, bez_error *err);

#endif
