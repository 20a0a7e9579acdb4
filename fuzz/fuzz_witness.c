/* Hostile requests to a witness that trusts one log (whose key stands here), one behind the other, divided by NUL
 * bytes: each ends in a cosignature or in a reason, and the log that is cosigned never becomes shorter. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/pem.h>

#include "ledger/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define VKEY "example.org/log+11baa0b1+AT5LS+ZsMYrCM/Ud8H+DdegcKm6pozukFH/BOMp6VEgm"

static char folder[64]; /* one for all inputs of a process */
static bez_signer *signer;

static void expect(bool holds) {
  if (!holds) abort();
}

static void remove_folder(void) {
  char command[128];
  snprintf(command, sizeof command, "rm -rf '%s'", folder);
  if (system(command) != 0) fputs("the folder stays\n", stderr);
}

static void begin(void) {
  char path[128];
  static const uint8_t seed[32] = {1, 2, 3};
  if (signer) return;
  snprintf(folder, sizeof folder, "%s",
           access("/dev/shm", W_OK) ? "/tmp/bezoar-fuzz-XXXXXX" : "/dev/shm/bezoar-XXXXXX");
  expect(mkdtemp(folder) != NULL && atexit(remove_folder) == 0);
  snprintf(path, sizeof path, "%s/key.pem", folder);
  EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, sizeof seed);
  FILE *f = fopen(path, "w");
  expect(key && f && PEM_write_PKCS8PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) == 1);
  fclose(f);
  EVP_PKEY_free(key);
  expect(chmod(path, 0600) == 0);
  bez_error err = {0};
  expect(bez_signer_open(path, NULL, &signer, &err) == BEZ_OK);
}

/* What the witness remembers is of one input. */
static void forget(const char *state) {
  char path[512];
  DIR *dir = opendir(state);
  if (!dir) return;
  for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
    snprintf(path, sizeof path, "%s/%s", state, entry->d_name);
    (void)unlink(path); /* fails for "." and ".." */
  }
  closedir(dir);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char state[128];
  uint64_t before = 0;
  begin();
  snprintf(state, sizeof state, "%s/state", folder);
  const bez_cosigner cosigner = {.folder = state, .name = "w.example", .signer = signer, .log_key = VKEY, .now = 5};
  for (size_t at = 0; at < size;) {
    const uint8_t *end = memchr(data + at, 0, size - at);
    size_t len = end ? (size_t)(end - data) - at : size - at;
    uint64_t stands = 0;
    bez_error err = {0};
    bez_buf line = {0};
    bez_status st = bez_witness_cosign(&cosigner, (const char *)data + at, len, &line, &stands, &err);
    expect(st == BEZ_OK ? line.len && line.data[line.len - 1] == '\n' : err.message[0] && !line.len);
    if (st == BEZ_OK) expect(stands >= before);
    if (st == BEZ_OK) before = stands;
    bez_buf_free(&line);
    at += len + 1;
  }
  forget(state);
  return 0;
}
