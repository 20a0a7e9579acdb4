/* Remote paths without a network: URLs, signatures, headers, listings. */
#include "net/http.h"
#include "net/listing.h"
#include "net/sigv4.h"
#include "net/spool.h"
#include "net/url.h"
#include "test.h"

static void shown_without_secrets(void **state) {
  static const char *const cases[][2] = {
      {"https://h/p/x.csv?X-Amz-Signature=secret#part", "https://h/p/x.csv"},
      {"https://me:secret@h/p", "https://h/p"},
      {"https://me:se@cret@h/p@q", "https://h/p@q"},
      {"HTTPS://H/p", "HTTPS://H/p"},
      {"s3://bucket/a?b#c", "s3://bucket/a?b#c"},
      {"hf://org/name@main/x", "hf://org/name@main/x"},
      {"/local/http://x?y", "/local/http://x?y"},
  };
  bez_arena arena = {0};
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    assert_string_equal(bez_url_shown(&arena, cases[i][0]), cases[i][1]);
  bez_arena_free(&arena);
}

static void errors_cut_secrets(void **state) {
  static const char *const cases[][2] = {
      {"https://h/p?sig=secret", "https://h/p"},
      {"see https://me:secret@h/p?sig=secret now", "see https://h/p now"},
      {"http://u:p@a/?q and \"https://b/c?d\"", "http://a/ and \"https://b/c\""},
      {"s3://bucket/what?", "s3://bucket/what?"},
      {"no URL: //x?y", "no URL: //x?y"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    bez_error err = {0};
    assert_int_equal(bez_fail(&err, BEZ_IO, cases[i][0], "%s", cases[i][0]), BEZ_IO);
    assert_string_equal(err.subject, cases[i][1]);
    assert_string_equal(err.message, cases[i][1]);
  }
}

static void origins(void **state) {
  char origin[320];
  (void)state;
  assert_true(bez_url_origin("HTTPS://Host.Example:443/x?y", origin));
  assert_string_equal(origin, "https://host.example");
  assert_true(bez_url_origin("http://127.0.0.1:80?x", origin));
  assert_string_equal(origin, "http://127.0.0.1");
  assert_true(bez_url_origin("https://h:8443/", origin));
  assert_string_equal(origin, "https://h:8443");
  assert_false(bez_url_origin("https:///x", origin));
  assert_false(bez_url_origin("ftp://h/x", origin));
  assert_true(bez_url_is_private("http://localhost:9000/x"));
  assert_true(bez_url_is_private("http://[::1]:9000/x"));
  assert_false(bez_url_is_private("http://localhost.example/x"));
  assert_false(bez_url_is_private("http://127.0.0.1.example/x"));
  assert_false(bez_url_is_private("http://10.0.0.1/x"));
}

static void escapes_come_back(void **state) {
  bez_arena arena = {0};
  bez_buf out = {0};
  (void)state;
  bez_url_escape(&out, "a b/\xc3\xbc+~%", false);
  assert_string_equal(out.data, "a%20b%2F%C3%BC%2B~%25");
  assert_string_equal(bez_url_unescape(&arena, out.data, out.len, true), "a b/\xc3\xbc+~%");
  assert_string_equal(bez_url_unescape(&arena, "a+b", 3, true), "a b");
  assert_null(bez_url_unescape(&arena, "%0", 2, false));
  assert_null(bez_url_unescape(&arena, "%00", 3, false));
  assert_null(bez_url_unescape(&arena, "%zz", 3, false));
  bez_buf_free(&out);
  bez_arena_free(&arena);
}

/* "GET Bucket (List Objects)" of the examples in AWS's description of the signature. */
static void signature_of_the_example(void **state) {
  bez_aws aws = {"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", NULL, "us-east-1", "s3"};
  bez_signed s;
  bez_error err = {0};
  (void)state;
  assert_ok(bez_sigv4(&aws, "examplebucket.s3.amazonaws.com", "/", "max-keys=2&prefix=J", 1369353600, &s, &err));
  assert_string_equal(s.date, "20130524T000000Z");
  assert_string_equal(s.authorization,
                      "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
                      "SignedHeaders=host;x-amz-content-sha256;x-amz-date,"
                      "Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

static void credentials_with_line_ends_are_refused(void **state) {
  bez_aws aws = {"id", "secret", "a\r\nHost: evil", "us-east-1", "s3"};
  bez_signed s;
  bez_error err = {0};
  (void)state;
  assert_int_equal(bez_sigv4(&aws, "h", "/", "", 0, &s, &err), BEZ_USAGE);
  assert_null(strstr(err.message, "evil"));
}

static bez_response read_headers(const char *text) {
  bez_response r = {0};
  for (const char *p = text; *p; p += strcspn(p, "\n") + 1) bez_response_header(&r, p, strcspn(p, "\n") + 1);
  return r;
}

static void headers(void **state) {
  (void)state;
  bez_response r =
      read_headers("HTTP/1.1 100 Continue\r\nETag: \"old\"\r\n\r\nHTTP/1.1 206 Partial Content\r\n"
                   "content-range: bytes 10-19/300\r\nETAG: W/\"v\"\r\nContent-Length: 10\r\n"
                   "Retry-After: 7\r\nLink: <https://h/a>; rel=\"prev\", <https://h/b?c>; rel=\"next\"\r\n");
  assert_true(r.has_range && r.has_total && r.has_length && r.framed);
  assert_int_equal(r.first, 10);
  assert_int_equal(r.last, 19);
  assert_int_equal(r.total, 300);
  assert_string_equal(r.etag, "W/\"v\"");
  assert_int_equal(r.wait, 7);
  assert_string_equal(r.next, "https://h/b?c");
  static const char *const bad[] = {"bytes 5-4/10", "bytes 0-10/10",
                                    "bytes 0-/10",  "bytes -1-5/10",
                                    "octets 0-1/2", "bytes 0-99999999999999999999999/100000000000000"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    char line[128];
    snprintf(line, sizeof line, "HTTP/1.1 206 X\nContent-Range: %s\n", bad[i]);
    assert_false(read_headers(line).has_range);
  }
  r = read_headers("HTTP/1.1 416 X\nContent-Range: bytes */0\n");
  assert_true(!r.has_range && r.has_total && r.total == 0);
  assert_false(read_headers("HTTP/1.1 200 OK\nContent-Type: text/csv\n").framed);
  assert_true(read_headers("HTTP/2 200\n").framed);
  assert_string_equal(read_headers("HTTP/1.1 200 OK\nETag: \"\x01\"\n").etag, "");
}

static bez_status count(void *ctx, const bez_entry *entry, bez_error *err) {
  char *out = ctx;
  (void)err;
  size_t n = strlen(out);
  snprintf(out + n, 1024 - n, "%s=%llu %s;", entry->name, (unsigned long long)entry->size,
           entry->etag ? entry->etag : "-");
  return BEZ_OK;
}

#define LIST(entries, tail)                                                                                            \
  "<?xml version=\"1.0\"?><ListBucketResult xmlns=\"u\"><Name>b</Name>" entries tail "</ListBucketResult>"
#define ONE(key, size) "<Contents><Key>" key "</Key><ETag>&quot;e&quot;</ETag><Size>" size "</Size></Contents>"

static void s3_listing(void **state) {
  static const char good[] = LIST("<EncodingType>url</EncodingType>" ONE("a%2Bb+c%26", "12") ONE("x&amp;y&#x41;", "0"),
                                  "<IsTruncated>true</IsTruncated><NextContinuationToken>t&lt;</NextContinuationToken>"
                                  "<CommonPrefixes><Prefix>p/</Prefix></CommonPrefixes><Empty/>");
  static const char *const bad[] = {"",
                                    "<Error><Code>x</Code></Error>",
                                    "<!DOCTYPE a><ListBucketResult></ListBucketResult>",
                                    LIST(ONE("a", "x"), ""),
                                    LIST(ONE("a", "-1"), ""),
                                    LIST(ONE("", "1"), ""),
                                    LIST(ONE("a&b;", "1"), ""),
                                    LIST(ONE("a&#0;", "1"), ""),
                                    LIST("<Contents><Key>a</Key></Contents>", ""),
                                    LIST("<Contents><Size>1</Size></Contents>", ""),
                                    LIST("<Contents><Key>a</Contents></Key>", ""),
                                    LIST("", "<IsTruncated>true</IsTruncated>"),
                                    LIST("<a><b><c><d><e><f><g><h><i>", ""),
                                    "<ListBucketResult><Contents>",
                                    LIST("<![CDATA[x]]>", ""),
                                    LIST("<EncodingType>url</EncodingType>" ONE("a%0", "1"), "")};
  char seen[1024] = "";
  bez_error err = {0};
  (void)state;
  bez_listing l = {.shown = "s3://b/", .entry = count, .ctx = seen};
  assert_ok(bez_listing_s3(&l, good, sizeof good - 1, &err));
  assert_string_equal(seen, "a+b c&=12 \"e\";x&yA=0 \"e\";");
  assert_string_equal(l.next, "t<");
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    err = (bez_error){0};
    if (bez_listing_s3(&l, bad[i], strlen(bad[i]), &err) == BEZ_OK) fail_msg("taken: %s", bad[i]);
    assert_int_equal(err.code, BEZ_FORMAT);
  }
  bez_arena_free(&l.arena);
}

static void json_listings(void **state) {
  static const char gs[] =
      "{\"items\":[{\"name\":\"a/b\",\"size\":\"12\",\"generation\":\"7\"}],\"nextPageToken\":\"n\"}";
  static const char hf[] = "[{\"type\":\"directory\",\"path\":\"d\"},{\"type\":\"file\",\"path\":\"d/x\",\"size\":5}]";
  static const char *const bad[] = {"",
                                    "3",
                                    "{\"items\":{}}",
                                    "{\"items\":[{\"name\":\"\"}]}",
                                    "{\"items\":[{\"name\":\"a\",\"size\":\"x\",\"generation\":\"1\"}]}",
                                    "{\"items\":[{\"name\":\"a\",\"size\":-1,\"generation\":\"1\"}]}",
                                    "[{}]",
                                    "[[]]"};
  char seen[1024] = "";
  bez_error err = {0};
  (void)state;
  bez_listing l = {.shown = "x", .entry = count, .ctx = seen};
  assert_ok(bez_listing_gs(&l, gs, sizeof gs - 1, &err));
  assert_string_equal(l.next, "n");
  assert_ok(bez_listing_hf(&l, hf, sizeof hf - 1, &err));
  assert_string_equal(seen, "a/b=12 -;d/x=5 -;");
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    assert_int_not_equal(bez_listing_gs(&l, bad[i], strlen(bad[i]), NULL), BEZ_OK);
    assert_int_not_equal(bez_listing_hf(&l, bad[i], strlen(bad[i]), NULL), BEZ_OK);
  }
  const char *commit;
  static const char sha[] = "{\"sha\":\"0123456789abcdef0123456789abcdef01234567\"}";
  assert_ok(bez_listing_hf_commit(&l, sha, sizeof sha - 1, &commit, &err));
  assert_int_equal(strlen(commit), 40);
  assert_int_not_equal(bez_listing_hf_commit(&l, "{\"sha\":\"../../x\"}", 18, &commit, NULL), BEZ_OK);
  bez_arena_free(&l.arena);
}

static void places(void **state) {
  bez_arena arena = {0};
  bez_error err = {0};
  bez_place p;
  (void)state;
  unsetenv("AWS_ENDPOINT_URL");
  unsetenv("AWS_ENDPOINT_URL_S3");
  unsetenv("HF_ENDPOINT");
  setenv("AWS_REGION", "eu-central-1", 1);
  setenv("HF_TOKEN", "token", 1);
  assert_ok(bez_place_parse("s3://bucket/a/b", &arena, &p, &err));
  assert_string_equal(p.base, "https://bucket.s3.eu-central-1.amazonaws.com");
  assert_ok(bez_place_parse("s3://buck.et/a", &arena, &p, &err));
  assert_string_equal(p.base, "https://s3.eu-central-1.amazonaws.com/buck.et");
  assert_ok(bez_place_parse("hf://datasets/o/n@refs/pr/7/d/x", &arena, &p, &err));
  assert_string_equal(p.bucket, "datasets/o/n");
  assert_string_equal(p.revision, "refs/pr/7");
  assert_string_equal(p.path, "d/x");
  assert_string_equal(p.bearer, "token");
  setenv("HF_ENDPOINT", "http://mirror.example/", 1); /* allowed, but the token is not sent in the clear */
  assert_ok(bez_place_parse("hf://models/o/n", &arena, &p, &err));
  assert_string_equal(p.bucket, "models/o/n");
  assert_string_equal(p.base, "http://mirror.example");
  assert_true(p.plain && !p.bearer);
  unsetenv("HF_ENDPOINT");
  unsetenv("HF_TOKEN");
  setenv("AWS_REGION", "evil.example/", 1);
  assert_int_equal(bez_place_parse("s3://bucket/a", &arena, &p, NULL), BEZ_USAGE);
  unsetenv("AWS_REGION");
  static const char *const bad[] = {"s3://",         "s3://a@b/c",   "s3://a:1/c",         "gs://../x",
                                    "hf://a",        "hf://a/",      "hf://./b",           "https://",
                                    "https://a b/c", "https://u@h/", "http://example.org/"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    if (bez_place_parse(bad[i], &arena, &p, NULL) == BEZ_OK) fail_msg("taken: %s", bad[i]);
  bez_arena_free(&arena);
}

static void an_empty_spool(void **state) {
  bez_spool *spool;
  bez_error err = {0};
  (void)state;
  assert_ok(bez_spool_create(NULL, &spool, &err));
  assert_true(bez_spool_find(spool, "s3://b/x") == SIZE_MAX);
  assert_true(bez_spool_find(NULL, "s3://b/x") == SIZE_MAX);
  const size_t *ids;
  size_t n;
  assert_int_equal(bez_spool_add(spool, "http://example.org/x", &ids, &n, &err), BEZ_USAGE);
  assert_ok(bez_spool_fetch(spool, NULL, 0, &err));
  bez_spool_destroy(spool);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(shown_without_secrets),
      cmocka_unit_test(errors_cut_secrets),
      cmocka_unit_test(origins),
      cmocka_unit_test(escapes_come_back),
      cmocka_unit_test(signature_of_the_example),
      cmocka_unit_test(credentials_with_line_ends_are_refused),
      cmocka_unit_test(headers),
      cmocka_unit_test(s3_listing),
      cmocka_unit_test(json_listings),
      cmocka_unit_test(places),
      cmocka_unit_test(an_empty_spool),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
