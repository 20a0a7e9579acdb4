/* Robust aggregation of model updates: rules that a minority of attackers cannot steer, and a verdict per client.
 *
 * n clients send updates of the same L layers. Updates are read where they lie, never stacked or copied whole, and
 * never written to. The result is the same for any number of threads, every instruction set and (but for one unit in
 * the last place) any order of the clients. All numbers of a result are finite. */
#ifndef BEZOAR_AGGREGATE_H
#define BEZOAR_AGGREGATE_H

#include "bezoar/finding.h"
#include "bezoar/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BEZ_MOST_CLIENTS 16384u

typedef struct bez_update {
  const char *client; /* who sent it; distinct within a call */
  double n_examples;  /* as declared; used only under BEZ_WEIGHTS_DECLARED; 0 unknown */
  uint32_t n_layers;
  const bez_layer *layers; /* in any order; matched by name */
} bez_update;

typedef enum bez_weights {
  BEZ_WEIGHTS_UNIFORM,
  BEZ_WEIGHTS_DECLARED /* n_examples, capped so that no client has more than max_weight of the total */
} bez_weights;

/* What becomes of integer and boolean tensors. */
typedef enum bez_integers {
  BEZ_INTEGERS_MEDIAN, /* of an even number the lower one of the middle two */
  BEZ_INTEGERS_MAXIMUM,
  BEZ_INTEGERS_REFERENCE /* copied from the reference model; BEZ_USAGE without one */
} bez_integers;

typedef struct bez_parameter {
  const char *name; /* "tau" */
  double value;
} bez_parameter;

/* What stateful rules remember from one round to the next, by client. One state per rule and model. */
typedef struct bez_aggregate_state bez_aggregate_state;
BEZ_API bez_aggregate_state *bez_aggregate_state_create(void); /* NULL: out of memory */
BEZ_API void bez_aggregate_state_destroy(bez_aggregate_state *state);

/* To keep a state: its vectors, valid until the next call with the state, and the way back (copied; floating-point
 * layers of F32 or F64 in C order; BEZ_USAGE for NaN or infinity). The client of a vector is its key, "" for the
 * server's own. */
BEZ_API size_t bez_aggregate_state_count(const bez_aggregate_state *state);
BEZ_API const bez_update *bez_aggregate_state_get(const bez_aggregate_state *state, size_t index);
BEZ_API BEZ_MUST_USE bez_status bez_aggregate_state_put(bez_aggregate_state *state, const bez_update *memory,
                                                        bez_error *err);

/* A state as a file of tensors called KEY:LAYER (the bytes of the key in hexadecimal). load puts the file's vectors
 * into the state (on failure perhaps some of them); a file that is not there yet holds none. save writes the file whole
 * or not at all. BEZ_FORMAT: the file is none of a state. */
BEZ_API BEZ_MUST_USE bez_status bez_aggregate_state_load(const char *path, bez_aggregate_state *state, bez_error *err);
BEZ_API BEZ_MUST_USE bez_status bez_aggregate_state_save(const char *path, const bez_aggregate_state *state,
                                                         bez_error *err);

/* Zero-initialise, then set rule and f. Strings and arrays are borrowed for the call. */
typedef struct bez_aggregate_options {
  const char *rule;       /* a name of the catalogue */
  const char *const *pre; /* pre-aggregators, applied in order */
  size_t n_pre;
  uint32_t f;                      /* clients that may be malicious */
  const bez_parameter *parameters; /* of the rule and the pre-aggregators; unknown ones are BEZ_USAGE */
  size_t n_parameters;
  bez_weights weights;
  double max_weight; /* (0, 1]; 0: 1 / (n − f) */
  bez_integers integers;
  const bez_update *reference; /* the global model; distances are taken on differences from it. NULL: zero */
  const bez_update *root;      /* the server's own update (FLTrust); NULL none */
  bez_aggregate_state *state;  /* needed by stateful rules, updated on success; NULL none */
  uint64_t seed;               /* of rules and pre-aggregators that draw */
  unsigned threads;            /* 0: all processors */
  uint32_t cpu;                /* kernel mask, used when cpu_given */
  bool cpu_given;
  bez_progress_fn progress;
  void *progress_ctx;
} bez_aggregate_options;

typedef enum bez_verdict_reason {
  BEZ_KEPT,
  BEZ_NOT_FINITE,   /* NaN or infinity: left out before the rule ran */
  BEZ_NOT_SELECTED, /* the rule chose others */
  BEZ_FAR,          /* too far from the others, by the rule's own measure */
  BEZ_OPPOSED,      /* points away from the server's own update */
  BEZ_TOO_ALIKE     /* too similar to other clients over time (FoolsGold) */
} bez_verdict_reason;

typedef struct bez_verdict {
  bool kept; /* took part with a weight above 0 */
  bez_verdict_reason reason;
  double weight;   /* share of the result, before clipping; coordinate-wise rules: 1 / clients in the rule */
  double score;    /* the rule's own (bez_aggregator_info.score says which); NaN where it has none */
  double distance; /* Euclidean, of the update to the aggregate */
  double trimmed;  /* share of coordinates at which the value was beyond those kept; NaN for other rules */
} bez_verdict;

BEZ_API const char *bez_verdict_reason_text(bez_verdict_reason reason); /* static */

/* Aggregates n updates into out, one buffer per layer of the layout (bez_aggregate_layout) in C order and of the
 * layer's type, owned by the caller. verdicts: n, in the order of the updates. Errors: BEZ_USAGE names the client and
 * the layer (shape, type or name that differ), the parameter, or how many clients the rule needs. On failure out is
 * unspecified and the state as it was. */
BEZ_API BEZ_MUST_USE bez_status bez_aggregate(const bez_update *updates, size_t n, const bez_aggregate_options *options,
                                              void *const *out, bez_verdict *verdicts, bez_error *err);

/* The update whose layers the result has: the reference where there is one, else the first whose layout more than half
 * of the clients share, else the first. NULL for n = 0 without a reference. */
BEZ_API const bez_update *bez_aggregate_layout(const bez_update *updates, size_t n,
                                               const bez_aggregate_options *options);

/* Files beside the updates; NULL where there is none. */
typedef struct bez_aggregate_files {
  const char *reference; /* the global model */
  const char *root;      /* the server's own update */
  const char *state;     /* what a stateful rule remembers: read where it is there, written on success */
  const char *examples;  /* JSON, {"UPDATE": examples, …} by path or file name: BEZ_WEIGHTS_DECLARED */
} bez_aggregate_files;

/* The same for files (bezoar/tensor.h), which are mapped and read tile by tile; the client of an update is its path.
 * The result is written to out_path as safetensors, whole or not at all. options.reference, .root and .state are not
 * looked at; with files.examples, neither is .weights. *report (verdicts as findings) is the caller's. */
BEZ_API BEZ_MUST_USE bez_status bez_aggregate_paths(const char *const *paths, size_t n,
                                                    const bez_aggregate_options *options,
                                                    const bez_aggregate_files *files, const char *out_path,
                                                    bez_report **report, bez_error *err);

typedef struct bez_aggregator_info {
  const char *name, *title, *summary;
  const char *parameters; /* "tau: radius (10); iterations (1)"; "" none */
  const char *tolerance;  /* "f < n / 2" */
  const char *cost, *score, *source;
  bool pre;      /* a pre-aggregator */
  bool stateful; /* needs options.state */
  bool weighted; /* heeds the server's weights (options.weights); others treat all clients alike */
} bez_aggregator_info;
BEZ_API size_t bez_aggregator_count(void);
BEZ_API bez_aggregator_info bez_aggregator_get(size_t index);

#ifdef __cplusplus
}
#endif
#endif
