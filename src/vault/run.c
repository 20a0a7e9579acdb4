/* bezoar vault run: a command over versions, recorded under a signature. */
#include "vault/run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/file.h"
#include "content/compare.h"
#include "content/stamp.h"
#include "crypto/digest.h"
#include "crypto/dsse.h"
#include "vault/answer.h"
#include "vault/run_child.h"
#include "vault/run_layout.h"

/* A run in the making. */
typedef struct running {
  bez_vault *vault;
  const bez_run_options *o;
  bez_signer *signer;
  char *root; /* where it runs */
  bez_run_record record;
  bez_stamp *before; /* of inputs, then of outputs */
  bool *was_there;   /* outputs */
  bez_id statement, id;
  char hex[2 * BEZ_ID + 1]; /* of id */
  bez_buf command;          /* as one line, for people */
  char *committed;          /* the answer of commit */
} running;

static void running_free(running *r) {
  bez_vault_act(r->vault, NULL);
  bez_signer_close(r->signer);
  bez_run_free(&r->record);
  bez_buf_free(&r->command);
  bez_text_free(r->committed);
  free(r->before);
  free(r->was_there);
  free(r->root);
}

/* "DATA=PATH": two texts; without "=" the path is the name. */
static bez_status split(bez_arena *arena, const char *text, const char *option, const char **name, const char **path,
                        bez_error *err) {
  const char *at = strchr(text, '@'), *equals = strchr(at ? at : text, '=');
  *name = bez_arena_strndup(arena, text, equals ? (size_t)(equals - text) : strlen(text));
  *path = equals ? bez_arena_strdup(arena, equals + 1) : NULL;
  if (!*name || (equals && !*path)) return bez_fail_memory(err, strlen(text));
  if (!**name || (equals && !bez_run_is_inside(*path)))
    return bez_fail(err, BEZ_USAGE, option,
                    "\"%.200s\": a path below the folder that holds the vault, without . and ..", text);
  return BEZ_OK;
}

static bez_status take_input(running *r, const char *text, bez_run_input *in, bez_error *err) {
  bez_snapshot s = {0};
  const char *name, *path;
  bez_status st = BEZ_OK;
  BEZ_TRY(split(&r->record.arena, text, "--in", &name, &path, err));
  BEZ_TRY(bez_snapshot_find(r->vault, name, &s, err));
  in->dataset = bez_arena_strdup(&r->record.arena, s.dataset);
  in->path = path ? path : in->dataset;
  if (in->path && !bez_run_is_inside(in->path))
    BEZ_TRY(bez_fail(err, BEZ_USAGE, "--in", "\"%.200s\" leads out of the folder", in->path));
  in->version = s.version;
  in->sha256 = bez_arena_strdup(&r->record.arena, bez_entry_text(&s.entry, "sha256"));
  bez_hex(s.rows.id.bytes, BEZ_ID, in->rows);
  bez_hex(s.commit.bytes, BEZ_ID, in->commit);
  if (!in->dataset || !in->sha256) BEZ_TRY(bez_fail_memory(err, strlen(text)));
cleanup:
  bez_snapshot_free(&s);
  return st;
}

static bez_status take_output(running *r, const char *text, bez_run_output *out, bez_error *err) {
  const bez_claim claim = {"run", NULL, r->o->source, BEZ_MAY_CONTRIBUTE};
  bez_claim of_dataset = claim;
  bez_status st = split(&r->record.arena, text, "--out", &out->dataset, &out->path, err);
  if (st != BEZ_OK) return st;
  if (!out->path) out->path = out->dataset;
  if (!bez_run_is_inside(out->dataset))
    return bez_fail(err, BEZ_USAGE, "--out", "\"%.200s\" is no name for a data set", text);
  of_dataset.dataset = out->dataset;
  return bez_vault_ask(r->vault, &of_dataset, r->signer, err);
}

static bez_status plan(running *r, bez_error *err) {
  const bez_run_options *o = r->o;
  bez_run_record *run = &r->record;
  uint8_t key[32];
  bez_status st = BEZ_OK;
  r->root = strndup(r->vault->folder, strlen(r->vault->folder) - strlen("/.bezoar"));
  r->before = calloc(o->n_inputs + o->n_outputs + 1, sizeof *r->before);
  r->was_there = calloc(o->n_outputs + 1, sizeof *r->was_there);
  run->inputs = bez_arena_array(&run->arena, o->n_inputs + 1, sizeof *run->inputs);
  run->outputs = bez_arena_array(&run->arena, o->n_outputs + 1, sizeof *run->outputs);
  run->command = bez_arena_array(&run->arena, o->n_command + 1, sizeof *run->command);
  if (!r->root || !r->before || !r->was_there || !run->inputs || !run->outputs || !run->command)
    BEZ_TRY(bez_fail_memory(err, 4096));
  BEZ_TRY(bez_vault_signer(r->vault, &o->who, &r->signer, err));
  if (!bez_ssh_key_ed25519(bez_signer_public(r->signer), key))
    BEZ_TRY(bez_fail(err, BEZ_UNSUPPORTED, "--key", "statements are signed with Ed25519 keys alone"));
  if (!o->source || !*o->source || !bez_trust_source(r->vault->trust, o->source))
    BEZ_TRY(bez_fail(err, BEZ_USAGE, "--source", "say which source the outputs are (bezoar vault source list)"));
  for (; run->n_command < o->n_command; run->n_command++) {
    run->command[run->n_command] = o->command[run->n_command];
    bez_buf_printf(&r->command, "%s%s", run->n_command ? " " : "", o->command[run->n_command]);
  }
  for (; run->n_inputs < o->n_inputs; run->n_inputs++)
    BEZ_TRY(take_input(r, o->inputs[run->n_inputs], &run->inputs[run->n_inputs], err));
  for (; run->n_outputs < o->n_outputs; run->n_outputs++)
    BEZ_TRY(take_output(r, o->outputs[run->n_outputs], &run->outputs[run->n_outputs], err));
  BEZ_TRY(bez_buf_status(&r->command, err));
cleanup:
  return st;
}

/* What is there must be the version; what is not there is checked out. Either way the log says who read it. */
static bez_status lay_out(running *r, const bez_run_input *in, bez_stamp *stamp, bez_error *err) {
  const bez_vault_who reader = {bez_ssh_key_fingerprint(bez_signer_public(r->signer)), r->o->who.password};
  bez_snapshot s = {0};
  bez_buf version = {0};
  struct stat info;
  char *target = NULL;
  bool same = false;
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_run_place(r->root, in->path, &target, err));
  if (lstat(target, &info) != 0) {
    BEZ_TRY(bez_run_checkout(r->vault, in, target, r->o->who.key ? &r->o->who : &reader, r->o->threads, err));
  } else {
    bez_buf_printf(&version, "%s@%llu", in->dataset, (unsigned long long)in->version);
    BEZ_TRY(bez_buf_status(&version, err));
    BEZ_TRY(bez_snapshot_find(r->vault, version.data, &s, err));
    BEZ_TRY(bez_tree_same(r->vault->objects, &s.rows, target, &same, err));
    if (!same)
      BEZ_TRY(bez_fail(err, BEZ_USAGE, target, "is there and is not %s: move it away, or give --in %s=PATH",
                       version.data, version.data));
    BEZ_TRY(bez_vault_record_access(r->vault, "run", &s, r->signer, NULL, r->command.data, err));
  }
  BEZ_TRY(bez_stamp_take(target, stamp, err));
cleanup:
  free(target);
  bez_buf_free(&version);
  bez_snapshot_free(&s);
  return st;
}

/* Files that the command needs beside its inputs, kept as objects. */
static bez_status take_use(running *r, const char *path, bez_run_use *use, bez_pack *pack, bez_error *err) {
  bez_buf bytes = {0};
  struct stat info;
  char *target = NULL;
  bez_id id;
  bez_status st = BEZ_OK;
  if (!bez_run_is_inside(path))
    BEZ_TRY(bez_fail(err, BEZ_USAGE, "--use", "\"%.200s\": a path below the folder that holds the vault", path));
  BEZ_TRY(bez_run_place(r->root, path, &target, err));
  if (stat(target, &info) != 0) BEZ_TRY(bez_fail_errno(err, target, "cannot be read"));
  BEZ_TRY(bez_file_read(target, BEZ_MAX_USED, &bytes, err));
  BEZ_TRY(bez_pack_put(pack, BEZ_OBJECT_BLOB, bytes.data ? bytes.data : "", bytes.len, &id, err));
  use->path = path;
  use->mode = info.st_mode & 0777;
  bez_hex(id.bytes, BEZ_ID, use->sha256);
cleanup:
  free(target);
  bez_buf_free(&bytes);
  return st;
}

static bez_status take_uses(running *r, bez_error *err) {
  bez_run_record *run = &r->record;
  bez_pack *pack = NULL;
  bez_status st = BEZ_OK;
  run->uses = bez_arena_array(&run->arena, r->o->n_uses + 1, sizeof *run->uses);
  if (!run->uses) BEZ_TRY(bez_fail_memory(err, r->o->n_uses * sizeof *run->uses));
  BEZ_TRY(bez_pack_begin(r->vault->objects, &pack, err));
  for (; run->n_uses < r->o->n_uses; run->n_uses++)
    BEZ_TRY(take_use(r, r->o->uses[run->n_uses], &run->uses[run->n_uses], pack, err));
  st = bez_pack_finish(pack, NULL, err);
  pack = NULL;
cleanup:
  bez_pack_abandon(pack);
  return st;
}

static bez_status prepare(running *r, bez_error *err) {
  bez_run_record *run = &r->record;
  bez_status st = BEZ_OK;
  char *target = NULL;
  struct stat info;
  for (size_t i = 0; i < run->n_inputs; i++) BEZ_TRY(lay_out(r, &run->inputs[i], &r->before[i], err));
  for (size_t i = 0; i < run->n_outputs; i++) {
    free(target);
    BEZ_TRY(bez_run_place(r->root, run->outputs[i].path, &target, err));
    r->was_there[i] = lstat(target, &info) == 0;
    if (r->was_there[i]) BEZ_TRY(bez_stamp_take(target, &r->before[run->n_inputs + i], err));
  }
  BEZ_TRY(take_uses(r, err));
  BEZ_TRY(bez_run_environment(run, r->root, r->o->variables, r->o->n_variables, err));
cleanup:
  free(target);
  return st;
}

static bez_status execute(running *r, bez_error *err) {
  const bez_child_plan child = {.argv = r->record.command, .folder = r->root, .aside = r->o->aside};
  int code = 0;
  r->record.started = bez_vault_now();
  bez_status st = bez_child_run(&child, &code, err);
  r->record.finished = bez_vault_now();
  if (st == BEZ_OK && code)
    st = bez_fail(err, BEZ_IO, r->record.command[0], "the command ended with exit code %d: nothing is recorded", code);
  return st;
}

static bool same_stamp(const bez_stamp *a, const bez_stamp *b) {
  return !memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

/* Inputs as they were, outputs as the command made them. */
static bez_status inspect(running *r, bez_error *err) {
  bez_run_record *run = &r->record;
  bez_stamp now;
  char *target = NULL;
  bez_status st = BEZ_OK;
  for (size_t i = 0; i < run->n_inputs; i++) {
    free(target);
    BEZ_TRY(bez_run_place(r->root, run->inputs[i].path, &target, err));
    BEZ_TRY(bez_stamp_take(target, &now, err));
    if (!same_stamp(&now, &r->before[i]))
      BEZ_TRY(bez_fail(err, BEZ_IO, target, "the command changed this input: nothing is recorded"));
  }
  for (size_t i = 0; i < run->n_outputs; i++) {
    bez_stamp *before = &r->before[run->n_inputs + i];
    free(target);
    BEZ_TRY(bez_run_place(r->root, run->outputs[i].path, &target, err));
    BEZ_TRY(bez_stamp_take(target, &now, err));
    if (r->was_there[i] && same_stamp(&now, before))
      BEZ_TRY(bez_fail(err, BEZ_IO, target, "was there before, and the command did not write it: nothing is recorded"));
    *before = now;
    BEZ_TRY(bez_made_digest(target, false, &run->outputs[i].made, err));
  }
cleanup:
  free(target);
  return st;
}

static void write_run(bez_json *j, const void *ctx) {
  const running *r = ctx;
  const bez_run_record *run = &r->record;
  bez_json_khex(j, "statement", r->statement.bytes, BEZ_ID);
  bez_json_kstr(j, "source", r->o->source);
  bez_json_kstr(j, "command", r->command.data);
  bez_json_key(j, "inputs");
  bez_json_open(j, '[');
  for (size_t i = 0; i < run->n_inputs; i++) {
    bez_json_open(j, '{');
    bez_json_kstr(j, "dataset", run->inputs[i].dataset);
    bez_json_kuint(j, "version", run->inputs[i].version);
    bez_json_close(j, '}');
  }
  bez_json_close(j, ']');
  bez_json_key(j, "outputs");
  bez_json_open(j, '[');
  for (size_t i = 0; i < run->n_outputs; i++) {
    bez_json_open(j, '{');
    bez_json_kstr(j, "dataset", run->outputs[i].dataset);
    bez_json_kstr(j, "sha256", run->outputs[i].made.sha256);
    bez_json_close(j, '}');
  }
  bez_json_close(j, ']');
}

static bez_status record(running *r, bez_error *err) {
  bez_buf statement = {0}, envelope = {0};
  bez_json j = bez_json_make(&envelope, false);
  bez_pack *pack = NULL;
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_run_statement(&r->record, r->vault->origin, &statement, err));
  BEZ_TRY(bez_dsse_sign_raw(&j, BEZ_IN_TOTO_PAYLOAD, statement.data, statement.len, r->signer, err));
  BEZ_TRY(bez_pack_begin(r->vault->objects, &pack, err));
  BEZ_TRY(bez_pack_put(pack, BEZ_OBJECT_BLOB, envelope.data, envelope.len, &r->statement, err));
  st = bez_pack_finish(pack, NULL, err);
  pack = NULL;
  if (st == BEZ_OK) st = bez_vault_say(r->vault, "run", r->signer, write_run, r, &r->id, err);
  if (st == BEZ_OK) bez_hex(r->id.bytes, BEZ_ID, r->hex);
cleanup:
  bez_pack_abandon(pack);
  bez_buf_free(&statement);
  bez_buf_free(&envelope);
  return st;
}

/* One output becomes what is staged; it must still be what the statement says. */
static bez_status add_output(running *r, size_t i, bool *staged, bez_error *err) {
  const bez_run_output *out = &r->record.outputs[i];
  bez_vault_add_options add = {.name = out->dataset,
                               .source = r->o->source,
                               .run = r->hex,
                               .who = r->o->who,
                               .threads = r->o->threads,
                               .progress = r->o->progress,
                               .progress_ctx = r->o->progress_ctx};
  bez_stamp now;
  char *target = NULL, *json = NULL;
  json_t *answer = NULL;
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_run_place(r->root, out->path, &target, err));
  BEZ_TRY((r->o->add ? r->o->add : bez_vault_add)(r->vault, target, &add, &json, err));
  BEZ_TRY(bez_stamp_take(target, &now, err));
  if (!same_stamp(&now, &r->before[r->record.n_inputs + i]))
    BEZ_TRY(bez_fail(err, BEZ_IO, target, "was changed while it was recorded"));
  BEZ_TRY(bez_json_parse(json, strlen(json), "answer", &answer, err));
  *staged = json_is_true(json_object_get(answer, "staged"));
cleanup:
  bez_vault_act(r->vault, r->signer);
  json_decref(answer);
  bez_text_free(json);
  free(target);
  return st;
}

static bez_status add_outputs(running *r, bez_error *err) {
  const size_t n = r->record.n_outputs;
  const char **datasets = calloc(n + 1, sizeof *datasets);
  bez_vault_commit_options commit = {.message = r->o->message ? r->o->message : r->command.data, .who = r->o->who};
  bez_status st = datasets ? BEZ_OK : bez_fail_memory(err, n * sizeof *datasets);
  for (size_t i = 0; st == BEZ_OK && i < n; i++) {
    bool staged = false;
    st = add_output(r, i, &staged, err);
    if (staged) datasets[commit.n_datasets++] = r->record.outputs[i].dataset;
  }
  commit.datasets = datasets;
  if (st == BEZ_OK && commit.n_datasets && !r->o->stage_only)
    st = bez_vault_commit(r->vault, &commit, &r->committed, err);
  free(datasets);
  return st;
}

static void put_made(bez_json *j, const running *r) {
  bez_json_key(j, "inputs");
  bez_json_open(j, '[');
  for (size_t i = 0; i < r->record.n_inputs; i++) {
    bez_json_open(j, '{');
    bez_json_kstr(j, "dataset", r->record.inputs[i].dataset);
    bez_json_kuint(j, "version", r->record.inputs[i].version);
    bez_json_kstr(j, "path", r->record.inputs[i].path);
    bez_json_close(j, '}');
  }
  bez_json_close(j, ']');
  bez_json_key(j, "outputs");
  bez_json_open(j, '[');
  for (size_t i = 0; i < r->record.n_outputs; i++) {
    bez_json_open(j, '{');
    bez_json_kstr(j, "dataset", r->record.outputs[i].dataset);
    bez_json_kstr(j, "path", r->record.outputs[i].path);
    bez_json_kstr(j, "sha256", r->record.outputs[i].made.sha256);
    bez_json_close(j, '}');
  }
  bez_json_close(j, ']');
}

static bez_status answer(const running *r, char **json, bez_error *err) {
  bez_buf text = {0};
  bez_json j = bez_json_make(&text, false);
  bez_json_open(&j, '{');
  bez_json_kstr(&j, "run", r->hex);
  bez_json_khex(&j, "statement", r->statement.bytes, BEZ_ID);
  bez_json_kstr(&j, "command", r->command.data);
  bez_json_kstr(&j, "environment", r->record.environment);
  put_made(&j, r);
  bez_json_key(&j, "commit");
  if (r->committed)
    bez_json_raw(&j, r->committed, strcspn(r->committed, "\n"));
  else
    bez_json_null(&j);
  bez_json_close(&j, '}');
  return bez_answer(&text, json, err);
}

bez_status bez_lineage_run(bez_vault *vault, const bez_run_options *options, char **json, bez_error *err) {
  running r = {.vault = vault, .o = options};
  bez_status st = BEZ_OK;
  *json = NULL;
  if (!options->n_command) BEZ_TRY(bez_fail(err, BEZ_USAGE, "run", "no command: it stands behind --"));
  if (!options->n_outputs) BEZ_TRY(bez_fail(err, BEZ_USAGE, "--out", "say what the command makes"));
  BEZ_TRY(plan(&r, err));
  BEZ_TRY(prepare(&r, err));
  BEZ_TRY(execute(&r, err));
  BEZ_TRY(inspect(&r, err));
  BEZ_TRY(record(&r, err));
  BEZ_TRY(add_outputs(&r, err));
  BEZ_TRY(answer(&r, json, err));
cleanup:
  running_free(&r);
  return st;
}
