/* The main job: open, look, and put what was found into one report. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/cpu.h"
#include "base/error.h"
#include "base/threads.h"
#include "finding/wire.h"
#include "format/images.h"
#include "format/remote.h"
#include "net/url.h"
#include "scan/models.h"

#define NOT_A_TABLE "this version examines tables, text, pictures and models; this is %s"

static bez_status begin(bez_scan *scan, const bez_scan_options *options, bez_error *err) {
  static const bez_scan_options defaults = {0};
  if (!options) options = &defaults;
  bez_status st = bez_scan_check_options(options, err);
  if (st != BEZ_OK) return st;
  scan->options = options;
  scan->started = bez_scan_now();
  scan->threads = options->read.threads ? options->read.threads : bez_cpu_count();
  scan->cpu = bez_cpu_features();
  if (options->cpu_given) scan->cpu &= options->cpu;
  scan->report = bez_report_create("scan");
  if (!scan->report) return bez_fail_memory(err, sizeof *scan->report);
  scan->report->ruleset = options->ruleset ? options->ruleset : BEZ_RULESET_VERSION;
  if (options->suppressions) st = bez_scan_load_suppressions(scan->report, options->suppressions, err);
  if (st == BEZ_OK && options->baseline) st = bez_report_load(options->baseline, &scan->baseline, err);
  return st;
}

static void end(bez_scan *scan) {
  free(scan->features);
  free(scan->texts);
  bez_report_destroy(scan->baseline);
  bez_report_destroy(scan->report);
  bez_table_destroy(scan->golden);
  bez_table_destroy(scan->reference);
  bez_spool_destroy(scan->spool);
  bez_scan_models_destroy(scan->models);
}

static const char *today(const bez_scan_options *options, char out[16]) {
  if (options->today) return options->today;
  time_t now = time(NULL);
  struct tm utc;
  if (!gmtime_r(&now, &utc) || !strftime(out, 16, "%Y-%m-%d", &utc)) return "9999-12-31"; /* nothing stays silenced */
  return out;
}

/* A data set beside the one that is scanned, read the same way. */
static bez_status open_beside(const bez_scan *scan, const char *path, const char *labels, const char *embeddings,
                              bez_table **out, bez_error *err) {
  bez_read_options read = scan->options->read;
  if (!path) return BEZ_OK;
  read.threads = scan->threads;
  read.sample = 0;
  read.progress = NULL;
  if (scan->table->images) { /* so that they can be compared pixel by pixel */
    read.picture_height = scan->table->images->height;
    read.picture_width = scan->table->images->width;
    read.picture_channels = scan->table->images->channels;
  }
  read.labels_file = labels;
  read.embeddings = embeddings;
  return bez_table_open(&path, 1, &read, out, err);
}

/* What is checked of rows. */
static bez_status examine_table(bez_scan *scan, bez_error *err) {
  bez_status st = BEZ_OK;
  const bez_scan_options *beside = scan->options;
  BEZ_TRY(open_beside(scan, beside->golden, beside->golden_labels, beside->golden_embeddings, &scan->golden, err));
  BEZ_TRY(open_beside(scan, beside->reference, NULL, NULL, &scan->reference, err));
  BEZ_TRY(bez_scan_schema(scan, err));
  BEZ_TRY(bez_scan_remarks(scan, err));
  BEZ_TRY(bez_scan_run(scan, err));
cleanup:
  return st;
}

/* Everything behind reading. */
static bez_status examine(bez_scan *scan, bez_error *err) {
  char date[16];
  bez_status st = scan->table ? examine_table(scan, err) : BEZ_OK;
  if (st != BEZ_OK) return st;
  BEZ_TRY(bez_scan_audit(scan, err));
  bez_report_seal(scan->report);
  BEZ_TRY(bez_report_status(scan->report, err));
  const bez_scan_options *o = scan->options;
  BEZ_TRY(bez_scan_suppress(scan->report, today(o, date), err));
  if (scan->baseline) bez_report_apply_baseline(scan->report, scan->baseline, o->new_only);
  BEZ_TRY(bez_scan_incidents(scan->report, err));
  bez_scan_record(scan);
  BEZ_TRY(bez_report_status(scan->report, err));
cleanup:
  return st;
}

bez_status bez_scan_table(const bez_table *table, const bez_scan_options *options, bez_report **out, bez_error *err) {
  bez_scan scan = {.table = table};
  *out = NULL;
  bez_status st = begin(&scan, options, err);
  if (st == BEZ_OK) st = examine(&scan, err);
  if (st == BEZ_OK) {
    *out = scan.report;
    scan.report = NULL;
  }
  end(&scan);
  return st;
}

static bool has_models(const bez_scan *scan) {
  return scan->models != NULL;
}

static bool is_file(const bez_scan *scan, const char *path) {
  struct stat info;
  if (bez_spool_find(scan->spool, path) != SIZE_MAX) return true;
  return path[0] && lstat(path, &info) == 0 && (S_ISREG(info.st_mode) || S_ISLNK(info.st_mode));
}

/* Models are collected and leave the list; other paths that are plainly no tables leave it with a "not checked".
 * *n is what stays. */
static bez_status sort_paths(bez_scan *scan, const char **paths, size_t *n, bez_error *err) {
  size_t kept = 0;
  const char *first = NULL, *first_what = NULL;
  for (size_t i = 0; i < *n; i++) {
    if (bez_scan_is_model(paths[i]) || (is_file(scan, paths[i]) && bez_scan_is_beside(paths[i]))) {
      bez_status st = bez_scan_add_model(scan, paths[i], err);
      if (st != BEZ_OK) return st;
      continue;
    }
    const char *what = bez_scan_identify(NULL, paths[i]);
    if (!what) {
      paths[kept++] = paths[i];
      continue;
    }
    if (!first) first = paths[i], first_what = what;
    bez_report_not_checked(scan->report, true, paths[i], NOT_A_TABLE, what);
  }
  *n = kept;
  if (!kept && first && !has_models(scan))
    return bez_fail(err, BEZ_UNSUPPORTED, first, "not checked: " NOT_A_TABLE, first_what);
  return bez_report_status(scan->report, err);
}

/* Errors that lie in one file, so that the others may still be read. */
static bool lies_in_the_file(bez_status st) {
  return st == BEZ_IO || st == BEZ_FORMAT || st == BEZ_UNSUPPORTED;
}

/* The paths still to be read, and what inside folders turned out to be unreadable. */
typedef struct worklist {
  const char **paths;
  size_t n;
  const char **exclude; /* the caller's globs, then ours */
  size_t n_exclude;
} worklist;

/* Each unreadable file means one more reading of those before it: beyond this many the error stands. */
#define MAX_RETRIES 32u

/* A glob that matches exactly this path. */
static const char *exact_glob(bez_arena *arena, const char *path) {
  char *out = bez_arena_alloc(arena, 2 * strlen(path) + 1), *p = out;
  for (; out && *path; path++) {
    if (strchr("*?[]\\", *path)) *p++ = '\\';
    *p++ = *path;
  }
  return out;
}

/* The files of the last set are left out where rows are read. */
static bez_status exclude_set(bez_scan *scan, worklist *w, bez_error *err) {
  const bez_scan_set *set = &scan->models->sets[scan->models->n - 1];
  const char **more = realloc(w->exclude, (w->n_exclude + set->n + MAX_RETRIES) * sizeof *more);
  if (!more) return bez_fail_memory(err, set->n * sizeof *more);
  w->exclude = more;
  for (size_t i = 0; i < set->n; i++) {
    const char *glob = exact_glob(&scan->report->arena, set->files[i].path);
    if (!glob) return bez_fail_memory(err, 0);
    w->exclude[w->n_exclude++] = glob;
  }
  return BEZ_OK;
}

/* Models in folders are collected; a folder that holds nothing else leaves the list. */
static bez_status sort_folders(bez_scan *scan, worklist *w, bez_error *err) {
  size_t kept = 0;
  struct stat info;
  for (size_t i = 0; i < w->n; i++) {
    bez_scan_folder found = {.others = true};
    bez_status st = BEZ_OK;
    if (stat(w->paths[i], &info) == 0 && S_ISDIR(info.st_mode))
      st = bez_scan_add_folder(scan, w->paths[i], &found, err);
    if (st == BEZ_OK && found.models && found.others) st = exclude_set(scan, w, err);
    if (st != BEZ_OK) return st;
    if (!found.models || found.others) w->paths[kept++] = w->paths[i];
  }
  w->n = kept;
  return BEZ_OK;
}

/* A packed file without rows or pictures may hold models. */
static bool holds_models(const bez_error *why) {
  return bez_scan_is_model(why->subject) || (why->code == BEZ_UNSUPPORTED && bez_scan_is_packed(why->subject));
}

/* Takes an unreadable file off the list; false: it is none of ours, or the last one. */
static bool leave_out(bez_scan *scan, worklist *w, const bez_error *why) {
  bool listed = false;
  for (size_t i = 0; i < w->n && !listed; i++) {
    const char *shown = bez_url_shown(&scan->report->arena, w->paths[i]);
    if (!shown || strcmp(shown, why->subject) != 0) continue;
    if (w->n == 1 && !holds_models(why)) return false;
    memmove(&w->paths[i], &w->paths[i + 1], (--w->n - i) * sizeof *w->paths);
    listed = true;
  }
  if (!listed) {
    const char *glob = is_file(scan, why->subject) ? exact_glob(&scan->report->arena, why->subject) : NULL;
    if (!glob) return false;
    w->exclude[w->n_exclude++] = glob;
  }
  const char *what = bez_scan_identify(scan->spool, why->subject);
  if (is_file(scan, why->subject) && holds_models(why)) {
    bez_error ignored = {0};
    if (bez_scan_add_model(scan, why->subject, &ignored) != BEZ_OK)
      bez_report_not_checked(scan->report, true, why->subject, "%s", ignored.message);
  } else if (what)
    bez_report_not_checked(scan->report, true, why->subject, NOT_A_TABLE, what);
  else if (why->line > 0)
    bez_report_not_checked(scan->report, true, why->subject, "line %lld: %s", (long long)why->line, why->message);
  else
    bez_report_not_checked(scan->report, true, why->subject, "%s", why->message);
  return true;
}

/* What is known to be unreadable goes into a saved state, so that no later scan of it ends as if all were well. */
static bez_status list_left_out(bez_scan *scan, bez_state_use *use, bez_error *err) {
  bez_arena *arena = &scan->report->arena;
  size_t n = 0;
  for (const bez_not_checked *u = scan->report->not_checked; u; u = u->next) n++;
  bez_state_unread *all = bez_arena_array(arena, n + 1, sizeof *all);
  if (!all) return bez_fail_memory(err, n * sizeof *all);
  n = 0;
  for (const bez_not_checked *u = scan->report->not_checked; u; u = u->next)
    all[n++] = (bez_state_unread){.path = u->what, .why = u->reason, .requested = u->requested};
  use->left_out = all;
  use->n_left_out = n;
  return BEZ_OK;
}

/* Opens what can be opened: a file that cannot be read becomes a "not checked" while others remain. */
static bez_status open_table(bez_scan *scan, worklist *w, bez_state_use *use, bez_table **table, bez_error *err) {
  bez_read_options read = scan->options->read;
  read.threads = scan->threads;
  read.progress = bez_scan_progress;
  read.progress_ctx = scan;
  read.exclude = w->exclude;
  bez_error last = {0};
  for (unsigned attempt = 0;; attempt++) {
    bez_error why = {0};
    read.n_exclude = w->n_exclude;
    bez_status st = list_left_out(scan, use, err);
    if (st != BEZ_OK) return st;
    if (!scan->spool) st = bez_remote_create(&read, w->paths, w->n, &scan->spool, &why);
    use->spool = scan->spool;
    if (st == BEZ_OK) st = bez_table_open_with(w->paths, w->n, &read, use, table, &why);
    if (st == BEZ_OK) return BEZ_OK;
    if (scan->cancelled) return bez_fail(err, BEZ_CANCELLED, NULL, "cancelled");
    if (scan->timed_out) return bez_fail(err, BEZ_LIMIT, "--max-time", "was over before the data was read");
    if (attempt < MAX_RETRIES && lies_in_the_file(st) && leave_out(scan, w, &why)) {
      last = why;
      if (!w->n && has_models(scan)) return BEZ_OK;
      continue;
    }
    if (has_models(scan) && (!strcmp(why.message, BEZ_ALL_EXCLUDED) || !strcmp(why.message, BEZ_NO_DATA)))
      return BEZ_OK;
    /* All were left out, and by us: what the last of them had. */
    if (last.code != BEZ_OK && st == BEZ_USAGE && !strcmp(why.message, BEZ_ALL_EXCLUDED)) why = last, st = last.code;
    const char *what = st == BEZ_UNSUPPORTED && scan->spool ? bez_scan_identify(scan->spool, why.subject) : NULL;
    if (what) return bez_fail(err, st, why.subject, "not checked: " NOT_A_TABLE, what);
    if (st == BEZ_UNSUPPORTED)
      return bez_fail(err, st, why.subject, "not checked: this version examines tables, text, pictures and models; %s",
                      why.message);
    if (err && err->code == BEZ_OK) *err = why;
    return st;
  }
}

static bez_status make_worklist(const bez_scan_options *o, const char *const *paths, size_t n, worklist *w,
                                bez_error *err) {
  *w = (worklist){.n = n, .n_exclude = o->read.n_exclude};
  w->paths = malloc((n + 1) * sizeof *w->paths);
  w->exclude = malloc((w->n_exclude + MAX_RETRIES) * sizeof *w->exclude);
  if (!w->paths || !w->exclude) return bez_fail_memory(err, n * sizeof *w->paths);
  if (n) memcpy(w->paths, paths, n * sizeof *w->paths);
  if (w->n_exclude) memcpy(w->exclude, o->read.exclude, w->n_exclude * sizeof *w->exclude);
  return BEZ_OK;
}

bez_status bez_scan_paths(const char *const *paths, size_t n_paths, const bez_scan_options *options, bez_report **out,
                          bez_error *err) {
  bez_scan scan = {0};
  bez_table *table = NULL;
  bez_status st = BEZ_OK;
  bez_scan_options own = options ? *options : (bez_scan_options){0};
  bez_reuse reuse = {0};
  bez_state_use use = {.save = own.save, .options = &own.read, .reuse = &reuse};
  worklist w = {0};
  *out = NULL;
  if (!n_paths && !own.with) return bez_fail(err, BEZ_USAGE, NULL, "no path given");
  if (own.with) BEZ_TRY(bez_scan_open_state(&own, &use.state, err));
  BEZ_TRY(begin(&scan, &own, err));
  BEZ_TRY(make_worklist(&own, paths, n_paths, &w, err));
  if (n_paths) BEZ_TRY(sort_paths(&scan, w.paths, &w.n, err));
  if (n_paths) BEZ_TRY(sort_folders(&scan, &w, err));
  if (w.n || !n_paths || own.with) BEZ_TRY(open_table(&scan, &w, &use, &table, err));
  bez_spool_destroy(scan.spool); /* the table has all of it */
  scan.spool = use.spool = NULL;
  scan.table = table;
  BEZ_TRY(examine(&scan, err));
  if (own.with && n_paths) bez_scan_say_reuse(&scan, &reuse);
  BEZ_TRY(bez_report_status(scan.report, err));
  *out = scan.report;
  scan.report = NULL;
cleanup:
  free(w.paths);
  free(w.exclude);
  end(&scan);
  bez_table_destroy(table);
  bez_state_close(use.state);
  bez_buf_free(&reuse.changed);
  bez_buf_free(&reuse.gone);
  return st;
}
