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
#include "format/builder_internal.h"
#include "format/dataset.h"
#include "format/image_files.h"
#include "format/remote.h"
#include "format/text_folder.h"

#define HEAD_BYTES 65536u
#define MAX_DEPTH 32u

typedef struct path_list {
  bez_arena arena;
  const char **items;
  size_t n, cap;
  const bez_read_options *options;
  const bez_spool *spool; /* what is fetched; NULL: no path is remote */
  bez_spool *adding;      /* the same, where URLs may be asked for */
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
  if (st == BEZ_OK && list->n == first) st = bez_fail(err, BEZ_FORMAT, path, BEZ_NO_DATA);
  if (st == BEZ_OK) qsort(list->items + first, list->n - first, sizeof *list->items, by_name);
  return st;
}

/* The names of what a URL leads to, in order. */
static bez_status expand_remote(path_list *list, const char *path, bez_error *err) {
  const size_t *ids;
  size_t n;
  bez_status st = bez_spool_add(list->adding, path, &ids, &n, err);
  for (size_t i = 0; st == BEZ_OK && i < n; i++) {
    const char *name = bez_spool_name(list->adding, ids[i]);
    if (!excluded(list, name)) st = add_path(list, name, err);
  }
  return st;
}

static bez_status fetch(const path_list *list, bez_error *err) {
  size_t n = 0, *ids = calloc(list->n + 1, sizeof *ids);
  if (!ids) return bez_fail_memory(err, list->n * sizeof *ids);
  for (size_t i = 0; i < list->n; i++) {
    size_t id = bez_spool_find(list->spool, list->items[i]);
    if (id != SIZE_MAX) ids[n++] = id;
  }
  bez_status st = bez_spool_fetch(list->adding, ids, n, err);
  free(ids);
  return st;
}

static bez_status expand(path_list *list, const char *path, bez_error *err) {
  struct stat info;
  if (list->adding && bez_path_is_remote(path)) return expand_remote(list, path, err);
  if (bez_spool_find(list->spool, path) != SIZE_MAX) return add_path(list, path, err);
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

/* Whether the file is this shard's, and what of it: a reader that cannot read parts reads all or nothing. */
static bool choose_share(const bez_reader *reader, bez_builder *builder, const bez_share *part,
                         const bez_share *whole) {
  builder->share = (bez_share){0};
  if (!part) return true;
  if (!reader->parts) return whole->from != whole->to;
  builder->share = *part;
  return part->from != part->to || builder->share_first;
}

bez_status bez_read_file(const char *path, const bez_reader *only, bez_builder *builder, const bez_share *part,
                         const bez_share *whole, bez_error *err) {
  bez_source source;
  const bez_reader *reader = only;
  uint64_t digest = 0;
  bez_status st = bez_source_open_in(bez_builder_spool(builder), path, bez_builder_budget(builder), &source, err);
  if (st != BEZ_OK) return st;
  if (!only) st = bez_reader_find(&source, &reader, err);
  if (st == BEZ_OK && choose_share(reader, builder, part, whole)) {
    st = bez_source_digest(&source, &digest, err);
    if (st == BEZ_OK) st = reader->read(&source, builder, err);
    if (st == BEZ_OK) bez_builder_digest(builder, digest);
  }
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
    size_t id = bez_spool_find(list->spool, list->items[i]);
    if (id != SIZE_MAX)
      all[n++] = (identity){(dev_t)-1, id, i};
    else if (stat(list->items[i], &info) == 0)
      all[n++] = (identity){info.st_dev, info.st_ino, i};
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

/* ---- reading the list ---- */

typedef struct reading {
  const path_list *list;
  const bez_state_use *use;
  bez_builder *builder;
  const bez_reader *only; /* of all files; NULL: of each, the one that knows it best */
  bez_share *parts, *whole;
} reading;

/* The first file of a data set tells how its columns are taken in: every shard has a look, where that is cheap. */
static bool is_packed(const char *path) {
  size_t n = strlen(path);
  return (n > 3 && !strcmp(path + n - 3, ".gz")) || (n > 4 && !strcmp(path + n - 4, ".zst"));
}

static bez_status read_shared(const reading *r, size_t i, bez_error *err) {
  bez_share part = {0}, whole = {0};
  bool cut = r->parts != NULL;
  if (cut) {
    part = r->parts[i];
    whole = r->whole[i];
    bool look = i == 0 && !is_packed(r->list->items[i]);
    if (part.from == part.to && whole.from == whole.to && !look) return BEZ_OK;
  }
  if (part.from != part.to || !cut) {
    bez_status st = BEZ_OK;
    if (bez_image_files_skip(r->list->items[i], r->builder, &st, err)) return st;
  }
  return bez_read_file(r->list->items[i], r->only, r->builder, cut ? &part : NULL, &whole, err);
}

/* Sizes decide who reads what. Labels in a file of their own go by the row, which is known in one file alone. */
static bez_status cut(reading *r, bez_error *err) {
  const path_list *list = r->list;
  const bez_state_use *use = r->use;
  uint64_t *bytes = calloc(list->n + 1, sizeof *bytes);
  r->parts = calloc(list->n + 1, sizeof *r->parts);
  r->whole = calloc(list->n + 1, sizeof *r->whole);
  bez_status st = bytes && r->parts && r->whole ? BEZ_OK : bez_fail_memory(err, list->n * sizeof *r->parts);
  for (size_t i = 0; st == BEZ_OK && i < list->n; i++) {
    struct stat info;
    if (stat(list->items[i], &info) < 0) st = bez_fail_errno(err, list->items[i], "cannot open");
    if (st == BEZ_OK) bytes[i] = (uint64_t)info.st_size;
  }
  if (st == BEZ_OK) bez_share_files(use->shard, use->n_shards, bytes, list->n, list->n >= use->n_shards, r->parts);
  if (st == BEZ_OK) bez_share_files(use->shard, use->n_shards, bytes, list->n, true, r->whole);
  if (st == BEZ_OK && list->n > 1 && list->options && list->options->labels_file)
    st = bez_fail(err, BEZ_UNSUPPORTED, list->options->labels_file,
                  "labels in a file of their own go by the row: only one file of pictures can be cut into shards");
  free(bytes);
  return st;
}

/* Picture files go together (their sizes decide the size of all), and a folder of documents is one whatever a single
 * file looks like; other files one by one. */
static bez_status read_list(reading *r, bez_error *err) {
  const path_list *list = r->list;
  bool pictures = false;
  bez_status st = BEZ_OK;
  bool done = false;
  const bez_state *state = r->use ? r->use->state : NULL;
  if (r->use && r->use->n_shards) BEZ_TRY(cut(r, err));
  if (state && bez_reuse_together(state, list->options))
    BEZ_TRY(bez_reuse_same(r->use, list->items, list->n, list->options, r->builder, &done, err));
  if (!done) BEZ_TRY(bez_image_files_read(list->items, list->n, r->builder, &pictures, err));
  if (done || pictures) goto cleanup;
  r->only = bez_are_documents(list->spool, list->items, list->n) ? &bez_reader_text : NULL;
  if (state && !bez_reuse_together(state, list->options)) {
    st = bez_reuse_list(r->use, list->items, list->n, r->only, r->builder, err);
    goto cleanup;
  }
  for (size_t i = 0; i < list->n; i++) {
    r->builder->share_first = i == 0;
    BEZ_TRY(read_shared(r, i, err));
  }
cleanup:
  free(r->parts);
  free(r->whole);
  return st;
}

/* What options name beside the data belongs to pictures or vectors. */
static bez_status check_beside(bez_table *table, const bez_read_options *options, bez_error *err) {
  if (options && options->labels_file && !table->images)
    return bez_fail(err, BEZ_USAGE, options->labels_file,
                    "labels in a file of their own belong to pictures; a table names its label column with --label");
  return options && options->embeddings ? bez_vectors_open(options, table, err) : BEZ_OK;
}

static bez_status find_files(path_list *list, const char *const *paths, size_t n, bez_error *err) {
  bez_status st = BEZ_OK;
  for (size_t i = 0; st == BEZ_OK && i < n; i++) st = expand(list, paths[i], err);
  if (st == BEZ_OK && list->n == 0) st = bez_fail(err, BEZ_USAGE, paths[0], BEZ_ALL_EXCLUDED);
  if (st == BEZ_OK && list->adding) st = fetch(list, err);
  return st == BEZ_OK ? read_each_once(list, err) : st;
}

/* Everything into the builder: from a state, from files, or from both. */
static bez_status fill(const path_list *list, const bez_state_use *use, bez_builder *builder, bez_error *err) {
  reading r = {.list = list, .use = use, .builder = builder};
  if (use && use->state && !list->n) return bez_reuse_all(use->state, builder, err);
  return read_list(&r, err);
}

static bez_status save(const path_list *list, const bez_state_use *use, const bez_builder *builder, bez_error *err) {
  const char *const *paths = (const char *const *)list->items;
  bez_state_note note = {.options = use->options ? use->options : list->options,
                         .left_out = use->left_out,
                         .n_left_out = use->n_left_out,
                         .list_files = list->n,
                         .list_hash = bez_list_hash(paths, list->n)};
  if (!list->n && use->state) {
    note.list_files = use->state->bodies[0].list_files;
    note.list_hash = use->state->bodies[0].list_hash;
  }
  if (use->n_rows) *use->n_rows = builder->n_rows;
  return bez_state_save(builder, &note, use->save, err);
}

/* spool: what has been fetched; adding: the same, where URLs among the paths may be asked for. */
static bez_status open_list(const bez_spool *spool, bez_spool *adding, const char *const *paths, size_t n_paths,
                            const bez_read_options *options, const bez_state_use *use, bez_table **out,
                            bez_error *err) {
  path_list list = {.options = options, .spool = spool, .adding = adding};
  bez_builder *builder = NULL;
  bez_table *labels = NULL, *table = NULL;
  bez_status st = BEZ_OK;
  bool stored = use && use->state && !n_paths;
  if (out) *out = NULL;
  if (n_paths == 0 && !stored) return bez_fail(err, BEZ_USAGE, NULL, "no path was given");
  if (n_paths) BEZ_TRY(find_files(&list, paths, n_paths, err));
  if (options && options->labels_file && !stored) BEZ_TRY(bez_labels_open(options, &labels, err));
  BEZ_TRY(bez_builder_create(options, &builder, err));
  bez_builder_labels(builder, labels);
  bez_builder_set_spool(builder, spool);
  if (use) {
    builder->shard = use->shard;
    builder->n_shards = use->n_shards;
  }
  BEZ_TRY(fill(&list, use, builder, err));
  if (use && use->save) BEZ_TRY(save(&list, use, builder, err));
  if (!out) goto cleanup;
  st = bez_builder_finish(builder, &table, err);
  builder = NULL;
  if (st == BEZ_OK) BEZ_TRY(check_beside(table, options, err));
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

/* A state names files that are looked at again, and a shard is cut from what is there. */
static bez_status check_local(const char *const *paths, size_t n, const bez_read_options *o, const bez_state_use *use,
                              bez_error *err) {
  const char *labels = o ? o->labels_file : NULL, *remote = labels && bez_path_is_remote(labels) ? labels : NULL;
  for (size_t i = 0; i < n && !remote; i++)
    if (bez_path_is_remote(paths[i])) remote = paths[i];
  if (!remote || !use || (!use->save && !use->state && !use->n_shards)) return BEZ_OK;
  return bez_fail(err, BEZ_USAGE, remote,
                  "is remote: --shard, --save and --with work on local files; download it first");
}

bez_status bez_table_open_with(const char *const *paths, size_t n_paths, const bez_read_options *options,
                               const bez_state_use *use, bez_table **out, bez_error *err) {
  bez_spool *own = NULL, *spool = use ? use->spool : NULL;
  if (out) *out = NULL;
  bez_status st = check_local(paths, n_paths, options, use, err);
  if (st == BEZ_OK && !spool) st = bez_remote_create(options, paths, n_paths, &own, err);
  if (own) spool = own;
  if (st == BEZ_OK) st = open_list(spool, spool, paths, n_paths, options, use, out, err);
  bez_spool_destroy(own);
  return st;
}

bez_status bez_table_open_fetched(const bez_spool *spool, const char *name, const bez_read_options *options,
                                  bez_table **out, bez_error *err) {
  return open_list(spool, NULL, &name, 1, options, NULL, out, err);
}

bez_status bez_table_open(const char *const *paths, size_t n_paths, const bez_read_options *options, bez_table **out,
                          bez_error *err) {
  return bez_table_open_with(paths, n_paths, options, NULL, out, err);
}
