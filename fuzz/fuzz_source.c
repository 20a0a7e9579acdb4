/* Packed files: whatever the bytes, opening ends with content or a clear error. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "format/source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char path[64];
  int fd = memfd_create("fuzz", 0);
  if (fd < 0 || write(fd, data, size) != (ssize_t)size) abort();
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  bez_budget budget = {.bytes = 64u << 20};
  bez_source source;
  bez_error err = {.line = -1, .offset = -1};
  bez_status st = bez_source_open(path, &budget, &source, &err);
  if (st == BEZ_OK) {
    uint8_t buf[4096];
    size_t got;
    for (uint64_t at = 0; at < source.size; at += sizeof buf)
      if (bez_source_read(&source, at, buf, sizeof buf, &got, &err) != BEZ_OK) abort();
  } else if (err.code != st || !err.message[0]) {
    abort();
  }
  bez_source_close(&source);
  if (budget.in_use != 0) abort();
  close(fd);
  return 0;
}
