/* Which checks ran and what each came to: why a clean verdict is one. */
#ifndef BEZ_REPORT_CHECKS_H
#define BEZ_REPORT_CHECKS_H

#include "finding/finding.h"
#include "report/wrap.h"

/* "BZ-D004 trigger-phrases: nothing", "BZ-D001 label-contradiction: 1 error, 2 notes". */
void bez_put_checks(const bez_paper *paper, const bez_report *report);

#endif
