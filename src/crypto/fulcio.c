#include "crypto/fulcio.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/error.h"

#define ISSUER_V1 "1.3.6.1.4.1.57264.1.1" /* the text itself */
#define ISSUER_V2 "1.3.6.1.4.1.57264.1.8" /* a UTF8String */
#define USER_NAME "1.3.6.1.4.1.57264.1.7" /* type of an otherName */

/* NULL where it is not printable ASCII: a name that hides something is no name. */
static const char *printable(bez_arena *arena, const uint8_t *text, size_t len) {
  for (size_t i = 0; i < len; i++)
    if (text[i] < 0x20 || text[i] > 0x7E) return NULL;
  return len && len <= 2048 ? bez_arena_strndup(arena, (const char *)text, len) : NULL;
}

/* ---- who ----------------------------------------------------------------------------------------------------------
 */

static bool is_oid(const ASN1_OBJECT *object, const char *oid) {
  char text[80];
  return OBJ_obj2txt(text, sizeof text, object, 1) > 0 && !strcmp(text, oid);
}

static const ASN1_STRING *text_of_name(const GENERAL_NAME *name) {
  switch (name->type) {
    case GEN_EMAIL: return name->d.rfc822Name;
    case GEN_URI: return name->d.uniformResourceIdentifier;
    case GEN_OTHERNAME:
      if (is_oid(name->d.otherName->type_id, USER_NAME) && name->d.otherName->value->type == V_ASN1_UTF8STRING)
        return name->d.otherName->value->value.utf8string;
      return NULL;
    default: return NULL;
  }
}

static void read_names(const X509 *leaf, bez_arena *arena, bez_fulcio_signer *out) {
  GENERAL_NAMES *names = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
  for (int i = 0; i < sk_GENERAL_NAME_num(names) && out->n_identities < BEZ_MAX_IDENTITIES; i++) {
    const ASN1_STRING *text = text_of_name(sk_GENERAL_NAME_value(names, i));
    const char *name = text ? printable(arena, ASN1_STRING_get0_data(text), (size_t)ASN1_STRING_length(text)) : NULL;
    if (name) out->identities[out->n_identities++] = name;
  }
  GENERAL_NAMES_free(names);
}

/* The value of an extension; NULL. */
static const ASN1_OCTET_STRING *extension(const X509 *leaf, const char *oid) {
  ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
  const int at = object ? X509_get_ext_by_OBJ(leaf, object, -1) : -1;
  ASN1_OBJECT_free(object);
  return at >= 0 ? X509_EXTENSION_get_data(X509_get_ext(leaf, at)) : NULL;
}

/* The newer extension counts where both are there. */
static void read_issuer(const X509 *leaf, bez_arena *arena, bez_fulcio_signer *out) {
  const ASN1_OCTET_STRING *v2 = extension(leaf, ISSUER_V2), *v1 = extension(leaf, ISSUER_V1);
  if (v2) {
    const unsigned char *at = ASN1_STRING_get0_data(v2);
    ASN1_UTF8STRING *text = d2i_ASN1_UTF8STRING(NULL, &at, ASN1_STRING_length(v2));
    if (text) out->issuer = printable(arena, ASN1_STRING_get0_data(text), (size_t)ASN1_STRING_length(text));
    ASN1_UTF8STRING_free(text);
  } else if (v1) {
    out->issuer = printable(arena, ASN1_STRING_get0_data(v1), (size_t)ASN1_STRING_length(v1));
  }
}

bez_status bez_fulcio_signer_read(const bez_bytes *leaf, const char *subject, bez_arena *arena, bez_fulcio_signer *out,
                                  bez_error *err) {
  bez_status st = BEZ_OK;
  X509 *x = bez_certificate_read(leaf);
  *out = (bez_fulcio_signer){0};
  if (!x) return bez_fail(err, BEZ_FORMAT, subject, "the signing certificate cannot be read");
  if (!(X509_get_extension_flags(x) & EXFLAG_XKUSAGE) || !(X509_get_extended_key_usage(x) & XKU_CODE_SIGN))
    BEZ_TRY(bez_fail(err, BEZ_FORMAT, subject, "the signing certificate is not for code signing"));
  read_names(x, arena, out);
  read_issuer(x, arena, out);
  if (!out->n_identities) BEZ_TRY(bez_fail(err, BEZ_FORMAT, subject, "the signing certificate names nobody"));
  if (!out->issuer)
    BEZ_TRY(bez_fail(err, BEZ_FORMAT, subject, "the signing certificate does not say who vouched for the signer"));
cleanup:
  X509_free(x);
  ERR_clear_error();
  return st;
}

/* ---- by whom ------------------------------------------------------------------------------------------------------
 */

/* Which certificate of the authority signed the leaf; len 0: none. */
static bez_bytes issuer_in(const bez_bytes *leaf, const bez_authority *authority) {
  bez_bytes found = {0};
  X509 *x = bez_certificate_read(leaf);
  for (size_t i = 0; x && !found.len && i < authority->n; i++) {
    X509 *other = bez_certificate_read(&authority->certificates[i]);
    EVP_PKEY *key = other ? X509_get0_pubkey(other) : NULL;
    if (key && X509_verify(x, key) == 1) found = authority->certificates[i];
    X509_free(other);
  }
  X509_free(x);
  ERR_clear_error();
  return found;
}

static bez_status verify_by(const bez_bytes *leaf, const bez_authority *authority, int64_t at, const char *subject,
                            bez_key **key, bez_error *err) {
  bez_bytes chain[1 + 16];
  bez_roots *roots = NULL;
  size_t n = 0;
  bez_status st = bez_roots_create(&roots, err);
  if (st != BEZ_OK) return st;
  const bez_bytes *last = &authority->certificates[authority->n - 1];
  BEZ_TRY(bez_roots_add_der(roots, last->data, last->len, subject, err));
  chain[n++] = *leaf;
  for (size_t i = 0; i + 1 < authority->n && n < sizeof chain / sizeof *chain; i++)
    chain[n++] = authority->certificates[i];
  BEZ_TRY(bez_chain_verify(chain, n, roots, at, subject, key, NULL, 0, err));
cleanup:
  bez_roots_free(roots);
  return st;
}

bez_status bez_fulcio_verify(const bez_bytes *leaf, const bez_trusted_root *root, int64_t at, const char *subject,
                             bez_key **key, bez_bytes *issuer, bez_error *err) {
  bez_error why = {0};
  bool known = false;
  for (size_t i = 0; i < root->n_authorities; i++) {
    const bez_authority *authority = &root->authorities[i];
    const bez_bytes found = issuer_in(leaf, authority);
    if (!found.len) continue;
    known = true;
    if (at < authority->from || at > authority->until) continue;
    bez_error_clear(&why);
    bez_status st = verify_by(leaf, authority, at, subject, key, &why);
    if (st == BEZ_OK) {
      *issuer = found;
      return BEZ_OK;
    }
    if (st != BEZ_FORMAT) return bez_fail(err, st, subject, "%s", why.message);
  }
  if (*why.message) return bez_fail(err, BEZ_FORMAT, subject, "at the time of signing, %s", why.message);
  return bez_fail(err, BEZ_FORMAT, subject,
                  known ? "the authority that issued the signing certificate was not trusted at the time of signing"
                        : "the signing certificate was issued by no authority of the trusted root");
}
