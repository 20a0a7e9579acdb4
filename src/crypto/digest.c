/* Digests through OpenSSL's EVP; files by pread, so that a model larger than memory leaves nothing behind in it. */
#include "crypto/digest.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"

#define PIECE (1u << 20)

static const struct {
  const char *name;
  size_t size;
} kinds[] = {[BEZ_DIGEST_NONE] = {"none", 0},
             [BEZ_DIGEST_SHA256] = {"sha256", 32},
             [BEZ_DIGEST_SHA384] = {"sha384", 48},
             [BEZ_DIGEST_SHA512] = {"sha512", 64},
             [BEZ_DIGEST_BLAKE2B] = {"blake2b", 64}};

bez_digest_kind bez_digest_named(const char *name) {
  if (!strcmp(name, "blake2")) return BEZ_DIGEST_BLAKE2B; /* what Python's model_signing writes */
  for (bez_digest_kind k = BEZ_DIGEST_SHA256; k <= BEZ_DIGEST_BLAKE2B; k++)
    if (!strcmp(name, kinds[k].name)) return k;
  return BEZ_DIGEST_NONE;
}

const char *bez_digest_name(bez_digest_kind kind) {
  return kinds[kind].name;
}

size_t bez_digest_size(bez_digest_kind kind) {
  return kinds[kind].size;
}

static const EVP_MD *method(bez_digest_kind kind) {
  switch (kind) {
    case BEZ_DIGEST_SHA256: return EVP_sha256();
    case BEZ_DIGEST_SHA384: return EVP_sha384();
    case BEZ_DIGEST_SHA512: return EVP_sha512();
    case BEZ_DIGEST_BLAKE2B: return EVP_blake2b512();
    case BEZ_DIGEST_NONE: break;
  }
  return NULL;
}

void bez_hex(const uint8_t *bytes, size_t n, char *out) {
  for (size_t i = 0; i < n; i++) {
    out[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
    out[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
  }
  out[2 * n] = '\0';
}

static int nibble(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool bez_unhex(const char *text, uint8_t *out, size_t n) {
  if (strlen(text) != 2 * n) return false;
  for (size_t i = 0; i < n; i++) {
    int high = nibble(text[2 * i]), low = nibble(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    out[i] = (uint8_t)(high << 4 | low);
  }
  return true;
}

bez_status bez_digest_bytes(bez_digest_kind kind, const void *bytes, size_t len, uint8_t *out, bez_error *err) {
  unsigned n = 0;
  if (EVP_Digest(bytes, len, out, &n, method(kind), NULL) != 1 || n != bez_digest_size(kind))
    return bez_fail(err, BEZ_INTERNAL, NULL, "OpenSSL cannot compute %s", bez_digest_name(kind));
  return BEZ_OK;
}

bez_status bez_digest_file(bez_digest_kind kind, int fd, const char *path, uint64_t first, uint64_t len,
                           bez_digest_ask go_on, void *ctx, uint8_t *out, bez_error *err) {
  bez_status st = BEZ_OK;
  unsigned n = 0;
  EVP_MD_CTX *md = EVP_MD_CTX_new();
  uint8_t *piece = malloc(PIECE);
  if (!md || !piece) BEZ_TRY(bez_fail_memory(err, PIECE));
  if (EVP_DigestInit_ex(md, method(kind), NULL) != 1) BEZ_TRY(bez_fail(err, BEZ_INTERNAL, path, "OpenSSL failed"));
  for (uint64_t done = 0; done < len;) {
    const size_t want = len - done < PIECE ? (size_t)(len - done) : PIECE;
    if (go_on && !go_on(ctx)) BEZ_TRY(bez_fail(err, BEZ_CANCELLED, path, "stopped while reading"));
    BEZ_TRY(bez_file_pread(fd, path, piece, want, first + done, err));
    if (EVP_DigestUpdate(md, piece, want) != 1) BEZ_TRY(bez_fail(err, BEZ_INTERNAL, path, "OpenSSL failed"));
    done += want;
  }
  if (EVP_DigestFinal_ex(md, out, &n) != 1 || n != bez_digest_size(kind))
    BEZ_TRY(bez_fail(err, BEZ_INTERNAL, path, "OpenSSL failed"));
cleanup:
  EVP_MD_CTX_free(md);
  free(piece);
  return st;
}
