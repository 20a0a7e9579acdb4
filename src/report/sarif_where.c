/* Data has rows, not lines: a location names the file and the row as a logical location, and claims no region. In files
 * without rows it is the byte; what is packed in a file is an artifact of its own, nested in the file's. */
#include "report/sarif_where.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#define WITHIN " \xE2\x80\xBA " /* between the names of what is packed in each other */

enum { MAX_LOCATIONS = 10, MAX_ARTIFACTS = 100 /* beyond, only files that results name */, MAX_NESTED = 5000 };

/* ---- what there is ------------------------------------------------------------------------------------------------
 */

static size_t find_nested(const bez_sarif_where *w, size_t file, size_t parent, const char *name, size_t len) {
  for (size_t i = 0; i < w->n_nested; i++) {
    const bez_sarif_nested *x = &w->nested[i];
    if (x->file == file && x->parent == parent && x->len == len && !memcmp(x->name, name, len)) return i;
  }
  return SIZE_MAX;
}

static bez_status add_nested(bez_sarif_where *w, size_t file, size_t parent, const char *name, size_t len,
                             bez_error *err) {
  if (w->n_nested == w->room) {
    const size_t room = w->room ? 2 * w->room : 16;
    bez_sarif_nested *more = realloc(w->nested, room * sizeof *more);
    if (!more) return bez_fail_memory(err, room * sizeof *more);
    w->nested = more;
    w->room = room;
  }
  w->nested[w->n_nested++] = (bez_sarif_nested){.name = name, .len = len, .file = file, .parent = parent};
  return BEZ_OK;
}

/* The nested artifact of a place; SIZE_MAX: it is the file's own, or of no file that is listed. add: with what leads
 * there, where it is not there yet. */
static bez_status nested_of(bez_sarif_where *w, const bez_file_place *place, bool add, size_t *out, bez_error *err) {
  const bez_report_file *file = place->file ? bez_paths_find(&w->paths, place->file) : NULL;
  *out = SIZE_MAX;
  if (!file) return BEZ_OK;
  const size_t number = (size_t)(file - w->report->files);
  for (const char *at = place->part; *at;) {
    const char *end = strstr(at, WITHIN);
    const size_t len = end ? (size_t)(end - at) : strlen(at);
    size_t found = find_nested(w, number, *out, at, len);
    if (found == SIZE_MAX) {
      if (!add || w->n_nested >= MAX_NESTED) {
        *out = SIZE_MAX;
        return BEZ_OK;
      }
      bez_status st = add_nested(w, number, *out, at, len, err);
      if (st != BEZ_OK) return st;
      found = w->n_nested - 1;
    }
    *out = found;
    at = end ? end + strlen(WITHIN) : at + len;
  }
  return BEZ_OK;
}

/* A folder of pictures has a file per row: then only those are artifacts that a result names. */
static void mark(bez_sarif_where *w, const bez_finding *f) {
  uint64_t local;
  const bez_report_file *file = f->place.file ? bez_paths_find(&w->paths, f->place.file) : NULL;
  if (file) w->artifact[file - w->report->files] = 1;
  for (uint64_t k = 0; k < f->n_rows && k < MAX_LOCATIONS; k++) {
    file = bez_report_locate(w->report, f->rows[k].row, &local);
    if (file) w->artifact[file - w->report->files] = 1;
  }
}

bez_status bez_sarif_where_make(const bez_report *report, const bez_group *groups, size_t n, bez_sarif_where *out,
                                bez_error *err) {
  const size_t n_files = report->n_files;
  size_t found;
  *out = (bez_sarif_where){.report = report, .artifact = calloc(n_files + 1, sizeof *out->artifact)};
  bez_status st = BEZ_OK;
  if (!out->artifact) BEZ_TRY(bez_fail_memory(err, n_files * sizeof *out->artifact));
  BEZ_TRY(bez_paths_make(report, n_files, &out->paths, err));
  for (size_t i = 0; i < n_files; i++) out->artifact[i] = n_files <= MAX_ARTIFACTS;
  for (size_t i = 0; i < n; i++) {
    mark(out, groups[i].lead);
    BEZ_TRY(nested_of(out, &groups[i].lead->place, true, &found, err));
  }
  for (size_t i = 0; i < n_files; i++)
    if (out->artifact[i]) out->artifact[i] = ++out->n_listed;
  return BEZ_OK;
cleanup:
  bez_sarif_where_free(out);
  return st;
}

void bez_sarif_where_free(bez_sarif_where *where) {
  bez_paths_free(&where->paths);
  bez_buf_free(&where->text);
  free(where->artifact);
  free(where->nested);
  *where = (bez_sarif_where){0};
}

/* ---- artifacts ----------------------------------------------------------------------------------------------------
 */

/* A path as a URI reference (RFC 3986): everything but unreserved characters and slashes is percent-encoded, so that
 * neither a scheme nor a query can be read into it. */
static void put_uri(bez_sarif_where *w, bez_json *j, const char *before, const char *path, size_t len) {
  bez_buf_clear(&w->text);
  bez_buf_puts(&w->text, before);
  for (size_t i = 0; i < len; i++) {
    unsigned char c = (unsigned char)path[i];
    bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("/-._~", c);
    if (plain)
      bez_buf_putc(&w->text, (char)c);
    else
      bez_buf_printf(&w->text, "%%%02X", c);
  }
  if (w->text.failed != BEZ_OK) j->out->failed = w->text.failed;
  bez_json_kstr(j, "uri", w->text.data ? w->text.data : "");
}

static void put_path(bez_sarif_where *w, bez_json *j, const char *path) {
  put_uri(w, j, path[0] == '/' ? "file://" : "", path, strlen(path));
}

/* The path of something nested begins at its container's root. */
static void put_nested(bez_sarif_where *w, bez_json *j, const bez_sarif_nested *x) {
  put_uri(w, j, x->len && *x->name == '/' ? "" : "/", x->name, x->len);
}

static void put_file(bez_sarif_where *w, bez_json *j, const bez_report_file *f) {
  bez_json_open(j, '{');
  bez_json_key(j, "location");
  bez_json_open(j, '{');
  put_path(w, j, f->path);
  bez_json_close(j, '}');
  bez_json_kuint(j, "length", f->bytes);
  if (f->sha256 && *f->sha256) {
    bez_json_key(j, "hashes");
    bez_json_open(j, '{');
    bez_json_kstr(j, "sha-256", f->sha256);
    bez_json_close(j, '}');
  }
  bez_json_close(j, '}');
}

void bez_sarif_artifacts(bez_sarif_where *w, bez_json *j) {
  bez_json_key(j, "artifacts");
  bez_json_open(j, '[');
  for (size_t i = 0; i < w->report->n_files; i++)
    if (w->artifact[i]) put_file(w, j, &w->report->files[i]);
  for (size_t i = 0; i < w->n_nested; i++) {
    const bez_sarif_nested *x = &w->nested[i];
    bez_json_open(j, '{');
    bez_json_key(j, "location");
    bez_json_open(j, '{');
    put_nested(w, j, x);
    bez_json_close(j, '}');
    bez_json_kuint(j, "parentIndex",
                   x->parent == SIZE_MAX ? w->artifact[x->file] - 1 : (uint64_t)w->n_listed + x->parent);
    bez_json_close(j, '}');
  }
  bez_json_close(j, ']');
}

/* ---- locations ----------------------------------------------------------------------------------------------------
 */

static void put_logical(bez_json *j, const char *name, const char *full, const char *kind) {
  bez_json_key(j, "logicalLocations");
  bez_json_open(j, '[');
  bez_json_open(j, '{');
  bez_json_kstr(j, "name", name);
  if (full) bez_json_kstr(j, "fullyQualifiedName", full);
  bez_json_kstr(j, "kind", kind);
  bez_json_close(j, '}');
  bez_json_close(j, ']');
}

static void put_row(bez_sarif_where *w, bez_json *j, const bez_report_file *file, uint64_t row) {
  char name[40];
  snprintf(name, sizeof name, "row %llu", (unsigned long long)row);
  bez_json_open(j, '{');
  bez_json_key(j, "physicalLocation");
  bez_json_open(j, '{');
  bez_json_key(j, "artifactLocation");
  bez_json_open(j, '{');
  put_path(w, j, file->path);
  bez_json_kuint(j, "index", w->artifact[file - w->report->files] - 1);
  bez_json_close(j, '}');
  bez_json_close(j, '}');
  put_logical(j, name, NULL, "row");
  bez_json_close(j, '}');
}

static void put_region(bez_json *j, uint64_t byte) {
  bez_json_key(j, "region");
  bez_json_open(j, '{');
  bez_json_kuint(j, "byteOffset", byte);
  bez_json_close(j, '}');
}

/* The file, for views that know nothing of nesting: the byte where it is the file's own, else what is packed in it by
 * its name. */
static void put_place(bez_sarif_where *w, bez_json *j, const bez_file_place *place) {
  const bez_report_file *file = bez_paths_find(&w->paths, place->file);
  const uint32_t number = file ? w->artifact[file - w->report->files] : 0;
  bez_json_open(j, '{');
  bez_json_key(j, "physicalLocation");
  bez_json_open(j, '{');
  bez_json_key(j, "artifactLocation");
  bez_json_open(j, '{');
  put_path(w, j, place->file);
  if (number) bez_json_kuint(j, "index", number - 1);
  bez_json_close(j, '}');
  if (!*place->part && file) put_region(j, place->byte);
  bez_json_close(j, '}');
  if (*place->part) {
    char name[40];
    snprintf(name, sizeof name, "byte %llu", (unsigned long long)place->byte);
    put_logical(j, name, place->part, "member");
  }
  bez_json_close(j, '}');
}

static void put_related(bez_sarif_where *w, bez_json *j, const bez_file_place *place) {
  size_t at;
  bez_error ignored = {0};
  if (nested_of(w, place, false, &at, &ignored) != BEZ_OK || at == SIZE_MAX) return;
  bez_json_key(j, "relatedLocations");
  bez_json_open(j, '[');
  bez_json_open(j, '{');
  bez_json_key(j, "physicalLocation");
  bez_json_open(j, '{');
  bez_json_key(j, "artifactLocation");
  bez_json_open(j, '{');
  put_nested(w, j, &w->nested[at]);
  bez_json_kuint(j, "index", (uint64_t)w->n_listed + at);
  bez_json_close(j, '}');
  put_region(j, place->byte);
  bez_json_close(j, '}');
  bez_json_close(j, '}');
  bez_json_close(j, ']');
}

/* The first rows, or the place; a finding without either lies in the data as a whole. */
void bez_sarif_locations(bez_sarif_where *w, bez_json *j, const bez_finding *lead) {
  uint64_t local;
  bez_json_key(j, "locations");
  bez_json_open(j, '[');
  if (lead->place.file) put_place(w, j, &lead->place);
  for (uint64_t i = 0; i < lead->n_rows && i < MAX_LOCATIONS; i++) {
    const bez_report_file *file = bez_report_locate(w->report, lead->rows[i].row, &local);
    if (file) put_row(w, j, file, local);
  }
  bez_json_close(j, ']');
  if (lead->place.file && *lead->place.part) put_related(w, j, &lead->place);
}
