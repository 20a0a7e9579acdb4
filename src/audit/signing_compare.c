/* The signed list against the files that are there: in listed order what changed or is missing, then what nobody
 * signed. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/signing.h"
#include "base/error.h"

#define MAX_PROBLEMS 1000u /* told one by one; the others are counted */

bez_status bez_signing_problem(bez_arena *arena, bez_verification *out, bez_verify_what what, const char *name,
                               bez_error *err, const char *fmt, ...) {
  char why[1024];
  va_list args;
  if (out->n_problems == MAX_PROBLEMS) {
    out->n_more++;
    return BEZ_OK;
  }
  if (!out->problems) out->problems = bez_arena_array(arena, MAX_PROBLEMS, sizeof *out->problems);
  if (!out->problems) return bez_fail_memory(err, MAX_PROBLEMS * sizeof *out->problems);
  va_start(args, fmt);
  vsnprintf(why, sizeof why, fmt, args);
  va_end(args);
  bez_verify_problem p = {what, bez_arena_strdup(arena, name), bez_arena_strdup(arena, why)};
  if (!p.name || !p.why) return bez_fail_memory(err, sizeof why);
  ((bez_verify_problem *)out->problems)[out->n_problems++] = p; /* const for readers alone */
  return BEZ_OK;
}

typedef struct comparison {
  const bez_compare *c;
  const bez_manifest *m;
  bez_arena *arena;
  bez_verification *out;
  bez_walk walk;
  const char *own;        /* the file's own name, where the model is one file */
  uint64_t *named, *good; /* per file: resources that name it, and those of them that are as signed */
  const char **wrong;     /* per resource: why it cannot be what was signed; NULL: its digest decides */
  bez_verify_what *kind;  /* per resource with .wrong */
  uint8_t *digests;       /* per resource, BEZ_DIGEST_MOST each */
  bez_hash_task *tasks;
  size_t n_tasks;
} comparison;

/* A model of one file is called "." by one implementation and by its own name by another. */
static const bez_walk_file *file_of(const comparison *x, const bez_resource *r) {
  if (x->own && !strcmp(r->name, x->own)) return bez_walk_find(&x->walk, ".");
  return bez_walk_find(&x->walk, r->name);
}

/* A stretch must be one of those that its file falls into; then as many as there are cover all of it. */
static const char *judge_stretch(const bez_manifest *m, const bez_resource *r, uint64_t size) {
  const uint64_t end = size - r->first < m->shard_size ? size : r->first + m->shard_size;
  if (r->first % m->shard_size || r->first >= size) return "is not as long as the file that was signed";
  return r->end == end ? NULL : "is not as long as the file that was signed";
}

static void set_wrong(comparison *x, size_t i, bez_verify_what kind, const char *why) {
  x->wrong[i] = why;
  x->kind[i] = kind;
}

/* Digests that are known already need no reading; what does not parse is read. */
static bool is_known(const comparison *x, const char *name, uint8_t *out) {
  if (x->m->shards || x->m->kind != BEZ_DIGEST_SHA256 || !x->c->sha256_of) return false;
  const char *hex = x->c->sha256_of(x->c->ctx, name);
  return hex && bez_unhex(hex, out, 32);
}

static void plan_resource(comparison *x, size_t i) {
  const bez_resource *r = &x->m->resources[i];
  const bez_walk_file *file = file_of(x, r);
  uint8_t *digest = x->digests + i * BEZ_DIGEST_MOST;
  if (!file) {
    const bool whole = !strcmp(r->name, ".");
    set_wrong(x, i, BEZ_VERIFY_MISSING,
              whole ? "was signed as a model of one file, and this is a folder" : "was signed and is not there");
    return;
  }
  x->named[file - x->walk.files]++;
  if (file->trouble)
    set_wrong(x, i, BEZ_VERIFY_CHANGED, file->trouble);
  else if (x->m->shards && judge_stretch(x->m, r, file->size))
    set_wrong(x, i, BEZ_VERIFY_CHANGED, judge_stretch(x->m, r, file->size));
  else if (!is_known(x, file->name, digest))
    x->tasks[x->n_tasks++] = (bez_hash_task){.file = file,
                                             .first = x->m->shards ? r->first : 0,
                                             .len = x->m->shards ? r->end - r->first : file->size,
                                             .digest = digest};
}

static bez_status plan_all(comparison *x, bez_error *err) {
  const size_t n = x->m->n;
  x->named = bez_arena_array(x->arena, x->walk.n + 1, sizeof *x->named);
  x->good = bez_arena_array(x->arena, x->walk.n + 1, sizeof *x->good);
  x->wrong = bez_arena_array(x->arena, n, sizeof *x->wrong);
  x->kind = bez_arena_array(x->arena, n, sizeof *x->kind);
  x->digests = bez_arena_array(x->arena, n, BEZ_DIGEST_MOST);
  x->tasks = bez_arena_array(x->arena, n, sizeof *x->tasks);
  if (!x->named || !x->good || !x->wrong || !x->kind || !x->digests || !x->tasks)
    return bez_fail_memory(err, n * BEZ_DIGEST_MOST);
  for (size_t i = 0; i < n; i++) plan_resource(x, i);
  return BEZ_OK;
}

static const char *shown_name(const comparison *x, const char *name) {
  return x->own && !strcmp(name, ".") ? x->own : name;
}

static bez_status judge_resource(comparison *x, size_t i, bez_error *err) {
  const bez_resource *r = &x->m->resources[i];
  char now[2 * BEZ_DIGEST_MOST + 1], then[2 * BEZ_DIGEST_MOST + 1], where[64] = "";
  const uint8_t *digest = x->digests + i * BEZ_DIGEST_MOST;
  const size_t size = bez_digest_size(x->m->kind);
  const char *name = shown_name(x, r->name);
  if (x->wrong[i]) return bez_signing_problem(x->arena, x->out, x->kind[i], name, err, "%s", x->wrong[i]);
  const bez_walk_file *file = file_of(x, r);
  if (!memcmp(digest, r->digest, size)) {
    x->good[file - x->walk.files]++;
    x->out->bytes += x->m->shards ? r->end - r->first : file->size;
    return BEZ_OK;
  }
  bez_hex(digest, size, now);
  bez_hex(r->digest, size, then);
  if (x->m->shards)
    snprintf(where, sizeof where, " in bytes %llu to %llu", (unsigned long long)r->first, (unsigned long long)r->end);
  return bez_signing_problem(x->arena, x->out, BEZ_VERIFY_CHANGED, name, err,
                             "differs from what was signed%s: its %s is %.16s…, signed was %.16s…", where,
                             bez_digest_name(x->m->kind), now, then);
}

/* Files that nobody named, and shards that were left out of the list. Empty files have no shards. */
static bez_status judge_file(comparison *x, size_t i, bez_error *err) {
  const bez_walk_file *file = &x->walk.files[i];
  const char *name = shown_name(x, file->name);
  const uint64_t shards = x->m->shards ? file->size / x->m->shard_size + (file->size % x->m->shard_size != 0) : 1;
  x->out->n_files += x->named[i] && x->good[i] == shards;
  if (x->c->as_signed && !file->trouble && x->good[i] == shards && x->named[i] == shards)
    x->c->as_signed(x->c->ctx, file->name);
  if (x->named[i] && (x->named[i] == shards || file->trouble)) return BEZ_OK;
  if (x->named[i] && x->m->shards)
    return bez_signing_problem(x->arena, x->out, BEZ_VERIFY_CHANGED, name, err,
                               "has bytes that were not signed: %llu of its %llu shards are listed",
                               (unsigned long long)x->named[i], (unsigned long long)shards);
  if (x->named[i] || x->c->ignore_unsigned || (!shards && !file->trouble)) return BEZ_OK;
  return bez_signing_problem(x->arena, x->out, BEZ_VERIFY_UNSIGNED, name, err, "%s",
                             file->trouble ? file->trouble : "was not signed");
}

static bez_status judge(comparison *x, bez_error *err) {
  bez_status st = BEZ_OK;
  for (size_t i = 0; i < x->m->n && st == BEZ_OK; i++) st = judge_resource(x, i, err);
  for (size_t i = 0; i < x->walk.n && st == BEZ_OK; i++) st = judge_file(x, i, err);
  return st;
}

/* What the signer left out, and what the caller leaves out. */
static bez_status list_files(comparison *x, bez_error *err) {
  const bez_compare *c = x->c;
  const char **extra = bez_arena_array(x->arena, c->n_ignore + x->m->n_ignore + 1, sizeof *extra), **ignore = NULL;
  size_t n = 0;
  if (!extra) return bez_fail_memory(err, x->m->n_ignore * sizeof *extra);
  for (size_t i = 0; i < c->n_ignore; i++) extra[i] = c->ignore[i];
  for (size_t i = 0; i < x->m->n_ignore; i++) extra[c->n_ignore + i] = x->m->ignore[i];
  bez_status st =
      bez_signing_ignore(c->root, c->signature, extra, c->n_ignore + x->m->n_ignore, x->arena, &ignore, &n, err);
  if (st != BEZ_OK) return st;
  const bez_walk_options how = {.ignore = ignore,
                                .n_ignore = n,
                                .allow_symlinks = c->allow_symlinks || x->m->allow_symlinks,
                                .boundary = c->boundary};
  return bez_signing_walk(c->root, &how, &x->walk, err);
}

static bez_status tell_ignored(comparison *x, bez_error *err) {
  const char **names = bez_arena_array(x->arena, x->walk.n_ignored + 1, sizeof *names);
  size_t n = 0;
  if (!names) return bez_fail_memory(err, x->walk.n_ignored * sizeof *names);
  const char *own = NULL;
  bez_status st = bez_signing_below(x->c->root, x->c->signature, x->arena, &own, err);
  if (st != BEZ_OK) return st;
  for (size_t i = 0; i < x->walk.n_ignored; i++) {
    if (own && !strcmp(x->walk.ignored[i], own)) continue; /* goes without saying */
    names[n] = bez_arena_strdup(x->arena, x->walk.ignored[i]);
    if (!names[n++]) return bez_fail_memory(err, 1);
  }
  x->out->ignored = names;
  x->out->n_ignored = n;
  x->out->n_outside = x->walk.n_outside;
  return BEZ_OK;
}

bez_status bez_signing_compare(const bez_compare *compare, bez_arena *arena, bez_verification *out, bez_error *err) {
  comparison x = {.c = compare, .m = compare->manifest, .arena = arena, .out = out};
  bez_status st = BEZ_OK;
  const char *slash = strrchr(compare->root, '/');
  out->digest = bez_arena_strdup(arena, x.m->root);
  if (!out->digest) return bez_fail_memory(err, sizeof x.m->root);
  BEZ_TRY(list_files(&x, err));
  if (x.walk.n == 1 && !strcmp(x.walk.files[0].name, ".")) x.own = slash ? slash + 1 : compare->root;
  BEZ_TRY(plan_all(&x, err));
  const bez_hash_plan plan = {.root = compare->root,
                              .allow_symlinks = compare->allow_symlinks || x.m->allow_symlinks,
                              .kind = x.m->kind,
                              .tasks = x.tasks,
                              .n = x.n_tasks,
                              .threads = compare->threads,
                              .progress = compare->progress,
                              .progress_ctx = compare->progress_ctx};
  BEZ_TRY(bez_signing_hash(&plan, err));
  BEZ_TRY(judge(&x, err));
  BEZ_TRY(tell_ignored(&x, err));
cleanup:
  bez_walk_free(&x.walk);
  return st;
}
