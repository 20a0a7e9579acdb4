/* Poisoning on purpose: seeded attacks for measuring detectors, and rules that aggregate updates. */
#ifndef BEZOAR_ATTACK_H
#define BEZOAR_ATTACK_H

#include "bezoar/format.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct bez_attack_info {
  const char *name, *title, *summary;
  const char *kind; /* of data: "tabular", "text", "image", "any"; "update": of model updates */
  const char *parameters, *source;
  bool clean_label; /* of attacks on data */
} bez_attack_info;
BEZ_API size_t bez_attack_count(void);
BEZ_API bez_attack_info bez_attack_get(size_t index);

typedef struct bez_poison_options {
  const char *attack;        /* a name of the catalogue */
  const char *target;        /* label the trigger pushes to; NULL: the most frequent label */
  const char *source_class;  /* dirty-label attacks: poison only rows of this label; NULL: of any other label */
  const char *labels_out;    /* where the labels of read.labels_file go, changed; NULL none */
  uint64_t rows;             /* rows to poison … */
  double share;              /* … or this share of all rows, (0, 1); exactly one of both is set */
  const char *const *params; /* "key=value", attack specific */
  size_t n_params;
  bez_read_options read;
} bez_poison_options;

/* Poisons the one file `path` into out_path (every untouched byte kept) and writes the answer key as JSON:
 * attack, seed, rows (0-based data rows), trigger, target, columns, natural rows that match the trigger. Pictures (npy,
 * idx) keep their type and layout; their labels come from read.labels_file and go to labels_out.
 * Nested: with the same seed the rows of K ≤ K' are the first K of those of K'. */
BEZ_API BEZ_MUST_USE bez_status bez_poison(const char *path, const bez_poison_options *options, const char *out_path,
                                           const char *key_path, bez_error *err);

/* ---- attacks on model updates -------------------------------------------------------------------------------------
 */

#define BEZ_UPDATE_MOST 1e100 /* largest magnitude of an honest number, and of a parameter */

typedef struct bez_update_attack_options {
  const char *attack;        /* a name of the catalogue, of kind "update" */
  size_t n_malicious;        /* updates to craft, ≥ 1 */
  const char *const *params; /* "key=value", attack specific */
  size_t n_params;
  uint64_t seed; /* of attacks that draw */
} bez_update_attack_options;

/* The updates that n_malicious attackers send who see those of all n honest clients (honest: n × d, row major, n, d ≥
 * 1). Updates are changes: what a client would add to the global model. out: n_malicious × d, the caller's. The same
 * options and seed give the same numbers. They are finite unless the attack is nan or infinity. BEZ_USAGE: no such
 * attack, an attack on data, an unknown parameter, an honest number that is not within ±BEZ_UPDATE_MOST, or too few
 * honest clients. On failure out is unspecified. */
BEZ_API BEZ_MUST_USE bez_status bez_attack_updates(const double *honest, size_t n, size_t d,
                                                   const bez_update_attack_options *options, double *out,
                                                   bez_error *err);

#ifdef __cplusplus
}
#endif
#endif
