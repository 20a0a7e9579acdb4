/* What a model file holds and would do, as data: parts (the file, and what is packed in it) and facts about them.
 * Readers of models run in the sandboxed helper alone (src/decode/) and put down what they see; the parent takes it
 * over as hostile bytes and judges it (src/audit/). Reading never executes anything. */
#ifndef BEZ_FORMAT_MODEL_H
#define BEZ_FORMAT_MODEL_H

#include "base/arena.h"
#include "base/limits.h"
#include "bezoar/base.h"

typedef enum bez_model_what {
  BEZ_MODEL_IMPORT,    /* a pickle looks up module.name */
  BEZ_MODEL_CALL,      /* … calls it */
  BEZ_MODEL_STATE,     /* … changes it: attributes of a module or class, items of what it holds */
  BEZ_MODEL_EXTENSION, /* … uses a code of the extension registry */
  BEZ_MODEL_ODD,       /* readers may disagree over these bytes: text says why, name which oddity */
  BEZ_MODEL_CODE,  /* the format names code or files to reach: name says what kind, module which, text in a sentence */
  BEZ_MODEL_ABOUT, /* what the file says of itself: name is the key ("base_model"), text the value */
  BEZ_MODEL_WHATS
} bez_model_what;

typedef struct bez_model_fact {
  uint32_t part;
  bez_model_what what;
  bool known;                /* of a call: its result could be worked out without running it */
  uint64_t at, count;        /* offset in the part of the first, and how many there are */
  const char *opcode;        /* "" where none */
  const char *module, *name; /* "" where only running could tell */
  const char *text;          /* the first one, as Python would be written; or a sentence */
  uint8_t verdict; /* of a name: what the audit thinks of it (bez_audit_judge_names); 0: nobody was asked yet */
  const char *why; /* it thinks so; static */
} bez_model_fact;

/* A tensor: where its numbers lie. They are data, so the parent reads them itself, within the file's bounds
 * (format/weights.h). */
typedef struct bez_model_tensor {
  uint32_t part;
  const char *name;
  const char *dtype; /* as safetensors or GGUF name it: "F32", "BF16", "F8_E4M3", "Q4_K", "BOOL" */
  const char *file;  /* "" the model's own; else the path of external data as it is written (ONNX), relative to it */
  uint32_t n_dims;
  uint64_t shape[BEZ_MAX_MODEL_DIMS]; /* outermost first */
  uint64_t at, bytes;                 /* in the file, little endian; at UINT64_MAX: packed, out of the parent's reach */
  bool strided;                       /* not in C order */
} bez_model_tensor;

typedef struct bez_model_part {
  uint32_t parent;    /* its own number for the file itself */
  const char *name;   /* within the parent: an entry's name, "@1234" for bytes at an offset; the file's path */
  const char *kind;   /* the reader that read it: "pickle"; "" none knew it */
  uint64_t at, size;  /* offset in the parent (of what is stored there, be it compressed), bytes */
  const char *unread; /* why some of it was not examined; "" all of it was */
} bez_model_part;

typedef struct bez_model {
  bez_arena arena;
  bez_model_part *parts; /* the file itself first, parents before what they hold */
  uint32_t n_parts;
  bez_model_fact *facts; /* in the order of parts, then as met */
  uint32_t n_facts;
  bez_model_tensor *tensors; /* in the order of the file */
  uint32_t n_tensors;
} bez_model;

/* The value of a BEZ_MODEL_ABOUT fact of the file or any of its parts; NULL: it says nothing of that. */
const char *bez_model_about(const bez_model *model, const char *key);

void bez_model_free(bez_model *model);

/* Reads what the helper wrote (decode/model.h): hostile bytes. Texts come out as UTF-8 without control characters; what
 * a model says of itself keeps its lines. */
BEZ_MUST_USE bez_status bez_model_load(const uint8_t *bytes, size_t len, bez_model *model, bez_error *err);

#endif
