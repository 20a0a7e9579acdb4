#include "report/files.h"

#include <string.h>

#include "report/words.h"

enum { INDENT = 2, HANG = 4, MAX_FILES = 40, MAX_VALUE = 120 /* bytes of what a model says, each */ };

static void put_about(bez_buf *line, const bez_report_file *f) {
  for (size_t i = 0; i < f->n_about; i++) {
    size_t len = strlen(f->about[i].value);
    bool cut = len > MAX_VALUE;
    if (cut)
      for (len = MAX_VALUE; len > 0 && ((unsigned char)f->about[i].value[len] & 0xC0) == 0x80;) len--;
    bez_buf_printf(line, "%s%s: %.*s%s", i ? "; " : "says of itself: ", f->about[i].key, (int)len, f->about[i].value,
                   cut ? "\xE2\x80\xA6" : "");
  }
}

static void put_file(const bez_paper *paper, const bez_report *r, const bez_report_file *f) {
  bez_buf line = {0};
  const char *why = bez_file_unchecked(r, f);
  bez_buf_printf(&line, "%s: %s, ", f->path, f->format && *f->format ? f->format : "unknown");
  bez_put_counted(&line, f->bytes, "byte");
  if (why) bez_buf_puts(&line, "; not all was checked, see below");
  bez_spaces(paper->out, INDENT);
  bez_wrap_take(paper, INDENT, HANG, &line);
  bez_buf_printf(&line, "sha256 %s", f->sha256 && *f->sha256 ? f->sha256 : "not computed");
  bez_spaces(paper->out, HANG);
  bez_wrap_take(paper, HANG, HANG, &line);
  put_about(&line, f);
  if (line.len) {
    bez_spaces(paper->out, HANG);
    bez_wrap_take(paper, HANG, HANG + 2, &line);
  }
  bez_buf_free(&line);
}

void bez_put_files(const bez_paper *paper, const bez_report *report) {
  size_t n = 0;
  for (size_t i = 0; i < report->n_files; i++) {
    if (!bez_file_is_model(&report->files[i]) || ++n > MAX_FILES) continue;
    if (n == 1) bez_buf_puts(paper->out, "\nFiles\n");
    put_file(paper, report, &report->files[i]);
  }
  if (n > MAX_FILES) {
    bez_spaces(paper->out, INDENT);
    bez_put_counted(paper->out, n - MAX_FILES, "more file");
    bez_buf_puts(paper->out, "; --report r.html or r.json holds all\n");
  }
}
