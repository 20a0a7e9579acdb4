/* Parameters and weights. */
#include "aggregate/policy.h"

#include <math.h>
#include <string.h>

#include "base/error.h"

static const bez_knob *knob_of(const bez_aggregator *rule, const char *name) {
  for (const bez_knob *k = rule->knobs; k->name; k++)
    if (!strcmp(k->name, name)) return k;
  return NULL;
}

static const bez_knob *knob_in_chain(const bez_aggregate_options *o, const char *name) {
  const bez_aggregator *rule = bez_aggregator_find(o->rule, false);
  const bez_knob *found = rule ? knob_of(rule, name) : NULL;
  for (size_t i = 0; i < o->n_pre && !found; i++) {
    const bez_aggregator *pre = bez_aggregator_find(o->pre[i], true);
    found = pre ? knob_of(pre, name) : NULL;
  }
  return found;
}

bez_status bez_parameters_check(const bez_aggregate_options *o, bez_error *err) {
  for (size_t i = 0; i < o->n_parameters; i++) {
    const char *name = o->parameters[i].name;
    const double value = o->parameters[i].value;
    const bez_knob *knob = knob_in_chain(o, name);
    if (!knob) return bez_fail(err, BEZ_USAGE, name, "%s has no such parameter", o->rule);
    if (!(value >= knob->least && value <= knob->most))
      return bez_fail(err, BEZ_USAGE, name, "%g is not within %g and %g", value, knob->least, knob->most);
    if (knob->whole && value != floor(value)) return bez_fail(err, BEZ_USAGE, name, "%g is no whole number", value);
    for (size_t k = 0; k < i; k++)
      if (!strcmp(o->parameters[k].name, name)) return bez_fail(err, BEZ_USAGE, name, "given twice");
  }
  return BEZ_OK;
}

void bez_parameters_get(const bez_aggregate_options *o, const bez_aggregator *rule, double knob[BEZ_MOST_PARAMETERS]) {
  for (uint32_t k = 0; k < BEZ_MOST_PARAMETERS && rule->knobs[k].name; k++) {
    knob[k] = rule->knobs[k].fallback;
    for (size_t i = 0; i < o->n_parameters; i++)
      if (!strcmp(o->parameters[i].name, rule->knobs[k].name)) knob[k] = o->parameters[i].value;
  }
}

/* The level by halving: at a lower cap the largest share is smaller. */
static double cap_level(const bez_update *const *updates, uint32_t n, double max_weight, double most) {
  double low = 0, high = most;
  for (int step = 0; step < 200; step++) {
    double level = low + (high - low) / 2, total = 0;
    for (uint32_t i = 0; i < n; i++) total += fmin(updates[i]->n_examples, level);
    if (level <= max_weight * total)
      low = level;
    else
      high = level;
  }
  return low;
}

bez_status bez_policy_shares(const bez_update *const *updates, uint32_t n, bez_weights weights, double max_weight,
                             double *share, bez_error *err) {
  double most = 0, total = 0;
  for (uint32_t i = 0; i < n; i++) share[i] = 1. / n;
  if (weights == BEZ_WEIGHTS_UNIFORM || max_weight * n <= 1) return BEZ_OK;
  for (uint32_t i = 0; i < n; i++) {
    double count = updates[i]->n_examples;
    if (!(count > 0 && count < 1e300))
      return bez_fail(err, BEZ_USAGE, updates[i]->client,
                      "declares %g examples; weights by count need a positive number", count);
    most = fmax(most, count);
  }
  double level = cap_level(updates, n, max_weight, most);
  for (uint32_t i = 0; i < n; i++) total += fmin(updates[i]->n_examples, level);
  for (uint32_t i = 0; i < n && total > 0; i++) share[i] = fmin(updates[i]->n_examples, level) / total;
  return BEZ_OK;
}
