/* The list of a model's files as it is signed: an in-toto statement whose predicate names every resource with its
 * digest (OpenSSF Model Signing, sections 5 and 6). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/signing.h"
#include "base/error.h"
#include "base/json.h"
#include "base/limits.h"
#include "crypto/dsse.h"
#include "crypto/statement.h"

#define OLD_PREDICATE "https://model_signing/Digests/v0.1"

void bez_manifest_free(bez_manifest *manifest) {
  bez_arena_free(&manifest->arena);
  *manifest = (bez_manifest){0};
}

static const char *text_of(const json_t *object, const char *key) {
  return json_string_value(json_object_get(object, key));
}

/* A whole number that may have been written as a real one (1e9), as a Struct of protobuf does. */
static bool number_of(const json_t *value, uint64_t *out) {
  if (json_is_integer(value) && json_integer_value(value) > 0) {
    *out = (uint64_t)json_integer_value(value);
    return true;
  }
  const double real = json_is_real(value) ? json_real_value(value) : 0;
  if (!(real >= 1 && real < 9e15)) return false;
  *out = (uint64_t)real;
  return (double)*out == real;
}

static bez_status kind_of(const char *name, const char *subject, bez_digest_kind *out, bez_error *err) {
  *out = name ? bez_digest_named(name) : BEZ_DIGEST_NONE;
  if (!name) return bez_fail(err, BEZ_FORMAT, subject, "the signed list does not say how files were hashed");
  if (*out == BEZ_DIGEST_NONE)
    return bez_fail(err, BEZ_UNSUPPORTED, subject, "files were hashed with \"%.40s\", which this version does not know",
                    name);
  return BEZ_OK;
}

static bez_status read_ignored(bez_manifest *m, const json_t *list, const char *subject, bez_error *err) {
  const size_t n = json_array_size(list);
  if (n > BEZ_SIGNING_MAX_IGNORED)
    return bez_fail(err, BEZ_LIMIT, subject, "the signed list ignores %zu paths, more than %u", n,
                    BEZ_SIGNING_MAX_IGNORED);
  m->ignore = bez_arena_array(&m->arena, n + 1, sizeof *m->ignore);
  if (!m->ignore) return bez_fail_memory(err, n * sizeof *m->ignore);
  for (size_t i = 0; i < n; i++) {
    const char *text = json_string_value(json_array_get(list, i));
    char *copy = bez_arena_strdup(&m->arena, text);
    if (text && !copy) return bez_fail_memory(err, strlen(text));
    if (!text) return bez_fail(err, BEZ_FORMAT, subject, "an ignored path of the signed list is no text");
    if (bez_signing_path(copy)) m->ignore[m->n_ignore++] = copy; /* others name nothing below the model */
  }
  return BEZ_OK;
}

static bez_status read_serialization(bez_manifest *m, const json_t *s, const char *subject, bez_error *err) {
  const char *method = text_of(s, "method");
  if (!json_is_object(s) || !method)
    return bez_fail(err, BEZ_FORMAT, subject, "the signed list does not say how files became entries (serialization)");
  m->shards = !strcmp(method, "shards");
  if (!m->shards && strcmp(method, "files") != 0)
    return bez_fail(err, BEZ_UNSUPPORTED, subject,
                    "files were serialised by \"%.40s\", which this version does not know", method);
  if (m->shards && !number_of(json_object_get(s, "shard_size"), &m->shard_size))
    return bez_fail(err, BEZ_FORMAT, subject, "the signed list is of shards without a size");
  m->allow_symlinks = json_is_true(json_object_get(s, "allow_symlinks"));
  bez_status st = kind_of(text_of(s, "hash_type"), subject, &m->kind, err);
  return st == BEZ_OK ? read_ignored(m, json_object_get(s, "ignore_paths"), subject, err) : st;
}

/* The standard names the digest of a shard as that of a file; Python's model_signing and its Go peer write
 * "sha256-sharded-1000" and take nothing else, so that is what is written here. Both are read. */
static bool same_algorithm(const bez_manifest *m, const char *how) {
  char text[96];
  snprintf(text, sizeof text, "%.40s", how);
  char *sharded = m->shards ? strstr(text, "-sharded-") : NULL, *end = NULL;
  if (sharded) {
    const char *digits = sharded + strlen("-sharded-");
    if (*digits < '0' || *digits > '9' || strtoull(digits, &end, 10) != m->shard_size || *end) return false;
    *sharded = '\0';
  }
  return bez_digest_named(text) == m->kind;
}

/* Cuts ":first:end" off a name; a name may hold colons itself, so the last two count. */
static bool cut_stretch(char *name, uint64_t *first, uint64_t *end) {
  uint64_t *to[2] = {end, first};
  for (size_t i = 0; i < 2; i++) {
    char *colon = strrchr(name, ':'), *stop = NULL;
    if (!colon || colon[1] < '0' || colon[1] > '9' || strlen(colon) > 20) return false;
    *to[i] = strtoull(colon + 1, &stop, 10);
    if (*stop) return false;
    *colon = '\0';
  }
  return *first < *end && *end <= INT64_MAX;
}

static bez_status read_resource(bez_manifest *m, const json_t *item, const char *subject, bez_resource *r,
                                bez_error *err) {
  const char *name = text_of(item, "name"), *digest = text_of(item, "digest"), *how = text_of(item, "algorithm");
  if (!name || !digest || !how)
    return bez_fail(err, BEZ_FORMAT, subject, "an entry of the signed list lacks its name, digest or algorithm");
  char *copy = bez_arena_strdup(&m->arena, name);
  r->listed = bez_arena_strdup(&m->arena, name);
  if (!copy || !r->listed) return bez_fail_memory(err, strlen(name));
  if (!same_algorithm(m, how) || !bez_unhex(digest, r->digest, bez_digest_size(m->kind)))
    return bez_fail(err, BEZ_FORMAT, subject, "the digest of \"%.200s\" in the signed list is no %s", name,
                    bez_digest_name(m->kind));
  if (m->shards && !cut_stretch(copy, &r->first, &r->end))
    return bez_fail(err, BEZ_FORMAT, subject, "\"%.200s\" in the signed list is no PATH:START:END", name);
  if (strcmp(copy, ".") != 0 && !bez_signing_path(copy))
    return bez_fail(err, BEZ_FORMAT, subject, "the signed list names \"%.200s\", which leads out of the model", name);
  r->name = copy;
  return BEZ_OK;
}

static int by_resource(const void *a, const void *b) {
  const bez_resource *x = *(const bez_resource *const *)a, *y = *(const bez_resource *const *)b;
  const int names = strcmp(x->name, y->name);
  return names ? names : (x->first > y->first) - (x->first < y->first);
}

/* A name that is listed twice means one thing to one program and another to the next. */
static bez_status check_twice(const bez_manifest *m, const char *subject, bez_error *err) {
  const bez_resource **sorted = malloc(m->n * sizeof *sorted);
  bez_status st = BEZ_OK;
  if (!sorted) return bez_fail_memory(err, m->n * sizeof *sorted);
  for (size_t i = 0; i < m->n; i++) sorted[i] = &m->resources[i];
  qsort(sorted, m->n, sizeof *sorted, by_resource);
  for (size_t i = 1; i < m->n && st == BEZ_OK; i++)
    if (!by_resource(&sorted[i - 1], &sorted[i]))
      st = bez_fail(err, BEZ_FORMAT, subject, "the signed list names \"%.200s\" twice", sorted[i]->name);
  free(sorted);
  return st;
}

static bez_status read_resources(bez_manifest *m, const json_t *list, const char *subject, bez_error *err) {
  m->n = json_array_size(list);
  if (!m->n) return bez_fail(err, BEZ_FORMAT, subject, "the signed list is empty");
  m->resources = bez_arena_array(&m->arena, m->n, sizeof *m->resources);
  if (!m->resources) return bez_fail_memory(err, m->n * sizeof *m->resources);
  for (size_t i = 0; i < m->n; i++) {
    bez_status st = read_resource(m, json_array_get(list, i), subject, &m->resources[i], err);
    if (st != BEZ_OK) return st;
  }
  return check_twice(m, subject, err);
}

/* SHA-256 over the digests in listed order, whatever the digests themselves are. */
static bez_status work_out_root(bez_manifest *m, bez_error *err) {
  bez_buf all = {0};
  uint8_t digest[BEZ_DIGEST_MOST];
  for (size_t i = 0; i < m->n; i++) bez_buf_write(&all, m->resources[i].digest, bez_digest_size(m->kind));
  bez_status st = bez_buf_status(&all, err);
  if (st == BEZ_OK) st = bez_digest_bytes(BEZ_DIGEST_SHA256, all.data ? all.data : "", all.len, digest, err);
  if (st == BEZ_OK) bez_hex(digest, 32, m->root);
  bez_buf_free(&all);
  return st;
}

static bez_status check_subject(const bez_manifest *m, const bez_statement *s, const char *subject, bez_error *err) {
  const json_t *model = json_array_get(s->subject, 0);
  const char *root = text_of(json_object_get(model, "digest"), "sha256");
  uint8_t said[32], found[32];
  if (json_array_size(s->subject) != 1)
    return bez_fail(err, BEZ_FORMAT, subject, "the statement has %zu subjects, where there must be one",
                    json_array_size(s->subject));
  if (!root || !bez_unhex(root, said, 32) || !bez_unhex(m->root, found, 32) || memcmp(said, found, 32) != 0)
    return bez_fail(err, BEZ_FORMAT, subject,
                    "the statement contradicts itself: its list does not have the digest it gives for the model");
  return BEZ_OK;
}

static bez_status read_statement(bez_manifest *m, const bez_statement *s, const char *subject, bez_error *err) {
  if (!strcmp(s->predicate_type, OLD_PREDICATE))
    return bez_fail(err, BEZ_UNSUPPORTED, subject,
                    "was signed in the experimental format of model_signing 0.2, before version 1.0 of the standard");
  if (strcmp(s->predicate_type, BEZ_SIGNING_PREDICATE) != 0)
    return bez_fail(err, BEZ_FORMAT, subject, "is a statement of another kind: its predicate type is \"%.100s\"",
                    s->predicate_type);
  const char *name = text_of(json_array_get(s->subject, 0), "name");
  m->model = bez_arena_strdup(&m->arena, name ? name : "");
  if (!m->model) return bez_fail_memory(err, 1);
  bez_status st = read_serialization(m, json_object_get(s->predicate, "serialization"), subject, err);
  if (st == BEZ_OK) st = read_resources(m, json_object_get(s->predicate, "resources"), subject, err);
  if (st == BEZ_OK) st = work_out_root(m, err);
  return st == BEZ_OK ? check_subject(m, s, subject, err) : st;
}

bez_status bez_manifest_parse(const bez_bundle *bundle, const char *subject, bez_manifest *out, bez_error *err) {
  bez_statement s = {0};
  *out = (bez_manifest){0};
  if (strcmp(bundle->payload_type, BEZ_IN_TOTO_PAYLOAD) != 0)
    return bez_fail(err, BEZ_FORMAT, subject, "what was signed is of another kind: its type is \"%.100s\"",
                    bundle->payload_type);
  bez_status st = bez_statement_parse(bundle->payload.data, bundle->payload.len, subject, &s, err);
  if (st == BEZ_OK) st = read_statement(out, &s, subject, err);
  bez_statement_free(&s);
  if (st != BEZ_OK) bez_manifest_free(out);
  return st;
}

/* ---- writing ------------------------------------------------------------------------------------------------------
 */

static void put_resource(bez_json *j, const bez_manifest *m, const bez_resource *r) {
  char hex[2 * BEZ_DIGEST_MOST + 1];
  char how[64];
  bez_hex(r->digest, bez_digest_size(m->kind), hex);
  snprintf(how, sizeof how, "%s", bez_digest_name(m->kind));
  if (m->shards)
    snprintf(how, sizeof how, "%s-sharded-%llu", bez_digest_name(m->kind), (unsigned long long)m->shard_size);
  bez_json_open(j, '{');
  bez_json_kstr(j, "name", r->listed);
  bez_json_kstr(j, "algorithm", how);
  bez_json_kstr(j, "digest", hex);
  bez_json_close(j, '}');
}

static void put_serialization(bez_json *j, const bez_manifest *m) {
  bez_json_key(j, "serialization");
  bez_json_open(j, '{');
  bez_json_kstr(j, "method", m->shards ? "shards" : "files");
  bez_json_kstr(j, "hash_type", bez_digest_name(m->kind));
  if (m->shards) bez_json_kuint(j, "shard_size", m->shard_size);
  bez_json_kbool(j, "allow_symlinks", m->allow_symlinks);
  bez_json_key(j, "ignore_paths");
  bez_json_open(j, '[');
  for (size_t i = 0; i < m->n_ignore; i++) bez_json_str(j, m->ignore[i]);
  bez_json_close(j, ']');
  bez_json_close(j, '}');
}

bez_status bez_manifest_write(bez_manifest *m, bez_buf *out, bez_error *err) {
  bez_json j = bez_json_make(out, false);
  bez_status st = work_out_root(m, err);
  if (st != BEZ_OK) return st;
  bez_statement_begin(&j, m->model, m->root, BEZ_SIGNING_PREDICATE);
  bez_json_open(&j, '{');
  put_serialization(&j, m);
  bez_json_key(&j, "resources");
  bez_json_open(&j, '[');
  for (size_t i = 0; i < m->n; i++) put_resource(&j, m, &m->resources[i]);
  bez_json_close(&j, ']');
  bez_json_close(&j, '}');
  bez_json_close(&j, '}');
  return bez_buf_status(out, err);
}
