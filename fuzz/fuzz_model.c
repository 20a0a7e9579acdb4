/* Model files through every reader (pickle, ZIP, packed files, safetensors), and what they say through the parent's
 * loader: whatever readers put down comes through, parts lie in parts, texts are printable. */
#include <stdlib.h>

#include "decode/model.h"
#include "model_names.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text) {
  for (; *text; text++)
    if ((unsigned char)*text < 0x20) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  /* The first byte chooses the name: its extension breaks ties. */
  bez_buf bytes = {0};
  bez_model model = {0};
  bez_error err = {0};
  if (!size) return 0;
  struct bez_model_out *out = bez_model_out_create();
  if (!out) return 0;
  (void)bez_model_examine(out, 0, 0, model_names[data[0] % MODEL_NAMES], 0, data + 1, size - 1);
  if (bez_model_save(out, &bytes, &err) != BEZ_OK) abort();
  if (bez_model_load((const uint8_t *)bytes.data, bytes.len, &model, &err) != BEZ_OK) abort();
  for (uint32_t i = 0; i < model.n_facts; i++) /* what a file says of itself may have lines */
    if (model.facts[i].what != BEZ_MODEL_ABOUT) check_text(model.facts[i].text);
  for (uint32_t i = 0; i < model.n_parts; i++) check_text(model.parts[i].name);
  bez_model_free(&model);
  bez_model_out_destroy(out);
  bez_buf_free(&bytes);
  return 0;
}
