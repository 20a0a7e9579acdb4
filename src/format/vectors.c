/* Embeddings beside the rows: a 2-D npy, one vector per row, taken as float32. */
#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/limits.h"
#include "base/threads.h"
#include "format/array.h"
#include "format/builder_internal.h"
#include "format/images.h"
#include "format/remote.h"
#include "format/source.h"

#define BLOCK_ROWS 4096u

static bez_status header(const bez_source *source, bez_arena *arena, bez_array *array, bez_error *err) {
  size_t want = BEZ_MAX_NPY_HEADER + 12, got = 0;
  uint8_t *head = malloc(want);
  if (!head) return bez_fail_memory(err, want);
  bez_status st = bez_source_read(source, 0, head, want, &got, err);
  if (st == BEZ_OK) st = bez_npy_header(head, got, source->size, source->path, NULL, arena, array, err);
  free(head);
  if (st != BEZ_OK) return st;
  if (array->n_dims != 2 || array->fortran || array->fields[0].kind != BEZ_ITEM_FLOAT || array->n_fields < 2)
    return bez_fail(err, BEZ_FORMAT, source->path,
                    "embeddings are a 2-D array of floating-point numbers in C order, one row per row of the data");
  return BEZ_OK;
}

/* One block of rows to float32; a number that is none names its row. */
static bez_status convert(const bez_source *source, const bez_array *a, uint64_t row, uint64_t rows,
                          const uint8_t *block, float *out, bez_error *err) {
  for (uint64_t i = 0; i < rows * a->n_fields; i++) {
    out[i] = (float)bez_array_number(&a->fields[0], block + i * a->fields[0].size);
    if (!isfinite(out[i]))
      return bez_fail(err, BEZ_FORMAT, source->path, "row %llu holds a number that is not finite",
                      (unsigned long long)(row + i / a->n_fields));
  }
  return BEZ_OK;
}

static bez_status fill(const bez_source *source, const bez_array *a, float *values, bez_error *err) {
  bez_status st = BEZ_OK;
  uint8_t *block = malloc(BLOCK_ROWS * a->stride);
  if (!block) return bez_fail_memory(err, BLOCK_ROWS * a->stride);
  for (uint64_t row = 0; st == BEZ_OK && row < a->n_rows; row += BLOCK_ROWS) {
    uint64_t rows = a->n_rows - row < BLOCK_ROWS ? a->n_rows - row : BLOCK_ROWS;
    size_t got = 0, want = (size_t)(rows * a->stride);
    st = bez_source_read(source, a->data_at + row * a->stride, block, want, &got, err);
    if (st == BEZ_OK && got != want)
      st = bez_fail(err, BEZ_IO, source->path, "the file became shorter while it was read");
    if (st == BEZ_OK) st = convert(source, a, row, rows, block, values + row * a->n_fields, err);
  }
  free(block);
  return st;
}

static void keep_sampled(const bez_table *table, uint32_t dim, float *values) {
  for (uint64_t i = 0; table->sampled_row && i < table->n_rows; i++)
    for (uint32_t d = 0; d < dim; d++) values[i * dim + d] = values[table->sampled_row[i] * dim + d];
}

/* The file, or what is fetched of a URL (*spool, to be destroyed behind the source). */
static bez_status open_vectors(const bez_read_options *options, bez_table *table, bez_spool **spool, bez_source *source,
                               bez_error *err) {
  const char *path = options->embeddings;
  const size_t *ids;
  size_t n;
  bez_status st = bez_remote_create(options, &path, 1, spool, err);
  if (st != BEZ_OK || !*spool) return st == BEZ_OK ? bez_source_open(path, &table->budget, source, err) : st;
  st = bez_spool_add(*spool, path, &ids, &n, err);
  if (st == BEZ_OK && n != 1) st = bez_fail(err, BEZ_USAGE, path, "embeddings are one file, this names %zu", n);
  if (st == BEZ_OK) st = bez_spool_fetch(*spool, ids, n, err);
  if (st != BEZ_OK) return st;
  return bez_source_open_in(*spool, bez_spool_name(*spool, ids[0]), &table->budget, source, err);
}

bez_status bez_vectors_open(const bez_read_options *options, bez_table *table, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_arena arena = {0};
  bez_source source = {.fd = -1};
  bez_array array = {0};
  bez_spool *spool = NULL;
  float *values;
  BEZ_TRY(open_vectors(options, table, &spool, &source, err));
  BEZ_TRY(header(&source, &arena, &array, err));
  if (array.n_rows != table->n_rows_seen)
    BEZ_TRY(bez_fail(err, BEZ_FORMAT, options->embeddings, "%llu vectors for %llu rows",
                     (unsigned long long)array.n_rows, (unsigned long long)table->n_rows_seen));
  if (array.n_fields > BEZ_MAX_VECTOR)
    BEZ_TRY(bez_fail(err, BEZ_LIMIT, options->embeddings, "vectors of %u numbers", array.n_fields));
  BEZ_TRY(bez_owned_alloc(table, array.n_rows * array.n_fields * sizeof *values + 1, &values, err));
  BEZ_TRY(fill(&source, &array, values, err));
  keep_sampled(table, array.n_fields, values);
  bez_vectors *vectors = bez_arena_alloc(&table->arena, sizeof *vectors);
  if (!vectors) BEZ_TRY(bez_fail_memory(err, sizeof *vectors));
  *vectors = (bez_vectors){.n = table->n_rows, .dim = array.n_fields, .values = values};
  table->vectors = vectors;
cleanup:
  bez_source_close(&source);
  bez_spool_destroy(spool);
  bez_arena_free(&arena);
  return st;
}
