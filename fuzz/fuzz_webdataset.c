/* tar archives: headers, samples and labels, without decoding a picture. */
#include <stdlib.h>
#include <string.h>

#include "format/reader.h"
#include "format/samples.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const bez_source *source, const bez_tar_entry *e) {
  if (e->name && (e->at > source->size || e->size > source->size - e->at || strlen(e->name) > 65536)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  bez_source source = {.path = "input.tar", .size = size, .fd = -1, .bytes = data, .packing = ""};
  bez_arena arena = {0};
  bez_samples samples = {0};
  bez_builder *builder = NULL;
  bez_error err = {0};
  bez_read_options options = {.threads = 1};
  if (bez_builder_create(&options, &builder, &err) != BEZ_OK) return 0;
  (void)bez_reader_webdataset.sniff(data, size, "tar");
  bez_status st = bez_samples_read(&source, &arena, builder, &samples, &err);
  if (st != BEZ_OK && (err.code != st || !err.message[0])) abort();
  for (size_t i = 0; st == BEZ_OK && i < samples.n; i++) {
    const char *label;
    check(&source, &samples.items[i].picture);
    check(&source, &samples.items[i].label);
    if (samples.items[i].label.name &&
        bez_sample_label(&source, &samples.items[i].label, size % 2 ? "label" : NULL, &arena, &label, &err) != BEZ_OK)
      break;
  }
  bez_samples_free(&samples);
  bez_arena_free(&arena);
  bez_builder_destroy(builder);
  return 0;
}
