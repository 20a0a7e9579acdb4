/* safetensors among model files (model.h): the structure is checked as strictly as where tensors are read, and what
 * the header says of its tensors is put down. */
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "decode/model.h"
#include "format/tensors.h"

typedef struct seen {
  const bez_model_input *in;
  struct bez_model_out *out;
  uint64_t end; /* of the last tensor */
} seen;

static uint64_t header_length(const bez_model_input *in) {
  uint64_t length = 0;
  for (unsigned i = 8; i-- > 0;) length = length << 8 | in->bytes[i];
  return length;
}

/* By the header's length, and where that is a lie by the name. */
static int sniff(const bez_model_input *in) {
  const char *dot = strrchr(in->name, '.');
  if (in->len < 10 || in->bytes[8] != '{') return 0;
  const uint64_t header = header_length(in);
  return (header >= 2 && header <= in->len - 8) || (dot && !strcasecmp(dot, ".safetensors")) ? 90 : 0;
}

static bez_status take_tensor(void *ctx, const bez_safetensors_tensor *from, bez_error *err) {
  seen *s = ctx;
  if (from->at + from->bytes > s->end) s->end = from->at + from->bytes;
  bez_model_tensor t = {
      .part = s->in->part, .name = from->name, .dtype = from->dtype, .n_dims = from->n_dims, .bytes = from->bytes};
  (void)err;
  if (!from->bits)
    bez_model_unread(s->out, s->in->part, "tensor \"%.80s\" has the unknown type %.20s", from->name, from->dtype);
  if (from->n_dims > BEZ_MAX_MODEL_DIMS) {
    bez_model_unread(s->out, s->in->part, "tensor \"%.80s\" has more than %u dimensions", from->name,
                     BEZ_MAX_MODEL_DIMS);
    return BEZ_OK;
  }
  memcpy(t.shape, from->shape, from->n_dims * sizeof *t.shape);
  bez_model_tensor_at(s->out, &t, s->in->bytes + from->at);
  return BEZ_OK;
}

/* Trainers' names for what is asked for under one name here. */
static void take_metadata(void *ctx, const char *key, const char *value, size_t len) {
  static const struct {
    const char *theirs, *ours;
  } names[] = {{"format", "format"},
               {"base_model", "base_model"},
               {"base_model_name", "base_model"},
               {"base_model_name_or_path", "base_model"},
               {"ss_base_model_version", "base_model"},
               {"ss_sd_model_name", "base_model"},
               {"modelspec.architecture", "architecture"},
               {"modelspec.title", "name"},
               {"modelspec.license", "license"},
               {"license", "license"},
               {"model_type", "model_type"},
               {"ss_network_module", "library"},
               {"ss_network_dim", "lora.r"},
               {"ss_network_alpha", "lora.alpha"},
               {"quantization", "quantization"}};
  const seen *s = ctx;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (!strcmp(key, names[i].theirs)) bez_model_says(s->out, s->in->part, names[i].ours, value, len);
}

/* Bytes behind the last tensor: what a loader that knows another format makes of them. */
static void examine_rest(const seen *s) {
  const bez_model_input *in = s->in;
  if (s->end && s->end < in->len)
    (void)bez_model_examine(s->out, in->part, in->depth + 1, "bytes behind the tensors", s->end, in->bytes + s->end,
                            (size_t)(in->len - s->end));
}

static void read_safetensors(const bez_model_input *in, struct bez_model_out *out) {
  seen s = {.in = in, .out = out};
  const bez_safetensors_visit visit = {.tensor = take_tensor, .says = take_metadata, .ctx = &s};
  const uint64_t header = header_length(in);
  bez_error err = {0};
  if (header > BEZ_MAX_TENSOR_HEADER) {
    bez_model_odd(out, in->part, 0, "huge-header",
                  "the header is to have %llu bytes: the official loader refuses more than %u, others do not",
                  (unsigned long long)header, BEZ_MAX_TENSOR_HEADER);
    bez_model_unread(out, in->part, "a header of %llu bytes", (unsigned long long)header);
    return;
  }
  bez_status st = bez_safetensors_walk(in->bytes, in->len, in->name, &visit, &err);
  examine_rest(&s);
  if (st == BEZ_FORMAT) bez_model_odd(out, in->part, 0, "safetensors", "%s", err.message);
  if (st != BEZ_OK) bez_model_unread(out, in->part, "%s", err.message);
}

const bez_model_reader bez_model_reader_safetensors = {
    .name = "safetensors",
    .title = "safetensors file",
    .summary = "Header, names, types, shapes and extents; a file with duplicate keys, holes, overlaps or trailing "
               "bytes is reported.",
    .sniff = sniff,
    .read = read_safetensors};
