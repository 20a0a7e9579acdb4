/* Tensors of Python objects, borrowed as they lie: the buffer protocol, and DLPack for those that have no buffer. */
#include <stdlib.h>
#include <string.h>

#include "core.h"

#define MOST_DIMS 64

/* ---- the binary interface of DLPack 0.x and 1.x ------------------------------------------------------------------ */

enum { DL_CPU = 1, DL_CUDA_HOST = 3, DL_ROCM_HOST = 11 };
enum { DL_INT = 0, DL_UINT = 1, DL_FLOAT = 2, DL_BFLOAT = 4, DL_BOOL = 6 };

typedef struct dl_tensor {
  void *data;
  int32_t device_type, device_id;
  int32_t n_dims;
  uint8_t code, bits;
  uint16_t lanes;
  int64_t *shape, *strides; /* strides in items; NULL: C order */
  uint64_t byte_offset;
} dl_tensor;

typedef struct dl_versioned {
  uint32_t major, minor;
  void *owner;
  void (*deleter)(struct dl_versioned *self);
  uint64_t flags;
  dl_tensor tensor;
} dl_versioned;

/* ---- one leaf ---------------------------------------------------------------------------------------------------- */

typedef struct reader {
  core_state *state;
  core_update *to;
  uint32_t index;
  const char *name;
  bool writable;
  char type[48]; /* of the items, as the exporter calls it */
} reader;

#define REFUSE(r, code, ...) core_refuse((r)->state, code, (r)->to->update.client, "layer \"%s\" " __VA_ARGS__)

/* What the exporter raised, told with client and layer; interrupts and lack of memory stay what they are. */
static int refuse_exporter(reader *r) {
  if (!PyErr_ExceptionMatches(PyExc_ValueError) && !PyErr_ExceptionMatches(PyExc_TypeError) &&
      !PyErr_ExceptionMatches(PyExc_BufferError))
    return -1;
  PyObject *type, *value, *trace;
  PyErr_Fetch(&type, &value, &trace);
  PyObject *text = value ? PyObject_Str(value) : NULL;
  const char *said = text ? PyUnicode_AsUTF8AndSize(text, NULL) : NULL;
  PyErr_Clear();
  REFUSE(r, BEZ_UNSUPPORTED, "cannot be read: %s", r->name, said ? said : "its exporter failed");
  Py_XDECREF(text);
  Py_XDECREF(type);
  Py_XDECREF(value);
  Py_XDECREF(trace);
  return -1;
}

/* kind: 'f' floating, 'i' signed, 'u' unsigned, 'b' boolean, 'B' bfloat16. */
static bool find_dtype(char kind, size_t size, bez_dtype *out) {
  static const struct {
    char kind;
    uint8_t size;
    bez_dtype dtype;
  } known[] = {{'f', 2, BEZ_DTYPE_F16}, {'f', 4, BEZ_DTYPE_F32}, {'f', 8, BEZ_DTYPE_F64}, {'B', 2, BEZ_DTYPE_BF16},
               {'i', 1, BEZ_DTYPE_I8},  {'i', 2, BEZ_DTYPE_I16}, {'i', 4, BEZ_DTYPE_I32}, {'i', 8, BEZ_DTYPE_I64},
               {'u', 1, BEZ_DTYPE_U8},  {'u', 2, BEZ_DTYPE_U16}, {'u', 4, BEZ_DTYPE_U32}, {'u', 8, BEZ_DTYPE_U64},
               {'b', 1, BEZ_DTYPE_BOOL}};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    if (known[i].kind != kind || known[i].size != size) continue;
    *out = known[i].dtype;
    return true;
  }
  return false;
}

static int set_dtype(reader *r, char kind, size_t size) {
  bez_layer *layer = &r->to->layers[r->index];
  if (find_dtype(kind, size, &layer->dtype)) return 0;
  return REFUSE(
      r, BEZ_UNSUPPORTED,
      "has items of type \"%s\" (%zu bytes); floating-point numbers of 2, 4 or 8 bytes, integers and booleans "
      "are read",
      r->name, r->type, size);
}

/* Shape and strides (in items) into room of the layer's own; strides of C order are left out. */
static int set_extents(reader *r, int n_dims, const int64_t *shape, const int64_t *strides) {
  bez_layer *layer = &r->to->layers[r->index];
  int64_t *extents = calloc(2 * (size_t)n_dims + 1, sizeof *extents);
  r->to->extents[r->index] = extents;
  if (!extents) return PyErr_NoMemory(), -1;
  bool in_order = true, empty = false;
  int64_t step = 1;
  for (int k = n_dims; k-- > 0;) {
    extents[k] = shape[k];
    extents[n_dims + k] = strides ? strides[k] : 0;
    if (strides && shape[k] > 1 && strides[k] != step) in_order = false;
    empty = empty || shape[k] == 0;
    if (__builtin_mul_overflow(step, shape[k] > 0 ? shape[k] : 1, &step))
      return REFUSE(r, BEZ_LIMIT, "is too large", r->name);
  }
  layer->n_dims = (uint32_t)n_dims;
  layer->shape = (const uint64_t *)extents; /* never negative */
  layer->strides = in_order || empty ? NULL : extents + n_dims;
  if (r->writable && layer->strides) return REFUSE(r, BEZ_INTERNAL, "of the result is not in C order", r->name);
  if (!empty && (uintptr_t)layer->data % bez_dtype_size(layer->dtype) != 0)
    return REFUSE(r, BEZ_UNSUPPORTED, "does not lie on multiples of its item size; give a copy of it", r->name);
  return 0;
}

/* The kind of a struct format ("<f", "l", "?"); 0: none that is read. */
static char kind_of(const char *format, size_t size) {
  const uint16_t one = 1;
  uint8_t low;
  memcpy(&low, &one, 1);
  if (*format == '@' || *format == '=' || *format == (low ? '<' : '>') ||
      (size == 1 && *format && strchr("<>!", *format)))
    format++;
  if (!format[0] || format[1]) return 0;
  if (strchr("efd", *format)) return 'f';
  if (strchr("bhilqn", *format)) return 'i';
  if (strchr("BHILQN", *format)) return 'u';
  return *format == '?' ? 'b' : 0;
}

static int read_buffer(reader *r, PyObject *object) {
  Py_buffer *view = &r->to->views[r->index];
  int64_t shape[MOST_DIMS], strides[MOST_DIMS];
  if (!PyObject_CheckBuffer(object)) {
    PyObject *type = PyType_GetName(Py_TYPE(object));
    const char *name = type ? PyUnicode_AsUTF8AndSize(type, NULL) : NULL;
    if (name) REFUSE(r, BEZ_USAGE, "is of type %s, neither an array nor a tensor", r->name, name);
    Py_XDECREF(type);
    return -1;
  }
  if (PyObject_GetBuffer(object, view, PyBUF_STRIDES | PyBUF_FORMAT | (r->writable ? PyBUF_WRITABLE : 0)) < 0)
    return refuse_exporter(r);
  const char *format = view->format ? view->format : "B";
  const char kind = view->itemsize > 0 ? kind_of(format, (size_t)view->itemsize) : 0;
  PyOS_snprintf(r->type, sizeof r->type, "%s", format);
  if (!kind && view->itemsize > 1 && strchr("<>!", *format) && kind_of(format + 1, (size_t)view->itemsize))
    return REFUSE(r, BEZ_UNSUPPORTED, "has items in another byte order than this machine's (\"%s\")", r->name, format);
  if (set_dtype(r, kind, (size_t)view->itemsize) < 0) return -1;
  if (view->ndim > MOST_DIMS) return REFUSE(r, BEZ_LIMIT, "has %d dimensions", r->name, view->ndim);
  for (int k = 0; k < view->ndim; k++) {
    shape[k] = view->shape[k];
    strides[k] = view->strides[k] / view->itemsize;
    if (view->strides[k] % view->itemsize != 0 && shape[k] > 1)
      return REFUSE(r, BEZ_UNSUPPORTED, "does not lie on multiples of its item size; give a copy of it", r->name);
  }
  r->to->layers[r->index].data = view->buf;
  return set_extents(r, view->ndim, shape, strides);
}

static int read_dlpack(reader *r, PyObject *capsule) {
  static const char kinds[] = {[DL_INT] = 'i', [DL_UINT] = 'u', [DL_FLOAT] = 'f', [DL_BFLOAT] = 'B', [DL_BOOL] = 'b'};
  const dl_tensor *t;
  if (PyCapsule_IsValid(capsule, "dltensor_versioned")) {
    const dl_versioned *v = PyCapsule_GetPointer(capsule, "dltensor_versioned");
    if (v->major != 1)
      return REFUSE(r, BEZ_UNSUPPORTED, "comes by DLPack %u.%u", r->name, (unsigned)v->major, (unsigned)v->minor);
    t = &v->tensor;
  } else {
    t = PyCapsule_GetPointer(capsule, "dltensor");
  }
  if (t->device_type != DL_CPU && t->device_type != DL_CUDA_HOST && t->device_type != DL_ROCM_HOST)
    return REFUSE(r, BEZ_UNSUPPORTED, "is not in the processor's memory (DLPack device %d); move it there first",
                  r->name, (int)t->device_type);
  if (t->n_dims < 0 || t->n_dims > MOST_DIMS) return REFUSE(r, BEZ_LIMIT, "has %d dimensions", r->name, (int)t->n_dims);
  const char kind = t->lanes == 1 && t->bits % 8 == 0 && t->code < sizeof kinds ? kinds[t->code] : 0;
  PyOS_snprintf(r->type, sizeof r->type, "DLPack %u, %u bits x %u", (unsigned)t->code, (unsigned)t->bits,
                (unsigned)t->lanes);
  if (set_dtype(r, kind, t->bits / 8u) < 0) return -1;
  for (int k = 0; k < t->n_dims; k++)
    if (t->shape[k] < 0) return REFUSE(r, BEZ_USAGE, "has a negative shape", r->name);
  r->to->layers[r->index].data = t->data ? (const char *)t->data + t->byte_offset : NULL;
  return set_extents(r, t->n_dims, t->shape, t->strides);
}

static int read_leaf(reader *r, PyObject *leaf) {
  bez_layer *layer = &r->to->layers[r->index];
  const char *as = NULL;
  layer->name = r->name;
  if (PyTuple_Check(leaf) && !PyArg_ParseTuple(leaf, "Os", &leaf, &as)) return -1;
  const bool capsule = PyCapsule_IsValid(leaf, "dltensor") || PyCapsule_IsValid(leaf, "dltensor_versioned");
  if ((capsule ? read_dlpack(r, leaf) : read_buffer(r, leaf)) < 0) return -1;
  if (as && layer->dtype == BEZ_DTYPE_U8 && !strcmp(as, "BOOL")) layer->dtype = BEZ_DTYPE_BOOL;
  if (as && layer->dtype == BEZ_DTYPE_U16 && !strcmp(as, "BF16")) layer->dtype = BEZ_DTYPE_BF16;
  return 0;
}

/* ---- an update --------------------------------------------------------------------------------------------------- */

/* UTF-8 without NULs of a layer's name. */
static int read_name(reader *r, PyObject *object) {
  Py_ssize_t len = 0;
  r->name = PyUnicode_AsUTF8AndSize(object, &len);
  if (r->name && strlen(r->name) == (size_t)len) return 0;
  if (!r->name && !PyErr_ExceptionMatches(PyExc_UnicodeError)) return -1;
  PyErr_Clear();
  return core_refuse(r->state, BEZ_USAGE, r->to->update.client, "the name of layer %u is no text", (unsigned)r->index);
}

int core_read_update(core_state *state, PyObject *tuple, bool writable, core_update *out) {
  PyObject *names, *leaves;
  *out = (core_update){0};
  if (!PyArg_ParseTuple(tuple, "sdOO", &out->update.client, &out->update.n_examples, &names, &leaves)) return -1;
  const Py_ssize_t n = PyList_Size(names);
  if (n < 0 || PyList_Size(leaves) != n) return PyErr_SetString(PyExc_TypeError, "names and leaves differ"), -1;
  if (n > (1 << 24)) return core_refuse(state, BEZ_LIMIT, out->update.client, "has more than 16777216 layers");
  out->layers = calloc((size_t)n + 1, sizeof *out->layers);
  out->views = calloc((size_t)n + 1, sizeof *out->views);
  out->extents = calloc((size_t)n + 1, sizeof(int64_t *));
  if (!out->layers || !out->views || !out->extents) return PyErr_NoMemory(), -1;
  out->update.layers = out->layers;
  out->update.n_layers = (uint32_t)n;
  reader r = {.state = state, .to = out, .writable = writable};
  for (; r.index < (uint32_t)n; r.index++) {
    if (read_name(&r, PyList_GetItem(names, r.index)) < 0) return -1;
    if (read_leaf(&r, PyList_GetItem(leaves, r.index)) < 0) return -1;
  }
  return 0;
}

void core_free_update(core_update *update) {
  for (uint32_t l = 0; update->extents && l < update->update.n_layers; l++) {
    if (update->views[l].obj) PyBuffer_Release(&update->views[l]);
    free(update->extents[l]);
  }
  free(update->layers);
  free(update->views);
  free(update->extents);
}
