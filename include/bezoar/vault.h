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

#ifdef __cplusplus
}
#endif
#endif
