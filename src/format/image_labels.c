/* What a picture is, by the folder it lies in. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "format/image_files.h"

/* Names of folders that divide a data set and name no class. */
static bool divides(const char *name, size_t len) {
  static const char *const words[] = {"train",      "training", "test", "testing", "tests",    "val",   "valid",
                                      "validation", "dev",      "eval", "images",  "image",    "imgs",  "img",
                                      "pictures",   "data",     "png",  "jpg",     "jpeg",     "jpegs", "webp",
                                      "jpegimages", "frames",   "all",  "raw",     "original", NULL};
  for (const char *const *w = words; *w; w++)
    if (strlen(*w) == len && !strncasecmp(*w, name, len)) return true;
  return false;
}

size_t bez_image_folder_label(const char *path, size_t *end) {
  const char *slash = strrchr(path, '/');
  size_t to = slash ? (size_t)(slash - path) : 0;
  for (size_t from; to > 0; to = from) {
    while (to > 0 && path[to - 1] == '/') to--;
    for (from = to; from > 0 && path[from - 1] != '/';) from--;
    size_t len = to - from;
    bool dots = len > 0 && strspn(path + from, ".") >= len;
    if (dots || len == 0) break;
    if (divides(path + from, len)) continue;
    *end = to;
    return from;
  }
  *end = 0;
  return 0;
}

typedef struct folder {
  const char *path;
  size_t len;
} folder;

static int by_folder(const void *a, const void *b) {
  const folder *x = a, *y = b;
  int order = memcmp(x->path, y->path, x->len < y->len ? x->len : y->len);
  return order ? order : (x->len > y->len) - (x->len < y->len);
}

/* Whether one of the sorted folders lies below this one. */
static bool has_below(const folder *all, size_t n, const folder *of) {
  size_t low = 0, high = n;
  while (low < high) { /* the first that is not before "of/" */
    size_t mid = low + (high - low) / 2;
    const folder *f = &all[mid];
    int order = memcmp(f->path, of->path, f->len < of->len ? f->len : of->len);
    bool before = order < 0 || (order == 0 && (f->len <= of->len || f->path[of->len] < '/'));
    if (before)
      low = mid + 1;
    else
      high = mid;
  }
  return low < n && all[low].len > of->len && !memcmp(all[low].path, of->path, of->len) &&
         all[low].path[of->len] == '/';
}

static bool all_alike(const bez_image_names *names) {
  const char *first = names->n ? names->label[0] : NULL;
  for (size_t i = 1; i < names->n; i++) {
    const char *l = names->label[i];
    if (!l != !first || (l && strcmp(l, first) != 0)) return false;
  }
  return true;
}

bez_status bez_image_labels(bez_image_names *names, bez_error *err) {
  folder *folders = calloc(names->n + 1, sizeof *folders);
  if (!folders) return bez_fail_memory(err, names->n * sizeof *folders);
  size_t n = 0, end;
  for (size_t i = 0; i < names->n; i++) {
    (void)bez_image_folder_label(names->path[i], &end);
    folder f = {names->path[i], end};
    if (end && (!n || folders[n - 1].len != end || memcmp(folders[n - 1].path, f.path, end) != 0)) folders[n++] = f;
  }
  qsort(folders, n, sizeof *folders, by_folder);
  bez_status st = BEZ_OK;
  const char *last = NULL; /* neighbours share a folder: one copy serves them all */
  size_t last_from = 0, last_end = 0;
  const char *last_path = NULL;
  for (size_t i = 0; st == BEZ_OK && i < names->n; i++) {
    size_t from = bez_image_folder_label(names->path[i], &end);
    bool same = last_path && end == last_end && from == last_from && !memcmp(last_path, names->path[i], end);
    if (!same) {
      folder f = {names->path[i], end};
      bool label = end && !has_below(folders, n, &f); /* a folder of classes is no class */
      last = label ? bez_arena_strndup(&names->arena, names->path[i] + from, end - from) : NULL;
      if (label && !last) st = bez_fail_memory(err, end - from);
      last_path = names->path[i], last_from = from, last_end = end;
    }
    names->label[i] = last;
  }
  free(folders);
  if (st == BEZ_OK && all_alike(names)) memset(names->label, 0, names->n * sizeof *names->label);
  return st;
}

static const char *base_of(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

static int by_path(const void *a, const void *b, void *names) {
  const bez_image_names *n = names;
  return strcmp(n->path[*(const size_t *)a], n->path[*(const size_t *)b]);
}

static int by_base(const void *a, const void *b, void *names) {
  const bez_image_names *n = names;
  int order = strcmp(base_of(n->path[*(const size_t *)a]), base_of(n->path[*(const size_t *)b]));
  return order ? order : by_path(a, b, names);
}

bez_status bez_image_names_index(bez_image_names *names, bez_error *err) {
  if (names->by_path) return BEZ_OK;
  names->by_path = calloc(names->n + 1, sizeof *names->by_path);
  names->by_base = calloc(names->n + 1, sizeof *names->by_base);
  if (!names->by_path || !names->by_base) return bez_fail_memory(err, names->n * sizeof *names->by_base);
  for (size_t i = 0; i < names->n; i++) names->by_path[i] = names->by_base[i] = i;
  qsort_r(names->by_path, names->n, sizeof *names->by_path, by_path, names);
  qsort_r(names->by_base, names->n, sizeof *names->by_base, by_base, names);
  return BEZ_OK;
}

void bez_image_names_free(bez_image_names *names) {
  free(names->path);
  free(names->label);
  free(names->by_path);
  free(names->by_base);
  bez_arena_free(&names->arena);
}
