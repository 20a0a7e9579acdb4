/* Models among what is scanned: the sandboxed helper reads them, the checks of src/audit/ judge what it saw. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "audit/audit.h"
#include "base/error.h"
#include "scan/scan.h"

#define MAX_DEPTH 16u    /* of folders */
#define MAX_MODELS 4096u /* in one of them */

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
  const bez_audit_file file = {.path = path, .name = path, .sha256 = "", .size = model.parts[0].size, .model = &model};
  const bez_audit_set set = {.root = path, .files = &file, .n = 1};
  const bez_audit_context context = {.threads = scan->threads};
  const bez_check_input in = {.path = path, .model = &model, .file = &file, .set = &set, .context = &context};
  if (!scan->n_models)
    bez_report_not_checked(scan->report, false, "weights and signatures of models",
                           "this version examines what a model would run when it is loaded, not what it has learnt");
  bez_audit_unread(&in, scan->report);
  BEZ_TRY(keep(scan, path, &model, err));
  for (size_t i = 0; bez_checks[i]; i++) {
    if (!bez_scan_wanted(scan->options, &bez_checks[i]->rule)) continue;
    if (!bez_checks[i]->run) continue;
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

/* ---- models in folders --------------------------------------------------------------------------------------------
 */

/* What lies beside models and is neither a model nor data: configurations, cards, tokenizers, code. */
static bool beside_models(const char *name) {
  static const char *const endings[] = {".json",          ".md",   ".txt", ".yaml", ".yml", ".py", ".model",
                                        ".gitattributes", ".lock", ".sig", ".jinja"};
  const char *dot = strrchr(name, '.');
  for (size_t i = 0; dot && i < sizeof endings / sizeof *endings; i++)
    if (!strcasecmp(dot, endings[i])) return true;
  return !strcasecmp(name, "LICENSE") || !strcasecmp(name, "NOTICE");
}

static bez_status add_name(bez_scan_names *names, bez_arena *arena, const char *path, bez_error *err) {
  if (names->n == MAX_MODELS) return bez_fail(err, BEZ_LIMIT, path, "more than %u models in one folder", MAX_MODELS);
  if (names->n == names->room) {
    size_t room = names->room ? 2 * names->room : 16;
    const char **more = realloc(names->items, room * sizeof *more);
    if (!more) return bez_fail_memory(err, room * sizeof *more);
    names->items = more;
    names->room = room;
  }
  const char *copy = bez_arena_strdup(arena, path);
  if (!copy) return bez_fail_memory(err, strlen(path));
  names->items[names->n++] = copy;
  return BEZ_OK;
}

/* Regular files, and links to them as long as they lead to something. */
static bez_status walk(bez_scan *scan, const char *folder, unsigned depth, bez_scan_names *models,
                       bez_scan_names *others, bez_error *err) {
  DIR *dir = depth <= MAX_DEPTH ? opendir(folder) : NULL;
  bez_status st = BEZ_OK;
  struct dirent *entry;
  while (dir && st == BEZ_OK && (entry = readdir(dir)) != NULL) {
    struct stat info;
    if (entry->d_name[0] == '.') continue;
    size_t n = strlen(folder);
    const char *path =
        bez_arena_printf(&scan->report->arena, "%s%s%s", folder, n && folder[n - 1] == '/' ? "" : "/", entry->d_name);
    if (!path) st = bez_fail_memory(err, n);
    if (st != BEZ_OK || lstat(path, &info) != 0) continue;
    if (S_ISDIR(info.st_mode))
      st = walk(scan, path, depth + 1, models, others, err);
    else if ((S_ISREG(info.st_mode) || (stat(path, &info) == 0 && S_ISREG(info.st_mode))) && bez_scan_named_model(path))
      st = add_name(models, &scan->report->arena, path, err);
    else if (beside_models(entry->d_name))
      st = add_name(others, &scan->report->arena, path, err);
  }
  if (dir) closedir(dir);
  return st;
}

static int by_name(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

bez_status bez_scan_folder(bez_scan *scan, const char *folder, bez_scan_names *done, bez_error *err) {
  bez_scan_names models = {0}, others = {0};
  bez_status st = walk(scan, folder, 0, &models, &others, err);
  if (st == BEZ_OK && models.n) qsort(models.items, models.n, sizeof *models.items, by_name);
  for (size_t i = 0; st == BEZ_OK && i < models.n; i++) {
    st = bez_scan_audit(scan, models.items[i], err);
    if (st == BEZ_OK) st = add_name(done, &scan->report->arena, models.items[i], err);
  }
  for (size_t i = 0; st == BEZ_OK && models.n && i < others.n; i++)
    st = add_name(done, &scan->report->arena, others.items[i], err);
  if (st == BEZ_OK && models.n && others.n)
    bez_report_not_checked(scan->report, false, folder,
                           "%zu file%s beside the models (configuration, tokenizer, code) %s not examined", others.n,
                           others.n == 1 ? "" : "s", others.n == 1 ? "was" : "were");
  free(models.items);
  free(others.items);
  return st;
}
