/* Signed notes (C2SP signed-note): a text and, below it, who signed. Two kinds of keys, both Ed25519: 0x01 signs the
 * text as it is, 0x04 is a witness's cosignature/v1 of a checkpoint with its time (C2SP tlog-cosignature). */
#ifndef BEZ_CRYPTO_NOTE_H
#define BEZ_CRYPTO_NOTE_H

#include "base/buf.h"
#include "crypto/checkpoint.h"
#include "crypto/signer.h"

#define BEZ_NOTE_NAME 256u /* bytes of a key's name, NUL included */

typedef enum bez_note_kind { BEZ_NOTE_ED25519 = 1, BEZ_NOTE_COSIGNATURE = 4 } bez_note_kind;

/* A verifier key: "<name>+<hint, 8 hex digits>+<base64 of kind and key>". */
typedef struct bez_vkey {
  char name[BEZ_NOTE_NAME];
  uint8_t hint[4]; /* SHA-256(name || "\n" || kind || key), the first four bytes */
  bez_note_kind kind;
  uint8_t key[32];
} bez_vkey;

/* Hostile, NUL-terminated. BEZ_FORMAT: malformed, or a hint that is not the key's; BEZ_UNSUPPORTED: another kind. */
BEZ_MUST_USE bez_status bez_vkey_parse(const char *text, const char *subject, bez_vkey *out, bez_error *err);
/* BEZ_USAGE: no name for a key (empty, too long, spaces, plus signs, control characters). */
BEZ_MUST_USE bez_status bez_vkey_make(const char *name, bez_note_kind kind, const uint8_t key[32], bez_vkey *out,
                                      bez_error *err);
/* Of a signer; BEZ_UNSUPPORTED where its key is not Ed25519. */
BEZ_MUST_USE bez_status bez_vkey_of(const char *name, bez_note_kind kind, const bez_signer *signer, bez_vkey *out,
                                    bez_error *err);
void bez_vkey_put(const bez_vkey *key, bez_buf *out);
bool bez_vkey_same(const bez_vkey *a, const bez_vkey *b);

/* A note of strict form: UTF-8, no control characters but line ends, every line below the text a signature, and what
 * was parsed writes itself as it was read, so that no byte can be another. note is NUL-terminated, len its length. */
BEZ_MUST_USE bez_status bez_note_check(const char *note, size_t len, const char *subject, bez_error *err);

/* Looks for a key's signature below a parsed checkpoint. *found: there is one, and it holds; *time (NULL: not wanted):
 * of a cosignature, seconds since 1970. BEZ_FORMAT: one that claims to be the key's does not hold. */
BEZ_MUST_USE bez_status bez_note_verify(const bez_checkpoint *note, const bez_vkey *key, const char *subject,
                                        bool *found, uint64_t *time, bez_error *err);

/* Appends a signature line over a text that ends in a line end. time: of a cosignature. */
BEZ_MUST_USE bez_status bez_note_sign(const char *text, size_t len, const bez_vkey *key, uint64_t time,
                                      const bez_signer *signer, bez_buf *out, bez_error *err);

#endif
