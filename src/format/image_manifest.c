/* Manifests: tables that name picture files and say what each shows. Paths are looked up among the pictures of the data
 * set and nowhere else: a manifest cannot make the scan open a file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "format/image_files.h"
#include "format/remote.h"

/* Case and punctuation aside: "File_Name" is "filename". */
static bool same_name(const char *a, const char *b) {
  for (;; a++, b++) {
    while (*a == '_' || *a == '-' || *a == ' ' || *a == '.') a++;
    if (!*a || !*b) return !*a && !*b;
    if ((*a >= 'A' && *a <= 'Z' ? *a + 32 : *a) != *b) return false;
  }
}

static int find_named(const bez_table *t, const char *const *names) {
  for (; *names; names++)
    for (uint32_t c = 0; c < t->n_cols; c++)
      if (same_name(t->cols[c].name, *names)) return (int)c;
  return -1;
}

static int find_paths(const bez_table *t) {
  static const char *const names[] = {"path",      "filepath", "filename",  "file",    "imagepath", "imgpath",
                                      "imagefile", "image",    "imagename", "picture", "img",       "imageid",
                                      "key",       "name",     "id",        "idcode",  NULL};
  return find_named(t, names);
}

static int find_labels(const bez_table *t, const char *given, int paths) {
  static const char *const names[] = {"label", "labels",  "class",   "target",    "category",  "classname",
                                      "y",     "classid", "labelid", "diagnosis", "labelname", NULL};
  if (given) return bez_table_find(t, given);
  int found = find_named(t, names);
  if (found < 0) found = t->label;
  if (found < 0 && t->n_cols == 2) found = 1 - paths;
  return found == paths ? -1 : found;
}

/* Where a manifest's names begin: the length of its folder with the slash behind it. */
static size_t folder_length(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? (size_t)(slash - path) + 1 : 0;
}

static const char *base_of(const char *path) {
  return path + folder_length(path);
}

/* The first in an order whose key is not below. */
static size_t lower_bound(const bez_image_names *names, const size_t *order, bool base, const char *key) {
  size_t low = 0, high = names->n;
  while (low < high) {
    size_t mid = low + (high - low) / 2;
    const char *path = names->path[order[mid]];
    if (strcmp(base ? base_of(path) : path, key) < 0)
      low = mid + 1;
    else
      high = mid;
  }
  return low;
}

/* The only picture below the folder whose base name is `key`, or begins with it when it ends in a dot. */
static size_t only_below(const bez_image_names *names, const char *manifest, const char *key) {
  size_t found = SIZE_MAX, len = strlen(key), folder = folder_length(manifest);
  bool stem = len && key[len - 1] == '.';
  for (size_t k = lower_bound(names, names->by_base, true, key); k < names->n; k++) {
    const char *path = names->path[names->by_base[k]], *base = base_of(path);
    if (stem ? strncmp(base, key, len) != 0 : strcmp(base, key) != 0) break;
    if (strncmp(path, manifest, folder) != 0) continue;
    if (found != SIZE_MAX) return SIZE_MAX;
    found = names->by_base[k];
  }
  return found;
}

/* The picture a cell means: a path from the manifest's folder, else a name that one picture below it bears, with or
 * without its extension. */
static size_t find_picture(const bez_image_names *names, const char *manifest, const char *cell, size_t len) {
  char key[4096];
  while (len > 2 && cell[0] == '.' && cell[1] == '/') cell += 2, len -= 2;
  if (len == 0 || len > 2048 || memchr(cell, 0, len)) return SIZE_MAX;
  int n = snprintf(key, sizeof key, "%.*s%.*s", (int)folder_length(manifest), manifest, (int)len, cell);
  if (n <= 0 || (size_t)n >= sizeof key - 1) return SIZE_MAX;
  size_t at = lower_bound(names, names->by_path, false, key);
  if (at < names->n && !strcmp(names->path[names->by_path[at]], key)) return names->by_path[at];
  snprintf(key, sizeof key, "%.*s", (int)len, cell);
  char *base = strrchr(key, '/');
  base = base ? base + 1 : key;
  if (!*base) return SIZE_MAX;
  size_t found = only_below(names, manifest, base);
  if (found != SIZE_MAX) return found;
  key[len] = '.'; /* len is far below the room */
  key[len + 1] = 0;
  return only_below(names, manifest, base);
}

static bez_status open_with(const char *path, const bez_builder *builder, const char *const *types, size_t n_types,
                            bez_table **out, bez_error *err) {
  const bez_read_options *options = bez_builder_options(builder);
  bez_read_options plain = {.threads = options->threads, .memory = options->memory, .types = types, .n_types = n_types};
  return bez_table_open_fetched(bez_builder_spool(builder), path, &plain, out, err);
}

/* Rows of the manifest that name a picture; with `take`, their labels are taken. */
static bez_status match(const bez_table *t, const char *path, int paths, int labels, bez_image_names *names, bool take,
                        uint64_t *matched, bez_error *err) {
  *matched = 0;
  for (uint64_t row = 0; row < t->n_rows; row++) {
    size_t len;
    const char *cell = bez_cell(t, (uint32_t)paths, row, &len);
    size_t i = find_picture(names, path, cell, len);
    if (i == SIZE_MAX) continue;
    ++*matched;
    if (!take) continue;
    cell = bez_cell(t, (uint32_t)labels, row, &len);
    names->label[i] = len ? bez_arena_strndup(&names->arena, cell, len) : NULL;
    if (len && !names->label[i]) return bez_fail_memory(err, len);
  }
  return BEZ_OK;
}

static bez_status take(const bez_table *t, const char *path, int paths, int labels, bez_builder *builder,
                       bez_image_names *names, bool *taken, char why[128], bez_error *err) {
  uint64_t matched;
  bez_status st = bez_image_names_index(names, err);
  if (st == BEZ_OK) st = match(t, path, paths, labels, names, false, &matched, err);
  if (st != BEZ_OK) return st;
  if (matched * 2 < t->n_rows || !matched) {
    snprintf(why, 128, "no manifest: %llu of its %llu rows name a picture", (unsigned long long)matched,
             (unsigned long long)t->n_rows);
    return BEZ_OK;
  }
  if (!names->manifest) memset(names->label, 0, names->n * sizeof *names->label);
  names->manifest = *taken = true;
  if (matched < t->n_rows)
    bez_builder_remark(builder, "manifest-gaps", path, t->n_rows - matched, -1, "rows that name no picture");
  st = match(t, path, paths, labels, names, true, &matched, err);
  if (st == BEZ_OK) st = bez_builder_begin_file(builder, path, "manifest", t->bytes_read, err);
  return st == BEZ_OK ? bez_builder_end_file(builder, 0, err) : st;
}

/* The manifest once more, its two columns kept as they stand. */
static bez_status reopen(const bez_table *t, int paths, int labels, const char *path, const bez_builder *builder,
                         bez_table **out, bez_error *err) {
  bez_arena arena = {0};
  const char *types[] = {bez_arena_printf(&arena, "%s=text", t->cols[paths].name),
                         bez_arena_printf(&arena, "%s=categorical", t->cols[labels].name)};
  bez_status st = types[0] && types[1] ? open_with(path, builder, types, 2, out, err) : bez_fail_memory(err, 64);
  bez_arena_free(&arena);
  return st;
}

bez_status bez_image_manifest(const char *path, const bez_read_options *options, bez_builder *builder,
                              bez_image_names *names, bool *taken, char why[128], bez_error *err) {
  bez_table *first = NULL, *t = NULL;
  bez_error problem = {0};
  *taken = false;
  bez_status st = open_with(path, builder, NULL, 0, &first, &problem);
  int paths = st == BEZ_OK ? find_paths(first) : -1;
  int labels = paths >= 0 ? find_labels(first, options->label, paths) : -1;
  if (st == BEZ_OK && paths < 0)
    snprintf(why, 128, "no manifest: it has no column of paths (path, file_name â¦)");
  else if (st == BEZ_OK && labels < 0)
    snprintf(why, 128, "no manifest: it has no label column (name one with --label)");
  else if (st == BEZ_OK)
    st = reopen(first, paths, labels, path, builder, &t, &problem);
  if (st == BEZ_MEMORY || st == BEZ_CANCELLED)
    st = bez_fail(err, st, path, "%s", problem.message);
  else if (st != BEZ_OK)
    snprintf(why, 128, "no manifest: %.100s", problem.message), st = BEZ_OK;
  else if (t)
    st = take(t, path, paths, labels, builder, names, taken, why, err);
  bez_table_destroy(first);
  bez_table_destroy(t);
  return st;
}
