/* BZ-M014, known digests: is each file one that somebody has vouched for? */
#include <string.h>

#include "audit/audit.h"
#include "audit/known_list.h"
#include "base/buf.h"
#include "base/error.h"

#define MAX_NAMED 5u /* files named in the note */

static bez_status run_set(const bez_check_input *in, bez_report *report, bez_error *err);

const bez_check bez_check_known_digest = {
    .rule = {.id = "BZ-M014",
             .name = "known-digest",
             .title = "File that is not the known one",
             .summary =
                 "With --known: a file that the list names has another SHA-256 than there (error), or a model file's "
                 "SHA-256 is not in the list at all (warning).",
             .remedy =
                 "Another digest under a listed name: do not load the file; fetch it again from where the list comes "
                 "from. Not in the list: find out where the file comes from, then put its digest into the list.",
             .taxonomy = "ATLAS:AML.T0010.003 NIST:NISTAML.05 OWASP:LLM03 OWASP-ML:ML06",
             .example = "model.safetensors: the list has another SHA-256 for this name"},
    .cost = "one look-up per file; digests are computed by the scan",
    .source = "FIPS 180-4",
    .needs = BEZ_CHECK_KNOWN,
    .run_set = run_set};

typedef struct known_counts {
  size_t known, other, unknown, beside; /* beside: not in the list, and no model */
  bez_buf names;                        /* of those beside, the first few */
} known_counts;

static void tell(const bez_check_input *set, const bez_audit_file *file, bez_report *report, bez_severity severity,
                 const char *what, const bez_known *listed) {
  const bez_check_input in = bez_audit_of(set, file);
  bez_finding *f = bez_report_add(report, &bez_check_known_digest.rule, severity);
  bez_finding_title(report, f, "%s: %s", file->path, what);
  bez_audit_subject(&in, report, f, 0, 0, listed ? "another digest" : "not in the list");
  bez_finding_text(report, f, "sha256", "%s", file->sha256);
  if (listed) bez_finding_text(report, f, "listed", "%s", listed->sha256);
}

/* Many models hold a "model.safetensors": a name alone, listed with a folder, is no match. */
static const bez_known *by_name(const bez_known_list *list, const bez_audit_file *file) {
  const bez_known *listed = bez_known_named(list, file->name);
  return listed ? listed : bez_known_named(list, file->path);
}

static void judge(const bez_check_input *set, const bez_audit_file *file, const bez_known_list *list,
                  bez_report *report, known_counts *counts) {
  const bez_known *listed = by_name(list, file);
  if (listed ? bez_known_pair(list, listed->name, file->sha256) : bez_known_find(list, file->sha256) != NULL) {
    counts->known++;
  } else if (listed) {
    counts->other++;
    tell(set, file, report, BEZ_SEV_ERROR, "the list has another SHA-256 for this name", listed);
  } else if (!file->listed) {
    counts->unknown++;
    tell(set, file, report, BEZ_SEV_WARNING, "its SHA-256 is not in the list", NULL);
  } else if (counts->beside++ < MAX_NAMED) {
    bez_buf_printf(&counts->names, "%s%s", counts->names.len ? ", " : "", file->name);
  }
}

/* One line for what was compared: a list that knows all of it says so as well. */
static void sum_up(const bez_check_input *in, bez_report *report, const known_counts *c) {
  const size_t n = c->known + c->other + c->unknown + c->beside;
  if (!n) return;
  bez_finding *f = bez_report_add(report, &bez_check_known_digest.rule, BEZ_SEV_NOTE);
  bez_finding_title(report, f, "%s: %zu of %zu file%s known by SHA-256", in->path, c->known, n,
                    n == 1 ? " is" : "s are");
  bez_finding_subject(report, f, "known by SHA-256", NULL);
  bez_finding_place(report, f, in->path, "", 0);
  bez_finding_number(report, f, "known", (double)c->known);
  bez_finding_number(report, f, "another_digest", (double)c->other);
  bez_finding_number(report, f, "not_in_the_list", (double)(c->unknown + c->beside));
  if (c->beside)
    bez_finding_text(report, f, "beside_the_models_not_in_the_list", "%s%s", c->names.data ? c->names.data : "",
                     c->beside > MAX_NAMED ? ", …" : "");
}

static bez_status run_set(const bez_check_input *in, bez_report *report, bez_error *err) {
  const bez_known_list *list = in->context->known;
  known_counts counts = {0};
  bez_status st = BEZ_OK;
  if (!list) return BEZ_OK;
  for (size_t i = 0; i < in->set->n; i++)
    if (*in->set->files[i].sha256) judge(in, &in->set->files[i], list, report, &counts);
  BEZ_TRY(bez_buf_status(&counts.names, err));
  sum_up(in, report, &counts);
  BEZ_TRY(bez_report_status(report, err));
cleanup:
  bez_buf_free(&counts.names);
  return st;
}
