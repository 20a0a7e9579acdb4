/* What is a model in a folder, what belongs to it, and what is data. The content decides: a name alone makes a file a
 * model or data, anything else is opened. Symbolic links are followed within the repository only. */
#include <dirent.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/limits.h"
#include "scan/models.h"

typedef struct walk {
  bez_scan *scan;
  bez_scan_set *set;
  size_t root_len;     /* of the root with its slash */
  struct stat *linked; /* files that links led to; owned */
  size_t n_linked, linked_room;
  bool blobs; /* within a hub's blobs: what a link led to was met already */
  bool models, others;
} walk;

static bool ends_in(const char *name, const char *const *endings, size_t n) {
  const char *dot = strrchr(name, '.');
  for (size_t i = 0; dot && i < n; i++)
    if (!strcasecmp(dot, endings[i])) return true;
  return false;
}

/* Rows are read from it, whatever lies beside it. Arrays are opened: they may hold objects. */
static bool is_data(const char *name) {
  static const char *const endings[] = {".csv", ".tsv", ".jsonl", ".ndjson", ".parquet", ".arrow", ".feather",
                                        ".png", ".jpg", ".jpeg",  ".webp",   ".pgm",     ".ppm",   ".bez"};
  return ends_in(name, endings, sizeof endings / sizeof *endings);
}

/* Where models of TensorFlow and ONNX keep their numbers. */
static bool holds_numbers(const char *name) {
  static const char *const endings[] = {".data", ".onnx_data", ".index", ".meta", ".weight", ".weights", ".raw"};
  return ends_in(name, endings, sizeof endings / sizeof *endings) || !fnmatch("*.data-[0-9]*-of-[0-9]*", name, 0);
}

/* Belongs to a model where there is one, else to the data. */
static bool lies_beside(const char *name) {
  static const char *const endings[] = {
      ".json",  ".md",   ".txt", ".yaml", ".yml",  ".py",        ".model", ".lock",  ".gitattributes", ".sig",
      ".jinja", ".toml", ".cfg", ".ini",  ".html", ".gitignore", ".spm",   ".vocab", ".tiktoken"};
  return !strrchr(name, '.') || ends_in(name, endings, sizeof endings / sizeof *endings) || holds_numbers(name);
}

/* config.json is everybody's; a model's has one of these. */
static bool configures_a_model(const char *path) {
  static const char *const keys[] = {"\"architectures\"", "\"model_type\"", "\"auto_map\"", "\"_class_name\""};
  char head[16384];
  FILE *f = fopen(path, "rbe");
  const size_t n = f ? fread(head, 1, sizeof head, f) : 0;
  if (f) (void)fclose(f);
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
    if (memmem(head, n, keys[i], strlen(keys[i]))) return true;
  return false;
}

/* Nothing but a model's folder has such a file. */
static bool marks_a_model(const char *path, const char *name) {
  static const char *const names[] = {
      "tokenizer_config.json",    "adapter_config.json", "model_index.json",   "generation_config.json", "MLmodel",
      "preprocessor_config.json", "model.sig",           "chat_template.jinja"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (!strcmp(name, names[i])) return true;
  return !strcmp(name, "config.json") && configures_a_model(path);
}

static bool excluded(const walk *w, const char *path) {
  const bez_read_options *o = &w->scan->options->read;
  const char *slash = strrchr(path, '/');
  for (size_t i = 0; i < o->n_exclude; i++)
    if (!fnmatch(o->exclude[i], path, 0) || !fnmatch(o->exclude[i], slash ? slash + 1 : path, 0)) return true;
  return false;
}

/* The folder whose content a link may lead to: the given one or, of a snapshot in a hub's cache, the repository that it
 * is a snapshot of, where the files themselves lie. */
static const char *boundary_of(bez_arena *arena, const char *root) {
  char *real = realpath(root, NULL), *slash;
  const char *kept = NULL;
  struct stat info;
  if (!real) return NULL;
  if ((slash = strrchr(real, '/')) && slash != real) {
    *slash = 0;
    char *above = strrchr(real, '/');
    const bool snapshots = above && !strcmp(above, "/snapshots");
    if (snapshots) *above = 0;
    const char *blobs = snapshots ? bez_arena_printf(arena, "%s/blobs", real) : NULL;
    if (blobs && stat(blobs, &info) == 0 && S_ISDIR(info.st_mode))
      kept = bez_arena_strdup(arena, real);
    else {
      if (snapshots) *above = '/';
      *slash = '/';
    }
  }
  if (!kept) kept = bez_arena_strdup(arena, real);
  free(real);
  return kept;
}

/* Where a link leads when that is outside, or nowhere; NULL: it may be followed. */
static const char *leads_out(const walk *w, const char *path) {
  bez_arena *arena = &w->scan->report->arena;
  char *real = realpath(path, NULL);
  const size_t n = w->set->boundary ? strlen(w->set->boundary) : 0;
  const bool inside = real && n && !strncmp(real, w->set->boundary, n) && (!real[n] || real[n] == '/' || n == 1);
  const char *where = inside ? NULL : bez_arena_strdup(arena, real ? real : "nowhere");
  free(real);
  return where;
}

static bez_status add(walk *w, const char *path, const char *link, uint64_t size, bool listed, bez_error *err) {
  if (w->set->n == BEZ_MAX_MODEL_FILES)
    return bez_fail(err, BEZ_LIMIT, path, "more than %u files of models in one folder", BEZ_MAX_MODEL_FILES);
  const char *slash = strrchr(path, '/');
  const char *name = w->root_len ? path + w->root_len : slash ? slash + 1 : path;
  return bez_scan_set_add(
      w->set, &(bez_scan_file){.path = path, .name = name, .link = link, .size = size, .listed = listed}, err);
}

static bez_status meet_file(walk *w, const char *path, const char *name, const char *link, uint64_t size,
                            bez_error *err) {
  const bool named = bez_scan_named_model(path);
  if (!named && is_data(name)) {
    w->others = true;
    return BEZ_OK;
  }
  const bool model = named || (!link && bez_scan_is_model(path)), beside = !model && lies_beside(name);
  w->models |= model || (!link && marks_a_model(path, name));
  w->others |= !model && !beside;
  return model || beside || link ? add(w, path, link, size, !model, err) : BEZ_OK;
}

static bez_status meet(walk *w, const char *folder, const char *name, unsigned depth, bez_error *err);

static int by_name(const struct dirent **a, const struct dirent **b) {
  return strcmp((*a)->d_name, (*b)->d_name);
}

static int no_dots(const struct dirent *entry) {
  return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 && strcmp(entry->d_name, ".git") != 0;
}

static bool has_folder(const char *folder, const char *name) {
  char path[4096];
  struct stat info;
  return (size_t)snprintf(path, sizeof path, "%s/%s", folder, name) < sizeof path && stat(path, &info) == 0 &&
         S_ISDIR(info.st_mode);
}

static bez_status note_linked(walk *w, const struct stat *info, bez_error *err) {
  if (w->n_linked == w->linked_room) {
    const size_t room = w->linked_room ? 2 * w->linked_room : 16;
    struct stat *more = realloc(w->linked, room * sizeof *more);
    if (!more) return bez_fail_memory(err, room * sizeof *more);
    w->linked = more;
    w->linked_room = room;
  }
  w->linked[w->n_linked++] = *info;
  return BEZ_OK;
}

static bool was_linked(const walk *w, const struct stat *info) {
  for (size_t i = 0; i < w->n_linked; i++)
    if (w->linked[i].st_ino == info->st_ino && w->linked[i].st_dev == info->st_dev) return true;
  return false;
}

/* A link to a folder that the walk comes to anyway: below the root, and not in what is left out. */
static bool met_elsewhere(const walk *w, const char *path) {
  char *real = realpath(path, NULL), *root = realpath(w->set->root, NULL);
  const size_t n = root ? strlen(root) : 0;
  const bool below = real && n && !strncmp(real, root, n) && (!real[n] || real[n] == '/' || n == 1);
  const char *hidden = below ? strstr(real + n, "/.git") : NULL;
  const bool met = below && !(hidden && (!hidden[5] || hidden[5] == '/'));
  free(real);
  free(root);
  return met;
}

static bez_status walk_folder(walk *w, const char *folder, unsigned depth, bez_error *err) {
  struct dirent **entries = NULL;
  if (depth > BEZ_MAX_FOLDER_DEPTH) {
    bez_report_not_checked(w->scan->report, true, folder, "lies more than %u folders deep", BEZ_MAX_FOLDER_DEPTH);
    return BEZ_OK;
  }
  const int n = scandir(folder, &entries, no_dots, by_name);
  if (n < 0) {
    bez_report_not_checked(w->scan->report, true, folder, "cannot be listed");
    return BEZ_OK;
  }
  /* A hub's cache: snapshots link to what lies in blobs, which come last: what no link led to is met there. */
  const bool cache = has_folder(folder, "blobs") && has_folder(folder, "snapshots");
  bez_status st = BEZ_OK;
  for (unsigned pass = 0; pass < (cache ? 2u : 1u); pass++) {
    w->blobs |= pass == 1;
    for (int i = 0; i < n && st == BEZ_OK; i++)
      if (!cache || (strcmp(entries[i]->d_name, "blobs") == 0) == (pass == 1))
        st = meet(w, folder, entries[i]->d_name, depth, err);
  }
  if (cache) w->blobs = false;
  for (int i = 0; i < n; i++) free(entries[i]);
  free(entries);
  return st;
}

static bez_status meet(walk *w, const char *folder, const char *name, unsigned depth, bez_error *err) {
  const size_t n = strlen(folder);
  struct stat info;
  const char *link = NULL;
  const char *path =
      bez_arena_printf(&w->scan->report->arena, "%s%s%s", folder, n && folder[n - 1] == '/' ? "" : "/", name);
  if (!path) return bez_fail_memory(err, n);
  if (excluded(w, path) || lstat(path, &info) != 0) return BEZ_OK;
  if (S_ISLNK(info.st_mode)) {
    link = leads_out(w, path);
    if (!link && stat(path, &info) != 0) return BEZ_OK;
    if (!link && S_ISDIR(info.st_mode)) /* what is not met is a file that cannot be read, and said to be */
      return met_elsewhere(w, path) ? BEZ_OK : add(w, path, NULL, 0, false, err);
    if (link) return meet_file(w, path, name, link, 0, err);
    bez_status st = note_linked(w, &info, err);
    if (st != BEZ_OK) return st;
  } else if (w->blobs && S_ISREG(info.st_mode) && was_linked(w, &info))
    return BEZ_OK;
  if (S_ISDIR(info.st_mode)) return walk_folder(w, path, depth + 1, err);
  return S_ISREG(info.st_mode) ? meet_file(w, path, name, NULL, (uint64_t)info.st_size, err) : BEZ_OK;
}

static int by_name_below(const void *a, const void *b) {
  const bez_scan_file *x = a, *y = b;
  return strcmp(x->name, y->name);
}

bez_status bez_scan_walk(bez_scan *scan, const char *path, bez_scan_set *set, bez_scan_folder *out, bez_error *err) {
  walk w = {.scan = scan, .set = set};
  struct stat info;
  const size_t n = strlen(path);
  *out = (bez_scan_folder){0};
  set->root = bez_arena_strdup(&scan->report->arena, path);
  if (!set->root) return bez_fail_memory(err, n);
  if (stat(path, &info) != 0 || !S_ISDIR(info.st_mode)) {
    out->models = true;
    const bool regular = stat(path, &info) == 0 && S_ISREG(info.st_mode);
    return add(&w, set->root, NULL, regular ? (uint64_t)info.st_size : 0, false, err);
  }
  w.root_len = n + (n && path[n - 1] == '/' ? 0 : 1);
  set->boundary = boundary_of(&scan->report->arena, path);
  bez_status st = walk_folder(&w, set->root, 0, err);
  free(w.linked);
  if (set->n) qsort(set->files, set->n, sizeof *set->files, by_name_below);
  *out = (bez_scan_folder){w.models, w.others};
  return st;
}
