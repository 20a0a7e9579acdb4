/* The rows of a version as fields, with what the vault knows of each. */
#ifndef BEZ_VAULT_EXPORT_ROWS_H
#define BEZ_VAULT_EXPORT_ROWS_H

#include "base/file.h"
#include "content/digest_team.h"
#include "vault/vault.h"

/* Who is told: each field of a row, then that the row ends. Values are told as forms tell them (content/form.h). */
typedef struct bez_export_sink {
  bez_field_fn field;
  bez_status (*row)(void *ctx, bez_error *err);
  void *ctx;
} bez_export_sink;

typedef struct bez_export_extras {
  bool provenance; /* bezoar:file, bezoar:source, bezoar:contributor, bezoar:commit */
  bool digests;    /* bezoar:raw, bezoar:canonical */
} bez_export_extras;

/* All rows in order. BEZ_UNSUPPORTED: rows of columnar files, where nothing on this machine reads them. */
BEZ_MUST_USE bez_status bez_export_rows(bez_vault *vault, const bez_snapshot *version, bez_export_extras extras,
                                        const bez_export_sink *sink, bez_progress_fn progress, void *progress_ctx,
                                        bez_error *err);

/* export_text.c: CSV (RFC 4180; a field is quoted where it has to be) and JSON lines. CSV must know all columns before
 * the first row: rows are told twice, bez_csv_out_begin between. */
typedef struct bez_csv_out bez_csv_out;
BEZ_MUST_USE bez_status bez_csv_out_create(bez_outfile *file, bez_csv_out **out, bez_error *err);
void bez_csv_out_free(bez_csv_out *out); /* NULL is fine */
bez_export_sink bez_csv_out_sink(bez_csv_out *out);
BEZ_MUST_USE bez_status bez_csv_out_begin(bez_csv_out *out, bez_error *err);
BEZ_MUST_USE bez_status bez_csv_out_finish(bez_csv_out *out, bez_error *err);

typedef struct bez_jsonl_out {
  bez_outfile *file;
  bez_buf text;
  bez_json json;
  bool open;     /* a row has begun */
} bez_jsonl_out; /* zero-initialise, set file; release text */
bez_export_sink bez_jsonl_out_sink(bez_jsonl_out *out);
BEZ_MUST_USE bez_status bez_jsonl_out_finish(bez_jsonl_out *out, bez_error *err);

#endif
