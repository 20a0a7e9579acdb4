/* The schema in a few lines of text: which columns there are, of what type and in what role. */
#ifndef BEZ_REPORT_COLUMNS_H
#define BEZ_REPORT_COLUMNS_H

#include "finding/finding.h"
#include "report/wrap.h"

/* One line per role and type: "numeric  age, fnlwgt, …". Nothing for a report without columns. */
void bez_put_schema(const bez_paper *paper, const bez_report *report);

#endif
