/* Strings that enter a report: valid UTF-8 without NUL, owned by the report's arena. */
#ifndef BEZ_FINDING_TEXT_H
#define BEZ_FINDING_TEXT_H

#include <stdarg.h>

#include "finding/finding.h"

/* A copy in which malformed bytes and NULs are U+FFFD; NULL (and the report says so) when memory is out. */
char *bez_report_copy(bez_report *report, const char *text, size_t len);
/* bez_report_copy of a C string; NULL gives NULL. */
char *bez_report_text(bez_report *report, const char *text);
/* printf into the arena, cleaned like bez_report_copy and cut at `ceiling` bytes with an ellipsis. */
char *bez_report_vprintf(bez_report *report, size_t ceiling, const char *fmt, va_list args) BEZ_PRINTF(3, 0);
/* Zeroed array in the arena; NULL (and the report says so) when memory is out. */
void *bez_report_array(bez_report *report, size_t count, size_t size);
/* "0.9833", "60", "1.2e-09": what people read; the same in every locale. */
void bez_number_text(double value, char out[32]);

#endif
