/* The fields of the Data Provenance Standards 1.0.0 and their shapes. */
#include "ledger/source.h"

#include <string.h>

#include "base/error.h"

/* Shapes: of one value, or (many) of each item of an array. Members are optional unless they are said to be needed. */
typedef enum shape_kind { TEXT, NAMED, PLACE, CODED, ANY } shape_kind;

typedef struct field {
  const char *group, *name;
  shape_kind shape;
  bool many, needed;
} field;

static const field fields_known[] = {
    {"source", "version", TEXT, false, true},
    {"source", "title", TEXT, false, true},
    {"source", "id", TEXT, false, true},
    {"source", "location", TEXT, false, false},
    {"source", "issuer", NAMED, true, true},
    {"source", "description", TEXT, false, true},
    {"provenance", "source", TEXT, false, false},
    {"provenance", "origin", NAMED, true, false},
    {"provenance", "origin-geography", PLACE, true, true},
    {"provenance", "date", TEXT, false, true},
    {"provenance", "previous-date", TEXT, false, false},
    {"provenance", "generation-period", ANY, false, false},
    {"provenance", "generation-method", CODED, true, true},
    {"provenance", "format", TEXT, true, false},
    {"provenance", "sub-provenance", ANY, false, false},
    {"use", "classification", ANY, true, false},
    {"use", "consents", TEXT, true, false},
    {"use", "privacy-enhancing", ANY, true, false},
    {"use", "processing-included", PLACE, true, false},
    {"use", "processing-excluded", PLACE, true, false},
    {"use", "storage-allowed", PLACE, true, false},
    {"use", "storage-forbidden", PLACE, true, false},
    {"use", "license", TEXT, true, false},
    {"use", "intended-purpose", CODED, true, true},
    {"use", "copyright", TEXT, true, false},
    {"use", "patent", TEXT, true, false},
    {"use", "trademark", TEXT, true, false},
};

static const field *find(const char *group, const char *name) {
  for (size_t i = 0; i < sizeof fields_known / sizeof *fields_known; i++)
    if (!strcmp(fields_known[i].group, group) && !strcmp(fields_known[i].name, name)) return &fields_known[i];
  return NULL;
}

static bool value_fine(const json_t *value, shape_kind shape) {
  switch (shape) {
    case TEXT: return json_is_string(value);
    case NAMED: return json_is_string(json_object_get(value, "name"));
    case PLACE: return json_is_string(json_object_get(value, "country"));
    case CODED: return json_is_string(json_object_get(value, "code"));
    case ANY: return json_is_object(value);
  }
  return false;
}

static bool field_fine(const field *f, const json_t *value) {
  size_t i;
  const json_t *item;
  if (!f->many) return value_fine(value, f->shape);
  if (!json_is_array(value)) return false;
  json_array_foreach(value, i, item) {
    if (!value_fine(item, f->shape)) return false;
  }
  return true;
}

static bez_status check_group(const char *group, const json_t *members, const char *subject, bez_error *err) {
  static const char *const shapes[] = {"text", "{\"name\": …}", "{\"country\": …}", "{\"code\": …}", "an object"};
  const char *name;
  json_t *value;
  json_object_foreach((json_t *)members, name, value) {
    const field *f = find(group, name);
    if (!f)
      return bez_fail(err, BEZ_FORMAT, subject,
                      "%s.%.60s is no field of the Data Provenance Standards " BEZ_DTA_VERSION, group, name);
    if (!field_fine(f, value))
      return bez_fail(err, BEZ_FORMAT, subject, "%s.%s must be %s%s", group, name, f->many ? "a list, each " : "",
                      shapes[f->shape]);
  }
  return BEZ_OK;
}

bez_status bez_source_check(const json_t *fields, const char *subject, bez_error *err) {
  const char *group;
  json_t *members;
  if (!json_is_object(fields)) return bez_fail(err, BEZ_FORMAT, subject, "the fields of a source are an object");
  json_object_foreach((json_t *)fields, group, members) {
    if ((strcmp(group, "source") != 0 && strcmp(group, "provenance") != 0 && strcmp(group, "use") != 0) ||
        !json_is_object(members))
      return bez_fail(err, BEZ_FORMAT, subject,
                      "%.60s: the fields of a source are three objects, source, provenance and use", group);
    bez_status st = check_group(group, members, subject, err);
    if (st != BEZ_OK) return st;
  }
  return BEZ_OK;
}

void bez_source_missing(const json_t *fields, bez_json *j) {
  char name[64];
  bez_json_open(j, '[');
  for (size_t i = 0; i < sizeof fields_known / sizeof *fields_known; i++) {
    const field *f = &fields_known[i];
    if (!f->needed || json_object_get(json_object_get(fields, f->group), f->name)) continue;
    snprintf(name, sizeof name, "%s.%s", f->group, f->name);
    bez_json_str(j, name);
  }
  bez_json_close(j, ']');
}
