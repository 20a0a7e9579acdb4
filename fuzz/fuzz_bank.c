/* Hostile reference banks of adapters. */
#include <stdint.h>

#include "audit/bank.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const char *const features[] = {"size", "concentration"};
  bez_bank bank = bez_bank_make(features, 2);
  bez_error err = {0};
  bez_status st = bez_bank_parse((const char *)data, size, "fuzz", &bank, &err);
  if (st == BEZ_OK) (void)bez_bank_rank_of(&bank, 1, 0.5, "");
  bez_bank_free(&bank);
  return 0;
}
