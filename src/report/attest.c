/* A report under a signature: an in-toto statement (Attestation Framework v1) whose subjects are the scanned models and
 * whose predicate is what was found in them, in a DSSE envelope. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "bezoar/report.h"
#include "crypto/dsse.h"
#include "crypto/statement.h"
#include "finding/redact.h"
#include "finding/wire.h"
#include "report/words.h"

#define PREDICATE "urn:bezoar:attestation:1"
#define MAX_EMBEDDED (8u << 20) /* bytes of a report that goes into the statement whole */

struct bez_attestor {
  bez_key *key;
};

bez_status bez_attestor_open(const char *path, const char *password, bez_attestor **out, bez_error *err) {
  bez_attestor *made = calloc(1, sizeof *made);
  if (!made) return bez_fail_memory(err, sizeof *made);
  bez_status st = bez_key_read_private(path, password, &made->key, err);
  if (st != BEZ_OK) {
    free(made);
    return st;
  }
  *out = made;
  return BEZ_OK;
}

void bez_attestor_close(bez_attestor *attestor) {
  if (!attestor) return;
  bez_key_free(attestor->key);
  free(attestor);
}

/* ---- the statement ------------------------------------------------------------------------------------------------
 */

static size_t put_subjects(bez_json *j, const bez_report *r) {
  size_t n = 0;
  bez_json_key(j, "subject");
  bez_json_open(j, '[');
  for (size_t i = 0; i < r->n_files; i++) {
    if (!r->files[i].sha256 || !*r->files[i].sha256) continue;
    n++;
    bez_json_open(j, '{');
    bez_json_kstr(j, "name", r->files[i].path);
    bez_json_key(j, "digest");
    bez_json_open(j, '{');
    bez_json_kstr(j, "sha256", r->files[i].sha256);
    bez_json_close(j, '}');
    bez_json_close(j, '}');
  }
  bez_json_close(j, ']');
  return n;
}

/* One word for machines: what was not examined is never a pass. */
static const char *result_of(const bez_report *r) {
  const int code = bez_report_exit_code(r, BEZ_SEV_ERROR);
  if (code == 1) return "FAILED";
  return code == 0 && r->n_rules_run ? "PASSED" : "INCOMPLETE";
}

static void put_counts(bez_json *j, const bez_tally *t) {
  bez_json_key(j, "summary");
  bez_json_open(j, '{');
  bez_json_kuint(j, "errors", t->errors);
  bez_json_kuint(j, "warnings", t->warnings);
  bez_json_kuint(j, "notes", t->notes);
  bez_json_kuint(j, "suppressed", t->suppressed);
  bez_json_kuint(j, "notChecked", t->not_checked);
  bez_json_kuint(j, "notCheckedRequested", t->requested);
  bez_json_close(j, '}');
}

/* As the JSON report is written with the same options, so that its digest names that file. */
static bez_status put_report(bez_json *j, const bez_report *r, bez_error *err) {
  bez_buf text = {0};
  char hex[65];
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_report_to_json(r, true, false, &text, err));
  if (bez_sha256_hex(text.data, text.len, hex) != 0)
    BEZ_TRY(bez_fail(err, BEZ_INTERNAL, NULL, "SHA-256 could not be computed"));
  bez_json_key(j, "reportDigest");
  bez_json_open(j, '{');
  bez_json_kstr(j, "sha256", hex);
  bez_json_close(j, '}');
  if (text.len <= MAX_EMBEDDED) {
    bez_json_key(j, "report");
    bez_json_raw(j, text.data, text.len - (text.data[text.len - 1] == '\n'));
  }
cleanup:
  bez_buf_free(&text);
  return st;
}

static bez_status put_statement(bez_buf *out, const bez_report *r, bez_error *err) {
  bez_json j = bez_json_make(out, false);
  const bez_tally tally = bez_tally_of(r);
  bez_json_open(&j, '{');
  bez_json_kstr(&j, "_type", BEZ_STATEMENT_TYPE);
  if (!put_subjects(&j, r))
    return bez_fail(err, BEZ_USAGE, "--attest", "nothing that was scanned has a SHA-256: models have, rows have not");
  bez_json_kstr(&j, "predicateType", PREDICATE);
  bez_json_key(&j, "predicate");
  bez_json_open(&j, '{');
  bez_json_kstr(&j, "result", result_of(r));
  bez_json_kstr(&j, "verdict", bez_verdict(r, &tally));
  bez_json_key(&j, "scanner");
  bez_json_open(&j, '{');
  bez_json_kstr(&j, "name", "bezoar");
  bez_json_kstr(&j, "version", r->tool_version ? r->tool_version : BEZ_VERSION_STRING);
  bez_json_kuint(&j, "ruleset", r->ruleset);
  bez_json_close(&j, '}');
  put_counts(&j, &tally);
  bez_status st = put_report(&j, r, err);
  if (st != BEZ_OK) return st;
  bez_json_close(&j, '}');
  bez_json_close(&j, '}');
  return bez_buf_status(out, err);
}

bez_status bez_report_attest(const bez_report *report, const bez_attestor *attestor, bool redact, const char *path,
                             bez_error *err) {
  bez_report *clean = NULL;
  bez_buf statement = {0}, envelope = {0};
  bez_json j = bez_json_make(&envelope, false); /* on one line: an item of a bundle of attestations (.intoto.jsonl) */
  bez_status st = BEZ_OK;
  if (redact && !report->redacted) BEZ_TRY(bez_report_redact(report, &clean, err));
  BEZ_TRY(put_statement(&statement, clean ? clean : report, err));
  BEZ_TRY(bez_dsse_sign(&j, BEZ_IN_TOTO_PAYLOAD, statement.data, statement.len, attestor->key,
                        bez_key_hint(attestor->key), err));
  bez_buf_putc(&envelope, '\n');
  BEZ_TRY(bez_buf_status(&envelope, err));
  BEZ_TRY(bez_file_write(path, envelope.data, envelope.len, err));
cleanup:
  bez_report_destroy(clean);
  bez_buf_free(&statement);
  bez_buf_free(&envelope);
  return st;
}
