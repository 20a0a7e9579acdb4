/* A report writer: one file that ends in one `const bez_writer`, and one row in writers.def. Sees findings only. */
#ifndef BEZ_REPORT_WRITER_H
#define BEZ_REPORT_WRITER_H

#include "base/buf.h"
#include "bezoar/report.h"
#include "finding/finding.h"

typedef struct bez_writer {
  bez_writer_info info;
  bez_status (*render)(const bez_report *report, const bez_write_options *options, bez_buf *out, bez_error *err);
} bez_writer;

#define BEZ_WRITER(symbol) extern const bez_writer symbol;
#include "report/writers.def"
#undef BEZ_WRITER

extern const bez_writer *const bez_writers[]; /* NULL-terminated */

#endif
