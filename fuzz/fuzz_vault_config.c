/* The configuration of a vault, from hostile bytes. */
#include <stdlib.h>
#include <string.h>

#include "vault/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  bez_error err = {0};
  bez_config config = {0};
  char *bytes = malloc(size + 1);
  if (!bytes) return 0;
  if (size) memcpy(bytes, data, size);
  bytes[size] = '\0';
  if (bez_config_parse(bytes, size, "config", &config, &err) == BEZ_OK) bez_config_free(&config);
  free(bytes);
  return 0;
}
