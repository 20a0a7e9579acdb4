/* The module: scanning, cleaning, poisoning, loading. The GIL is released while the library works; progress and
 * Ctrl-C come back through one callback. */
#include "core.h"

#include <stdlib.h>
#include <string.h>

#include "bezoar/arrow.h"
#include "bezoar/attack.h"

bool core_progress(void *ctx, const char *stage, const char *unit, uint64_t done, uint64_t total) {
  PyObject *callable = ctx;
  PyGILState_STATE gil = PyGILState_Ensure();
  bool go_on = !PyErr_Occurred() && PyErr_CheckSignals() == 0;
  if (go_on && callable) {
    PyObject *answer =
        PyObject_CallFunction(callable, "ssKK", stage, unit, (unsigned long long)done, (unsigned long long)total);
    go_on = answer && answer != Py_False;
    Py_XDECREF(answer);
  }
  PyGILState_Release(gil);
  return go_on;
}

static bez_status scan_stream(PyObject *capsule, const char *name, const core_options *o, bez_report **report,
                              bez_error *err) {
  struct ArrowArrayStream *stream = PyCapsule_GetPointer(capsule, "arrow_array_stream");
  bez_table *table = NULL;
  if (!stream) return BEZ_USAGE;
  bez_status st;
  Py_BEGIN_ALLOW_THREADS st = bez_table_from_arrow(stream, name, &o->scan.read, &table, err);
  if (st == BEZ_OK) st = bez_scan_table(table, &o->scan, report, err);
  bez_table_destroy(table);
  Py_END_ALLOW_THREADS return st;
}

static bez_status scan_paths(PyObject *paths, const core_options *o, bez_report **report, bez_error *err) {
  size_t n = 0;
  const char **items = core_strings(paths, o->kept, &n);
  if (!items) return BEZ_USAGE;
  bez_status st;
  Py_BEGIN_ALLOW_THREADS st = bez_scan_paths(items, n, &o->scan, report, err);
  Py_END_ALLOW_THREADS free(items);
  return st;
}

static PyObject *core_scan(PyObject *module, PyObject *args) {
  PyObject *source, *dict, *out = NULL;
  const char *name;
  core_options options;
  bez_report *report = NULL;
  bez_error err = {0};
  if (!PyArg_ParseTuple(args, "OsO", &source, &name, &dict)) return NULL;
  if (!PyDict_Check(dict)) return PyErr_SetString(PyExc_TypeError, "options must be a dict"), NULL;
  if (core_parse_options(dict, &options) == 0) {
    options.scan.read.progress = core_progress;
    options.scan.read.progress_ctx = options.progress;
    bez_status st = PyCapsule_IsValid(source, "arrow_array_stream") ? scan_stream(source, name, &options, &report, &err)
                                                                    : scan_paths(source, &options, &report, &err);
    if (st == BEZ_OK && !PyErr_Occurred())
      out = core_wrap_report(PyModule_GetState(module), report);
    else
      core_raise(PyModule_GetState(module), &err), bez_report_destroy(report);
  }
  core_free_options(&options);
  return out;
}

static PyObject *core_load(PyObject *module, PyObject *args) {
  const char *path;
  bez_report *report = NULL;
  bez_error err = {0};
  bez_status st;
  if (!PyArg_ParseTuple(args, "s", &path)) return NULL;
  Py_BEGIN_ALLOW_THREADS st = bez_report_load(path, &report, &err);
  Py_END_ALLOW_THREADS core_state *state = PyModule_GetState(module);
  return st == BEZ_OK ? core_wrap_report(state, report) : core_raise(state, &err);
}

/* clean(path, report, at_least, with_lists, out, quarantine, labels_file, labels_out, embeddings, embeddings_out) */
static PyObject *core_clean(PyObject *module, PyObject *args) {
  core_state *state = PyModule_GetState(module);
  const char *path, *at_least, *out, *quarantine;
  PyObject *object;
  bez_clean_options options = bez_clean_defaults();
  bez_clean_result result = {0};
  bez_error err = {0};
  int with_lists;
  if (!PyArg_ParseTuple(args, "sOspszzzzz", &path, &object, &at_least, &with_lists, &out, &quarantine,
                        &options.labels_file, &options.labels_out, &options.embeddings, &options.embeddings_out))
    return NULL;
  const bez_report *report = core_report_of(state, object);
  if (!report) return NULL;
  if (!bez_severity_parse(at_least, &options.at_least))
    return PyErr_Format(PyExc_ValueError, "not a severity: '%s'", at_least);
  options.with_lists = with_lists;
  bez_status st;
  Py_BEGIN_ALLOW_THREADS st = bez_clean(path, report, &options, out, quarantine, &result, &err);
  Py_END_ALLOW_THREADS if (st != BEZ_OK) return core_raise(state, &err);
  return Py_BuildValue("(KKK)", (unsigned long long)result.n_rows, (unsigned long long)result.n_kept,
                       (unsigned long long)result.n_quarantined);
}

/* poison(path, attack, target, source_class, rows, share, params, options, out, labels_out, key) */
static PyObject *core_poison(PyObject *module, PyObject *args) {
  const char *path, *out_path, *key_path;
  PyObject *params, *dict, *result = NULL;
  core_options options;
  bez_poison_options attack = {0};
  unsigned long long rows;
  bez_error err = {0};
  bez_status st;
  if (!PyArg_ParseTuple(args, "sszzKdOOszz", &path, &attack.attack, &attack.target, &attack.source_class, &rows,
                        &attack.share, &params, &dict, &out_path, &attack.labels_out, &key_path))
    return NULL;
  if (!PyDict_Check(dict)) return PyErr_SetString(PyExc_TypeError, "options must be a dict"), NULL;
  const char **strings = NULL;
  if (core_parse_options(dict, &options) == 0 &&
      (strings = core_strings(params, options.kept, &attack.n_params)) != NULL) {
    attack.rows = rows;
    attack.params = strings;
    attack.read = options.scan.read;
    Py_BEGIN_ALLOW_THREADS st = bez_poison(path, &attack, out_path, key_path, &err);
    Py_END_ALLOW_THREADS result = st == BEZ_OK ? Py_NewRef(Py_None) : core_raise(PyModule_GetState(module), &err);
  }
  free(strings);
  core_free_options(&options);
  return result;
}

static PyMethodDef functions[] = {
    {"scan", core_scan, METH_VARARGS, "scan(paths or Arrow stream capsule, name, options): Report"},
    {"load", core_load, METH_VARARGS, "load(path): Report"},
    {"clean", core_clean, METH_VARARGS,
     "clean(path, report, at_least, with_lists, out, quarantine, labels and embeddings in and out)"},
    {"poison", core_poison, METH_VARARGS,
     "poison(path, attack, target, source_class, rows, share, params, options, out, labels_out, key)"},
    {"outliers", core_outliers, METH_VARARGS,
     "outliers(x, score, rows, columns, method, seed, threads, trees, sample, support)"},
    {"column_stream", core_column_stream, METH_VARARGS, "column_stream(columns, rows): Arrow stream capsule"},
    {"aggregate", core_aggregate, METH_VARARGS,
     "aggregate(updates, reference, root, make_out, state, chain): verdicts"},
    {"aggregate_files", core_aggregate_files, METH_VARARGS,
     "aggregate_files(paths, out, reference, root, state, examples, chain): Report"},
    {"state_create", core_state_create, METH_O, "state_create(path or None): memory of stateful rules, as a capsule"},
    {"state_save", core_state_save, METH_VARARGS, "state_save(state, path)"},
    {"state_count", core_state_count, METH_O, "state_count(state): vectors that are remembered"},
    {"attack_updates", core_attack_updates, METH_VARARGS,
     "attack_updates(honest, out, n, d, n_malicious, attack, params, seed)"},
    {"fail", core_fail, METH_VARARGS, "fail(class, subject, message): raises"},
    {"aggregators", core_aggregators, METH_NOARGS, "the catalogue of aggregation rules"},
    {"detectors", core_detectors, METH_NOARGS, "the catalogue of detectors"},
    {"attacks", core_attacks, METH_NOARGS, "the catalogue of attacks"},
    {"formats", core_formats, METH_NOARGS, "the catalogue of input formats"},
    {"writers", core_writers, METH_NOARGS, "the catalogue of report formats"},
    {"severities", core_severities, METH_NOARGS, "the severities, ascending"},
    {NULL, NULL, 0, NULL},
};

static int core_exec(PyObject *module) {
  core_state *state = PyModule_GetState(module);
  if (core_add_errors(module, state) < 0 || core_add_report(module, state) < 0) return -1;
  return PyModule_AddStringConstant(module, "version", bez_version());
}

static int core_traverse(PyObject *module, visitproc visit, void *arg) {
  core_state *state = PyModule_GetState(module);
  for (int i = 0; i < N_STATUS; i++) Py_VISIT(state->error[i]);
  Py_VISIT(state->report_type);
  return 0;
}

static int core_clear(PyObject *module) {
  core_state *state = PyModule_GetState(module);
  for (int i = 0; i < N_STATUS; i++) Py_CLEAR(state->error[i]);
  Py_CLEAR(state->report_type);
  return 0;
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, core_exec}, {0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, .m_name = "bezoar._core",    .m_size = sizeof(core_state), .m_methods = functions,
    .m_slots = slots,      .m_traverse = core_traverse, .m_clear = core_clear,
};

PyMODINIT_FUNC PyInit__core(void);
PyMODINIT_FUNC PyInit__core(void) {
  return PyModuleDef_Init(&definition);
}
