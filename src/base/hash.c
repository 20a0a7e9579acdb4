/* bez_hash64 reads eight bytes at a time, folds each with a 64×64→128 multiplication, and mixes the length in at
 * the end so that a string and its extension by NUL bytes differ. Not for adversarial keys: tables that grow by
 * hostile keys bound their probes. */
#include "base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

static uint64_t fold(uint64_t a, uint64_t b) {
  unsigned __int128 p = (unsigned __int128)a * b;
  return (uint64_t)p ^ (uint64_t)(p >> 64);
}

uint64_t bez_hash64(const void *bytes, size_t len, uint64_t seed) {
  const unsigned char *p = bytes;
  uint64_t h = seed ^ 0x8bb84b93962eacc9ull;
  size_t left = len;
  for (; left >= 8; left -= 8, p += 8) {
    uint64_t word = 0;
    memcpy(&word, p, 8);
    h = fold(h ^ word, 0x9e6c63d0676a9a99ull) + 0x4b33a62ed433d4a3ull;
  }
  if (left) {
    uint64_t word = 0;
    memcpy(&word, p, left);
    h = fold(h ^ word, 0x9e6c63d0676a9a99ull) + 0x4b33a62ed433d4a3ull;
  }
  return bez_mix64(h ^ (uint64_t)len * 0x2d358dccaa6c78a5ull);
}

static void put_hex(const unsigned char digest[32], char out[65]) {
  for (unsigned i = 0; i < 32; i++) {
    out[2 * i] = "0123456789abcdef"[digest[i] >> 4];
    out[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
  }
  out[64] = '\0';
}

int bez_sha256_hex(const void *bytes, size_t len, char out[65]) {
  unsigned char digest[32];
  unsigned int n = sizeof digest;
  if (EVP_Digest(bytes, len, digest, &n, EVP_sha256(), NULL) != 1 || n != sizeof digest) return -1;
  put_hex(digest, out);
  return 0;
}

#define PIECE ((size_t)1 << 20)

static bez_status hash_all(int fd, const char *path, EVP_MD_CTX *hash, unsigned char *room, uint64_t *size,
                           bool (*go_on)(void *), void *ctx, bez_error *err) {
  for (;;) {
    if (go_on && !go_on(ctx)) return bez_fail(err, BEZ_CANCELLED, NULL, "cancelled");
    ssize_t n = read(fd, room, PIECE);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return bez_fail_errno(err, path, "cannot read");
    if (n == 0) return BEZ_OK;
    if (EVP_DigestUpdate(hash, room, (size_t)n) != 1) return bez_fail(err, BEZ_MEMORY, path, "cannot be hashed");
    *size += (uint64_t)n;
  }
}

bez_status bez_sha256_file(const char *path, char out[65], uint64_t *size, bool (*go_on)(void *), void *ctx,
                           bez_error *err) {
  unsigned char digest[32];
  unsigned int n = sizeof digest;
  struct stat info;
  EVP_MD_CTX *hash = NULL;
  unsigned char *room = NULL;
  uint64_t unwanted;
  bez_status st = BEZ_OK;
  if (!size) size = &unwanted;
  *size = 0;
  out[0] = '\0';
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return bez_fail_errno(err, path, "cannot open");
  if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    st = bez_fail(err, BEZ_USAGE, path, "is no regular file");
    goto cleanup;
  }
  hash = EVP_MD_CTX_new();
  room = malloc(PIECE);
  if (!hash || !room || EVP_DigestInit_ex(hash, EVP_sha256(), NULL) != 1) {
    st = bez_fail_memory(err, PIECE);
    goto cleanup;
  }
  (void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
  BEZ_TRY(hash_all(fd, path, hash, room, size, go_on, ctx, err));
  if (EVP_DigestFinal_ex(hash, digest, &n) == 1 && n == sizeof digest) put_hex(digest, out);
cleanup:
  EVP_MD_CTX_free(hash);
  free(room);
  close(fd);
  return st;
}
