/* Rewriting a data set: each record goes to `out` or to `quarantine`, changed or as it stood, and copies follow at the
 * end. What is not a row (header, empty lines, byte order mark) keeps its place in `out`. */
#include "format/rewrite.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "format/packed_out.h"
#include "format/reader.h"
#include "format/rewrite_internal.h"

#define STEP_ROWS 4096u

static const bez_record_kind *const kinds[] = {&bez_records_csv, &bez_records_jsonl};

typedef struct output {
  bez_packed_out *file;
  bool open_end; /* the last record written had no line end */
} output;

/* Pairs (row, index) sort without a look at the plan. */
typedef struct copy_ref {
  uint64_t row;
  size_t index;
} copy_ref;

typedef struct job {
  const bez_rewrite *plan;
  const char *path;
  const bez_record_kind *kind;
  void *state;
  output out, quarantine;
  uint64_t row; /* of the next data row */
  size_t next_edit, next_drop;
  copy_ref *order; /* of the plan's copies, ascending by row */
  size_t next_copy;
  bez_buf *copies; /* the records to append */
  bez_buf line;
} job;

static bez_status put(job *j, output *o, const char *bytes, size_t len, bez_error *err) {
  const char *end = j->kind->line_end(j->state);
  bez_status st = BEZ_OK;
  if (!o->file || len == 0) return BEZ_OK;
  if (o->open_end) st = bez_packed_out_write(o->file, end, strlen(end), err);
  if (st == BEZ_OK) st = bez_packed_out_write(o->file, bytes, len, err);
  o->open_end = bytes[len - 1] != end[strlen(end) - 1];
  return st;
}

static int by_row_then_index(const void *a, const void *b) {
  const copy_ref *x = a, *y = b;
  if (x->row != y->row) return x->row < y->row ? -1 : 1;
  return x->index < y->index ? -1 : x->index > y->index;
}

static bez_status order_copies(job *j, bez_error *err) {
  const bez_rewrite *plan = j->plan;
  if (plan->n_copies == 0) return BEZ_OK;
  j->order = calloc(plan->n_copies, sizeof *j->order);
  j->copies = calloc(plan->n_copies, sizeof *j->copies);
  if (!j->order || !j->copies) return bez_fail_memory(err, plan->n_copies * sizeof *j->copies);
  for (size_t i = 0; i < plan->n_copies; i++) j->order[i] = (copy_ref){.row = plan->copies[i], .index = i};
  qsort(j->order, plan->n_copies, sizeof *j->order, by_row_then_index);
  return BEZ_OK;
}

/* Keeps the row for the end, with the edits of each of its copies. */
static bez_status keep_copies(job *j, const char *bytes, size_t len, bez_error *err) {
  const bez_rewrite *plan = j->plan;
  for (; j->next_copy < plan->n_copies && j->order[j->next_copy].row == j->row; j->next_copy++) {
    size_t index = j->order[j->next_copy].index, low = 0, high = plan->n_copy_edits;
    while (low < high) {
      size_t middle = low + (high - low) / 2;
      if (plan->copy_edits[middle].row < index)
        low = middle + 1;
      else
        high = middle;
    }
    size_t n = 0;
    while (low + n < plan->n_copy_edits && plan->copy_edits[low + n].row == index) n++;
    bez_status st = j->kind->edit(j->state, bytes, len, plan->copy_edits + low, n, j->row, &j->copies[index], err);
    if (st != BEZ_OK) return st;
  }
  return BEZ_OK;
}

static bez_status route_row(job *j, const bez_record_view *view, bez_rewrite_result *result, bez_error *err) {
  const bez_rewrite *plan = j->plan;
  const char *bytes = view->raw;
  size_t len = view->len, n = 0;
  bez_status st = BEZ_OK;
  while (j->next_edit + n < plan->n_edits && plan->edits[j->next_edit + n].row == j->row) n++;
  if (n) {
    bez_buf_clear(&j->line);
    st = j->kind->edit(j->state, bytes, len, plan->edits + j->next_edit, n, j->row, &j->line, err);
    if (st != BEZ_OK) return st;
    bytes = j->line.data;
    len = j->line.len;
    j->next_edit += n;
  }
  st = keep_copies(j, bytes, len, err);
  if (st != BEZ_OK) return st;
  bool drop = j->next_drop < plan->n_drop && plan->drop[j->next_drop] == j->row;
  while (j->next_drop < plan->n_drop && plan->drop[j->next_drop] == j->row) j->next_drop++;
  j->row++;
  result->n_rows++;
  *(drop ? &result->n_dropped : &result->n_kept) += 1;
  return put(j, drop ? &j->quarantine : &j->out, bytes, len, err);
}

bez_status bez_rewrite_step(const bez_rewrite *plan, uint64_t row, bez_error *err) {
  if (!plan->progress || plan->progress(plan->progress_ctx, "writing", "rows", row, plan->n_rows)) return BEZ_OK;
  return bez_fail(err, BEZ_CANCELLED, NULL, "cancelled");
}

static bez_status route_all(job *j, bez_rewrite_result *result, bez_error *err) {
  bez_record_view view;
  bez_status st;
  for (;;) {
    st = j->kind->next(j->state, &view, err);
    if (st != BEZ_OK || view.done) break;
    if (view.is_row) {
      if (j->row % STEP_ROWS == 0) st = bez_rewrite_step(j->plan, j->row, err);
      if (st == BEZ_OK) st = route_row(j, &view, result, err);
    } else {
      st = put(j, &j->out, view.raw, view.len, err);
      if (st == BEZ_OK && view.header) st = put(j, &j->quarantine, view.raw, view.len, err);
    }
    if (st != BEZ_OK) break;
  }
  const bez_rewrite *plan = j->plan;
  for (size_t i = 0; st == BEZ_OK && i < plan->n_copies; i++)
    st = put(j, &j->out, j->copies[i].data, j->copies[i].len, err);
  if (st != BEZ_OK) return st;
  if (plan->n_rows && plan->n_rows != j->row)
    return bez_fail(err, BEZ_USAGE, j->path, "is not the file that was scanned: it has %llu rows, the report says %llu",
                    (unsigned long long)j->row, (unsigned long long)plan->n_rows);
  st = bez_rewrite_step(plan, j->row, err); /* the last moment: behind it the outputs get their names */
  if (st != BEZ_OK) return st;
  if (j->next_edit < plan->n_edits || j->next_drop < plan->n_drop || j->next_copy < plan->n_copies)
    return bez_fail(err, BEZ_USAGE, j->path,
                    "the plan names rows that the file does not have (it has %llu, or the plan is unsorted)",
                    (unsigned long long)j->row);
  return BEZ_OK;
}

static bez_status check_targets(const char *path, const char *out, const char *quarantine, bez_error *err) {
  struct stat in, to;
  if (quarantine && !strcmp(out, quarantine))
    return bez_fail(err, BEZ_USAGE, out, "output and quarantine are the same file");
  if (stat(path, &in) < 0) return bez_fail_errno(err, path, "cannot open");
  const char *targets[] = {out, quarantine};
  for (int i = 0; i < 2; i++)
    if (targets[i] && stat(targets[i], &to) == 0 && to.st_dev == in.st_dev && to.st_ino == in.st_ino)
      return bez_fail(err, BEZ_USAGE, targets[i], "the output is the input; write to another file");
  return BEZ_OK;
}

static const bez_record_kind *find_kind(const bez_reader *reader) {
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    if (!strcmp(kinds[i]->reader, reader->name)) return kinds[i];
  return NULL;
}

/* Bytes before the first record (a byte order mark) go to both outputs. */
static bez_status put_mark(job *j, const bez_source *source, bez_error *err) {
  char mark[3];
  size_t got;
  bez_status st = bez_source_read(source, 0, mark, sizeof mark, &got, err);
  if (st != BEZ_OK || got < 3 || memcmp(mark, "\xef\xbb\xbf", 3)) return st;
  st = bez_packed_out_write(j->out.file, mark, 3, err);
  if (st == BEZ_OK && j->quarantine.file) st = bez_packed_out_write(j->quarantine.file, mark, 3, err);
  return st;
}

static bez_status commit(output *o, bez_error *err) {
  bez_packed_out *file = o->file;
  o->file = NULL;
  return file ? bez_packed_out_commit(file, err) : BEZ_OK;
}

static bez_status check_digest(const bez_source *source, uint64_t expected, bez_error *err) {
  uint64_t digest;
  bez_status st = expected ? bez_source_digest(source, &digest, err) : BEZ_OK;
  if (st != BEZ_OK || !expected || digest == expected) return st;
  return bez_fail(err, BEZ_USAGE, source->path, "is not the file that was scanned: its content has changed since");
}

static bez_status rewrite_records(job *j, const bez_source *source, const char *out_path, const char *quarantine_path,
                                  bez_rewrite_result *result, bez_error *err) {
  bez_status st = BEZ_OK;
  if (j->plan->painting.paint) return bez_fail(err, BEZ_UNSUPPORTED, source->path, "this file holds no pictures");
  BEZ_TRY(j->kind->open(source, &j->state, err));
  BEZ_TRY(order_copies(j, err));
  BEZ_TRY(bez_packed_out_open(out_path, &j->out.file, err));
  if (quarantine_path) BEZ_TRY(bez_packed_out_open(quarantine_path, &j->quarantine.file, err));
  BEZ_TRY(put_mark(j, source, err));
  BEZ_TRY(route_all(j, result, err));
  BEZ_TRY(commit(&j->quarantine, err)); /* first: no row may be gone from `out` that is not safe in there */
  BEZ_TRY(commit(&j->out, err));
cleanup:
  bez_packed_out_abandon(j->out.file);
  bez_packed_out_abandon(j->quarantine.file);
  j->kind->close(j->state);
  for (size_t i = 0; j->copies && i < j->plan->n_copies; i++) bez_buf_free(&j->copies[i]);
  free(j->copies);
  free(j->order);
  bez_buf_free(&j->line);
  return st;
}

bez_status bez_rewrite_file(const char *path, const bez_rewrite *plan, const char *out_path,
                            const char *quarantine_path, bez_rewrite_result *result, bez_error *err) {
  job j = {.plan = plan, .path = path};
  bez_source source = {.fd = -1, .store = {.fd = -1}};
  bez_budget budget = {.bytes = (uint64_t)1 << 30};
  const bez_reader *reader;
  bez_status st;
  *result = (bez_rewrite_result){0};
  BEZ_TRY(bez_source_must_be_local(path, err));
  BEZ_TRY(check_targets(path, out_path, quarantine_path, err));
  BEZ_TRY(bez_source_open(path, &budget, &source, err));
  BEZ_TRY(check_digest(&source, plan->digest, err));
  BEZ_TRY(bez_reader_find(&source, &reader, err));
  j.kind = find_kind(reader);
  if (!strcmp(reader->name, "npy") || !strcmp(reader->name, "idx"))
    st = bez_rewrite_array(&source, reader->name, plan, out_path, quarantine_path, result, err);
  else if (!j.kind)
    st = bez_fail(err, BEZ_UNSUPPORTED, path, "%s files are not rewritten; text formats and arrays are", reader->name);
  else
    st = rewrite_records(&j, &source, out_path, quarantine_path, result, err);
cleanup:
  bez_source_close(&source);
  return st;
}
