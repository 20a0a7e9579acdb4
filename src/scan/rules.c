/* Every rule a report can hold: the detectors', those of reading, those of aggregation. */
#include "aggregate/report.h"
#include "bezoar/scan.h"
#include "detect/detector.h"
#include "format/remarks.h"

static bez_rule_info view(const bez_rule *rule) {
  return (bez_rule_info){rule->id, rule->name, rule->title, rule->summary, rule->remedy, rule->taxonomy};
}

static size_t count_detectors(void) {
  size_t n = 0;
  while (bez_detectors[n]) n++;
  return n;
}

size_t bez_rule_count(void) {
  return count_detectors() + bez_n_remark_kinds + bez_n_aggregate_rules;
}

bez_rule_info bez_rule_get(size_t index) {
  size_t n = count_detectors();
  if (index < n) return view(&bez_detectors[index]->rule);
  if (index - n < bez_n_remark_kinds) return view(&bez_remark_kinds[index - n].rule);
  if (index - n - bez_n_remark_kinds < bez_n_aggregate_rules)
    return view(&bez_aggregate_rules[index - n - bez_n_remark_kinds]);
  return (bez_rule_info){0};
}
