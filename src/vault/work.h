/* What the vault's operations share. */
#ifndef BEZ_VAULT_WORK_H
#define BEZ_VAULT_WORK_H

#include "vault/stage.h"
#include "vault/vault.h"

/* What the data set at path is called (given: by --name, NULL none), and the path without links. Both owned by the
 * caller. */
BEZ_MUST_USE bez_status bez_dataset_name(const bez_vault *vault, const char *path, const char *given, char **name,
                                         char **absolute, bez_error *err);

/* BEZ_USAGE: no relative path without ".", "..", "@" and control characters, of UTF-8, outside .bezoar. */
BEZ_MUST_USE bez_status bez_dataset_name_check(const char *name, bez_error *err);

/* A submission as it goes into the log: what one line says. */
typedef struct bez_submission {
  const char *dataset, *source, *form, *note;
  bez_batch batch;
  const bez_snapshot *parent; /* version 0: none */
  const bez_tree *rows, *sorted, *provenance;
  bez_changes changes;
  uint64_t n_files, bytes;
  const uint8_t *sha256; /* of a data set of one file; NULL none */
  const bez_id *report;  /* NULL none */
  const char *run;       /* NULL none */
} bez_submission;
BEZ_MUST_USE bez_status bez_submission_sign(const bez_vault *vault, const bez_submission *submission,
                                            const bez_signer *signer, bez_buf *entry, bez_error *err);
BEZ_MUST_USE bez_status bez_batch_draw(bez_batch *out, bez_error *err);

/* A commit of submissions (entries as they go into the log) with one signer: for what the vault itself makes (rollback,
 * revert). extra: writes more members. */
typedef struct bez_commit_item {
  const char *dataset;
  uint64_t version;
  bez_id submission;
} bez_commit_item;
BEZ_MUST_USE bez_status bez_commit_sign(const bez_vault *vault, const char *message, const bez_commit_item *items,
                                        size_t n, void (*extra)(bez_json *j, const void *ctx), const void *ctx,
                                        const bez_signer *signer, bez_buf *entry, bez_error *err);

/* The reader, where one was named; asked for where the policy wants known readers. *out: closed by the caller, as that
 * of bez_vault_signer. */
BEZ_MUST_USE bez_status bez_vault_open_reader(bez_vault *vault, const char *op, const char *dataset,
                                              const bez_vault_who *who, bez_signer **out, bez_error *err);

/* For commands that show rows: nothing without require_reader (the log would grow with every look); with it, begin
 * asks as bez_vault_open_reader does, and end leaves an entry of type access before the answer is handed out. */
typedef struct bez_look {
  const char *op;
  bez_signer *reader;
} bez_look;
BEZ_MUST_USE bez_status bez_look_begin(bez_vault *vault, const char *op, const char *dataset, const bez_vault_who *who,
                                       bez_look *out, bez_error *err);
BEZ_MUST_USE bez_status bez_look_record(bez_vault *vault, const bez_look *look, const bez_snapshot *version,
                                        const char *detail, bez_error *err);
void bez_look_end(bez_vault *vault, bez_look *look); /* one that was never begun is fine */

/* Whether a submission names the report of a scan by its digest; that the object is there is for verify to say. */
bool bez_submission_has_report(const bez_entry *submission);

void bez_json_khex(bez_json *j, const char *key, const uint8_t *bytes, size_t n);

#endif
