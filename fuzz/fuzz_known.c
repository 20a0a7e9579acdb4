/* Hostile lists of known digests: what is taken is found again, by digest and by name. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "audit/known_list.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool holds) {
  if (!holds) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  bez_known_list list = {0};
  bez_error err = {0};
  if (bez_known_parse((const char *)data, size, "fuzz", &list, &err) != BEZ_OK) {
    expect(err.message[0] && !list.n);
    return 0;
  }
  for (size_t i = 0; i < list.n; i++) {
    const bez_known *item = &list.items[i];
    expect(strlen(item->sha256) == 64 && !strcmp(bez_known_find(&list, item->sha256)->sha256, item->sha256));
    expect(!*item->name || !strcmp(bez_known_named(&list, item->name)->name, item->name));
  }
  expect(!bez_known_find(&list, "") && !bez_known_named(&list, "\n"));
  bez_known_free(&list);
  return 0;
}
