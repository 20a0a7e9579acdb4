/* AWS Signature Version 4 for GET requests without a body.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html */
#ifndef BEZ_NET_SIGV4_H
#define BEZ_NET_SIGV4_H

#include <time.h>

#include "bezoar/base.h"

typedef struct bez_aws {
  const char *key_id, *secret, *token; /* token may be NULL */
  const char *region, *service;        /* "us-east-1", "s3" */
} bez_aws;

typedef struct bez_signed {
  char date[20];           /* x-amz-date */
  char authorization[512]; /* Authorization */
} bez_signed;

#define BEZ_SHA256_OF_NOTHING "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* Signs host ("name" or "name:port"), x-amz-content-sha256 (BEZ_SHA256_OF_NOTHING), x-amz-date and, with a token,
 * x-amz-security-token. path and query ("" none; sorted by name) as they are sent, percent-encoded. */
BEZ_MUST_USE bez_status bez_sigv4(const bez_aws *aws, const char *host, const char *path, const char *query, time_t now,
                                  bez_signed *out, bez_error *err);

#endif
