/* Allocations that fail when told to, for programs linked with --wrap (cmake/tests.cmake). Include it in one file. */
#ifndef BEZ_TEST_FAILING_ALLOCATIONS_H
#define BEZ_TEST_FAILING_ALLOCATIONS_H

#include <stdatomic.h>
#include <stdlib.h>

static atomic_long until_failure = -1; /* < 0: never */
static atomic_long n_allocations;

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);

static bool must_fail(void) {
  atomic_fetch_add(&n_allocations, 1);
  return atomic_load(&until_failure) >= 0 && atomic_fetch_sub(&until_failure, 1) == 0;
}

void *__wrap_malloc(size_t size) {
  return must_fail() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size) {
  return must_fail() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size) {
  return must_fail() ? NULL : __real_realloc(p, size);
}

#endif
