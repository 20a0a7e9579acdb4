/* The table of writers and the public calls that use it. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/file.h"
#include "finding/redact.h"
#include "report/writer.h"

const bez_writer *const bez_writers[] = {
#define BEZ_WRITER(symbol) &symbol,
#include "report/writers.def"
#undef BEZ_WRITER
    NULL};

size_t bez_writer_count(void) {
  return sizeof bez_writers / sizeof *bez_writers - 1;
}

bez_writer_info bez_writer_get(size_t index) {
  return index < bez_writer_count() ? bez_writers[index]->info : (bez_writer_info){0};
}

static bool has_word(const char *words, const char *word, size_t len) {
  while (*words) {
    size_t n = strcspn(words, " ");
    if (n == len && !strncasecmp(words, word, len)) return true;
    words += n + (words[n] == ' ');
  }
  return false;
}

static const bez_writer *by_name(const char *name) {
  for (size_t i = 0; bez_writers[i]; i++)
    if (!strcmp(bez_writers[i]->info.name, name)) return bez_writers[i];
  return NULL;
}

static const bez_writer *by_extension(const char *path) {
  const char *slash = strrchr(path, '/'), *dot = strrchr(slash ? slash : path, '.');
  for (size_t i = 0; dot && bez_writers[i]; i++)
    if (has_word(bez_writers[i]->info.extensions, dot + 1, strlen(dot + 1))) return bez_writers[i];
  return NULL;
}

static bez_status render(const bez_report *report, const bez_writer *writer, const bez_write_options *options,
                         bez_buf *out, bez_error *err) {
  bez_write_options chosen = options ? *options : (bez_write_options){0};
  bez_report *clean = NULL;
  if (chosen.width == 0) chosen.width = 80;
  if (chosen.width < 40) chosen.width = 40;
  if (chosen.redact && !report->redacted) { /* before any writer sees it, so that none can forget */
    bez_status st = bez_report_redact(report, &clean, err);
    if (st != BEZ_OK) return st;
  }
  bez_status st = writer->render(clean ? clean : report, &chosen, out, err);
  bez_report_destroy(clean);
  return st == BEZ_OK ? bez_buf_status(out, err) : st;
}

bez_status bez_report_render(const bez_report *report, const char *format, const bez_write_options *options,
                             char **bytes, size_t *len, bez_error *err) {
  const bez_writer *writer = by_name(format);
  if (!writer) return bez_fail(err, BEZ_USAGE, format, "no such report format");
  bez_buf out = {0};
  bez_status st = render(report, writer, options, &out, err);
  if (st == BEZ_OK && !bez_buf_reserve(&out, 1)) st = bez_buf_status(&out, err);
  if (st != BEZ_OK) {
    bez_buf_free(&out);
    return st;
  }
  out.data[out.len] = 0;
  *bytes = out.data;
  *len = out.len;
  return BEZ_OK;
}

bez_status bez_report_write(const bez_report *report, const char *path, const char *format,
                            const bez_write_options *options, bez_error *err) {
  const bez_writer *writer = format ? by_name(format) : by_extension(path);
  if (!writer && format) return bez_fail(err, BEZ_USAGE, format, "no such report format");
  if (!writer) return bez_fail(err, BEZ_USAGE, path, "no report format has this extension; name one with --format");
  bez_buf out = {0};
  bez_status st = render(report, writer, options, &out, err);
  if (st == BEZ_OK) st = bez_file_write(path, out.data ? out.data : "", out.len, err);
  bez_buf_free(&out);
  return st;
}

void bez_free(void *bytes) {
  free(bytes);
}
