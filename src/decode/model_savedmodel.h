/* Between the files that read TensorFlow's models: graphs with their operators, tensors, and Keras's metadata. */
#ifndef BEZ_DECODE_MODEL_SAVEDMODEL_H
#define BEZ_DECODE_MODEL_SAVEDMODEL_H

#include "decode/model.h"
#include "decode/name_set.h"
#include "decode/protobuf.h"

typedef struct bez_tf {
  const bez_model_input *in;
  struct bez_model_out *out;
  bez_name_set functions; /* that the graphs define themselves */
} bez_tf;

/* What an operator of that name does beside computing, put down. False: nothing that is known. Shared with TensorFlow
 * Lite, which can carry any of them. */
bool bez_tf_effect(const bez_tf *tf, uint64_t at, const char *op);
/* The same, by the attributes of its node as well; and operators that TensorFlow does not have. */
void bez_tf_operator(const bez_tf *tf, uint64_t at, const char *op, bez_cursor node);
/* DataType as tensors name it; "" none of theirs. */
const char *bez_tf_type_name(uint64_t type);
/* A TensorShapeProto; false: more dimensions than tensors have here. */
bool bez_tf_shape(bez_model_tensor *tensor, bez_cursor shape);
/* The tensor within a Const node's attributes. */
void bez_tf_constant(const bez_tf *tf, const char *name, bez_cursor message);
/* SavedObjectGraph of a saved model: what Keras wrote about its layers. */
void bez_tf_objects(const bez_tf *tf, bez_cursor graph);

#endif
