#include "crypto/timestamp.h"

#include <openssl/err.h>
#include <openssl/ts.h>
#include <openssl/x509_vfy.h>
#include <time.h>

#include "base/error.h"

#define MAX_RESPONSE (1u << 20)
#define SECURITY_LEVEL 2

/* The time that the response states; false: it has none. */
static bool stated_time(TS_RESP *response, int64_t *at) {
  TS_TST_INFO *info = TS_RESP_get_tst_info(response);
  const ASN1_GENERALIZEDTIME *time = info ? TS_TST_INFO_get_time(info) : NULL;
  struct tm utc;
  if (!time || ASN1_TIME_to_tm(time, &utc) != 1) return false;
  *at = (int64_t)timegm(&utc);
  return true;
}

/* Trusts the authority's last certificate, as of then; NULL. */
static X509_STORE *store_of(const bez_authority *authority, int64_t at) {
  X509_STORE *store = X509_STORE_new();
  X509_VERIFY_PARAM *param = X509_VERIFY_PARAM_new();
  X509 *root = bez_certificate_read(&authority->certificates[authority->n - 1]);
  bool good = store && param && root && X509_STORE_add_cert(store, root) == 1;
  if (good) {
    X509_VERIFY_PARAM_set_time(param, (time_t)at);
    X509_VERIFY_PARAM_set_auth_level(param, SECURITY_LEVEL);
    good = X509_STORE_set1_param(store, param) == 1;
  }
  X509_free(root);
  X509_VERIFY_PARAM_free(param);
  if (good) return store;
  X509_STORE_free(store);
  return NULL;
}

static STACK_OF(X509) * others_of(const bez_authority *authority) {
  STACK_OF(X509) *others = sk_X509_new_null();
  for (size_t i = 0; others && i + 1 < authority->n; i++) {
    X509 *x = bez_certificate_read(&authority->certificates[i]);
    if (x && !sk_X509_push(others, x)) X509_free(x);
  }
  return others;
}

/* The context owns what it is given. */
static bool stamped_by(TS_RESP *response, const bez_bytes *over, const bez_authority *authority, int64_t at) {
  TS_VERIFY_CTX *ctx = TS_VERIFY_CTX_new();
  BIO *data = BIO_new_mem_buf(over->data, (int)over->len);
  X509_STORE *store = store_of(authority, at);
  STACK_OF(X509) *others = others_of(authority);
  bool good = ctx && data && store && others;
  if (good) {
    TS_VERIFY_CTX_set_flags(ctx, TS_VFY_SIGNATURE | TS_VFY_VERSION | TS_VFY_DATA);
    TS_VERIFY_CTX_set_data(ctx, data);
    TS_VERIFY_CTX_set_store(ctx, store);
    TS_VERIFY_CTX_set_certs(ctx, others);
    good = TS_RESP_verify_response(ctx, response) == 1;
  } else {
    BIO_free(data);
    X509_STORE_free(store);
    sk_X509_pop_free(others, X509_free);
  }
  TS_VERIFY_CTX_free(ctx);
  return good;
}

bez_status bez_timestamp_verify(const bez_bytes *response, const bez_bytes *over, const bez_trusted_root *root,
                                const char *subject, int64_t *at, bez_error *err) {
  const unsigned char *begin = response->data;
  TS_RESP *parsed = response->len < MAX_RESPONSE ? d2i_TS_RESP(NULL, &begin, (long)response->len) : NULL;
  bool good = false;
  const bool timed = parsed && over->len < MAX_RESPONSE && stated_time(parsed, at);
  for (size_t i = 0; timed && i < root->n_stampers && !good; i++) {
    const bez_authority *authority = &root->stampers[i];
    if (*at >= authority->from && *at <= authority->until) good = stamped_by(parsed, over, authority, *at);
  }
  TS_RESP_free(parsed);
  ERR_clear_error();
  if (good) return BEZ_OK;
  return bez_fail(err, BEZ_FORMAT, subject,
                  timed ? "a time stamp is by no authority of the trusted root over this signature"
                        : "a time stamp cannot be read");
}
