/* Objects from a pack of the store into one in the making. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "content/pack_write.h"

static bez_status copy_reference(bez_pack *pack, const bez_pack_file *file, const bez_object_record *object,
                                 bez_buf *scratch, bez_error *err) {
  bez_refer_record refer;
  bez_block_place place = {.path = file->path, .fd = -1, .number = file->number};
  const char *text = NULL;
  size_t len = 0;
  if (!bez_pack_file_refer(file, object->offset, &refer) || !bez_pack_file_path(file, refer.path, &text, &len) ||
      !bez_pack_file_block(file, refer.block, &place.record))
    return bez_fail(err, BEZ_FORMAT, file->path, "damaged: its directory does not tell what a reference means");
  place.block = refer.block;
  bez_buf_clear(scratch);
  bez_status st = bez_block_cache_read(pack->objects->cache, &place, refer.frame_offset, refer.frame_len, scratch, err);
  if (st != BEZ_OK) return st;
  char *path = strndup(text, len);
  if (!path) return bez_fail_memory(err, len);
  st = bez_pack_refer(pack, path, refer.offset, refer.len, scratch->data, scratch->len, &object->id, err);
  free(path);
  return st;
}

bez_status bez_pack_copy(bez_pack *pack, const bez_pack_file *file, uint64_t i, bez_buf *scratch, bez_error *err) {
  bez_object_record object;
  bez_id id;
  if (!bez_pack_file_object(file, i, &object))
    return bez_fail(err, BEZ_FORMAT, file->path, "damaged: its directory cannot be read");
  if (object.block == BEZ_PACK_REFERRED) return copy_reference(pack, file, &object, scratch, err);
  bez_buf_clear(scratch);
  bez_status st = bez_pack_file_read(pack->objects->cache, file, &object, scratch, err);
  if (st == BEZ_OK) st = bez_object_check(file->path, 0, &object, scratch, err);
  if (st != BEZ_OK) return st;
  return bez_pack_put(pack, (bez_object_kind)object.kind, scratch->data, scratch->len, &id, err);
}
