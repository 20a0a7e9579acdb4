/* A check of a model: one file that ends in one `const bez_check`, and one row in checks.def. It judges what the
 * sandboxed reader saw (format/model.h) and adds findings. */
#ifndef BEZ_AUDIT_AUDIT_H
#define BEZ_AUDIT_AUDIT_H

#include "finding/finding.h"
#include "format/model.h"

typedef struct bez_check_input {
  const char *path;
  const bez_model *model;
} bez_check_input;

typedef struct bez_check {
  bez_rule rule;
  const char *cost, *source;
  bez_status (*run)(const bez_check_input *in, bez_report *report, bez_error *err);
} bez_check;

#define BEZ_CHECK(symbol) extern const bez_check symbol;
#include "audit/checks.def"
#undef BEZ_CHECK

extern const bez_check *const bez_checks[]; /* NULL-terminated, order of checks.def */

/* The finding's place, and its pattern, which its fingerprint is made of: the file's own name, the part and what was
 * found there, so that a model moved to another folder keeps its suppressions. */
void bez_audit_subject(const bez_check_input *in, bez_report *report, bez_finding *finding, uint32_t part,
                       uint64_t byte, const char *what);

/* Says what could not be read: bytes that nobody has examined are never clean. */
void bez_audit_unread(const bez_check_input *in, bez_report *report);

/* "model.pt › archive/data.pkl": in the report's arena; "" when memory is out. */
const char *bez_audit_place(const bez_check_input *in, bez_report *report, uint32_t part);

/* ---- names that pickles may use (pickle_names.c) ------------------------------------------------------------------
 */

typedef enum bez_pickle_verdict { BEZ_PICKLE_ALLOWED, BEZ_PICKLE_UNKNOWN, BEZ_PICKLE_DANGEROUS } bez_pickle_verdict;

/* *why: what makes it dangerous, static; "" else. known: of a call, whether its result could be worked out. */
bez_pickle_verdict bez_pickle_judge(const char *module, const char *name, const char **why);

#endif
