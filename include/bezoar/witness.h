/* The vault's log seen from outside: signed checkpoints, and witnesses who cosign them (C2SP tlog-checkpoint,
 * tlog-cosignature, tlog-witness). Conventions as in bezoar/vault.h. */
#ifndef BEZOAR_WITNESS_H
#define BEZOAR_WITNESS_H

#include "bezoar/vault.h"

#ifdef __cplusplus
extern "C" {
#endif

/* bez_vault_open refuses a log that was rolled back or replaced since it was last seen from here; this forgets what was
 * seen and opens what is there. */
BEZ_API BEZ_MUST_USE bez_status bez_vault_accept(const char *path, bez_vault **out, bez_error *err);

/* Signs the head where it is not signed yet; who.key NULL: the log's key, wherever it can be had.
 * {"origin","key","size","root","checkpoint","cosigned":[names]}; "checkpoint" is the signed note, "root" hexadecimal.
 */
BEZ_API BEZ_MUST_USE bez_status bez_vault_checkpoint(bez_vault *vault, const bez_vault_who *who, char **json,
                                                     bez_error *err);

/* Names a witness whose cosignatures are collected (a signed entry; admins only). key: its verifier key (C2SP
 * signed-note, kind 4). url: its submission prefix, "" where requests go by file.
 * {"witness","key","url","entry"} */
BEZ_API BEZ_MUST_USE bez_status bez_vault_witness_add(bez_vault *vault, const char *key, const char *url,
                                                      const bez_vault_who *who, char **json, bez_error *err);
/* The opposite. name: as in its key. {"witness","removed":true,"entry"} */
BEZ_API BEZ_MUST_USE bez_status bez_vault_witness_remove(bez_vault *vault, const char *name, const bez_vault_who *who,
                                                         char **json, bez_error *err);
/* {"size","witnesses":[{"witness","key","url","cosigned","time"}]}: whether each cosigned the checkpoint, and when
 * (seconds since 1970). */
BEZ_API BEZ_MUST_USE bez_status bez_vault_witness_list(bez_vault *vault, char **json, bez_error *err);

/* Sends the checkpoint to witnesses that have a URL (names; n 0: all) and keeps their cosignatures.
 * {"ok","size","asked":[{"witness","url","cosigned","why"}]}; "ok": all of them cosigned. */
BEZ_API BEZ_MUST_USE bez_status bez_vault_witness_ask(bez_vault *vault, const char *const *names, size_t n, char **json,
                                                      bez_error *err);
/* The same by file: what a witness is sent, from the size of the last checkpoint it cosigned (0: it never did), and
 * what it answered. {"size","old_size","request"} and {"ok","size","added"}; "ok": something was added. */
BEZ_API BEZ_MUST_USE bez_status bez_vault_witness_request(bez_vault *vault, uint64_t old_size, char **json,
                                                          bez_error *err);
BEZ_API BEZ_MUST_USE bez_status bez_vault_witness_take(bez_vault *vault, const char *lines, size_t len, char **json,
                                                       bez_error *err);

/* Being a witness of somebody's log. It remembers below folder (NULL: "witness" beside the folder of keys) what it
 * cosigned and never cosigns another history. log_key: the log's verifier key; NULL: a log that was cosigned before. A
 * request that begins somewhere else than where the witness stands is BEZ_USAGE and the message says where.
 * {"witness","key","origin","size","cosignature"} */
typedef struct bez_vault_cosign_options {
  const char *name;    /* of the witness, as in its verifier key */
  const char *log_key; /* vkey */
  const char *folder;
  bez_vault_who who;
} bez_vault_cosign_options;
BEZ_API BEZ_MUST_USE bez_status bez_vault_witness_cosign(const char *request, size_t len,
                                                         const bez_vault_cosign_options *options, char **json,
                                                         bez_error *err);
/* The verifier key of a witness. {"witness","key"} */
BEZ_API BEZ_MUST_USE bez_status bez_vault_witness_key(const char *name, const bez_vault_who *who, char **json,
                                                      bez_error *err);

#ifdef __cplusplus
}
#endif
#endif
