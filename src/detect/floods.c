/* BZ-D008, floods: many copies, or nearly copies, of one message or row. Copies multiply the weight of what they say;
 * near copies pass filters that look for equal rows.
 *
 * Templates, chain letters and coarse columns make copies too. What is normal is therefore read off the same data: a
 * cluster is a finding only where it stands out from the data's own clusters. */
#include "detect/floods.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "detect/cells.h"

bez_status bez_floods_rows(const bez_detect_input *in, bez_report *report, bez_finding *f, const uint32_t *rows,
                           uint64_t n, bez_error *err) {
  const bez_column *label = in->label >= 0 ? &in->table->cols[in->label] : NULL;
  const char **names = bez_cells_labels(report, in);
  bez_row_hit *hits = malloc((size_t)(n + 1) * sizeof *hits);
  if (!hits) return bez_fail_memory(err, (size_t)n * sizeof *hits);
  for (uint64_t i = 0; i < n; i++)
    hits[i] = (bez_row_hit){.row = bez_global_row(in->table, rows[i]),
                            .score = NAN,
                            .q = NAN,
                            .label = label && names ? names[bez_code(label, rows[i])] : NULL};
  bez_finding_rows(report, f, hits, n);
  free(hits);
  return BEZ_OK;
}

static bez_status run(const bez_detect_input *in, bez_report *report, bez_error *err) {
  if (in->table->n_rows > UINT32_MAX) {
    bez_report_not_checked(report, false, "BZ-D008 floods", "more than 4,294,967,295 rows");
    return BEZ_OK;
  }
  for (uint32_t i = 0; i < in->n_texts; i++) {
    if (in->progress && !in->progress(in->progress_ctx, "floods", "columns", i, in->n_texts)) return BEZ_CANCELLED;
    bez_status st = bez_floods_text(in, report, in->texts[i], err);
    if (st != BEZ_OK) return st;
  }
  if (!in->n_texts && in->n_features) {
    bez_status st = bez_floods_table(in, report, err);
    if (st != BEZ_OK) return st;
  }
  return bez_report_status(report, err);
}

const bez_detector bez_detector_floods = {
    .rule = {.id = "BZ-D008",
             .name = "floods",
             .title = "Flood of copies",
             .summary = "Exact and near-duplicate messages and rows in numbers that stand out from the data's own "
                        "duplicates; all duplicates as a note.",
             .remedy =
                 "Look at the cluster. If it has no reason to be there so often, keep one copy, and ask its source "
                 "for the rest.",
             .taxonomy = "ATLAS:AML.T0020 NIST:NISTAML.013 OWASP:LLM04 OWASP-ML:ML02"},
    .needs = 0,
    .null_hypothesis =
        "The largest cluster of near-duplicates is of the kind of the next ones in the same data; natural "
        "near-duplicates differ in the same place or in several.",
    .calibration =
        "Text: 8 different texts one word away from one text, in different places; or a cluster of 12 to 30 different "
        "texts, 4 times the fifth largest. Rows: 8 rows at least, 3 times the densest of 64 random neighbourhoods. "
        "Multiples from clean data and their 80 % subsamples.",
    .cost =
        "Text: O(bytes x 128 / vector width), 16 bytes per row + 256 MB at most. Rows: two passes of hashing, 2 bits "
        "per row and candidate rows; near-duplicates up to 10 million cells",
    .source = "A. Z. Broder, On the resemblance and containment of documents, 1997; docs/detect/floods.md",
    .run = run,
};
