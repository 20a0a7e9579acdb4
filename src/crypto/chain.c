/* Chains over OpenSSL's path validation, with a security level, a time, and the leaf's usage on top. */
#include "crypto/chain.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/file.h"

#define MAX_PEM_FILE (16u << 20)
#define MAX_CERTIFICATE (1u << 20)
#define MAX_CHAIN 32u
#define SECURITY_LEVEL 2 /* 112 bits: no SHA-1, no RSA below 2048 */

struct bez_roots {
  X509_STORE *store;
};

bez_status bez_roots_create(bez_roots **out, bez_error *err) {
  bez_roots *roots = calloc(1, sizeof *roots);
  if (roots) roots->store = X509_STORE_new();
  if (!roots || !roots->store) {
    free(roots);
    return bez_fail_memory(err, sizeof *roots);
  }
  *out = roots;
  return BEZ_OK;
}

void bez_roots_free(bez_roots *roots) {
  if (!roots) return;
  X509_STORE_free(roots->store);
  free(roots);
}

/* ---- reading ------------------------------------------------------------------------------------------------------
 */

typedef bez_status (*each_fn)(void *ctx, X509 *certificate, bez_error *err);

/* Hands every certificate of a PEM file on; they stay this function's. */
static bez_status each_of_file(const char *path, each_fn fn, void *ctx, bez_error *err) {
  bez_buf text = {0};
  BIO *bio = NULL;
  bez_status st = BEZ_OK;
  size_t n = 0;
  BEZ_TRY(bez_file_read(path, MAX_PEM_FILE, &text, err));
  bio = BIO_new_mem_buf(text.data ? text.data : "", (int)text.len);
  if (!bio) BEZ_TRY(bez_fail_memory(err, text.len));
  for (X509 *x; (x = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL; n++) {
    st = fn(ctx, x, err);
    X509_free(x);
    if (st != BEZ_OK) goto cleanup;
  }
  /* The end of the text is "no start line"; anything else is a certificate that could not be read. */
  if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
    BEZ_TRY(bez_fail(err, BEZ_USAGE, path, "certificate %zu cannot be read", n + 1));
  if (!n) BEZ_TRY(bez_fail(err, BEZ_USAGE, path, "holds no certificate in PEM"));
cleanup:
  BIO_free(bio);
  bez_buf_free(&text);
  ERR_clear_error();
  return st;
}

static bez_status add_root(void *ctx, X509 *certificate, bez_error *err) {
  bez_roots *roots = ctx;
  return X509_STORE_add_cert(roots->store, certificate) == 1 ? BEZ_OK : bez_fail_memory(err, 0);
}

bez_status bez_roots_add_file(bez_roots *roots, const char *path, bez_error *err) {
  return each_of_file(path, add_root, roots, err);
}

X509 *bez_certificate_read(const bez_bytes *der) {
  const unsigned char *at = der->data;
  X509 *x = der->len && der->len < MAX_CERTIFICATE ? d2i_X509(NULL, &at, (long)der->len) : NULL;
  if (x && at != der->data + der->len) {
    X509_free(x);
    x = NULL;
  }
  ERR_clear_error();
  return x;
}

bez_status bez_roots_add_der(bez_roots *roots, const uint8_t *der, size_t len, const char *subject, bez_error *err) {
  X509 *x = bez_certificate_read(&(bez_bytes){der, len});
  if (!x) return bez_fail(err, BEZ_FORMAT, subject, "holds a certificate that cannot be read");
  bez_status st = add_root(roots, x, err);
  X509_free(x);
  return st;
}

typedef struct chain_list {
  bez_arena *arena;
  bez_bytes *items;
  size_t n;
  const char *path;
} chain_list;

static bez_status add_to_chain(void *ctx, X509 *certificate, bez_error *err) {
  chain_list *list = ctx;
  if (list->n == MAX_CHAIN)
    return bez_fail(err, BEZ_LIMIT, list->path, "more than %u certificates in a chain", MAX_CHAIN);
  int len = i2d_X509(certificate, NULL);
  uint8_t *der = len > 0 ? bez_arena_alloc(list->arena, (size_t)len) : NULL;
  if (!der) return bez_fail_memory(err, len > 0 ? (size_t)len : 0);
  list->items[list->n++] = (bez_bytes){der, (size_t)len};
  i2d_X509(certificate, &der);
  return BEZ_OK;
}

bez_status bez_chain_read(const char *const *paths, size_t n_paths, bez_arena *arena, bez_bytes **out, size_t *n,
                          bez_error *err) {
  chain_list list = {.arena = arena, .items = bez_arena_array(arena, MAX_CHAIN, sizeof *list.items)};
  bez_status st = list.items ? BEZ_OK : bez_fail_memory(err, MAX_CHAIN * sizeof *list.items);
  for (size_t i = 0; st == BEZ_OK && i < n_paths; i++) {
    list.path = paths[i];
    st = each_of_file(paths[i], add_to_chain, &list, err);
  }
  *out = list.items;
  *n = list.n;
  return st;
}

/* ---- verifying ----------------------------------------------------------------------------------------------------
 */

/* RFC 2253 and nothing but ASCII: names come from hostile bytes. */
static void name_of(const X509 *x, char *out, size_t size) {
  char *text = NULL;
  BIO *bio = x && size ? BIO_new(BIO_s_mem()) : NULL;
  if (size) out[0] = '\0';
  if (bio && X509_NAME_print_ex(bio, X509_get_subject_name(x), 0, XN_FLAG_RFC2253) >= 0) {
    long len = BIO_get_mem_data(bio, &text);
    snprintf(out, size, "%.*s", (int)len, text ? text : "");
  }
  BIO_free(bio);
  if (size && !*out) snprintf(out, size, "a certificate without a name");
}

static void day_of(const ASN1_TIME *time, char out[16]) {
  struct tm utc;
  if (ASN1_TIME_to_tm(time, &utc) != 1 || !strftime(out, 16, "%Y-%m-%d", &utc)) snprintf(out, 16, "an unknown day");
}

static bez_status refuse_chain(X509_STORE_CTX *ctx, const char *subject, bez_error *err) {
  char who[256], day[16];
  const X509 *x = X509_STORE_CTX_get_current_cert(ctx);
  const int why = X509_STORE_CTX_get_error(ctx);
  name_of(x, who, sizeof who);
  switch (why) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      day_of(X509_get0_notAfter(x), day);
      return bez_fail(err, BEZ_FORMAT, subject, "the certificate of \"%s\" expired on %s", who, day);
    case X509_V_ERR_CERT_NOT_YET_VALID:
      day_of(X509_get0_notBefore(x), day);
      return bez_fail(err, BEZ_FORMAT, subject, "the certificate of \"%s\" is not valid before %s", who, day);
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return bez_fail(err, BEZ_FORMAT, subject, "no path leads from the certificate of \"%s\" to a trusted root", who);
    default:
      return bez_fail(err, BEZ_FORMAT, subject, "the certificate of \"%s\": %s", who,
                      X509_verify_cert_error_string(why));
  }
}

/* code when it may not. RFC 5280, 4.2.1.3 and 4.2.1.12: each extension that is there must allow it; one of them must be
 * there. */
static bez_status may_sign(X509 *leaf, bez_status code, const char *subject, bez_error *err) {
  const uint32_t flags = X509_get_extension_flags(leaf);
  if (flags & EXFLAG_INVALID) return bez_fail(err, code, subject, "the signing certificate is malformed");
  if (!(flags & (EXFLAG_KUSAGE | EXFLAG_XKUSAGE)))
    return bez_fail(err, code, subject, "the signing certificate does not say that it may be used to sign");
  if (flags & EXFLAG_KUSAGE && !(X509_get_key_usage(leaf) & KU_DIGITAL_SIGNATURE))
    return bez_fail(err, code, subject, "the signing certificate may not be used for digital signatures");
  if (flags & EXFLAG_XKUSAGE && !(X509_get_extended_key_usage(leaf) & (XKU_CODE_SIGN | XKU_ANYEKU)))
    return bez_fail(err, code, subject, "the signing certificate is not for code signing");
  return BEZ_OK;
}

/* What a certificate between the signer's and the root may vouch for ends where its own extended key usage does; the
 * root is trusted as it is. */
static bez_status may_vouch(const X509_STORE_CTX *ctx, const char *subject, bez_error *err) {
  STACK_OF(X509) *path = X509_STORE_CTX_get0_chain(ctx);
  char who[256];
  for (int i = 1; i + 1 < sk_X509_num(path); i++) {
    X509 *x = sk_X509_value(path, i);
    if (!(X509_get_extension_flags(x) & EXFLAG_XKUSAGE)) continue;
    if (X509_get_extended_key_usage(x) & (XKU_CODE_SIGN | XKU_ANYEKU)) continue;
    name_of(x, who, sizeof who);
    return bez_fail(err, BEZ_FORMAT, subject, "the certificate of \"%s\" may not vouch for code signing", who);
  }
  return BEZ_OK;
}

/* code: what another kind of key is here. */
static bez_status leaf_key(X509 *leaf, bez_status code, const char *subject, bez_key **out, bez_error *err) {
  EVP_PKEY *pkey = X509_get_pubkey(leaf);
  if (!pkey) return bez_fail(err, code, subject, "the key of the signing certificate cannot be read");
  return bez_key_take_as(pkey, code, subject, out, err);
}

static bez_status certificates_of(const bez_bytes *chain, size_t n, const char *subject, STACK_OF(X509) * out,
                                  bez_error *err) {
  if (!n || n > MAX_CHAIN) return bez_fail(err, BEZ_FORMAT, subject, "a chain of %zu certificates", n);
  for (size_t i = 0; i < n; i++) {
    X509 *x = bez_certificate_read(&chain[i]);
    if (!x) return bez_fail(err, BEZ_FORMAT, subject, "certificate %zu of the chain cannot be read", i + 1);
    if (!sk_X509_push(out, x)) {
      X509_free(x);
      return bez_fail_memory(err, sizeof x);
    }
  }
  return BEZ_OK;
}

static bez_status verify_path(STACK_OF(X509) * all, const bez_roots *roots, int64_t at, const char *subject,
                              bez_error *err) {
  bez_status st = BEZ_OK;
  X509_STORE_CTX *ctx = X509_STORE_CTX_new();
  if (!ctx || X509_STORE_CTX_init(ctx, roots->store, sk_X509_value(all, 0), all) != 1) BEZ_TRY(bez_fail_memory(err, 0));
  X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
  X509_VERIFY_PARAM_set_time(param, (time_t)at);
  X509_VERIFY_PARAM_set_auth_level(param, SECURITY_LEVEL);
  if (X509_verify_cert(ctx) != 1) BEZ_TRY(refuse_chain(ctx, subject, err));
  BEZ_TRY(may_vouch(ctx, subject, err));
cleanup:
  X509_STORE_CTX_free(ctx);
  ERR_clear_error();
  return st;
}

bez_status bez_chain_verify(const bez_bytes *chain, size_t n, const bez_roots *roots, int64_t at, const char *subject,
                            bez_key **key, char *who, size_t who_size, bez_error *err) {
  bez_status st = BEZ_OK;
  STACK_OF(X509) *all = sk_X509_new_null();
  if (!all) return bez_fail_memory(err, 0);
  BEZ_TRY(certificates_of(chain, n, subject, all, err));
  BEZ_TRY(verify_path(all, roots, at, subject, err));
  BEZ_TRY(may_sign(sk_X509_value(all, 0), BEZ_FORMAT, subject, err));
  BEZ_TRY(leaf_key(sk_X509_value(all, 0), BEZ_FORMAT, subject, key, err));
  if (who) name_of(sk_X509_value(all, 0), who, who_size);
cleanup:
  sk_X509_pop_free(all, X509_free);
  return st;
}

bez_status bez_chain_fits(const bez_bytes *chain, size_t n, const bez_key *key, int64_t at, const char *subject,
                          bez_error *err) {
  bez_status st = BEZ_OK;
  bez_key *own = NULL;
  char day[16];
  time_t now = (time_t)at;
  X509 *leaf = n ? bez_certificate_read(&chain[0]) : NULL;
  if (!leaf) return bez_fail(err, BEZ_USAGE, subject, "holds no certificate");
  BEZ_TRY(leaf_key(leaf, BEZ_USAGE, subject, &own, err));
  if (!bez_key_same(own, key))
    BEZ_TRY(bez_fail(err, BEZ_USAGE, subject, "the first certificate is not the one of the signing key"));
  if (X509_cmp_time(X509_get0_notAfter(leaf), &now) <= 0) {
    day_of(X509_get0_notAfter(leaf), day);
    BEZ_TRY(bez_fail(err, BEZ_USAGE, subject, "the signing certificate expired on %s", day));
  }
  if (X509_cmp_time(X509_get0_notBefore(leaf), &now) > 0) {
    day_of(X509_get0_notBefore(leaf), day);
    BEZ_TRY(bez_fail(err, BEZ_USAGE, subject, "the signing certificate is not valid before %s", day));
  }
  BEZ_TRY(may_sign(leaf, BEZ_USAGE, subject, err));
cleanup:
  bez_key_free(own);
  X509_free(leaf);
  ERR_clear_error();
  return st;
}
