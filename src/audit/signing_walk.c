/* The files of a model, by name. Nothing is opened here. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "audit/signing.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/utf8.h"

#define MAX_DEPTH 64u

bool bez_signing_path(char *text) {
  char *to = text;
  if (*text == '/') return false;
  for (const char *from = text; *from;) {
    const size_t len = strcspn(from, "/");
    const bool dot = len == 1 && *from == '.';
    if (len == 2 && from[0] == '.' && from[1] == '.') return false;
    if (len && !dot) {
      if (to != text) *to++ = '/';
      memmove(to, from, len);
      to += len;
    }
    from += len + (from[len] == '/');
  }
  *to = '\0';
  return to != text;
}

typedef struct walker {
  const char *root, *real; /* real: without links */
  const bez_walk_options *o;
  const char **ignore; /* ascending: the list may be long, and it is asked for each file */
  bez_walk *out;
} walker;

static int by_text(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Whatever lies below an ignored folder is not even met. */
static bool is_ignored(const walker *w, const char *name) {
  return w->o->n_ignore && bsearch(&name, w->ignore, w->o->n_ignore, sizeof *w->ignore, by_text);
}

/* Each name is met once, so that no more can be passed over than were named. */
static bez_status prepare_ignored(walker *w, bez_error *err) {
  const size_t n = w->o->n_ignore;
  w->ignore = bez_arena_array(&w->out->arena, n + 1, sizeof *w->ignore);
  w->out->ignored = bez_arena_array(&w->out->arena, n + 1, sizeof *w->out->ignored);
  if (!w->ignore || !w->out->ignored) return bez_fail_memory(err, n * sizeof *w->ignore);
  for (size_t i = 0; i < n; i++) w->ignore[i] = w->o->ignore[i];
  qsort(w->ignore, n, sizeof *w->ignore, by_text);
  return BEZ_OK;
}

bool bez_signing_within(const char *path, const char *folder) {
  const size_t n = strlen(folder);
  return !strncmp(path, folder, n) && (!path[n] || path[n] == '/' || n == 1);
}

static bez_status add(bez_walk *out, bez_walk_file file, const char *path, bez_error *err) {
  if (out->n == BEZ_MAX_FILES) return bez_fail(err, BEZ_LIMIT, path, "more than %u files", BEZ_MAX_FILES);
  if (out->n == out->room) {
    const size_t room = out->room ? 2 * out->room : 64;
    bez_walk_file *more = realloc(out->files, room * sizeof *more);
    if (!more) return bez_fail_memory(err, room * sizeof *more);
    out->files = more;
    out->room = room;
  }
  out->files[out->n++] = file;
  return BEZ_OK;
}

/* A link that may be followed leads to a file; one that leads to a folder is refused, because implementations disagree
 * over whether what lies there is signed. */
static const char *judge_link(const walker *w, const char *path, struct stat *info) {
  if (!w->o->allow_symlinks) return "is a symbolic link, which may not be followed here";
  if (stat(path, info) != 0) return "is a symbolic link that leads nowhere";
  if (S_ISDIR(info->st_mode)) return "is a symbolic link to a folder, which signatures do not cover";
  char *real = realpath(path, NULL);
  if (real && !bez_signing_within(real, w->real)) w->out->n_outside++;
  const bool out = w->o->boundary && (!real || !bez_signing_within(real, w->o->boundary));
  free(real);
  return out ? BEZ_SIGNING_LEADS_OUT : NULL;
}

static bez_status walk_folder(const walker *w, const char *name, unsigned depth, bez_error *err);

static bez_status meet(const walker *w, const char *path, const char *name, unsigned depth, bez_error *err) {
  struct stat info;
  const char *trouble = NULL;
  if (lstat(path, &info) != 0) return bez_fail_errno(err, path, "cannot look at");
  if (S_ISDIR(info.st_mode)) return walk_folder(w, name, depth + 1, err);
  if (S_ISLNK(info.st_mode)) trouble = judge_link(w, path, &info);
  if (!trouble && !S_ISREG(info.st_mode)) trouble = "is neither a file nor a folder";
  if (!trouble && !bez_utf8_valid(name, strlen(name))) trouble = "has a name that is not UTF-8";
  return add(w->out, (bez_walk_file){.name = name, .size = (uint64_t)info.st_size, .trouble = trouble}, path, err);
}

/* name "" is the root. */
static bez_status walk_folder(const walker *w, const char *name, unsigned depth, bez_error *err) {
  bez_arena *arena = &w->out->arena;
  bez_status st = BEZ_OK;
  struct dirent *entry;
  const char *folder = *name ? bez_arena_printf(arena, "%s/%s", w->root, name) : w->root;
  if (!folder) return bez_fail_memory(err, strlen(name));
  if (depth > MAX_DEPTH) return bez_fail(err, BEZ_LIMIT, folder, "more than %u folders in each other", MAX_DEPTH);
  DIR *dir = opendir(folder);
  if (!dir) return bez_fail_errno(err, folder, "cannot open");
  for (errno = 0; st == BEZ_OK && (entry = readdir(dir)) != NULL; errno = 0) {
    if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
    const char *below =
        *name ? bez_arena_printf(arena, "%s/%s", name, entry->d_name) : bez_arena_strdup(arena, entry->d_name);
    const char *path = bez_arena_printf(arena, "%s/%s", folder, entry->d_name);
    if (!below || !path)
      st = bez_fail_memory(err, strlen(folder));
    else if (is_ignored(w, below))
      w->out->ignored[w->out->n_ignored++] = below;
    else
      st = meet(w, path, below, depth, err);
  }
  if (st == BEZ_OK && errno) st = bez_fail_errno(err, folder, "cannot list");
  closedir(dir);
  return st;
}

static int by_name(const void *a, const void *b) {
  return strcmp(((const bez_walk_file *)a)->name, ((const bez_walk_file *)b)->name);
}

bez_status bez_signing_walk(const char *root, const bez_walk_options *options, bez_walk *out, bez_error *err) {
  struct stat info;
  *out = (bez_walk){0};
  if (stat(root, &info) != 0) return bez_fail_errno(err, root, "cannot open");
  if (S_ISREG(info.st_mode)) return add(out, (bez_walk_file){.name = ".", .size = (uint64_t)info.st_size}, root, err);
  if (!S_ISDIR(info.st_mode)) return bez_fail(err, BEZ_USAGE, root, "is neither a file nor a folder");
  char *real = realpath(root, NULL);
  if (!real) return bez_fail_errno(err, root, "cannot open");
  walker w = {.root = root, .real = real, .o = options, .out = out};
  bez_status st = prepare_ignored(&w, err);
  if (st == BEZ_OK) st = walk_folder(&w, "", 0, err);
  free(real);
  if (st == BEZ_OK && out->n_ignored) qsort(out->ignored, out->n_ignored, sizeof *out->ignored, by_text);
  if (st == BEZ_OK && out->n) qsort(out->files, out->n, sizeof *out->files, by_name);
  return st;
}

void bez_walk_free(bez_walk *walk) {
  free(walk->files);
  bez_arena_free(&walk->arena);
  *walk = (bez_walk){0};
}

const bez_walk_file *bez_walk_find(const bez_walk *walk, const char *name) {
  const bez_walk_file key = {.name = name};
  return walk->n ? bsearch(&key, walk->files, walk->n, sizeof *walk->files, by_name) : NULL;
}

/* ---- where signatures lie -----------------------------------------------------------------------------------------
 */

const char *bez_signing_place(const char *root, bez_arena *arena) {
  struct stat info;
  size_t n = strlen(root);
  if (stat(root, &info) == 0 && !S_ISDIR(info.st_mode)) return bez_arena_printf(arena, "%s.sig", root);
  return bez_arena_printf(arena, "%s%smodel.sig", root, n && root[n - 1] == '/' ? "" : "/");
}

bez_status bez_signing_below(const char *root, const char *signature, bez_arena *arena, const char **out,
                             bez_error *err) {
  const char *slash = strrchr(signature, '/');
  const char *file = slash ? slash + 1 : signature;
  const size_t dir_len = slash ? (size_t)(slash - signature) : 0;
  bez_status st = BEZ_OK;
  char *real_root = NULL, *real = NULL;
  *out = NULL;
  char *folder = bez_arena_strndup(arena, dir_len ? signature : (slash ? "/" : "."), dir_len ? dir_len : 1);
  if (!folder) return bez_fail_memory(err, dir_len);
  real_root = realpath(root, NULL);
  if (!real_root && errno == ENOMEM) BEZ_TRY(bez_fail_memory(err, 1));
  real = realpath(folder, NULL);
  if (!real && errno == ENOMEM) BEZ_TRY(bez_fail_memory(err, 1));
  const size_t n = real_root ? strlen(real_root) : 0;
  if (!real || !n || strncmp(real, real_root, n) != 0 || (real[n] && real[n] != '/')) goto cleanup;
  *out = bez_arena_printf(arena, "%s%s%s", real[n] ? real + n + 1 : "", real[n] ? "/" : "", file);
  if (!*out) BEZ_TRY(bez_fail_memory(err, strlen(file)));
cleanup:
  free(real_root);
  free(real);
  return st;
}

static const char *const gits[] = {".git", ".gitattributes", ".github", ".gitignore"};

bool bez_signing_is_gits(const char *name) {
  for (size_t i = 0; i < sizeof gits / sizeof *gits; i++)
    if (!strcmp(name, gits[i])) return true;
  return false;
}

bez_status bez_signing_ignore(const char *root, const char *signature, const char *const *extra, size_t n_extra,
                              bez_arena *arena, const char ***out, size_t *n, bez_error *err) {
  const size_t n_always = sizeof gits / sizeof *gits;
  const char **names = bez_arena_array(arena, n_always + n_extra + 1, sizeof *names);
  if (!names) return bez_fail_memory(err, n_extra * sizeof *names);
  *n = 0;
  for (size_t i = 0; i < n_always; i++) names[(*n)++] = gits[i];
  const char *own = NULL;
  bez_status st = bez_signing_below(root, signature, arena, &own, err);
  if (st != BEZ_OK) return st;
  if (own) names[(*n)++] = own;
  for (size_t i = 0; i < n_extra; i++) {
    char *copy = bez_arena_strdup(arena, extra[i]);
    if (!copy) return bez_fail_memory(err, strlen(extra[i]));
    if (!bez_signing_path(copy))
      return bez_fail(err, BEZ_USAGE, extra[i], "is no path below the model, as an ignored path must be");
    names[(*n)++] = copy;
  }
  *out = names;
  return BEZ_OK;
}
