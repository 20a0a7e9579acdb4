/* Answers of the public functions: JSON text that the caller owns. */
#ifndef BEZ_VAULT_ANSWER_H
#define BEZ_VAULT_ANSWER_H

#include "base/buf.h"

/* Hands the buffer's text over (bez_text_free); the buffer is empty then, success or not. */
BEZ_MUST_USE bez_status bez_answer(bez_buf *buf, char **json, bez_error *err);

/* For bez_vault functions that say no: the error becomes "refused: …", which the command line turns into exit code 1.
 * Returns BEZ_USAGE. Errors of other kinds stay as they are. */
BEZ_MUST_USE bez_status bez_refuse(bez_error *err, bez_status st);

#endif
