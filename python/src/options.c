/* Options: one table from keyword to field of the C structures. */
#include "core.h"

#include <stdlib.h>
#include <string.h>

typedef enum kind { TEXT, LIST, BOOL, U64, U32, NUMBER } kind;

typedef struct field {
  const char *name;
  kind kind;
  size_t at, count_at;
} field;

#define READ(member) offsetof(bez_scan_options, read.member)
#define SCAN(member) offsetof(bez_scan_options, member)

static const field fields[] = {
    {"label", TEXT, READ(label), 0},
    {"source", TEXT, READ(source), 0},
    {"id", TEXT, READ(id), 0},
    {"labels_file", TEXT, READ(labels_file), 0},
    {"text", LIST, READ(text), READ(n_text)},
    {"types", LIST, READ(types), READ(n_types)},
    {"columns", LIST, READ(columns), READ(n_columns)},
    {"exclude", LIST, READ(exclude), READ(n_exclude)},
    {"no_guess", BOOL, READ(no_guess), 0},
    {"sample", U64, READ(sample), 0},
    {"memory", U64, READ(memory), 0},
    {"seed", U64, READ(seed), 0},
    {"threads", U32, READ(threads), 0},
    {"max_download", U64, READ(max_download), 0},
    {"net_timeout", NUMBER, READ(net_timeout), 0},
    {"base", TEXT, SCAN(base), 0},
    {"bank", TEXT, SCAN(bank), 0},
    {"known", TEXT, SCAN(known), 0},
    {"sandbox_off", BOOL, SCAN(sandbox_off), 0},
    {"only", LIST, SCAN(only), SCAN(n_only)},
    {"skip", LIST, SCAN(skip), SCAN(n_skip)},
    {"max_time", NUMBER, SCAN(max_time), 0},
    {"suppressions", TEXT, SCAN(suppressions), 0},
    {"baseline", TEXT, SCAN(baseline), 0},
    {"new_only", BOOL, SCAN(new_only), 0},
    {"ruleset", U32, SCAN(ruleset), 0},
    {"cpu", U32, SCAN(cpu), 0},
    {"today", TEXT, SCAN(today), 0},
};

/* UTF-8 of a str without NULs, as long as it lives. */
static const char *text_of(PyObject *value, const char *name) {
  if (!PyUnicode_Check(value)) {
    PyErr_Format(PyExc_TypeError, "%s must be a str", name);
    return NULL;
  }
  Py_ssize_t len;
  const char *text = PyUnicode_AsUTF8AndSize(value, &len);
  if (text && strlen(text) != (size_t)len) {
    PyErr_Format(PyExc_ValueError, "%s holds a NUL", name);
    return NULL;
  }
  return text;
}

const char **core_strings(PyObject *sequence, PyObject *keep, size_t *n) {
  PyObject *list = PySequence_List(sequence);
  if (!list) return NULL;
  int failed = PyList_Append(keep, list);
  Py_DECREF(list); /* keep holds it */
  Py_ssize_t count = PyList_Size(list);
  const char **out = failed ? NULL : calloc((size_t)count + 1, sizeof *out);
  if (!out) return failed ? NULL : (PyErr_NoMemory(), NULL);
  for (Py_ssize_t i = 0; i < count; i++) {
    out[i] = text_of(PyList_GetItem(list, i), "an item");
    if (!out[i]) {
      free(out);
      return NULL;
    }
  }
  *n = (size_t)count;
  return out;
}

static int set_list(core_options *o, const field *f, PyObject *value) {
  size_t n = 0;
  const char **items = core_strings(value, o->kept, &n);
  if (!items) return -1;
  o->owned[o->n_owned++] = items;
  memcpy((char *)&o->scan + f->at, &items, sizeof items);
  memcpy((char *)&o->scan + f->count_at, &n, sizeof n);
  return 0;
}

static int set_field(core_options *o, const field *f, PyObject *value) {
  char *at = (char *)&o->scan + f->at;
  switch (f->kind) {
    case TEXT: {
      const char *text = text_of(value, f->name);
      memcpy(at, &text, sizeof text);
      return text ? 0 : -1;
    }
    case LIST: return set_list(o, f, value);
    case BOOL: {
      int yes = PyObject_IsTrue(value);
      bool flag = yes > 0;
      memcpy(at, &flag, sizeof flag);
      return yes < 0 ? -1 : 0;
    }
    case U64: {
      uint64_t number = PyLong_AsUnsignedLongLong(value);
      memcpy(at, &number, sizeof number);
      break;
    }
    case U32: {
      unsigned long long wide = PyLong_AsUnsignedLongLong(value);
      uint32_t number = (uint32_t)wide;
      if (!PyErr_Occurred() && wide > UINT32_MAX) PyErr_Format(PyExc_OverflowError, "%s is too large", f->name);
      memcpy(at, &number, sizeof number);
      break;
    }
    case NUMBER: {
      double number = PyFloat_AsDouble(value);
      memcpy(at, &number, sizeof number);
      break;
    }
  }
  return PyErr_Occurred() ? -1 : 0;
}

int core_parse_options(PyObject *dict, core_options *out) {
  *out = (core_options){.kept = PyList_New(0)};
  Py_ssize_t at = 0;
  PyObject *key, *value;
  if (!out->kept) return -1;
  while (PyDict_Next(dict, &at, &key, &value)) {
    const char *name = text_of(key, "an option's name");
    size_t i = 0, n = sizeof fields / sizeof *fields;
    if (!name) return -1;
    if (value == Py_None) continue;
    if (strcmp(name, "progress") == 0) {
      out->progress = value;
      continue;
    }
    while (i < n && strcmp(fields[i].name, name) != 0) i++;
    if (i == n) {
      PyErr_Format(PyExc_TypeError, "unknown option '%s'", name);
      return -1;
    }
    if (set_field(out, &fields[i], value) < 0) return -1;
    if (strcmp(name, "cpu") == 0) out->scan.cpu_given = true;
  }
  return 0;
}

void core_free_options(core_options *options) {
  for (size_t i = 0; i < options->n_owned; i++) free(options->owned[i]);
  Py_XDECREF(options->kept);
}
