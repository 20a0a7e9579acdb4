/* A growing byte buffer with a ceiling. Errors stick: once a write fails, later writes are no-ops and
 * bez_buf_status tells, so that emitters need one check at the end. Not thread safe. */
#ifndef BEZ_BASE_BUF_H
#define BEZ_BASE_BUF_H

#include "bezoar/base.h"

typedef struct bez_buf {
  char *data; /* NUL-terminated when non-NULL; owned */
  size_t len;
  size_t cap;
  size_t ceiling;    /* 0: SIZE_MAX */
  bez_status failed; /* BEZ_OK, BEZ_MEMORY or BEZ_LIMIT */
} bez_buf;           /* zero-initialise; free with bez_buf_free */

void bez_buf_write(bez_buf *buf, const void *bytes, size_t len);
void bez_buf_puts(bez_buf *buf, const char *text);
void bez_buf_putc(bez_buf *buf, char c);
void bez_buf_printf(bez_buf *buf, const char *fmt, ...) BEZ_PRINTF(2, 3);
/* Makes room for `more` bytes behind len; false (and sticky) when it cannot. */
bool bez_buf_reserve(bez_buf *buf, size_t more);
BEZ_MUST_USE bez_status bez_buf_status(const bez_buf *buf, bez_error *err);
void bez_buf_clear(bez_buf *buf); /* len = 0, memory kept, failure reset */
void bez_buf_free(bez_buf *buf);

#endif
