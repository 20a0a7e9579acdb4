/* Between the files that read ONNX (onnx.proto3 of the ONNX repository): the model with its graphs, and tensors. */
#ifndef BEZ_DECODE_MODEL_ONNX_H
#define BEZ_DECODE_MODEL_ONNX_H

#include "decode/model.h"
#include "decode/protobuf.h"

/* Says that a singular field stood there twice, with different contents: the parser of one loader takes the last. */
void bez_onnx_twice(const bez_model_input *in, struct bez_model_out *out, const bez_proto_field *field,
                    const char *which);
/* A TensorProto: where its numbers are. */
void bez_onnx_tensor(const bez_model_input *in, struct bez_model_out *out, bez_cursor message);

#endif
