/* Bump allocator: many small objects with one lifetime. Not thread safe. */
#ifndef BEZ_BASE_ARENA_H
#define BEZ_BASE_ARENA_H

#include <stddef.h>

typedef struct bez_arena_block bez_arena_block;
typedef struct bez_arena {
  bez_arena_block *head;
  size_t total; /* bytes handed out */
} bez_arena;    /* zero-initialise; free with bez_arena_free */

/* 16-byte aligned, zeroed; NULL when memory is out. size 0 gives a valid pointer. */
void *bez_arena_alloc(bez_arena *arena, size_t size);
/* count × size with an overflow check. */
void *bez_arena_array(bez_arena *arena, size_t count, size_t size);
char *bez_arena_strdup(bez_arena *arena, const char *text);              /* text may be NULL: gives NULL */
char *bez_arena_strndup(bez_arena *arena, const char *text, size_t len); /* adds the NUL */
char *bez_arena_printf(bez_arena *arena, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void bez_arena_free(bez_arena *arena);

#endif
