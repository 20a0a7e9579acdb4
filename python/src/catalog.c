/* The catalogues of the library as lists of dictionaries: written once, in the C tables. */
#include "core.h"

#include "bezoar/aggregate.h"
#include "bezoar/attack.h"
#include "bezoar/detect.h"
#include "bezoar/report.h"

/* Appends and gives up the item. */
static int append_new(PyObject *list, PyObject *item) {
  int failed = item ? PyList_Append(list, item) : -1;
  Py_XDECREF(item);
  return failed;
}

static PyObject *flag(bool yes) {
  return yes ? Py_True : Py_False;
}

PyObject *core_detectors(PyObject *module, PyObject *ignored) {
  PyObject *list = PyList_New(0);
  for (size_t i = 0; list && i < bez_detector_count(); i++) {
    bez_detector_info d = bez_detector_get(i);
    PyObject *item = Py_BuildValue(
        "{ss ss ss ss ss ss ss ss ss ss sO sO sO sO sO sO sO sO sO}", "id", d.id, "name", d.name, "title", d.title,
        "summary", d.summary, "remedy", d.remedy, "taxonomy", d.taxonomy, "null_hypothesis", d.null_hypothesis,
        "calibration", d.calibration, "cost", d.cost, "reference", d.source, "needs_label", flag(d.needs_label),
        "needs_text", flag(d.needs_text), "needs_source", flag(d.needs_source), "needs_cells", flag(d.needs_cells),
        "needs_numbers", flag(d.needs_numbers), "needs_images", flag(d.needs_images), "needs_vectors",
        flag(d.needs_vectors), "needs_golden", flag(d.needs_golden), "needs_reference", flag(d.needs_reference));
    if (append_new(list, item) < 0) Py_CLEAR(list);
  }
  return list;
}

PyObject *core_attacks(PyObject *module, PyObject *ignored) {
  PyObject *list = PyList_New(0);
  for (size_t i = 0; list && i < bez_attack_count(); i++) {
    bez_attack_info a = bez_attack_get(i);
    PyObject *item =
        Py_BuildValue("{ss ss ss ss ss ss sO}", "name", a.name, "title", a.title, "summary", a.summary, "kind", a.kind,
                      "parameters", a.parameters, "reference", a.source, "clean_label", flag(a.clean_label));
    if (append_new(list, item) < 0) Py_CLEAR(list);
  }
  return list;
}

PyObject *core_aggregators(PyObject *module, PyObject *ignored) {
  PyObject *list = PyList_New(0);
  for (size_t i = 0; list && i < bez_aggregator_count(); i++) {
    bez_aggregator_info a = bez_aggregator_get(i);
    PyObject *item =
        Py_BuildValue("{ss ss ss ss ss ss ss ss sO sO sO}", "name", a.name, "title", a.title, "summary", a.summary,
                      "parameters", a.parameters, "tolerance", a.tolerance, "cost", a.cost, "score", a.score, "source",
                      a.source, "pre", flag(a.pre), "stateful", flag(a.stateful), "weighted", flag(a.weighted));
    if (append_new(list, item) < 0) Py_CLEAR(list);
  }
  return list;
}

static PyObject *four(const char *name, const char *title, const char *extensions, const char *summary) {
  return Py_BuildValue("{ss ss ss ss}", "name", name, "title", title, "extensions", extensions, "summary", summary);
}

PyObject *core_formats(PyObject *module, PyObject *ignored) {
  PyObject *list = PyList_New(0);
  for (size_t i = 0; list && i < bez_format_count(); i++) {
    bez_format_info f = bez_format_get(i);
    if (append_new(list, four(f.name, f.title, f.extensions, f.summary)) < 0) Py_CLEAR(list);
  }
  return list;
}

PyObject *core_writers(PyObject *module, PyObject *ignored) {
  PyObject *list = PyList_New(0);
  for (size_t i = 0; list && i < bez_writer_count(); i++) {
    bez_writer_info w = bez_writer_get(i);
    if (append_new(list, four(w.name, w.title, w.extensions, w.summary)) < 0) Py_CLEAR(list);
  }
  return list;
}

/* In ascending order; "never" closes the list. */
PyObject *core_severities(PyObject *module, PyObject *ignored) {
  PyObject *list = PyList_New(0);
  for (int i = BEZ_SEV_NOTE; list && i <= BEZ_SEV_NEVER; i++)
    if (append_new(list, PyUnicode_FromString(bez_severity_text((bez_severity)i))) < 0) Py_CLEAR(list);
  return list;
}
