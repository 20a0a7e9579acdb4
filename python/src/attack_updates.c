/* What attackers on updates would send: a matrix of doubles in, another one filled. */
#include <stdlib.h>

#include "bezoar/attack.h"
#include "core.h"

static bool buffer_fits(const Py_buffer *x, unsigned long long rows, unsigned long long cols) {
  return (cols == 0 || rows <= (unsigned long long)PY_SSIZE_T_MAX / 8 / cols) &&
         x->len == (Py_ssize_t)(rows * cols * 8);
}

/* attack_updates(honest, out, n, d, n_malicious, attack, params, seed): honest (n, d) and out (n_malicious, d) are
 * contiguous buffers of doubles. */
PyObject *core_attack_updates(PyObject *module, PyObject *args) {
  PyObject *in, *to, *params, *kept = NULL, *result = NULL;
  Py_buffer honest = {0}, out = {0};
  unsigned long long n, d, n_malicious, seed;
  const char **strings = NULL;
  bez_update_attack_options options = {0};
  bez_error err = {0};
  if (!PyArg_ParseTuple(args, "OOKKKsOK", &in, &to, &n, &d, &n_malicious, &options.attack, &params, &seed)) return NULL;
  options.n_malicious = (size_t)n_malicious;
  options.seed = seed;
  if (PyObject_GetBuffer(in, &honest, PyBUF_SIMPLE) < 0) return NULL;
  if (PyObject_GetBuffer(to, &out, PyBUF_WRITABLE) < 0) goto cleanup;
  if (!buffer_fits(&honest, n, d) || !buffer_fits(&out, n_malicious, d)) {
    PyErr_SetString(PyExc_ValueError, "the buffers are not (rows, columns) of doubles");
    goto cleanup;
  }
  if (!(kept = PyList_New(0)) || !(strings = core_strings(params, kept, &options.n_params))) goto cleanup;
  options.params = strings;
  bez_status st;
  Py_BEGIN_ALLOW_THREADS st = bez_attack_updates(honest.buf, (size_t)n, (size_t)d, &options, out.buf, &err);
  Py_END_ALLOW_THREADS result = st == BEZ_OK ? Py_NewRef(Py_None) : core_raise(PyModule_GetState(module), &err);
cleanup:
  free(strings);
  Py_XDECREF(kept);
  PyBuffer_Release(&honest);
  if (out.obj) PyBuffer_Release(&out);
  return result;
}
