/* What configurations in JSON and YAML share: names of code in them. */
#ifndef BEZ_DECODE_MODEL_CONFIG_H
#define BEZ_DECODE_MODEL_CONFIG_H

#include "decode/model.h"

/* A class of auto_map: "module.Class" of a file beside it, or "repository--module.Class". */
void bez_config_auto_class(struct bez_model_out *out, uint32_t part, uint64_t at, const char *key, const char *value);
/* A name that a loader imports because the configuration says so ("_target_", "class_path"). */
void bez_config_target(struct bez_model_out *out, uint32_t part, uint64_t at, const char *key, const char *value);
/* Is it a key whose value is such a name? */
bool bez_config_is_target(const char *key);

#endif
