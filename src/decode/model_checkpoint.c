/* TensorFlow's checkpoints: the .index file, a table of sorted blocks (tensorflow/core/lib/io/format, LevelDB's), says
 * which tensors lie where in the .data files beside it (tensor_bundle.proto). The numbers themselves have no format. */
#include <stdio.h>
#include <string.h>

#include "decode/model_savedmodel.h"

#define FOOTER 48u
#define MAGIC "\x57\xfb\x80\x8b\x24\x75\x47\xdb"
#define KEY_ROOM 1024u

enum { SHARDS = 1, DTYPE = 1, SHAPE = 2, SHARD = 3, OFFSET = 4, SIZE = 5, SLICES = 7 };

typedef struct checkpoint {
  const bez_model_input *in;
  struct bez_model_out *out;
  uint64_t shards, budget; /* bytes of blocks: handles may lead to the same one */
  char stem[512];          /* the file's own name without ".index" */
} checkpoint;

typedef void entry_fn(checkpoint *k, const char *key, size_t key_len, bez_cursor value);

static void broken(checkpoint *k) {
  bez_model_unread(k->out, k->in->part, "its table is broken, or packed in a way that is not followed");
}

/* Every entry of a block: keys share what they begin with; restart points stand at the end. */
static void each_entry(checkpoint *k, uint64_t at, uint64_t size, entry_fn *take) {
  char key[KEY_ROOM];
  uint64_t shared, fresh, len, have = 0;
  const uint8_t *p, *value;
  const bez_cursor file = {.data = k->in->bytes, .len = k->in->len};
  if (at > file.len || size > file.len - at || size + 5 > file.len - at || size < 4 || size > k->budget ||
      file.data[at + size] != 0) { /* behind it: how it is packed, a check sum */
    broken(k);
    return;
  }
  k->budget -= size;
  bez_cursor end = {.data = file.data + at + size - 4, .len = 4}, c = {.data = file.data + at};
  uint32_t restarts = 0;
  if (!bez_cursor_le32(&end, &restarts) || restarts > (size - 4) / 4) {
    broken(k);
    return;
  }
  c.len = (size_t)(size - 4 - 4 * (uint64_t)restarts);
  while (c.pos < c.len) {
    if (!bez_proto_varint(&c, &shared) || !bez_proto_varint(&c, &fresh) || !bez_proto_varint(&c, &len) ||
        shared > have || fresh > KEY_ROOM - 1 - shared || len > c.len || !bez_cursor_take(&c, (size_t)fresh, &p) ||
        !bez_cursor_take(&c, (size_t)len, &value)) {
      broken(k);
      return;
    }
    memcpy(key + shared, p, (size_t)fresh);
    have = shared + fresh;
    key[have] = 0;
    take(k, key, (size_t)have, (bez_cursor){.data = value, .len = (size_t)len});
  }
}

static void read_header(checkpoint *k, bez_cursor header) {
  bez_proto_field f;
  while (bez_proto_next(&header, &f))
    if (bez_proto_is(&f, SHARDS, BEZ_PROTO_VARINT)) k->shards = f.value;
}

static void read_entry(checkpoint *k, const char *key, size_t key_len, bez_cursor entry) {
  bez_model_tensor t = {.part = k->in->part, .name = key, .dtype = ""};
  bez_proto_field f;
  uint64_t shard = 0;
  char file[600];
  bool whole = true;
  if (!key_len) read_header(k, entry);
  if (!key_len || strlen(key) != key_len) return; /* a piece of a tensor: its name has NULs */
  while (bez_proto_next(&entry, &f)) {
    if (bez_proto_is(&f, DTYPE, BEZ_PROTO_VARINT)) t.dtype = bez_tf_type_name(f.value);
    if (bez_proto_is(&f, SHAPE, BEZ_PROTO_BYTES)) whole = whole && bez_tf_shape(&t, bez_proto_inside(&f));
    if (bez_proto_is(&f, SHARD, BEZ_PROTO_VARINT)) shard = f.value;
    if (bez_proto_is(&f, OFFSET, BEZ_PROTO_VARINT)) t.at = f.value;
    if (bez_proto_is(&f, SIZE, BEZ_PROTO_VARINT)) t.bytes = f.value;
    if (f.number == SLICES) whole = false;
  }
  if (entry.pos < entry.len) broken(k);
  if (!whole || !*t.dtype || !strcmp(t.dtype, "STRING")) return;
  snprintf(file, sizeof file, "%s.data-%05u-of-%05u", k->stem, (unsigned)shard, (unsigned)k->shards);
  t.file = file;
  bez_model_tensor_at(k->out, &t, NULL);
}

static void read_handle(checkpoint *k, const char *key, size_t key_len, bez_cursor value) {
  uint64_t at, size;
  (void)key;
  (void)key_len;
  if (bez_proto_varint(&value, &at) && bez_proto_varint(&value, &size))
    each_entry(k, at, size, read_entry);
  else
    broken(k);
}

static int sniff(const bez_model_input *in) {
  return in->len >= FOOTER && memcmp(in->bytes + in->len - 8, MAGIC, 8) == 0 ? 85 : 0;
}

/* The second handle of the footer leads to the index; the first to a block that nothing is in. */
static bool find_index(const bez_model_input *in, uint64_t *at, uint64_t *size) {
  bez_cursor c = {.data = in->bytes + in->len - FOOTER, .len = FOOTER - 8};
  uint64_t handles[4];
  for (unsigned i = 0; i < 4; i++)
    if (!bez_proto_varint(&c, &handles[i])) return false;
  *at = handles[2];
  *size = handles[3];
  return true;
}

static void read_checkpoint(const bez_model_input *in, struct bez_model_out *out) {
  checkpoint k = {.in = in, .out = out, .budget = 2 * (uint64_t)in->len};
  const char *slash = strrchr(in->name, '/'), *name = slash ? slash + 1 : in->name, *dot = strrchr(name, '.');
  uint64_t at, size;
  snprintf(k.stem, sizeof k.stem, "%.*s", (int)(dot ? (size_t)(dot - name) : strlen(name)), name);
  if (find_index(in, &at, &size))
    each_entry(&k, at, size, read_handle);
  else
    broken(&k);
}

const bez_model_reader bez_model_reader_checkpoint = {
    .name = "checkpoint",
    .title = "TensorFlow checkpoint",
    .summary =
        "The .index file of a checkpoint, or of a saved model's variables: which tensors lie where in the .data files "
        "beside it.",
    .sniff = sniff,
    .read = read_checkpoint};
