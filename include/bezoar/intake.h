/* What enters the vault is scanned first, where its policy demands it. */
#ifndef BEZOAR_INTAKE_H
#define BEZOAR_INTAKE_H

#include "bezoar/scan.h"
#include "bezoar/vault.h"

#ifdef __cplusplus
extern "C" {
#endif

/* bez_vault_add with the policy's scan before it: by the rules and up to the severity that the policy names, over what
 * is then read. Findings at or above it, and what could not be examined, refuse the submission with the ids of the
 * rules; the attempt is written into the log. The report (JSON, without time and host) is kept, and its digest is part
 * of what the contributor signs. Who may not contribute is refused before anything is read. The answer is that of
 * bez_vault_add with "scan": {"findings","fail_on"}, findings of any severity; null where the policy demands
 * none.
 *
 * Of read, label, text, source, id, labels_file, threads and memory count; the rest is the policy's. */
typedef struct bez_intake_options {
  bez_vault_add_options add; /* report and stamp are filled in here */
  bez_read_options read;
} bez_intake_options;
BEZ_API BEZ_MUST_USE bez_status bez_intake_add(bez_vault *vault, const char *path, const bez_intake_options *options,
                                               char **json, bez_error *err);
/* The same with nothing to say about the scan: a bez_run_options.add. */
BEZ_API BEZ_MUST_USE bez_status bez_intake_take(bez_vault *vault, const char *path,
                                                const bez_vault_add_options *options, char **json, bez_error *err);
/* Whether every rule that a policy file names exists (a policy that names others would refuse everything): BEZ_FORMAT
 * names the first that does not. */
BEZ_API BEZ_MUST_USE bez_status bez_intake_policy_check(const char *path, bez_error *err);
/* The report that DATA@v was brought in with, as it was signed: JSON. BEZ_USAGE: there is none. */
BEZ_API BEZ_MUST_USE bez_status bez_intake_report(bez_vault *vault, const char *version, char **json, bez_error *err);

#ifdef __cplusplus
}
#endif
#endif
