/* The main job: scan data, and split it into clean and quarantined. */
#ifndef BEZOAR_SCAN_H
#define BEZOAR_SCAN_H

#include "bezoar/finding.h"
#include "bezoar/format.h"
#include "bezoar/signing.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What became of a data set's files where a saved state was at hand. Texts name the first few, comma separated. */
typedef struct bez_scan_reuse {
  uint64_t n_same;      /* taken from the state, not parsed again */
  uint64_t n_new;       /* not in the state */
  uint64_t n_changed;   /* other content than when the state was saved, or another place among the files */
  uint64_t n_replanned; /* the same, but parsed again: what the columns are is decided by other rows now */
  uint64_t n_gone;      /* in the state alone: not examined */
  char changed[512], gone[512];
} bez_scan_reuse;

/* Zero-initialise for the defaults (or pass NULL for them). Strings are borrowed for the call. */
typedef struct bez_scan_options {
  bez_read_options read;
  const char *golden;               /* path of a small verified set of the same kind, NULL none */
  const char *golden_labels;        /* its labels file */
  const char *golden_embeddings;    /* its embeddings */
  const char *reference;            /* path of known-good data of the same kind, NULL none */
  const char *base;                 /* path of the model that the scanned ones were made from, NULL none */
  const char *bank;                 /* path of a reference bank of adapters, NULL none */
  const char *known;                /* path of a list of digests known to be good, NULL none */
  const bez_verify_options *signer; /* who must have signed models that have a signature, NULL nobody said: of it, key,
                                     * roots, at, identity, oidc_issuer and trusted_root count */
  bool sandbox_off;                 /* models may be read where no sandbox can be had; the report says so */
  const char *const *only;          /* rule ids or names; unknown ones are BEZ_USAGE */
  size_t n_only;
  const char *const *skip;
  size_t n_skip;
  double max_time;          /* seconds, 0: none; what does not fit is "not checked" */
  const char *suppressions; /* path, NULL none */
  const char *baseline;     /* path of an earlier JSON report, NULL none */
  bool new_only;
  uint32_t ruleset; /* 0: the current one */
  uint32_t cpu;     /* kernel mask, used when cpu_given */
  bool cpu_given;
  const char *today;         /* YYYY-MM-DD against which suppressions expire; NULL: the clock (UTC) */
  const char *const *record; /* further "key=value" the report keeps among the effective options (fail-on …) */
  size_t n_record;
  const char *with; /* path of a saved state: bez_scan_paths takes from it what has not changed, and without paths all
                     * of it. Options that decide what is read come from it unless they are given; given otherwise
                     * than there they are BEZ_USAGE */
  const char *save; /* path where bez_scan_paths saves what was read, NULL none */
  bez_scan_reuse *reuse; /* filled with both a state and paths; may be NULL */
} bez_scan_options;

/* Opens, reads and examines paths (n_paths may be 0 where options->with names a state). A path that cannot be examined
 * is in the report (and in *err when nothing at all could be examined, with a status other than BEZ_OK and *out NULL).
 * What max_time cuts off counts as unexamined: too little time is never "clean". */
BEZ_API BEZ_MUST_USE bez_status bez_scan_paths(const char *const *paths, size_t n_paths,
                                               const bez_scan_options *options, bez_report **out, bez_error *err);
/* One shard of paths: reads part `shard` (0 … n_shards - 1) of the data set and saves it for bez_shard_merge; nothing
 * is examined. All shards must be given the same paths and options. *n_rows: of this part. Files are shared out whole
 * where there are as many as shards, else CSV, npy and IDX files are cut by bytes or rows. Of options, read alone
 * counts; sample and embeddings are BEZ_USAGE: they belong to the scan of the whole. */
BEZ_API BEZ_MUST_USE bez_status bez_shard_save(const char *const *paths, size_t n_paths,
                                               const bez_scan_options *options, uint32_t shard, uint32_t n_shards,
                                               const char *out_path, uint64_t *n_rows, bez_error *err);
/* Puts the shards of one data set together, in any order; a missing, repeated or foreign one is BEZ_USAGE. The state
 * at out_path, scanned (bez_scan_options.with), gives the report that one process would have given. */
BEZ_API BEZ_MUST_USE bez_status bez_shard_merge(const char *const *states, size_t n_states, const char *out_path,
                                                uint64_t *n_rows, bez_error *err);
/* The same on a table the caller opened (and keeps). */
BEZ_API BEZ_MUST_USE bez_status bez_scan_table(const bez_table *table, const bez_scan_options *options,
                                               bez_report **out, bez_error *err);

/* Every rule a scan can raise: the detectors and what reading itself notices. Static storage throughout. */
typedef struct bez_rule_info {
  const char *id, *name, *title, *summary, *remedy, *taxonomy;
  const char *example; /* the title of a finding of a model check; NULL: none */
} bez_rule_info;
BEZ_API size_t bez_rule_count(void);
BEZ_API bez_rule_info bez_rule_get(size_t index);

typedef struct bez_clean_options {
  bez_severity at_least; /* rows of findings at or above this severity leave; default BEZ_SEV_ERROR is set by
                          * bez_clean_defaults */
  bool with_lists;       /* also rows of ranked lists (label flips) */
  /* Files with one row per row of the data, which lose the same rows; NULL: none. Text formats, npy and IDX. */
  const char *labels_file, *labels_out;
  const char *embeddings, *embeddings_out;
  bez_progress_fn progress; /* may be NULL; false: BEZ_CANCELLED, and no output is left behind */
  void *progress_ctx;
} bez_clean_options;
BEZ_API bez_clean_options bez_clean_defaults(void);

typedef struct bez_clean_result {
  uint64_t n_rows, n_kept, n_quarantined;
  bool mask; /* a mask was written, not the rows */
} bez_clean_result;

/* Splits one file by a report's rows: those of all findings that are severe enough and not suppressed, whether a
 * baseline knew them or not (new_only says what counts for the exit code, not what is poison). Text formats,
 * npy and IDX: every kept record byte for byte. Other arrays (Parquet, npz, WebDataset): out_path receives a keep-mask
 * (npy, uint8, one per row). A folder of pictures or texts: a CSV with the names of the kept files, relative to it. The
 * report must name this file, or hold only one. */
BEZ_API BEZ_MUST_USE bez_status bez_clean(const char *path, const bez_report *report, const bez_clean_options *options,
                                          const char *out_path, const char *quarantine_path, bez_clean_result *result,
                                          bez_error *err);

#ifdef __cplusplus
}
#endif
#endif
