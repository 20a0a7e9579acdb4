/* An in-toto statement v1: what is said (predicate) of what (subject). */
#ifndef BEZ_CRYPTO_STATEMENT_H
#define BEZ_CRYPTO_STATEMENT_H

#include "base/json.h"

#define BEZ_STATEMENT_TYPE "https://in-toto.io/Statement/v1"

typedef struct bez_statement {
  json_t *document; /* owned; the others are borrowed from it */
  const char *predicate_type;
  json_t *subject;   /* an array, at least one item */
  json_t *predicate; /* an object; NULL where there is none */
} bez_statement;     /* zero-initialise; release with bez_statement_free */

/* Hostile bytes are fine; BEZ_FORMAT with the reason. subject names it in errors. */
BEZ_MUST_USE bez_status bez_statement_parse(const void *bytes, size_t len, const char *subject, bez_statement *out,
                                            bez_error *err);
void bez_statement_free(bez_statement *statement);

/* Begins a statement over one subject, named and with its SHA-256 (hex); the caller writes the predicate's value and
 * closes with bez_json_close(j, '}'). */
void bez_statement_begin(bez_json *j, const char *name, const char *sha256, const char *predicate_type);

#endif
