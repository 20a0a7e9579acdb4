/* Names of tensors that two files may write differently: what wrappers put in front, and GGUF's own names. */
#ifndef BEZ_AUDIT_TENSOR_NAME_H
#define BEZ_AUDIT_TENSOR_NAME_H

#include "base/arena.h"

/* The name behind the prefixes that wrappers add ("module.", "base_model.", "model."); points into it. */
const char *bez_tensor_bare(const char *name);
/* The bare name, GGUF's as most safetensors have it: "blk.7.attn_q.weight" gives "layers.7.self_attn.q_proj.weight".
 * NULL: no memory. */
const char *bez_tensor_common(bez_arena *arena, const char *name);

#endif
