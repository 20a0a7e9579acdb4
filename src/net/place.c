/* s3://bucket/key, gs://bucket/name, hf://org/name@revision/path, https://…: where they lead. The variables are those
 * that the services' own tools read. */
#include "net/place.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"

static const char *variable(const char *const *names) {
  for (; *names; names++) {
    const char *value = getenv(*names);
    if (value && *value) return value;
  }
  return NULL;
}

static bool made_of(const char *text, size_t len, const char *more) {
  for (size_t i = 0; i < len; i++) {
    char c = text[i];
    bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!plain && (!c || !strchr(more, c))) return false;
  }
  return len > 0;
}

/* An endpoint from the environment, its slashes at the end taken off. */
static bez_status endpoint(const char *variable_name, const char *value, bez_arena *arena, bez_place *p,
                           bez_error *err) {
  bool bare = bez_url_kind_of(value) == BEZ_URL_NONE;
  char *base = bez_arena_printf(arena, "%s%s", bare ? "http://" : "", value);
  if (!base) return bez_fail_memory(err, strlen(value));
  for (size_t n = strlen(base); n && base[n - 1] == '/'; n--) base[n - 1] = '\0';
  p->plain = !strncasecmp(base, "http://", 7);
  p->base = base;
  if (strpbrk(base, "?#")) return bez_fail(err, BEZ_USAGE, variable_name, "must be a URL without query");
  return bez_url_check(base, variable_name, true, err);
}

/* Bucket and key behind the scheme. */
static bez_status split_bucket(const char *rest, bez_arena *arena, bez_place *p, bez_error *err) {
  size_t n = strcspn(rest, "/");
  if (n > 222 || !made_of(rest, n, ".-_") || *rest == '.')
    return bez_fail(err, BEZ_USAGE, p->shown, "names no bucket: letters, digits, dots, hyphens and underscores");
  p->bucket = bez_arena_strndup(arena, rest, n);
  p->path = bez_arena_strdup(arena, rest + n + (rest[n] == '/'));
  if (!p->bucket || !p->path) return bez_fail_memory(err, n);
  return BEZ_OK;
}

static bez_status parse_s3(const char *rest, bez_arena *arena, bez_place *p, bez_error *err) {
  static const char *const regions[] = {"AWS_REGION", "AWS_DEFAULT_REGION", NULL};
  static const char *const endpoints[] = {"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", NULL};
  static const char *const ids[] = {"AWS_ACCESS_KEY_ID", NULL}, *const secrets[] = {"AWS_SECRET_ACCESS_KEY", NULL};
  static const char *const tokens[] = {"AWS_SESSION_TOKEN", NULL};
  const char *region = variable(regions), *given = variable(endpoints);
  bez_status st = split_bucket(rest, arena, p, err);
  if (st != BEZ_OK) return st;
  if (!region) region = "us-east-1";
  if (strlen(region) > 40 || !made_of(region, strlen(region), "-"))
    return bez_fail(err, BEZ_USAGE, "AWS_REGION", "is no name of a region");
  if (variable(ids) && variable(secrets))
    p->aws = (bez_aws){variable(ids), variable(secrets), variable(tokens), region, "s3"};
  const char *cn = strncmp(region, "cn-", 3) ? "" : ".cn";
  if (given) {
    st = endpoint("AWS_ENDPOINT_URL", given, arena, p, err);
    if (st == BEZ_OK) p->base = bez_arena_printf(arena, "%s/%s", p->base, p->bucket);
  } else if (strpbrk(p->bucket, "._")) { /* such a name does not fit the certificate, or is no host name */
    p->base = bez_arena_printf(arena, "https://s3.%s.amazonaws.com%s/%s", region, cn, p->bucket);
  } else {
    p->base = bez_arena_printf(arena, "https://%s.s3.%s.amazonaws.com%s", p->bucket, region, cn);
  }
  p->prefix = bez_arena_printf(arena, "s3://%s/", p->bucket);
  return st != BEZ_OK || (p->base && p->prefix) ? st : bez_fail_memory(err, strlen(rest));
}

static bez_status parse_gs(const char *rest, bez_arena *arena, bez_place *p, bez_error *err) {
  static const char *const endpoints[] = {"STORAGE_EMULATOR_HOST", NULL};
  static const char *const tokens[] = {"GOOGLE_OAUTH_ACCESS_TOKEN", "CLOUDSDK_AUTH_ACCESS_TOKEN", NULL};
  const char *given = variable(endpoints);
  bez_status st = split_bucket(rest, arena, p, err);
  p->base = "https://storage.googleapis.com";
  p->bearer = variable(tokens);
  if (st == BEZ_OK && given) st = endpoint("STORAGE_EMULATOR_HOST", given, arena, p, err);
  if (st == BEZ_OK) p->prefix = bez_arena_printf(arena, "gs://%s/", p->bucket);
  return st != BEZ_OK || p->prefix ? st : bez_fail_memory(err, strlen(rest));
}

/* Bytes of a revision: up to the next slash, but "refs/pr/7" and "refs/convert/parquet" are one. */
static size_t revision_length(const char *text) {
  size_t n = strcspn(text, "/");
  if (strncmp(text, "refs/", 5) != 0) return n;
  for (int slash = 0; slash < 2 && text[n]; slash++) n += 1 + strcspn(text + n + 1, "/");
  return n;
}

/* [datasets/|models/]org/name[@revision][/path]; what is not said to be a model is a data set. */
static bez_status split_repository(const char *rest, bez_arena *arena, bez_place *p, bez_error *err) {
  const char *kind = "datasets/", *begin = rest;
  if (!strncmp(rest, "spaces/", 7)) return bez_fail(err, BEZ_UNSUPPORTED, p->shown, "spaces hold no data sets");
  if (!strncmp(rest, "models/", 7)) kind = "models/";
  if (!strncmp(rest, kind, strlen(kind))) rest += strlen(kind);
  size_t org = strcspn(rest, "/@"), name = rest[org] == '/' ? strcspn(rest + org + 1, "/@") : 0;
  if (!made_of(rest, org, ".-_") || !made_of(rest + org + 1, name, ".-_") || org + name > 200 || *rest == '.' ||
      rest[org + 1] == '.')
    return bez_fail(err, BEZ_USAGE, p->shown, "is not of the form hf://org/name@revision/path");
  const char *end = rest + org + 1 + name;
  p->bucket = bez_arena_printf(arena, "%s%.*s", kind, (int)(end - rest), rest);
  p->revision = "main";
  if (*end == '@') {
    size_t n = revision_length(end + 1);
    p->revision = n ? bez_url_unescape(arena, end + 1, n, false) : NULL;
    if (!p->revision) return bez_fail(err, BEZ_USAGE, p->shown, "names no revision behind the @");
    end += 1 + n;
  }
  p->prefix = bez_arena_printf(arena, "hf://%.*s/", (int)(end - begin), begin);
  p->path = bez_arena_strdup(arena, end + (*end == '/'));
  return p->bucket && p->prefix && p->path ? BEZ_OK : bez_fail_memory(err, strlen(rest));
}

static bez_status parse_hf(const char *rest, bez_arena *arena, bez_place *p, bez_error *err) {
  static const char *const endpoints[] = {"HF_ENDPOINT", NULL};
  static const char *const tokens[] = {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", NULL};
  const char *given = variable(endpoints);
  bez_status st = split_repository(rest, arena, p, err);
  p->base = "https://huggingface.co";
  p->bearer = variable(tokens);
  return st == BEZ_OK && given ? endpoint("HF_ENDPOINT", given, arena, p, err) : st;
}

bez_status bez_place_parse(const char *url, bez_arena *arena, bez_place *out, bez_error *err) {
  *out = (bez_place){.kind = bez_url_kind_of(url), .shown = bez_url_shown(arena, url), .path = ""};
  const char *rest = strstr(url, "://");
  bez_status st = BEZ_OK;
  if (!out->shown) return bez_fail_memory(err, strlen(url));
  if (strlen(url) > 4096) return bez_fail(err, BEZ_LIMIT, NULL, "a URL of more than 4096 bytes");
  switch (out->kind) {
    case BEZ_URL_HTTP:
      out->base = bez_arena_strndup(arena, url, strcspn(url, "#"));
      out->prefix = out->shown;
      return out->base ? bez_url_check(out->base, out->shown, false, err) : bez_fail_memory(err, strlen(url));
    case BEZ_URL_S3: st = parse_s3(rest + 3, arena, out, err); break;
    case BEZ_URL_GS: st = parse_gs(rest + 3, arena, out, err); break;
    case BEZ_URL_HF: st = parse_hf(rest + 3, arena, out, err); break;
    default: return bez_fail(err, BEZ_USAGE, url, "is no URL");
  }
  /* A token is a secret by itself: never in the clear, whatever the endpoint variable says. */
  if (st == BEZ_OK && !bez_url_is_private(out->base)) out->bearer = NULL;
  return st;
}

bool bez_place_is_one(const bez_place *p) {
  size_t n = strlen(p->path);
  return p->kind == BEZ_URL_HTTP || (n && p->path[n - 1] != '/' && bez_place_literal(p) == n);
}

size_t bez_place_literal(const bez_place *p) {
  return p->kind == BEZ_URL_HTTP ? 0 : strcspn(p->path, "*?[");
}

bez_request bez_place_page(const bez_place *p, const bez_buf *url) {
  return (bez_request){.url = url->data,
                       .shown = p->shown,
                       .bearer = p->bearer,
                       .aws = p->aws.key_id ? &p->aws : NULL,
                       .plain = p->plain};
}

bez_status bez_place_request(const bez_place *p, const bez_entry *entry, const char *shown, bez_buf *url,
                             bez_request *out, bez_error *err) {
  bez_buf_clear(url);
  bez_buf_puts(url, p->base);
  if (p->kind == BEZ_URL_S3) {
    bez_buf_putc(url, '/');
    bez_url_escape(url, entry->name, true);
  } else if (p->kind == BEZ_URL_GS) {
    bez_buf_printf(url, "/storage/v1/b/%s/o/", p->bucket);
    bez_url_escape(url, entry->name, false);
    bez_buf_puts(url, "?alt=media");
    if (entry->generation) bez_buf_printf(url, "&ifGenerationMatch=%llu", (unsigned long long)entry->generation);
  } else if (p->kind == BEZ_URL_HF) {
    bez_buf_printf(url, "/%s/resolve/", strncmp(p->bucket, "models/", 7) ? p->bucket : p->bucket + 7);
    bez_url_escape(url, p->commit ? p->commit : p->revision, false);
    bez_buf_putc(url, '/');
    bez_url_escape(url, entry->name, true);
  }
  if (url->failed != BEZ_OK) return bez_buf_status(url, err);
  *out = bez_place_page(p, url);
  out->shown = shown;
  out->follow = p->kind == BEZ_URL_HTTP || p->kind == BEZ_URL_HF;
  out->accept_gzip = p->kind == BEZ_URL_GS;
  /* A weak ETag cannot be a condition, a commit needs none, and a generation is the better one. */
  if (entry->etag && entry->etag[0] == '"' && (p->kind == BEZ_URL_HTTP || p->kind == BEZ_URL_S3))
    out->if_match = entry->etag;
  return BEZ_OK;
}
