/* Filling the caller-owned error: one line per failure site. */
#ifndef BEZ_BASE_ERROR_H
#define BEZ_BASE_ERROR_H

#include "bezoar/base.h"

/* Fills *err (may be NULL) and returns code, so that `return bez_fail(err, BEZ_IO, path, "...")` reads well.
 * subject may be NULL. The first error is kept: filling an error that already holds one is a no-op. */
bez_status bez_fail(bez_error *err, bez_status code, const char *subject, const char *fmt, ...) BEZ_PRINTF(4, 5);

/* As bez_fail, with the place in the subject; pass -1 for what is unknown. */
bez_status bez_fail_at(bez_error *err, bez_status code, const char *subject, int64_t line, int64_t offset,
                       const char *fmt, ...) BEZ_PRINTF(6, 7);

/* BEZ_MEMORY with the number of bytes wanted. */
bez_status bez_fail_memory(bez_error *err, size_t wanted);

/* BEZ_IO with strerror(errno) behind what. */
bez_status bez_fail_errno(bez_error *err, const char *subject, const char *what);

void bez_error_clear(bez_error *err);

/* status check and jump: the one cleanup idiom. Needs `bez_status st` and a `cleanup:` label in scope. */
#define BEZ_TRY(expr)                                                                                                  \
  do {                                                                                                                 \
    st = (expr);                                                                                                       \
    if (st != BEZ_OK) goto cleanup;                                                                                    \
  } while (0)

#endif
