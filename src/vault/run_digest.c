/* Digests of what runs make and models are. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "content/listing.h"
#include "crypto/digest.h"
#include "crypto/sha256.h"
#include "vault/run.h"

void bez_made_free(bez_made_list *made) {
  bez_arena_free(&made->arena);
  *made = (bez_made_list){0};
}

/* What model signing leaves out: the version control's own files at the top, and the signature. */
static bool is_no_model(const char *name) {
  static const char *const out[] = {".git", ".github", ".gitignore", ".gitattributes", "model.sig"};
  for (size_t i = 0; i < sizeof out / sizeof *out; i++) {
    size_t len = strlen(out[i]);
    if (!strncmp(name, out[i], len) && (!name[len] || name[len] == '/')) return true;
  }
  return false;
}

static bez_status digest_all(const bez_listing *listing, bool model, bez_made_list *out, bez_error *err) {
  bez_sha256_state all;
  uint8_t digest[32];
  bez_sha256_begin(&all);
  for (size_t i = 0; i < listing->n; i++) {
    bez_made *made = &out->items[out->n];
    if (model && is_no_model(listing->files[i].name)) continue;
    char *path = bez_listing_path(listing, i);
    made->name = bez_arena_strdup(&out->arena, listing->files[i].name);
    bez_status st = path && made->name ? bez_sha256_file(path, made->sha256, NULL, NULL, NULL, err)
                                       : bez_fail_memory(err, strlen(listing->files[i].name));
    free(path);
    if (st != BEZ_OK) return st;
    if (!bez_unhex(made->sha256, digest, sizeof digest))
      return bez_fail(err, BEZ_INTERNAL, listing->root, "a digest that is none");
    bez_sha256_add(&all, digest, sizeof digest);
    out->n++;
  }
  bez_sha256_end(&all, digest);
  bez_hex(digest, sizeof digest, out->sha256);
  if (listing->single) memcpy(out->sha256, out->items[0].sha256, sizeof out->sha256);
  return out->n ? BEZ_OK : bez_fail(err, BEZ_USAGE, listing->root, "holds no files");
}

bez_status bez_made_digest(const char *path, bool model, bez_made_list *out, bez_error *err) {
  bez_listing listing = {0};
  bez_status st = BEZ_OK;
  *out = (bez_made_list){0};
  BEZ_TRY(bez_listing_make(path, &listing, err));
  if (listing.n > BEZ_MAX_MADE && !model)
    BEZ_TRY(bez_fail(err, BEZ_LIMIT, path, "more than %u files made by one run", BEZ_MAX_MADE));
  out->folder = !listing.single;
  out->items = bez_arena_array(&out->arena, listing.n + 1, sizeof *out->items);
  if (!out->items) BEZ_TRY(bez_fail_memory(err, listing.n * sizeof *out->items));
  BEZ_TRY(digest_all(&listing, model && !listing.single, out, err));
cleanup:
  bez_listing_free(&listing);
  if (st != BEZ_OK) bez_made_free(out);
  return st;
}
