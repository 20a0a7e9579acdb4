/* One exception class per status, all below bezoar.Error. */
#include "core.h"

#include <stdarg.h>
#include <string.h>

static const struct {
  const char *name, *doc;
} classes[N_STATUS] = {
    [BEZ_OK] = {"Error",
                "Anything Bezoar could not do. Attributes: code, subject, line and offset (None where unknown)."},
    [BEZ_USAGE] = {"UsageError", "The arguments are wrong."},
    [BEZ_IO] = {"FileError", "The operating system refused a read or a write."},
    [BEZ_FORMAT] = {"FormatError", "The input is malformed; line and offset say where."},
    [BEZ_LIMIT] = {"LimitError", "A stated ceiling would be passed."},
    [BEZ_MEMORY] = {"OutOfMemoryError", "An allocation failed."},
    [BEZ_UNSUPPORTED] = {"UnsupportedError", "Well formed, but nothing here can examine it."},
    [BEZ_CANCELLED] = {"CancelledError", "The caller asked to stop."},
    [BEZ_INTERNAL] = {"InternalError", "A bug in Bezoar."},
};

/* Also what Python programs catch already: ValueError, OSError, MemoryError. */
static PyObject *second_base(int status) {
  switch (status) {
    case BEZ_USAGE:
    case BEZ_FORMAT: return PyExc_ValueError;
    case BEZ_IO: return PyExc_OSError;
    case BEZ_MEMORY: return PyExc_MemoryError;
    default: return NULL;
  }
}

int core_add_errors(PyObject *module, core_state *state) {
  for (int i = 0; i < N_STATUS; i++) {
    char full[64];
    PyOS_snprintf(full, sizeof full, "bezoar.%s", classes[i].name);
    PyObject *bases = NULL, *also = second_base(i);
    if (i > 0) bases = also ? PyTuple_Pack(2, state->error[0], also) : PyTuple_Pack(1, state->error[0]);
    if (i > 0 && !bases) return -1;
    state->error[i] = PyErr_NewExceptionWithDoc(full, classes[i].doc, bases, NULL);
    Py_XDECREF(bases);
    if (!state->error[i] || PyModule_AddObjectRef(module, classes[i].name, state->error[i]) < 0) return -1;
  }
  return 0;
}

static PyObject *whole_message(const bez_error *err) {
  PyObject *subject = PyUnicode_DecodeUTF8(err->subject, (Py_ssize_t)strlen(err->subject), "replace");
  PyObject *message = PyUnicode_DecodeUTF8(err->message, (Py_ssize_t)strlen(err->message), "replace"), *out = NULL;
  const char *kind = err->message[0] ? "" : bez_status_text(err->code);
  if (!subject || !message) {
  } else if (!err->subject[0]) {
    out = PyUnicode_FromFormat("%U%s", message, kind);
  } else if (err->line > 0) {
    out = PyUnicode_FromFormat("%U:%lld: %U%s", subject, (long long)err->line, message, kind);
  } else {
    out = PyUnicode_FromFormat("%U: %U%s", subject, message, kind);
  }
  Py_XDECREF(subject);
  Py_XDECREF(message);
  return out;
}

static int set_new(PyObject *object, const char *name, PyObject *value) {
  int failed = value ? PyObject_SetAttrString(object, name, value) : -1;
  Py_XDECREF(value);
  return failed;
}

static PyObject *number_or_none(int64_t value, int64_t least) {
  return value >= least ? PyLong_FromLongLong(value) : Py_NewRef(Py_None);
}

PyObject *core_raise(core_state *state, const bez_error *err) {
  if (PyErr_Occurred()) return NULL;
  int code = err->code > BEZ_OK && err->code < N_STATUS ? (int)err->code : BEZ_INTERNAL;
  PyObject *message = whole_message(err);
  PyObject *value = message ? PyObject_CallFunctionObjArgs(state->error[code], message, NULL) : NULL;
  Py_XDECREF(message);
  if (!value) return NULL;
  const char *status = bez_status_text((bez_status)code), *subject = err->subject;
  if (set_new(value, "code", PyUnicode_FromString(status)) == 0 &&
      set_new(value, "subject", PyUnicode_DecodeUTF8(subject, (Py_ssize_t)strlen(subject), "replace")) == 0 &&
      set_new(value, "line", number_or_none(err->line, 1)) == 0 &&
      set_new(value, "offset", number_or_none(err->line > 0 || err->offset > 0 ? err->offset : -1, 0)) == 0)
    PyErr_SetObject(state->error[code], value);
  Py_DECREF(value);
  return NULL;
}

int core_refuse(core_state *state, bez_status code, const char *subject, const char *format, ...) {
  bez_error err = {.code = code, .line = -1, .offset = -1};
  va_list args;
  va_start(args, format);
  PyOS_vsnprintf(err.message, sizeof err.message, format, args);
  va_end(args);
  PyOS_snprintf(err.subject, sizeof err.subject, "%s", subject);
  core_raise(state, &err);
  return -1;
}

PyObject *core_fail(PyObject *module, PyObject *args) {
  core_state *state = PyModule_GetState(module);
  PyObject *kind;
  const char *subject, *message;
  if (!PyArg_ParseTuple(args, "Oss", &kind, &subject, &message)) return NULL;
  int code = BEZ_USAGE;
  while (code < N_STATUS && state->error[code] != kind) code++;
  core_refuse(state, (bez_status)code, subject, "%s", message);
  return NULL;
}
