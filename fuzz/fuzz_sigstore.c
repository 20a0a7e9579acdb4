/* A hostile trusted root (first line) and a hostile bundle behind it: they end in a reason or in a proof. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/sigstore.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool holds) {
  if (!holds) abort();
}

static void check(const bez_bundle *bundle, const bez_trusted_root *root) {
  const bez_sigstore_options options = {.identity = "signer@example.org", .issuer = "https://accounts.example.org"};
  bez_sigstore_proof proof = {0};
  bez_error err = {0};
  bez_status st = bez_sigstore_check(bundle, root, &options, "fuzz", &proof, &err);
  expect(st == BEZ_OK ? proof.log_url != NULL : err.message[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *text = (const char *)data, *end = size ? memchr(text, '\n', size) : NULL;
  size_t first = end ? (size_t)(end - text) : size, rest = end ? size - first - 1 : 0;
  bez_trusted_root root = {0};
  bez_bundle bundle = {0};
  bez_error err = {0}, other = {0};
  const bool rooted = bez_trusted_root_parse(text, first, "fuzz", &root, &err) == BEZ_OK;
  const bool bundled = rest && bez_bundle_parse(end + 1, rest, "fuzz", &bundle, &other) == BEZ_OK;
  expect(rooted || err.message[0]);
  if (rooted && bundled) check(&bundle, &root);
  bez_trusted_root_free(&root);
  bez_bundle_free(&bundle);
  return 0;
}
