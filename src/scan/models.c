/* Models that were collected: each set is judged by every check that has what it needs, and its files are listed. */
#include "scan/models.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/known_list.h"
#include "base/error.h"

static void free_set(bez_scan_set *set) {
  for (size_t i = 0; i < set->n; i++) bez_model_free(&set->files[i].model);
  free(set->files);
}

void bez_scan_models_destroy(bez_scan_models *m) {
  if (!m) return;
  for (size_t i = 0; i < m->n; i++) free_set(&m->sets[i]);
  free_set(&m->base);
  free(m->sets);
  free(m);
}

bez_status bez_scan_set_add(bez_scan_set *set, const bez_scan_file *file, bez_error *err) {
  if (set->n == set->room) {
    const size_t room = set->room ? 2 * set->room : 4;
    bez_scan_file *more = realloc(set->files, room * sizeof *more);
    if (!more) return bez_fail_memory(err, room * sizeof *more);
    set->files = more;
    set->room = room;
  }
  set->files[set->n++] = *file;
  return BEZ_OK;
}

/* A new set, empty. */
static bez_scan_set *add_set(bez_scan *scan) {
  if (!scan->models) scan->models = calloc(1, sizeof *scan->models);
  bez_scan_models *m = scan->models;
  if (m && m->n == m->room) {
    const size_t room = m->room ? 2 * m->room : 4;
    bez_scan_set *more = realloc(m->sets, room * sizeof *more);
    if (!more) return NULL;
    m->sets = more;
    m->room = room;
  }
  if (!m) return NULL;
  m->sets[m->n] = (bez_scan_set){0};
  return &m->sets[m->n++];
}

bez_status bez_scan_add_model(bez_scan *scan, const char *path, bez_error *err) {
  bez_scan_set *set = add_set(scan);
  bez_scan_folder ignored;
  return set ? bez_scan_walk(scan, path, set, &ignored, err) : bez_fail_memory(err, sizeof *set);
}

bez_status bez_scan_add_folder(bez_scan *scan, const char *path, bez_scan_folder *out, bez_error *err) {
  bez_scan_set *set = add_set(scan);
  if (!set) return bez_fail_memory(err, sizeof *set);
  bez_status st = bez_scan_walk(scan, path, set, out, err);
  if (st != BEZ_OK || out->models) return st;
  free_set(set);
  if (--scan->models->n == 0) {
    bez_scan_models_destroy(scan->models);
    scan->models = NULL;
  }
  return BEZ_OK;
}

/* ---- judging ------------------------------------------------------------------------------------------------------
 */

bez_status bez_scan_show_set(bez_scan *scan, const bez_scan_set *set, bez_audit_set *out, bez_error *err) {
  bez_audit_file *files = bez_arena_array(&scan->report->arena, set->n + 1, sizeof *files);
  if (!files) return bez_fail_memory(err, set->n * sizeof *files);
  for (size_t i = 0; i < set->n; i++) {
    const bez_scan_file *f = &set->files[i];
    files[i] = (bez_audit_file){.path = f->path,
                                .name = f->name,
                                .sha256 = f->sha256,
                                .link = f->link,
                                .size = f->size,
                                .listed = f->listed,
                                .model = f->known ? &f->model : NULL};
  }
  *out = (bez_audit_set){.root = set->root, .boundary = set->boundary, .files = files, .n = set->n};
  return BEZ_OK;
}

static void say_unread(bez_scan *scan, const bez_scan_set *set, const bez_check_input *whole) {
  size_t unknown = 0;
  for (size_t i = 0; i < set->n; i++) {
    const bez_scan_file *f = &set->files[i];
    const bez_check_input in = bez_audit_of(whole, &whole->set->files[i]);
    if (f->link)
      bez_report_not_checked(scan->report, true, f->path, "a link that leads out of the folder, to %s: not followed",
                             f->link);
    else if (f->why)
      bez_report_not_checked(scan->report, true, f->path, "%s", f->why);
    else if (f->known && !*f->model.parts[0].kind && bez_scan_holds_numbers(whole->set, f->name))
      continue;
    else if (f->known && f->listed && !*f->model.parts[0].kind)
      unknown++;
    else if (f->known)
      bez_audit_unread(&in, scan->report);
  }
  if (unknown)
    bez_report_not_checked(scan->report, false, set->root, "%zu file%s beside the models: %s no format known here",
                           unknown, unknown == 1 ? "" : "s", unknown == 1 ? "it has" : "they have");
}

static bool has_tensors(const bez_scan_models *m) {
  for (size_t s = 0; s < m->n; s++)
    for (size_t i = 0; i < m->sets[s].n; i++)
      if (m->sets[s].files[i].model.n_tensors) return true;
  return false;
}

/* What the check needs and was not given; NULL: nothing. */
static const char *missing(const bez_check *check, const bez_audit_context *context) {
  if ((check->needs & BEZ_CHECK_BASE) && !context->base) return "no model to compare with (give it with --base)";
  if ((check->needs & BEZ_CHECK_BANK) && !context->bank) return "no reference bank (give one with --bank)";
  if ((check->needs & BEZ_CHECK_KNOWN) && !context->known) return "no list of digests (give one with --known)";
  return NULL;
}

static bez_status run_check(bez_scan *scan, const bez_check *check, const bez_check_input *set, bez_error *err) {
  bez_status st = BEZ_OK;
  for (size_t i = 0; check->run && st == BEZ_OK && i < set->set->n; i++) {
    const bez_check_input in = bez_audit_of(set, &set->set->files[i]);
    if (in.model) st = check->run(&in, scan->report, err);
  }
  if (check->run_set && st == BEZ_OK) st = check->run_set(set, scan->report, err);
  return st;
}

/* A check that fails over a set leaves none of what it had begun there; other sets and checks go on. */
static bez_status settle(bez_scan *scan, const bez_check *check, bez_status st, size_t before, const bez_error *why,
                         bez_error *err) {
  char what[128];
  snprintf(what, sizeof what, "%s %s", check->rule.id, check->rule.name);
  if (scan->cancelled) return bez_fail(err, BEZ_CANCELLED, NULL, "cancelled");
  if (st == BEZ_MEMORY) return bez_fail_memory(err, 0);
  scan->report->n_findings = before;
  if (scan->timed_out)
    bez_report_not_checked(scan->report, true, what, "did not finish within --max-time");
  else
    bez_report_not_checked(scan->report, true, what, "%s: %s", bez_status_text(st), why->message);
  return BEZ_OK;
}

static bez_status judge(bez_scan *scan, const bez_check *check, const bez_audit_set *sets, size_t n,
                        const bez_audit_context *context, bez_error *err) {
  const char *needed = missing(check, context);
  char what[128];
  snprintf(what, sizeof what, "%s %s", check->rule.id, check->rule.name);
  if (needed && bez_scan_requested(scan->options, &check->rule))
    bez_report_not_checked(scan->report, true, what, "%s", needed);
  else if (needed && !(check->needs & BEZ_CHECK_KNOWN) && has_tensors(scan->models))
    bez_report_not_checked(scan->report, false, what, "%s", needed);
  if (needed) return BEZ_OK;
  bool whole = true;
  for (size_t s = 0; s < n; s++) {
    const bez_check_input in = {.path = sets[s].root, .set = &sets[s], .context = context};
    const size_t before = scan->report->n_findings;
    bez_error why = {0};
    bez_status st = run_check(scan, check, &in, &why);
    if (st == BEZ_OK) continue;
    whole = false;
    st = settle(scan, check, st, before, &why, err);
    if (st != BEZ_OK) return st;
    if (scan->timed_out) break;
  }
  if (whole) bez_report_ran(scan->report, &check->rule);
  return bez_report_status(scan->report, err);
}

/* ---- the report's list of files -----------------------------------------------------------------------------------
 */

static bez_status list_files(bez_scan *scan, bez_error *err) {
  bez_report *r = scan->report;
  size_t n = r->n_files;
  for (size_t s = 0; s < scan->models->n; s++) n += scan->models->sets[s].n;
  bez_report_file *files = bez_arena_array(&r->arena, n + 1, sizeof *files);
  if (!files) return bez_fail_memory(err, n * sizeof *files);
  if (r->n_files) memcpy(files, r->files, r->n_files * sizeof *files);
  for (size_t s = 0; s < scan->models->n; s++)
    for (size_t i = 0; i < scan->models->sets[s].n; i++) {
      const bez_scan_file *f = &scan->models->sets[s].files[i];
      const char *kind = f->known ? f->model.parts[0].kind : "";
      files[r->n_files++] = (bez_report_file){.path = f->path,
                                              .first_row = r->n_rows,
                                              .bytes = f->size,
                                              .format = bez_arena_strdup(&r->arena, *kind     ? kind
                                                                                    : f->link ? "link"
                                                                                              : "unknown"),
                                              .digest = "",
                                              .sha256 = bez_arena_strdup(&r->arena, f->sha256)};
      bez_status st = f->known ? bez_scan_about(r, &f->model, &files[r->n_files - 1], err) : BEZ_OK;
      if (st != BEZ_OK) return st;
    }
  r->files = files;
  return bez_report_status(r, err);
}

static bool on_progress(void *ctx, const char *stage, const char *unit, uint64_t done, uint64_t total) {
  return bez_scan_progress(ctx, stage, unit, done, total);
}

/* The model to compare with: read like the others, and not judged. */
static bez_status open_base(bez_scan *scan, bez_error *err) {
  bez_scan_folder found = {0};
  struct stat info;
  const char *path = scan->options->base;
  if (!path) return BEZ_OK;
  if (stat(path, &info) != 0) return bez_fail_errno(err, path, "cannot open");
  bez_status st = bez_scan_walk(scan, path, &scan->models->base, &found, err);
  if (st == BEZ_OK && !found.models) st = bez_fail(err, BEZ_USAGE, "--base", "there is no model in %s", path);
  return st;
}

bez_status bez_scan_audit(bez_scan *scan, bez_error *err) {
  bez_scan_models *m = scan->models;
  bez_audit_set base = {0};
  bez_known_list known = {0};
  bez_status st = BEZ_OK;
  if (!m && scan->options->base) return bez_fail(err, BEZ_USAGE, "--base", "there is no model to compare it with");
  if (!m && scan->options->known) return bez_fail(err, BEZ_USAGE, "--known", "there is no model to look up in it");
  if (!m) return BEZ_OK;
  if (scan->options->known) BEZ_TRY(bez_known_read(scan->options->known, &known, err));
  const char *bank = scan->options->bank; /* read where there are adapters; a wrong path is one everywhere */
  if (bank && access(bank, R_OK) != 0) BEZ_TRY(bez_fail_errno(err, bank, "cannot open"));
  BEZ_TRY(open_base(scan, err));
  BEZ_TRY(bez_scan_read_models(scan, err));
  if (scan->options->sandbox_off)
    bez_report_not_checked(scan->report, false, "the sandbox",
                           "off, as asked (--sandbox=off): models were read by a process that may do what you may");
  bez_audit_set *sets = bez_arena_array(&scan->report->arena, m->n, sizeof *sets);
  if (!sets) BEZ_TRY(bez_fail_memory(err, m->n * sizeof *sets));
  BEZ_TRY(bez_scan_show_set(scan, &m->base, &base, err));
  bez_audit_context context = {.base = m->base.root ? &base : NULL,
                               .bank = scan->options->bank,
                               .known = scan->options->known ? &known : NULL,
                               .signer = scan->options->signer,
                               .threads = scan->threads,
                               .seed = scan->options->read.seed,
                               .progress = on_progress,
                               .progress_ctx = scan};
  for (size_t s = 0; s < m->n; s++) {
    BEZ_TRY(bez_scan_show_set(scan, &m->sets[s], &sets[s], err));
    const bez_check_input in = {.path = sets[s].root, .set = &sets[s], .context = &context};
    say_unread(scan, &m->sets[s], &in);
  }
  for (size_t i = 0; bez_checks[i]; i++)
    if (bez_scan_wanted(scan->options, &bez_checks[i]->rule))
      BEZ_TRY(judge(scan, bez_checks[i], sets, m->n, &context, err));
  BEZ_TRY(list_files(scan, err));
cleanup:
  bez_known_free(&known);
  return st;
}
