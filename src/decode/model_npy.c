/* Arrays of NumPy (NEP 1; numpy/lib/format.py): numbers are tensors, arrays of Python objects a pickle behind a header.
 * Entries of npz files come here from the ZIP reader. */
#include <string.h>

#include "base/error.h"
#include "decode/model.h"
#include "format/array.h"
#include "format/tensors.h"

#define MAX_ARRAYS 65536u /* behind each other, as numpy.save into one open file writes them */

typedef struct npy {
  const bez_model_input *in;
  struct bez_model_out *out;
  bez_arena arena;
  const uint8_t *bytes; /* of this array */
  size_t len;
} npy;

static bool is_npy(const uint8_t *bytes, size_t len) {
  return len >= 10 && memcmp(bytes, "\x93NUMPY", 6) == 0;
}

static int sniff(const bez_model_input *in) {
  return is_npy(in->bytes, in->len) ? 95 : 0;
}

static uint64_t offset(const npy *n) {
  return (uint64_t)(n->bytes - n->in->bytes);
}

static void read_objects(npy *n, uint64_t at) {
  const uint32_t part = bez_model_examine(n->out, n->in->part, n->in->depth + 1, "objects.pkl", offset(n) + at,
                                          n->bytes + at, n->len - (size_t)at);
  if (!*bez_model_kind_of(n->out, part)) bez_model_unread(n->out, n->in->part, "its objects are no pickle");
}

/* "weights" for the entry "weights.npy"; a lone array has no name. */
static const char *name_of(npy *n) {
  const size_t len = strlen(n->in->name);
  if (!n->in->part) return "";
  const char *name =
      bez_arena_strndup(&n->arena, n->in->name, len > 4 && !strcmp(n->in->name + len - 4, ".npy") ? len - 4 : len);
  return name ? name : "";
}

/* Numbers: bytes they take, or UINT64_MAX where that is not known. */
static uint64_t read_numbers(npy *n, const bez_npy_outline *o) {
  bez_npy_tensor a = {0};
  bez_dtype dtype = BEZ_DTYPE_U8;
  bez_error err = {0};
  bez_model_tensor t = {.part = n->in->part, .name = name_of(n), .dtype = o->type ? o->type : "records"};
  const bez_status st = bez_npy_tensor_header(n->bytes, n->len, n->len, n->in->name, &n->arena, &a, &err);
  if (st == BEZ_FORMAT) bez_model_odd(n->out, n->in->part, offset(n), "beyond", "%s", err.message);
  if (st == BEZ_FORMAT) bez_model_unread(n->out, n->in->part, "%s", err.message);
  const bool plain = st == BEZ_OK && bez_npy_dtype(&a.type, &dtype);
  if (st == BEZ_OK && (plain || a.type.swap) && a.type.kind <= BEZ_ITEM_FLOAT) t.dtype = bez_dtype_name(dtype);
  t.n_dims = o->n_dims <= BEZ_MAX_MODEL_DIMS ? o->n_dims : 0;
  memcpy(t.shape, o->dim, t.n_dims * sizeof *t.shape);
  t.strided = o->fortran && o->n_dims > 1;
  t.bytes = plain ? a.data_size : 0;
  if (o->n_dims > BEZ_MAX_MODEL_DIMS)
    bez_model_unread(n->out, n->in->part, "an array of %u dimensions", o->n_dims);
  else
    bez_model_tensor_at(n->out, &t, plain ? n->bytes + a.data_at : NULL);
  return st == BEZ_OK ? a.data_size : UINT64_MAX;
}

/* One array; false: nothing behind it is to be looked at. */
static bool read_array(npy *n) {
  bez_npy_outline o;
  bez_error err = {0};
  const bez_status st = bez_npy_outline_read(n->bytes, n->len, n->in->name, &n->arena, &o, &err);
  if (st != BEZ_OK) {
    if (st == BEZ_FORMAT && o.data_at) bez_model_odd(n->out, n->in->part, offset(n), "npy-header", "%s", err.message);
    bez_model_unread(n->out, n->in->part, "%s", err.message);
  }
  if (st != BEZ_OK && !o.data_at) return false;
  if (st != BEZ_OK || o.objects) {
    read_objects(n, o.data_at);
    return false;
  }
  const uint64_t size = read_numbers(n, &o);
  if (size > n->len - o.data_at) return false;
  n->bytes += o.data_at + size;
  n->len -= (size_t)(o.data_at + size);
  return true;
}

static void read_npy(const bez_model_input *in, struct bez_model_out *out) {
  npy n = {.in = in, .out = out, .bytes = in->bytes, .len = in->len};
  bool more = true;
  unsigned arrays = 0;
  while (more && is_npy(n.bytes, n.len) && arrays++ < MAX_ARRAYS) more = read_array(&n);
  if (more && is_npy(n.bytes, n.len))
    bez_model_unread(out, in->part, "more than %u arrays behind each other", MAX_ARRAYS);
  else if (more && n.len)
    bez_model_odd(out, in->part, offset(&n), "trailing", "%zu bytes behind the last array", n.len);
  bez_arena_free(&n.arena);
}

const bez_model_reader bez_model_reader_npy = {
    .name = "npy",
    .title = "NumPy array",
    .summary = "Versions 1 to 3: numbers, and the pickle behind the header of an array of Python objects. Headers that "
               "are no plain literal and bytes behind the end are reported.",
    .sniff = sniff,
    .read = read_npy};
