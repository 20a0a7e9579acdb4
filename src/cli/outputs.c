#include "cli/outputs.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "bezoar/format.h"
#include "cli/say.h"

static const char *writer_named(const char *name, size_t len) {
  for (size_t i = 0; i < bez_writer_count(); i++) {
    bez_writer_info w = bez_writer_get(i);
    if (strlen(w.name) == len && !memcmp(w.name, name, len)) return w.name;
  }
  return NULL;
}

/* The writer whose extensions list the path's; NULL. */
static const char *writer_of_path(const char *path) {
  const char *base = strrchr(path, '/'), *dot = strrchr(base ? base : path, '.');
  if (!dot || !dot[1]) return NULL;
  size_t len = strlen(dot + 1);
  for (size_t i = 0; i < bez_writer_count(); i++) {
    bez_writer_info w = bez_writer_get(i);
    for (const char *p = w.extensions; p && *p;) {
      size_t word = strcspn(p, " ");
      if (word == len && !strncasecmp(p, dot + 1, len)) return w.name;
      p += word + strspn(p + word, " ");
    }
  }
  return NULL;
}

static bool same_file(const char *a, const char *b) {
  struct stat x, y;
  if (!strcmp(a, b)) return true;
  return stat(a, &x) == 0 && stat(b, &y) == 0 && S_ISREG(x.st_mode) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

bez_status bez_outputs_check_path(const char *option, const char *path, const char *const *inputs, size_t n_inputs,
                                  bez_error *err) {
  struct stat info;
  char folder[4096];
  if (!strcmp(path, "-")) return BEZ_OK;
  if (bez_path_is_remote(path))
    return bez_fail(err, BEZ_USAGE, option, "writes local files only, not to a URL: upload the file afterwards");
  for (size_t i = 0; i < n_inputs; i++)
    if (same_file(path, inputs[i])) return bez_fail(err, BEZ_USAGE, option, "%s is an input: it would be lost", path);
  if (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) return bez_fail(err, BEZ_USAGE, option, "%s is a folder", path);
  const char *slash = strrchr(path, '/');
  size_t len = slash ? (size_t)(slash - path) + (slash == path) : 1;
  if (len >= sizeof folder) return bez_fail(err, BEZ_USAGE, option, "the path is too long");
  memcpy(folder, slash ? path : ".", len);
  folder[len] = '\0';
  if (stat(folder, &info) != 0 || !S_ISDIR(info.st_mode))
    return bez_fail(err, BEZ_USAGE, option, "there is no folder %s", folder);
  return BEZ_OK;
}

static bez_status add(bez_outputs *outputs, const char *option, const char *path, const char *format,
                      const char *const *inputs, size_t n_inputs, bez_error *err) {
  bez_status st = bez_outputs_check_path(option, path, inputs, n_inputs, err);
  if (st != BEZ_OK) return st;
  for (size_t i = 0; i < outputs->n; i++)
    if (same_file(outputs->items[i].path, path)) return bez_fail(err, BEZ_USAGE, option, "%s is written twice", path);
  if (!outputs->json && !strcmp(format, "json") && strcmp(path, "-")) outputs->json = path;
  outputs->items[outputs->n++] = (bez_output){path, format};
  return BEZ_OK;
}

/* FILE, or FORMAT:FILE. */
static bez_status add_report(bez_outputs *outputs, const char *value, const char *fallback, const char *const *inputs,
                             size_t n_inputs, bez_error *err) {
  const char *colon = strchr(value, ':');
  const char *format = colon && colon[1] ? writer_named(value, (size_t)(colon - value)) : NULL;
  const char *path = format ? colon + 1 : value;
  if (!format) format = writer_of_path(path);
  if (!format) format = fallback;
  if (!format)
    return bez_fail(err, BEZ_USAGE, "--report", "the extension of %s names no format; say --format, or FORMAT:FILE",
                    path);
  return add(outputs, "--report", path, format, inputs, n_inputs, err);
}

bez_status bez_outputs_plan(bez_args *args, const char *const *inputs, size_t n_inputs, bez_outputs *out,
                            bez_error *err) {
  const char *const *reports;
  size_t n_reports = bez_args_list(args, "report", &reports);
  const char *format = bez_args_text(args, "format"), *path = bez_args_text(args, "output");
  const char *rows = bez_args_text(args, "rows"), *sbom = bez_args_text(args, "sbom");
  bez_status st = BEZ_OK;
  *out = (bez_outputs){.items = bez_arena_array(&args->arena, n_reports + 3, sizeof *out->items)};
  if (!out->items) return bez_fail_memory(err, n_reports * sizeof *out->items);
  for (size_t i = 0; i < n_reports; i++) BEZ_TRY(add_report(out, reports[i], format, inputs, n_inputs, err));
  if (rows) BEZ_TRY(add(out, "--rows", rows, "rows", inputs, n_inputs, err));
  if (sbom) BEZ_TRY(add(out, "--sbom", sbom, "cyclonedx", inputs, n_inputs, err));
  if (!path) path = "-";
  const char *main_format = format ? format : writer_of_path(path);
  BEZ_TRY(add(out, "--output", path, main_format ? main_format : "text", inputs, n_inputs, err));
cleanup:
  return st;
}

static bez_status write_standard_output(const bez_output *item, const bez_report *report,
                                        const bez_write_options *options, bez_error *err) {
  char *bytes = NULL;
  size_t len = 0;
  bez_status st = bez_report_render(report, item->format, options, &bytes, &len, err);
  if (st != BEZ_OK) return st;
  bez_buf out = {0};
  bez_buf_write(&out, bytes, len);
  bez_free(bytes);
  if (bez_say(&out, 0) != 0) return bez_fail(err, BEZ_IO, NULL, "the report is not complete");
  return BEZ_OK;
}

bez_status bez_outputs_write(const bez_outputs *outputs, const bez_report *report, bool redact, bez_error *err) {
  for (size_t i = 0; i < outputs->n; i++) {
    const bez_output *item = &outputs->items[i];
    bez_write_options options = {.redact = redact};
    bez_status st;
    if (!strcmp(item->path, "-")) {
      options.color = bez_color_wanted(STDOUT_FILENO);
      options.ascii = bez_ascii_wanted(STDOUT_FILENO);
      st = write_standard_output(item, report, &options, err);
    } else {
      st = bez_report_write(report, item->path, item->format, &options, err);
    }
    if (st != BEZ_OK) return st;
  }
  return BEZ_OK;
}
