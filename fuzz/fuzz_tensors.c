/* Files of tensors (safetensors, npy, npz): every tensor that is accepted lies where it says, to the last byte. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "format/tensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile uint8_t sink;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char path[64];
  bez_error err = {0};
  bez_tensors *tensors = NULL;
  int fd = memfd_create("tensors", 0);
  if (fd < 0 || write(fd, data, size) != (ssize_t)size) abort();
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  if (bez_tensors_open(path, &tensors, &err) == BEZ_OK) {
    for (uint32_t l = 0; l < bez_tensors_count(tensors); l++) {
      const bez_layer *layer = &bez_tensors_layers(tensors)[l];
      uint64_t bytes = bez_layer_items(layer) * bez_dtype_size(layer->dtype);
      for (uint64_t i = 0; i < bytes; i += i + 64 < bytes ? 61 : 1) sink ^= ((const uint8_t *)layer->data)[i];
    }
  }
  bez_tensors_close(tensors);
  close(fd);
  return 0;
}
