/* One NumPy array per file (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html): 1-D, 2-D and
 * structured, either byte order, C and Fortran order; three and four dimensions are pictures. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/limits.h"
#include "format/pixels.h"
#include "format/reader.h"

static bez_status push(const bez_source *source, const bez_array *array, bez_builder *builder, bez_error *err) {
  if (array->n_dims <= 2) return bez_arrays_push(source, "npy", array, 1, builder, err);
  bez_status st = bez_pixels_push(source, array, builder, err);
  if (st != BEZ_OK) return st;
  return bez_image_rows_push(builder, source->path, "npy", source->size, array->n_rows, NULL, err);
}

static bez_status npy_read(bez_source *source, bez_builder *builder, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_arena arena = {0};
  bez_array array;
  size_t want = BEZ_MAX_NPY_HEADER + 12, got = 0;
  if (want > source->size) want = (size_t)source->size;
  uint8_t *head = malloc(want + 1);
  if (!head) return bez_fail_memory(err, want);
  BEZ_TRY(bez_source_read(source, 0, head, want, &got, err));
  BEZ_TRY(bez_npy_header(head, got, source->size, source->path, NULL, &arena, &array, err));
  if (array.data_at + array.data_size < source->size && bez_builder_at_start(builder))
    bez_builder_remark(builder, "trailing-bytes", source->path, source->size - array.data_at - array.data_size, -1,
                       "bytes behind the array's data");
  BEZ_TRY(push(source, &array, builder, err));
cleanup:
  bez_arena_free(&arena);
  free(head);
  return st;
}

static int npy_sniff(const uint8_t *head, size_t len, const char *extension) {
  (void)extension;
  return len >= 6 && memcmp(head, "\x93NUMPY", 6) == 0 ? 100 : 0;
}

const bez_reader bez_reader_npy = {
    .name = "npy",
    .title = "NumPy array",
    .extensions = "npy",
    .summary = "1-D, 2-D and structured arrays of numbers, text and dates, format versions 1 to 3; N×H×W, N×H×W×C and "
               "N×C×H×W arrays of numbers are pictures. Arrays of Python objects are refused: reading them would run "
               "what they hold.",
    .sniff = npy_sniff,
    .read = npy_read,
    .parts = true,
};
