/* Large pages for tables that are read at random places: with small ones the look-up of the page costs more than that
 * of the entry. */
#ifndef BEZ_BASE_LARGE_PAGES_H
#define BEZ_BASE_LARGE_PAGES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

/* Asks for large pages below fresh memory that nothing has been written to; a wish, which may be refused. */
static inline void bez_wish_large_pages(void *memory, size_t bytes) {
#ifdef MADV_HUGEPAGE
  uintptr_t page = 4096, begin = ((uintptr_t)memory + page - 1) & ~(page - 1);
  uintptr_t end = ((uintptr_t)memory + bytes) & ~(page - 1);
  if (memory && end > begin) (void)madvise((char *)memory + (begin - (uintptr_t)memory), end - begin, MADV_HUGEPAGE);
#else
  (void)memory, (void)bytes;
#endif
}

#endif
