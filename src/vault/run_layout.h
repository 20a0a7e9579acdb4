/* What a run finds and leaves in its folder; shared by run.c and rerun.c. */
#ifndef BEZ_VAULT_RUN_LAYOUT_H
#define BEZ_VAULT_RUN_LAYOUT_H

#include "vault/run.h"
#include "vault/work.h"

/* folder/path, and the folders that lead there are made. NULL in *out on failure; owned by the caller. */
BEZ_MUST_USE bez_status bez_run_place(const char *folder, const char *path, char **out, bez_error *err);
/* Writes a version there, as the reader; the log records it. */
BEZ_MUST_USE bez_status bez_run_checkout(bez_vault *vault, const bez_run_input *in, const char *target,
                                         const bez_vault_who *reader, unsigned threads, bez_error *err);
/* Whether a path may stand in a record: relative, without "." and "..". */
bool bez_run_is_inside(const char *path);
/* Removes a folder and all in it. */
void bez_run_remove(const char *folder);

/* What is kept of a run: its entry, the keys of which signed the statement. */
BEZ_MUST_USE bez_status bez_run_load(bez_vault *vault, const char *id, bez_run_record *out, bez_entry *entry,
                                     bez_error *err);

#endif
