/* From a running number over all listed rows to the finding that lists it; see report.c. */
#ifndef BEZ_FINDING_INDEX_H
#define BEZ_FINDING_INDEX_H

#include "finding/finding.h"

/* Forgets the index: findings or their rows changed. */
void bez_row_index_drop(bez_report *report);

#endif
