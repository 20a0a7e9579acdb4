/* One string of everything a table says, so that two tables can be compared. */
#ifndef BEZ_TEST_TABLE_DIGEST_H
#define BEZ_TEST_TABLE_DIGEST_H

#include "base/buf.h"
#include "base/hash.h"
#include "table_helpers.h"

static inline void digest_column(const bez_table *t, const bez_column *col, bez_buf *out) {
  bez_buf_printf(out, "%s %d %d trunc=%d width=%u values=%u missing=%llu distinct=%llu", col->name, col->type,
                 col->role, col->truncated, col->width, col->n_values, (unsigned long long)col->n_missing,
                 (unsigned long long)col->n_distinct);
  uint64_t h = 0;
  if (col->width) {
    h = bez_hash64(col->codes, t->n_rows * col->width, 1);
    h = bez_hash64(col->value_at, ((size_t)col->n_values + 1) * 8, h);
    h = bez_hash64(col->value_bytes, col->value_at[col->n_values], h);
    h = bez_hash64(col->count, (size_t)col->n_values * 4, h);
    if (col->number)
      for (uint32_t c = 0; c < col->n_values; c++)
        if (col->number[c] == col->number[c]) h = bez_hash64(&col->number[c], 8, h);
    if (col->raw)
      for (uint64_t r = 0; r < t->n_rows; r++)
        if (col->raw[r] == col->raw[r]) h = bez_hash64(&col->raw[r], 4, h);
  }
  if (col->text_at) {
    h = bez_hash64(col->text_at, (t->n_rows + 1) * 8, h);
    h = bez_hash64(col->text_bytes, col->text_at[t->n_rows], h);
  }
  bez_buf_printf(out, " %016llx\n", (unsigned long long)h);
}

/* Owned by the caller: free(). */
static inline char *table_digest(const bez_table *t) {
  bez_buf out = {0};
  bez_buf_printf(&out, "rows=%llu cols=%u label=%d guessed=%d\n", (unsigned long long)t->n_rows, t->n_cols, t->label,
                 t->label_guessed);
  for (uint32_t c = 0; c < t->n_cols; c++) digest_column(t, &t->cols[c], &out);
  for (const bez_table_remark *r = t->remarks; r; r = r->next)
    bez_buf_printf(&out, "remark %s x%llu line %lld\n", r->rule, (unsigned long long)r->count,
                   (long long)r->first_line);
  assert_int_equal(out.failed, BEZ_OK);
  return out.data;
}

#endif
