/* The table of remarks, expanded from remarks.def. */
#include "format/remarks.h"

#include <string.h>

const bez_remark_kind bez_remark_kinds[] = {
#define BEZ_REMARK(id_, name_, severity_, title_, summary_, remedy_)                                                   \
  {.rule = {.id = id_, .name = name_, .title = title_, .summary = summary_, .remedy = remedy_, .taxonomy = ""},        \
   .severity = severity_},
#include "format/remarks.def"
#undef BEZ_REMARK
};

const size_t bez_n_remark_kinds = sizeof bez_remark_kinds / sizeof *bez_remark_kinds;

const bez_remark_kind *bez_remark_find(const char *name) {
  for (size_t i = 0; i < bez_n_remark_kinds; i++)
    if (!strcmp(bez_remark_kinds[i].rule.name, name)) return &bez_remark_kinds[i];
  return NULL;
}
