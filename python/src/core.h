/* The extension module bezoar._core: a thin layer over include/bezoar/, limited API 3.11 (one binary for every later
 * CPython). No mutable globals: exception and report types live in the module's state. */
#ifndef BEZOAR_PYTHON_CORE_H
#define BEZOAR_PYTHON_CORE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

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

/* ---- catalog.c ---- */
PyObject *core_detectors(PyObject *module, PyObject *ignored);
PyObject *core_attacks(PyObject *module, PyObject *ignored);
PyObject *core_formats(PyObject *module, PyObject *ignored);
PyObject *core_writers(PyObject *module, PyObject *ignored);
PyObject *core_severities(PyObject *module, PyObject *ignored);

#endif
