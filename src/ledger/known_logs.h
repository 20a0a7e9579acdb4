/* What a reader remembers of the logs that it has seen: a vault that is put back to an earlier day, or replaced by
 * another with the same name, proves itself just as well as before; only memory tells. One file per log below
 * $BEZOAR_HOME/known_logs (see bez_signer_folder): the log's verifier key and its head when last seen.
 * BEZOAR_KNOWN_LOGS=none in the environment: nothing is remembered, nothing is missed. */
#ifndef BEZ_LEDGER_KNOWN_LOGS_H
#define BEZ_LEDGER_KNOWN_LOGS_H

#include "ledger/log.h"

/* Compares the open log with what was seen of it and remembers it as it is now. BEZ_FORMAT: it is shorter, no
 * continuation, or has another key. A folder that cannot be written to is no failure: nothing is remembered then. */
BEZ_MUST_USE bez_status bez_known_logs_check(bez_log *log, bez_error *err);
/* What is there now will be believed: the log is forgotten. */
BEZ_MUST_USE bez_status bez_known_logs_forget(const char *origin, bez_error *err);

#endif
