/* JSON: the wire form itself. */
#include "finding/wire.h"
#include "report/writer.h"

static bez_status render(const bez_report *report, const bez_write_options *options, bez_buf *out, bez_error *err) {
  return bez_report_to_json(report, !options->without_run, options->redact, out, err);
}

const bez_writer bez_writer_json = {
    .info = {.name = "json",
             .title = "JSON",
             .extensions = "json",
             .summary = "Everything the report holds, by the published schema docs/schema/report-1.json; the form that "
                        "baselines, `report diff` and `clean` read back."},
    .render = render,
};
