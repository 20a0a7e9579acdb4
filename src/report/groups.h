/* What a reader of a report sees as one thing: an incident with its findings, or a finding of no incident. */
#ifndef BEZ_REPORT_GROUPS_H
#define BEZ_REPORT_GROUPS_H

#include "finding/finding.h"

typedef struct bez_group {
  const bez_incident *incident;     /* NULL: a finding of its own */
  const bez_finding *const *member; /* report order */
  size_t n_members;
  const bez_finding *lead; /* names the group: most severe, then lowest rule id, then fingerprint */
  bez_severity severity;   /* of the most severe member that counts (of all, where none does) */
  bool active;             /* a member is neither suppressed nor held back as known */
  bool is_new;             /* a member is not in the baseline */
  const char *title;
  uint64_t n_rows;
} bez_group;

typedef struct bez_groups {
  bez_group *item; /* active ones first; each part by severity, then in report order */
  size_t n, n_active;
  const bez_finding **members; /* storage */
} bez_groups;

BEZ_MUST_USE bez_status bez_groups_make(const bez_report *report, bez_groups *out, bez_error *err);
void bez_groups_free(bez_groups *groups);

#endif
