/* Files beside models that hold nothing but numbers: a model's tensors say that they lie there (ONNX's external data,
 * the .data files of TensorFlow's checkpoints). They have no format that a reader could know. */
#include <stdio.h>
#include <string.h>

#include "scan/models.h"

#define MOST_NAMES 4096u /* in one model, that follow upon different ones */

/* Whether `file`, as a model called `name` writes it, is the file called `other`; both below one root. */
static bool leads_to(const char *name, const char *file, const char *other) {
  const char *slash = strrchr(name, '/');
  const size_t folder = slash ? (size_t)(slash - name) + 1 : 0;
  while (file[0] == '.' && file[1] == '/') file += 2;
  return !strncmp(name, other, folder) && !strcmp(file, other + folder);
}

static bool names(const bez_audit_file *model, const char *other) {
  const char *last = "";
  unsigned left = MOST_NAMES;
  for (uint32_t i = 0; model->model && i < model->model->n_tensors && left; i++) {
    const char *file = model->model->tensors[i].file;
    if (!*file || !strcmp(file, last)) continue;
    if (leads_to(model->name, file, other)) return true;
    last = file;
    left--;
  }
  return false;
}

bool bez_scan_holds_numbers(const bez_audit_set *set, const char *name) {
  for (size_t i = 0; i < set->n; i++)
    if (names(&set->files[i], name)) return true;
  return false;
}
