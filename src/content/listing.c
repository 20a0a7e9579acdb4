/* Walking a folder, and nothing that it links to. */
#include "content/listing.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/limits.h"
#include "base/utf8.h"

void bez_listing_free(bez_listing *listing) {
  for (size_t i = 0; i < listing->n; i++) free(listing->files[i].name);
  free(listing->files);
  free(listing->root);
  *listing = (bez_listing){0};
}

static char *join(const char *folder, const char *name) {
  size_t n = strlen(folder) + strlen(name) + 2;
  char *out = malloc(n);
  if (out) (void)snprintf(out, n, "%s%s%s", folder, *folder && *name ? "/" : "", name);
  return out;
}

char *bez_listing_path(const bez_listing *listing, size_t file) {
  return join(listing->root, listing->files[file].name);
}

/* Takes the name over, also where it fails. */
static bez_status add(bez_listing *out, char *name, uint64_t size, bez_error *err) {
  if (out->n == out->cap) {
    size_t cap = out->cap ? out->cap * 2 : 64;
    bez_listed *files = realloc(out->files, cap * sizeof *files);
    if (!files) free(name);
    if (!files) return bez_fail_memory(err, cap * sizeof *files);
    out->files = files;
    out->cap = cap;
  }
  out->files[out->n++] = (bez_listed){.name = name, .size = size};
  out->bytes += size;
  if (out->n > BEZ_MAX_FILES) return bez_fail(err, BEZ_LIMIT, out->root, "more than %u files", BEZ_MAX_FILES);
  return BEZ_OK;
}

static bez_status refuse(const char *path, mode_t mode, bez_error *err) {
  const char *what = S_ISLNK(mode) ? "is a symbolic link: put the file itself there, or leave it out"
                                   : "is neither a file nor a folder";
  return bez_fail(err, BEZ_USAGE, path, "%s", what);
}

static bez_status walk(bez_listing *out, const char *below, unsigned depth, bez_error *err);

static bez_status take(bez_listing *out, const char *below, const char *name, unsigned depth, bez_error *err) {
  struct stat info;
  char *relative = join(below, name), *path = relative ? join(out->root, relative) : NULL;
  bez_status st = path ? BEZ_OK : bez_fail_memory(err, strlen(name));
  if (st == BEZ_OK && !bez_utf8_valid(name, strlen(name)))
    st = bez_fail(err, BEZ_USAGE, path, "has a name that is not UTF-8: rename it, or leave it out");
  if (st == BEZ_OK && lstat(path, &info) != 0) st = bez_fail_errno(err, path, "cannot look at");
  const bool vault = st == BEZ_OK && S_ISDIR(info.st_mode) && !strcmp(name, ".bezoar");
  if (st == BEZ_OK && !vault && !strcasecmp(name, ".bezoar"))
    st = bez_fail(err, BEZ_USAGE, path, "has the name of a vault's folder, and would not be written back: rename it");
  if (st == BEZ_OK && S_ISDIR(info.st_mode)) {
    if (!vault) st = walk(out, relative, depth + 1, err);
  } else if (st == BEZ_OK && S_ISREG(info.st_mode)) {
    st = add(out, relative, (uint64_t)info.st_size, err);
    relative = NULL;
  } else if (st == BEZ_OK) {
    st = refuse(path, info.st_mode, err);
  }
  free(relative);
  free(path);
  return st;
}

static bez_status walk(bez_listing *out, const char *below, unsigned depth, bez_error *err) {
  if (depth > BEZ_MAX_FOLDER_DEPTH)
    return bez_fail(err, BEZ_LIMIT, below, "folders are nested deeper than %u", BEZ_MAX_FOLDER_DEPTH);
  char *path = join(out->root, below);
  if (!path) return bez_fail_memory(err, strlen(below));
  DIR *folder = opendir(path);
  bez_status st = folder ? BEZ_OK : bez_fail_errno(err, path, "cannot open");
  for (const struct dirent *entry; st == BEZ_OK && (errno = 0, entry = readdir(folder)) != NULL;)
    if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..")) st = take(out, below, entry->d_name, depth, err);
  if (st == BEZ_OK && errno) st = bez_fail_errno(err, path, "cannot read");
  if (folder) (void)closedir(folder);
  free(path);
  return st;
}

static int by_name(const void *a, const void *b) {
  return strcmp(((const bez_listed *)a)->name, ((const bez_listed *)b)->name);
}

static bez_status list_root(const char *path, bez_listing *out, bez_error *err) {
  struct stat info;
  out->root = strdup(path);
  if (!out->root) return bez_fail_memory(err, strlen(path));
  for (size_t n = strlen(out->root); n > 1 && out->root[n - 1] == '/'; n--) out->root[n - 1] = 0;
  if (lstat(out->root, &info) != 0) return bez_fail_errno(err, path, "cannot look at");
  if (S_ISREG(info.st_mode)) {
    char *name = strdup("");
    out->single = true;
    return name ? add(out, name, (uint64_t)info.st_size, err) : bez_fail_memory(err, 1);
  }
  if (!S_ISDIR(info.st_mode)) return refuse(path, info.st_mode, err);
  bez_status st = walk(out, "", 0, err);
  if (st == BEZ_OK && !out->n) return bez_fail(err, BEZ_USAGE, path, "holds no files");
  if (st == BEZ_OK) qsort(out->files, out->n, sizeof *out->files, by_name);
  return st;
}

bez_status bez_listing_make(const char *path, bez_listing *out, bez_error *err) {
  *out = (bez_listing){0};
  bez_status st = list_root(path, out, err);
  if (st != BEZ_OK) bez_listing_free(out);
  return st;
}
