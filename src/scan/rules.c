/* Every rule a report can hold: the detectors', those of reading, of models and of aggregation. */
#include "aggregate/report.h"
#include "audit/audit.h"
#include "bezoar/scan.h"
#include "detect/detector.h"
#include "format/remarks.h"

static bez_rule_info view(const bez_rule *rule) {
  return (bez_rule_info){rule->id, rule->name, rule->title, rule->summary, rule->remedy, rule->taxonomy, rule->example};
}

static size_t count_detectors(void) {
  size_t n = 0;
  while (bez_detectors[n]) n++;
  return n;
}

static size_t count_checks(void) {
  size_t n = 0;
  while (bez_checks[n]) n++;
  return n;
}

size_t bez_rule_count(void) {
  return count_detectors() + bez_n_remark_kinds + count_checks() + bez_n_aggregate_rules;
}

bez_rule_info bez_rule_get(size_t index) {
  size_t n = count_detectors();
  if (index < n) return view(&bez_detectors[index]->rule);
  index -= n;
  if (index < bez_n_remark_kinds) return view(&bez_remark_kinds[index].rule);
  index -= bez_n_remark_kinds;
  n = count_checks();
  if (index < n) return view(&bez_checks[index]->rule);
  index -= n;
  return index < bez_n_aggregate_rules ? view(&bez_aggregate_rules[index]) : (bez_rule_info){0};
}
