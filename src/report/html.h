/* Parts of the HTML report. All text goes through bez_html_text: escaped, with hazards visible. */
#ifndef BEZ_REPORT_HTML_H
#define BEZ_REPORT_HTML_H

#include "base/buf.h"
#include "finding/finding.h"
#include "report/groups.h"

void bez_html_text(bez_buf *out, const char *text, size_t len);
void bez_html_puts(bez_buf *out, const char *text);              /* NULL: nothing */
void bez_html_short(bez_buf *out, const char *text, size_t max); /* cut at `max` bytes with an ellipsis */

/* The style sheet, without tags. */
extern const char bez_html_style[];

void bez_html_exhibit(bez_buf *out, const bez_exhibit *exhibit);
/* A scatter plot as inline SVG. */
void bez_html_plot(bez_buf *out, const bez_exhibit *series);
/* One incident or finding. */
void bez_html_group(bez_buf *out, const bez_report *report, const bez_group *group, size_t number);

/* Files, columns, checks, suppressions, options. */
void bez_html_data(bez_buf *out, const bez_report *report);
void bez_html_checks(bez_buf *out, const bez_report *report);
void bez_html_suppressions(bez_buf *out, const bez_report *report);
void bez_html_settings(bez_buf *out, const bez_report *report, bool with_run);

#endif
