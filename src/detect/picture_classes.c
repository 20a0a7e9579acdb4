#include "detect/picture_classes.h"

#include <stdlib.h>

#include "base/compare.h"
#include "base/error.h"

typedef struct frequent {
  uint64_t count;
  uint32_t code;
} frequent;

static int most_frequent_first(const void *x, const void *y) {
  const frequent *a = x, *b = y;
  if (a->count != b->count) return a->count > b->count ? -1 : 1;
  return a->code < b->code ? -1 : a->code > b->code;
}

/* The codes of the classes, bez_compare_u32. */
static void choose(const bez_column *col, uint64_t n_rows, frequent *list, bez_picture_classes *c) {
  for (uint32_t v = 0; v < col->n_values; v++) list[v] = (frequent){0, v};
  for (uint64_t row = 0; row < n_rows; row++) list[bez_code(col, row)].count++;
  uint32_t labels = 0;
  for (uint32_t v = 0; v < col->n_values; v++) {
    if (v < BEZ_CODE_FIRST) list[v].count = 0;
    labels += list[v].count > 0;
  }
  qsort(list, col->n_values, sizeof *list, most_frequent_first);
  while (c->n < BEZ_PICTURE_CLASSES && c->n < col->n_values && list[c->n].count >= BEZ_PICTURE_CLASS_ROWS) {
    c->code[c->n] = list[c->n].code;
    c->n++;
  }
  c->n_left = labels - c->n;
  qsort(c->code, c->n, sizeof *c->code, bez_compare_u32);
}

void bez_picture_classes_destroy(bez_picture_classes *classes) {
  if (!classes) return;
  free(classes->code);
  free(classes->count);
  free(classes->of_row);
  free(classes);
}

bez_status bez_picture_classes_make(const bez_detect_input *in, bez_picture_classes **out, bez_error *err) {
  const bez_column *col = &in->table->cols[in->label];
  uint64_t n_rows = in->table->n_rows;
  bez_status st = BEZ_OK;
  bez_picture_classes *c = calloc(1, sizeof *c);
  frequent *list = calloc((size_t)col->n_values + 1, sizeof *list);
  uint32_t *class_of = malloc(((size_t)col->n_values + 1) * sizeof *class_of);
  *out = NULL;
  if (c) {
    c->code = calloc(BEZ_PICTURE_CLASSES, sizeof *c->code);
    c->count = calloc(BEZ_PICTURE_CLASSES, sizeof *c->count);
    c->of_row = malloc((n_rows + 1) * sizeof *c->of_row);
  }
  if (!c || !list || !class_of || !c->code || !c->count || !c->of_row) {
    st = bez_fail_memory(err, n_rows * sizeof *c->of_row);
    goto cleanup;
  }
  c->n_rows = (uint32_t)n_rows;
  choose(col, n_rows, list, c);
  for (uint32_t v = 0; v < col->n_values; v++) class_of[v] = BEZ_PICTURE_NONE;
  for (uint32_t k = 0; k < c->n; k++) class_of[c->code[k]] = k;
  for (uint64_t row = 0; row < n_rows; row++) {
    c->of_row[row] = class_of[bez_code(col, row)];
    if (c->of_row[row] != BEZ_PICTURE_NONE) c->count[c->of_row[row]]++;
  }
  *out = c;
  c = NULL;
cleanup:
  bez_picture_classes_destroy(c);
  free(list);
  free(class_of);
  return st;
}

void bez_picture_classes_tell(const bez_picture_classes *classes, bez_report *report, const char *what) {
  if (classes->n < 2)
    bez_report_not_checked(report, false, what, "fewer than two labels of %u pictures each", BEZ_PICTURE_CLASS_ROWS);
  else if (classes->n_left)
    bez_report_not_checked(report, false, what, "%u labels of fewer than %u pictures, or beyond the %u most frequent",
                           classes->n_left, BEZ_PICTURE_CLASS_ROWS, BEZ_PICTURE_CLASSES);
}
