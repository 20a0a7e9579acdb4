/* Allowlist first: what a pickle may look up (pickle_names.def), and what is dangerous wherever it comes from. */
#include <ctype.h>
#include <string.h>

#include "audit/audit.h"

typedef struct name_row {
  const char *modules, *names;
  const char *why; /* NULL: allowed */
} name_row;

#define ALLOW(modules, names) {modules, names, NULL},
#define DANGER(modules, names, why) {modules, names, why},
static const name_row rows[] = {
#include "audit/pickle_names.def"
};
#undef ALLOW
#undef DANGER

/* Attributes that lead from any object to everything, and functions that do the same harm in every library. */
static const char reaching[] =
    " __globals__ __builtins__ __subclasses__ __getattribute__ __getattr__ __import__ __dict__ __class__ __bases__ "
    "__mro__ "
    "__base__ __code__ __closure__ __func__ __self__ __loader__ __spec__ __init_subclass__ __reduce__ __reduce_ex__ "
    "__setattr__ __delattr__ __call__ f_globals gi_frame tb_frame eval exec execfile system popen spawn check_output "
    "runstring runcode runsource exec_command shell load_module import_module load_source load_dynamic read_pickle "
    "to_pickle loads load_library LoadLibrary ";

static bool listed(const char *list, const char *word, size_t len) {
  for (const char *p = list; (p = memmem(p, strlen(p), word, len)) != NULL && len; p++)
    if ((p == list || p[-1] == ' ') && (p[len] == ' ' || p[len] == 0)) return true;
  return false;
}

static bool ends_in(const char *name, const char *ending) {
  const size_t n = strlen(name), len = strlen(ending);
  return n >= len && !strcmp(name + n - len, ending);
}

/* By its spelling: a capital letter first. An attribute of a class is none, and classes that open files, import modules
 * or run what they are given are not vouched for by the library they are in. */
static bool like_a_class(const char *name) {
  static const char *const doubtful[] = {"LazyModule", "File",   "Store",  "Dataset",     "Tool",   "Agent",
                                         "DataSource", "Writer", "Memmap", "Interpreter", "Loader", "SMLayer"};
  for (size_t i = 0; i < sizeof doubtful / sizeof *doubtful; i++)
    if (ends_in(name, doubtful[i])) return false;
  return isupper((unsigned char)name[strspn(name, "_")]) && !strchr(name, '.');
}

/* "torch.nn.*" stands for the module and those below it. */
static bool module_matches(const char *list, const char *module, size_t n) {
  for (const char *p = list, *end; *p; p = end + (*end == ' ')) {
    end = strchrnul(p, ' ');
    if (*p != *module) continue;
    const size_t len = (size_t)(end - p);
    if (len == n && memcmp(p, module, n) == 0) return true;
    if (len > 2 && end[-1] == '*' && n > len - 2 && memcmp(module, p, len - 1) == 0) return true;
  }
  return false;
}

/* Any component of a dotted name. */
static bool reaches_out(const char *name) {
  for (const char *p = name; *p;) {
    size_t len = strcspn(p, ".");
    if (listed(reaching, p, len)) return true;
    p += len + (p[len] == '.');
  }
  return false;
}

/* A whole module that is allowed does not vouch for what is reached through it: its imports, say. */
static bool name_matches(const name_row *row, const char *name) {
  if (listed(row->names, name, strlen(name))) return true;
  if (listed(row->names, "*", 1)) return row->why || (!strchr(name, '.') && !reaches_out(name));
  return listed(row->names, "A*", 2) && like_a_class(name);
}

bez_pickle_verdict bez_pickle_judge(const char *module, const char *name, const char **why) {
  const size_t len = strlen(module);
  *why = "";
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    if (!module_matches(rows[i].modules, module, len) || !name_matches(&rows[i], name)) continue;
    if (!rows[i].why) return BEZ_PICKLE_ALLOWED;
    *why = rows[i].why;
    return BEZ_PICKLE_DANGEROUS;
  }
  if (!reaches_out(name)) return BEZ_PICKLE_UNKNOWN;
  *why = "reaches code from any object";
  return BEZ_PICKLE_DANGEROUS;
}

static bool same_name(const bez_model_fact *a, const bez_model_fact *b) {
  return !strcmp(a->name, b->name) && !strcmp(a->module, b->module);
}

void bez_audit_judge_names(bez_model *model) {
  for (uint32_t i = 0; i < model->n_facts; i++) {
    bez_model_fact *f = &model->facts[i], *before = i ? f - 1 : NULL;
    if ((f->what != BEZ_MODEL_IMPORT && f->what != BEZ_MODEL_CALL) || !*f->module) continue;
    if (before && before->verdict && same_name(f, before)) { /* most names are called right behind their lookup */
      f->verdict = before->verdict;
      f->why = before->why;
    } else
      f->verdict = (uint8_t)(1 + bez_pickle_judge(f->module, f->name, &f->why));
  }
}

bez_pickle_verdict bez_audit_verdict(const bez_model_fact *fact, const char **why) {
  if (!fact->verdict) return bez_pickle_judge(fact->module, fact->name, why);
  *why = fact->why;
  return (bez_pickle_verdict)(fact->verdict - 1);
}
