/* What the keys of a GGUF file say (gguf_about.h). */
#include "decode/gguf_about.h"

#include <stdio.h>
#include <string.h>

#define TEMPLATE "tokenizer.chat_template"

static bool is(const bez_gguf_text *key, const char *name) {
  return key->len == strlen(name) && memcmp(key->bytes, name, key->len) == 0;
}

/* How the file as a whole is quantised (llama.h, enum llama_ftype). */
static const char *file_type(uint64_t id) {
  static const char *const names[] = {
      [0] = "F32",     [1] = "F16",     [2] = "Q4_0",       [3] = "Q4_1",    [7] = "Q8_0",     [8] = "Q5_0",
      [9] = "Q5_1",    [10] = "Q2_K",   [11] = "Q3_K_S",    [12] = "Q3_K_M", [13] = "Q3_K_L",  [14] = "Q4_K_S",
      [15] = "Q4_K_M", [16] = "Q5_K_S", [17] = "Q5_K_M",    [18] = "Q6_K",   [19] = "IQ2_XXS", [20] = "IQ2_XS",
      [21] = "Q2_K_S", [22] = "IQ3_XS", [23] = "IQ3_XXS",   [24] = "IQ1_S",  [25] = "IQ4_NL",  [26] = "IQ3_S",
      [27] = "IQ3_M",  [28] = "IQ2_S",  [29] = "IQ2_M",     [30] = "IQ4_XS", [31] = "IQ1_M",   [32] = "BF16",
      [36] = "TQ1_0",  [37] = "TQ2_0",  [38] = "MXFP4_MOE", [39] = "NVFP4",  [40] = "Q1_0"};
  return id < sizeof names / sizeof *names ? names[id] : NULL;
}

static void say_number(const bez_gguf_about *a, const char *key, const bez_gguf_value *v) {
  char text[32];
  float f;
  const uint32_t low = (uint32_t)v->bits;
  memcpy(&f, &low, sizeof f);
  if (v->type == BEZ_GGUF_F32)
    snprintf(text, sizeof text, "%.9g", (double)f);
  else
    snprintf(text, sizeof text, "%llu", (unsigned long long)v->bits);
  bez_model_says(a->out, a->in->part, key, text, strlen(text));
}

/* The one for conversations, and named ones for tools and retrieval. */
static void take_template(const bez_gguf_about *a, const bez_gguf_text *key, const bez_gguf_value *v) {
  char name[192];
  snprintf(name, sizeof name, "%.*s.jinja", (int)(key->len < 160 ? key->len : 160), (const char *)key->bytes);
  (void)bez_model_examine(a->out, a->in->part, a->in->depth + 1, name, v->at, v->text.bytes, v->text.len);
}

void bez_gguf_about_take(bez_gguf_about *a, const bez_gguf_text *key, const bez_gguf_value *v) {
  static const struct {
    const char *theirs, *ours;
  } names[] = {{"general.architecture", "architecture"}, {"general.name", "name"},
               {"general.license", "license"},           {"general.type", "gguf.type"},
               {"adapter.type", "adapter.type"},         {"tokenizer.ggml.model", "tokenizer"},
               {"adapter.lora.alpha", "lora.alpha"},     {"adapter.lora.rank", "lora.r"}};
  const size_t prefix = strlen(TEMPLATE);
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (!is(key, names[i].theirs)) continue;
    if (v->type == BEZ_GGUF_TEXT)
      bez_model_says(a->out, a->in->part, names[i].ours, (const char *)v->text.bytes, v->text.len);
    else if (v->type != BEZ_GGUF_ARRAY)
      say_number(a, names[i].ours, v);
  }
  if (is(key, "general.file_type") && v->type == BEZ_GGUF_U32 && file_type(v->bits))
    bez_model_says(a->out, a->in->part, "quantization", file_type(v->bits), strlen(file_type(v->bits)));
  if (v->type != BEZ_GGUF_TEXT) return;
  if (is(key, "general.base_model.0.repo_url")) a->base_url = v->text;
  if (is(key, "general.base_model.0.organization")) a->base_owner = v->text;
  if (is(key, "general.base_model.0.name")) a->base_name = v->text;
  if (is(key, TEMPLATE) || (key->len > prefix && key->bytes[prefix] == '.' && !memcmp(key->bytes, TEMPLATE, prefix)))
    take_template(a, key, v);
}

/* Its address names it as the hub does: owner/name. */
void bez_gguf_about_end(bez_gguf_about *a) {
  static const char hub[] = "https://huggingface.co/";
  char text[512];
  const char *url = (const char *)a->base_url.bytes;
  size_t n = a->base_url.len;
  if (n > strlen(hub) && !memcmp(url, hub, strlen(hub))) url += strlen(hub), n -= strlen(hub);
  if (n) {
    bez_model_says(a->out, a->in->part, "base_model", url, n);
    return;
  }
  if (!a->base_name.len || a->base_name.len > 200 || a->base_owner.len > 200) return;
  snprintf(text, sizeof text, "%.*s%s%.*s", (int)a->base_owner.len,
           a->base_owner.len ? (const char *)a->base_owner.bytes : "", a->base_owner.len ? "/" : "",
           (int)a->base_name.len, (const char *)a->base_name.bytes);
  bez_model_says(a->out, a->in->part, "base_model", text, strlen(text));
}
