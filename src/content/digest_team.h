/* Canonical digests of many rows by a team of threads, handed on in order. */
#ifndef BEZ_CONTENT_DIGEST_TEAM_H
#define BEZ_CONTENT_DIGEST_TEAM_H

#include "content/form.h"

/* What a form tells fields to, and what it tells digests to. */
typedef bez_status (*bez_field_fn)(void *ctx, const char *name, size_t name_len, const char *value, size_t len,
                                   int kind, bez_error *err);
typedef struct bez_digest_team bez_digest_team;
typedef bez_status (*bez_digest_fn)(void *ctx, const uint8_t (*canonical)[32], size_t n, bez_error *err);

BEZ_MUST_USE bez_status bez_digest_team_create(bez_digest_team **out, bez_error *err);
void bez_digest_team_free(bez_digest_team *team); /* NULL is fine */
/* row(ctx, i, …) gives the digest of row i, in any order and thread; then fn is told all n of them, in pieces. */
BEZ_MUST_USE bez_status bez_digest_team_run(bez_digest_team *team, uint64_t n,
                                            bez_status (*row)(void *ctx, uint64_t i, bez_canonical *c, uint8_t out[32],
                                                              bez_error *err),
                                            void *ctx, bez_digest_fn fn, void *fn_ctx, bez_error *err);
/* A bez_field_fn whose ctx is a bez_canonical. */
BEZ_MUST_USE bez_status bez_canonical_take(void *c, const char *name, size_t name_len, const char *value, size_t len,
                                           int kind, bez_error *err);

#endif
