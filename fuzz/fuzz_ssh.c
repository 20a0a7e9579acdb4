/* What OpenSSH writes, from strangers: by the first byte a public key's line, a private key's file, an armored
 * signature, an agent's list or signature, or a file of allowed signers; 'B' and 'T' put the armor around the bytes of
 * a private key and a signature, so that mutation gets at them. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "crypto/allowed_signers.h"
#include "crypto/ssh_agent.h"
#include "crypto/ssh_private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_line(const char *text) {
  bez_error err = {0};
  bez_ssh_key *key = NULL;
  if (bez_ssh_key_parse(text, "fuzz", &key, &err) != BEZ_OK) return;
  bez_ssh_key *again = NULL; /* one key, one line */
  if (bez_ssh_key_parse(bez_ssh_key_line(key), "fuzz", &again, &err) != BEZ_OK || !bez_ssh_key_same(key, again))
    abort();
  bez_ssh_key_free(again);
  bez_ssh_key_free(key);
}

static void read_private(const char *text, size_t len) {
  bez_error err = {0};
  bez_ssh_key *key = NULL;
  uint8_t seed[32], half[32];
  if (bez_ssh_private_parse(text, len, "fuzz", &key, seed, &err) == BEZ_OK && !bez_ssh_key_ed25519(key, half)) abort();
  bez_ssh_key_free(key);
}

static void read_signature(const char *text, size_t len) {
  bez_error err = {0};
  bez_ssh_key *key = NULL;
  if (bez_sshsig_verify(text, len, "bezoar-vault", "fuzz\n", 5, &key, &err) == BEZ_OK) bez_ssh_key_free(key);
}

static void read_agent(const char *bytes, size_t len) {
  bez_error err = {0};
  bez_ssh_key **keys = NULL;
  size_t n = 0;
  uint8_t signature[64];
  if (bez_ssh_agent_read_list(bytes, len, &keys, &n, &err) == BEZ_OK) bez_ssh_keys_free(keys, n);
  err = (bez_error){0};
  (void)!bez_ssh_agent_read_signature(bytes, len, signature, &err);
}

static void read_allowed(const char *text, size_t len) {
  bez_error err = {0};
  bez_allowed_signer *list = NULL;
  size_t n = 0;
  bez_buf out = {0};
  if (bez_allowed_signers_parse(text, len, "bezoar-vault", "fuzz", &list, &n, &err) != BEZ_OK) return;
  for (size_t i = 0; i < n; i++)
    bez_allowed_signers_put(&out, list[i].principal, "bezoar-vault", list[i].valid_after, list[i].valid_before,
                            list[i].key);
  bez_buf_free(&out);
  bez_allowed_signers_free(list, n);
}

static void read_armored(const char *kind, const char *bytes, size_t len, void (*read)(const char *text, size_t len)) {
  bez_buf text = {0};
  bez_ssh_armor(&text, kind, bytes, len);
  if (text.data) read(text.data, text.len);
  bez_buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char *text = size ? strndup((const char *)data + 1, size - 1) : NULL; /* up to a NUL: texts have none */
  const char *bytes = (const char *)data + 1;
  if (!text) return 0;
  switch (*data) {
    case 'L': read_line(text); break;
    case 'P': read_private(bytes, size - 1); break;
    case 'S': read_signature(bytes, size - 1); break;
    case 'B': read_armored(BEZ_SSH_PRIVATE, bytes, size - 1, read_private); break;
    case 'T': read_armored("SSH SIGNATURE", bytes, size - 1, read_signature); break;
    case 'A': read_agent(bytes, size - 1); break;
    case 'W': read_allowed(text, strlen(text)); break;
    default: break;
  }
  free(text);
  return 0;
}
