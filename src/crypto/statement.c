/* in-toto Attestation Framework, Statement v1. */
#include "crypto/statement.h"

#include <string.h>

#include "base/error.h"

static bez_status check(bez_statement *s, const char *subject, bez_error *err) {
  const char *type = json_string_value(json_object_get(s->document, "_type"));
  if (!json_is_object(s->document)) return bez_fail(err, BEZ_FORMAT, subject, "what was signed is no JSON object");
  if (!type || strcmp(type, BEZ_STATEMENT_TYPE) != 0)
    return bez_fail(err, BEZ_FORMAT, subject, "what was signed is no in-toto statement v1: its type is \"%.100s\"",
                    type ? type : "");
  s->predicate_type = json_string_value(json_object_get(s->document, "predicateType"));
  s->subject = json_object_get(s->document, "subject");
  s->predicate = json_object_get(s->document, "predicate");
  if (!s->predicate_type) return bez_fail(err, BEZ_FORMAT, subject, "the statement has no predicate type");
  if (!json_array_size(s->subject)) return bez_fail(err, BEZ_FORMAT, subject, "the statement has no subject");
  if (!json_is_object(s->predicate)) s->predicate = NULL;
  return BEZ_OK;
}

bez_status bez_statement_parse(const void *bytes, size_t len, const char *subject, bez_statement *out, bez_error *err) {
  *out = (bez_statement){0};
  bez_status st = bez_json_parse(bytes, len, subject, &out->document, err);
  if (st == BEZ_OK) st = check(out, subject, err);
  if (st != BEZ_OK) bez_statement_free(out);
  return st;
}

void bez_statement_free(bez_statement *statement) {
  json_decref(statement->document);
  *statement = (bez_statement){0};
}

void bez_statement_begin(bez_json *j, const char *name, const char *sha256, const char *predicate_type) {
  bez_json_open(j, '{');
  bez_json_kstr(j, "_type", BEZ_STATEMENT_TYPE);
  bez_json_key(j, "subject");
  bez_json_open(j, '[');
  bez_json_open(j, '{');
  bez_json_kstr(j, "name", name);
  bez_json_key(j, "digest");
  bez_json_open(j, '{');
  bez_json_kstr(j, "sha256", sha256);
  bez_json_close(j, '}');
  bez_json_close(j, '}');
  bez_json_close(j, ']');
  bez_json_kstr(j, "predicateType", predicate_type);
  bez_json_key(j, "predicate");
}
