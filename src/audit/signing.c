/* Signing and verifying models: the public interface over the stages of audit/signing.h. */
#include "bezoar/signing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "audit/signing.h"
#include "base/error.h"
#include "base/file.h"
#include "base/limits.h"
#include "crypto/dsse.h"

/* ---- signing ------------------------------------------------------------------------------------------------------
 */

typedef struct signing {
  const char *root;
  const bez_sign_options *o;
  const char *signature;
  bez_key *key;
  bez_bytes *chain;
  size_t n_chain;
  bez_walk walk;
  bez_manifest manifest;
} signing;

static bez_status open_keys(signing *s, bez_error *err) {
  const bez_sign_options *o = s->o;
  if (!o->key) return bez_fail(err, BEZ_USAGE, NULL, "no key to sign with");
  bez_status st = bez_key_read_private(o->key, o->password, &s->key, err);
  if (st != BEZ_OK || !o->n_certificates) return st;
  st = bez_chain_read(o->certificates, o->n_certificates, &s->manifest.arena, &s->chain, &s->n_chain, err);
  if (st != BEZ_OK) return st;
  return bez_chain_fits(s->chain, s->n_chain, s->key, time(NULL), o->certificates[0], err);
}

/* An older signature is replaced; anything else at its place is somebody's file. */
static bez_status check_place(const signing *s, bez_error *err) {
  bez_bundle old = {0};
  bez_error why = {0};
  struct stat info;
  if (lstat(s->signature, &info) != 0) return BEZ_OK;
  if (!S_ISREG(info.st_mode)) return bez_fail(err, BEZ_USAGE, s->signature, "is there already, and is no file");
  bez_status st = bez_bundle_read(s->signature, &old, &why);
  bez_bundle_free(&old);
  return st == BEZ_OK ? BEZ_OK
                      : bez_fail(err, BEZ_USAGE, s->signature, "is there already, and is no signature: not replaced");
}

static bez_status list_files(signing *s, bez_error *err) {
  bez_manifest *m = &s->manifest;
  bez_status st =
      bez_signing_ignore(s->root, s->signature, s->o->ignore, s->o->n_ignore, &m->arena, &m->ignore, &m->n_ignore, err);
  for (size_t i = 0; st == BEZ_OK && i < s->o->n_ignore; i++)
    if (strpbrk(s->o->ignore[i], "*?["))
      st = bez_fail(err, BEZ_USAGE, s->o->ignore[i], "is a pattern, where signatures hold plain paths");
  if (st == BEZ_OK && m->n_ignore > BEZ_SIGNING_MAX_IGNORED)
    st = bez_fail(err, BEZ_LIMIT, s->root, "more than %u ignored paths", BEZ_SIGNING_MAX_IGNORED);
  const bez_walk_options how = {.ignore = m->ignore, .n_ignore = m->n_ignore, .allow_symlinks = m->allow_symlinks};
  if (st == BEZ_OK) st = bez_signing_walk(s->root, &how, &s->walk, err);
  if (st != BEZ_OK) return st;
  for (size_t i = 0; i < s->walk.n; i++)
    if (s->walk.files[i].trouble)
      return bez_fail(err, BEZ_USAGE, s->walk.files[i].name, "cannot be signed: it %s", s->walk.files[i].trouble);
  return BEZ_OK;
}

/* How many entries a file makes: empty ones have no shards. */
static uint64_t entries_of(const bez_manifest *m, const bez_walk_file *file) {
  return m->shards ? file->size / m->shard_size + (file->size % m->shard_size != 0) : 1;
}

static bool fill_resource(bez_manifest *m, const bez_walk_file *file, uint64_t shard, bez_resource *r) {
  r->name = file->name;
  r->first = m->shards ? shard * m->shard_size : 0;
  r->end = m->shards && file->size - r->first > m->shard_size ? r->first + m->shard_size : file->size;
  r->listed = m->shards ? bez_arena_printf(&m->arena, "%s:%llu:%llu", file->name, (unsigned long long)r->first,
                                           (unsigned long long)r->end)
                        : file->name;
  return r->listed != NULL;
}

static int by_listed(const void *a, const void *b) {
  return strcmp(((const bez_resource *)a)->listed, ((const bez_resource *)b)->listed);
}

static bez_status list_resources(signing *s, bez_error *err) {
  bez_manifest *m = &s->manifest;
  uint64_t n = 0;
  for (size_t i = 0; i < s->walk.n; i++) n += entries_of(m, &s->walk.files[i]);
  if (!n) return bez_fail(err, BEZ_USAGE, s->root, "holds nothing to sign");
  if (n > BEZ_MAX_FILES) return bez_fail(err, BEZ_LIMIT, s->root, "more than %u entries", BEZ_MAX_FILES);
  m->resources = bez_arena_array(&m->arena, (size_t)n, sizeof *m->resources);
  if (!m->resources) return bez_fail_memory(err, (size_t)n * sizeof *m->resources);
  for (size_t i = 0; i < s->walk.n; i++) {
    const uint64_t entries = entries_of(m, &s->walk.files[i]);
    for (uint64_t k = 0; k < entries; k++)
      if (!fill_resource(m, &s->walk.files[i], k, &m->resources[m->n++])) return bez_fail_memory(err, 64);
  }
  qsort(m->resources, m->n, sizeof *m->resources, by_listed);
  return BEZ_OK;
}

static bez_status hash_resources(signing *s, bez_error *err) {
  bez_manifest *m = &s->manifest;
  bez_hash_task *tasks = bez_arena_array(&m->arena, m->n, sizeof *tasks);
  if (!tasks) return bez_fail_memory(err, m->n * sizeof *tasks);
  for (size_t i = 0; i < m->n; i++) {
    bez_resource *r = &m->resources[i];
    tasks[i] = (bez_hash_task){
        .file = bez_walk_find(&s->walk, r->name), .first = r->first, .len = r->end - r->first, .digest = r->digest};
  }
  const bez_hash_plan plan = {.root = s->root,
                              .allow_symlinks = m->allow_symlinks,
                              .kind = m->kind,
                              .tasks = tasks,
                              .n = m->n,
                              .threads = s->o->threads,
                              .progress = s->o->progress,
                              .progress_ctx = s->o->progress_ctx};
  return bez_signing_hash(&plan, err);
}

/* The model's own name, as people know it: "." and ".." have one, too. */
static bez_status name_model(signing *s, bez_error *err) {
  char *real = realpath(s->root, NULL);
  const char *slash = real ? strrchr(real, '/') : NULL;
  s->manifest.model = bez_arena_strdup(&s->manifest.arena, slash && slash[1] ? slash + 1 : "model");
  free(real);
  return s->manifest.model ? BEZ_OK : bez_fail_memory(err, 1);
}

static bez_status write_signature(signing *s, bez_error *err) {
  bez_buf payload = {0}, bundle = {.ceiling = BEZ_MAX_BUNDLE};
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_manifest_write(&s->manifest, &payload, err));
  st = bez_bundle_sign(BEZ_IN_TOTO_PAYLOAD, payload.data, payload.len, s->key, s->chain, s->n_chain, &bundle, err);
  if (st == BEZ_LIMIT && err) {
    bez_error_clear(err);
    bez_error_set(err, st, s->root, -1, -1, "too many files: its signature would be larger than %u bytes",
                  BEZ_MAX_BUNDLE);
  }
  if (st == BEZ_OK) st = bez_file_write(s->signature, bundle.data, bundle.len, err);
cleanup:
  bez_buf_free(&payload);
  bez_buf_free(&bundle);
  return st;
}

static void tell_signed(const signing *s, bez_sign_result *result) {
  *result = (bez_sign_result){.n_ignored = s->walk.n_ignored, .n_outside = s->walk.n_outside};
  snprintf(result->signature, sizeof result->signature, "%s", s->signature);
  snprintf(result->digest, sizeof result->digest, "%s", s->manifest.root);
  snprintf(result->key, sizeof result->key, "%s", bez_key_hint(s->key));
  for (size_t i = 0; i < s->walk.n; i++) {
    result->n_files += entries_of(&s->manifest, &s->walk.files[i]) > 0;
    result->bytes += s->walk.files[i].size;
  }
}

bez_status bez_model_sign(const char *path, const bez_sign_options *options, bez_sign_result *result, bez_error *err) {
  signing s = {.root = path, .o = options};
  bez_manifest *m = &s.manifest;
  bez_status st = BEZ_OK;
  m->shards = options->shards;
  m->shard_size = options->shard_size ? options->shard_size : BEZ_SIGNING_SHARD;
  m->allow_symlinks = options->allow_symlinks;
  m->kind = bez_digest_named(options->hash ? options->hash : "sha256");
  if (m->kind != BEZ_DIGEST_SHA256 && m->kind != BEZ_DIGEST_BLAKE2B)
    BEZ_TRY(bez_fail(err, BEZ_USAGE, options->hash, "is no hash that models are signed with: sha256 or blake2b"));
  s.signature = options->signature ? options->signature : bez_signing_place(path, &m->arena);
  if (!s.signature) BEZ_TRY(bez_fail_memory(err, strlen(path)));
  BEZ_TRY(open_keys(&s, err));
  BEZ_TRY(check_place(&s, err));
  BEZ_TRY(name_model(&s, err));
  BEZ_TRY(list_files(&s, err));
  BEZ_TRY(list_resources(&s, err));
  BEZ_TRY(hash_resources(&s, err));
  BEZ_TRY(write_signature(&s, err));
  tell_signed(&s, result);
cleanup:
  bez_key_free(s.key);
  bez_walk_free(&s.walk);
  bez_manifest_free(m);
  return st;
}

/* ---- verifying ----------------------------------------------------------------------------------------------------
 */

typedef struct verifying {
  const char *root;
  const bez_verify_options *o;
  bez_arena *arena;
  bez_verification *out;
  bez_bundle bundle;
  bez_manifest manifest;
} verifying;

/* What a bundle is refused for is an answer, not a failure: *err is taken into the verification. */
static bez_status refuse(verifying *v, const bez_error *why, bez_error *err) {
  return bez_signing_problem(v->arena, v->out, BEZ_VERIFY_SIGNATURE, v->out->signature, err, "%s", why->message);
}

static bez_status verify_signer(verifying *v, bez_error *err) {
  char who[512];
  bez_status st = bez_signing_signer(&v->bundle, v->o, v->out->signature, who, sizeof who, err);
  if (st != BEZ_OK) return st;
  v->out->who = bez_arena_strdup(v->arena, who);
  return v->out->who ? BEZ_OK : bez_fail_memory(err, sizeof who);
}

/* A signature that does not hold, over something that is no list of a model's files either: both are said. */
static bez_status refuse_content(verifying *v, bez_error *err) {
  bez_error why = {0};
  bez_status st = bez_manifest_parse(&v->bundle, v->out->signature, &v->manifest, &why);
  bez_manifest_free(&v->manifest);
  return st == BEZ_FORMAT ? refuse(v, &why, err) : BEZ_OK;
}

/* *accepted: the list in v->manifest is the signer's. */
static bez_status verify_bundle(verifying *v, bool *accepted, bez_error *err) {
  bez_error why = {0};
  bez_status st = bez_bundle_read(v->out->signature, &v->bundle, &why);
  const bool read = st == BEZ_OK;
  if (st == BEZ_OK) st = verify_signer(v, &why);
  const bool known = st == BEZ_OK;
  if (st == BEZ_OK) st = bez_manifest_parse(&v->bundle, v->out->signature, &v->manifest, &why);
  *accepted = st == BEZ_OK;
  if (st != BEZ_OK && st != BEZ_FORMAT && err) *err = why;
  if (st != BEZ_FORMAT) return st;
  st = refuse(v, &why, err);
  return st == BEZ_OK && read && !known ? refuse_content(v, err) : st;
}

static bez_status verify_files(verifying *v, bez_error *err) {
  const bez_compare compare = {.manifest = &v->manifest,
                               .root = v->root,
                               .signature = v->out->signature,
                               .ignore = v->o->ignore,
                               .n_ignore = v->o->n_ignore,
                               .ignore_unsigned = v->o->ignore_unsigned,
                               .allow_symlinks = v->o->allow_symlinks,
                               .threads = v->o->threads,
                               .progress = v->o->progress,
                               .progress_ctx = v->o->progress_ctx};
  return bez_signing_compare(&compare, v->arena, v->out, err);
}

static bez_status verify(verifying *v, bez_error *err) {
  bool accepted = false;
  bez_status st = verify_bundle(v, &accepted, err);
  if (st != BEZ_OK || !accepted) return st;
  st = verify_files(v, err);
  if (st == BEZ_OK) v->out->holds = !v->out->n_problems;
  return st;
}

bez_status bez_model_verify(const char *path, const bez_verify_options *options, bez_verification *out,
                            bez_error *err) {
  bez_arena *arena = calloc(1, sizeof *arena);
  verifying v = {.root = path, .o = options, .arena = arena, .out = out};
  bez_status st = BEZ_OK;
  *out = (bez_verification){.who = "", .digest = "", .signature = "", .memory = arena};
  if (!arena) return bez_fail_memory(err, sizeof *arena);
  if (!bez_signing_expects(options))
    BEZ_TRY(bez_fail(err, BEZ_USAGE, NULL,
                     "nothing says whose signature it must be: a key, root certificates, or an identity"));
  if (access(path, R_OK) != 0) BEZ_TRY(bez_fail_errno(err, path, "cannot open"));
  out->signature = options->signature ? bez_arena_strdup(arena, options->signature) : bez_signing_place(path, arena);
  if (!out->signature) BEZ_TRY(bez_fail_memory(err, strlen(path)));
  BEZ_TRY(verify(&v, err));
cleanup:
  bez_bundle_free(&v.bundle);
  bez_manifest_free(&v.manifest);
  if (st != BEZ_OK) bez_verification_free(out);
  return st;
}

void bez_verification_free(bez_verification *verification) {
  if (verification->memory) bez_arena_free(verification->memory);
  free(verification->memory);
  *verification = (bez_verification){0};
}
