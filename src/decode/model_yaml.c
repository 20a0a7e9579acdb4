/* Configurations as YAML (model.h): Hydra, NeMo and Lightning, MLflow's MLmodel; tags that make a loader build Python
 * objects. */
#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "decode/model_config.h"
#include "decode/outside.h"
#include "decode/yaml_walk.h"

typedef struct yaml {
  const bez_model_input *in;
  struct bez_model_out *out;
  bool mlflow;
} yaml;

static const char *own_name(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

/* "!!python/object/apply:os.system": what PyYAML's unsafe loaders make of it. */
static void look_at_tag(yaml *y, const bez_yaml_event *e) {
  static const char python[] = "tag:yaml.org,2002:python/";
  static const char *const builders[] = {"object/apply:", "object/new:", "object:"};
  static const char *const lookups[] = {"name:", "module:"};
  if (!e->tag || strncmp(e->tag, python, sizeof python - 1) != 0) return;
  const char *what = e->tag + sizeof python - 1;
  for (size_t i = 0; i < sizeof builders / sizeof *builders; i++)
    if (!strncmp(what, builders[i], strlen(builders[i]))) {
      bez_model_code(y->out, y->in->part, e->at, "yaml-object", what + strlen(builders[i]),
                     "the tag !!python/%.160s makes a loader call it", what);
      return;
    }
  for (size_t i = 0; i < sizeof lookups / sizeof *lookups; i++)
    if (!strncmp(what, lookups[i], strlen(lookups[i])))
      bez_model_code(y->out, y->in->part, e->at, "yaml-name", what + strlen(lookups[i]),
                     "the tag !!python/%.160s makes a loader import it", what);
}

static void on_value(void *ctx, const bez_yaml_event *e) {
  yaml *y = ctx;
  const uint64_t at = e->at;
  look_at_tag(y, e);
  if (!e->text) return;
  if (bez_config_is_target(e->key) && *e->text) bez_config_target(y->out, y->in->part, at, e->key, e->text);
  if (y->mlflow && !strcmp(e->key, "code") && *e->text && strcmp(e->text, "null") != 0)
    bez_model_code(y->out, y->in->part, at, "remote-code-path", e->text,
                   "\"%.120s\" is put on Python's path, and what is in it may be run, when the model is loaded",
                   e->text);
  if (y->mlflow && (!strcmp(e->key, "artifact_path") || !strcmp(e->key, "data") || !strcmp(e->key, "python_model")))
    (void)bez_model_outside(y->out, y->in->part, at, e->text, strlen(e->text), "a file of the model");
}

static int sniff_yaml(const bez_model_input *in) {
  const char *dot = strrchr(in->name, '.');
  if (!strcmp(own_name(in->name), "MLmodel")) return 40;
  return dot && (!strcasecmp(dot, ".yaml") || !strcasecmp(dot, ".yml")) ? 40 : 0;
}

static void read_yaml(const bez_model_input *in, struct bez_model_out *out) {
  yaml y = {.in = in, .out = out, .mlflow = !strcmp(own_name(in->name), "MLmodel")};
  size_t where;
  const char *why = bez_yaml_walk((const char *)in->bytes, in->len, on_value, &y, &where);
  if (why) bez_model_unread(out, in->part, "it cannot be read as YAML: %s, at byte %zu", why, where);
}

const bez_model_reader bez_model_reader_yaml = {
    .name = "yaml",
    .title = "YAML configuration",
    .summary =
        "Names that a loader imports (_target_, class_path, MLflow's loader_module), tags that build Python objects.",
    .shares = true,
    .sniff = sniff_yaml,
    .read = read_yaml};
