/* Hostile report JSON: whatever is accepted survives every writer, comes back the same from its own JSON, and compares
 * equal to itself. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bezoar/report.h"
#include "finding/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool holds) {
  if (!holds) abort();
}

static void round_trip(const bez_report *report) {
  bez_buf first = {0}, second = {0};
  bez_report *back = NULL;
  bez_error err = {0};
  expect(bez_report_to_json(report, true, false, &first, &err) == BEZ_OK);
  expect(bez_report_from_json(first.data, first.len, "fuzz", &back, &err) == BEZ_OK);
  expect(bez_report_to_json(back, true, false, &second, &err) == BEZ_OK);
  expect(first.len == second.len && !memcmp(first.data, second.data, first.len));
  bez_report_destroy(back);
  bez_buf_free(&first);
  bez_buf_free(&second);
}

static void read_all(const bez_report *report) {
  for (uint64_t i = 0, n = bez_report_row_count(report); i <= n && i < 1000; i++) (void)bez_report_row(report, i);
  for (size_t i = 0; i <= bez_report_finding_count(report); i++) (void)bez_report_finding(report, i);
  (void)bez_report_exit_code(report, BEZ_SEV_NOTE);
}

static void write_all(const bez_report *report) {
  for (size_t w = 0; w < bez_writer_count(); w++)
    for (int variant = 0; variant < 2; variant++) {
      bez_write_options options = {.redact = variant == 1, .ascii = variant == 1, .color = variant == 0};
      bez_error err = {0};
      char *bytes = NULL;
      size_t len = 0;
      expect(bez_report_render(report, bez_writer_get(w).name, &options, &bytes, &len, &err) == BEZ_OK);
      bez_free(bytes);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  bez_report *report = NULL;
  bez_error err = {0};
  if (bez_report_from_json((const char *)data, size, "fuzz", &report, &err) != BEZ_OK) {
    expect(report == NULL && err.message[0]);
    return 0;
  }
  char *bytes = NULL;
  size_t len = 0, n_new = 0, n_gone = 0;
  round_trip(report);
  read_all(report);
  write_all(report);
  expect(bez_report_diff(report, report, size % 2 == 0, &bytes, &len, &n_new, &n_gone, &err) == BEZ_OK);
  expect(n_new == 0 && n_gone == 0);
  bez_free(bytes);
  bez_report_seal(report);
  bez_report_apply_baseline(report, report, true);
  expect(bez_report_count(report, BEZ_SEV_NOTE) == 0);
  bez_report_destroy(report);
  return 0;
}
