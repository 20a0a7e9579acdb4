/* Somebody who signs: a private key in a file (OpenSSH format or PKCS #8, plain or with a passphrase; mode 600
 * demanded) or in an SSH agent. Ed25519 for what is written; what is verified may also be ECDSA (P-256, P-384, P-521)
 * and RSA of at least 2048 bits with SHA-2. Nothing here prints or returns private material. Verifying is thread safe.
 */
#ifndef BEZ_CRYPTO_SIGNER_H
#define BEZ_CRYPTO_SIGNER_H

#include "base/buf.h"
#include "bezoar/base.h"

/* A public key as OpenSSH has it. */
typedef struct bez_ssh_key bez_ssh_key;
/* "ssh-ed25519 AAAA… comment"; hostile, NUL-terminated. */
BEZ_MUST_USE bez_status bez_ssh_key_parse(const char *line, const char *subject, bez_ssh_key **out, bez_error *err);
BEZ_MUST_USE bez_status bez_ssh_key_read(const char *path, bez_ssh_key **out, bez_error *err); /* .pub, first key */
void bez_ssh_key_free(bez_ssh_key *key);                                                       /* NULL is fine */
const char *bez_ssh_key_line(const bez_ssh_key *key);        /* "ssh-ed25519 AAAA…", no comment */
const char *bez_ssh_key_comment(const bez_ssh_key *key);     /* "" none */
const char *bez_ssh_key_fingerprint(const bez_ssh_key *key); /* "SHA256:…", as ssh-keygen -l */
bool bez_ssh_key_same(const bez_ssh_key *a, const bez_ssh_key *b);

typedef struct bez_signer bez_signer;
/* key: path of a private key; path of a public key (".pub") or a fingerprint whose private half an agent
 * ($SSH_AUTH_SOCK) or the folder of keys holds; or the name of a key in that folder ($BEZOAR_HOME/keys, else
 * $XDG_CONFIG_HOME/bezoar/keys, else ~/.config/bezoar/keys), which comes before a file of that name without "/".
 * NULL: $BEZOAR_KEY, else the key "default" of that folder. BEZ_USAGE says what was looked for; also for a private file
 * that others may read. An encrypted file of OpenSSH is used through the agent, if that holds the key. password: of a
 * PKCS #8 file, NULL none. */
BEZ_MUST_USE bez_status bez_signer_open(const char *key, const char *password, bez_signer **out, bez_error *err);
void bez_signer_close(bez_signer *signer); /* NULL is fine; private bytes are wiped */
/* The folder of keys; it need not be there. BEZ_USAGE: none of the three variables is set. */
BEZ_MUST_USE bez_status bez_signer_folder(bez_buf *out, bez_error *err);
/* Whether a key of that name is in the folder of keys (false also for what is no name). */
bool bez_signer_exists(const char *name);
/* Makes an Ed25519 key in that folder, which is made where it is not there: NAME (mode 600, OpenSSH's format; pkcs8:
 * PKCS #8, encrypted with the password where there is one) and NAME.pub. Nothing is ever overwritten. comment: NULL the
 * name. */
BEZ_MUST_USE bez_status bez_signer_make(const char *name, const char *comment, bool pkcs8, const char *password,
                                        bez_ssh_key **out, bez_error *err);
/* Puts a copy of a private key file (and its public half) there under a name; the source is refused where others may
 * read it. */
BEZ_MUST_USE bez_status bez_signer_import(const char *path, const char *name, const char *password, bez_ssh_key **out,
                                          bez_error *err);
const bez_ssh_key *bez_signer_public(const bez_signer *signer);
/* Ed25519 over the bytes themselves (RFC 8032): 64 bytes. BEZ_UNSUPPORTED for other kinds. */
BEZ_MUST_USE bez_status bez_signer_raw(const bez_signer *signer, const void *bytes, size_t len, uint8_t out[64],
                                       bez_error *err);
BEZ_MUST_USE bez_status bez_ssh_key_verify_raw(const bez_ssh_key *key, const void *bytes, size_t len,
                                               const uint8_t signature[64], bool *good, bez_error *err);
/* The 32 bytes of an Ed25519 public key; false: another kind. */
bool bez_ssh_key_ed25519(const bez_ssh_key *key, uint8_t out[32]);

/* SSHSIG (OpenSSH PROTOCOL.sshsig), armored: what `ssh-keygen -Y sign -n NAMESPACE` writes and -Y verify takes. */
BEZ_MUST_USE bez_status bez_sshsig_sign(const bez_signer *signer, const char *name_space, const void *bytes, size_t len,
                                        bez_buf *armored, bez_error *err);
/* Who signed: *key is the signer's (owned by the caller) when the signature holds; BEZ_FORMAT with the reason when not:
 * malformed, another namespace, other bytes. Whether the key is trusted is not asked here. */
BEZ_MUST_USE bez_status bez_sshsig_verify(const char *armored, size_t armored_len, const char *name_space,
                                          const void *bytes, size_t len, bez_ssh_key **key, bez_error *err);

#endif
