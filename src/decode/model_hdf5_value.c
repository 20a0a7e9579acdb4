/* Types, shapes, names and attributes of HDF5 objects. */
#include <stdio.h>
#include <string.h>

#include "decode/model_hdf5.h"
#include "decode/model_keras.h"
#include "decode/outside.h"

enum { FIXED = 0, FLOAT = 1, STRING = 3, ENUM = 8, VARIABLE = 9 }; /* classes of types */

static const char *float_name(bez_cursor properties, uint32_t size) {
  uint8_t exponent;
  if (size == 4) return "F32";
  if (size == 8) return "F64";
  if (size != 2 || !bez_cursor_skip(&properties, 5) || !bez_cursor_u8(&properties, &exponent)) return "";
  return exponent == 8 ? "BF16" : "F16";
}

const char *bez_h5_type(bez_cursor datatype, uint32_t *size) {
  static const char *const with_sign[] = {"", "I8", "I16", "", "I32", "", "", "", "I64"};
  static const char *const without[] = {"", "U8", "U16", "", "U32", "", "", "", "U64"};
  uint8_t class_and_version, bits;
  if (!bez_cursor_u8(&datatype, &class_and_version) || !bez_cursor_u8(&datatype, &bits) ||
      !bez_cursor_skip(&datatype, 2) || !bez_cursor_le32(&datatype, size))
    return "";
  const unsigned kind = class_and_version & 15;
  if (kind == ENUM) return *size == 1 ? "BOOL" : "";
  if (kind > FLOAT || bits & 1 || *size > 8) return ""; /* bit 0: the other byte order */
  if (kind == FLOAT) return float_name(datatype, *size);
  return bits & 8 ? with_sign[*size] : without[*size];
}

bool bez_h5_shape(bez_cursor dataspace, uint32_t *n_dims, uint64_t shape[BEZ_MAX_MODEL_DIMS]) {
  uint8_t version, rank, flags;
  *n_dims = 0;
  if (!bez_cursor_u8(&dataspace, &version) || !bez_cursor_u8(&dataspace, &rank) || !bez_cursor_u8(&dataspace, &flags) ||
      !bez_cursor_skip(&dataspace, version == 1 ? 5 : 1) || version > 2 || rank > BEZ_MAX_MODEL_DIMS)
    return false;
  for (*n_dims = 0; *n_dims < rank; ++*n_dims)
    if (!bez_cursor_le64(&dataspace, &shape[*n_dims])) return false;
  return true;
}

bool bez_h5_name(bez_h5 *h, uint64_t heap, uint64_t offset, const char **name, size_t *len) {
  bez_cursor c, data;
  const uint8_t *signature;
  uint64_t size, address;
  if (!bez_h5_at(h, heap, 32, &c) || !bez_cursor_take(&c, 8, &signature) || memcmp(signature, "HEAP", 4) != 0 ||
      !bez_cursor_le64(&c, &size) || !bez_cursor_skip(&c, 8) || !bez_cursor_le64(&c, &address) || offset >= size ||
      !bez_h5_at(h, address, 0, &data) || !bez_h5_from(h, address, &data) || size > data.len)
    return false;
  *name = (const char *)data.data + offset;
  *len = strnlen(*name, (size_t)(size - offset));
  return bez_h5_spend(h, *len);
}

void bez_h5_elsewhere(bez_h5 *h, const bez_cursor *at, const char *file, size_t len, const char *role) {
  char text[200];
  snprintf(text, sizeof text, "%.*s", (int)(len < 190 ? len : 190), file);
  const uint64_t where = bez_h5_offset(h, at);
  if (!bez_model_outside(h->out, h->in->part, where, file, len, role))
    bez_model_code(h->out, h->in->part, where, "hdf5-external", text, "%s is \"%s\"", role, text);
}

/* ---- attributes ---------------------------------------------------------------------------------------------------
 */

/* An object of a global heap: strings of variable length stand there. */
static bool heap_object(bez_h5 *h, uint64_t address, uint32_t number, bez_cursor *out) {
  bez_cursor c, collection;
  const uint8_t *signature;
  uint64_t size, len;
  uint16_t index;
  if (!bez_h5_from(h, address, &c) || !bez_cursor_take(&c, 8, &signature) || memcmp(signature, "GCOL", 4) != 0 ||
      !bez_cursor_le64(&c, &size) || size < 16 || !bez_h5_at(h, address, 0, &collection) || size > c.len)
    return false;
  c.len = (size_t)size;
  while (bez_h5_spend(h, 2) && bez_cursor_le16(&c, &index) && index && bez_cursor_skip(&c, 6) &&
         bez_cursor_le64(&c, &len) && len <= bez_cursor_left(&c)) {
    *out = (bez_cursor){.data = c.data + c.pos, .len = (size_t)len};
    if (index == number) return bez_h5_spend(h, len);
    if (!bez_cursor_skip(&c, (size_t)((len + 7) / 8 * 8))) return false;
  }
  return false;
}

/* The text of an attribute: fixed, or in the global heap. */
static bool text_of(bez_h5 *h, bez_cursor datatype, bez_cursor data, bez_cursor *text) {
  uint8_t class_and_version, bits;
  uint32_t size, len, number;
  uint64_t address;
  const uint8_t *bytes;
  if (!bez_cursor_u8(&datatype, &class_and_version) || !bez_cursor_u8(&datatype, &bits) ||
      !bez_cursor_skip(&datatype, 2) || !bez_cursor_le32(&datatype, &size))
    return false;
  if ((class_and_version & 15) == STRING) {
    if (!bez_cursor_take(&data, size, &bytes)) return false;
    while (size && !bytes[size - 1]) size--;
    *text = (bez_cursor){.data = bytes, .len = size};
    return true;
  }
  if ((class_and_version & 15) != VARIABLE || !bez_cursor_le32(&data, &len) || !bez_cursor_le64(&data, &address) ||
      !bez_cursor_le32(&data, &number) || !heap_object(h, address, number, text) || len > text->len)
    return false;
  text->len = len;
  return true;
}

typedef struct attribute {
  const uint8_t *name;
  size_t name_len;
  bez_cursor type, space, data;
  bool shared;
} attribute;

static bool take_padded(bez_cursor *c, size_t len, bool padded, bez_cursor *out) {
  const uint8_t *bytes;
  if (!bez_cursor_take(c, padded ? (len + 7) / 8 * 8 : len, &bytes)) return false;
  *out = (bez_cursor){.data = bytes, .len = len};
  return true;
}

static bool take_attribute(bez_cursor c, attribute *a) {
  uint8_t version, flags;
  uint16_t name_len, type_len, space_len;
  bez_cursor name;
  if (!bez_cursor_u8(&c, &version) || !bez_cursor_u8(&c, &flags) || version < 1 || version > 3 ||
      !bez_cursor_le16(&c, &name_len) || !bez_cursor_le16(&c, &type_len) || !bez_cursor_le16(&c, &space_len) ||
      !bez_cursor_skip(&c, version == 3 ? 1 : 0) || !take_padded(&c, name_len, version == 1, &name) ||
      !take_padded(&c, type_len, version == 1, &a->type) || !take_padded(&c, space_len, version == 1, &a->space))
    return false;
  a->name = name.data;
  a->name_len = strnlen((const char *)name.data, name.len);
  a->data = (bez_cursor){.data = c.data + c.pos, .len = bez_cursor_left(&c)};
  a->shared = version > 1 && flags & 1;
  return true;
}

static bool is_named(const attribute *a, const char *name) {
  return a->name_len == strlen(name) && memcmp(a->name, name, a->name_len) == 0;
}

/* PyTables, and pandas through it, unpickle every text that ends in a full stop. */
static void examine_pickle(bez_h5 *h, const attribute *a, bez_cursor text) {
  char name[200];
  if (text.len < 3 || text.data[text.len - 1] != '.') return;
  snprintf(name, sizeof name, "attribute %.*s", (int)(a->name_len < 180 ? a->name_len : 180), (const char *)a->name);
  (void)bez_model_examine(h->out, h->in->part, h->in->depth + 1, name, bez_h5_offset(h, &text), text.data, text.len);
}

static void read_version(bez_h5 *h, bez_cursor text) {
  char library[80];
  int n =
      snprintf(library, sizeof library, "keras %.*s", (int)(text.len < 40 ? text.len : 40), (const char *)text.data);
  bez_model_says(h->out, h->in->part, "library", library, n > 0 ? strlen(library) : 0);
}

static void read_configuration(bez_h5 *h, bez_cursor text) {
  json_t *doc = bez_keras_parse(h->in, h->out, text.data, text.len, "the model's configuration");
  if (doc) bez_keras_examine(h->in, h->out, doc, text.data, text.len, false);
  json_decref(doc);
}

void bez_h5_attribute(bez_h5 *h, bez_cursor message) {
  attribute a = {0};
  bez_cursor text = {0};
  if (!take_attribute(message, &a)) {
    bez_model_unread(h->out, h->in->part, "an attribute is broken or of an unknown form");
    return;
  }
  const bool configuration = is_named(&a, "model_config") || is_named(&a, "training_config");
  const bool good = !a.shared && text_of(h, a.type, a.data, &text);
  if (!good && configuration)
    bez_model_unread(h->out, h->in->part, "the attribute \"%.*s\" is no text that could be read", (int)a.name_len,
                     (const char *)a.name);
  if (!good) return;
  if (configuration) read_configuration(h, text);
  if (is_named(&a, "keras_version")) read_version(h, text);
  if (is_named(&a, "PSEUDOATOM") && text.len >= 6 && memcmp(text.data, "object", 6) == 0)
    bez_model_unread(h->out, h->in->part,
                     "rows of Python objects: PyTables unpickles them, and they are not followed here");
  examine_pickle(h, &a, text);
}
