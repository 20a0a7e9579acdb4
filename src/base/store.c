/* Anonymous pages while the budget lasts, then an unlinked temporary file. */
#include "base/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"

enum { PAGE = 4096 };

void bez_store_init(bez_store *store, bez_budget *budget) {
  *store = (bez_store){.fd = -1, .budget = budget};
}

static size_t round_up(size_t bytes) {
  return (bytes + PAGE - 1) & ~(size_t)(PAGE - 1);
}

static bool take_budget(bez_budget *budget, uint64_t bytes) {
  if (!budget) return true;
  uint64_t before = atomic_fetch_add(&budget->in_use, bytes);
  if (budget->bytes == 0 || before + bytes <= budget->bytes) return true;
  atomic_fetch_sub(&budget->in_use, bytes);
  return false;
}

static void give_budget(bez_budget *budget, uint64_t bytes) {
  if (budget) atomic_fetch_sub(&budget->in_use, bytes);
}

bez_status bez_store_file(int *fd, bez_error *err) {
  const char *dir = getenv("TMPDIR");
  if (!dir || !*dir) dir = "/var/tmp";
  *fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (*fd >= 0) return BEZ_OK;
  char name[512];
  if ((size_t)snprintf(name, sizeof name, "%s/bezoar-XXXXXX", dir) >= sizeof name)
    return bez_fail(err, BEZ_IO, dir, "name of the temporary folder is too long");
  *fd = mkostemp(name, O_CLOEXEC); /* file systems without O_TMPFILE */
  if (*fd < 0) return bez_fail_errno(err, dir, "cannot create a temporary file");
  unlink(name);
  return BEZ_OK;
}

static bez_status extend_spill(bez_store *store, size_t cap, bez_error *err) {
  /* posix_fallocate rather than ftruncate: a full disk is an error here, not a SIGBUS later. */
  int failed = posix_fallocate(store->fd, 0, (off_t)cap);
  if (failed) {
    errno = failed;
    return bez_fail_errno(err, "temporary file", "cannot grow");
  }
  void *data = store->data ? mremap(store->data, store->cap, cap, MREMAP_MAYMOVE)
                           : mmap(NULL, cap, PROT_READ | PROT_WRITE, MAP_SHARED, store->fd, 0);
  if (data == MAP_FAILED) return bez_fail_memory(err, cap);
  if (store->budget) atomic_fetch_add(&store->budget->spilled, cap - store->cap);
  store->data = data;
  store->cap = cap;
  return BEZ_OK;
}

static bez_status move_to_spill(bez_store *store, size_t cap, bez_error *err) {
  bez_store moved = {.fd = -1, .budget = store->budget};
  bez_status st = bez_store_file(&moved.fd, err);
  if (st != BEZ_OK) return st;
  st = extend_spill(&moved, cap, err);
  if (st != BEZ_OK) {
    close(moved.fd);
    return st;
  }
  if (store->cap) {
    memcpy(moved.data, store->data, store->cap);
    munmap(store->data, store->cap);
    give_budget(store->budget, store->cap);
  }
  *store = moved;
  return BEZ_OK;
}

bez_status bez_store_grow(bez_store *store, size_t bytes, bez_error *err) {
  if (bytes <= store->cap) return BEZ_OK;
  if (bytes > SIZE_MAX / 2) return bez_fail_memory(err, bytes);
  size_t cap = round_up(bytes);
  if (store->fd >= 0) return extend_spill(store, cap, err);
  if (!take_budget(store->budget, cap - store->cap)) return move_to_spill(store, cap, err);
  void *data = store->data ? mremap(store->data, store->cap, cap, MREMAP_MAYMOVE)
                           : mmap(NULL, cap, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (data == MAP_FAILED) {
    give_budget(store->budget, cap - store->cap);
    return bez_fail_memory(err, bytes);
  }
  store->data = data;
  store->cap = cap;
  return BEZ_OK;
}

void bez_store_trim(bez_store *store, size_t bytes) {
  size_t cap = round_up(bytes);
  if (cap >= store->cap) return;
  if (cap == 0) {
    bez_budget *budget = store->budget;
    bez_store_free(store);
    bez_store_init(store, budget);
    return;
  }
  munmap((char *)store->data + cap, store->cap - cap);
  if (store->fd < 0)
    give_budget(store->budget, store->cap - cap);
  else if (store->budget)
    atomic_fetch_sub(&store->budget->spilled, store->cap - cap);
  store->cap = cap;
}

void bez_store_free(bez_store *store) {
  if (store->data) munmap(store->data, store->cap);
  if (store->fd >= 0) {
    close(store->fd);
    if (store->budget) atomic_fetch_sub(&store->budget->spilled, store->cap);
  } else {
    give_budget(store->budget, store->cap);
  }
  *store = (bez_store){.fd = -1};
}
