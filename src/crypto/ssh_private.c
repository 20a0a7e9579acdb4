/* Private key files of OpenSSH. */
#include "crypto/ssh_private.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <string.h>

#include "base/error.h"

#define MAGIC "openssh-key-v1" /* with its NUL */
#define BLOCK 8u               /* the private part is padded to */
#define ROOM 8192u

/* The private part: two equal numbers, the key, its comment, padding 1, 2, 3 … */
static bool take_private(bez_cursor *c, bez_cursor *public, const uint8_t **seed, const uint8_t **comment,
                         size_t *comment_len) {
  uint32_t first, second;
  const uint8_t *half, *pair, *padding;
  size_t half_len, pair_len;
  if (!bez_ssh_take_u32(c, &first) || !bez_ssh_take_u32(c, &second) || first != second) return false;
  if (!bez_ssh_take_text(c, BEZ_SSH_ED25519) || !bez_ssh_take(c, &half, &half_len) || half_len != 32 ||
      !bez_ssh_take(c, &pair, &pair_len) || pair_len != 64 || !bez_ssh_take(c, comment, comment_len))
    return false;
  const size_t n = bez_cursor_left(c);
  if (n >= 256 || !bez_cursor_take(c, n, &padding)) return false;
  for (size_t i = 0; i < n; i++)
    if (padding[i] != i + 1) return false;
  if (public->len < 32 || memcmp(half, pair + 32, 32) != 0 || memcmp(half, public->data + public->len - 32, 32) != 0)
    return false;
  *seed = pair;
  return true;
}

typedef struct outer {
  bez_cursor cipher, public, private;
} outer;

static bool take_outer(bez_cursor *c, outer *o) {
  const uint8_t *magic;
  bez_cursor kdf, options;
  uint32_t n;
  return bez_cursor_take(c, sizeof MAGIC, &magic) && !memcmp(magic, MAGIC, sizeof MAGIC) &&
         bez_ssh_take_part(c, &o->cipher) && bez_ssh_take_part(c, &kdf) && bez_ssh_take_part(c, &options) &&
         bez_ssh_take_u32(c, &n) && n == 1 && bez_ssh_take_part(c, &o->public) && bez_ssh_take_part(c, &o->private) &&
         !bez_cursor_left(c);
}

static bez_status read_parts(outer *o, const char *subject, bez_ssh_key **public, uint8_t seed[32], bez_error *err) {
  const uint8_t *bytes, *comment;
  size_t comment_len;
  char note[256] = "";
  bez_status st = bez_ssh_key_from_blob(o->public.data, o->public.len, NULL, subject, public, err);
  if (st != BEZ_OK) return st;
  if (o->cipher.len != 4 || memcmp(o->cipher.data, "none", 4) != 0)
    return bez_fail(err, BEZ_UNSUPPORTED, subject,
                    "is encrypted: add it to ssh-agent (ssh-add %s), or use a PKCS #8 key with a password", subject);
  if (strcmp(bez_ssh_key_type(*public), BEZ_SSH_ED25519) != 0)
    return bez_fail(err, BEZ_UNSUPPORTED, subject, "is an %s key: entries are signed with Ed25519 keys",
                    bez_ssh_key_type(*public));
  if (!take_private(&o->private, &o->public, &bytes, &comment, &comment_len))
    return bez_fail(err, BEZ_FORMAT, subject, "holds a private key that is malformed");
  memcpy(seed, bytes, 32);
  if (comment_len >= sizeof note) return BEZ_OK;
  if (comment_len) memcpy(note, comment, comment_len);
  bez_ssh_key *named = NULL;
  st = bez_ssh_key_from_blob(o->public.data, o->public.len, note, subject, &named, err);
  if (st != BEZ_OK) return st;
  bez_ssh_key_free(*public);
  *public = named;
  return BEZ_OK;
}

bez_status bez_ssh_private_parse(const char *text, size_t len, const char *subject, bez_ssh_key **public,
                                 uint8_t seed[32], bez_error *err) {
  bez_buf blob = {0};
  size_t used = 0;
  outer o;
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_ssh_unarmor(text, len, BEZ_SSH_PRIVATE, subject, &blob, &used, err));
  bez_cursor c = {(const uint8_t *)blob.data, blob.len, 0};
  if (!take_outer(&c, &o)) BEZ_TRY(bez_fail(err, BEZ_FORMAT, subject, "is no private key of OpenSSH with one key"));
  BEZ_TRY(read_parts(&o, subject, public, seed, err));
cleanup:
  if (blob.data) OPENSSL_cleanse(blob.data, blob.cap);
  bez_buf_free(&blob);
  return st;
}

static void put_private(bez_buf *out, const uint8_t seed[32], const uint8_t public_bytes[32], const char *comment,
                        uint32_t check) {
  const size_t from = out->len;
  bez_ssh_put_u32(out, check);
  bez_ssh_put_u32(out, check);
  bez_ssh_put_text(out, BEZ_SSH_ED25519);
  bez_ssh_put(out, public_bytes, 32);
  bez_ssh_put_u32(out, 64);
  bez_buf_write(out, seed, 32);
  bez_buf_write(out, public_bytes, 32);
  bez_ssh_put_text(out, comment);
  for (char pad = 1; (out->len - from) % BLOCK; pad++) bez_buf_putc(out, pad);
}

bez_status bez_ssh_private_write(const uint8_t seed[32], const uint8_t public_bytes[32], const char *comment,
                                 bez_buf *out, bez_error *err) {
  bez_buf blob = {0}, private = {0};
  uint32_t check = 0;
  bez_status st = BEZ_OK;
  if (strlen(comment) > 1024) return bez_fail(err, BEZ_USAGE, "key", "a comment of more than 1024 bytes");
  if (!bez_buf_reserve(&blob, ROOM) || !bez_buf_reserve(&private, ROOM) || !bez_buf_reserve(out, 2 * ROOM))
    BEZ_TRY(bez_fail_memory(err, ROOM));
  if (RAND_bytes((unsigned char *)&check, sizeof check) != 1)
    BEZ_TRY(bez_fail(err, BEZ_INTERNAL, NULL, "OpenSSL gives no random bytes"));
  put_private(&private, seed, public_bytes, comment, check);
  bez_buf_write(&blob, MAGIC, sizeof MAGIC);
  bez_ssh_put_text(&blob, "none");
  bez_ssh_put_text(&blob, "none");
  bez_ssh_put(&blob, "", 0);
  bez_ssh_put_u32(&blob, 1);
  bez_ssh_put_u32(&blob, 4 + (uint32_t)sizeof BEZ_SSH_ED25519 - 1 + 4 + 32);
  bez_ssh_put_text(&blob, BEZ_SSH_ED25519);
  bez_ssh_put(&blob, public_bytes, 32);
  bez_ssh_put(&blob, private.data, private.len);
  BEZ_TRY(bez_buf_status(&blob, err));
  bez_ssh_armor(out, BEZ_SSH_PRIVATE, blob.data, blob.len);
  BEZ_TRY(bez_buf_status(out, err));
cleanup:
  if (blob.data) OPENSSL_cleanse(blob.data, blob.cap);
  if (private.data) OPENSSL_cleanse(private.data, private.cap);
  bez_buf_free(&blob);
  bez_buf_free(&private);
  return st;
}
