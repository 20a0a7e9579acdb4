/* Models among what is scanned: the sandboxed helper reads them, the checks of src/audit/ judge what it saw. */
#include <stdlib.h>
#include <string.h>

#include "audit/audit.h"
#include "base/error.h"
#include "scan/scan.h"

static bez_status keep(bez_scan *scan, const char *path, const bez_model *model, bez_error *err) {
  bez_scan_model *more = realloc(scan->models, (scan->n_models + 1) * sizeof *more);
  if (!more) return bez_fail_memory(err, (scan->n_models + 1) * sizeof *more);
  scan->models = more;
  more[scan->n_models] = (bez_scan_model){.path = bez_arena_strdup(&scan->report->arena, path),
                                          .kind = bez_arena_strdup(&scan->report->arena, model->parts[0].kind),
                                          .bytes = model->parts[0].size};
  if (!more[scan->n_models].path || !more[scan->n_models].kind) return bez_fail_memory(err, strlen(path));
  scan->n_models++;
  return BEZ_OK;
}

bez_status bez_scan_audit(bez_scan *scan, const char *path, bez_error *err) {
  bez_model model = {0};
  bez_error why = {0};
  bez_status st = bez_model_helper_ask(&scan->helper, path, &model, &why);
  if (st == BEZ_MEMORY) return bez_fail_memory(err, 0);
  if (st != BEZ_OK) { /* it is among the files that were asked for, and nothing is known of it */
    bez_report_not_checked(scan->report, true, path, "%s", why.message);
    scan->unread_models++;
    return bez_report_status(scan->report, err);
  }
  const bez_check_input in = {.path = path, .model = &model};
  bez_audit_unread(&in, scan->report);
  BEZ_TRY(keep(scan, path, &model, err));
  for (size_t i = 0; bez_checks[i]; i++) {
    if (!bez_scan_wanted(scan->options, &bez_checks[i]->rule)) continue;
    BEZ_TRY(bez_checks[i]->run(&in, scan->report, err));
    if (scan->n_models == 1) bez_report_ran(scan->report, &bez_checks[i]->rule);
  }
  BEZ_TRY(bez_report_status(scan->report, err));
cleanup:
  bez_model_free(&model);
  return st;
}

/* Behind the table's files. */
bez_status bez_scan_list_models(bez_scan *scan, bez_error *err) {
  bez_report *r = scan->report;
  if (!scan->n_models) return BEZ_OK;
  bez_report_file *files = bez_arena_array(&r->arena, r->n_files + scan->n_models, sizeof *files);
  if (!files) return bez_fail_memory(err, scan->n_models * sizeof *files);
  if (r->n_files) memcpy(files, r->files, r->n_files * sizeof *files);
  for (size_t i = 0; i < scan->n_models; i++)
    files[r->n_files + i] = (bez_report_file){.path = scan->models[i].path,
                                              .first_row = r->n_rows,
                                              .bytes = scan->models[i].bytes,
                                              .format = *scan->models[i].kind ? scan->models[i].kind : "unknown",
                                              .digest = ""};
  r->files = files;
  r->n_files += scan->n_models;
  return BEZ_OK;
}
