/* Verdicts as findings. */
#include "aggregate/report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "aggregate/aggregator.h"

enum { NOT_FINITE, LEFT_OUT, VERDICTS };

const bez_rule bez_aggregate_rules[] = {
    [NOT_FINITE] = {.id = "BZ-A001",
                    .name = "update-not-finite",
                    .title = "Update with NaN or infinity",
                    .summary = "A client sent numbers that are not finite; averaged, they would destroy the model. The "
                               "client was left out whole, and counted as one of the f that may be malicious.",
                    .remedy = "Ask the client: a diverged training looks the same as an attack.",
                    .taxonomy = "ATLAS:AML.T0018 NIST:NISTAML.023"},
    [LEFT_OUT] = {.id = "BZ-A002",
                  .name = "update-left-out",
                  .title = "Update left out by the rule",
                  .summary = "The rule gave a client's update no weight. One round says little: rules leave honest "
                             "clients out as well; the same client round after round is worth a look.",
                  .remedy = "Compare the client's scores over several rounds.",
                  .taxonomy = "ATLAS:AML.T0018 NIST:NISTAML.023"},
    [VERDICTS] = {.id = "BZ-A003",
                  .name = "aggregation",
                  .title = "Verdicts of an aggregation",
                  .summary = "What became of every client's update: weight, the rule's score, distance to the "
                             "aggregate, share of trimmed coordinates.",
                  .remedy = "Nothing to do.",
                  .taxonomy = "ATLAS:AML.T0018 NIST:NISTAML.023"}};
const size_t bez_n_aggregate_rules = sizeof bez_aggregate_rules / sizeof *bez_aggregate_rules;

static void put_number(bez_report *report, bez_exhibit *x, uint32_t row, uint32_t col, double value) {
  char text[32] = "-";
  int len = isnan(value) ? 1 : snprintf(text, sizeof text, "%.6g", value);
  bez_exhibit_cell(report, x, row, col, text, (size_t)len, false);
}

static void put_table(bez_report *report, bez_finding *f, const bez_update *updates, size_t n,
                      const bez_verdict *verdicts, bool declared) {
  static const char *const head[] = {"client", "weight", "score", "distance", "trimmed", "verdict", "declared"};
  const uint32_t columns = declared ? 7 : 6;
  bez_exhibit *x = bez_finding_cells(report, f, "verdict of each client", (uint32_t)n, columns);
  for (uint32_t c = 0; c < columns; c++) bez_exhibit_header(report, x, c, head[c]);
  for (uint32_t i = 0; i < n; i++) {
    const bez_verdict *v = &verdicts[i];
    const char *reason = bez_verdict_reason_text(v->reason);
    bez_exhibit_cell(report, x, i, 0, updates[i].client, strlen(updates[i].client), !v->kept);
    put_number(report, x, i, 1, v->weight);
    put_number(report, x, i, 2, v->score);
    put_number(report, x, i, 3, v->distance);
    put_number(report, x, i, 4, v->trimmed);
    bez_exhibit_cell(report, x, i, 5, reason, strlen(reason), !v->kept);
    if (declared) put_number(report, x, i, 6, updates[i].n_examples);
  }
}

static void put_client(bez_report *report, const bez_update *update, const bez_verdict *v) {
  const bool odd = v->reason == BEZ_NOT_FINITE;
  bez_finding *f =
      bez_report_add(report, &bez_aggregate_rules[odd ? NOT_FINITE : LEFT_OUT], odd ? BEZ_SEV_WARNING : BEZ_SEV_NOTE);
  bez_finding_title(report, f, "%s: %s", update->client, bez_verdict_reason_text(v->reason));
  bez_finding_subject(report, f, update->client, NULL);
  if (!f) return;
  f->score = v->score;
  if (!isnan(v->distance)) bez_finding_number(report, f, "distance to the aggregate", v->distance);
}

/* Which weights the server's policy gave. */
static void put_weights(bez_report *report, bez_finding *f, size_t n, const bez_verdict *verdicts,
                        const bez_aggregate_options *o) {
  size_t odd = 0;
  for (size_t i = 0; i < n; i++) odd += verdicts[i].reason == BEZ_NOT_FINITE;
  const double left = (double)(n - odd), honest = left - (o->f > odd ? (double)(o->f - odd) : 0);
  bez_finding_text(report, f, "weights", "by declared examples");
  bez_finding_number(report, f, "largest weight allowed", o->max_weight > 0 ? o->max_weight : 1 / fmax(1, honest));
}

bez_status bez_aggregate_report(const bez_update *updates, size_t n, const bez_aggregate_options *o,
                                const bez_verdict *verdicts, bez_report *report, bez_error *err) {
  const bez_aggregator *rule = bez_aggregator_find(o->rule, false);
  size_t kept = 0;
  for (size_t i = 0; i < n; i++) {
    kept += verdicts[i].kept;
    if (!verdicts[i].kept) put_client(report, &updates[i], &verdicts[i]);
  }
  bez_finding *f = bez_report_add(report, &bez_aggregate_rules[VERDICTS], BEZ_SEV_NOTE);
  bez_finding_title(report, f, "%zu of %zu updates aggregated by %s with f = %u", kept, n, o->rule, o->f);
  bez_finding_subject(report, f, o->rule, NULL);
  bez_finding_number(report, f, "clients", (double)n);
  bez_finding_number(report, f, "kept", (double)kept);
  bez_finding_number(report, f, "f", o->f);
  if (rule) bez_finding_text(report, f, "tolerance", "%s", rule->info.tolerance);
  if (o->weights == BEZ_WEIGHTS_DECLARED) put_weights(report, f, n, verdicts, o);
  if (rule && *rule->info.score) bez_finding_text(report, f, "score", "%s", rule->info.score);
  for (size_t i = 0; i < o->n_pre; i++) bez_finding_text(report, f, "before it", "%s", o->pre[i]);
  put_table(report, f, updates, n, verdicts, o->weights == BEZ_WEIGHTS_DECLARED);
  for (size_t i = 0; i < bez_n_aggregate_rules; i++) bez_report_ran(report, &bez_aggregate_rules[i]);
  return bez_report_status(report, err);
}
