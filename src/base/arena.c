/* Bump allocator over blocks that double in size up to 1 MiB. */
#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bez_arena_block {
  bez_arena_block *next;
  size_t used, cap;
  _Alignas(16) unsigned char data[];
};

enum { ALIGN = 16, FIRST_BLOCK = 4096, LARGEST_BLOCK = 1 << 20 };

static bez_arena_block *add_block(bez_arena *arena, size_t size) {
  size_t cap = arena->head ? arena->head->cap * 2 : FIRST_BLOCK;
  if (cap > LARGEST_BLOCK) cap = LARGEST_BLOCK;
  if (cap < size) cap = size;
  bez_arena_block *block = malloc(sizeof *block + cap);
  if (!block) return NULL;
  block->used = 0;
  block->cap = cap;
  /* A block made for one large object goes behind the head, whose room is still good. */
  if (arena->head && size > LARGEST_BLOCK / 4) {
    block->next = arena->head->next;
    arena->head->next = block;
  } else {
    block->next = arena->head;
    arena->head = block;
  }
  return block;
}

void *bez_arena_alloc(bez_arena *arena, size_t size) {
  if (size > SIZE_MAX / 2) return NULL;
  size_t need = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
  if (need == 0) need = ALIGN;
  bez_arena_block *block = arena->head;
  if (!block || block->cap - block->used < need) block = add_block(arena, need);
  if (!block) return NULL;
  void *out = block->data + block->used;
  block->used += need;
  arena->total += need;
  memset(out, 0, need);
  return out;
}

void *bez_arena_array(bez_arena *arena, size_t count, size_t size) {
  size_t total;
  if (__builtin_mul_overflow(count, size, &total)) return NULL;
  return bez_arena_alloc(arena, total);
}

char *bez_arena_strndup(bez_arena *arena, const char *text, size_t len) {
  if (len == SIZE_MAX) return NULL;
  char *out = bez_arena_alloc(arena, len + 1);
  if (out && len) memcpy(out, text, len);
  return out;
}

char *bez_arena_strdup(bez_arena *arena, const char *text) {
  return text ? bez_arena_strndup(arena, text, strlen(text)) : NULL;
}

char *bez_arena_printf(bez_arena *arena, const char *fmt, ...) {
  va_list args, again;
  va_start(args, fmt);
  va_copy(again, args);
  int len = vsnprintf(NULL, 0, fmt, args);
  va_end(args);
  char *out = len < 0 ? NULL : bez_arena_alloc(arena, (size_t)len + 1);
  if (out) vsnprintf(out, (size_t)len + 1, fmt, again);
  va_end(again);
  return out;
}

void bez_arena_free(bez_arena *arena) {
  for (bez_arena_block *block = arena->head, *next; block; block = next) {
    next = block->next;
    free(block);
  }
  *arena = (bez_arena){0};
}
