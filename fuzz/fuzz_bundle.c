/* Hostile signature bundles: the JSON, the envelope, certificates and keys in it, and the list that it signs. */
#include <stdint.h>

#include "audit/signing.h"
#include "crypto/dsse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_at_keys(const bez_bundle *bundle) {
  bez_error err = {0};
  bez_key *key = NULL;
  bez_roots *roots = NULL;
  char who[256];
  if (bundle->raw_key.len &&
      bez_key_from_bytes(bundle->raw_key.data, bundle->raw_key.len, "fuzz", &key, &err) == BEZ_OK) {
    err = (bez_error){0};
    (void)!bez_bundle_verify_key(bundle, key, "fuzz", &err);
    bez_key_free(key);
  }
  err = (bez_error){0};
  if (bez_roots_create(&roots, &err) != BEZ_OK) return;
  if (bundle->n_certificates) { /* the last one is trusted, so that the path behind it is gone into */
    const bez_bytes *last = &bundle->certificates[bundle->n_certificates - 1];
    if (bez_roots_add_der(roots, last->data, last->len, "fuzz", &err) == BEZ_OK)
      (void)!bez_bundle_verify_chain(bundle, roots, 1782864000, "fuzz", who, sizeof who, &err);
  }
  bez_roots_free(roots);
}

static void look_at_list(const bez_bundle *bundle) {
  bez_manifest manifest = {0};
  bez_error err = {0};
  if (bez_manifest_parse(bundle, "fuzz", &manifest, &err) == BEZ_OK) {
    bez_buf out = {0};
    (void)!bez_manifest_write(&manifest, &out, &err);
    bez_buf_free(&out);
  }
  bez_manifest_free(&manifest);
}

/* 'S': a statement, 'C': a certificate; base64 would hide both from mutation. Anything else is a whole bundle. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  bez_bundle bundle = {0};
  bez_error err = {0};
  const bez_bytes rest = {data + (size > 0), size - (size > 0)};
  if (size && *data == 'S') {
    bundle = (bez_bundle){.payload_type = BEZ_IN_TOTO_PAYLOAD, .payload = rest};
    look_at_list(&bundle);
  } else if (size && *data == 'C') {
    bundle = (bez_bundle){.method = BEZ_BUNDLE_CHAIN, .payload_type = "t", .certificates = &rest, .n_certificates = 1};
    look_at_keys(&bundle);
  } else if (bez_bundle_parse((const char *)data, size, "fuzz", &bundle, &err) == BEZ_OK) {
    look_at_keys(&bundle);
    look_at_list(&bundle);
  }
  bez_bundle_free(&bundle);
  return 0;
}
