/* The parent's side of the helper that reads models. */
#ifndef BEZ_FORMAT_MODEL_HELPER_H
#define BEZ_FORMAT_MODEL_HELPER_H

#include "format/helper.h"
#include "format/model.h"

/* What the file holds; the caller frees it. Errors: BEZ_IO and BEZ_USAGE for a file that cannot be opened, BEZ_LIMIT
 * when the helper died over it (it is gone then, and the next question starts another), BEZ_UNSUPPORTED where there is
 * no helper on this machine. There is no other way of reading a model. */
BEZ_MUST_USE bez_status bez_model_helper_ask(bez_helper *helper, const char *path, bez_model *out, bez_error *err);

typedef struct bez_model_item {
  const char *path;     /* for its name */
  const uint8_t *bytes; /* all of the file; borrowed */
  size_t len;           /* BEZ_MAX_MODEL_SMALL at most */
  bez_model *out;       /* the caller frees it */
} bez_model_item;

/* What small files hold, BEZ_MAX_MODEL_BATCH of them at most, in one question. All or nothing: where the helper dies
 * over one of them nothing is known of any, and the caller asks for each alone. */
BEZ_MUST_USE bez_status bez_model_helper_ask_many(bez_helper *helper, const bez_model_item *items, size_t n,
                                                  bez_error *err);

#endif
