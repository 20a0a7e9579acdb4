/* The parent's side of the helper that reads models. */
#ifndef BEZ_FORMAT_MODEL_HELPER_H
#define BEZ_FORMAT_MODEL_HELPER_H

#include "format/helper.h"
#include "format/model.h"

/* What the file holds; the caller frees it. Errors: BEZ_IO and BEZ_USAGE for a file that cannot be opened, BEZ_LIMIT
 * when the helper died over it (it is gone then, and the next question starts another), BEZ_UNSUPPORTED where there is
 * no helper on this machine. There is no other way of reading a model. */
BEZ_MUST_USE bez_status bez_model_helper_ask(bez_helper *helper, const char *path, bez_model *out, bez_error *err);

#endif
