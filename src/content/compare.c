/* A tree beside the files it was made of. */
#include "content/compare.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "content/stamp.h"

#define PIECE (1u << 20)

typedef struct comparer {
  const char *path;
  int fd; /* of the file that its items stand for now; -1: none yet */
  char name[4096];
  char *piece; /* PIECE bytes that were read ahead */
  size_t at, have;
  uint64_t n_files;
  bool same;
} comparer;

static bez_status next_piece(comparer *c, bez_error *err) {
  ssize_t n;
  do {
    n = read(c->fd, c->piece, PIECE);
  } while (n < 0 && errno == EINTR);
  if (n < 0) return bez_fail_errno(err, c->name, "cannot read");
  c->at = 0;
  c->have = (size_t)n;
  return BEZ_OK;
}

/* The file that is open must end here. */
static bez_status end_file(comparer *c, bez_error *err) {
  bez_status st = BEZ_OK;
  if (c->fd < 0) return BEZ_OK;
  if (c->same && c->at == c->have) st = next_piece(c, err);
  if (c->at != c->have) c->same = false;
  close(c->fd);
  c->fd = -1;
  return st;
}

static bez_status begin_file(comparer *c, const char *name, size_t len, bez_error *err) {
  struct stat info;
  bez_status st = end_file(c, err);
  if (st != BEZ_OK || !c->same) return st;
  if (snprintf(c->name, sizeof c->name, "%s%s%.*s", c->path, len ? "/" : "", (int)len, name) >= (int)sizeof c->name)
    return bez_fail(err, BEZ_USAGE, c->path, "the path is too long");
  c->fd = open(c->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (c->fd < 0 && errno != ENOENT && errno != ENOTDIR) return bez_fail_errno(err, c->name, "cannot open");
  c->same = c->fd >= 0 && fstat(c->fd, &info) == 0 && S_ISREG(info.st_mode);
  c->at = c->have = 0;
  c->n_files++;
  return BEZ_OK;
}

static bez_status compare_bytes(comparer *c, const char *bytes, size_t len, bez_error *err) {
  while (len && c->same) {
    if (c->at == c->have) {
      bez_status st = next_piece(c, err);
      if (st != BEZ_OK) return st;
    }
    size_t n = c->have - c->at < len ? c->have - c->at : len;
    c->same = n && !memcmp(c->piece + c->at, bytes, n);
    c->at += n;
    bytes += n;
    len -= n;
  }
  return BEZ_OK;
}

static bez_status compare_leaf(comparer *c, const bez_buf *leaf, bez_error *err) {
  bez_cursor cursor = {.data = (const uint8_t *)leaf->data, .len = leaf->len};
  bez_item item;
  bez_status st = BEZ_OK;
  while (st == BEZ_OK && c->same && bez_cursor_left(&cursor)) {
    if (!bez_item_next(&cursor, &item)) return bez_fail(err, BEZ_FORMAT, c->path, "a leaf of the vault is malformed");
    if (item.type == BEZ_ITEM_FILE || item.type == BEZ_ITEM_FILE_ROW)
      st = begin_file(c, item.head, bez_item_name_len(&item), err);
    if (st == BEZ_OK && bez_item_file_bytes(&item) && c->fd < 0) st = begin_file(c, "", 0, err);
    if (st == BEZ_OK && bez_item_file_bytes(&item)) st = compare_bytes(c, item.body, item.body_len, err);
  }
  return st;
}

bez_status bez_tree_same(const bez_objects *objects, const bez_tree *rows, const char *path, bool *same,
                         bez_error *err) {
  comparer c = {.path = path, .fd = -1, .same = true};
  bez_tree_walk *walk = NULL;
  bez_tree_entry entry;
  bez_tree_place place;
  bez_stamp stamp;
  bez_buf leaf = {0};
  bool end = false;
  bez_status st = BEZ_OK;
  c.piece = malloc(PIECE);
  if (!c.piece) return bez_fail_memory(err, PIECE);
  BEZ_TRY(bez_tree_walk_begin(objects, rows, &walk, err));
  while (c.same) {
    BEZ_TRY(bez_tree_walk_next(walk, &entry, &place, &end, err));
    if (end) break;
    BEZ_TRY(bez_objects_get(objects, BEZ_OBJECT_LEAF, &entry.id, &leaf, err));
    BEZ_TRY(compare_leaf(&c, &leaf, err));
  }
  BEZ_TRY(end_file(&c, err));
  BEZ_TRY(bez_stamp_take(path, &stamp, err)); /* files that came on top */
  *same = c.same && stamp.n_files == c.n_files;
cleanup:
  if (c.fd >= 0) close(c.fd);
  bez_tree_walk_end(walk);
  bez_buf_free(&leaf);
  free(c.piece);
  return st;
}
