/* Commands that the user named: unconfined, with this process's environment and descriptors 0 to 2. Programs that read
 * hostile bytes for us are started by base/spawn.h. */
#ifndef BEZ_VAULT_RUN_CHILD_H
#define BEZ_VAULT_RUN_CHILD_H

#include <signal.h>

#include "vault/run.h"

typedef struct bez_child_plan {
  const char *const *argv; /* NULL-terminated; the first is looked for in PATH */
  const char *folder;      /* where it runs; NULL: here */
  const bez_run_pair *set; /* variables beside those of this process */
  size_t n_set;
  bool aside; /* its standard output goes to standard error */
} bez_child_plan;

/* Waits; *code: its exit code, 128 + signal. BEZ_IO: it cannot be started. */
BEZ_MUST_USE bez_status bez_child_run(const bez_child_plan *plan, int *code, bez_error *err);
/* The same, and what it writes to standard output. BEZ_LIMIT above the ceiling. */
BEZ_MUST_USE bez_status bez_child_capture(const bez_child_plan *plan, size_t ceiling, bez_buf *out, int *code,
                                          bez_error *err);

#endif
