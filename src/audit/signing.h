/* How models are signed and verified, in stages: signing_walk.c lists the files, signing_hash.c reads them,
 * signing_manifest.c is the list as it is signed, signing_compare.c holds the list against the files, signing.c is the
 * public interface (bezoar/signing.h). BZ-M013 (signature.c) uses the same stages. */
#ifndef BEZ_AUDIT_SIGNING_H
#define BEZ_AUDIT_SIGNING_H

#include "base/arena.h"
#include "base/threads.h"
#include "bezoar/signing.h"
#include "crypto/bundle.h"

#define BEZ_SIGNING_PREDICATE "https://model_signing/signature/v1.0"
#define BEZ_SIGNING_SHARD 1000000000u
#define BEZ_SIGNING_MAX_IGNORED 4096u /* ignored paths in a list */

/* ---- the list -----------------------------------------------------------------------------------------------------
 */

/* A file, or with shards a stretch of one. */
typedef struct bez_resource {
  const char *listed;  /* as the list writes it: "weights.bin", "weights.bin:0:1000" */
  const char *name;    /* of the file, below the model, with '/'; "." the model itself, where it is one file */
  uint64_t first, end; /* with shards: its bytes [first, end) */
  uint8_t digest[BEZ_DIGEST_MOST];
} bez_resource;

typedef struct bez_manifest {
  bez_arena arena;
  const char *model; /* its name: for people */
  bool shards, allow_symlinks;
  uint64_t shard_size;
  bez_digest_kind kind;
  const char **ignore; /* as bez_signing_path writes paths */
  size_t n_ignore;
  bez_resource *resources; /* in listed order; no two the same. Signing lists them by bytes of .listed */
  size_t n;
  char root[65]; /* SHA-256 over the digests in listed order, hex */
} bez_manifest;  /* zero-initialise; release with bez_manifest_free */

/* What a bundle's payload says, whoever signed it: hostile bytes. BEZ_FORMAT: it is no such list; BEZ_UNSUPPORTED: its
 * digests or its version are not known here. */
BEZ_MUST_USE bez_status bez_manifest_parse(const bez_bundle *bundle, const char *subject, bez_manifest *out,
                                           bez_error *err);
/* Works out root and appends the in-toto statement. */
BEZ_MUST_USE bez_status bez_manifest_write(bez_manifest *manifest, bez_buf *out, bez_error *err);
void bez_manifest_free(bez_manifest *manifest);

/* Writes the path as lists hold it over itself: "./a//b/" becomes "a/b". false: it is absolute, has "..", or nothing is
 * left. */
BEZ_MUST_USE bool bez_signing_path(char *text);

/* ---- the files ----------------------------------------------------------------------------------------------------
 */

typedef struct bez_walk_file {
  const char *name; /* below the root; "." the root itself, where it is a file */
  uint64_t size;
  const char *trouble; /* why it can be neither signed nor verified, static; NULL: it can */
} bez_walk_file;

typedef struct bez_walk {
  bez_arena arena;
  bez_walk_file *files; /* by name, ascending bytes */
  size_t n, room;
  const char **ignored; /* what was passed over, by name */
  size_t n_ignored;
  uint64_t n_outside; /* links to files outside the root */
} bez_walk;           /* zero-initialise; release with bez_walk_free */

#define BEZ_SIGNING_LEADS_OUT "is a symbolic link that leads out of the folder: not followed"

typedef struct bez_walk_options {
  const char *const *ignore; /* files, or folders with all below them, that are passed over */
  size_t n_ignore;
  bool allow_symlinks;
  const char *boundary; /* links are followed within it: a real path; NULL: anywhere */
} bez_walk_options;

/* Lists the files below root, or root itself where it is a file. */
BEZ_MUST_USE bez_status bez_signing_walk(const char *root, const bez_walk_options *options, bez_walk *out,
                                         bez_error *err);
/* Both are real paths: whether the one is the other, or lies below it. */
bool bez_signing_within(const char *path, const char *folder);
void bez_walk_free(bez_walk *walk);
/* NULL: it is not there. */
const bez_walk_file *bez_walk_find(const bez_walk *walk, const char *name);

/* A stretch to be read. */
typedef struct bez_hash_task {
  const bez_walk_file *file;
  uint64_t first, len;
  uint8_t *digest; /* filled */
} bez_hash_task;

typedef struct bez_hash_plan {
  const char *root;
  bool allow_symlinks;
  bez_digest_kind kind;
  const bez_hash_task *tasks;
  size_t n;
  unsigned threads;
  bez_progress_fn progress;
  void *progress_ctx;
} bez_hash_plan;

BEZ_MUST_USE bez_status bez_signing_hash(const bez_hash_plan *plan, bez_error *err);

/* ---- the list against the files -----------------------------------------------------------------------------------
 */

typedef struct bez_compare {
  const bez_manifest *manifest;
  const char *root;
  const char *signature; /* its path: not looked at where it lies below root */
  const char *const *ignore;
  size_t n_ignore;
  bool ignore_unsigned, allow_symlinks;
  const char *boundary; /* as in bez_walk_options */
  /* Digests that are known already; NULL: nobody has any. Hex, or NULL: not known. */
  const char *(*sha256_of)(void *ctx, const char *name);
  /* Told of each file that is as signed, all of it; NULL: nobody asks. */
  void (*as_signed)(void *ctx, const char *name);
  void *ctx;
  unsigned threads;
  bez_progress_fn progress;
  void *progress_ctx;
} bez_compare;

/* Fills problems, n_files, bytes, ignored, digest of *out on its arena; holds is left alone. */
BEZ_MUST_USE bez_status bez_signing_compare(const bez_compare *compare, bez_arena *arena, bez_verification *out,
                                            bez_error *err);
/* Adds to out->problems. */
BEZ_MUST_USE bez_status bez_signing_problem(bez_arena *arena, bez_verification *out, bez_verify_what what,
                                            const char *name, bez_error *err, const char *fmt, ...) BEZ_PRINTF(6, 7);

/* ---- who signed it ------------------------------------------------------------------------------------------------
 */

/* Whether the options name anybody. */
bool bez_signing_expects(const bez_verify_options *options);
/* Each way that the options name must hold. BEZ_OK: who is filled; BEZ_FORMAT: refused, with the reason; BEZ_USAGE: a
 * key or root that cannot be used; BEZ_UNSUPPORTED: no trusted root, so that nothing can be told. */
BEZ_MUST_USE bez_status bez_signing_signer(const bez_bundle *bundle, const bez_verify_options *options,
                                           const char *subject, char *who, size_t size, bez_error *err);

/* ---- where signatures lie -----------------------------------------------------------------------------------------
 */

/* The names that are always left out: git's at the top, options' own, and the signature where it lies below root.
 * All on the arena. */
BEZ_MUST_USE bez_status bez_signing_ignore(const char *root, const char *signature, const char *const *extra,
                                           size_t n_extra, bez_arena *arena, const char ***out, size_t *n,
                                           bez_error *err);
/* Whether it is one of git's names. */
bool bez_signing_is_gits(const char *name);
/* The signature's name below root, on the arena; NULL: it lies elsewhere. */
BEZ_MUST_USE bez_status bez_signing_below(const char *root, const char *signature, bez_arena *arena, const char **out,
                                          bez_error *err);
/* Where the signature of a model lies unless somebody says otherwise; on the arena. NULL: memory is out. */
const char *bez_signing_place(const char *root, bez_arena *arena);

#endif
