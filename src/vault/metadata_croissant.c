/* Croissant 1.0 (MLCommons): JSON-LD over schema.org. */
#include <stdio.h>
#include <string.h>

#include "vault/metadata.h"

/* The context of the specification, version 1.0. */
static const char context[] =
    "{\"@language\":\"en\",\"@vocab\":\"https://schema.org/\",\"citeAs\":\"cr:citeAs\",\"column\":\"cr:column\","
    "\"conformsTo\":\"dct:conformsTo\",\"cr\":\"http://mlcommons.org/croissant/\",\"rai\":"
    "\"http://mlcommons.org/croissant/RAI/\",\"data\":{\"@id\":\"cr:data\",\"@type\":\"@json\"},\"dataType\":{\"@id\":"
    "\"cr:dataType\",\"@type\":\"@vocab\"},\"dct\":\"http://purl.org/dc/terms/\",\"examples\":{\"@id\":\"cr:examples\","
    "\"@type\":\"@json\"},\"extract\":\"cr:extract\",\"field\":\"cr:field\",\"fileProperty\":\"cr:fileProperty\","
    "\"fileObject\":\"cr:fileObject\",\"fileSet\":\"cr:fileSet\",\"format\":\"cr:format\",\"includes\":\"cr:includes\","
    "\"isLiveDataset\":\"cr:isLiveDataset\",\"jsonPath\":\"cr:jsonPath\",\"key\":\"cr:key\",\"md5\":\"cr:md5\","
    "\"parentField\":\"cr:parentField\",\"path\":\"cr:path\",\"recordSet\":\"cr:recordSet\",\"references\":"
    "\"cr:references\",\"regex\":\"cr:regex\",\"repeated\":\"cr:repeated\",\"replace\":\"cr:replace\",\"sc\":"
    "\"https://schema.org/\",\"separator\":\"cr:separator\",\"source\":\"cr:source\",\"subField\":\"cr:subField\","
    "\"transform\":\"cr:transform\"}";

static void put_node(bez_json *j, const char *key, const char *id) {
  bez_json_key(j, key);
  bez_json_open(j, '{');
  bez_json_kstr(j, "@id", id);
  bez_json_close(j, '}');
}

static void put_named(bez_json *j, const char *key, const char *type, const char *name) {
  bez_json_key(j, key);
  bez_json_open(j, '{');
  bez_json_kstr(j, "@type", type);
  bez_json_kstr(j, "name", name);
  bez_json_close(j, '}');
}

static void put_distribution(const bez_about *a, bez_json *j) {
  bez_buf size = {0};
  bez_json_key(j, "distribution");
  bez_json_open(j, '[');
  bez_json_open(j, '{');
  bez_json_kstr(j, "@id", "data");
  bez_json_kstr(j, "@type", a->folder ? "cr:FileSet" : "cr:FileObject");
  bez_json_kstr(j, "name", a->file);
  bez_json_kstr(j, "encodingFormat", bez_about_media_type(a));
  if (a->folder) {
    bez_buf_printf(&size, "%s/**", a->s.dataset);
    bez_json_kstr(j, "includes", size.data);
  } else {
    bez_buf_printf(&size, "%llu B", (unsigned long long)a->s.rows.top.bytes);
    bez_json_kstr(j, "contentUrl", a->s.dataset);
    bez_json_kstr(j, "contentSize", size.data);
    bez_json_kstr(j, "sha256", a->sha256);
  }
  bez_json_close(j, '}');
  bez_json_close(j, ']');
  bez_buf_free(&size);
}

static const char *type_name(bez_about_type type) {
  switch (type) {
    case BEZ_ABOUT_INTEGER: return "sc:Integer";
    case BEZ_ABOUT_FLOAT: return "sc:Float";
    case BEZ_ABOUT_BOOLEAN: return "sc:Boolean";
    default: return "sc:Text";
  }
}

static void put_field(bez_json *j, const bez_about_column *column, size_t number) {
  char id[32];
  snprintf(id, sizeof id, "rows/%zu", number + 1); /* names of columns may hold anything */
  bez_json_open(j, '{');
  bez_json_kstr(j, "@type", "cr:Field");
  bez_json_kstr(j, "@id", id);
  bez_json_kstr(j, "name", column->name);
  bez_json_kstr(j, "dataType", type_name(column->type));
  bez_json_key(j, "source");
  bez_json_open(j, '{');
  put_node(j, "fileObject", "data");
  bez_json_key(j, "extract");
  bez_json_open(j, '{');
  bez_json_kstr(j, "column", column->name);
  bez_json_close(j, '}');
  bez_json_close(j, '}');
  bez_json_close(j, '}');
}

/* Columns can be named where a reader of Croissant finds them: in tables of one file. */
static void put_records(const bez_about *a, bez_json *j) {
  if (!a->n_columns || a->folder) return;
  bez_json_key(j, "recordSet");
  bez_json_open(j, '[');
  bez_json_open(j, '{');
  bez_json_kstr(j, "@type", "cr:RecordSet");
  bez_json_kstr(j, "@id", "rows");
  bez_json_kstr(j, "name", "rows");
  bez_json_key(j, "field");
  bez_json_open(j, '[');
  for (size_t i = 0; i < a->n_columns; i++) put_field(j, &a->columns[i], i);
  bez_json_close(j, ']');
  bez_json_close(j, '}');
  bez_json_close(j, ']');
}

bez_status bez_about_croissant(const bez_about *a, bez_json *j, bez_error *err) {
  const char *publisher = bez_about_said(a, "source", "issuer"), *licence = bez_about_said(a, "use", "license");
  const char *url = bez_about_said(a, "source", "location"), *said = bez_about_said(a, "source", "description");
  const char *message = bez_entry_text(&a->commit, "message");
  char version[48];
  (void)err;
  snprintf(version, sizeof version, "%llu.0.0", (unsigned long long)a->s.version);
  bez_json_open(j, '{');
  bez_json_key(j, "@context");
  bez_json_raw(j, context, sizeof context - 1);
  bez_json_kstr(j, "@type", "sc:Dataset");
  bez_json_kstr(j, "conformsTo", "http://mlcommons.org/croissant/1.0");
  bez_json_kstr(j, "name", a->s.dataset);
  bez_json_kstr(j, "description", said ? said : *message ? message : a->s.dataset);
  bez_json_kstr(j, "identifier", a->urn);
  bez_json_kstr(j, "version", version);
  bez_json_kstr(j, "datePublished", a->commit.time);
  if (licence) bez_json_kstr(j, "license", licence);
  if (url) bez_json_kstr(j, "url", url);
  if (publisher) put_named(j, "publisher", "sc:Organization", publisher);
  bez_json_key(j, "creator");
  bez_json_open(j, '[');
  for (size_t i = 0; i < a->n_batches; i++) {
    bool told = false;
    for (size_t k = 0; k < i && !told; k++) told = !strcmp(a->batches[k].by, a->batches[i].by);
    if (told) continue;
    bez_json_open(j, '{');
    bez_json_kstr(j, "@type", "sc:Person");
    bez_json_kstr(j, "name", a->batches[i].by);
    bez_json_close(j, '}');
  }
  bez_json_close(j, ']');
  put_distribution(a, j);
  put_records(a, j);
  bez_json_close(j, '}');
  return BEZ_OK;
}
