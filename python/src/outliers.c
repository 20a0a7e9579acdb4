/* Outlier scores of a matrix: two buffers in, one of them filled. */
#include "core.h"

#include "bezoar/detect.h"

static bool buffers_fit(const Py_buffer *x, const Py_buffer *score, unsigned long long rows, unsigned cols) {
  return cols > 0 && rows <= (unsigned long long)PY_SSIZE_T_MAX / 8 / cols && x->len == (Py_ssize_t)(rows * cols * 8) &&
         score->len == (Py_ssize_t)(rows * 8);
}

/* outliers(x, score, rows, columns, method, seed, threads, trees, sample, support): x and score are contiguous buffers
 * of doubles. */
PyObject *core_outliers(PyObject *module, PyObject *args) {
  PyObject *in, *out, *result = NULL;
  Py_buffer x = {0}, score = {0};
  const char *name;
  unsigned long long rows, seed;
  unsigned cols, threads, trees, sample;
  bez_outlier_options options = {.progress = core_progress};
  bez_outlier_method method;
  bez_error err = {0};
  if (!PyArg_ParseTuple(args, "OOKIsKIIId", &in, &out, &rows, &cols, &name, &seed, &threads, &trees, &sample,
                        &options.support))
    return NULL;
  options.seed = seed;
  options.threads = threads;
  options.trees = trees;
  options.sample = sample;
  if (!bez_outlier_method_parse(name, &method)) return PyErr_Format(PyExc_ValueError, "no such method: '%s'", name);
  if (PyObject_GetBuffer(in, &x, PyBUF_SIMPLE) < 0) return NULL;
  if (PyObject_GetBuffer(out, &score, PyBUF_WRITABLE) < 0) goto cleanup;
  if (!buffers_fit(&x, &score, rows, cols)) {
    PyErr_SetString(PyExc_ValueError, "the buffers have other sizes");
    goto cleanup;
  }
  bez_status st;
  Py_BEGIN_ALLOW_THREADS st = bez_outlier_scores(x.buf, rows, cols, method, &options, score.buf, &err);
  Py_END_ALLOW_THREADS result =
      st == BEZ_OK && !PyErr_Occurred() ? Py_NewRef(Py_None) : core_raise(PyModule_GetState(module), &err);
cleanup:
  PyBuffer_Release(&x);
  if (score.obj) PyBuffer_Release(&score);
  return result;
}
