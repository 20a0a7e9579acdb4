/* Rewriting npy and IDX arrays: items and pictures change in place, rows go to the quarantine, copies of rows follow at
 * the end (the header then says how many there are), every other byte stays: the order of bytes, the layout, what
 * stands behind the data. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/limits.h"
#include "format/packed_out.h"
#include "format/pixels.h"
#include "format/rewrite_internal.h"

#define BLOCK_BYTES ((uint64_t)4 << 20)
#define NPY_ALIGN 64u /* data begin at a multiple of this, so that arrays can be mapped */

typedef struct array_job {
  const bez_source *source;
  const bez_rewrite *plan;
  bez_arena arena;
  bez_array array;
  bez_field idx_field;
  bez_buf header;
  bool idx;
  bez_pixel_layout layout;
  uint8_t *before, *after; /* one picture, as pixels */
  uint8_t *block;
  size_t next_edit, next_drop, next_paint, next_copy_edit;
  bez_packed_out *out, *quarantine; /* quarantine: NULL where there is none */
} array_job;

/* ---- the header ---- */

static bez_status read_header(array_job *j, bez_error *err) {
  const bez_source *s = j->source;
  size_t want = j->idx ? BEZ_IDX_HEADER_MAX : BEZ_MAX_NPY_HEADER + 12, got = 0;
  if (want > s->size) want = (size_t)s->size;
  if (!bez_buf_reserve(&j->header, want)) return bez_fail_memory(err, want);
  uint8_t *bytes = (uint8_t *)j->header.data;
  bez_status st = bez_source_read(s, 0, bytes, want, &got, err);
  if (st != BEZ_OK) return st;
  st = j->idx ? bez_idx_header(bytes, got, s->size, s->path, &j->idx_field, &j->array, err)
              : bez_npy_header(bytes, got, s->size, s->path, NULL, &j->arena, &j->array, err);
  if (st != BEZ_OK) return st;
  j->header.len = (size_t)j->array.data_at;
  if (j->array.fortran)
    return bez_fail(err, BEZ_UNSUPPORTED, s->path, "arrays in Fortran order are not rewritten: save a C order copy");
  return BEZ_OK;
}

/* The first number of the shape: [*begin, *end) of the header's text. */
static bool find_shape(const char *text, size_t len, size_t *begin, size_t *end) {
  static const char key[] = "shape";
  for (size_t i = 1; i + sizeof key < len; i++) {
    size_t at = i + sizeof key - 1;
    if (memcmp(text + i, key, sizeof key - 1) != 0 || text[i - 1] != text[at]) continue;
    for (at++; at < len && strchr(" :(", text[at]) && text[at]; at++) {
    }
    for (*begin = *end = at; *end < len && text[*end] >= '0' && text[*end] <= '9'; ++*end) {
    }
    if (*end > *begin) return true;
  }
  return false;
}

/* The npy header with another number of rows. */
static bez_status put_npy_rows(array_job *j, uint64_t n_rows, bez_buf *out, bez_error *err) {
  const char *raw = j->header.data;
  size_t preamble = raw[6] == 1 ? 10 : 12, len = j->header.len - preamble, begin, end, last = len;
  const char *text = raw + preamble;
  if (!find_shape(text, len, &begin, &end))
    return bez_fail(err, BEZ_UNSUPPORTED, j->source->path, "the shape in the header is written in an unusual way");
  while (last > end && (text[last - 1] == ' ' || text[last - 1] == '\n')) last--;
  bez_buf_write(out, raw, preamble);
  bez_buf_write(out, text, begin);
  bez_buf_printf(out, "%llu", (unsigned long long)n_rows);
  bez_buf_write(out, text + end, last - end);
  while (out->len + 1 < j->header.len || (out->len + 1) % NPY_ALIGN) {
    if (out->failed || out->len + 1 == j->header.len) break; /* it fits where it stood, aligned or not */
    bez_buf_putc(out, ' ');
  }
  bez_buf_putc(out, '\n');
  bez_status st = bez_buf_status(out, err);
  if (st != BEZ_OK) return st;
  size_t size = out->len - preamble;
  if (preamble == 10 && size > UINT16_MAX) return bez_fail(err, BEZ_LIMIT, j->source->path, "the header is too long");
  for (size_t i = 8; i < preamble; i++, size >>= 8) out->data[i] = (char)(size & 255);
  return BEZ_OK;
}

/* The header for n_rows rows. */
static bez_status put_header(array_job *j, uint64_t n_rows, bez_packed_out *out, bez_error *err) {
  bez_buf grown = {0};
  bez_array check;
  bez_arena arena = {0};
  bez_status st = BEZ_OK;
  if (n_rows == j->array.n_rows && !j->idx) return bez_packed_out_write(out, j->header.data, j->header.len, err);
  if (j->idx) { /* the quarantine's count stands there after it was written: set in any case */
    if (n_rows > UINT32_MAX) BEZ_TRY(bez_fail(err, BEZ_LIMIT, j->source->path, "too many rows for an IDX file"));
    for (size_t i = 0; i < 4; i++) j->header.data[4 + i] = (char)(n_rows >> (24 - 8 * i) & 255);
    BEZ_TRY(bez_packed_out_write(out, j->header.data, j->header.len, err));
    goto cleanup;
  }
  BEZ_TRY(put_npy_rows(j, n_rows, &grown, err));
  BEZ_TRY(bez_npy_header((const uint8_t *)grown.data, grown.len, UINT64_MAX, j->source->path, NULL, &arena, &check,
                         err)); /* what we wrote must say what we mean */
  if (check.n_rows != n_rows || check.n_dims != j->array.n_dims)
    BEZ_TRY(bez_fail(err, BEZ_UNSUPPORTED, j->source->path, "the shape in the header is written in an unusual way"));
  BEZ_TRY(bez_packed_out_write(out, grown.data, grown.len, err));
cleanup:
  bez_arena_free(&arena);
  bez_buf_free(&grown);
  return st;
}

/* ---- rows ---- */

static bez_status read_bytes(const array_job *j, uint64_t at, uint8_t *out, size_t len, bez_error *err) {
  size_t got = 0;
  bez_status st = bez_source_read(j->source, at, out, len, &got, err);
  if (st == BEZ_OK && got != len)
    st = bez_fail(err, BEZ_IO, j->source->path, "the file became shorter while it was read");
  return st;
}

static bez_status set_items(const array_job *j, const bez_edit *edits, size_t n_edits, size_t *next, uint64_t row,
                            uint8_t *items, bez_error *err) {
  for (; *next < n_edits && edits[*next].row == row; ++*next) {
    const bez_edit *e = &edits[*next];
    if (j->array.n_dims > 2 || e->col >= j->array.n_fields)
      return bez_fail(err, BEZ_USAGE, j->source->path, "row %llu has no cell %u to change", (unsigned long long)row,
                      e->col + 1);
    const bez_field *f = &j->array.fields[e->col];
    bez_status st = bez_array_set_text(f, e->value, e->len, items + f->offset, err);
    if (st != BEZ_OK) return st;
  }
  return BEZ_OK;
}

static bez_status paint(array_job *j, uint64_t row, uint8_t *items, bez_error *err) {
  const bez_painting *p = &j->plan->painting;
  bool listed = j->next_paint < p->n_rows && p->rows[j->next_paint] == row;
  if (listed) j->next_paint++;
  if (!p->paint || !(listed || p->every)) return BEZ_OK;
  const bez_pixel_layout *l = &j->layout;
  (void)bez_pixels_get(l, &j->array.fields[0], items, j->before);
  memcpy(j->after, j->before, (size_t)l->height * l->width * l->kept);
  bez_status st = p->paint(p->ctx, row, j->after, err);
  if (st == BEZ_OK) bez_pixels_put(l, &j->array.fields[0], j->before, j->after, items);
  return st;
}

/* Whether a row leaves `out`; asked for each row in turn. */
static bool leaves(array_job *j, uint64_t row) {
  bool leaving = j->next_drop < j->plan->n_drop && j->plan->drop[j->next_drop] == row;
  j->next_drop += leaving;
  return leaving;
}

/* Sends the rows of the block on their ways, runs of one way at once. */
static bez_status route_block(array_job *j, uint64_t first, uint64_t rows, bez_error *err) {
  uint64_t begin = 0;
  bool now = false;
  for (uint64_t r = 0; r <= rows; r++) {
    bool next = r < rows ? leaves(j, first + r) : !now;
    if (next != now && r > begin) {
      bez_packed_out *to = now ? j->quarantine : j->out;
      const uint8_t *items = j->block + begin * j->array.stride;
      bez_status st = to ? bez_packed_out_write(to, items, (size_t)((r - begin) * j->array.stride), err) : BEZ_OK;
      if (st != BEZ_OK) return st;
      begin = r;
    }
    now = next;
  }
  return BEZ_OK;
}

static bez_status put_rows(array_job *j, bez_error *err) {
  const bez_array *a = &j->array;
  const bez_rewrite *plan = j->plan;
  uint64_t at_once = BLOCK_BYTES / a->stride ? BLOCK_BYTES / a->stride : 1;
  for (uint64_t first = 0; first < a->n_rows; first += at_once) {
    uint64_t rows = a->n_rows - first < at_once ? a->n_rows - first : at_once;
    bez_status st = bez_rewrite_step(plan, first, err);
    if (st == BEZ_OK) st = read_bytes(j, a->data_at + first * a->stride, j->block, (size_t)(rows * a->stride), err);
    for (uint64_t r = 0; st == BEZ_OK && r < rows; r++) {
      uint8_t *items = j->block + r * a->stride;
      st = set_items(j, plan->edits, plan->n_edits, &j->next_edit, first + r, items, err);
      if (st == BEZ_OK) st = paint(j, first + r, items, err);
    }
    if (st == BEZ_OK) st = route_block(j, first, rows, err);
    if (st != BEZ_OK) return st;
  }
  return BEZ_OK;
}

/* Copies are of rows as they stood. */
static bez_status put_copies(array_job *j, bez_error *err) {
  const bez_array *a = &j->array;
  const bez_rewrite *plan = j->plan;
  for (size_t i = 0; i < plan->n_copies; i++) {
    if (plan->copies[i] >= a->n_rows)
      return bez_fail(err, BEZ_USAGE, j->source->path, "there is no row %llu to copy",
                      (unsigned long long)plan->copies[i]);
    bez_status st = read_bytes(j, a->data_at + plan->copies[i] * a->stride, j->block, (size_t)a->stride, err);
    if (st == BEZ_OK) st = set_items(j, plan->copy_edits, plan->n_copy_edits, &j->next_copy_edit, i, j->block, err);
    if (st == BEZ_OK) st = paint(j, a->n_rows + i, j->block, err);
    if (st == BEZ_OK) st = bez_packed_out_write(j->out, j->block, (size_t)a->stride, err);
    if (st != BEZ_OK) return st;
  }
  return BEZ_OK;
}

/* What stands behind the data. */
static bez_status put_rest(array_job *j, bez_error *err) {
  for (uint64_t at = j->array.data_at + j->array.data_size; at < j->source->size;) {
    uint64_t left = j->source->size - at;
    size_t n = (size_t)(left < BLOCK_BYTES ? left : BLOCK_BYTES);
    bez_status st = read_bytes(j, at, j->block, n, err);
    if (st == BEZ_OK) st = bez_packed_out_write(j->out, j->block, n, err);
    if (st != BEZ_OK) return st;
    at += n;
  }
  return BEZ_OK;
}

static bez_status make_room(array_job *j, bez_error *err) {
  uint64_t block = j->array.stride > BLOCK_BYTES ? j->array.stride : BLOCK_BYTES;
  if (j->array.stride > BEZ_MAX_IMAGE_BYTES * 8) return bez_fail(err, BEZ_LIMIT, j->source->path, "a row is too large");
  j->block = malloc((size_t)block);
  if (!j->block) return bez_fail_memory(err, block);
  if (!j->plan->painting.paint) return BEZ_OK;
  if (j->array.n_dims < 3) return bez_fail(err, BEZ_UNSUPPORTED, j->source->path, "this array holds no pictures");
  bez_status st = bez_pixel_layout_find(j->source, &j->array, &j->layout, err);
  if (st != BEZ_OK) return st;
  size_t each = (size_t)j->layout.height * j->layout.width * j->layout.kept;
  j->before = malloc(each + 1);
  j->after = malloc(each + 1);
  return j->before && j->after ? BEZ_OK : bez_fail_memory(err, 2 * each);
}

static bez_status check_plan(const array_job *j, bez_error *err) {
  const bez_rewrite *plan = j->plan;
  uint64_t n_rows = j->array.n_rows;
  if (plan->n_rows && plan->n_rows != n_rows)
    return bez_fail(err, BEZ_USAGE, j->source->path,
                    "is not the file that was scanned: it has %llu rows, the report says %llu",
                    (unsigned long long)n_rows, (unsigned long long)plan->n_rows);
  if (plan->n_drop > n_rows || (plan->n_drop && plan->drop[plan->n_drop - 1] >= n_rows))
    return bez_fail(err, BEZ_USAGE, j->source->path, "the plan drops rows that the file does not have");
  return BEZ_OK;
}

static bez_status check_all_used(const array_job *j, bez_error *err) {
  const bez_rewrite *plan = j->plan;
  if (j->next_edit == plan->n_edits && j->next_drop == plan->n_drop && j->next_copy_edit == plan->n_copy_edits &&
      j->next_paint == plan->painting.n_rows)
    return BEZ_OK;
  return bez_fail(err, BEZ_USAGE, j->source->path,
                  "the plan names rows that the file does not have (it has %llu, or the plan is unsorted)",
                  (unsigned long long)j->array.n_rows);
}

bez_status bez_rewrite_array(const bez_source *source, const char *reader, const bez_rewrite *plan,
                             const char *out_path, const char *quarantine_path, bez_rewrite_result *result,
                             bez_error *err) {
  array_job j = {.source = source, .plan = plan, .idx = !strcmp(reader, "idx")};
  bez_packed_out *done;
  bez_status st = BEZ_OK;
  BEZ_TRY(read_header(&j, err));
  BEZ_TRY(check_plan(&j, err));
  BEZ_TRY(make_room(&j, err));
  BEZ_TRY(bez_packed_out_open(out_path, &j.out, err));
  if (quarantine_path) BEZ_TRY(bez_packed_out_open(quarantine_path, &j.quarantine, err));
  if (quarantine_path) BEZ_TRY(put_header(&j, plan->n_drop, j.quarantine, err));
  BEZ_TRY(put_header(&j, j.array.n_rows - plan->n_drop + plan->n_copies, j.out, err));
  BEZ_TRY(put_rows(&j, err));
  BEZ_TRY(put_copies(&j, err));
  BEZ_TRY(put_rest(&j, err));
  BEZ_TRY(check_all_used(&j, err));
  done = j.quarantine; /* first: no row may be gone from `out` that is not safe in there */
  j.quarantine = NULL;
  if (done) BEZ_TRY(bez_packed_out_commit(done, err));
  done = j.out;
  j.out = NULL;
  BEZ_TRY(bez_packed_out_commit(done, err));
  *result = (bez_rewrite_result){j.array.n_rows, j.array.n_rows - plan->n_drop, plan->n_drop};
cleanup:
  bez_packed_out_abandon(j.out);
  bez_packed_out_abandon(j.quarantine);
  bez_buf_free(&j.header);
  bez_arena_free(&j.arena);
  free(j.before);
  free(j.after);
  free(j.block);
  return st;
}
