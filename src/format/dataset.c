/* Opening paths as one data set: files, folders and globs, each file through the reader that knows its bytes. */
#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/limits.h"
#include "format/image_files.h"
#include "format/reader.h"
#include "format/text_folder.h"

#define HEAD_BYTES 65536u
#define MAX_DEPTH 32u

typedef struct path_list {
  bez_arena arena;
  const char **items;
  size_t n, cap;
  const bez_read_options *options;
} path_list;

static bez_status add_path(path_list *list, const char *path, bez_error *err) {
  if (list->n >= BEZ_MAX_FILES)
    return bez_fail(err, BEZ_LIMIT, path, "more than %u files in one data set", BEZ_MAX_FILES);
  if (list->n == list->cap) {
    size_t cap = list->cap ? list->cap * 2 : 64;
    const char **items = realloc(list->items, cap * sizeof *items);
    if (!items) return bez_fail_memory(err, cap * sizeof *items);
    list->items = items;
    list->cap = cap;
  }
  list->items[list->n] = bez_arena_strdup(&list->arena, path);
  if (!list->items[list->n]) return bez_fail_memory(err, strlen(path));
  list->n++;
  return BEZ_OK;
}

static bool excluded(const path_list *list, const char *path) {
  const bez_read_options *o = list->options;
  const char *base = strrchr(path, '/');
  for (size_t i = 0; o && i < o->n_exclude; i++)
    if (!fnmatch(o->exclude[i], path, 0) || !fnmatch(o->exclude[i], base ? base + 1 : path, 0)) return true;
  return false;
}

static int by_name(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Regular files below a folder, hidden ones left out. A link to a folder is not followed, a link to nothing cannot be
 * read: both are told rather than passed over. */
static bez_status add_link(path_list *list, const char *path, bez_error *err) {
  struct stat target;
  if (stat(path, &target) < 0) return bez_fail_errno(err, path, "a link that leads nowhere");
  if (S_ISDIR(target.st_mode))
    return bez_fail(err, BEZ_UNSUPPORTED, path, "a link to a folder is not followed; name the folder itself");
  return S_ISREG(target.st_mode) ? add_path(list, path, err) : BEZ_OK;
}

static bez_status add_folder(path_list *list, const char *folder, unsigned depth, bez_error *err) {
  if (depth > MAX_DEPTH) return bez_fail(err, BEZ_LIMIT, folder, "folders are nested more than %u deep", MAX_DEPTH);
  DIR *dir = opendir(folder);
  if (!dir) return bez_fail_errno(err, folder, "cannot open the folder");
  bez_status st = BEZ_OK;
  struct dirent *entry;
  while (st == BEZ_OK && (entry = readdir(dir)) != NULL) {
    struct stat info;
    if (entry->d_name[0] == '.' || entry->d_name[0] == '_') continue;
    size_t n = strlen(folder);
    const char *path =
        bez_arena_printf(&list->arena, "%s%s%s", folder, n && folder[n - 1] == '/' ? "" : "/", entry->d_name);
    if (!path) st = bez_fail_memory(err, n);
    if (st != BEZ_OK || lstat(path, &info) < 0 || excluded(list, path)) continue;
    if (S_ISDIR(info.st_mode))
      st = add_folder(list, path, depth + 1, err);
    else if (S_ISLNK(info.st_mode))
      st = add_link(list, path, err);
    else if (S_ISREG(info.st_mode))
      st = add_path(list, path, err);
  }
  closedir(dir);
  return st;
}

static bez_status add_one(path_list *list, const char *path, bez_error *err) {
  struct stat info;
  if (stat(path, &info) < 0) return bez_fail_errno(err, path, "cannot open");
  if (!S_ISDIR(info.st_mode)) return add_path(list, path, err);
  size_t first = list->n;
  bez_status st = add_folder(list, path, 0, err);
  if (st == BEZ_OK && list->n == first) st = bez_fail(err, BEZ_FORMAT, path, "the folder holds no data file");
  if (st == BEZ_OK) qsort(list->items + first, list->n - first, sizeof *list->items, by_name);
  return st;
}

static bez_status expand(path_list *list, const char *path, bez_error *err) {
  struct stat info;
  if (stat(path, &info) == 0 || !strpbrk(path, "*?[")) return add_one(list, path, err);
  glob_t found = {0};
  int failed = glob(path, GLOB_ERR, NULL, &found);
  bez_status st = BEZ_OK;
  if (failed) st = bez_fail(err, failed == GLOB_NOSPACE ? BEZ_MEMORY : BEZ_IO, path, "no file matches this pattern");
  for (size_t i = 0; st == BEZ_OK && i < found.gl_pathc; i++)
    if (!excluded(list, found.gl_pathv[i])) st = add_one(list, found.gl_pathv[i], err);
  globfree(&found);
  return st;
}

/* The extension without what packing adds ("data.csv.gz" → "csv"), lower case. */
static void find_extension(const char *path, bool packed, char out[16]) {
  const char *base = strrchr(path, '/');
  base = base ? base + 1 : path;
  const char *end = base + strlen(base), *dot = strrchr(base, '.');
  if (packed && dot) {
    end = dot;
    for (dot = end; dot > base && dot[-1] != '.'; dot--) {
    }
    dot = dot > base ? dot - 1 : NULL;
  }
  size_t n = 0;
  if (dot)
    for (const char *p = dot + 1; p < end && n < 15; p++) out[n++] = (char)(*p >= 'A' && *p <= 'Z' ? *p + 32 : *p);
  out[n] = 0;
}

bez_status bez_reader_find(const bez_source *source, const bez_reader **out, bez_error *err) {
  uint8_t *head = malloc(HEAD_BYTES);
  if (!head) return bez_fail_memory(err, HEAD_BYTES);
  char extension[16];
  size_t got;
  int best = 0;
  *out = NULL;
  bez_status st = bez_source_read(source, 0, head, HEAD_BYTES, &got, err);
  find_extension(source->path, source->packing[0] != 0, extension);
  for (size_t i = 0; st == BEZ_OK && bez_readers[i]; i++) {
    int score = bez_readers[i]->sniff(head, got, extension);
    if (score > best) {
      best = score;
      *out = bez_readers[i];
    }
  }
  free(head);
  if (st == BEZ_OK && !*out)
    st = bez_fail(err, BEZ_UNSUPPORTED, source->path,
                  "no reader knows these bytes (\"list formats\" names what is read)");
  return st;
}

/* only: the reader to use, NULL: the one that knows the bytes best. */
static bez_status read_file(const char *path, const bez_reader *only, bez_builder *builder, bez_error *err) {
  bez_source source;
  const bez_reader *reader = only;
  uint64_t digest = 0;
  bez_status st = bez_source_open(path, bez_builder_budget(builder), &source, err);
  if (st != BEZ_OK) return st;
  if (!only) st = bez_reader_find(&source, &reader, err);
  if (st == BEZ_OK) st = bez_source_digest(&source, &digest, err);
  if (st == BEZ_OK) st = reader->read(&source, builder, err);
  if (st == BEZ_OK) bez_builder_digest(builder, digest);
  bez_source_close(&source);
  return st;
}

/* Where a listed path leads. */
typedef struct identity {
  dev_t device;
  ino_t inode;
  size_t index;
} identity;

static int by_identity(const void *a, const void *b) {
  const identity *x = a, *y = b;
  if (x->device != y->device) return x->device < y->device ? -1 : 1;
  if (x->inode != y->inode) return x->inode < y->inode ? -1 : 1;
  return (x->index > y->index) - (x->index < y->index);
}

/* A file that several paths lead to (it was named beside its folder, or is linked) is read once, where it stands
 * first: rows read twice would look like copies and drown what they carry. */
static bez_status read_each_once(path_list *list, bez_error *err) {
  identity *all = calloc(list->n + 1, sizeof *all);
  if (!all) return bez_fail_memory(err, list->n * sizeof *all);
  size_t n = 0, kept = 0;
  for (size_t i = 0; i < list->n; i++) {
    struct stat info;
    if (stat(list->items[i], &info) == 0) all[n++] = (identity){info.st_dev, info.st_ino, i};
  }
  qsort(all, n, sizeof *all, by_identity);
  for (size_t i = 1; i < n; i++)
    if (all[i].device == all[i - 1].device && all[i].inode == all[i - 1].inode) list->items[all[i].index] = NULL;
  for (size_t i = 0; i < list->n; i++)
    if (list->items[i]) list->items[kept++] = list->items[i];
  list->n = kept;
  free(all);
  return BEZ_OK;
}

/* Picture files go together (their sizes decide the size of all), and a folder of documents is one whatever a single
 * file looks like; other files one by one. */
static bez_status read_list(const path_list *list, bez_builder *builder, bez_error *err) {
  bool pictures = false;
  bez_status st = bez_image_files_read(list->items, list->n, builder, &pictures, err);
  const bez_reader *only = !pictures && bez_are_documents(list->items, list->n) ? &bez_reader_text : NULL;
  for (size_t i = 0; !pictures && st == BEZ_OK && i < list->n; i++)
    if (!bez_image_files_skip(list->items[i], builder, &st, err)) st = read_file(list->items[i], only, builder, err);
  return st;
}

/* What options name beside the data belongs to pictures or vectors. */
static bez_status check_beside(bez_table *table, const bez_read_options *options, const bez_table *labels,
                               bez_error *err) {
  if (labels && !table->images)
    return bez_fail(err, BEZ_USAGE, options->labels_file,
                    "labels in a file of their own belong to pictures; a table names its label column with --label");
  return options && options->embeddings ? bez_vectors_open(options, table, err) : BEZ_OK;
}

bez_status bez_table_open(const char *const *paths, size_t n_paths, const bez_read_options *options, bez_table **out,
                          bez_error *err) {
  path_list list = {.options = options};
  bez_builder *builder = NULL;
  bez_table *labels = NULL, *table = NULL;
  bez_status st = BEZ_OK;
  *out = NULL;
  if (n_paths == 0) return bez_fail(err, BEZ_USAGE, NULL, "no path was given");
  for (size_t i = 0; i < n_paths; i++) BEZ_TRY(expand(&list, paths[i], err));
  if (list.n == 0) {
    st = bez_fail(err, BEZ_USAGE, paths[0], "every file is excluded");
    goto cleanup;
  }
  BEZ_TRY(read_each_once(&list, err));
  if (options && options->labels_file) BEZ_TRY(bez_labels_open(options, &labels, err));
  BEZ_TRY(bez_builder_create(options, &builder, err));
  bez_builder_labels(builder, labels);
  BEZ_TRY(read_list(&list, builder, err));
  st = bez_builder_finish(builder, &table, err);
  builder = NULL;
  if (st == BEZ_OK) BEZ_TRY(check_beside(table, options, labels, err));
  *out = table;
  table = NULL;
cleanup:
  bez_table_destroy(table);
  bez_table_destroy(labels);
  bez_builder_destroy(builder);
  free(list.items);
  bez_arena_free(&list.arena);
  return st;
}
