/* The rules of the format room: what a remark of a table (bez_table_remark.rule is its name) means to a person. */
#ifndef BEZ_FORMAT_REMARKS_H
#define BEZ_FORMAT_REMARKS_H

#include "finding/finding.h"

typedef struct bez_remark_kind {
  bez_rule rule; /* id "BZ-F001", name "ragged" */
  bez_severity severity;
} bez_remark_kind;

extern const bez_remark_kind bez_remark_kinds[];
extern const size_t bez_n_remark_kinds;

/* The kind of that name; NULL. */
const bez_remark_kind *bez_remark_find(const char *name);

#endif
