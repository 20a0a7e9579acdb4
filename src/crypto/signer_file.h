/* Private keys in files, and the folder they are kept in. */
#ifndef BEZ_CRYPTO_SIGNER_FILE_H
#define BEZ_CRYPTO_SIGNER_FILE_H

#include "crypto/ssh_key.h"

/* Bytes of a private key file; wiped by bez_secret_free. BEZ_USAGE where others may read the file. */
BEZ_MUST_USE bez_status bez_secret_read(const char *path, bez_buf *out, bez_error *err);
void bez_secret_free(bez_buf *secret);
/* Ed25519 from such bytes, OpenSSH's format or PEM. *public is set when it could be told; BEZ_UNSUPPORTED: the private
 * half is encrypted in OpenSSH's own way, or no Ed25519 key. */
BEZ_MUST_USE bez_status bez_secret_key(const bez_buf *secret, const char *path, const char *password,
                                       bez_ssh_key **public, EVP_PKEY **private, bez_error *err);
/* Names of keys: letters, digits, ".", "_", "-", "@"; no dot first; not ending in ".pub". */
bool bez_key_name_fine(const char *name);
/* "FOLDER/NAME" + ending. */
BEZ_MUST_USE bez_status bez_key_path(const char *name, const char *ending, bez_buf *out, bez_error *err);

#endif
