/* The file .bezoar/config: {"format":1,"origin":"bezoar-vault/…","log_key":"<vkey>","cut_key":"<32 hex digits>"}. */
#ifndef BEZ_VAULT_CONFIG_H
#define BEZ_VAULT_CONFIG_H

#include "base/siphash.h"
#include "bezoar/base.h"

typedef struct bez_config {
  char *origin, *log_key; /* owned */
  char *fingerprint;      /* of the log key as OpenSSH has it, "SHA256:…"; owned */
  bez_sipkey cut;
  uint8_t sha256[32]; /* of the file */
} bez_config;         /* zero-initialise; release with bez_config_free */

/* folder: ".bezoar". Hostile bytes. */
BEZ_MUST_USE bez_status bez_config_read(const char *folder, bez_config *out, bez_error *err);
/* From the file's bytes (NUL-terminated; path names them in errors). */
BEZ_MUST_USE bez_status bez_config_parse(const char *bytes, size_t len, const char *path, bez_config *out,
                                         bez_error *err);
/* A new one with random origin and key of cuts, written into the folder. public_key: of the log, Ed25519. */
BEZ_MUST_USE bez_status bez_config_make(const char *folder, const uint8_t public_key[32], bez_config *out,
                                        bez_error *err);
void bez_config_free(bez_config *config);

#endif
