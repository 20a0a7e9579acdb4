/* Tensors in what torch.save writes, from what the pickle machine tells (pickle.h): the names that lead to them, shapes
 * and strides, and the storages that hold their numbers: entries of the ZIP archive beside the pickle, or bytes behind
 * the pickles of the older format (pytorch/pytorch, torch/serialization.py and torch/_utils.py). */
#ifndef BEZ_DECODE_TORCH_H
#define BEZ_DECODE_TORCH_H

#include "decode/model.h"
#include "decode/pickle_value.h"

typedef struct bez_torch bez_torch; /* of one part; not thread safe */

/* Something that rebuilds a tensor is called: worth a bez_torch. */
bool bez_torch_calls(const bez_pickle_event *event);
/* The older format: five pickles, then storages. */
bool bez_torch_legacy(const bez_model_input *in);

bez_torch *bez_torch_create(const bez_model_input *in, struct bez_model_out *out); /* NULL: out of memory */
void bez_torch_event(bez_torch *torch, const bez_pickle_event *event);
void bez_torch_stream(bez_torch *torch, const bez_pickle_end *end); /* behind each stream */
/* The older format, and its pickles are all there: numbers follow. */
bool bez_torch_whole(const bez_torch *torch);
/* Puts the tensors down. */
void bez_torch_finish(bez_torch *torch);
void bez_torch_destroy(bez_torch *torch); /* NULL is fine */

#endif
