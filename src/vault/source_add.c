/* Adding sources, and telling what is known of them. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "bezoar/trust.h"
#include "ledger/source.h"
#include "vault/answer.h"
#include "vault/trust_write.h"

/* Takes over value. */
static bool put(json_t *fields, const char *group, const char *name, json_t *value) {
  json_t *members = json_object_get(fields, group);
  if (!members) {
    members = json_object();
    if (json_object_set_new(fields, group, members) != 0) {
      json_decref(value);
      return false;
    }
  }
  return json_object_set_new(members, name, value) == 0;
}

static bool put_text(json_t *fields, const char *group, const char *name, const char *text) {
  return !text || put(fields, group, name, json_string(text));
}

/* A list of texts, or of objects with the text under `inner`. */
static bool put_list(json_t *fields, const char *group, const char *name, const char *inner, bez_source_list list) {
  json_t *array = list.n ? json_array() : NULL;
  for (size_t i = 0; i < list.n; i++) {
    json_t *item = inner ? json_pack("{s:s}", inner, list.items[i]) : json_string(list.items[i]);
    if (json_array_append_new(array, item) != 0) {
      json_decref(array);
      return false;
    }
  }
  return !list.n || put(fields, group, name, array);
}

/* A purpose has a code and a description. */
static bool put_purposes(json_t *fields, bez_source_list list) {
  json_t *array = list.n ? json_array() : NULL;
  for (size_t i = 0; i < list.n; i++)
    json_array_append_new(array, json_pack("{s:s,s:s}", "code", list.items[i], "description", list.items[i]));
  return !list.n || put(fields, "use", "intended-purpose", array);
}

static bool put_period(json_t *fields, const bez_source_options *o) {
  if (!o->collected_from && !o->collected_to) return true;
  json_t *period = json_object();
  if (o->collected_from) json_object_set_new(period, "start", json_string(o->collected_from));
  if (o->collected_to) json_object_set_new(period, "end", json_string(o->collected_to));
  return put(fields, "provenance", "generation-period", period);
}

static const char *or_there(const json_t *fields, const char *name, const char *given, const char *fallback) {
  if (given) return given;
  return json_object_get(json_object_get(fields, "source"), name) ? NULL : fallback;
}

static bez_status fill(json_t *fields, const bez_source_options *o, bez_error *err) {
  bool fine = put_text(fields, "source", "version", or_there(fields, "version", NULL, BEZ_DTA_VERSION)) &&
              put_text(fields, "source", "title", or_there(fields, "title", o->title, o->id)) &&
              put_text(fields, "source", "id", or_there(fields, "id", o->identifier, o->id)) &&
              put_text(fields, "source", "location", o->uri) &&
              put_list(fields, "source", "issuer", "name", o->publishers) &&
              put_text(fields, "source", "description", o->description);
  fine = fine && put_text(fields, "provenance", "source", o->lineage) &&
         put_list(fields, "provenance", "origin", "name", o->origins) &&
         put_list(fields, "provenance", "origin-geography", "country", o->geographies) &&
         put_text(fields, "provenance", "date", o->date) &&
         put_text(fields, "provenance", "previous-date", o->previous_date) && put_period(fields, o) &&
         put_list(fields, "provenance", "generation-method", "code", o->methods) &&
         put_list(fields, "provenance", "format", NULL, o->formats);
  fine = fine && put_list(fields, "use", "consents", NULL, o->consents) &&
         put_list(fields, "use", "license", NULL, o->licences) && put_purposes(fields, o->purposes) &&
         put_list(fields, "use", "copyright", NULL, o->rights);
  return fine ? BEZ_OK : bez_fail(err, BEZ_USAGE, o->id, "a value is not UTF-8");
}

typedef struct named_source {
  const char *id, *fields; /* JSON */
  size_t len;
} named_source;

static void write_source(bez_json *j, const void *ctx) {
  const named_source *s = ctx;
  bez_json_kstr(j, "id", s->id);
  bez_json_key(j, "fields");
  bez_json_raw(j, s->fields, s->len);
}

static const bez_known_source *find(const bez_trust *trust, const char *id) {
  for (size_t i = 0; i < trust->n_sources; i++)
    if (!strcmp(trust->sources[i].id, id)) return &trust->sources[i];
  return NULL;
}

static bez_status tell(const json_t *fields, const char *id, uint64_t index, char **json, bez_error *err) {
  char *text = json_dumps(fields, JSON_COMPACT);
  bez_buf out = {0};
  bez_json j = bez_json_make(&out, false);
  if (!text) return bez_fail_memory(err, 4096);
  bez_json_open(&j, '{');
  write_source(&j, &(named_source){id, text, strlen(text)});
  bez_json_key(&j, "missing");
  bez_source_missing(fields, &j);
  bez_json_kuint(&j, "entry", index);
  bez_json_close(&j, '}');
  free(text);
  return bez_answer(&out, json, err);
}

static bez_status make_fields(const bez_source_options *o, json_t **fields, bez_error *err) {
  bez_status st = BEZ_OK;
  if (!bez_trust_name_fine(o->id))
    return bez_fail(err, BEZ_USAGE, o->id, "is no id: at most 100 letters, digits and ._-@+:/");
  if (o->from_file)
    BEZ_TRY(bez_json_read_file(o->from_file, fields, err));
  else
    *fields = json_object();
  BEZ_TRY(bez_source_check(*fields, o->from_file ? o->from_file : o->id, err));
  BEZ_TRY(fill(*fields, o, err));
cleanup:
  return st;
}

bez_status bez_vault_source_add(bez_vault *vault, const bez_source_options *options, char **json, bez_error *err) {
  json_t *fields = NULL;
  char *text = NULL;
  bez_signer *signer = NULL;
  bez_status st = BEZ_OK;
  BEZ_TRY(make_fields(options, &fields, err));
  text = json_dumps(fields, JSON_COMPACT);
  if (!text) BEZ_TRY(bez_fail_memory(err, 4096));
  const named_source said = {options->id, text, strlen(text)};
  const bez_statement_of_trust what = {.type = "source", .write = write_source, .ctx = &said};
  BEZ_TRY(bez_vault_signer(vault, &options->who, &signer, err));
  BEZ_TRY(bez_trust_say(vault, &what, signer, NULL, err));
  const bez_known_source *known = find(vault->trust, options->id);
  if (!known) BEZ_TRY(bez_fail(err, BEZ_INTERNAL, options->id, "the entry has had no effect"));
  BEZ_TRY(tell(fields, options->id, known->index, json, err));
cleanup:
  bez_vault_act(vault, NULL);
  bez_signer_close(signer);
  json_decref(fields);
  free(text);
  return st;
}

bez_status bez_vault_source_show(bez_vault *vault, const char *id, char **json, bez_error *err) {
  const bez_known_source *known = find(vault->trust, id);
  if (!known) return bez_fail(err, BEZ_USAGE, id, "no such source (bezoar vault source list)");
  return tell(json_object_get(known->body, "fields"), id, known->index, json, err);
}

bez_status bez_vault_source_list(bez_vault *vault, char **json, bez_error *err) {
  bez_buf out = {0};
  bez_json j = bez_json_make(&out, false);
  bez_json_open(&j, '{');
  bez_json_key(&j, "sources");
  bez_json_open(&j, '[');
  for (size_t i = 0; i < vault->trust->n_sources; i++) {
    const bez_known_source *known = &vault->trust->sources[i];
    const json_t *source = json_object_get(json_object_get(known->body, "fields"), "source");
    const json_t *issuer = json_array_get(json_object_get(source, "issuer"), 0);
    const char *title = json_string_value(json_object_get(source, "title"));
    const char *publisher = json_string_value(json_object_get(issuer, "name"));
    const char *uri = json_string_value(json_object_get(source, "location"));
    bez_json_open(&j, '{');
    bez_json_kstr(&j, "id", known->id);
    bez_json_kstr(&j, "title", title ? title : "");
    bez_json_kstr(&j, "publisher", publisher ? publisher : "");
    bez_json_kstr(&j, "uri", uri ? uri : "");
    bez_json_kuint(&j, "entry", known->index);
    bez_json_close(&j, '}');
  }
  bez_json_close(&j, ']');
  bez_json_close(&j, '}');
  return bez_answer(&out, json, err);
}
