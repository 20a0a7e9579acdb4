/* Keys, and who may do what in a vault: contributors, sources, the policy.
 *
 * As in bezoar/vault.h: answers are JSON texts owned by the caller (bez_text_free), refusals are BEZ_USAGE with a
 * message that begins with "refused: ". Every change is a signed entry of the vault's log; nothing is ever taken out.
 * Times are RFC 3339 in UTC ("2026-01-31T12:00:00Z"), days ("2026-01-31": their first second), or "now". */
#ifndef BEZOAR_TRUST_H
#define BEZOAR_TRUST_H

#include "bezoar/vault.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Makes an Ed25519 key in the folder of keys ($BEZOAR_HOME/keys, else $XDG_CONFIG_HOME/bezoar/keys, else
 * ~/.config/bezoar/keys), mode 600, and NAME.pub beside it; nothing is overwritten. OpenSSH's format, or PKCS #8 (with
 * a password: encrypted). comment: NULL the name. {"name","path","public","fingerprint"} */
typedef struct bez_vault_key_options {
  const char *name, *comment, *password;
  bool pkcs8;
} bez_vault_key_options;
BEZ_API BEZ_MUST_USE bez_status bez_vault_key_new(const bez_vault_key_options *options, char **json, bez_error *err);
/* The keys of the folder and of the SSH agent, by name:
 * {"folder","keys":[{"name","where","fingerprint","type","public", "usable"}]}; where: "folder" or "agent"; usable:
 * Ed25519, and the private half is there. */
BEZ_API BEZ_MUST_USE bez_status bez_vault_key_list(char **json, bez_error *err);
/* Copies a private key file (Ed25519, OpenSSH's format or PKCS #8) into the folder. Answer as of key_new. */
BEZ_API BEZ_MUST_USE bez_status bez_vault_key_import(const char *path, const char *name, const char *password,
                                                     char **json, bez_error *err);

/* Who may do what. key: a file NAME.pub, the name of a key of the folder, or a line "ssh-ed25519 AAAA…"; or
 * allowed_signers: a file as ssh-keygen(1) has it, each line a principal and a key with its validity. What is said of a
 * key replaces what was said of it before. roles: "admin", "contribute", "commit", "read"; n 0: contribute. sources:
 * ids or globs, paths: globs over names of data sets (fnmatch; "*" matches "/" too); n 0: all.
 * {"trusted":[{"principal","key","public","roles","sources","paths","valid_after","valid_before","entry"}]} */
typedef struct bez_trust_options {
  const char *principal, *key;
  const char *allowed_signers;
  const char *const *roles, *const *sources, *const *paths;
  size_t n_roles, n_sources, n_paths;
  const char *valid_after, *valid_before; /* NULL: open */
  bez_vault_who who;
} bez_trust_options;
BEZ_API BEZ_MUST_USE bez_status bez_vault_trust_add(bez_vault *vault, const bez_trust_options *options, char **json,
                                                    bez_error *err);
/* All keys that were ever trusted, as of a time (NULL: now): {"at","keys":[{… as above …,"state","since","reason"}]};
 * state: "valid", "expired", "not yet valid", "revoked", "not vouched for" (by nobody who is still trusted). */
BEZ_API BEZ_MUST_USE bez_status bez_vault_trust_list(bez_vault *vault, const char *at, char **json, bez_error *err);
/* The same as a file for `ssh-keygen -Y verify -n bezoar-vault -f …`: {"allowed_signers": text}. Keys that were revoked
 * are in it until the time since when they are. */
BEZ_API BEZ_MUST_USE bez_status bez_vault_trust_allowed_signers(bez_vault *vault, char **json, bez_error *err);
/* Disowns what a key (fingerprint, file, line), or every key of a principal, signed from `since` on, and refuses it
 * from now on. {"revoked":[{"principal","key","since","reason","entry"}]} */
BEZ_API BEZ_MUST_USE bez_status bez_vault_trust_revoke(bez_vault *vault, const char *whom, const char *since,
                                                       const char *reason, const bez_vault_who *who, char **json,
                                                       bez_error *err);

/* Where data comes from, by the fields of the Data & Trust Alliance's Data Provenance Standards 1.0.0. Lists may be
 * empty. from_file: JSON of the three groups source, provenance, use, which the other members are put into. The answer
 * says which fields the standards demand and this lacks. {"id","fields","missing","entry"} */
typedef struct bez_source_list {
  const char *const *items;
  size_t n;
} bez_source_list;
typedef struct bez_source_options {
  const char *id;
  const char *title, *identifier, *uri, *description;   /* source.title, .id, .location, .description */
  const char *lineage, *date, *previous_date;           /* provenance.source, .date, .previous-date */
  const char *collected_from, *collected_to;            /* provenance.generation-period */
  bez_source_list publishers, origins, geographies;     /* source.issuer, provenance.origin, .origin-geography */
  bez_source_list methods, formats;                     /* provenance.generation-method, .format */
  bez_source_list licences, purposes, consents, rights; /* use.license, .intended-purpose, .consents, .copyright */
  const char *from_file;                                /* NULL none */
  bez_vault_who who;
} bez_source_options;
BEZ_API BEZ_MUST_USE bez_status bez_vault_source_add(bez_vault *vault, const bez_source_options *options, char **json,
                                                     bez_error *err);
/* {"sources":[{"id","title","publisher","uri","entry"}]} */
BEZ_API BEZ_MUST_USE bez_status bez_vault_source_list(bez_vault *vault, char **json, bez_error *err);
BEZ_API BEZ_MUST_USE bez_status bez_vault_source_show(bez_vault *vault, const char *id, char **json, bez_error *err);

/* {"policy":{"signatures",…},"object","yaml"}; object: id of the YAML, "" where none was set. */
BEZ_API BEZ_MUST_USE bez_status bez_vault_policy_show(bez_vault *vault, char **json, bez_error *err);
/* {"policy":{…},"object","entry"} */
BEZ_API BEZ_MUST_USE bez_status bez_vault_policy_set(bez_vault *vault, const char *path, const bez_vault_who *who,
                                                     char **json, bez_error *err);

#ifdef __cplusplus
}
#endif
#endif
