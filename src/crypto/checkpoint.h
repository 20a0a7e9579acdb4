/* Checkpoints of transparency logs: a signed note (C2SP signed-note and tlog-checkpoint) that states how large a log is
 * and what its root hash is. */
#ifndef BEZ_CRYPTO_CHECKPOINT_H
#define BEZ_CRYPTO_CHECKPOINT_H

#include "crypto/merkle.h"

#define BEZ_NOTE_SIGNATURE 512u /* bytes of one signature at the most */

typedef struct bez_checkpoint {
  const char *text; /* what is signed; borrowed, as is signatures */
  size_t len;
  const char *signatures; /* the lines behind it */
  uint64_t size;          /* leaves */
  uint8_t root[BEZ_MERKLE_HASH];
} bez_checkpoint;

/* Hostile bytes (NUL-terminated). BEZ_FORMAT with the reason. */
BEZ_MUST_USE bez_status bez_checkpoint_parse(const char *note, const char *subject, bez_checkpoint *out,
                                             bez_error *err);

typedef struct bez_note_signature {
  const char *name; /* of the signer, borrowed, not NUL-terminated */
  size_t name_len;
  uint8_t hint[4]; /* of its key */
  uint8_t bytes[BEZ_NOTE_SIGNATURE];
  size_t len;
} bez_note_signature;

/* The next signature; *at begins at checkpoint->signatures and moves on. Lines of another form are passed over; false
 * at the end. */
bool bez_note_next(const char **at, bez_note_signature *out);

#endif
