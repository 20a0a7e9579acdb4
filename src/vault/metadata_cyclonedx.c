/* CycloneDX 1.6 (ECMA-424): a version as a component of type "data". */
#include <stdio.h>
#include <string.h>

#include "vault/metadata.h"

static void put_property(bez_json *j, const char *name, const char *value) {
  bez_json_open(j, '{');
  bez_json_kstr(j, "name", name);
  bez_json_kstr(j, "value", value);
  bez_json_close(j, '}');
}

static void put_properties(const bez_about *a, bez_json *j) {
  char rows[32];
  bez_json_key(j, "properties");
  bez_json_open(j, '[');
  snprintf(rows, sizeof rows, "%llu", (unsigned long long)a->s.rows.top.rows);
  put_property(j, "bezoar:rows", rows);
  put_property(j, "bezoar:commit", a->commit_hex);
  put_property(j, "bezoar:root", bez_entry_text(&a->s.entry, "rows"));
  for (size_t i = 0; i < a->n_batches; i++) {
    bool told = false;
    for (size_t k = 0; k < i && !told; k++) told = !strcmp(a->batches[k].source, a->batches[i].source);
    if (!told) put_property(j, "bezoar:source", a->batches[i].source);
  }
  bez_json_close(j, ']');
}

static void put_party(bez_json *j, const char *key, const char *kind, const char *name) {
  bez_json_key(j, key);
  bez_json_open(j, '[');
  bez_json_open(j, '{');
  bez_json_key(j, kind);
  bez_json_open(j, '{');
  bez_json_kstr(j, "name", name);
  bez_json_close(j, '}');
  bez_json_close(j, '}');
  bez_json_close(j, ']');
}

static void put_governance(const bez_about *a, bez_json *j) {
  const char *publisher = bez_about_said(a, "source", "issuer");
  bez_json_key(j, "governance");
  bez_json_open(j, '{');
  bez_json_key(j, "custodians");
  bez_json_open(j, '[');
  for (size_t i = 0; i < a->n_batches; i++) {
    bool told = !*a->batches[i].by;
    for (size_t k = 0; k < i && !told; k++) told = !strcmp(a->batches[k].by, a->batches[i].by);
    if (told) continue;
    bez_json_open(j, '{');
    bez_json_key(j, "contact");
    bez_json_open(j, '{');
    bez_json_kstr(j, "name", a->batches[i].by);
    bez_json_close(j, '}');
    bez_json_close(j, '}');
  }
  bez_json_close(j, ']');
  if (publisher) put_party(j, "owners", "organization", publisher);
  bez_json_close(j, '}');
}

static void put_data(const bez_about *a, bez_json *j) {
  const char *url = bez_about_said(a, "source", "location"), *said = bez_about_said(a, "source", "description");
  bez_json_key(j, "data");
  bez_json_open(j, '[');
  bez_json_open(j, '{');
  bez_json_kstr(j, "type", "dataset");
  bez_json_kstr(j, "name", a->s.dataset);
  bez_json_key(j, "contents");
  bez_json_open(j, '{');
  if (url) bez_json_kstr(j, "url", url);
  put_properties(a, j);
  bez_json_close(j, '}');
  if (said) bez_json_kstr(j, "description", said);
  put_governance(a, j);
  bez_json_close(j, '}');
  bez_json_close(j, ']');
}

static void put_component(const bez_about *a, bez_json *j) {
  const char *licence = bez_about_said(a, "use", "license");
  char version[32];
  snprintf(version, sizeof version, "%llu", (unsigned long long)a->s.version);
  bez_json_open(j, '{');
  bez_json_kstr(j, "type", "data");
  bez_json_kstr(j, "bom-ref", "data-1");
  bez_json_kstr(j, "name", a->s.dataset);
  bez_json_kstr(j, "version", version);
  bez_json_kstr(j, "mime-type", bez_about_media_type(a));
  if (*a->sha256) {
    bez_json_key(j, "hashes");
    bez_json_open(j, '[');
    bez_json_open(j, '{');
    bez_json_kstr(j, "alg", "SHA-256");
    bez_json_kstr(j, "content", a->sha256);
    bez_json_close(j, '}');
    bez_json_close(j, ']');
  }
  if (licence) {
    bez_json_key(j, "licenses");
    bez_json_open(j, '[');
    bez_json_open(j, '{');
    bez_json_key(j, "license");
    bez_json_open(j, '{');
    bez_json_kstr(j, "name", licence);
    bez_json_close(j, '}');
    bez_json_close(j, '}');
    bez_json_close(j, ']');
  }
  put_data(a, j);
  bez_json_close(j, '}');
}

bez_status bez_about_cyclonedx(const bez_about *a, bez_json *j, bez_error *err) {
  char uuid[37], serial[48];
  (void)err;
  bez_about_uuid(a->commit_hex, uuid);
  snprintf(serial, sizeof serial, "urn:uuid:%s", uuid);
  bez_json_open(j, '{');
  bez_json_kstr(j, "$schema", "http://cyclonedx.org/schema/bom-1.6.schema.json");
  bez_json_kstr(j, "bomFormat", "CycloneDX");
  bez_json_kstr(j, "specVersion", "1.6");
  bez_json_kstr(j, "serialNumber", serial);
  bez_json_kuint(j, "version", 1);
  bez_json_key(j, "metadata");
  bez_json_open(j, '{');
  bez_json_kstr(j, "timestamp", a->commit.time);
  bez_json_key(j, "tools");
  bez_json_open(j, '{');
  bez_json_key(j, "components");
  bez_json_open(j, '[');
  bez_json_open(j, '{');
  bez_json_kstr(j, "type", "application");
  bez_json_kstr(j, "name", "bezoar");
  bez_json_kstr(j, "version", BEZ_VERSION_STRING);
  bez_json_close(j, '}');
  bez_json_close(j, ']');
  bez_json_close(j, '}');
  bez_json_close(j, '}');
  bez_json_key(j, "components");
  bez_json_open(j, '[');
  put_component(a, j);
  bez_json_close(j, ']');
  bez_json_close(j, '}');
  return BEZ_OK;
}
