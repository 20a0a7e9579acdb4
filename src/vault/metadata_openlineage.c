/* OpenLineage 2-0-2: the event of the run that made a version, or of the data set alone. */
#include <stdio.h>
#include <string.h>

#include "vault/metadata.h"
#include "vault/run_layout.h"

#define PRODUCER "urn:bezoar:" BEZ_VERSION_STRING
#define SPEC "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/"
#define FACETS "https://openlineage.io/spec/facets/"

static void open_facet(bez_json *j, const char *key, const char *schema) {
  bez_json_key(j, key);
  bez_json_open(j, '{');
  bez_json_kstr(j, "_producer", PRODUCER);
  bez_json_kstr(j, "_schemaURL", schema);
}

static const char *type_name(bez_about_type type) {
  switch (type) {
    case BEZ_ABOUT_INTEGER: return "integer";
    case BEZ_ABOUT_FLOAT: return "double";
    case BEZ_ABOUT_BOOLEAN: return "boolean";
    default: return "string";
  }
}

static void put_facets(const bez_about *a, bez_json *j) {
  char version[32];
  const char *url = bez_about_said(a, "source", "location");
  snprintf(version, sizeof version, "%llu", (unsigned long long)a->s.version);
  bez_json_key(j, "facets");
  bez_json_open(j, '{');
  open_facet(j, "schema", FACETS "1-1-1/SchemaDatasetFacet.json#/$defs/SchemaDatasetFacet");
  bez_json_key(j, "fields");
  bez_json_open(j, '[');
  for (size_t i = 0; i < a->n_columns; i++) {
    bez_json_open(j, '{');
    bez_json_kstr(j, "name", a->columns[i].name);
    bez_json_kstr(j, "type", type_name(a->columns[i].type));
    bez_json_close(j, '}');
  }
  bez_json_close(j, ']');
  bez_json_close(j, '}');
  open_facet(j, "version", FACETS "1-0-1/DatasetVersionDatasetFacet.json#/$defs/DatasetVersionDatasetFacet");
  bez_json_kstr(j, "datasetVersion", version);
  bez_json_close(j, '}');
  open_facet(j, "ownership", FACETS "1-0-1/OwnershipDatasetFacet.json#/$defs/OwnershipDatasetFacet");
  bez_json_key(j, "owners");
  bez_json_open(j, '[');
  for (size_t i = 0; i < a->n_batches; i++) {
    bez_json_open(j, '{');
    bez_json_kstr(j, "name", a->batches[i].by);
    bez_json_kstr(j, "type", "CONTRIBUTOR");
    bez_json_close(j, '}');
  }
  bez_json_close(j, ']');
  bez_json_close(j, '}');
  if (url) {
    open_facet(j, "dataSource", FACETS "1-0-1/DatasourceDatasetFacet.json#/$defs/DatasourceDatasetFacet");
    bez_json_kstr(j, "name", a->batches[0].source);
    bez_json_kstr(j, "uri", url);
    bez_json_close(j, '}');
  }
  bez_json_close(j, '}');
}

static void put_name(const bez_about *a, bez_json *j, const char *name) {
  bez_buf space = {0};
  bez_buf_printf(&space, "bezoar://%s", a->vault->origin);
  bez_json_kstr(j, "namespace", space.data);
  bez_json_kstr(j, "name", name);
  bez_buf_free(&space);
}

static void put_dataset(const bez_about *a, bez_json *j) {
  bez_json_open(j, '{');
  put_name(a, j, a->s.dataset);
  put_facets(a, j);
  bez_json_close(j, '}');
}

static void put_inputs(const bez_about *a, const bez_run_record *run, bez_json *j) {
  bez_json_key(j, "inputs");
  bez_json_open(j, '[');
  for (size_t i = 0; i < run->n_inputs; i++) {
    char version[32];
    snprintf(version, sizeof version, "%llu", (unsigned long long)run->inputs[i].version);
    bez_json_open(j, '{');
    put_name(a, j, run->inputs[i].dataset);
    bez_json_key(j, "facets");
    bez_json_open(j, '{');
    open_facet(j, "version", FACETS "1-0-1/DatasetVersionDatasetFacet.json#/$defs/DatasetVersionDatasetFacet");
    bez_json_kstr(j, "datasetVersion", version);
    bez_json_close(j, '}');
    bez_json_close(j, '}');
    bez_json_close(j, '}');
  }
  bez_json_close(j, ']');
}

static bez_status put_run(const bez_about *a, const char *id, bez_json *j, bez_error *err) {
  bez_run_record run = {0};
  bez_entry entry = {0};
  char uuid[37];
  bez_status st = bez_run_load(a->vault, id, &run, &entry, err);
  if (st == BEZ_OK) {
    bez_about_uuid(id, uuid);
    bez_json_kstr(j, "eventType", "COMPLETE");
    bez_json_key(j, "run");
    bez_json_open(j, '{');
    bez_json_kstr(j, "runId", uuid);
    bez_json_close(j, '}');
    bez_json_key(j, "job");
    bez_json_open(j, '{');
    put_name(a, j, bez_entry_text(&entry, "command"));
    bez_json_close(j, '}');
    put_inputs(a, &run, j);
    bez_json_key(j, "outputs");
    bez_json_open(j, '[');
    put_dataset(a, j);
    bez_json_close(j, ']');
  }
  bez_run_free(&run);
  bez_entry_free(&entry);
  return st;
}

bez_status bez_about_openlineage(const bez_about *a, bez_json *j, bez_error *err) {
  const char *run = bez_entry_text(&a->s.entry, "run");
  const bool by_run = strlen(run) == 2 * BEZ_ID;
  bez_status st = BEZ_OK;
  bez_json_open(j, '{');
  bez_json_kstr(j, "eventTime", a->commit.time);
  bez_json_kstr(j, "producer", PRODUCER);
  bez_json_kstr(j, "schemaURL", by_run ? SPEC "RunEvent" : SPEC "DatasetEvent");
  if (by_run) {
    st = put_run(a, run, j, err);
  } else {
    bez_json_key(j, "dataset");
    put_dataset(a, j);
  }
  bez_json_close(j, '}');
  return st;
}
