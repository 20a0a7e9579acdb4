/* Cleaning a folder whose files are rows (pictures, texts): nothing is moved; two lists say which files stay and which
 * go, as CSV with one column file_name, relative to the folder. */
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "bezoar/scan.h"
#include "scan/scan.h"

/* RFC 4180: quoted where needed, quotes doubled. */
static void put_name(bez_buf *out, const char *name) {
  bool plain = !strpbrk(name, ",\"\r\n");
  if (!plain) bez_buf_putc(out, '"');
  for (const char *p = name; *p; p++) {
    if (*p == '"') bez_buf_putc(out, '"');
    bez_buf_putc(out, *p);
  }
  bez_buf_puts(out, plain ? "\n" : "\"\n");
}

static const char *without_dot(const char *path) {
  while (path[0] == '.' && path[1] == '/')
    for (path += 2; *path == '/'; path++) {
    }
  return path;
}

/* The path inside the folder; NULL: it lies elsewhere. */
static const char *inside(const char *folder, const char *path) {
  folder = without_dot(folder);
  path = without_dot(path);
  size_t len = strlen(folder);
  while (len && folder[len - 1] == '/') len--;
  if (len == 0 || !strcmp(folder, ".")) return path;
  if (strncmp(path, folder, len) != 0 || path[len] != '/') return NULL;
  for (path += len; *path == '/'; path++) {
  }
  return path;
}

bez_status bez_clean_folder(const char *folder, const bez_report *report, const uint64_t *rows, size_t n_rows,
                            const char *out_path, const char *quarantine_path, bez_clean_result *result,
                            bez_error *err) {
  bez_buf kept = {0}, gone = {0};
  bez_status st = BEZ_OK;
  bez_buf_puts(&kept, "file_name\n");
  bez_buf_puts(&gone, "file_name\n");
  for (size_t i = 0, next = 0; i < report->n_files; i++) {
    const bez_report_file *file = &report->files[i];
    const char *name = inside(folder, file->path);
    while (next < n_rows && rows[next] < file->first_row) next++;
    if (!name || file->n_rows == 0) continue;
    if (file->n_rows != 1)
      BEZ_TRY(bez_fail(err, BEZ_USAGE, file->path, "has %llu rows: clean the folder's files one by one",
                       (unsigned long long)file->n_rows));
    bool leaves = next < n_rows && rows[next] == file->first_row;
    put_name(leaves ? &gone : &kept, name);
    result->n_rows++;
    *(leaves ? &result->n_quarantined : &result->n_kept) += 1;
  }
  if (!result->n_rows) BEZ_TRY(bez_fail(err, BEZ_USAGE, folder, "the report names no file of this folder"));
  BEZ_TRY(bez_buf_status(&kept, err));
  BEZ_TRY(bez_buf_status(&gone, err));
  if (quarantine_path) BEZ_TRY(bez_file_write(quarantine_path, gone.data, gone.len, err));
  BEZ_TRY(bez_file_write(out_path, kept.data, kept.len, err));
cleanup:
  bez_buf_free(&kept);
  bez_buf_free(&gone);
  return st;
}
