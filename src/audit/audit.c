/* The table of checks, and what they share: where a part lies, and what could not be read. */
#include "audit/audit.h"

#include <string.h>
#include <strings.h>

#define BEZ_CHECK(symbol) &symbol,
const bez_check *const bez_checks[] = {
#include "audit/checks.def"
    NULL};
#undef BEZ_CHECK

bez_check_input bez_audit_of(const bez_check_input *set, const bez_audit_file *file) {
  return (bez_check_input){
      .path = file->path, .model = file->model, .file = file, .set = set->set, .context = set->context};
}

const bez_audit_file *bez_audit_find(const bez_audit_set *set, const char *name) {
  for (size_t i = 0; i < set->n; i++)
    if (!strcmp(set->files[i].name, name)) return &set->files[i];
  return NULL;
}

/* From below the file down to the part; "" for the file itself. */
static const char *part_in(const bez_model *m, bez_report *report, uint32_t part) {
  const char *place = "";
  for (unsigned depth = 0; part && depth < 32 && place; depth++, part = m->parts[part].parent)
    place = *place ? bez_arena_printf(&report->arena, "%s › %s", m->parts[part].name, place) : m->parts[part].name;
  return place ? place : "";
}

static const char *place_in(const bez_model *m, const char *file, bez_report *report, uint32_t part) {
  const char *below = part_in(m, report, part);
  const char *place = *below ? bez_arena_printf(&report->arena, "%s › %s", file, below) : file;
  return place ? place : "";
}

const char *bez_audit_place(const bez_check_input *in, bez_report *report, uint32_t part) {
  return place_in(in->model, in->path, report, part);
}

void bez_audit_subject(const bez_check_input *in, bez_report *report, bez_finding *finding, uint32_t part,
                       uint64_t byte, const char *what) {
  const char *slash = strrchr(in->path, '/');
  const char *place = place_in(in->model, slash ? slash + 1 : in->path, report, part);
  bez_finding_subject(report, finding, bez_arena_printf(&report->arena, "%s: %s", place, what), NULL);
  bez_finding_place(report, finding, in->path, part_in(in->model, report, part), byte);
}

/* Parts that no reader knows are data (a storage, a text), unless their names promise a model. */
static bool promises_a_model(const char *name) {
  static const char *const extensions[] = {".pkl",    ".pickle", ".pt",   ".pth",   ".ckpt",    ".joblib",
                                           ".dill",   ".h5",     ".hdf5", ".keras", ".pb",      ".onnx",
                                           ".tflite", ".gguf",   ".npy",  ".npz",   ".msgpack", ".safetensors"};
  const char *dot = strrchr(name, '.');
  for (size_t i = 0; dot && i < sizeof extensions / sizeof *extensions; i++)
    if (strcasecmp(dot, extensions[i]) == 0) return true;
  return false;
}

/* An archive in which nothing is known: whatever it holds, nobody has looked at it. */
static bool holds_nothing_known(const bez_model *m) {
  bool container = m->n_parts > 1 && (!strcmp(m->parts[0].kind, "zip") || !strcmp(m->parts[0].kind, "packed"));
  for (uint32_t p = 1; p < m->n_parts && container; p++)
    container = !*m->parts[p].kind || !strcmp(m->parts[p].kind, "packed");
  return container;
}

void bez_audit_unread(const bez_check_input *in, bez_report *report) {
  for (uint32_t p = 0; p < in->model->n_parts; p++) {
    const bez_model_part *part = &in->model->parts[p];
    const bool strange = !*part->kind && part->size > 0 && (p == 0 || promises_a_model(part->name));
    if (*part->unread)
      bez_report_not_checked(report, true, bez_audit_place(in, report, p), "%s", part->unread);
    else if (strange)
      bez_report_not_checked(report, true, bez_audit_place(in, report, p), "no reader knows these bytes");
  }
  if (holds_nothing_known(in->model))
    bez_report_not_checked(report, true, in->path, "nothing that is packed in it has a format known here");
}
