#include "detect/cells.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#define VALUE_MOST 120u
#define COLUMNS_MOST 8u

const char *bez_cells_value(bez_report *report, const bez_column *col, uint32_t code) {
  if (code == BEZ_CODE_MISSING) return "(missing)";
  if (code == BEZ_CODE_RARE) return "(rare)";
  size_t len;
  const char *bytes = bez_value(col, code, &len);
  if (len > VALUE_MOST)
    for (len = VALUE_MOST; len > 0 && ((unsigned char)bytes[len] & 0xC0) == 0x80;) len--;
  char *copy = bez_arena_strndup(&report->arena, bytes, len);
  if (!copy) report->out_of_memory = true;
  return copy ? copy : "";
}

const char *bez_cells_label(bez_report *report, const bez_detect_input *in, uint64_t row) {
  if (in->label < 0) return NULL;
  const bez_column *col = &in->table->cols[in->label];
  return bez_cells_value(report, col, bez_code(col, row));
}

const char **bez_cells_labels(bez_report *report, const bez_detect_input *in) {
  if (in->label < 0) return NULL;
  const bez_column *col = &in->table->cols[in->label];
  const char **names = bez_arena_array(&report->arena, col->n_values, sizeof *names);
  if (!names) {
    report->out_of_memory = true;
    return NULL;
  }
  for (uint32_t code = 0; code < col->n_values; code++) names[code] = bez_cells_value(report, col, code);
  return names;
}

/* Highlighted columns, then features that are not among them, then the label. */
static uint32_t choose_columns(const bez_detect_input *in, const uint32_t *highlight, uint32_t n_highlight,
                               uint32_t cols[COLUMNS_MOST]) {
  uint32_t room = COLUMNS_MOST - (in->label >= 0), n = 0;
  for (uint32_t i = 0; i < n_highlight && n < room; i++) cols[n++] = highlight[i];
  for (uint32_t i = 0; i < in->n_features && n < room; i++) {
    bool shown = false;
    for (uint32_t j = 0; j < n_highlight; j++) shown |= highlight[j] == in->features[i];
    if (!shown) cols[n++] = in->features[i];
  }
  if (in->label >= 0) cols[n++] = (uint32_t)in->label;
  return n;
}

void bez_cells_exhibit(bez_report *report, bez_finding *f, const bez_detect_input *in, const char *caption,
                       const char *role, const uint64_t *rows, uint32_t n_rows, const uint32_t *highlight,
                       uint32_t n_highlight) {
  uint32_t cols[COLUMNS_MOST];
  uint32_t n_cols = choose_columns(in, highlight, n_highlight, cols);
  bez_exhibit *x = bez_finding_cells(report, f, caption, n_rows, n_cols);
  if (!x) return;
  for (uint32_t c = 0; c < n_cols; c++) bez_exhibit_header(report, x, c, in->table->cols[cols[c]].name);
  for (uint32_t r = 0; r < n_rows; r++) {
    bez_exhibit_role(report, x, r, role);
    for (uint32_t c = 0; c < n_cols; c++) {
      size_t len;
      const char *text = bez_cell(in->table, cols[c], rows[r], &len);
      bez_exhibit_cell(report, x, r, c, text, len < VALUE_MOST ? len : VALUE_MOST, c < n_highlight);
    }
  }
}

bez_status bez_cells_purity(const bez_detect_input *in, const uint64_t *rows, uint64_t n_rows, bez_label_share *out,
                            bez_error *err) {
  *out = (bez_label_share){0};
  if (in->label < 0 || n_rows == 0) return BEZ_OK;
  const bez_column *col = &in->table->cols[in->label];
  uint64_t *count = calloc((size_t)col->n_values + 1, sizeof *count);
  if (!count) return bez_fail_memory(err, col->n_values * sizeof *count);
  for (uint64_t i = 0; i < n_rows; i++) count[bez_code(col, rows[i])]++;
  for (uint32_t code = 1; code < col->n_values; code++)
    if (count[code] > count[out->code]) out->code = code;
  out->purity = (double)count[out->code] / (double)n_rows;
  free(count);
  return BEZ_OK;
}
