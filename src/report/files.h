/* Models by name, in the text report: reader, size, SHA-256 and what each says of itself. */
#ifndef BEZ_REPORT_FILES_H
#define BEZ_REPORT_FILES_H

#include "finding/finding.h"
#include "report/wrap.h"

/* Nothing where there are no models: files of rows are told by the extent. */
void bez_put_files(const bez_paper *paper, const bez_report *report);

#endif
