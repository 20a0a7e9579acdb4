/* Storages and shapes of torch tensors as a pickle states them, and the bytes of the storages (torch_tensor.h). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "decode/torch_tensor.h"

#define MAX_KEY 256u

static bool text_is(const bez_pickle_value *v, const char *text) {
  return v->kind == BEZ_PV_STR && v->n == strlen(text) && memcmp(v->as.s, text, v->n) == 0;
}

static const char *global_name(const bez_pickle_value *v) {
  if (v->kind != BEZ_PV_GLOBAL || !v->as.node->kept || !v->as.node->items[2].as.i) return "";
  return (const char *)v->as.node->items[1].as.s;
}

/* Storage classes and torch.dtype, with the names that safetensors has for them. Quantised numbers have a name of
 * ours: what they stand for is not in the storage. */
static const struct {
  const char *storage, *dtype, *name;
  unsigned item;
} types[] = {{"FloatStorage", "float32", "F32", 4},
             {"DoubleStorage", "float64", "F64", 8},
             {"HalfStorage", "float16", "F16", 2},
             {"BFloat16Storage", "bfloat16", "BF16", 2},
             {"LongStorage", "int64", "I64", 8},
             {"IntStorage", "int32", "I32", 4},
             {"ShortStorage", "int16", "I16", 2},
             {"CharStorage", "int8", "I8", 1},
             {"ByteStorage", "uint8", "U8", 1},
             {"BoolStorage", "bool", "BOOL", 1},
             {"ComplexFloatStorage", "complex64", "C64", 8},
             {"ComplexDoubleStorage", "complex128", "C128", 16},
             {"QInt8Storage", "qint8", "QINT8", 1},
             {"QUInt8Storage", "quint8", "QUINT8", 1},
             {"QInt32Storage", "qint32", "QINT32", 4},
             {"QUInt4x2Storage", "quint4x2", "QUINT4X2", 1},
             {"QUInt2x4Storage", "quint2x4", "QUINT2X4", 1},
             {"", "uint16", "U16", 2},
             {"", "uint32", "U32", 4},
             {"", "uint64", "U64", 8},
             {"", "float8_e4m3fn", "F8_E4M3", 1},
             {"", "float8_e5m2", "F8_E5M2", 1},
             {"", "float8_e4m3fnuz", "F8_E4M3FNUZ", 1},
             {"", "float8_e5m2fnuz", "F8_E5M2FNUZ", 1},
             {"", "float8_e8m0fnu", "F8_E8M0", 1}};

static bool whole(const bez_pickle_value *v, uint64_t *out) {
  if (v->kind != BEZ_PV_INT || v->as.i < 0) return false;
  *out = (uint64_t)v->as.i;
  return true;
}

bool bez_torch_take_storage(const bez_pickle_value *persistent, bez_arena *arena, bez_torch_storage *out) {
  if (persistent->kind != BEZ_PV_PERSISTENT || !persistent->as.node->kept) return false;
  const bez_pickle_value *id = &persistent->as.node->items[0];
  if (id->kind != BEZ_PV_TUPLE || id->as.node->kept < 5 || !text_is(&id->as.node->items[0], "storage")) return false;
  const bez_pickle_value *p = id->as.node->items;
  *out = (bez_torch_storage){.item = 1};
  if (p[2].kind != BEZ_PV_STR || !p[2].n || p[2].n > MAX_KEY || !whole(&p[4], &out->items)) return false;
  const char *name = global_name(&p[1]);
  for (size_t i = 0; *name && i < sizeof types / sizeof *types; i++)
    if (!strcmp(types[i].storage, name)) out->dtype = types[i].name, out->item = types[i].item;
  /* A view of another storage: of files older than torch 0.4. */
  const bool view = id->as.node->kept > 5 && p[5].kind != BEZ_PV_NONE;
  out->key = view ? "" : bez_arena_strndup(arena, (const char *)p[2].as.s, p[2].n);
  return out->key != NULL;
}

/* (2, 3), or torch.Size((2, 3)) */
static const bez_pickle_node *numbers(const bez_pickle_value *v) {
  if (v->kind == BEZ_PV_CALL && v->as.node->kept > 1 && !strcmp(global_name(&v->as.node->items[0]), "Size"))
    v = &v->as.node->items[1];
  const bool good = v->kind == BEZ_PV_TUPLE || v->kind == BEZ_PV_LIST;
  return good && v->as.node->kept == v->as.node->count ? v->as.node : NULL;
}

static bool take_shape(const bez_pickle_node *size, const bez_pickle_node *stride, bez_torch_tensor *t) {
  uint64_t items = 1, last = 0;
  bool empty = false;
  if (size->kept > BEZ_MAX_MODEL_DIMS || size->kept != stride->kept) return false;
  t->n_dims = size->kept;
  for (uint32_t d = t->n_dims; d-- > 0;) {
    uint64_t step, reach;
    if (!whole(&size->items[d], &t->shape[d]) || !whole(&stride->items[d], &step)) return false;
    t->strided |= t->shape[d] > 1 && step != items;
    empty |= t->shape[d] == 0;
    if (__builtin_mul_overflow(items, t->shape[d] ? t->shape[d] : 1, &items)) return false;
    if (t->shape[d] &&
        (__builtin_mul_overflow(t->shape[d] - 1, step, &reach) || __builtin_add_overflow(last, reach, &last)))
      return false;
  }
  t->strided &= !empty;
  if (!empty && __builtin_add_overflow(last, 1, &t->span)) return false;
  return true;
}

bool bez_torch_take_tensor(const bez_pickle_value *a, uint32_t n, bool typed, bez_arena *arena, bez_torch_tensor *out) {
  bez_torch_storage storage = {.key = "", .item = 1};
  const bez_pickle_node *size = n > 3 ? numbers(&a[2]) : NULL, *stride = n > 3 ? numbers(&a[3]) : NULL;
  if (!size || !stride || !whole(&a[1], &out->offset) || !take_shape(size, stride, out)) return false;
  if (!bez_torch_take_storage(&a[0], arena, &storage)) storage.key = ""; /* a pickle of its own, in bytes */
  out->key = storage.key;
  out->dtype = storage.dtype ? storage.dtype : "unknown";
  out->item = storage.item;
  const char *dtype = typed && n > 6 ? global_name(&a[6]) : "";
  for (size_t i = 0; *dtype && i < sizeof types / sizeof *types; i++)
    if (!strcmp(types[i].dtype, dtype)) out->dtype = types[i].name, out->item = types[i].item;
  return true;
}

/* ---- where the bytes are ------------------------------------------------------------------------------------------
 */

static int key_order(const void *key, const void *storage) {
  return strcmp(key, ((const bez_torch_storage *)storage)->key);
}

bez_torch_storage *bez_torch_storage_of(bez_torch_storage *storages, size_t n, const char *key) {
  return n && *key ? bsearch(key, storages, n, sizeof *storages, key_order) : NULL;
}

/* An entry of another size than the pickle says. */
static void say_size(const bez_model_input *in, struct bez_model_out *out, const bez_torch_storage *s, bool *said) {
  if (*said || s->items == s->len / s->item) return;
  *said = true;
  bez_model_odd(out, in->part, 0, "storage", "storage %.40s has %llu bytes, the pickle says %llu numbers of %u bytes",
                s->key, (unsigned long long)s->len, (unsigned long long)s->items, s->item);
}

void bez_torch_find_entries(const bez_model_input *in, struct bez_model_out *out, bez_torch_storage *storages,
                            size_t n) {
  const char *slash = strrchr(in->name, '/'), *name = slash ? slash + 1 : in->name, *dot = strrchr(name, '.');
  const size_t folder = (size_t)(name - in->name), stem = folder + (dot ? (size_t)(dot - name) : strlen(name));
  char path[1024 + MAX_KEY];
  const uint8_t *bytes;
  uint64_t len;
  bool said = false;
  if (stem > 512) return;
  snprintf(path, sizeof path, "%.*sbyteorder", (int)folder, in->name);
  if (bez_model_beside(out, in->part, path, &bytes, &len) && bytes && len >= 3 && !memcmp(bytes, "big", 3)) return;
  for (size_t i = 0; i < n; i++) {
    bez_torch_storage *s = &storages[i];
    snprintf(path, sizeof path, "%.*s/%s", (int)stem, in->name, s->key);
    if (!bez_model_beside(out, in->part, path, &s->bytes, &s->len)) continue;
    say_size(in, out, s, &said);
  }
}

/* Each is a count of 64 bits, then the numbers. */
void bez_torch_find_behind(const bez_model_input *in, struct bez_model_out *out, uint64_t at, const char *const *keys,
                           size_t n_keys, bez_torch_storage *storages, size_t n) {
  bez_cursor c = {.data = in->bytes, .len = in->len, .pos = at < in->len ? (size_t)at : in->len};
  bool said = false;
  for (size_t i = 0; i < n_keys; i++) {
    bez_torch_storage *s = bez_torch_storage_of(storages, n, keys[i]);
    const uint8_t *bytes;
    uint64_t items, len;
    if (!s) return; /* of a type that was not told: what follows cannot be found */
    const bool good = bez_cursor_le64(&c, &items) && !__builtin_mul_overflow(items, s->item, &len) &&
                      len <= bez_cursor_left(&c) && bez_cursor_take(&c, (size_t)len, &bytes);
    if (!good) {
      bez_model_odd(out, in->part, at, "beyond", "storage %.40s reaches beyond the end of the file", s->key);
      bez_model_unread(out, in->part, "storage %.40s is not within the file", s->key);
      return;
    }
    s->bytes = bytes;
    s->len = len;
    say_size(in, out, s, &said);
  }
}
