/* CSV, twice: through the fast scan in small tiles and through the reference splitter. Both must say the same. The
 * first byte picks tile size and threads. */
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "format/csv_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bez_status read_table(const uint8_t *data, size_t size, unsigned threads, const bez_csv_tuning *tuning,
                             bez_table **out, bez_error *err) {
  bez_read_options options = {.threads = threads};
  bez_source source = {.path = "fuzz.csv", .size = size, .fd = -1, .bytes = data, .packing = ""};
  bez_builder *builder = NULL;
  *out = NULL;
  if (bez_builder_create(&options, &builder, err) != BEZ_OK) abort();
  bez_status st = bez_csv_read(&source, builder, tuning, err);
  if (st == BEZ_OK) return bez_builder_finish(builder, out, err);
  bez_builder_destroy(builder);
  return st;
}

static void must(bool holds) {
  if (!holds) abort();
}

static void compare(const bez_table *a, const bez_table *b) {
  must(a->n_rows == b->n_rows && a->n_cols == b->n_cols && a->label == b->label);
  for (uint32_t c = 0; c < a->n_cols; c++) {
    must(!strcmp(a->cols[c].name, b->cols[c].name) && a->cols[c].type == b->cols[c].type);
    must(a->cols[c].n_distinct == b->cols[c].n_distinct && a->cols[c].n_missing == b->cols[c].n_missing);
    for (uint64_t r = 0; r < a->n_rows; r++) {
      size_t n, m;
      const char *x = bez_cell(a, c, r, &n), *y = bez_cell(b, c, r, &m);
      must(n == m && (n == 0 || !memcmp(x, y, n)));
    }
  }
  const bez_table_remark *x = a->remarks, *y = b->remarks;
  for (; x && y; x = x->next, y = y->next)
    must(!strcmp(x->rule, y->rule) && x->count == y->count && x->first_line == y->first_line);
  must(!x && !y);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0) return 0;
  bez_csv_tuning fast = {.cpu = bez_cpu_features(), .tile_bytes = 16 + (data[0] & 63) * 4, .profile_bytes = 512};
  bez_csv_tuning reference = {.reference = true, .tile_bytes = fast.tile_bytes, .profile_bytes = 512};
  bez_error err[2] = {{.line = -1, .offset = -1}, {.line = -1, .offset = -1}};
  bez_table *table[2];
  uint8_t *copy = malloc(size); /* so that reading past the end is seen */
  if (!copy) return 0;
  memcpy(copy, data + 1, size - 1);
  bez_status st = read_table(copy, size - 1, 1 + (data[0] >> 7), &fast, &table[0], &err[0]);
  bez_status st2 = read_table(copy, size - 1, 1, &reference, &table[1], &err[1]);
  must(st == st2 && (st == BEZ_OK) == (table[0] != NULL));
  if (st == BEZ_OK)
    compare(table[0], table[1]);
  else
    must(err[0].code == st && err[0].message[0] && err[0].line == err[1].line);
  bez_table_destroy(table[0]);
  bez_table_destroy(table[1]);
  free(copy);
  return 0;
}
