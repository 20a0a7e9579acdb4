/* What is recorded of a run, as an in-toto statement v1 with SLSA provenance v1, and back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/time.h"
#include "crypto/digest.h"
#include "crypto/json_bytes.h"
#include "crypto/statement.h"
#include "vault/run_layout.h"

void bez_run_free(bez_run_record *run) {
  for (size_t i = 0; i < run->n_outputs; i++) bez_made_free(&run->outputs[i].made);
  bez_arena_free(&run->arena);
  *run = (bez_run_record){0};
}

/* ---- out --------------------------------------------------------------------------------------------------------- */

static void put_digest(bez_json *j, const char *sha256) {
  bez_json_key(j, "digest");
  bez_json_open(j, '{');
  bez_json_kstr(j, "sha256", sha256);
  bez_json_close(j, '}');
}

static void put_subjects(bez_json *j, const bez_run_record *run) {
  bez_json_key(j, "subject");
  bez_json_open(j, '[');
  for (size_t i = 0; i < run->n_outputs; i++) {
    const bez_run_output *o = &run->outputs[i];
    for (size_t k = 0; k < o->made.n; k++) {
      bez_buf name = {0};
      bez_buf_printf(&name, "%s%s%s", o->dataset, o->made.folder ? "/" : "", o->made.items[k].name);
      bez_json_open(j, '{');
      bez_json_kstr(j, "name", name.data);
      put_digest(j, o->made.items[k].sha256);
      bez_json_close(j, '}');
      bez_buf_free(&name);
    }
  }
  bez_json_close(j, ']');
}

static void put_pairs(bez_json *j, const char *key, const bez_run_pair *pairs, size_t n) {
  bez_json_key(j, key);
  bez_json_open(j, '{');
  for (size_t i = 0; i < n; i++) bez_json_kstr(j, pairs[i].name, pairs[i].value);
  bez_json_close(j, '}');
}

static void put_external(bez_json *j, const bez_run_record *run) {
  bez_json_key(j, "externalParameters");
  bez_json_open(j, '{');
  bez_json_key(j, "command");
  bez_json_open(j, '[');
  for (size_t i = 0; i < run->n_command; i++) bez_json_str(j, run->command[i]);
  bez_json_close(j, ']');
  bez_json_key(j, "inputs");
  bez_json_open(j, '[');
  for (size_t i = 0; i < run->n_inputs; i++) {
    bez_json_open(j, '{');
    bez_json_kstr(j, "dataset", run->inputs[i].dataset);
    bez_json_kuint(j, "version", run->inputs[i].version);
    bez_json_kstr(j, "path", run->inputs[i].path);
    bez_json_kstr(j, "rows", run->inputs[i].rows);
    bez_json_close(j, '}');
  }
  bez_json_close(j, ']');
  bez_json_key(j, "outputs");
  bez_json_open(j, '[');
  for (size_t i = 0; i < run->n_outputs; i++) {
    bez_json_open(j, '{');
    bez_json_kstr(j, "dataset", run->outputs[i].dataset);
    bez_json_kstr(j, "path", run->outputs[i].path);
    bez_json_kbool(j, "folder", run->outputs[i].made.folder);
    bez_json_kstr(j, "sha256", run->outputs[i].made.sha256);
    bez_json_close(j, '}');
  }
  bez_json_close(j, ']');
  bez_json_key(j, "uses");
  bez_json_open(j, '[');
  for (size_t i = 0; i < run->n_uses; i++) {
    bez_json_open(j, '{');
    bez_json_kstr(j, "path", run->uses[i].path);
    bez_json_kstr(j, "sha256", run->uses[i].sha256);
    bez_json_kuint(j, "mode", run->uses[i].mode);
    bez_json_close(j, '}');
  }
  bez_json_close(j, ']');
  put_pairs(j, "variables", run->variables, run->n_variables);
  bez_json_close(j, '}');
}

static void put_internal(bez_json *j, const bez_run_record *run) {
  bez_json_key(j, "internalParameters");
  bez_json_open(j, '{');
  bez_json_key(j, "environment");
  bez_json_open(j, '{');
  bez_json_kstr(j, "sha256", run->environment);
  put_pairs(j, "facts", run->facts, run->n_facts);
  bez_json_close(j, '}');
  bez_json_close(j, '}');
}

static void put_input(bez_json *j, const bez_run_input *in, const char *origin) {
  char text[64];
  bez_buf uri = {0};
  snprintf(text, sizeof text, "@%llu", (unsigned long long)in->version);
  bez_buf_printf(&uri, "urn:bezoar:vault:%s/%s%s", origin, in->dataset, text);
  bez_json_open(j, '{');
  bez_json_kstr(j, "uri", uri.data);
  bez_json_kstr(j, "name", in->dataset);
  if (*in->sha256) put_digest(j, in->sha256);
  bez_json_key(j, "annotations");
  bez_json_open(j, '{');
  bez_json_kstr(j, "rows", in->rows);
  bez_json_kstr(j, "commit", in->commit);
  bez_json_close(j, '}');
  bez_json_close(j, '}');
  bez_buf_free(&uri);
}

static void put_dependencies(bez_json *j, const bez_run_record *run, const char *origin) {
  bez_json_key(j, "resolvedDependencies");
  bez_json_open(j, '[');
  for (size_t i = 0; i < run->n_inputs; i++) put_input(j, &run->inputs[i], origin);
  for (size_t i = 0; i < run->n_uses; i++) {
    bez_json_open(j, '{');
    bez_json_kstr(j, "name", run->uses[i].path);
    put_digest(j, run->uses[i].sha256);
    bez_json_close(j, '}');
  }
  for (size_t i = 0; i + 1 < run->n_facts; i++) { /* a program, then its digest */
    size_t len = strlen(run->facts[i].name);
    if (strncmp(run->facts[i + 1].name, run->facts[i].name, len) != 0 ||
        strcmp(run->facts[i + 1].name + len, " sha256") != 0)
      continue;
    bez_json_open(j, '{');
    bez_json_kstr(j, "name", run->facts[i].value);
    put_digest(j, run->facts[i + 1].value);
    bez_json_close(j, '}');
  }
  bez_json_close(j, ']');
}

static void put_details(bez_json *j, const bez_run_record *run, const char *origin) {
  char time[BEZ_TIME_TEXT];
  bez_buf id = {0};
  bez_buf_printf(&id, "urn:bezoar:vault:%s", origin);
  bez_json_key(j, "runDetails");
  bez_json_open(j, '{');
  bez_json_key(j, "builder");
  bez_json_open(j, '{');
  bez_json_kstr(j, "id", id.data);
  bez_json_key(j, "version");
  bez_json_open(j, '{');
  bez_json_kstr(j, "bezoar", BEZ_VERSION_STRING);
  bez_json_close(j, '}');
  bez_json_close(j, '}');
  bez_json_key(j, "metadata");
  bez_json_open(j, '{');
  bez_time_text(run->started, time);
  bez_json_kstr(j, "startedOn", time);
  bez_time_text(run->finished, time);
  bez_json_kstr(j, "finishedOn", time);
  bez_json_close(j, '}');
  bez_json_close(j, '}');
  bez_buf_free(&id);
}

bez_status bez_run_statement(const bez_run_record *run, const char *origin, bez_buf *out, bez_error *err) {
  bez_json j = bez_json_make(out, false);
  bez_json_open(&j, '{');
  bez_json_kstr(&j, "_type", BEZ_STATEMENT_TYPE);
  put_subjects(&j, run);
  bez_json_kstr(&j, "predicateType", BEZ_RUN_PREDICATE);
  bez_json_key(&j, "predicate");
  bez_json_open(&j, '{');
  bez_json_key(&j, "buildDefinition");
  bez_json_open(&j, '{');
  bez_json_kstr(&j, "buildType", BEZ_RUN_BUILD);
  put_external(&j, run);
  put_internal(&j, run);
  put_dependencies(&j, run, origin);
  bez_json_close(&j, '}');
  put_details(&j, run, origin);
  bez_json_close(&j, '}');
  bez_json_close(&j, '}');
  return bez_buf_status(out, err);
}

/* ---- and back ---------------------------------------------------------------------------------------------------- */

static const char *text_of(bez_arena *arena, const json_t *object, const char *key) {
  return bez_arena_strdup(arena, bez_json_text(object, key));
}

static bool is_sha256(const char *text) {
  uint8_t digest[32];
  return bez_unhex(text, digest, sizeof digest);
}

static bool take_words(bez_run_record *run, const json_t *words) {
  run->n_command = json_array_size(words);
  run->command = bez_arena_array(&run->arena, run->n_command + 1, sizeof *run->command);
  for (size_t i = 0; run->command && i < run->n_command; i++) {
    const char *word = json_string_value(json_array_get(words, i));
    if (!word || !(run->command[i] = bez_arena_strdup(&run->arena, word))) return false;
  }
  return run->command && run->n_command;
}

static bool take_inputs(bez_run_record *run, const json_t *items) {
  run->n_inputs = json_array_size(items);
  run->inputs = bez_arena_array(&run->arena, run->n_inputs + 1, sizeof *run->inputs);
  for (size_t i = 0; run->inputs && i < run->n_inputs; i++) {
    const json_t *item = json_array_get(items, i);
    bez_run_input *in = &run->inputs[i];
    in->dataset = text_of(&run->arena, item, "dataset");
    in->path = text_of(&run->arena, item, "path");
    in->sha256 = "";
    const char *rows = bez_json_text(item, "rows");
    if (!in->dataset || !in->path || !*in->dataset || !bez_run_is_inside(in->path) || !is_sha256(rows)) return false;
    memcpy(in->rows, rows, sizeof in->rows);
    if (!bez_json_count(json_object_get(item, "version"), &in->version) || !in->version) return false;
  }
  return run->inputs != NULL;
}

static bool take_outputs(bez_run_record *run, const json_t *items) {
  const size_t n = json_array_size(items);
  run->outputs = bez_arena_array(&run->arena, n + 1, sizeof *run->outputs);
  for (size_t i = 0; run->outputs && i < n; i++) {
    const json_t *item = json_array_get(items, i);
    bez_run_output *out = &run->outputs[run->n_outputs++];
    out->dataset = text_of(&run->arena, item, "dataset");
    out->path = text_of(&run->arena, item, "path");
    out->made.folder = json_is_true(json_object_get(item, "folder"));
    const char *sha256 = bez_json_text(item, "sha256");
    if (!out->dataset || !out->path || !bez_run_is_inside(out->path) || !is_sha256(sha256)) return false;
    memcpy(out->made.sha256, sha256, sizeof out->made.sha256);
  }
  return run->outputs && n;
}

static bool take_uses(bez_run_record *run, const json_t *items) {
  run->n_uses = json_array_size(items);
  run->uses = bez_arena_array(&run->arena, run->n_uses + 1, sizeof *run->uses);
  for (size_t i = 0; run->uses && i < run->n_uses; i++) {
    const json_t *item = json_array_get(items, i);
    bez_run_use *use = &run->uses[i];
    use->path = text_of(&run->arena, item, "path");
    const char *sha256 = bez_json_text(item, "sha256");
    if (!use->path || !bez_run_is_inside(use->path) || !is_sha256(sha256)) return false;
    memcpy(use->sha256, sha256, sizeof use->sha256);
    if (!bez_json_count(json_object_get(item, "mode"), &use->mode) || use->mode > 0777) return false;
  }
  return run->uses != NULL;
}

static bool take_pairs(bez_run_record *run, json_t *object, bez_run_pair **pairs, size_t *n) {
  const char *name;
  json_t *value;
  *pairs = bez_arena_array(&run->arena, json_object_size(object) + 1, sizeof **pairs);
  if (!*pairs) return false;
  json_object_foreach(object, name, value) {
    bez_run_pair pair = {bez_arena_strdup(&run->arena, name), bez_arena_strdup(&run->arena, json_string_value(value))};
    if (!pair.name || !pair.value || strchr(pair.name, '=')) return false;
    (*pairs)[(*n)++] = pair;
  }
  return true;
}

static bool take_all(bez_run_record *run, const bez_statement *statement) {
  const json_t *definition = json_object_get(statement->predicate, "buildDefinition");
  const json_t *external = json_object_get(definition, "externalParameters");
  const json_t *environment = json_object_get(json_object_get(definition, "internalParameters"), "environment");
  return !strcmp(bez_json_text(definition, "buildType"), BEZ_RUN_BUILD) &&
         take_words(run, json_object_get(external, "command")) &&
         take_inputs(run, json_object_get(external, "inputs")) &&
         take_outputs(run, json_object_get(external, "outputs")) && take_uses(run, json_object_get(external, "uses")) &&
         take_pairs(run, json_object_get(external, "variables"), &run->variables, &run->n_variables) &&
         take_pairs(run, json_object_get(environment, "facts"), &run->facts, &run->n_facts);
}

bez_status bez_run_parse(const char *bytes, size_t len, bez_run_record *out, bez_error *err) {
  bez_statement statement = {0};
  *out = (bez_run_record){0};
  bez_status st = bez_statement_parse(bytes, len, "statement of the run", &statement, err);
  if (st == BEZ_OK && strcmp(statement.predicate_type, BEZ_RUN_PREDICATE) != 0)
    st = bez_fail(err, BEZ_FORMAT, "statement of the run", "says something else than where data come from");
  if (st == BEZ_OK && !take_all(out, &statement))
    st = bez_fail(err, BEZ_FORMAT, "statement of the run", "is none that bezoar vault run made");
  bez_statement_free(&statement);
  if (st != BEZ_OK) bez_run_free(out);
  return st;
}
