/* AWS Signature Version 4: HMAC-SHA-256 over a canonical form of the request. */
#include "net/sigv4.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/hash.h"

static bool hmac(const void *key, size_t key_len, const char *text, uint8_t out[32]) {
  unsigned len = 32;
  return HMAC(EVP_sha256(), key, (int)key_len, (const unsigned char *)text, strlen(text), out, &len) && len == 32;
}

/* The request as both sides write it down, hashed. */
static bool hash_request(const bez_aws *aws, const char *host, const char *path, const char *query, const char *date,
                         const char *names, char out[65]) {
  bez_buf b = {0};
  bez_buf_printf(&b, "GET\n%s\n%s\nhost:%s\nx-amz-content-sha256:" BEZ_SHA256_OF_NOTHING "\nx-amz-date:%s\n", path,
                 query, host, date);
  if (aws->token) bez_buf_printf(&b, "x-amz-security-token:%s\n", aws->token);
  bez_buf_printf(&b, "\n%s\n" BEZ_SHA256_OF_NOTHING, names);
  bool good = b.failed == BEZ_OK && bez_sha256_hex(b.data, b.len, out) == 0;
  if (b.data) OPENSSL_cleanse(b.data, b.len);
  bez_buf_free(&b);
  return good;
}

static bool derive_key(const bez_aws *aws, const char *day, uint8_t key[32]) {
  char first[512];
  int len = snprintf(first, sizeof first, "AWS4%s", aws->secret);
  bool good = len > 0 && (size_t)len < sizeof first && hmac(first, (size_t)len, day, key) &&
              hmac(key, 32, aws->region, key) && hmac(key, 32, aws->service, key) && hmac(key, 32, "aws4_request", key);
  OPENSSL_cleanse(first, sizeof first);
  return good;
}

static bool has_line_end(const char *text) {
  return text && strpbrk(text, "\r\n") != NULL;
}

bez_status bez_sigv4(const bez_aws *aws, const char *host, const char *path, const char *query, time_t now,
                     bez_signed *out, bez_error *err) {
  static const char hex[] = "0123456789abcdef";
  const char *names =
      aws->token ? "host;x-amz-content-sha256;x-amz-date;x-amz-security-token" : "host;x-amz-content-sha256;x-amz-date";
  char request[65], scope[160], text[512], day[9], signature[65] = {0};
  uint8_t key[32], mac[32];
  struct tm utc;
  if (has_line_end(aws->key_id) || has_line_end(aws->token) || has_line_end(aws->region))
    return bez_fail(err, BEZ_USAGE, "AWS credentials", "hold a line end");
  if (!gmtime_r(&now, &utc) || !strftime(out->date, sizeof out->date, "%Y%m%dT%H%M%SZ", &utc))
    return bez_fail(err, BEZ_INTERNAL, NULL, "the clock cannot be read");
  memcpy(day, out->date, 8);
  day[8] = '\0';
  int n = snprintf(scope, sizeof scope, "%s/%s/%s/aws4_request", day, aws->region, aws->service);
  if (n < 0 || (size_t)n >= sizeof scope) return bez_fail(err, BEZ_USAGE, "AWS_REGION", "is too long");
  if (!hash_request(aws, host, path, query, out->date, names, request)) return bez_fail_memory(err, 4096);
  snprintf(text, sizeof text, "AWS4-HMAC-SHA256\n%s\n%s\n%s", out->date, scope, request);
  bool good = derive_key(aws, day, key) && hmac(key, 32, text, mac);
  OPENSSL_cleanse(key, sizeof key);
  if (!good) return bez_fail(err, BEZ_USAGE, "AWS_SECRET_ACCESS_KEY", "cannot be used to sign");
  for (int i = 0; i < 32; i++) {
    signature[2 * i] = hex[mac[i] >> 4];
    signature[2 * i + 1] = hex[mac[i] & 15];
  }
  n = snprintf(out->authorization, sizeof out->authorization,
               "AWS4-HMAC-SHA256 Credential=%s/%s,SignedHeaders=%s,Signature=%s", aws->key_id, scope, names, signature);
  if (n < 0 || (size_t)n >= sizeof out->authorization)
    return bez_fail(err, BEZ_USAGE, "AWS_ACCESS_KEY_ID", "is too long");
  return BEZ_OK;
}
