/* Names of tensors, whoever wrapped the model or wrote the file. */
#include "audit/tensor_name.h"

#include <string.h>

/* What wrappers put in front of names. */
static const char *const prefixes[] = {"module.",     "_orig_mod.",        "model.",   "base_model.",
                                       "state_dict.", "model_state_dict.", "network.", "net."};

/* GGUF's names of a transformer's tensors, as most safetensors call them (gguf-py, tensor_mapping). */
static const struct {
  const char *gguf, *other;
} translated[] = {
    {"blk.", "layers."},
    {"attn_q.", "self_attn.q_proj."},
    {"attn_k.", "self_attn.k_proj."},
    {"attn_v.", "self_attn.v_proj."},
    {"attn_output.", "self_attn.o_proj."},
    {"ffn_gate.", "mlp.gate_proj."},
    {"ffn_up.", "mlp.up_proj."},
    {"ffn_down.", "mlp.down_proj."},
    {"attn_norm.", "input_layernorm."},
    {"ffn_norm.", "post_attention_layernorm."},
    {"attn_q_norm.", "self_attn.q_norm."},
    {"attn_k_norm.", "self_attn.k_norm."},
    {"token_embd.", "embed_tokens."},
    {"output_norm.", "norm."},
    {"output.", "lm_head."},
};

const char *bez_tensor_bare(const char *name) {
  for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
    const size_t n = strlen(prefixes[i]);
    if (strncmp(name, prefixes[i], n) != 0 || !name[n]) continue;
    name += n;
    i = (size_t)-1; /* from the start again */
  }
  return name;
}

static const char *rest_of(const char *name, const char **other) {
  for (size_t i = 0; i < sizeof translated / sizeof *translated; i++) {
    const size_t n = strlen(translated[i].gguf);
    if (strncmp(name, translated[i].gguf, n) != 0) continue;
    *other = translated[i].other;
    return name + n;
  }
  return NULL;
}

/* "blk.7.attn_q.weight" becomes "layers.7.self_attn.q_proj.weight". */
const char *bez_tensor_common(bez_arena *arena, const char *name) {
  const char *first, *second = "", *bare = bez_tensor_bare(name), *rest = rest_of(bare, &first);
  if (!rest) return bare;
  size_t digits = strcmp(first, "layers.") == 0 ? strspn(rest, "0123456789") : 0;
  if (digits && rest[digits] == '.') digits++;
  const char *tail = digits ? rest_of(rest + digits, &second) : NULL;
  return bez_arena_printf(arena, "%s%.*s%s%s", first, (int)digits, rest, tail ? second : "",
                          tail ? tail : rest + digits);
}
