/* Splits one file by a report's rows: text formats, npy and IDX row by row, other arrays through a mask; labels and
 * embeddings beside the rows lose the same ones. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/compare.h"
#include "base/error.h"
#include "base/file.h"
#include "bezoar/scan.h"
#include "finding/finding.h"
#include "format/rewrite.h"
#include "format/source.h"
#include "scan/scan.h"

bez_clean_options bez_clean_defaults(void) {
  return (bez_clean_options){.at_least = BEZ_SEV_ERROR};
}

static bool same_file(const char *a, const char *b) {
  struct stat x, y;
  if (!strcmp(a, b)) return true;
  return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* The report's entry for the path: the same file, or the only one there is (a copy elsewhere). */
static bez_status find_file(const bez_report *report, const char *path, const bez_report_file **out, bez_error *err) {
  *out = NULL;
  for (size_t i = 0; i < report->n_files && !*out; i++)
    if (same_file(report->files[i].path, path)) *out = &report->files[i];
  if (!*out && report->n_files == 1) *out = &report->files[0];
  if (*out) return BEZ_OK;
  return bez_fail(err, BEZ_USAGE, path, "the report does not name this file (it names %zu)", report->n_files);
}

static bool leaves(const bez_finding *f, const bez_clean_options *o) {
  if (f->suppressed) return false;
  if (f->ranked_list) return o->with_lists;
  return f->severity >= o->at_least;
}

/* Rows of the file that leave, bez_compare_u64, each once. */
static bez_status collect(const bez_report *report, const bez_report_file *file, const bez_clean_options *o,
                          uint64_t **rows, size_t *n, bez_error *err) {
  uint64_t total = 0;
  for (size_t i = 0; i < report->n_findings; i++)
    if (leaves(report->findings[i], o)) total += report->findings[i]->n_rows;
  if (total > SIZE_MAX / sizeof **rows - 1) return bez_fail_memory(err, SIZE_MAX);
  *rows = malloc((size_t)(total + 1) * sizeof **rows);
  if (!*rows) return bez_fail_memory(err, (size_t)(total + 1) * sizeof **rows);
  size_t got = 0;
  for (size_t i = 0; i < report->n_findings; i++) {
    const bez_finding *f = report->findings[i];
    if (!leaves(f, o)) continue;
    for (uint64_t k = 0; k < f->n_rows; k++)
      if (f->rows[k].row - file->first_row < file->n_rows) (*rows)[got++] = f->rows[k].row - file->first_row;
  }
  qsort(*rows, got, sizeof **rows, bez_compare_u64);
  size_t kept = 0;
  for (size_t i = 0; i < got; i++)
    if (!kept || (*rows)[kept - 1] != (*rows)[i]) (*rows)[kept++] = (*rows)[i];
  *n = kept;
  return BEZ_OK;
}

/* A one-dimensional npy array of bytes (NumPy format 1.0): 1 where the row is (or is not) in rows. */
static bez_status write_mask(const char *path, uint64_t n_rows, const uint64_t *rows, size_t n, bool listed,
                             bez_error *err) {
  bez_buf out = {0};
  char header[128];
  int len = snprintf(header, sizeof header, "{'descr': '|u1', 'fortran_order': False, 'shape': (%llu,), }",
                     (unsigned long long)n_rows);
  int padded = (10 + len + 1 + 63) / 64 * 64 - 10;
  bez_buf_write(&out, "\x93NUMPY\x01\x00", 8);
  bez_buf_putc(&out, (char)(padded & 0xff));
  bez_buf_putc(&out, (char)(padded >> 8));
  bez_buf_printf(&out, "%-*s\n", padded - 1, header);
  if (bez_buf_reserve(&out, n_rows)) {
    memset(out.data + out.len, !listed, n_rows);
    for (size_t i = 0; i < n; i++) out.data[out.len + rows[i]] = listed;
    out.len += n_rows;
  }
  bez_status st = bez_buf_status(&out, err);
  if (st == BEZ_OK) st = bez_file_write(path, out.data, out.len, err);
  bez_buf_free(&out);
  return st;
}

static bool is_rewritten(const char *format) {
  static const char *const formats[] = {"csv", "tsv", "jsonl", "npy", "idx"};
  for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
    if (!strcmp(format, formats[i])) return true;
  return false;
}

static uint64_t digest_of(const bez_report_file *file) {
  return file->digest ? strtoull(file->digest, NULL, 16) : 0;
}

/* Arrays: nothing is rewritten, so the content is looked at here. */
static bez_status check_array(const char *path, const bez_report_file *file, bez_error *err) {
  bez_budget budget = {.bytes = (uint64_t)1 << 30};
  bez_source source;
  uint64_t digest, expected = digest_of(file);
  if (!expected) return BEZ_OK;
  bez_status st = bez_source_open(path, &budget, &source, err);
  if (st != BEZ_OK) return st;
  st = bez_source_digest(&source, &digest, err);
  bez_source_close(&source);
  if (st == BEZ_OK && digest != expected)
    st = bez_fail(err, BEZ_USAGE, path, "is not the file that was scanned: its content has changed since");
  return st;
}

static bez_status split(const char *path, const bez_report_file *file, const bez_clean_options *o, const uint64_t *rows,
                        size_t n, const char *out_path, const char *quarantine_path, bez_clean_result *result,
                        bez_error *err) {
  if (!is_rewritten(file->format)) {
    *result = (bez_clean_result){file->n_rows, file->n_rows - n, n, true};
    bez_status st = check_array(path, file, err);
    if (st == BEZ_OK) st = write_mask(out_path, file->n_rows, rows, n, false, err);
    if (st == BEZ_OK && quarantine_path) st = write_mask(quarantine_path, file->n_rows, rows, n, true, err);
    return st;
  }
  bez_rewrite plan = {.drop = rows,
                      .n_drop = n,
                      .digest = digest_of(file),
                      .n_rows = file->n_rows,
                      .progress = o->progress,
                      .progress_ctx = o->progress_ctx};
  bez_rewrite_result done = {0};
  bez_status st = bez_rewrite_file(path, &plan, out_path, quarantine_path, &done, err);
  *result = (bez_clean_result){done.n_rows, done.n_kept, done.n_dropped, false};
  return st;
}

/* The report knows the bytes of the unpacked content; of a packed file only the rows can be compared. */
static bool is_packed(const char *path) {
  unsigned char head[4] = {0};
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t got = fd < 0 ? 0 : read(fd, head, sizeof head);
  if (fd >= 0) close(fd);
  return got == 4 && (!memcmp(head, "\x1f\x8b", 2) || !memcmp(head, "\x28\xb5\x2f\xfd", 4));
}

static bez_status check_same_content(const char *path, const bez_report_file *file, bez_error *err) {
  struct stat info;
  if (stat(path, &info) != 0) return bez_fail_errno(err, path, "cannot open");
  if (!S_ISREG(info.st_mode) || !file->bytes || is_packed(path) || (uint64_t)info.st_size == file->bytes) return BEZ_OK;
  return bez_fail(err, BEZ_USAGE, path, "is not the file that was scanned: it has %llu bytes, the report says %llu",
                  (unsigned long long)info.st_size, (unsigned long long)file->bytes);
}

/* A file beside the data: row i belongs to row i. */
static bez_status split_beside(const char *path, const char *out_path, const bez_report *report,
                               const bez_report_file *file, const uint64_t *rows, size_t n, bez_error *err) {
  bez_rewrite plan = {.drop = rows, .n_drop = n, .n_rows = file->n_rows};
  bez_rewrite_result done = {0};
  if (!path && !out_path) return BEZ_OK;
  if (!path || !out_path) return bez_fail(err, BEZ_USAGE, path ? path : out_path, "an input and an output go together");
  if (report->n_files != 1)
    return bez_fail(err, BEZ_USAGE, path, "belongs to a data set of %zu files: not split with one of them",
                    report->n_files);
  return bez_rewrite_file(path, &plan, out_path, NULL, &done, err);
}

bez_status bez_clean(const char *path, const bez_report *report, const bez_clean_options *options, const char *out_path,
                     const char *quarantine_path, bez_clean_result *result, bez_error *err) {
  bez_clean_options defaults = bez_clean_defaults();
  bez_clean_result ignored;
  const bez_report_file *file = NULL;
  uint64_t *rows = NULL;
  size_t n = 0;
  struct stat info;
  bez_status st = BEZ_OK;
  if (!result) result = &ignored;
  if (!options) options = &defaults;
  *result = (bez_clean_result){0};
  BEZ_TRY(bez_source_must_be_local(path, err));
  if (same_file(path, out_path) || (quarantine_path && same_file(path, quarantine_path)))
    return bez_fail(err, BEZ_USAGE, path, "is the input: it would be lost");
  if (stat(path, &info) != 0) return bez_fail_errno(err, path, "cannot open");
  if (S_ISDIR(info.st_mode)) {
    const bez_report_file all = {.n_rows = UINT64_MAX};
    BEZ_TRY(collect(report, &all, options, &rows, &n, err));
    BEZ_TRY(bez_clean_folder(path, report, rows, n, out_path, quarantine_path, result, err));
    goto cleanup;
  }
  BEZ_TRY(find_file(report, path, &file, err));
  BEZ_TRY(check_same_content(path, file, err));
  BEZ_TRY(collect(report, file, options, &rows, &n, err));
  BEZ_TRY(split_beside(options->labels_file, options->labels_out, report, file, rows, n, err));
  BEZ_TRY(split_beside(options->embeddings, options->embeddings_out, report, file, rows, n, err));
  BEZ_TRY(split(path, file, options, rows, n, out_path, quarantine_path, result, err));
cleanup:
  free(rows);
  return st;
}
