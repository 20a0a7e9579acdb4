/* Pre-authentication encoding (secure-systems-lab/dsse, protocol.md). */
#include "crypto/dsse.h"

#include <string.h>

void bez_dsse_pae(bez_buf *out, const char *type, const void *payload, size_t len) {
  bez_buf_printf(out, "DSSEv1 %zu %s %zu ", strlen(type), type, len);
  bez_buf_write(out, payload, len);
}
