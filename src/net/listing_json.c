/* The listings of Google Cloud Storage and of the Hugging Face hub. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "net/listing.h"

static bez_status broken(const bez_listing *l, const char *why, bez_error *err) {
  return bez_fail(err, BEZ_FORMAT, l->shown, "the listing cannot be read: %s", why);
}

/* 64-bit numbers travel as text in Google's JSON. */
static bool number(const json_t *value, uint64_t *out) {
  *out = 0;
  if (json_is_integer(value)) {
    if (json_integer_value(value) < 0) return false;
    *out = (uint64_t)json_integer_value(value);
    return true;
  }
  const char *text = json_string_value(value);
  if (!text || *text < '0' || *text > '9' || strlen(text) > 19) return false;
  char *end;
  *out = strtoull(text, &end, 10);
  return !*end && *out <= INT64_MAX;
}

static bez_status give(bez_listing *l, const json_t *name, bez_entry *entry, bez_error *err) {
  entry->name = bez_arena_strdup(&l->arena, json_string_value(name));
  if (!entry->name) return bez_fail_memory(err, json_string_length(name));
  return l->entry(l->ctx, entry, err);
}

static bez_status gs_object(bez_listing *l, const json_t *item, bez_error *err) {
  const json_t *name = json_object_get(item, "name");
  bez_entry entry = {0};
  if (!json_string_length(name)) return broken(l, "an object has no name", err);
  if (!number(json_object_get(item, "size"), &entry.size) ||
      !number(json_object_get(item, "generation"), &entry.generation))
    return broken(l, "an object has no size or no generation", err);
  return give(l, name, &entry, err);
}

bez_status bez_listing_gs_one(bez_listing *l, const char *bytes, size_t len, bez_error *err) {
  json_t *root = NULL;
  bez_status st = bez_json_parse(bytes, len, l->shown, &root, err);
  l->next = NULL;
  if (st != BEZ_OK) return st;
  st = gs_object(l, root, err);
  json_decref(root);
  return st;
}

bez_status bez_listing_gs(bez_listing *l, const char *bytes, size_t len, bez_error *err) {
  json_t *root = NULL;
  bez_status st = BEZ_OK;
  l->next = NULL;
  BEZ_TRY(bez_json_parse(bytes, len, l->shown, &root, err));
  const json_t *items = json_object_get(root, "items"), *next = json_object_get(root, "nextPageToken");
  if (!json_is_object(root) || (items && !json_is_array(items))) BEZ_TRY(broken(l, "it holds no list", err));
  for (size_t i = 0; i < json_array_size(items); i++) BEZ_TRY(gs_object(l, json_array_get(items, i), err));
  if (json_string_length(next)) {
    l->next = bez_arena_strdup(&l->arena, json_string_value(next));
    if (!l->next) st = bez_fail_memory(err, json_string_length(next));
  }
cleanup:
  json_decref(root);
  return st;
}

static bez_status hf_file(bez_listing *l, const json_t *item, bez_error *err) {
  const char *type = json_string_value(json_object_get(item, "type"));
  const json_t *path = json_object_get(item, "path");
  bez_entry entry = {0};
  if (!type || !json_string_length(path)) return broken(l, "an entry has no type or no path", err);
  if (strcmp(type, "file") != 0) return BEZ_OK;
  if (!number(json_object_get(item, "size"), &entry.size)) return broken(l, "a file has no size", err);
  return give(l, path, &entry, err);
}

bez_status bez_listing_hf(bez_listing *l, const char *bytes, size_t len, bez_error *err) {
  json_t *root = NULL;
  bez_status st = BEZ_OK;
  l->next = NULL;
  BEZ_TRY(bez_json_parse(bytes, len, l->shown, &root, err));
  if (!json_is_array(root)) BEZ_TRY(broken(l, "it is no list", err));
  for (size_t i = 0; i < json_array_size(root); i++) BEZ_TRY(hf_file(l, json_array_get(root, i), err));
cleanup:
  json_decref(root);
  return st;
}

bez_status bez_listing_hf_commit(bez_listing *l, const char *bytes, size_t len, const char **commit, bez_error *err) {
  json_t *root = NULL;
  bez_status st = BEZ_OK;
  *commit = NULL;
  BEZ_TRY(bez_json_parse(bytes, len, l->shown, &root, err));
  const char *sha = json_string_value(json_object_get(root, "sha"));
  if (!sha || strlen(sha) != 40 || strspn(sha, "0123456789abcdef") != 40)
    BEZ_TRY(broken(l, "the revision's commit is missing", err));
  *commit = bez_arena_strdup(&l->arena, sha);
  if (!*commit) st = bez_fail_memory(err, 40);
cleanup:
  json_decref(root);
  return st;
}
