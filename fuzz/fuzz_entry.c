/* Entries of a vault's log and policies, from strangers: 'P' a policy, else an entry, which is then put to trust. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "ledger/trust_state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_policy(const char *yaml, size_t len) {
  bez_error err = {0};
  bez_arena arena = {0};
  bez_policy policy;
  bez_buf out = {0};
  if (bez_policy_parse(yaml, len, "fuzz", &arena, &policy, &err) == BEZ_OK) {
    bez_json j = bez_json_make(&out, false);
    bez_policy_write(&policy, &j);
    if (policy.signatures < 1) abort();
  }
  bez_buf_free(&out);
  bez_arena_free(&arena);
}

/* Several entries, each behind the last, as far as they go: an init entry's admin signs the others. */
static void read_entry(const char *bytes, size_t len) {
  bez_error err = {0};
  bez_trust *trust = NULL;
  bez_entry entry;
  if (bez_trust_create(&trust, &err) != BEZ_OK) return;
  for (uint64_t index = 0; len; index++) {
    const char *end = memmem(bytes, len, "\n{", 2);
    const size_t n = end ? (size_t)(end + 1 - bytes) : len;
    err = (bez_error){0};
    if (bez_entry_parse(bytes, n, "fuzz", &entry, &err) == BEZ_OK) {
      if (bez_trust_take(trust, index, &entry, "", 0, &err) == BEZ_OK && entry.n_keys) {
        const bez_asked asked = {entry.keys[0], BEZ_MAY_CONTRIBUTE, "web", "train.csv", entry.seconds};
        (void)!bez_trust_may(trust, &asked, &err);
      }
      bez_entry_free(&entry);
    }
    err = (bez_error){0};
    if (bez_entry_peek(bytes, n, "fuzz", &entry, &err) == BEZ_OK) bez_entry_free(&entry);
    bytes += n;
    len -= n;
  }
  bez_trust_free(trust);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size && *data == 'P')
    read_policy((const char *)data + 1, size - 1);
  else
    read_entry((const char *)data, size);
  return 0;
}
