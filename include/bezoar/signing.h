/* Signatures over models: OpenSSF Model Signing v1.0. Signing writes down every file's digest and signs the list;
 * verifying asks whether the list is what the signer wrote, and whether the files are what it says. */
#ifndef BEZOAR_SIGNING_H
#define BEZOAR_SIGNING_H

#include "bezoar/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Zero-initialise for the defaults. Strings are borrowed for the call. */
typedef struct bez_sign_options {
  const char *key;                 /* PEM file with a private EC key on P-256, P-384 or P-521 */
  const char *password;            /* of the key; NULL: none */
  const char *const *certificates; /* PEM files, the key's own certificate first: signs with a chain instead of a key */
  size_t n_certificates;
  const char *signature;     /* where it goes; NULL: model.sig in the folder, FILE.sig beside a file */
  const char *const *ignore; /* paths below the model that are not signed, with what is below them; no patterns */
  size_t n_ignore;
  const char *hash;         /* "sha256" (NULL) or "blake2b" */
  bool shards;              /* one digest per stretch of a file instead of one per file */
  uint64_t shard_size;      /* bytes; 0: 1,000,000,000 */
  bool allow_symlinks;      /* links to files are signed as what they lead to; else a link is refused */
  unsigned threads;         /* 0: all processors */
  bez_progress_fn progress; /* may be NULL */
  void *progress_ctx;
} bez_sign_options;

typedef struct bez_sign_result {
  char signature[4096]; /* path of what was written */
  char digest[65];      /* SHA-256 over all digests, in order: names what was signed */
  char key[65];         /* hex SHA-256 of the public key's PEM text, as bundles hint at it */
  uint64_t n_files, bytes;
  uint64_t n_ignored; /* files and folders that were left out */
  uint64_t n_outside; /* links that lead out of the model */
} bez_sign_result;

/* Signs a folder or a single file. BEZ_USAGE where it holds what cannot be signed (named in *err) or where the
 * signature's place holds a file that is no signature; a signature that is there is replaced. The new one appears whole
 * or not at all. */
BEZ_API BEZ_MUST_USE bez_status bez_model_sign(const char *path, const bez_sign_options *options,
                                               bez_sign_result *result, bez_error *err);

/* Zero-initialise; then name at least one way to tell who signed: key, roots, or identity with oidc_issuer and
 * trusted_root. Where there are several, each must hold. */
typedef struct bez_verify_options {
  const char *key;          /* PEM file with the public key */
  const char *const *roots; /* PEM files with trusted root certificates */
  size_t n_roots;
  int64_t at; /* with at_given: the time (seconds since 1970, UTC) at which certificates must be valid; else now */
  bool at_given;
  const char *identity;     /* Sigstore: who must have signed, as the certificate names him */
  const char *oidc_issuer;  /* … and who vouched for it */
  const char *trusted_root; /* … verified against the authorities and logs of this trusted_root.json */
  const char *signature;    /* NULL: model.sig in the folder, FILE.sig beside a file */
  const char *const *ignore;
  size_t n_ignore;
  bool ignore_unsigned; /* files that the signature does not name are fine */
  bool allow_symlinks;  /* follow links to files even where the signature does not */
  unsigned threads;
  bez_progress_fn progress; /* may be NULL */
  void *progress_ctx;
} bez_verify_options;

typedef enum bez_verify_what {
  BEZ_VERIFY_SIGNATURE, /* the bundle is malformed, not the signer's, or over something else */
  BEZ_VERIFY_CHANGED,   /* a file differs from what was signed */
  BEZ_VERIFY_MISSING,   /* a file that was signed is not there */
  BEZ_VERIFY_UNSIGNED   /* a file is there that was not signed */
} bez_verify_what;

typedef struct bez_verify_problem {
  bez_verify_what what;
  const char *name; /* below the model; the signature's path for BEZ_VERIFY_SIGNATURE */
  const char *why;  /* a sentence without a full stop; with shards, one for each that differs */
} bez_verify_problem;

/* What verifying found; texts may hold any UTF-8 a bundle or a file name holds. */
typedef struct bez_verification {
  bool holds;                         /* signed by whom was asked for, and every file as signed */
  const bez_verify_problem *problems; /* in the order of the signature's list, then unsigned files by name */
  size_t n_problems;
  uint64_t n_more;            /* problems beyond those */
  const char *signature;      /* path of the bundle */
  const char *who;            /* "key e8450d…", a certificate's subject; "" where nobody's signature was verified */
  const char *digest;         /* SHA-256 over all digests; "" where the list could not be read */
  uint64_t n_files, bytes;    /* that are as signed */
  const char *const *ignored; /* what is there and neither signed nor looked at, because the signature or the caller
                               * says so; the first few */
  size_t n_ignored;
  uint64_t n_outside; /* links that lead out of the model */
  void *memory;       /* owned */
} bez_verification;

/* Verifies a folder or a single file. BEZ_OK whenever the question could be answered: see *out, to be released with
 * bez_verification_free. Else a file could not be read (BEZ_IO), options are wrong (BEZ_USAGE), or the signature uses
 * what this version does not know (BEZ_UNSUPPORTED). */
BEZ_API BEZ_MUST_USE bez_status bez_model_verify(const char *path, const bez_verify_options *options,
                                                 bez_verification *out, bez_error *err);
BEZ_API void bez_verification_free(bez_verification *verification);

#ifdef __cplusplus
}
#endif
#endif
