/* A hostile verifier key (first line) and a hostile proof behind it; keys and notes that pass write themselves as they
 * were read. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool holds) {
  if (!holds) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  bez_vkey key;
  bez_buf text = {0}, again = {0};
  bez_error err = {0}, other = {0};
  bez_buf_write(&text, data, size);
  bez_buf_putc(&text, '\0');
  if (!text.data) return 0;
  char *end = strchr(text.data, '\n');
  const char *proof = end ? end + 1 : "";
  size_t len = end ? size - (size_t)(proof - text.data) : 0;
  if (end) *end = '\0';
  uint64_t index = 0, entries = 0;
  if (bez_vkey_parse(text.data, "fuzz", &key, &err) == BEZ_OK) {
    const bez_witnesses witnesses = {.keys = &key, .n = 1, .quorum = 1};
    bez_vkey_put(&key, &again);
    expect(again.data && strncmp(again.data, text.data, again.len) == 0);
    if (bez_tlog_proof_verify(proof, len, "entry 0", 7, text.data, &index, &entries, &other) == BEZ_OK)
      expect(index < entries);
    else
      expect(other.message[0]);
    other = (bez_error){0};
    bez_status st = bez_tlog_proof_witnessed(proof, len, "entry 0", 7, text.data, &witnesses, NULL, NULL, &other);
    expect(st == BEZ_OK || other.message[0]);
  } else {
    expect(err.message[0]);
  }
  err = (bez_error){0};
  expect(bez_note_check(proof, strlen(proof), "fuzz", &err) == BEZ_OK || err.message[0]);
  bez_buf_free(&text);
  bez_buf_free(&again);
  return 0;
}
