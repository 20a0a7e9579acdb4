/* The extension module bezoar._core: a thin layer over include/bezoar/, limited API 3.11 (one binary for every later
 * CPython). No mutable globals: exception and report types live in the module's state. */
#ifndef BEZOAR_PYTHON_CORE_H
#define BEZOAR_PYTHON_CORE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "bezoar/aggregate.h"
#include "bezoar/scan.h"

#define N_STATUS (BEZ_INTERNAL + 1)

typedef struct core_state {
  PyObject *error[N_STATUS]; /* by bez_status; [0] is the base class */
  PyTypeObject *report_type;
} core_state;

/* ---- errors.c ---- */
int core_add_errors(PyObject *module, core_state *state);
/* Raises the exception of *err; always NULL. A Python exception that is already set (from a callback) wins. */
PyObject *core_raise(core_state *state, const bez_error *err);
/* The same with a message made here; always -1. */
int core_refuse(core_state *state, bez_status code, const char *subject, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* fail(class, subject, message): raises what C would raise. */
PyObject *core_fail(PyObject *module, PyObject *args);

/* ---- core.c ---- */

/* A bez_progress_fn: asks Python now and then, signals first, then the callable ctx (NULL: none). Called without the
 * GIL. */
bool core_progress(void *ctx, const char *stage, const char *unit, uint64_t done, uint64_t total);

/* ---- options.c ---- */

/* Options parsed from a dict of Python values; strings are borrowed from it, lists are owned. */
typedef struct core_options {
  bez_scan_options scan;
  PyObject *progress; /* borrowed callable, or NULL */
  void *owned[8];
  size_t n_owned;
  PyObject *kept; /* list of what strings are borrowed from */
} core_options;
int core_parse_options(PyObject *dict, core_options *out); /* 0, or -1 with an exception set */
void core_free_options(core_options *options);
/* A sequence of str as an array of UTF-8 strings borrowed from `keep` (a list that takes references). */
const char **core_strings(PyObject *sequence, PyObject *keep, size_t *n);

/* ---- report.c ---- */
int core_add_report(PyObject *module, core_state *state);
/* Takes the report over, also on failure. */
PyObject *core_wrap_report(core_state *state, bez_report *report);
const bez_report *core_report_of(core_state *state, PyObject *object); /* NULL with TypeError */

/* ---- stream.c ---- */
PyObject *core_column_stream(PyObject *module, PyObject *args);

/* ---- outliers.c ---- */
PyObject *core_outliers(PyObject *module, PyObject *args);

/* ---- leaves.c ---- */

/* An update as Python holds it: buffers and DLPack tensors, borrowed as they lie. */
typedef struct core_update {
  bez_update update;
  bez_layer *layers;
  Py_buffer *views;  /* of each layer; .obj NULL where there is none to release */
  int64_t **extents; /* of each layer: its shape, then its strides */
} core_update;

/* From (client, examples, names, leaves): a str, a number and two lists of one length, which must outlive it. A leaf is
 * an object with a buffer, a DLPack capsule, or a pair of these and the type its items are to be taken for ("BOOL").
 * 0, or -1 with an exception that names the client and the layer; core_free_update either way. */
int core_read_update(core_state *state, PyObject *tuple, bool writable, core_update *out);
void core_free_update(core_update *update);

/* ---- aggregate.c ---- */
PyObject *core_aggregate(PyObject *module, PyObject *args);
PyObject *core_aggregate_files(PyObject *module, PyObject *args);
PyObject *core_state_create(PyObject *module, PyObject *path);
PyObject *core_state_save(PyObject *module, PyObject *args);
PyObject *core_state_count(PyObject *module, PyObject *state);

/* ---- attack_updates.c ---- */
PyObject *core_attack_updates(PyObject *module, PyObject *args);

/* ---- catalog.c ---- */
PyObject *core_aggregators(PyObject *module, PyObject *ignored);
PyObject *core_detectors(PyObject *module, PyObject *ignored);
PyObject *core_attacks(PyObject *module, PyObject *ignored);
PyObject *core_formats(PyObject *module, PyObject *ignored);
PyObject *core_writers(PyObject *module, PyObject *ignored);
PyObject *core_severities(PyObject *module, PyObject *ignored);

#endif
