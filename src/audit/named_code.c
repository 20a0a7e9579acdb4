/* Code that formats other than pickle name: layers, operators, names in configurations. What each kind is, and how bad,
 * stands in code_kinds.def. */
#include "audit/audit.h"

static bez_status run(const bez_check_input *in, bez_report *report, bez_error *err);

const bez_check bez_check_named_code = {
    .rule = {.id = "BZ-M004",
             .name = "named-code",
             .title = "Model that names code to run",
             .summary =
                 "The model holds or names code that runs when it is loaded or used (Keras Lambda layers and foreign "
                 "modules, operators that call Python or reach files, custom operators, names in "
                 "configurations that a loader imports).",
             .remedy = "Do not load it before the code or file that it names has been read.",
             .taxonomy = "ATLAS:AML.T0011.000 ATLAS:AML.T0010 NIST:NISTAML.05 OWASP:LLM03 OWASP-ML:ML06",
             .example = "model.keras › config.json: a function is held as Python bytecode"},
    .cost = "one pass over what the reader saw",
    .source = "the formats' specifications; audit/code_kinds.def",
    .run = run};

static bez_status run(const bez_check_input *in, bez_report *report, bez_error *err) {
  bez_audit_code(in, report, &bez_check_named_code.rule, "");
  return bez_report_status(report, err);
}
