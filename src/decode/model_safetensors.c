/* safetensors among model files (model.h): the structure is checked as strictly as where tensors are read. */
#include <string.h>

#include "base/error.h"
#include "decode/model.h"
#include "format/tensors.h"

static int sniff(const bez_model_input *in) {
  uint64_t header = 0;
  if (in->len < 10 || in->bytes[8] != '{') return 0;
  for (unsigned i = 8; i-- > 0;) header = header << 8 | in->bytes[i];
  return header >= 2 && header <= in->len - 8 ? 90 : 0;
}

static void read_safetensors(const bez_model_input *in, struct bez_model_out *out) {
  bez_tensors t = {.path = in->name, .bytes = in->bytes, .size = in->len};
  bez_error err = {0};
  bez_status st = bez_safetensors_read(&t, &err);
  if (st == BEZ_FORMAT) bez_model_odd(out, in->part, 0, "safetensors", "%s", err.message);
  if (st != BEZ_OK) bez_model_unread(out, in->part, "%s", err.message);
  bez_arena_free(&t.arena);
}

const bez_model_reader bez_model_reader_safetensors = {
    .name = "safetensors",
    .title = "safetensors file",
    .summary = "Header, names, shapes and extents; a file with duplicate keys, holes, overlaps or trailing bytes is "
               "reported.",
    .sniff = sniff,
    .read = read_safetensors};
