/* bezoar._core.Report: the finished report. Immutable, so that threads may share it. */
#include "core.h"

#include <math.h>
#include <string.h>

#include "bezoar/report.h"

typedef struct report_object {
  PyObject_HEAD bez_report *report;
} report_object;

PyObject *core_wrap_report(core_state *state, bez_report *report) {
  report_object *self = PyObject_New(report_object, state->report_type);
  if (!self) {
    bez_report_destroy(report);
    return NULL;
  }
  self->report = report;
  return (PyObject *)self;
}

const bez_report *core_report_of(core_state *state, PyObject *object) {
  if (Py_TYPE(object) == state->report_type) return ((report_object *)object)->report;
  PyErr_SetString(PyExc_TypeError, "a report is expected");
  return NULL;
}

static void report_dealloc(PyObject *self) {
  PyTypeObject *type = Py_TYPE(self);
  bez_report_destroy(((report_object *)self)->report);
  PyObject_Free(self);
  Py_DECREF(type);
}

static const bez_report *report_of(PyObject *self) {
  return ((report_object *)self)->report;
}

static int parse_severity(PyObject *value, bez_severity *out) {
  PyObject *bytes = PyUnicode_Check(value) ? PyUnicode_AsUTF8String(value) : NULL;
  bool good = bytes && bez_severity_parse(PyBytes_AsString(bytes), out);
  Py_XDECREF(bytes);
  if (good) return 0;
  if (!PyErr_Occurred()) PyErr_Format(PyExc_ValueError, "not a severity: %R", value);
  return -1;
}

static PyObject *report_count(PyObject *self, PyObject *severity) {
  bez_severity least;
  if (parse_severity(severity, &least) < 0) return NULL;
  return PyLong_FromSize_t(bez_report_count(report_of(self), least));
}

static PyObject *report_exit_code(PyObject *self, PyObject *severity) {
  bez_severity least;
  if (parse_severity(severity, &least) < 0) return NULL;
  return PyLong_FromLong(bez_report_exit_code(report_of(self), least));
}

static PyObject *report_unexamined(PyObject *self, PyObject *ignored) {
  return PyLong_FromSize_t(bez_report_unexamined(report_of(self)));
}

/* Text of the data may hold any byte. */
static PyObject *text_or_none(const char *text) {
  return text ? PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace") : Py_NewRef(Py_None);
}

static PyObject *number_or_none(double value) {
  return isnan(value) ? Py_NewRef(Py_None) : PyFloat_FromDouble(value);
}

static PyObject *report_findings(PyObject *self, PyObject *ignored) {
  const bez_report *report = report_of(self);
  PyObject *list = PyList_New(0);
  for (size_t i = 0; list && i < bez_report_finding_count(report); i++) {
    bez_finding_view f = bez_report_finding(report, i);
    PyObject *item = Py_BuildValue("{sN ss sN sN sN sN sN sN sN sK sI sO sO}", "rule", text_or_none(f.rule), "severity",
                                   bez_severity_text(f.severity), "title", text_or_none(f.title), "target",
                                   text_or_none(f.target), "fingerprint", text_or_none(f.fingerprint), "remedy",
                                   text_or_none(f.remedy), "score", number_or_none(f.score), "p_value",
                                   number_or_none(f.p_value), "q_value", number_or_none(f.q_value), "n_rows",
                                   (unsigned long long)f.n_rows, "incident", (unsigned)f.incident, "suppressed",
                                   f.suppressed ? Py_True : Py_False, "is_new", f.is_new ? Py_True : Py_False);
    int failed = item ? PyList_Append(list, item) : -1;
    Py_XDECREF(item);
    if (failed) Py_CLEAR(list);
  }
  return list;
}

/* One tuple per listed row, in the order of the report's CSV. */
static PyObject *report_rows(PyObject *self, PyObject *ignored) {
  const bez_report *report = report_of(self);
  uint64_t n = bez_report_row_count(report);
  PyObject *list = PyList_New(0);
  for (uint64_t i = 0; list && i < n; i++) {
    bez_row_view r = bez_report_row(report, i);
    PyObject *item = Py_BuildValue("(K N s d d N N I N)", (unsigned long long)r.row, text_or_none(r.rule),
                                   bez_severity_text(r.severity), r.score, r.q, text_or_none(r.label),
                                   text_or_none(r.suggested_label), (unsigned)r.incident, text_or_none(r.file));
    int failed = item ? PyList_Append(list, item) : -1;
    Py_XDECREF(item);
    if (failed) Py_CLEAR(list);
  }
  return list;
}

static PyObject *report_render(PyObject *self, PyObject *args, PyObject *kwargs) {
  static char *names[] = {"format", "redact", "color", "ascii", "width", "without_run", NULL};
  const char *format;
  int redact = 0, color = 0, ascii = 0, without_run = 0;
  unsigned width = 0;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "s|pppIp", names, &format, &redact, &color, &ascii, &width,
                                   &without_run))
    return NULL;
  bez_write_options options = {
      .redact = redact, .color = color, .ascii = ascii, .width = width, .without_run = without_run};
  bez_error err = {0};
  char *bytes = NULL;
  size_t len = 0;
  bez_status st;
  Py_BEGIN_ALLOW_THREADS st = bez_report_render(report_of(self), format, &options, &bytes, &len, &err);
  Py_END_ALLOW_THREADS if (st != BEZ_OK) return core_raise(PyType_GetModuleState(Py_TYPE(self)), &err);
  PyObject *out = PyBytes_FromStringAndSize(bytes, (Py_ssize_t)len);
  bez_free(bytes);
  return out;
}

static PyMethodDef methods[] = {
    {"count", report_count, METH_O, "count(severity): unsuppressed findings at or above a severity"},
    {"exit_code", report_exit_code, METH_O, "exit_code(fail_on): what the command would return"},
    {"unexamined", report_unexamined, METH_NOARGS, "requested inputs or checks that could not be examined"},
    {"findings", report_findings, METH_NOARGS, "a list of dictionaries, most severe first"},
    {"rows", report_rows, METH_NOARGS, "a list of tuples, one per listed row"},
    {"render", (PyCFunction)(void (*)(void))report_render, METH_VARARGS | METH_KEYWORDS, "render(format, ...): bytes"},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_dealloc, report_dealloc},
    {Py_tp_methods, methods},
    {Py_tp_doc, "A finished report; made by scan and load."},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "bezoar._core.Report",
    .basicsize = sizeof(report_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = slots,
};

int core_add_report(PyObject *module, core_state *state) {
  state->report_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &spec, NULL);
  if (!state->report_type) return -1;
  return PyModule_AddObjectRef(module, "Report", (PyObject *)state->report_type);
}
