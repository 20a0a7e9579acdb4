/* Hostile YAML: configuration and suppression files. */
#include <stdint.h>

#include "base/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  bez_arena arena = {0};
  bez_error err = {0};
  const bez_yaml *root = NULL;
  bez_status st = bez_yaml_parse((const char *)data, size, "fuzz", &arena, &root, &err);
  if (st == BEZ_OK && root) (void)bez_yaml_get(root, "label");
  bez_arena_free(&arena);
  return 0;
}
