/* What a helper that was taken over may answer. */
#include "format/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  bez_model model = {0};
  bez_error err = {0};
  if (bez_model_load(data, size, &model, &err) == BEZ_OK) bez_model_free(&model);
  return 0;
}
