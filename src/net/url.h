/* What a remote path says: its scheme, its parts, and the form of it that may be shown. */
#ifndef BEZ_NET_URL_H
#define BEZ_NET_URL_H

#include "base/arena.h"
#include "base/buf.h"

typedef enum bez_url_kind { BEZ_URL_NONE = 0, BEZ_URL_HTTP, BEZ_URL_S3, BEZ_URL_GS, BEZ_URL_HF } bez_url_kind;

/* By the scheme alone, in any case: "https://", "http://", "s3://", "gs://", "hf://"; else BEZ_URL_NONE. */
bez_url_kind bez_url_kind_of(const char *path);

/* The path as errors and reports show it: a URL without what may be secret, that is, without user and password, query
 * and fragment; a local path as it stands. NULL when memory is out. */
const char *bez_url_shown(bez_arena *arena, const char *path);

/* "https://host:port" of an http or https URL: what a credential is bound to. Lower case, default ports left out. */
BEZ_MUST_USE bool bez_url_origin(const char *url, char out[320]);
/* Whether the bytes to this URL travel unseen: https, or http to this machine. */
bool bez_url_is_private(const char *url);

/* A usage error unless the URL can be asked: a host and no user or password in it, no blanks or control characters, and
 * (unless plain) http only to this machine. */
BEZ_MUST_USE bez_status bez_url_check(const char *url, const char *shown, bool plain, bez_error *err);

/* RFC 3986: everything but unreserved characters becomes %XX; with `slashes` these stay. */
void bez_url_escape(bez_buf *out, const char *text, bool slashes);
/* %XX (and, for form encoding, +) undone; NULL where an escape is malformed or means NUL, or when memory is out. */
char *bez_url_unescape(bez_arena *arena, const char *text, size_t len, bool plus);

#endif
