/* bezoar vault rerun: a recorded command once more, in an empty folder, and whether it makes the same again. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "crypto/digest.h"
#include "vault/answer.h"
#include "vault/run_child.h"
#include "vault/run_layout.h"

typedef struct rerun {
  bez_vault *vault;
  const bez_rerun_options *o;
  bez_entry entry;
  bez_run_record then, now; /* now: of its environment alone */
  char *folder;
  bool made; /* a temporary folder of ours */
  size_t n_same;
  bez_json j;
} rerun;

static bez_status make_folder(rerun *r, bez_error *err) {
  const char *temporary = getenv("TMPDIR");
  bez_buf name = {0};
  if (r->o->folder)
    bez_buf_puts(&name, r->o->folder);
  else
    bez_buf_printf(&name, "%s/bezoar-rerun-XXXXXX", temporary && *temporary ? temporary : "/var/tmp");
  bez_status st = bez_buf_status(&name, err);
  if (st != BEZ_OK) return st;
  r->folder = name.data;
  r->made = !r->o->folder;
  if (r->made && !mkdtemp(r->folder)) {
    r->made = false;
    return bez_fail_errno(err, r->folder, "cannot make a temporary folder");
  }
  if (r->made || mkdir(r->folder, 0777) == 0) return BEZ_OK;
  if (errno == EEXIST && rmdir(r->folder) == 0 && mkdir(r->folder, 0777) == 0) return BEZ_OK; /* it was empty */
  return bez_fail_errno(err, r->folder, "is no empty folder");
}

static bez_status lay_out(rerun *r, bez_error *err) {
  char *target = NULL;
  bez_buf bytes = {0};
  bez_status st = BEZ_OK;
  for (size_t i = 0; i < r->then.n_inputs; i++) {
    free(target);
    BEZ_TRY(bez_run_place(r->folder, r->then.inputs[i].path, &target, err));
    BEZ_TRY(bez_run_checkout(r->vault, &r->then.inputs[i], target, &r->o->reader, r->o->threads, err));
  }
  for (size_t i = 0; i < r->then.n_uses; i++) {
    const bez_run_use *use = &r->then.uses[i];
    bez_id id;
    free(target);
    BEZ_TRY(bez_run_place(r->folder, use->path, &target, err));
    if (!bez_unhex(use->sha256, id.bytes, BEZ_ID)) BEZ_TRY(bez_fail(err, BEZ_FORMAT, use->path, "has no digest"));
    BEZ_TRY(bez_objects_get(r->vault->objects, BEZ_OBJECT_BLOB, &id, &bytes, err));
    BEZ_TRY(bez_file_write(target, bytes.data ? bytes.data : "", bytes.len, err));
    if (chmod(target, (mode_t)use->mode) != 0) BEZ_TRY(bez_fail_errno(err, target, "cannot set the permissions"));
  }
  for (size_t i = 0; i < r->then.n_outputs; i++) { /* for the folders that lead there */
    free(target);
    BEZ_TRY(bez_run_place(r->folder, r->then.outputs[i].path, &target, err));
  }
cleanup:
  free(target);
  bez_buf_free(&bytes);
  return st;
}

static const char *fact(const bez_run_record *run, const char *name) {
  for (size_t i = 0; i < run->n_facts; i++)
    if (!strcmp(run->facts[i].name, name)) return run->facts[i].value;
  return NULL;
}

static void put_difference(bez_json *j, const char *name, const char *then, const char *now) {
  bez_json_open(j, '{');
  bez_json_kstr(j, "name", name);
  bez_json_kstr(j, "then", then);
  bez_json_kstr(j, "now", now);
  bez_json_close(j, '}');
}

/* What is another than it was: what to look at where outputs differ. */
static bez_status compare_environment(rerun *r, bez_error *err) {
  r->now.command = r->then.command;
  r->now.n_command = r->then.n_command;
  bez_status st = bez_run_environment(&r->now, r->folder, NULL, 0, err);
  if (st != BEZ_OK) return st;
  bez_json_key(&r->j, "environment");
  bez_json_open(&r->j, '[');
  for (size_t i = 0; i < r->then.n_facts; i++) {
    const bez_run_pair *pair = &r->then.facts[i];
    const char *now = fact(&r->now, pair->name);
    if (!now || strcmp(now, pair->value) != 0) put_difference(&r->j, pair->name, pair->value, now);
  }
  for (size_t i = 0; i < r->now.n_facts; i++)
    if (!fact(&r->then, r->now.facts[i].name)) put_difference(&r->j, r->now.facts[i].name, NULL, r->now.facts[i].value);
  bez_json_close(&r->j, ']');
  return BEZ_OK;
}

static bez_status execute(rerun *r, bez_error *err) {
  const bez_child_plan child = {.argv = r->then.command,
                                .folder = r->folder,
                                .set = r->then.variables,
                                .n_set = r->then.n_variables,
                                .aside = r->o->aside};
  int code = 0;
  bez_status st = bez_child_run(&child, &code, err);
  if (st == BEZ_OK && code)
    st =
        bez_fail(err, BEZ_IO, r->then.command[0], "the command ended with exit code %d, which it did not before", code);
  return st;
}

static bez_status compare_output(rerun *r, const bez_run_output *then, bez_error *err) {
  bez_made_list now = {0};
  bez_error why = {0};
  struct stat info;
  char *target = NULL;
  const char *difference = NULL;
  bez_status st = bez_run_place(r->folder, then->path, &target, err);
  if (st != BEZ_OK) return st;
  if (lstat(target, &info) != 0)
    difference = "it was not made";
  else if (bez_made_digest(target, false, &now, &why) != BEZ_OK)
    difference = why.message;
  else if (now.folder != then->made.folder)
    difference = now.folder ? "it is a folder now" : "it is a file now";
  else if (strcmp(now.sha256, then->made.sha256) != 0)
    difference = "its bytes are others";
  bez_json_open(&r->j, '{');
  bez_json_kstr(&r->j, "name", then->dataset);
  bez_json_kstr(&r->j, "path", then->path);
  bez_json_kbool(&r->j, "same", !difference);
  if (difference) bez_json_kstr(&r->j, "why", difference);
  bez_json_kstr(&r->j, "sha256", now.sha256);
  bez_json_close(&r->j, '}');
  r->n_same += !difference;
  bez_made_free(&now);
  free(target);
  return BEZ_OK;
}

static bez_status run_again(rerun *r, bez_error *err) {
  bez_status st = BEZ_OK;
  BEZ_TRY(make_folder(r, err));
  BEZ_TRY(lay_out(r, err));
  BEZ_TRY(compare_environment(r, err));
  BEZ_TRY(execute(r, err));
  bez_json_key(&r->j, "outputs");
  bez_json_open(&r->j, '[');
  for (size_t i = 0; i < r->then.n_outputs; i++) BEZ_TRY(compare_output(r, &r->then.outputs[i], err));
  bez_json_close(&r->j, ']');
  bez_json_kbool(&r->j, "same", r->n_same == r->then.n_outputs);
  if (r->o->check) bez_json_kbool(&r->j, "ok", r->n_same == r->then.n_outputs);
cleanup:
  return st;
}

bez_status bez_lineage_rerun(bez_vault *vault, const bez_rerun_options *options, char **json, bez_error *err) {
  bez_buf text = {0};
  rerun r = {.vault = vault, .o = options, .j = bez_json_make(&text, false)};
  bez_status st = BEZ_OK;
  *json = NULL;
  r.j.out = &text;
  BEZ_TRY(bez_run_load(vault, options->run, &r.then, &r.entry, err));
  bez_json_open(&r.j, '{');
  bez_json_khex(&r.j, "run", r.entry.id.bytes, BEZ_ID);
  bez_json_kstr(&r.j, "by", bez_trust_principal(vault->trust, r.entry.keys[0]));
  bez_json_kstr(&r.j, "command", bez_entry_text(&r.entry, "command"));
  BEZ_TRY(run_again(&r, err));
  bez_json_close(&r.j, '}');
  BEZ_TRY(bez_answer(&text, json, err));
cleanup:
  if (r.made) bez_run_remove(r.folder);
  bez_run_free(&r.then);
  r.now.command = NULL;
  bez_run_free(&r.now);
  bez_entry_free(&r.entry);
  bez_buf_free(&text);
  free(r.folder);
  return st;
}
