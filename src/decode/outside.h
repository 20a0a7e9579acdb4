/* Paths that a model names and a loader would open. */
#ifndef BEZ_DECODE_OUTSIDE_H
#define BEZ_DECODE_OUTSIDE_H

#include "decode/model.h"

/* Why this path, relative to the model's folder, may lead out of it: a static phrase; NULL: it does not. */
const char *bez_path_leads_out(const char *path, size_t len);

/* Says so as code of kind "outside-path", where it does; `role` is what the path is for ("external data of ..."). True:
 * it does. */
bool bez_model_outside(struct bez_model_out *out, uint32_t part, uint64_t at, const char *path, size_t len,
                       const char *role);

#endif
