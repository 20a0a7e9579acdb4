/* A store in memory, for tests of what is built on objects. */
#ifndef BEZ_TEST_VAULT_MEMORY_H
#define BEZ_TEST_VAULT_MEMORY_H

#include "content/tree_node.h"
#include "crypto/sha256.h"
#include "test.h"

typedef struct memory_object {
  bez_id id;
  char *bytes;
  size_t len;
  bez_object_kind kind;
} memory_object;

struct bez_objects {
  memory_object *slots;
  size_t n, cap; /* cap: a power of two */
  size_t gets;
};
struct bez_pack {
  bez_objects *objects;
};

static memory_object *memory_slot(const bez_objects *o, const bez_id *id) {
  uint64_t at;
  memcpy(&at, id->bytes, sizeof at);
  for (;; at++) {
    memory_object *slot = &o->slots[at & (o->cap - 1)];
    if (!slot->bytes || bez_id_compare(&slot->id, id) == 0) return slot;
  }
}

static void memory_room(bez_objects *o) {
  if (o->cap && o->n * 2 < o->cap) return;
  bez_objects bigger = {.cap = o->cap ? o->cap * 2 : 1024, .n = o->n, .gets = o->gets};
  bigger.slots = calloc(bigger.cap, sizeof *bigger.slots);
  assert_non_null(bigger.slots);
  for (size_t i = 0; i < o->cap; i++)
    if (o->slots[i].bytes) *memory_slot(&bigger, &o->slots[i].id) = o->slots[i];
  free(o->slots);
  *o = bigger;
}

static void memory_free(bez_objects *o) {
  for (size_t i = 0; i < o->cap; i++) free(o->slots[i].bytes);
  free(o->slots);
}

bez_status bez_pack_put(bez_pack *pack, bez_object_kind kind, const void *bytes, size_t len, bez_id *id,
                        bez_error *err) {
  (void)err;
  bez_sha256(bytes, len, id->bytes);
  memory_room(pack->objects);
  memory_object *slot = memory_slot(pack->objects, id);
  if (slot->bytes) return BEZ_OK;
  *slot = (memory_object){*id, malloc(len + 1), len, kind};
  assert_non_null(slot->bytes);
  memcpy(slot->bytes, bytes, len);
  pack->objects->n++;
  return BEZ_OK;
}

bez_status bez_objects_get(const bez_objects *objects, bez_object_kind kind, const bez_id *id, bez_buf *out,
                           bez_error *err) {
  ((bez_objects *)(uintptr_t)objects)->gets++;
  memory_object *slot = objects->cap ? memory_slot(objects, id) : NULL;
  if (!slot || !slot->bytes) return bez_fail(err, BEZ_FORMAT, NULL, "object is missing");
  if (kind && slot->kind != kind) return bez_fail(err, BEZ_FORMAT, NULL, "object is of another kind");
  bez_buf_clear(out);
  bez_buf_write(out, slot->bytes, slot->len);
  return bez_buf_status(out, err);
}

struct bez_block {
  struct {
    bez_object_kind kind;
    char *bytes;
    size_t len;
  } objects[100000];
  size_t n, bytes;
};

bez_status bez_block_create(bez_block **out, bez_error *err) {
  (void)err;
  *out = calloc(1, sizeof **out);
  assert_non_null(*out);
  return BEZ_OK;
}

static void block_clear(bez_block *block) {
  for (size_t i = 0; i < block->n; i++) free(block->objects[i].bytes);
  block->n = block->bytes = 0;
}

void bez_block_free(bez_block *block) {
  if (block) block_clear(block);
  free(block);
}

bez_status bez_block_put(bez_block *block, bez_object_kind kind, const void *bytes, size_t len, bool id_known,
                         bez_id *id, bez_error *err) {
  (void)err;
  if (!id_known) bez_sha256(bytes, len, id->bytes);
  assert_true(block->n < 100000);
  block->objects[block->n].kind = kind;
  block->objects[block->n].len = len;
  block->objects[block->n].bytes = malloc(len + 1);
  assert_non_null(block->objects[block->n].bytes);
  memcpy(block->objects[block->n++].bytes, bytes, len);
  block->bytes += len;
  return BEZ_OK;
}

size_t bez_block_bytes(const bez_block *block) {
  return block->bytes;
}

bez_status bez_block_seal(bez_block *block, bez_error *err) {
  (void)block;
  (void)err;
  return BEZ_OK;
}

bez_status bez_pack_add(bez_pack *pack, bez_block *block, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_id id;
  for (size_t i = 0; i < block->n && st == BEZ_OK; i++)
    st = bez_pack_put(pack, block->objects[i].kind, block->objects[i].bytes, block->objects[i].len, &id, err);
  block_clear(block);
  return st;
}

#endif
