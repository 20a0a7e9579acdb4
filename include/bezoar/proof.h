/* Proofs about rows: that one is in a version, or that it is not, for whoever has nothing but the proof and the log's
 * public key. What a proof is made of: docs/vault/proofs.md. */
#ifndef BEZOAR_PROOF_H
#define BEZOAR_PROOF_H

#include "bezoar/vault.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What is to be proven of a version. Exactly one of row, digest and rows is given. */
typedef struct bez_vault_prove_options {
  const char *version;         /* DATA, DATA@3, DATA@latest, DATA@commit */
  const uint64_t *row;         /* its number, counted from 0: that the row is there */
  const char *digest;          /* canonical digest, 64 hexadecimal digits: that it is there or that it is not */
  const char *rows;            /* path of a file with rows (CSV with its header, JSON lines, …): the same of each */
  const bez_vault_who *reader; /* who asks; NULL or without a key: nobody in particular */
} bez_vault_prove_options;
/* The attempt is an entry of the log, whatever comes of it. {"dataset","version","commit","proof" (text),"bytes",
 * "claims":[{"claim","canonical","raw","type","count"}],"reader"}; claim: "included" (a row; raw and type are its), or,
 * of digests, "present" (count: how often) or "absent". BEZ_USAGE: no such row; or the log's checkpoint does not cover
 * the version yet. */
BEZ_API BEZ_MUST_USE bez_status bez_vault_prove(bez_vault *vault, const bez_vault_prove_options *options, char **json,
                                                bez_error *err);
/* That the log of old_size entries is the beginning of the one that the checkpoint signs. new_size: what the checkpoint
 * covers, or 0 for that. {"old","new","proof","bytes"} */
BEZ_API BEZ_MUST_USE bez_status bez_vault_prove_consistency(bez_vault *vault, uint64_t old_size, uint64_t new_size,
                                                            char **json, bez_error *err);

/* Which claims will do. */
typedef enum bez_proof_want { BEZ_PROOF_ANY, BEZ_PROOF_ABSENT, BEZ_PROOF_PRESENT } bez_proof_want;

/* What has to be borne out. */
typedef struct bez_proof_check_options {
  const char *log_key;          /* verifier key of the log: "name+hash+base64" */
  const char *const *witnesses; /* verifier keys of witnesses */
  size_t n_witnesses, quorum;   /* so many of them must have cosigned; BEZ_USAGE: more than there are */
  const char *rows;             /* path of a file with rows, NULL none: the proof must claim something of each */
  const char *allowed_signers;  /* path of a file as ssh-keygen(1) has it, NULL none: who may have signed the submission
                                   and the commit; BEZ_USAGE: it is none */
  bez_proof_want want;          /* of every claim; present: or included */
} bez_proof_check_options;
/* Needs no vault. BEZ_FORMAT says why the proof does not hold. {"ok":true,"kind":"row","log","index","size","entry",
 * "dataset","time","n_rows","version","commit","commit_index","contributors":[fingerprints],"committers":[…],"allowed",
 * "claims":[…],"rows":[{"row","claim","canonical"}] (of the file, where one is given)}, or {"ok":true,
 * "kind":"consistency","log","old":{"size","root"},"new":{"size","root"}}. The contributors signed the submission, the
 * committers the commit that names it; whether they might is what the log's entries about trust say, and no part of the
 * proof: allowed says whether allowed_signers bore it out. */
BEZ_API BEZ_MUST_USE bez_status bez_proof_verify(const char *proof, size_t len, const bez_proof_check_options *options,
                                                 char **json, bez_error *err);

#ifdef __cplusplus
}
#endif
#endif
