#include "crypto/sigstore.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "crypto/fulcio.h"
#include "crypto/json_bytes.h"
#include "crypto/rekor.h"
#include "crypto/timestamp.h"

enum { MAX_ENTRIES = 8, MAX_TIMES = 16 };

typedef struct sigstore_check {
  const bez_bundle *bundle;
  const bez_trusted_root *root;
  const char *subject;
  int64_t times[MAX_TIMES]; /* that somebody vouches for */
  size_t n_times;
  bez_sigstore_proof proof;
} sigstore_check;

static bez_status check_entries(sigstore_check *c, bez_error *err) {
  size_t n = json_array_size(c->bundle->tlog_entries);
  bez_status st = BEZ_OK;
  if (!n) return bez_fail(err, BEZ_FORMAT, c->subject, "the bundle has no entry of a transparency log");
  if (n > MAX_ENTRIES) return bez_fail(err, BEZ_LIMIT, c->subject, "the bundle has %zu entries of logs", n);
  for (size_t i = 0; i < n && st == BEZ_OK; i++) {
    bez_rekor_record record = {0};
    st = bez_rekor_verify(json_array_get(c->bundle->tlog_entries, i), c->bundle, c->root, c->subject, &record, err);
    if (st == BEZ_OK && record.at != INT64_MIN) c->times[c->n_times++] = record.at;
    if (i > 0) continue;
    c->proof.log_index = record.index;
    c->proof.log_url = record.log_url;
  }
  return st;
}

/* A time stamp by somebody whom the root does not know is worth nothing, and takes nothing away where the log has given
 * a time of its own. */
static bez_status check_stamps(sigstore_check *c, bez_error *err) {
  const json_t *list = json_object_get(c->bundle->timestamps, "rfc3161Timestamps");
  size_t n = json_array_size(list);
  bez_arena arena = {0};
  bez_error why = {0};
  for (size_t i = 0; i < n && c->n_times < MAX_TIMES; i++) {
    bez_bytes response;
    int64_t at = 0;
    const json_t *item = json_object_get(json_array_get(list, i), "signedTimestamp");
    bez_error_clear(&why);
    if (bez_json_bytes(&arena, item, c->subject, "time stamp", &response, &why) != BEZ_OK) continue;
    if (bez_timestamp_verify(&response, &c->bundle->signature, c->root, c->subject, &at, &why) != BEZ_OK) continue;
    c->times[c->n_times++] = at;
    c->proof.stamped = true;
  }
  bez_arena_free(&arena);
  if (c->n_times) return BEZ_OK;
  return bez_fail(err, BEZ_FORMAT, c->subject, "nobody trusted says when it was signed%s%s", n ? ": " : "",
                  n ? why.message : "");
}

static bez_status check_signer(const sigstore_check *c, const bez_sigstore_options *options, bez_error *err) {
  bez_arena arena = {0};
  bez_fulcio_signer signer;
  bool named = false;
  bez_status st = bez_fulcio_signer_read(&c->bundle->certificates[0], c->subject, &arena, &signer, err);
  if (st != BEZ_OK) goto cleanup;
  for (size_t i = 0; i < signer.n_identities; i++) named = named || !strcmp(signer.identities[i], options->identity);
  if (!named)
    BEZ_TRY(bez_fail(err, BEZ_FORMAT, c->subject, "was signed by %.200s, not by %.200s", signer.identities[0],
                     options->identity));
  if (strcmp(signer.issuer, options->issuer) != 0)
    BEZ_TRY(bez_fail(err, BEZ_FORMAT, c->subject, "the signer was vouched for by %.200s, not by %.200s", signer.issuer,
                     options->issuer));
cleanup:
  bez_arena_free(&arena);
  return st;
}

/* At every time, for each is somebody's word; *key is of the last. */
static bez_status check_chain(sigstore_check *c, bez_key **key, bez_bytes *issuer, bez_error *err) {
  c->proof.signed_at = c->times[0];
  for (size_t i = 0; i < c->n_times; i++) {
    bez_key_free(*key);
    *key = NULL;
    bez_status st = bez_fulcio_verify(&c->bundle->certificates[0], c->root, c->times[i], c->subject, key, issuer, err);
    if (st != BEZ_OK) return st;
    if (c->times[i] < c->proof.signed_at) c->proof.signed_at = c->times[i];
  }
  return BEZ_OK;
}

bez_status bez_sigstore_check(const bez_bundle *bundle, const bez_trusted_root *root,
                              const bez_sigstore_options *options, const char *subject, bez_sigstore_proof *out,
                              bez_error *err) {
  sigstore_check c = {.bundle = bundle, .root = root, .subject = subject};
  bez_key *key = NULL;
  bez_bytes issuer = {0};
  bez_status st = BEZ_OK;
  if (bundle->method != BEZ_BUNDLE_SIGSTORE || !bundle->n_certificates)
    return bez_fail(err, BEZ_FORMAT, subject, "was not signed with Sigstore");
  BEZ_TRY(check_entries(&c, err));
  BEZ_TRY(check_stamps(&c, err));
  BEZ_TRY(check_chain(&c, &key, &issuer, err));
  BEZ_TRY(bez_fulcio_logged(&bundle->certificates[0], &issuer, root, subject, err));
  BEZ_TRY(check_signer(&c, options, err));
  BEZ_TRY(bez_bundle_verify_envelope(bundle, key, subject, err));
  if (out) *out = c.proof;
cleanup:
  bez_key_free(key);
  return st;
}

/* "2025-10-10T02:12:20Z" */
static void time_text(int64_t at, char out[40]) {
  struct tm utc;
  const time_t seconds = (time_t)at;
  if (!gmtime_r(&seconds, &utc) || !strftime(out, 40, "%Y-%m-%dT%H:%M:%SZ", &utc)) snprintf(out, 40, "an unknown time");
}

bez_status bez_sigstore_verify(const bez_bundle *bundle, const bez_sigstore_options *options, const char *subject,
                               char *who, size_t who_size, bez_error *err) {
  bez_trusted_root root = {0};
  bez_sigstore_proof proof = {0};
  bez_error why = {0};
  char time[40];
  if (!options->trusted_root || !options->identity || !options->issuer)
    return bez_fail(err, BEZ_USAGE, subject, "a Sigstore signature wants an identity, an issuer and a trusted root");
  if (bez_trusted_root_read(options->trusted_root, &root, &why) != BEZ_OK)
    return bez_fail(err, BEZ_USAGE, options->trusted_root, "%s", why.message);
  bez_status st = bez_sigstore_check(bundle, &root, options, subject, &proof, err);
  if (st == BEZ_OK && who) {
    time_text(proof.signed_at, time);
    snprintf(who, who_size, "%s, by the word of %s, at %s (entry %llu of %s)", options->identity, options->issuer, time,
             (unsigned long long)proof.log_index, *proof.log_url ? proof.log_url : "the log");
  }
  bez_trusted_root_free(&root);
  return st;
}
