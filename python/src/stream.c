/* Columns of NumPy arrays (anything with the buffer protocol) as one Arrow C stream of one batch, without copying:
 * the buffers are held until the stream, or the batch taken from it, is released. */
#include "core.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bezoar/arrow.h"

#define BUFFERS 3 /* validity, values or offsets, characters */

typedef struct column {
  char *name, *format;
  Py_buffer buffer[BUFFERS];
  const void *pointer[BUFFERS];
  struct ArrowSchema schema;
  struct ArrowArray array;
} column;

typedef struct table {
  int holders; /* stream, schema, batch: guarded by the GIL */
  bool served;
  size_t n;
  int64_t rows;
  column *columns;
  struct ArrowSchema **schemas;
  struct ArrowArray **arrays;
  const void *no_buffer[1];
} table;

/* One holder less. The last one, which may run in any thread, gives the buffers back. */
static void drop(table *t) {
  PyGILState_STATE gil = PyGILState_Ensure();
  if (--t->holders == 0) {
    for (size_t i = 0; i < t->n; i++) {
      column *c = &t->columns[i];
      for (int b = 0; b < BUFFERS; b++)
        if (c->buffer[b].obj) PyBuffer_Release(&c->buffer[b]);
      free(c->name);
      free(c->format);
    }
    free(t->columns);
    free(t->schemas);
    free(t->arrays);
    free(t);
  }
  PyGILState_Release(gil);
}

static void release_schema(struct ArrowSchema *schema) {
  table *t = schema->private_data;
  schema->release = NULL;
  if (t) drop(t);
}

static void release_array(struct ArrowArray *array) {
  table *t = array->private_data;
  array->release = NULL;
  if (t) drop(t);
}

static int get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out) {
  table *t = stream->private_data;
  PyGILState_STATE gil = PyGILState_Ensure();
  t->holders++;
  PyGILState_Release(gil);
  *out = (struct ArrowSchema){.format = "+s",
                              .name = "",
                              .n_children = (int64_t)t->n,
                              .children = t->schemas,
                              .release = release_schema,
                              .private_data = t};
  return 0;
}

static int get_next(struct ArrowArrayStream *stream, struct ArrowArray *out) {
  table *t = stream->private_data;
  *out = (struct ArrowArray){0};
  if (t->served) return 0;
  t->served = true;
  PyGILState_STATE gil = PyGILState_Ensure();
  t->holders++;
  PyGILState_Release(gil);
  *out = (struct ArrowArray){.length = t->rows,
                             .n_buffers = 1,
                             .buffers = t->no_buffer,
                             .n_children = (int64_t)t->n,
                             .children = t->arrays,
                             .release = release_array,
                             .private_data = t};
  return 0;
}

static const char *get_last_error(struct ArrowArrayStream *stream) {
  return NULL;
}

static void release_stream(struct ArrowArrayStream *stream) {
  table *t = stream->private_data;
  stream->release = NULL;
  drop(t);
}

static void capsule_gone(PyObject *capsule) {
  struct ArrowArrayStream *stream = PyCapsule_GetPointer(capsule, "arrow_array_stream");
  if (stream && stream->release) stream->release(stream);
  free(stream);
}

/* Bytes that a column of this format needs in buffer b, -1 where the format is unknown. */
static int64_t bytes_needed(const char *format, int b, int64_t rows) {
  static const char sizes[] = "c1C1s2S2i4I4l8L8e2f4g8";
  if (b == 0 || strcmp(format, "b") == 0) return (rows + 7) / 8;
  if (strcmp(format, "U") == 0) return b == 1 ? (rows + 1) * 8 : 0;
  if (strncmp(format, "ts", 2) == 0 || strncmp(format, "tD", 2) == 0) return rows * 8;
  const char *hit = strlen(format) == 1 ? strchr(sizes, format[0]) : NULL;
  return hit && hit[1] >= '1' && hit[1] <= '8' ? rows * (hit[1] - '0') : -1;
}

/* The offsets of a text column must ascend within its characters. */
static bool offsets_good(const column *c, int64_t rows) {
  const int64_t *at = c->pointer[1];
  if (at[0] < 0 || at[rows] > c->buffer[2].len) return false;
  for (int64_t i = 0; i < rows; i++)
    if (at[i + 1] < at[i]) return false;
  return true;
}

/* spec: (name, format, validity or None, values, characters or None) */
static int fill_column(column *c, PyObject *spec, int64_t rows) {
  const char *name, *format;
  PyObject *part[BUFFERS];
  if (!PyArg_ParseTuple(spec, "ssOOO", &name, &format, &part[0], &part[1], &part[2])) return -1;
  c->name = strdup(name);
  c->format = strdup(format);
  if (!c->name || !c->format) return PyErr_NoMemory(), -1;
  bool text = strcmp(format, "U") == 0;
  for (int b = 0; b < BUFFERS; b++) {
    if (part[b] == Py_None) continue;
    if (PyObject_GetBuffer(part[b], &c->buffer[b], PyBUF_SIMPLE) < 0) return -1;
    c->pointer[b] = c->buffer[b].buf;
    int64_t need = bytes_needed(format, b, rows);
    if (need < 0 || c->buffer[b].len < need) {
      PyErr_Format(PyExc_ValueError, "column '%s': buffer %d is too short for %lld rows of '%s'", name, b,
                   (long long)rows, format);
      return -1;
    }
  }
  if (!c->pointer[1] || (text && (!c->pointer[2] || !offsets_good(c, rows)))) {
    PyErr_Format(PyExc_ValueError, "column '%s' lacks a buffer, or its offsets are out of order", name);
    return -1;
  }
  c->schema = (struct ArrowSchema){
      .format = c->format, .name = c->name, .flags = ARROW_FLAG_NULLABLE, .release = release_schema};
  c->array = (struct ArrowArray){.length = rows,
                                 .null_count = c->pointer[0] ? -1 : 0,
                                 .n_buffers = text ? 3 : 2,
                                 .buffers = c->pointer,
                                 .release = release_array};
  return 0;
}

static table *make_table(PyObject *specs, long long rows) {
  Py_ssize_t n = PyList_Size(specs);
  table *t = n < 0 || rows < 0 ? NULL : calloc(1, sizeof *t);
  if (!t) {
    if (!PyErr_Occurred()) PyErr_SetString(PyExc_ValueError, "a list of columns and a number of rows are expected");
    return NULL;
  }
  *t = (table){.holders = 1, .n = (size_t)n, .rows = rows};
  t->columns = calloc((size_t)n + 1, sizeof *t->columns);
  t->schemas = calloc((size_t)n + 1, sizeof(void *));
  t->arrays = calloc((size_t)n + 1, sizeof(void *));
  bool good = t->columns && t->schemas && t->arrays;
  if (!good) {
    t->n = 0;
    PyErr_NoMemory();
  }
  for (Py_ssize_t i = 0; good && i < n; i++) {
    t->schemas[i] = &t->columns[i].schema;
    t->arrays[i] = &t->columns[i].array;
    good = fill_column(&t->columns[i], PyList_GetItem(specs, i), rows) == 0;
  }
  if (good) return t;
  drop(t);
  return NULL;
}

PyObject *core_column_stream(PyObject *module, PyObject *args) {
  PyObject *specs;
  long long rows;
  if (!PyArg_ParseTuple(args, "OL", &specs, &rows)) return NULL;
  table *t = make_table(specs, rows);
  if (!t) return NULL;
  struct ArrowArrayStream *stream = calloc(1, sizeof *stream);
  if (!stream) {
    drop(t);
    return PyErr_NoMemory();
  }
  *stream = (struct ArrowArrayStream){get_schema, get_next, get_last_error, release_stream, t};
  PyObject *capsule = PyCapsule_New(stream, "arrow_array_stream", capsule_gone);
  if (!capsule) {
    release_stream(stream);
    free(stream);
  }
  return capsule;
}
