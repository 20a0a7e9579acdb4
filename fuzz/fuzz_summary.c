/* Saved summary state as hostile input: the envelope, then each kind's merge, then save and merge again. The first
 * byte chooses the kind, the second its capacity. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "math/value_counts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void value_counts(const uint8_t *data, size_t size, uint32_t capacity, int sealed) {
  const bez_summary *kind = &bez_value_counts_summary;
  bez_value_counts_params params = {capacity};
  bez_cursor body = {data, size, 0};
  if (sealed && bez_summary_open(kind, bez_value_counts_digest(&params), data, size, &body, NULL) != BEZ_OK) return;
  void *state = NULL;
  if (kind->create(&params, &state, NULL) != BEZ_OK) return;
  if (kind->merge(state, &body, NULL) == BEZ_OK) {
    bez_buf saved = {0};
    if (kind->save(state, &saved, NULL) != BEZ_OK) abort();
    bez_cursor again = {(const uint8_t *)saved.data, saved.len, 0};
    void *second = NULL;
    if (kind->create(&params, &second, NULL) != BEZ_OK) abort();
    if (kind->merge(second, &again, NULL) != BEZ_OK) abort(); /* what we save, we can read */
    kind->destroy(second);
    bez_buf_free(&saved);
  }
  kind->destroy(state);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 2) return 0;
  uint32_t capacity = 1u + data[1];
  value_counts(data + 2, size - 2, capacity, data[0] & 1);
  return 0;
}
