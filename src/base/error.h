/* Filling the caller-owned error: one line per failure site. */
#ifndef BEZ_BASE_ERROR_H
#define BEZ_BASE_ERROR_H

#include "bezoar/base.h"

/* Fills *err (may be NULL); the first error is kept: filling one that already holds an error is a no-op. subject may be
 * NULL; line and offset are -1 where unknown. Used through the macros below. */
void bez_error_set(bez_error *err, bez_status code, const char *subject, int64_t line, int64_t offset, const char *fmt,
                   ...) BEZ_PRINTF(6, 7);
void bez_error_set_errno(bez_error *err, const char *subject, const char *what);

/* Each fills the error and has the value of its code, so that `return bez_fail(err, BEZ_IO, path, "...")` reads well.
 * Macros, so that the compiler and the analyser know that the value is a failure. */
#define bez_fail(err, code, subject, ...) (bez_error_set(err, code, subject, -1, -1, __VA_ARGS__), (code))
#define bez_fail_at(err, code, subject, line, offset, ...)                                                             \
  (bez_error_set(err, code, subject, line, offset, __VA_ARGS__), (code))
/* BEZ_MEMORY with the number of bytes wanted. */
#define bez_fail_memory(err, wanted)                                                                                   \
  (bez_error_set(err, BEZ_MEMORY, NULL, -1, -1, "out of memory (%zu bytes wanted)", (size_t)(wanted)), BEZ_MEMORY)
/* BEZ_IO with the text of errno behind what. */
#define bez_fail_errno(err, subject, what) (bez_error_set_errno(err, subject, what), BEZ_IO)

void bez_error_clear(bez_error *err);

/* status check and jump: the one cleanup idiom. Needs `bez_status st` and a `cleanup:` label in scope. */
#define BEZ_TRY(expr)                                                                                                  \
  do {                                                                                                                 \
    st = (expr);                                                                                                       \
    if (st != BEZ_OK) goto cleanup;                                                                                    \
  } while (0)

#endif
