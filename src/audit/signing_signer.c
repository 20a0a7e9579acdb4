/* Who signed a bundle: by a key, under root certificates, or by Sigstore's public record, as the caller asks. */
#include <stdio.h>
#include <time.h>

#include "audit/signing.h"
#include "base/error.h"
#include "crypto/sigstore.h"

static bez_status by_roots(const bez_bundle *bundle, const bez_verify_options *o, const char *subject, char *who,
                           size_t size, bez_error *err) {
  bez_roots *roots = NULL;
  bez_status st = bez_roots_create(&roots, err);
  for (size_t i = 0; st == BEZ_OK && i < o->n_roots; i++) st = bez_roots_add_file(roots, o->roots[i], err);
  const int64_t at = o->at_given ? o->at : (int64_t)time(NULL);
  if (st == BEZ_OK) st = bez_bundle_verify_chain(bundle, roots, at, subject, who, size, err);
  bez_roots_free(roots);
  return st;
}

static bez_status by_key(const bez_bundle *bundle, const bez_verify_options *o, const char *subject, char *who,
                         size_t size, bez_error *err) {
  bez_key *key = NULL;
  bez_status st = bez_key_read_public(o->key, &key, err);
  if (st == BEZ_OK) st = bez_bundle_verify_key(bundle, key, subject, err);
  if (st == BEZ_OK) snprintf(who, size, "key %s", bez_key_hint(key));
  bez_key_free(key);
  return st;
}

static bez_status by_record(const bez_bundle *bundle, const bez_verify_options *o, const char *subject, char *who,
                            size_t size, bez_error *err) {
  if (!o->identity || !o->oidc_issuer)
    return bez_fail(err, BEZ_USAGE, NULL, "a Sigstore signature needs both an identity and its issuer to expect");
  if (!o->trusted_root)
    return bez_fail(
        err, BEZ_UNSUPPORTED, subject,
        "not checked: a Sigstore signature can be verified against a trusted root alone, and none was given");
  const bez_sigstore_options expected = {o->identity, o->oidc_issuer, o->trusted_root};
  return bez_sigstore_verify(bundle, &expected, subject, who, size, err);
}

bool bez_signing_expects(const bez_verify_options *o) {
  return o->key || o->n_roots || o->identity || o->oidc_issuer;
}

bez_status bez_signing_signer(const bez_bundle *bundle, const bez_verify_options *o, const char *subject, char *who,
                              size_t size, bez_error *err) {
  bez_status st = BEZ_OK;
  if (size) *who = '\0';
  if (o->key) st = by_key(bundle, o, subject, who, size, err);
  if (st == BEZ_OK && o->n_roots) st = by_roots(bundle, o, subject, who, size, err);
  if (st == BEZ_OK && (o->identity || o->oidc_issuer)) st = by_record(bundle, o, subject, who, size, err);
  return st;
}
