/* HDF5 files: Keras's models and weights. Groups are followed down to their datasets, which are tensors; links and
 * storage in other files are put down, never followed. */
#include "decode/model_hdf5.h"

#include <stdio.h>
#include <string.h>

#define MAGIC "\x89HDF\r\n\x1a\n"
#define MOST_BUDGET (256u << 20) /* bytes of structure */
#define MOST_DEPTH 32u           /* groups in groups, nodes in nodes */
#define PATH_ROOM 1024u

enum { HARD = 0, SOFT = 1, EXTERNAL_LINK = 64 };
enum { COMPACT = 0, CONTIGUOUS = 1, CHUNKED = 2, VIRTUAL = 3 };

typedef struct object {
  bez_h5 *h;
  char *path; /* of PATH_ROOM bytes, shared on the way down */
  size_t path_len;
  unsigned depth;
  bez_cursor type, space, layout;
  bool has_layout, shared_type;
} object;

static void read_object(bez_h5 *h, uint64_t address, char *path, size_t path_len, unsigned depth);

/* ---- datasets -----------------------------------------------------------------------------------------------------
 */

static uint64_t items(const bez_model_tensor *t) {
  uint64_t n = 1;
  for (uint32_t d = 0; d < t->n_dims; d++)
    if (__builtin_mul_overflow(n, t->shape[d], &n)) return UINT64_MAX;
  return n;
}

/* Where a contiguous or compact dataset lies; data NULL: in pieces, or nowhere yet. False: of an unknown form. */
static bool find_data(bez_h5 *h, bez_cursor layout, const uint8_t **data, uint64_t *len, bool *elsewhere) {
  uint8_t version, kind;
  uint16_t small;
  uint64_t address;
  *data = NULL;
  *len = UINT64_MAX;
  if (!bez_cursor_u8(&layout, &version)) return false;
  if (version < 3) { /* dimensions first, no size */
    if (!bez_cursor_skip(&layout, 1) || !bez_cursor_u8(&layout, &kind) || !bez_cursor_skip(&layout, 5)) return false;
    if (kind != CONTIGUOUS || !bez_cursor_le64(&layout, &address)) return kind == CHUNKED;
  } else {
    if (version > 4 || !bez_cursor_u8(&layout, &kind)) return false;
    *elsewhere = kind == VIRTUAL;
    if (kind == COMPACT && bez_cursor_le16(&layout, &small)) return *len = small, bez_cursor_take(&layout, small, data);
    if (kind != CONTIGUOUS) return kind == CHUNKED || kind == VIRTUAL;
    if (!bez_cursor_le64(&layout, &address) || !bez_cursor_le64(&layout, len)) return false;
  }
  if (address <= h->in->len - h->base) *data = h->in->bytes + h->base + address;
  return true;
}

static void read_dataset(object *o) {
  bez_model_tensor t = {.part = o->h->in->part, .name = *o->path ? o->path + 1 : "" /* without the first slash */};
  const uint8_t *data = NULL;
  uint32_t size = 0;
  uint64_t len = 0;
  bool elsewhere = false;
  t.dtype = bez_h5_type(o->type, &size);
  if (!bez_h5_shape(o->space, &t.n_dims, t.shape) || !find_data(o->h, o->layout, &data, &len, &elsewhere)) {
    bez_model_unread(o->h->out, o->h->in->part, "\"%.80s\" is of an unknown form", o->path);
    return;
  }
  if (elsewhere) {
    bez_h5_elsewhere(o->h, &o->layout, "?", 1, "a virtual dataset's source");
    bez_model_unread(o->h->out, o->h->in->part, "\"%.80s\" is put together from other datasets", o->path);
  }
  if (o->shared_type) bez_model_unread(o->h->out, o->h->in->part, "\"%.80s\" is of a type kept elsewhere", o->path);
  if (!*t.dtype) return;
  if (__builtin_mul_overflow(items(&t), (uint64_t)size, &t.bytes)) t.bytes = UINT64_MAX;
  if (len != UINT64_MAX && len < t.bytes) data = NULL;
  bez_model_tensor_at(o->h->out, &t, data);
}

/* External Data Files: a dataset's numbers in other files. */
static void read_external(object *o, bez_cursor m) {
  uint16_t used = 0;
  uint64_t heap, offset;
  const char *name;
  size_t len;
  bool good = bez_cursor_skip(&m, 6) && bez_cursor_le16(&m, &used) && bez_cursor_le64(&m, &heap);
  for (unsigned i = 0; good && i < used; i++) {
    good = bez_cursor_le64(&m, &offset) && bez_cursor_skip(&m, 16) && bez_h5_name(o->h, heap, offset, &name, &len);
    if (good) bez_h5_elsewhere(o->h, &m, name, len, "the file of a dataset's numbers");
  }
  if (!good) bez_model_unread(o->h->out, o->h->in->part, "the files of a dataset cannot be read");
}

/* ---- groups -------------------------------------------------------------------------------------------------------
 */

static void read_child(object *o, const char *name, size_t len, uint64_t address) {
  if (len > PATH_ROOM - 2 - o->path_len) len = PATH_ROOM - 2 - o->path_len;
  o->path[o->path_len] = '/';
  memcpy(o->path + o->path_len + 1, name, len);
  o->path[o->path_len + 1 + len] = 0;
  read_object(o->h, address, o->path, o->path_len + 1 + len, o->depth + 1);
  o->path[o->path_len] = 0;
}

/* A leaf of a group's tree: names and where their objects stand. */
static bool read_symbols(object *o, uint64_t address, uint64_t heap) {
  bez_cursor c, entry;
  const uint8_t *head;
  uint16_t n;
  uint64_t name_at, object_at;
  uint32_t cache;
  const char *name;
  size_t len;
  if (!bez_h5_from(o->h, address, &c) || !bez_cursor_take(&c, 6, &head) || memcmp(head, "SNOD", 4) != 0 ||
      !bez_cursor_le16(&c, &n))
    return false;
  for (unsigned i = 0; i < n; i++) {
    entry = c;
    if (!bez_h5_spend(o->h, 40) || !bez_cursor_skip(&c, 40) || !bez_cursor_le64(&entry, &name_at) ||
        !bez_cursor_le64(&entry, &object_at) || !bez_cursor_le32(&entry, &cache) ||
        !bez_h5_name(o->h, heap, name_at, &name, &len))
      return false;
    if (cache != 2) read_child(o, name, len, object_at); /* 2: a symbolic link within the file */
  }
  return true;
}

static bool read_tree(object *o, uint64_t address, uint64_t heap, unsigned depth) {
  bez_cursor c;
  const uint8_t *head;
  uint16_t n;
  uint64_t child;
  if (depth > MOST_DEPTH || !bez_h5_from(o->h, address, &c) || !bez_cursor_take(&c, 6, &head) ||
      memcmp(head, "TREE\0", 5) != 0 || !bez_cursor_le16(&c, &n) || !bez_cursor_skip(&c, 24))
    return false;
  for (unsigned i = 0; i < n; i++) {
    if (!bez_h5_spend(o->h, 16) || !bez_cursor_le64(&c, &child) || !bez_cursor_skip(&c, 8)) return false;
    if (!(head[5] ? read_tree(o, child, heap, depth + 1) : read_symbols(o, child, heap))) return false;
  }
  return true;
}

static bool read_link(object *o, bez_cursor m) {
  uint8_t version, flags, kind = HARD, byte;
  const uint8_t *name, *value;
  uint64_t len = 0, address;
  uint16_t value_len;
  if (!bez_cursor_u8(&m, &version) || version != 1 || !bez_cursor_u8(&m, &flags)) return false;
  if (flags & 8 && !bez_cursor_u8(&m, &kind)) return false;
  if (!bez_cursor_skip(&m, (flags & 4 ? 8u : 0u) + (flags & 16 ? 1u : 0u))) return false;
  for (unsigned i = 0; i < 1u << (flags & 3); i++) {
    if (!bez_cursor_u8(&m, &byte)) return false;
    len |= (uint64_t)byte << (8 * i);
  }
  if (len > bez_cursor_left(&m) || !bez_cursor_take(&m, (size_t)len, &name)) return false;
  if (kind == HARD) {
    if (!bez_cursor_le64(&m, &address)) return false;
    read_child(o, (const char *)name, (size_t)len, address);
    return true;
  }
  if (!bez_cursor_le16(&m, &value_len) || !bez_cursor_take(&m, value_len, &value)) return false;
  if (kind == EXTERNAL_LINK && value_len > 1)
    bez_h5_elsewhere(o->h, &m, (const char *)value + 1, strnlen((const char *)value + 1, value_len - 1u),
                     "the file that an object is linked to");
  return kind == SOFT || kind == EXTERNAL_LINK;
}

/* Link Info and Attribute Info: past some number they are kept in a fractal heap, which is not followed. */
static bool is_dense(bez_cursor m, unsigned order_bytes) {
  uint8_t version, flags;
  uint64_t heap;
  return !bez_cursor_u8(&m, &version) || !bez_cursor_u8(&m, &flags) ||
         !bez_cursor_skip(&m, flags & 1 ? order_bytes : 0) || !bez_cursor_le64(&m, &heap) || heap != BEZ_H5_UNDEFINED;
}

/* ---- objects ------------------------------------------------------------------------------------------------------
 */

static void take_message(void *ctx, const bez_h5_message *m) {
  object *o = ctx;
  bez_cursor c = m->data;
  uint64_t tree, heap;
  bool good = true;
  switch (m->type) {
    case BEZ_H5_DATASPACE: o->space = c; break;
    case BEZ_H5_DATATYPE:
      o->type = m->shared ? (bez_cursor){0} : c;
      o->shared_type = m->shared;
      break;
    case BEZ_H5_LAYOUT:
      o->layout = c;
      o->has_layout = true;
      break;
    case BEZ_H5_EXTERNAL: read_external(o, c); break;
    case BEZ_H5_LINK: good = !m->shared && read_link(o, c); break;
    case BEZ_H5_LINK_INFO: good = !is_dense(c, 8); break;
    case BEZ_H5_ATTRIBUTE_INFO: good = !is_dense(c, 2); break;
    case BEZ_H5_ATTRIBUTE:
      good = !m->shared;
      if (good) bez_h5_attribute(o->h, c);
      break;
    case BEZ_H5_SYMBOLS:
      good = bez_cursor_le64(&c, &tree) && bez_cursor_le64(&c, &heap) && read_tree(o, tree, heap, 0);
      break;
    default: break;
  }
  if (!good)
    bez_model_unread(o->h->out, o->h->in->part,
                     "links or attributes of \"%.80s\" are kept in a form that is not followed",
                     *o->path ? o->path : "/");
}

static void read_object(bez_h5 *h, uint64_t address, char *path, size_t path_len, unsigned depth) {
  object o = {.h = h, .path = path, .path_len = path_len, .depth = depth};
  if (depth > MOST_DEPTH || path_len > PATH_ROOM - 3) {
    bez_model_unread(h->out, h->in->part, "groups within groups, more than %u deep", MOST_DEPTH);
    return;
  }
  bez_h5_messages(h, address, take_message, &o);
  if (o.has_layout) read_dataset(&o);
}

/* ---- the file -----------------------------------------------------------------------------------------------------
 */

/* The signature stands at 0, or behind a block of the user's at 512, 1024, 2048 … */
static bool find_start(const bez_model_input *in, uint64_t *at) {
  for (*at = 0; *at <= in->len && in->len - *at >= 64; *at = *at ? 2 * *at : 512)
    if (memcmp(in->bytes + *at, MAGIC, 8) == 0) return true;
  return false;
}

/* The root group's object header; false: of an unknown form. Addresses count from the superblock, whatever it says its
 * own is: so does the library. */
static bool read_superblock(bez_h5 *h, uint64_t *root) {
  bez_cursor c;
  uint8_t version, offsets, lengths;
  uint64_t base, driver, name;
  if (!bez_h5_from(h, 8, &c) || !bez_cursor_u8(&c, &version) || version > 3) return false;
  if (!bez_cursor_skip(&c, version < 2 ? 4 : 0) || !bez_cursor_u8(&c, &offsets) || !bez_cursor_u8(&c, &lengths) ||
      offsets != 8 || lengths != 8)
    return false;
  if (!bez_cursor_skip(&c, version == 0 ? 9 : version == 1 ? 13 : 1) || !bez_cursor_le64(&c, &base)) return false;
  if (version >= 2) return bez_cursor_skip(&c, 16) && bez_cursor_le64(&c, root);
  return bez_cursor_skip(&c, 16) && bez_cursor_le64(&c, &driver) && driver == BEZ_H5_UNDEFINED &&
         bez_cursor_le64(&c, &name) && bez_cursor_le64(&c, root);
}

static int sniff(const bez_model_input *in) {
  uint64_t at;
  return find_start(in, &at) ? 90 : 0;
}

static void read_hdf5(const bez_model_input *in, struct bez_model_out *out) {
  bez_h5 h = {.in = in, .out = out};
  char path[PATH_ROOM] = "";
  uint64_t root;
  if (!find_start(in, &h.base)) return;
  if (h.base)
    bez_model_odd(out, in->part, 0, "prefix", "%llu bytes stand in front of the HDF5 file", (unsigned long long)h.base);
  h.budget = (in->len < MOST_BUDGET / 8 ? 8 * (uint64_t)in->len : MOST_BUDGET) + (1u << 16);
  if (read_superblock(&h, &root))
    read_object(&h, root, path, 0, 0);
  else
    bez_model_unread(out, in->part, "an HDF5 file of a form that is not followed");
}

const bez_model_reader bez_model_reader_hdf5 = {
    .name = "hdf5",
    .title = "HDF5 file",
    .summary =
        "Keras's legacy models and weights: the model's configuration, examined as in .keras files, datasets as "
        "tensors, links and storage in other files. Chunked datasets are listed; dense groups and shared messages "
        "are said to be unread.",
    .sniff = sniff,
    .read = read_hdf5};
