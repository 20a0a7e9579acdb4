/* What the keys of a GGUF file say of the model: facts, and the chat templates in it. */
#ifndef BEZ_DECODE_GGUF_ABOUT_H
#define BEZ_DECODE_GGUF_ABOUT_H

#include "decode/model.h"

/* Types of values (ggml, docs/gguf.md). */
enum {
  BEZ_GGUF_U8,
  BEZ_GGUF_I8,
  BEZ_GGUF_U16,
  BEZ_GGUF_I16,
  BEZ_GGUF_U32,
  BEZ_GGUF_I32,
  BEZ_GGUF_F32,
  BEZ_GGUF_BOOL,
  BEZ_GGUF_TEXT,
  BEZ_GGUF_ARRAY,
  BEZ_GGUF_U64,
  BEZ_GGUF_I64,
  BEZ_GGUF_F64
};

typedef struct bez_gguf_text {
  const uint8_t *bytes; /* in the file */
  size_t len;
} bez_gguf_text;

typedef struct bez_gguf_value {
  uint32_t type;
  uint64_t at;        /* in the file */
  uint64_t bits;      /* of a number, as it is stored */
  bez_gguf_text text; /* of a text */
} bez_gguf_value;

typedef struct bez_gguf_about {
  const bez_model_input *in;
  struct bez_model_out *out;
  bez_gguf_text base_url, base_owner, base_name; /* of the first model that it says it is made of */
} bez_gguf_about;

void bez_gguf_about_take(bez_gguf_about *about, const bez_gguf_text *key, const bez_gguf_value *value);
void bez_gguf_about_end(bez_gguf_about *about);

#endif
