/* Signed certificate timestamps within a certificate (RFC 6962, section 3.2): a log's promise that the certificate, as
 * it was before the promise was put in, is on record. */
#include <openssl/ct.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "crypto/fulcio.h"

/* The certificate's inner part without the timestamps, as the log saw it; NULL. To be freed with OPENSSL_free. */
static unsigned char *before_logging(const X509 *leaf, size_t *len) {
  unsigned char *der = NULL;
  X509 *copy = X509_dup(leaf);
  const int at = copy ? X509_get_ext_by_NID(copy, NID_ct_precert_scts, -1) : -1;
  int n = -1;
  if (at >= 0) {
    X509_EXTENSION_free(X509_delete_ext(copy, at));
    n = i2d_re_X509_tbs(copy, &der);
  }
  X509_free(copy);
  *len = n > 0 ? (size_t)n : 0;
  return n > 0 ? der : NULL;
}

static bool key_hash(X509 *issuer, uint8_t out[32]) {
  unsigned char *der = NULL;
  unsigned n = 0;
  const int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(issuer), &der);
  const bool good = len > 0 && EVP_Digest(der, (size_t)len, out, &n, EVP_sha256(), NULL) == 1 && n == 32;
  OPENSSL_free(der);
  return good;
}

static void put_be(bez_buf *out, uint64_t value, int bytes) {
  for (int i = bytes - 1; i >= 0; i--) bez_buf_putc(out, (char)(value >> (8 * i) & 0xFF));
}

static bool signed_by_a_log(const SCT *sct, const bez_trusted_root *root, const uint8_t issuer[32],
                            const unsigned char *tbs, size_t len) {
  unsigned char *id, *signature, *extensions;
  const size_t id_len = SCT_get0_log_id(sct, &id), signature_len = SCT_get0_signature(sct, &signature);
  const size_t extensions_len = SCT_get0_extensions(sct, &extensions);
  const uint64_t at = SCT_get_timestamp(sct);
  bez_buf all = {0};
  if (SCT_get_version(sct) != SCT_VERSION_V1 || id_len != 32 || len >= 1u << 24 || at / 1000 > INT64_MAX) return false;
  const bez_log *log = bez_log_find(root->certificate_logs, root->n_certificate_logs, id, (int64_t)(at / 1000));
  if (!log) return false;
  put_be(&all, 0, 1); /* version 1 */
  put_be(&all, 0, 1); /* certificate timestamp */
  put_be(&all, at, 8);
  put_be(&all, 1, 2); /* of a certificate that is not issued yet */
  bez_buf_write(&all, issuer, 32);
  put_be(&all, len, 3);
  bez_buf_write(&all, tbs, len);
  put_be(&all, extensions_len, 2);
  if (extensions_len) bez_buf_write(&all, extensions, extensions_len);
  const bool good = all.failed == BEZ_OK && bez_log_signed(log, all.data, all.len, signature, signature_len);
  bez_buf_free(&all);
  return good;
}

bez_status bez_fulcio_logged(const bez_bytes *leaf, const bez_bytes *issuer, const bez_trusted_root *root,
                             const char *subject, bez_error *err) {
  uint8_t hash[32];
  size_t len = 0;
  bool good = false;
  X509 *x = bez_certificate_read(leaf), *by = bez_certificate_read(issuer);
  unsigned char *tbs = x ? before_logging(x, &len) : NULL;
  STACK_OF(SCT) *list = x ? X509_get_ext_d2i(x, NID_ct_precert_scts, NULL, NULL) : NULL;
  if (tbs && by && key_hash(by, hash))
    for (int i = 0; i < sk_SCT_num(list) && !good; i++)
      good = signed_by_a_log(sk_SCT_value(list, i), root, hash, tbs, len);
  const bool there = sk_SCT_num(list) > 0;
  SCT_LIST_free(list);
  OPENSSL_free(tbs);
  X509_free(by);
  X509_free(x);
  ERR_clear_error();
  if (good) return BEZ_OK;
  return bez_fail(err, BEZ_FORMAT, subject,
                  there ? "no certificate log of the trusted root has signed for the signing certificate"
                        : "the signing certificate carries no promise of a certificate log");
}
