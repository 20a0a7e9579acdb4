/* Numbers of tensors as they lie in files, little endian: floats of all widths, integers, and the blocks of ggml's
 * quantised types. All of them come out as float. Thread safe.
 *
 * Sources: IEEE 754; Micikevicius et al., "FP8 formats for deep learning", 2022 (E4M3 has no infinity); OCP
 * Microscaling Formats 1.0 (MXFP4, E8M0); ggml-quants.c and gguf-py for the layout of blocks. */
#ifndef BEZ_MATH_DEQUANT_H
#define BEZ_MATH_DEQUANT_H

#include <stddef.h>
#include <stdint.h>

#define BEZ_BLOCK_MOST 256u /* items of the largest block */

typedef enum bez_number_kind { BEZ_NUMBER_FLOAT, BEZ_NUMBER_INTEGER, BEZ_NUMBER_BLOCK } bez_number_kind;

typedef struct bez_number_type {
  const char *name; /* "BF16", "Q4_K": the dtype of a bez_model_tensor */
  bez_number_kind kind;
  uint32_t items, bytes; /* of a block; 1 item where there are none */
  /* n whole blocks from any address to n × items floats. */
  void (*unpack)(const uint8_t *blocks, size_t n, float *out);
} bez_number_type;

/* NULL: none here (ggml's IQ1, IQ2 and IQ3, whose grids are large tables). */
const bez_number_type *bez_number_type_find(const char *name);

#define BEZ_NUMBER_TYPE(name, kind, items, bytes, unpack)                                                              \
  void bez_unpack_##unpack(const uint8_t *blocks, size_t n, float *out);
#include "math/dequant.def"
#undef BEZ_NUMBER_TYPE

#endif
