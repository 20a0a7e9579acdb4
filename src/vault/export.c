/* bezoar vault export: a version's rows as a table, and who took it. */
#include <string.h>

#include "base/error.h"
#include "content/parquet_out.h"
#include "vault/answer.h"
#include "vault/export_rows.h"
#include "vault/gc.h"
#include "vault/work.h"

typedef struct job {
  bez_vault *vault;
  const bez_snapshot *version;
  const bez_vault_export_options *options;
  bez_outfile *file;
} job;

static bez_status tell_rows(const job *j, const bez_export_sink *sink, bez_error *err) {
  const bez_export_extras extras = {.provenance = j->options->provenance, .digests = j->options->digests};
  return bez_export_rows(j->vault, j->version, extras, sink, j->options->progress, j->options->progress_ctx, err);
}

static bez_status write_csv(const job *j, bez_error *err) {
  bez_csv_out *out = NULL;
  bez_export_sink sink;
  bez_status st;
  BEZ_TRY(bez_csv_out_create(j->file, &out, err));
  sink = bez_csv_out_sink(out);
  BEZ_TRY(tell_rows(j, &sink, err));
  BEZ_TRY(bez_csv_out_begin(out, err));
  BEZ_TRY(tell_rows(j, &sink, err));
  BEZ_TRY(bez_csv_out_finish(out, err));
cleanup:
  bez_csv_out_free(out);
  return st;
}

static bez_status write_jsonl(const job *j, bez_error *err) {
  bez_jsonl_out out = {.file = j->file};
  const bez_export_sink sink = bez_jsonl_out_sink(&out);
  bez_status st = tell_rows(j, &sink, err);
  if (st == BEZ_OK) st = bez_jsonl_out_finish(&out, err);
  bez_buf_free(&out.text);
  return st;
}

static bez_status end_parquet_row(void *ctx, bez_error *err) {
  return bez_parquet_out_row(ctx, err);
}

static bez_status write_parquet(const job *j, bez_error *err) {
  bez_parquet_out *out = NULL;
  bez_export_sink sink = {bez_parquet_out_field, end_parquet_row, NULL};
  bez_status st;
  BEZ_TRY(bez_parquet_out_create(&out, err));
  sink.ctx = out;
  BEZ_TRY(tell_rows(j, &sink, err));
  BEZ_TRY(bez_parquet_out_begin(out, j->file, j->options->path, err));
  BEZ_TRY(tell_rows(j, &sink, err));
  BEZ_TRY(bez_parquet_out_finish(out, err));
cleanup:
  bez_parquet_out_free(out);
  return st;
}

/* The attempt is in the log before the file has its name: nobody gets data that the log does not know of. */
static bez_status write_file(job *j, const bez_signer *reader, bez_error *err) {
  const char *format = j->options->format;
  bez_status st = bez_outfile_open(j->options->path, &j->file, err);
  if (st != BEZ_OK) return st;
  if (!strcmp(format, "csv"))
    st = write_csv(j, err);
  else if (!strcmp(format, "jsonl"))
    st = write_jsonl(j, err);
  else if (!strcmp(format, "parquet"))
    st = write_parquet(j, err);
  else
    st = bez_fail(err, BEZ_USAGE, format, "there are the formats csv, jsonl and parquet");
  if (st == BEZ_OK) st = bez_vault_record_access(j->vault, "export", j->version, reader, NULL, format, err);
  if (st == BEZ_OK) return bez_outfile_commit(j->file, err);
  bez_outfile_abandon(j->file);
  return st;
}

static bez_status answer(const job *j, const bez_signer *reader, char **json, bez_error *err) {
  bez_buf text = {0};
  bez_json out = bez_json_make(&text, false);
  bez_json_open(&out, '{');
  bez_json_kstr(&out, "dataset", j->version->dataset);
  bez_json_kuint(&out, "version", j->version->version);
  bez_json_khex(&out, "commit", j->version->commit.bytes, BEZ_ID);
  bez_json_kstr(&out, "path", j->options->path);
  bez_json_kstr(&out, "format", j->options->format);
  bez_json_kuint(&out, "n_rows", j->version->rows.top.rows);
  bez_json_kstr(&out, "reader", reader ? bez_trust_principal(j->vault->trust, bez_signer_public(reader)) : "");
  bez_json_close(&out, '}');
  return bez_answer(&text, json, err);
}

bez_status bez_vault_export(bez_vault *vault, const char *version, const bez_vault_export_options *options, char **json,
                            bez_error *err) {
  bez_snapshot s = {0};
  bez_signer *signer = NULL;
  bez_error unsaid = {0};
  job j = {.vault = vault, .version = &s, .options = options};
  bez_status st;
  BEZ_TRY(bez_snapshot_find(vault, version, &s, err));
  BEZ_TRY(bez_pruned_refuse(vault, &s, err));
  BEZ_TRY(bez_vault_open_reader(vault, "export", s.dataset, &options->reader, &signer, err));
  st = write_file(&j, signer, err);
  if (st != BEZ_OK) {
    const char *why = err && err->message[0] ? err->message : bez_status_text(st);
    if (bez_vault_record_access(vault, "export", &s, signer, why, options->format, &unsaid) != BEZ_OK) goto cleanup;
    goto cleanup;
  }
  st = answer(&j, signer, json, err);
cleanup:
  bez_vault_act(vault, NULL);
  bez_signer_close(signer);
  bez_snapshot_free(&s);
  return st;
}
