/* Texts that several commands of the vault answer with. */
#ifndef BEZ_CLI_VAULT_TEXT_H
#define BEZ_CLI_VAULT_TEXT_H

#include "cli/vault_args.h"

/* A commit: "train.csv@3 …" per data set, or that it waits for signatures. */
void bez_text_commit(bez_buf *out, const json_t *answer);

/* What inherited: versions, runs, models. */
void bez_text_impact(bez_buf *out, const json_t *answer);

/* " (+3 -1 ~2)": rows added, removed and changed, as members of that name say. */
void bez_text_changes(bez_buf *out, const json_t *object);

#endif
