/* A version described in the formats of others: metadata.c gathers what there is to say, one metadata_*.c per format
 * writes it. */
#ifndef BEZ_VAULT_METADATA_H
#define BEZ_VAULT_METADATA_H

#include "base/arena.h"
#include "bezoar/lineage.h"
#include "content/form.h"
#include "vault/vault.h"

#define BEZ_ABOUT_COLUMNS 16384u
#define BEZ_ABOUT_BATCHES 4096u
#define BEZ_ABOUT_ROWS 1000u /* that are looked at for names and types of columns */

typedef enum bez_about_type {
  BEZ_ABOUT_NONE = 0,
  BEZ_ABOUT_INTEGER,
  BEZ_ABOUT_FLOAT,
  BEZ_ABOUT_BOOLEAN,
  BEZ_ABOUT_TEXT
} bez_about_type;

typedef struct bez_about_column {
  const char *name;
  bez_about_type type;
} bez_about_column;

typedef struct bez_about_batch { /* rows of one submission */
  const char *source, *by, *run, *time;
  const json_t *fields; /* of the source; NULL: not known any more */
  uint64_t n_rows;
} bez_about_batch;

typedef struct bez_about {
  bez_vault *vault;
  bez_snapshot s;
  bez_entry commit;
  bez_arena arena;
  bez_about_column *columns;
  size_t n_columns;
  bez_about_batch *batches;
  size_t n_batches;
  const char *form, *file, *urn; /* file: name without folders; urn: names the version */
  const char *sha256;            /* of a single file; "" */
  bool folder;
  char commit_hex[2 * BEZ_ID + 1];
} bez_about;

typedef bez_status (*bez_about_writer)(const bez_about *about, bez_json *j, bez_error *err);
BEZ_MUST_USE bez_status bez_about_croissant(const bez_about *about, bez_json *j, bez_error *err);
BEZ_MUST_USE bez_status bez_about_openlineage(const bez_about *about, bez_json *j, bez_error *err);
BEZ_MUST_USE bez_status bez_about_dta(const bez_about *about, bez_json *j, bez_error *err);
BEZ_MUST_USE bez_status bez_about_cyclonedx(const bez_about *about, bez_json *j, bez_error *err);

/* "text/csv" … by the form and the file's name. */
const char *bez_about_media_type(const bez_about *about);
/* The first batch whose source has this member that is a text, or of a list its first: "source"/"title"; NULL none. */
const char *bez_about_said(const bez_about *about, const char *group, const char *member);
/* 128 bits of an id written as a UUID (version 8: made from a digest). */
void bez_about_uuid(const char *hex, char out[37]);

#endif
