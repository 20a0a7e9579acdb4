/* Robust aggregation of updates that Python holds. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core.h"

#define STATE_NAME "bezoar.aggregate_state"

/* ---- asking Python ----------------------------------------------------------------------------------------------- */

#define ASK_NANOSECONDS 50000000

typedef struct asker {
  PyObject *callable; /* NULL: signals only */
  int64_t last;
} asker;

static int64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Whoever gave a function is told each time. Else now and then is enough: with other threads busy in Python, each
 * turn of the GIL may take 5 ms. */
static bool ask(void *ctx, const char *stage, const char *unit, uint64_t done, uint64_t total) {
  asker *a = ctx;
  const int64_t time = now();
  if (!a->callable && time - a->last < ASK_NANOSECONDS) return true;
  a->last = time;
  return core_progress(a->callable, stage, unit, done, total);
}

/* ---- what rule, and how ------------------------------------------------------------------------------------------ */

typedef struct rule_chain {
  bez_aggregate_options options;
  const char **pre;
  bez_parameter *parameters;
  PyObject *kept;
  asker asker;
} rule_chain;

static int read_parameters(PyObject *list, rule_chain *c) {
  const Py_ssize_t n = PyList_Size(list);
  if (n < 0) return -1;
  c->parameters = calloc((size_t)n + 1, sizeof *c->parameters);
  if (!c->parameters) return PyErr_NoMemory(), -1;
  for (Py_ssize_t i = 0; i < n; i++)
    if (!PyArg_ParseTuple(PyList_GetItem(list, i), "sd", &c->parameters[i].name, &c->parameters[i].value)) return -1;
  c->options.parameters = c->parameters;
  c->options.n_parameters = (size_t)n;
  return 0;
}

static int read_integers(core_state *state, const char *name, bez_integers *out) {
  static const char *const names[] = {
      [BEZ_INTEGERS_MEDIAN] = "median", [BEZ_INTEGERS_MAXIMUM] = "maximum", [BEZ_INTEGERS_REFERENCE] = "reference"};
  for (int i = 0; i < 3; i++) {
    if (strcmp(names[i], name) != 0) continue;
    *out = (bez_integers)i;
    return 0;
  }
  return core_refuse(state, BEZ_USAGE, "integers", "\"%s\" is none of median, maximum and reference", name);
}

/* (rule, pre, f, parameters, by declared examples, max_weight, integers, seed, threads, progress); numbers were checked
 * by the caller. */
static int read_chain(core_state *state, PyObject *tuple, rule_chain *c) {
  PyObject *pre, *parameters, *progress;
  const char *integers;
  unsigned long long seed;
  unsigned f, threads;
  int declared;
  *c = (rule_chain){.kept = PyList_New(0)};
  bez_aggregate_options *o = &c->options;
  if (!c->kept) return -1;
  if (!PyArg_ParseTuple(tuple, "sOIOpdsKIO", &o->rule, &pre, &f, &parameters, &declared, &o->max_weight, &integers,
                        &seed, &threads, &progress))
    return -1;
  o->f = f;
  o->seed = seed;
  o->threads = threads;
  o->weights = declared ? BEZ_WEIGHTS_DECLARED : BEZ_WEIGHTS_UNIFORM;
  c->asker = (asker){.callable = progress == Py_None ? NULL : progress, .last = now()};
  o->progress = ask;
  o->progress_ctx = &c->asker;
  if (read_integers(state, integers, &o->integers) < 0 || read_parameters(parameters, c) < 0) return -1;
  c->pre = core_strings(pre, c->kept, &o->n_pre);
  o->pre = c->pre;
  return c->pre ? 0 : -1;
}

static void free_chain(rule_chain *c) {
  free(c->pre);
  free(c->parameters);
  Py_XDECREF(c->kept);
}

/* ---- updates in memory ------------------------------------------------------------------------------------------- */

typedef struct call {
  core_state *state;
  size_t n;
  core_update *read;   /* the updates; the reference, the server's own and the result behind them */
  bez_update *updates; /* the same as the library takes them */
  void **out;
  bez_verdict *verdicts;
  PyObject *result; /* what make_out gave */
} call;

static int read_updates(call *c, PyObject *list, PyObject *reference, PyObject *root, bez_aggregate_options *o) {
  for (size_t i = 0; i < c->n; i++) {
    if (core_read_update(c->state, PyList_GetItem(list, (Py_ssize_t)i), false, &c->read[i]) < 0) return -1;
    c->updates[i] = c->read[i].update;
  }
  if (reference != Py_None) {
    if (core_read_update(c->state, reference, false, &c->read[c->n]) < 0) return -1;
    o->reference = &c->read[c->n].update;
  }
  if (root != Py_None) {
    if (core_read_update(c->state, root, false, &c->read[c->n + 1]) < 0) return -1;
    o->root = &c->read[c->n + 1].update;
  }
  return 0;
}

/* [(type, shape)] of the layers, for Python to allocate. */
static PyObject *describe(const bez_update *layout) {
  PyObject *list = PyList_New(0);
  for (uint32_t l = 0; list && l < layout->n_layers; l++) {
    const bez_layer *layer = &layout->layers[l];
    PyObject *shape = PyTuple_New(layer->n_dims), *item = NULL;
    for (uint32_t k = 0; shape && k < layer->n_dims; k++)
      if (PyTuple_SetItem(shape, k, PyLong_FromUnsignedLongLong(layer->shape[k])) < 0) Py_CLEAR(shape);
    if (shape) item = Py_BuildValue("sO", bez_dtype_name(layer->dtype), shape);
    if (!item || PyList_Append(list, item) < 0) Py_CLEAR(list);
    Py_XDECREF(item);
    Py_XDECREF(shape);
  }
  return list;
}

static int same_layer(const bez_layer *a, const bez_layer *b) {
  return a->dtype == b->dtype && a->n_dims == b->n_dims &&
         (!a->n_dims || !memcmp(a->shape, b->shape, a->n_dims * sizeof *a->shape));
}

/* make_out(index of the update whose layers the result has, -1 for the reference; [(type, shape)]) answers like an
 * update. */
static int read_result(call *c, PyObject *make_out, const bez_aggregate_options *o) {
  const bez_update *layout;
  PyThreadState *thread = PyEval_SaveThread();
  layout = bez_aggregate_layout(c->updates, c->n, o);
  PyEval_RestoreThread(thread);
  if (!layout) return core_refuse(c->state, BEZ_USAGE, "", "no updates");
  PyObject *layers = describe(layout);
  if (!layers) return -1;
  c->result =
      PyObject_CallFunction(make_out, "nN", layout == o->reference ? (Py_ssize_t)-1 : layout - c->updates, layers);
  core_update *result = &c->read[c->n + 2];
  if (!c->result || core_read_update(c->state, c->result, true, result) < 0) return -1;
  c->out = calloc(layout->n_layers + 1u, sizeof *c->out);
  if (!c->out) return PyErr_NoMemory(), -1;
  bool fits = result->update.n_layers == layout->n_layers;
  for (uint32_t l = 0; fits && l < layout->n_layers; l++) {
    fits = same_layer(&result->layers[l], &layout->layers[l]);
    c->out[l] = (void *)(uintptr_t)result->layers[l].data;
  }
  return fits ? 0 : core_refuse(c->state, BEZ_INTERNAL, "result", "has other layers than the updates");
}

static PyObject *make_verdicts(const bez_verdict *verdicts, size_t n) {
  static const char *const names[] = {
      [BEZ_KEPT] = "kept", [BEZ_NOT_FINITE] = "not-finite", [BEZ_NOT_SELECTED] = "not-selected",
      [BEZ_FAR] = "far",   [BEZ_OPPOSED] = "opposed",       [BEZ_TOO_ALIKE] = "too-alike"};
  PyObject *list = PyList_New((Py_ssize_t)n);
  for (size_t i = 0; list && i < n; i++) {
    const bez_verdict *v = &verdicts[i];
    PyObject *item = Py_BuildValue("Ossdddd", v->kept ? Py_True : Py_False, names[v->reason],
                                   bez_verdict_reason_text(v->reason), v->weight, v->score, v->distance, v->trimmed);
    if (!item || PyList_SetItem(list, (Py_ssize_t)i, item) < 0) Py_CLEAR(list);
  }
  return list;
}

static PyObject *run(call *c, const bez_aggregate_options *o) {
  bez_error err = {0};
  PyThreadState *thread = PyEval_SaveThread();
  bez_status st = bez_aggregate(c->updates, c->n, o, c->out, c->verdicts, &err);
  PyEval_RestoreThread(thread);
  return st == BEZ_OK && !PyErr_Occurred() ? make_verdicts(c->verdicts, c->n) : core_raise(c->state, &err);
}

static bez_aggregate_state *state_of(PyObject *capsule) {
  return PyCapsule_GetPointer(capsule, STATE_NAME);
}

PyObject *core_aggregate(PyObject *module, PyObject *args) {
  PyObject *updates, *reference, *root, *make_out, *state, *tuple, *verdicts = NULL;
  call c = {.state = PyModule_GetState(module)};
  rule_chain chain;
  if (!PyArg_ParseTuple(args, "OOOOOO", &updates, &reference, &root, &make_out, &state, &tuple)) return NULL;
  const Py_ssize_t n = PyList_Size(updates);
  if (n < 0) return NULL;
  c.n = (size_t)n;
  c.read = calloc(c.n + 3, sizeof *c.read);
  c.updates = calloc(c.n + 1, sizeof *c.updates);
  c.verdicts = calloc(c.n + 1, sizeof *c.verdicts);
  if (read_chain(c.state, tuple, &chain) < 0) goto cleanup;
  if (!c.read || !c.updates || !c.verdicts) {
    PyErr_NoMemory();
    goto cleanup;
  }
  if (state != Py_None && !(chain.options.state = state_of(state))) goto cleanup;
  if (read_updates(&c, updates, reference, root, &chain.options) < 0) goto cleanup;
  if (read_result(&c, make_out, &chain.options) < 0) goto cleanup;
  verdicts = run(&c, &chain.options);
cleanup:
  for (size_t i = 0; c.read && i < c.n + 3; i++) core_free_update(&c.read[i]);
  Py_XDECREF(c.result);
  free(c.read);
  free(c.updates);
  free(c.verdicts);
  free(c.out);
  free_chain(&chain);
  return verdicts;
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

PyObject *core_aggregate_files(PyObject *module, PyObject *args) {
  core_state *state = PyModule_GetState(module);
  PyObject *list, *tuple, *result = NULL;
  bez_aggregate_files files = {0};
  const char *out, **paths = NULL;
  rule_chain chain;
  size_t n = 0;
  bez_report *report = NULL;
  bez_error err = {0};
  if (!PyArg_ParseTuple(args, "OszzzzO", &list, &out, &files.reference, &files.root, &files.state, &files.examples,
                        &tuple))
    return NULL;
  if (read_chain(state, tuple, &chain) == 0 && (paths = core_strings(list, chain.kept, &n)) != NULL) {
    PyThreadState *thread = PyEval_SaveThread();
    bez_status st = bez_aggregate_paths(paths, n, &chain.options, &files, out, &report, &err);
    PyEval_RestoreThread(thread);
    if (st == BEZ_OK && !PyErr_Occurred())
      result = core_wrap_report(state, report);
    else
      core_raise(state, &err), bez_report_destroy(report);
  }
  free(paths);
  free_chain(&chain);
  return result;
}

/* ---- memory of stateful rules ------------------------------------------------------------------------------------ */

static void destroy_state(PyObject *capsule) {
  bez_aggregate_state_destroy(PyCapsule_GetPointer(capsule, STATE_NAME));
}

PyObject *core_state_create(PyObject *module, PyObject *path) {
  bez_error err = {0};
  const char *text = path == Py_None ? NULL : PyUnicode_AsUTF8AndSize(path, NULL);
  if (path != Py_None && !text) return NULL;
  bez_aggregate_state *state = bez_aggregate_state_create();
  if (!state) return PyErr_NoMemory();
  if (text) {
    PyThreadState *thread = PyEval_SaveThread();
    bez_status st = bez_aggregate_state_load(text, state, &err);
    PyEval_RestoreThread(thread);
    if (st != BEZ_OK) {
      bez_aggregate_state_destroy(state);
      return core_raise(PyModule_GetState(module), &err);
    }
  }
  PyObject *capsule = PyCapsule_New(state, STATE_NAME, destroy_state);
  if (!capsule) bez_aggregate_state_destroy(state);
  return capsule;
}

PyObject *core_state_save(PyObject *module, PyObject *args) {
  PyObject *capsule;
  const char *path;
  bez_error err = {0};
  if (!PyArg_ParseTuple(args, "Os", &capsule, &path)) return NULL;
  const bez_aggregate_state *state = state_of(capsule);
  if (!state) return NULL;
  PyThreadState *thread = PyEval_SaveThread();
  bez_status st = bez_aggregate_state_save(path, state, &err);
  PyEval_RestoreThread(thread);
  return st == BEZ_OK ? Py_NewRef(Py_None) : core_raise(PyModule_GetState(module), &err);
}

PyObject *core_state_count(PyObject *module, PyObject *capsule) {
  const bez_aggregate_state *state = state_of(capsule);
  return state ? PyLong_FromSize_t(bez_aggregate_state_count(state)) : NULL;
}
