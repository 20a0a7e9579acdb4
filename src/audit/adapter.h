/* Low-rank adapters (LoRA; Hu et al. 2021, https://arxiv.org/abs/2106.09685): which tensors belong together, and the
 * numbers of the change scale · B · A that each pair makes, worked out without forming it. */
#ifndef BEZ_AUDIT_ADAPTER_H
#define BEZ_AUDIT_ADAPTER_H

#include "audit/audit.h"
#include "base/threads.h"
#include "format/weights.h"

#define BEZ_LORA_TOP 8u

/* One changed matrix of rows × cols (a convolution's kernel counts among the columns). */
typedef struct bez_lora_module {
  const char *name;  /* what it changes, as the adapter names it: "model.layers.0.self_attn.q_proj" */
  uint32_t down, up; /* the model's tensors A (rank × cols) and B (rows × rank) */
  uint64_t rows, cols;
  uint32_t rank;
  double scale;                /* α / rank, or α / √rank */
  const char *skipped;         /* why it has no numbers, static; NULL: it has */
  double top[BEZ_LORA_TOP];    /* singular values, descending; 0 behind the last */
  double norm;                 /* Frobenius */
  double effective_rank;       /* exp of the entropy of σ² / Σσ²; 0 for a change of nothing */
  double top_share;            /* σ1² / Σσ² */
  double row_share, col_share; /* of the squared norm, the heaviest row's and column's */
  double kurtosis;             /* of the entries (3 for a normal law): all of them, or 65,536 drawn ones */
  double base_norm;            /* of the tensor it changes, with --base; NaN: not known */
} bez_lora_module;

typedef struct bez_lora {
  bez_arena arena;
  bez_lora_module *modules; /* in the order of the file */
  size_t n;
  bool alpha_said;     /* false: nobody says α, so α = rank was taken */
  bool rank_scaled;    /* α / √rank (rsLoRA) */
  uint32_t n_dora;     /* magnitude vectors (DoRA), which are left out of the change */
  uint32_t n_unpaired; /* tensors of adapters whose partner is missing or does not fit, or of kinds that are not LoRA */
} bez_lora;

/* What of the whole adapter is compared with a bank. Larger is further from an ordinary fine-tune, for each of them. */
#define BEZ_LORA_FEATURES 7u
extern const char *const bez_lora_feature_names[BEZ_LORA_FEATURES];

/* Whether any tensor is called like a part of an adapter. */
bool bez_lora_named(const bez_model *model);

/* Pairs the file's tensors by their names (PEFT, diffusers, kohya, GGUF). out->n = 0: it is no adapter. α comes from
 * tensors named .alpha (read through weights), what the file says of itself, or the adapter_config.json beside it. */
BEZ_MUST_USE bez_status bez_lora_find(const bez_check_input *in, const bez_weights *weights, bez_lora *out,
                                      bez_error *err);
void bez_lora_free(bez_lora *lora);

/* Fills the numbers of every module; the same bits for any number of threads. O((rows + cols) · rank²) each. */
BEZ_MUST_USE bez_status bez_lora_measure(const bez_check_input *in, const bez_weights *weights, bez_lora *lora,
                                         bez_error *err);

/* With --base: base_norm of the modules whose tensor the base has. */
BEZ_MUST_USE bez_status bez_lora_measure_base(const bez_check_input *in, bez_lora *lora, bez_error *err);

/* *any false: no module has numbers, or all are 0. */
BEZ_MUST_USE bez_status bez_lora_features(const bez_lora *lora, double out[BEZ_LORA_FEATURES], bool *any,
                                          bez_error *err);

/* How far a module stands out among those of its kind (the same name but for numbers in it). */
typedef struct bez_lora_outlier {
  size_t module;
  double ratio; /* its entries' root mean square against the group's median */
  double z;     /* of the logarithm, by median and MAD */
  size_t group; /* how many of its kind there are */
} bez_lora_outlier;

/* Modules that stand out, in the order of the file; out has room for lora->n. */
BEZ_MUST_USE bez_status bez_lora_outliers(const bez_lora *lora, bez_lora_outlier *out, size_t *n, bez_error *err);

#endif
