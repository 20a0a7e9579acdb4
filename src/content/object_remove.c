/* Taking damaged packs out of a store that can be made again. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "content/store.h"

/* Paths behind each other, NUL-terminated; a pack with much damage is told many times in a row. */
static void take_path(void *ctx, const bez_damage *damage) {
  bez_buf *paths = ctx;
  size_t len = strlen(damage->pack) + 1;
  if (paths->len >= len && memcmp(paths->data + paths->len - len, damage->pack, len) == 0) return;
  bez_buf_write(paths, damage->pack, len);
}

bez_status bez_objects_remove_damaged(bez_objects *objects, uint64_t *removed, bez_error *err) {
  bez_buf paths = {0};
  bez_error why = {.line = -1, .offset = -1};
  *removed = 0;
  bez_status st = bez_objects_verify(objects, 0, NULL, NULL, take_path, &paths, NULL, &why);
  if (st != BEZ_OK && st != BEZ_FORMAT) {
    if (err) *err = why;
    bez_buf_free(&paths);
    return st;
  }
  st = bez_buf_status(&paths, err);
  for (size_t at = 0; st == BEZ_OK && at < paths.len; at += strlen(paths.data + at) + 1)
    *removed += unlink(paths.data + at) == 0;
  bez_buf_free(&paths);
  return st == BEZ_OK ? bez_objects_refresh(objects, err) : st;
}
