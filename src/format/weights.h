/* The numbers of a model's tensors, as floats, read from the file where the sandboxed reader said they lie. They are
 * data, so nothing but arithmetic is done with them; extents are checked against shapes and files first. Blocks are
 * read into the caller's memory: models may be larger than it. */
#ifndef BEZ_FORMAT_WEIGHTS_H
#define BEZ_FORMAT_WEIGHTS_H

#include "format/model.h"
#include "math/dequant.h"

typedef struct bez_weights bez_weights;

/* path and model are borrowed and outlive it. External data is opened within the model's own folder only. */
BEZ_MUST_USE bez_status bez_weights_open(const char *path, const bez_model *model, bez_weights **out, bez_error *err);
void bez_weights_close(bez_weights *w); /* NULL is fine */

/* NULL: can be read; else why not, in words that go on "tensor x: …". Lives as long as w. */
const char *bez_weights_unreadable(const bez_weights *w, uint32_t tensor);
uint64_t bez_weights_items(const bez_weights *w, uint32_t tensor); /* product of the shape; 0 where unreadable */
const bez_number_type *bez_weights_type(const bez_weights *w, uint32_t tensor); /* NULL where unreadable */

/* Items [first, first + n) as floats (F64 rounded, integers too). Any thread. BEZ_USAGE outside of the tensor;
 * BEZ_IO where the file has become shorter. Whole blocks are fastest: first and n multiples of type->items. */
BEZ_MUST_USE bez_status bez_weights_read(const bez_weights *w, uint32_t tensor, uint64_t first, size_t n, float *out,
                                         bez_error *err);
/* Bytes [at, at + n) of the tensor as they lie in the file. */
BEZ_MUST_USE bez_status bez_weights_raw(const bez_weights *w, uint32_t tensor, uint64_t at, size_t n, void *out,
                                        bez_error *err);

#endif
