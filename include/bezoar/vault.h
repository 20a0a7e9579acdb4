/* The vault: where every data point came from, who touched it, and the way back.
 *
 * Functions answer with a JSON document (NUL-terminated text, owned by the caller, released with bez_text_free); the
 * shapes are stated at each and in docs/vault/json.md. A handle is used by one thread at a time; several processes may
 * use one vault at once. Refusals (unsigned, unknown, expired, revoked …) are BEZ_USAGE with the reason; what is
 * damaged is BEZ_FORMAT with the place. */
#ifndef BEZOAR_VAULT_H
#define BEZOAR_VAULT_H

#include "bezoar/base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct bez_vault bez_vault;

BEZ_API void bez_text_free(char *text); /* NULL is fine */

/* Which key acts, and how it is had. key: see docs/vault/keys.md; NULL: the default key. */
typedef struct bez_vault_who {
  const char *key, *password;
} bez_vault_who;

/* Makes path/.bezoar (path NULL: the working folder). who becomes admin and signs checkpoints; the key "default" is
 * made where there is none and none was named. {"vault","origin","key","admin"} */
BEZ_API BEZ_MUST_USE bez_status bez_vault_init(const char *path, const bez_vault_who *who, char **json, bez_error *err);
/* path: a folder with .bezoar, or .bezoar itself; NULL: found upwards from the working folder. */
BEZ_API BEZ_MUST_USE bez_status bez_vault_open(const char *path, bez_vault **out, bez_error *err);
BEZ_API void bez_vault_close(bez_vault *vault); /* NULL is fine */

/* Reads a file or folder into the vault and stages it as the next version of a data set, signed by who. Who may not, or
 * a source that is not known, is refused before a byte is read.
 * {"dataset","staged","submission","parent","source","by",
 * "key","form","n_rows","n_files","bytes","added","removed","changed"}; "staged" is false where nothing changed, and
 * the rest but "dataset" and "parent" is not there then. */
typedef struct bez_vault_add_options {
  const char *name;     /* of the data set; NULL: the path relative to the folder that holds .bezoar */
  const char *source;   /* id; needed */
  const char *form;     /* NULL: by content */
  const char *labels;   /* pictures: file with a label per picture; NULL: names of folders */
  const char *note;     /* free text, NULL none */
  const char *report;   /* JSON of a scan of exactly this data, NULL none: kept with the submission */
  const char *run;      /* id (hex) of the run entry that made it, NULL none */
  const uint8_t *stamp; /* 32 bytes: how the files stood when they were looked at (content/stamp.h); NULL anyhow */
  bez_vault_who who;
  bool by_reference; /* rows stay in the file; it must not change from then on */
  unsigned threads;  /* 0: all processors */
  uint64_t memory;   /* bytes, 0: 384 MiB */
  bez_progress_fn progress;
  void *progress_ctx;
} bez_vault_add_options;
BEZ_API BEZ_MUST_USE bez_status bez_vault_add(bez_vault *vault, const char *path, const bez_vault_add_options *options,
                                              char **json, bez_error *err);
/* Whether who may contribute to the data set that path would be added as; for those who look at the data first. Errors
 * as those of bez_vault_add. *policy (NULL: not wanted): {"require_scan","fail_on","rules"} in force. */
BEZ_API BEZ_MUST_USE bez_status bez_vault_may_add(bez_vault *vault, const char *path,
                                                  const bez_vault_add_options *options, char **policy, bez_error *err);

/* Makes versions of what is staged.
 * {"commit","datasets":[{"name","version","n_rows","added","removed","changed"}],"by"}; where the policy wants more
 * signatures: {"pending":true,"commit","signatures","needed"}. */
typedef struct bez_vault_commit_options {
  const char *message;         /* needed */
  const char *const *datasets; /* n 0: all that is staged */
  size_t n_datasets;
  const char *submission; /* id (hex) that the one data set's must be; NULL: whatever is staged */
  bez_vault_who who;
} bez_vault_commit_options;
BEZ_API BEZ_MUST_USE bez_status bez_vault_commit(bez_vault *vault, const bez_vault_commit_options *options, char **json,
                                                 bez_error *err);

/* {"vault","origin","entries","signed","datasets":[{"name","version","commit","n_rows","path","state","staged"}],
 * "commit_pending"}; state: "unchanged", "changed", "missing" (no such file). full: files are read, not only looked at.
 */
BEZ_API BEZ_MUST_USE bez_status bez_vault_status(bez_vault *vault, bool full, bez_progress_fn progress,
                                                 void *progress_ctx, char **json, bez_error *err);

/* Entries of the log, oldest first: {"entries":[{"index","id","type","time","by","key","effect","entry"}],"size"};
 * effect:
 * "" or why it has none. */
typedef struct bez_vault_log_filter {
  const char *dataset, *type, *by; /* NULL: any. by: a principal or a key's fingerprint */
  uint64_t limit;                  /* the last ones, 0: all */
} bez_vault_log_filter;
BEZ_API BEZ_MUST_USE bez_status bez_vault_log(bez_vault *vault, const bez_vault_log_filter *filter, char **json,
                                              bez_error *err);

/* Writes DATA@v to path, bit by bit; a file that is there is refused unless replace is set, a folder always; reader.key
 * NULL: nobody in particular. The attempt is an entry of the log, whatever comes of it, and nothing has its name before
 * that entry is written. {"dataset","version","commit","path","n_rows","bytes","reader"} */
BEZ_API BEZ_MUST_USE bez_status bez_vault_checkout(bez_vault *vault, const char *version, const char *path,
                                                   bool replace, const bez_vault_who *reader, unsigned threads,
                                                   bez_progress_fn progress, void *progress_ctx, char **json,
                                                   bez_error *err);

/* Writes the rows of DATA@v as a table: their fields, whatever form they are stored in. Read into the vault again, a
 * row has the canonical digest that it had. The attempt is an entry of the log, as that of a checkout. BEZ_UNSUPPORTED:
 * rows of Parquet and Arrow files, and "parquet", where there is no pyarrow.
 * {"dataset","version","commit","path","format","n_rows","reader"} */
typedef struct bez_vault_export_options {
  const char *format; /* "csv", "jsonl", "parquet" */
  const char *path;   /* of the file, "-": standard output */
  bool provenance;    /* more columns: bezoar:source, bezoar:contributor, bezoar:commit (the row's first), of pictures
                         bezoar:file */
  bool digests;       /* more columns: bezoar:raw, bezoar:canonical (SHA-256, hexadecimal) */
  bez_vault_who reader;
  bez_progress_fn progress;
  void *progress_ctx;
} bez_vault_export_options;
BEZ_API BEZ_MUST_USE bez_status bez_vault_export(bez_vault *vault, const char *version,
                                                 const bez_vault_export_options *options, char **json, bez_error *err);

/* Rows in which two versions differ. {"a":{"dataset","version"},"b":{…},"added","removed","changed","rows":[{"kind",
 * "old_row","new_row","old","new"}],"other":[{"of","kind","text"}],"more"}: at most limit rows are told (0: all);
 * "more": how many were not; "other": what differs and is no row (headers, files). Rows are counted from 0.
 * reader: asked for and recorded where the policy has require_reader, else unused; so for bez_vault_blame. */
BEZ_API BEZ_MUST_USE bez_status bez_vault_diff(bez_vault *vault, const char *a, const char *b, uint64_t limit,
                                               const bez_vault_who *reader, char **json, bez_error *err);

/* Where rows come from: row by its number (counted from 0), or, where `where` is not NULL ("COLUMN=VALUE"), every row
 * with that value, at most limit of them (0: 20). {"dataset","version","rows":[{"row","file","text","raw","canonical",
 * "batch","commit":{…},"submission":{…},"contributor":{"principal","key","disowned"},"source":{"id","fields"},
 * "chain":[{"run","by","time","inputs","statement"}],"readers":[…],"more_readers"}],"more"}
 */
BEZ_API BEZ_MUST_USE bez_status bez_vault_blame(bez_vault *vault, const char *version, uint64_t row, const char *where,
                                                uint64_t limit, const bez_vault_who *reader, char **json,
                                                bez_error *err);

/* Everything later that inherited from what is named: versions that hold such rows, runs that read such versions, what
 * they made, and models that were trained on any of it. kind: "key" (a fingerprint or a principal), "source" (its id),
 * "commit" (digits of its id), "row" (DATA@v#ROW, or a row's canonical digest), or NULL: found out, where only one
 * fits.
 * {"of":{"kind","what"},"versions":[{"dataset","version","commit","rows","latest"}],"runs":[{"run","index","by","time",
 * "inputs","outputs"}],"models":[{"name","sha256","dataset","version","index","by","time"}]} */
BEZ_API BEZ_MUST_USE bez_status bez_vault_impact(bez_vault *vault, const char *kind, const char *what, char **json,
                                                 bez_error *err);
/* Disowns what a key (or every key of a principal) signed from since on, refuses it from now on, and tells what
 * inherited from it: {"revoked":[…],"impact":[…]}, one impact per key; shapes as of bez_vault_trust_revoke and
 * bez_vault_impact. */
BEZ_API BEZ_MUST_USE bez_status bez_vault_revoke(bez_vault *vault, const char *whom, const char *since,
                                                 const char *reason, const bez_vault_who *who, char **json,
                                                 bez_error *err);

/* A new version with the trees of an old one. Answer as of bez_vault_commit. */
BEZ_API BEZ_MUST_USE bez_status bez_vault_rollback(bez_vault *vault, const char *version, const char *message,
                                                   const bez_vault_who *who, char **json, bez_error *err);
/* New versions of the data sets of a commit (digits of its id) without what it did: rows it brought leave, rows it took
 * away come back at their place, rows it changed are as before; what was done since stays. Answer as of
 * bez_vault_commit. */
BEZ_API BEZ_MUST_USE bez_status bez_vault_revert(bez_vault *vault, const char *commit, const char *message,
                                                 const bez_vault_who *who, char **json, bez_error *err);

/* Makes the index anew from log and objects. {"entries","versions","sorted"} */
BEZ_API BEZ_MUST_USE bez_status bez_vault_reindex(bez_vault *vault, bez_progress_fn progress, void *progress_ctx,
                                                  char **json, bez_error *err);

/* Everything the vault holds against everything it says; path as for bez_vault_open. A vault that is damaged is no
 * failure of this: {"ok","vault","full","entries","malformed","versions","pruned","index","objects"{…},"rows"{…},
 * "n_damage","damage":[{"file","offset","length","what","object","dataset","version","rows":[first,last]}]}. Without
 * full: the log, entries, nodes of trees, and that their leaves are there; with full: every byte. */
typedef struct bez_vault_verify_options {
  bool full;
  unsigned threads; /* 0: all */
  bez_progress_fn progress;
  void *progress_ctx;
} bez_vault_verify_options;
BEZ_API BEZ_MUST_USE bez_status bez_vault_verify(const char *path, const bez_vault_verify_options *options, char **json,
                                                 bez_error *err);

/* Removes objects that nothing in the log or the stage names, and, where keep or older_than say so, the data of old
 * versions: never of the latest one, of what is pinned, or of what a model was trained on. The log keeps their entries.
 * Nobody else may have the vault open. {"dry_run","pruned":[{"dataset","version"}],"kept":[{"dataset","version",
 * "why"}],"gone":[…],"objects","packs","bytes_before","bytes_after","leftovers","entry"}. */
typedef struct bez_vault_gc_options {
  bool dry_run;       /* nothing is changed */
  uint64_t keep;      /* versions of each data set, the last ones; 0: all */
  int64_t older_than; /* seconds; 0: no age is too old */
  bez_vault_who who;  /* an admin */
  bez_progress_fn progress;
  void *progress_ctx;
} bez_vault_gc_options;
BEZ_API BEZ_MUST_USE bez_status bez_vault_gc(bez_vault *vault, const bez_vault_gc_options *options, char **json,
                                             bez_error *err);
/* what: "train.csv@3", or "train.csv" for all its versions. {"op","what","reason","entry"} */
BEZ_API BEZ_MUST_USE bez_status bez_vault_pin(bez_vault *vault, const char *what, bool unpin, const char *reason,
                                              const bez_vault_who *who, char **json, bez_error *err);

#ifdef __cplusplus
}
#endif
#endif
