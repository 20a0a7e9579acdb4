/* One pack as it lies on disk: its directory is mapped, and each page of it checked when it is first looked at, so that
 * opening a store costs nothing that grows with the rows in it. */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cursor.h"
#include "base/error.h"
#include "base/file.h"
#include "content/pack.h"
#include "crypto/digest.h"
#include "crypto/sha256.h"

enum { PAGE_NEW = 0, PAGE_GOOD = 1, PAGE_DAMAGED = 2 };

/* The directory, its page digests and the footer as one map. */
static bez_status map_directory(bez_pack_file *file, int fd, bez_error *err) {
  uint64_t begin = file->shape.dir_offset & ~(uint64_t)4095;
  uint64_t len = file->size - begin;
  void *map = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, (off_t)begin);
  if (map == MAP_FAILED) return bez_fail_errno(err, file->path, "cannot map");
  file->map = map;
  file->map_len = len;
  file->dir = file->map + (file->shape.dir_offset - begin);
  file->digests = file->dir + bez_pack_dir_len(&file->shape);
  uint64_t pages = bez_pack_pages(&file->shape);
  file->checked = calloc(pages + 1, sizeof *file->checked);
  return file->checked ? BEZ_OK : bez_fail_memory(err, pages);
}

/* The list of page digests and the footer's numbers against the footer's digest, and that against the name. */
static bez_status check_top(bez_pack_file *file, bool check_name, bez_error *err) {
  uint64_t covered = bez_pack_pages(&file->shape) * 32 + BEZ_PACK_FOOTER - 32;
  uint8_t digest[32];
  bez_sha256(file->digests, covered, digest);
  if (memcmp(digest, file->digests + covered, 32) != 0)
    return bez_fail_at(err, BEZ_FORMAT, file->path, -1, (int64_t)(file->size - BEZ_PACK_FOOTER - covered + 48),
                       "damaged: the list of the directory's digests is not what the footer says");
  memcpy(file->name, digest, 32);
  if (!check_name) return BEZ_OK;
  char hex[65];
  bez_hex(digest, 32, hex);
  const char *slash = strrchr(file->path, '/');
  const char *name = slash ? slash + 1 : file->path;
  if (strncmp(name, hex, 64) != 0 || strcmp(name + 64, BEZ_PACK_SUFFIX) != 0)
    return bez_fail(err, BEZ_FORMAT, file->path, "damaged: a pack of another name (%s)", hex);
  return BEZ_OK;
}

static bez_status open_mapped(bez_pack_file *file, int fd, bool check_name, bez_error *err) {
  struct stat info;
  if (fstat(fd, &info) != 0) return bez_fail_errno(err, file->path, "cannot stat");
  if (!S_ISREG(info.st_mode)) return bez_fail(err, BEZ_FORMAT, file->path, "no regular file");
  file->size = (uint64_t)info.st_size;
  if (file->size < BEZ_PACK_MAGIC_BYTES + BEZ_PACK_FOOTER)
    return bez_fail(err, BEZ_FORMAT, file->path, "damaged: too short to be a pack");
  uint8_t footer[BEZ_PACK_FOOTER], magic[BEZ_PACK_MAGIC_BYTES];
  bez_status st = bez_file_pread(fd, file->path, magic, sizeof magic, 0, err);
  if (st == BEZ_OK) st = bez_file_pread(fd, file->path, footer, sizeof footer, file->size - sizeof footer, err);
  if (st != BEZ_OK) return st;
  if (memcmp(magic, BEZ_PACK_MAGIC, sizeof magic) != 0)
    return bez_fail_at(err, BEZ_FORMAT, file->path, -1, 0, "damaged: it does not begin as packs do");
  if (!bez_get_footer(footer, file->size, &file->shape) || file->shape.dir_offset < BEZ_PACK_MAGIC_BYTES)
    return bez_fail_at(err, BEZ_FORMAT, file->path, -1, (int64_t)(file->size - sizeof footer),
                       "damaged: its footer does not fit the file");
  st = map_directory(file, fd, err);
  return st == BEZ_OK ? check_top(file, check_name, err) : st;
}

bez_status bez_pack_file_open(const char *path, uint64_t number, bool check_name, bez_pack_file **out, bez_error *err) {
  bez_status st = BEZ_OK;
  int fd = -1;
  bez_pack_file *file = calloc(1, sizeof *file);
  if (!file) return bez_fail_memory(err, sizeof *file);
  file->number = number;
  file->fd = -1;
  file->path = strdup(path);
  if (!file->path) BEZ_TRY(bez_fail_memory(err, strlen(path)));
  fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) BEZ_TRY(bez_fail_errno(err, path, "cannot open"));
  BEZ_TRY(open_mapped(file, fd, check_name, err));
  *out = file;
  file = NULL;
cleanup:
  if (fd >= 0) close(fd);
  bez_pack_file_close(file);
  return st;
}

void bez_pack_file_close(bez_pack_file *file) {
  if (!file) return;
  if (file->fd >= 0) close(file->fd);
  if (file->map) munmap((void *)(uintptr_t)file->map, file->map_len);
  free((void *)file->checked);
  free(file->path);
  free(file);
}

static bool page_good(const bez_pack_file *file, uint64_t page) {
  uint8_t state = atomic_load_explicit(&file->checked[page], memory_order_acquire);
  if (state != PAGE_NEW) return state == PAGE_GOOD;
  uint64_t begin = page * BEZ_PACK_PAGE, len = bez_pack_dir_len(&file->shape) - begin;
  uint8_t digest[32];
  bez_sha256(file->dir + begin, len < BEZ_PACK_PAGE ? len : BEZ_PACK_PAGE, digest);
  state = memcmp(digest, file->digests + page * 32, 32) == 0 ? PAGE_GOOD : PAGE_DAMAGED;
  atomic_store_explicit(&file->checked[page], state, memory_order_release);
  return state == PAGE_GOOD;
}

/* Checked bytes of the directory, NULL where damaged. */
static const uint8_t *look(const bez_pack_file *file, uint64_t begin, uint64_t len) {
  for (uint64_t page = begin / BEZ_PACK_PAGE; page <= (begin + len - 1) / BEZ_PACK_PAGE; page++)
    if (!page_good(file, page)) return NULL;
  return file->dir + begin;
}

static const uint8_t *look_object(const bez_pack_file *file, uint64_t i) {
  return look(file, file->shape.blocks * BEZ_PACK_BLOCK + i * BEZ_PACK_OBJECT, BEZ_PACK_OBJECT);
}

static uint64_t prefix(const uint8_t *id) {
  uint64_t value;
  memcpy(&value, id, sizeof value);
  return __builtin_bswap64(value);
}

/* Ids are as good as random: the first guesses by proportion come close, halving does the rest. */
static uint64_t guess(uint64_t lo, uint64_t hi, uint64_t lo_key, uint64_t hi_key, uint64_t key) {
  if (key <= lo_key || hi_key <= lo_key) return lo;
  if (key >= hi_key) return hi - 1;
  uint64_t at = lo + (uint64_t)((double)(hi - lo) * ((double)(key - lo_key) / (double)(hi_key - lo_key)));
  return at < hi ? at : hi - 1;
}

bez_found bez_pack_file_number(const bez_pack_file *file, const bez_id *id, uint64_t *number) {
  uint64_t lo = 0, hi = file->shape.objects, lo_key = 0, hi_key = UINT64_MAX, key = prefix(id->bytes);
  for (unsigned step = 0; lo < hi; step++) {
    uint64_t at = step < 4 ? guess(lo, hi, lo_key, hi_key, key) : lo + (hi - lo) / 2;
    const uint8_t *record = look_object(file, at);
    if (!record) return BEZ_FOUND_DAMAGED;
    int order = memcmp(record, id->bytes, BEZ_ID);
    if (order == 0) {
      *number = at;
      return BEZ_FOUND;
    }
    if (order < 0) {
      lo = at + 1;
      lo_key = prefix(record);
    } else {
      hi = at;
      hi_key = prefix(record);
    }
  }
  return BEZ_FOUND_NOT;
}

bez_found bez_pack_file_find(const bez_pack_file *file, const bez_id *id, bez_object_record *out) {
  uint64_t number = 0;
  bez_found found = bez_pack_file_number(file, id, &number);
  if (found == BEZ_FOUND && !bez_pack_file_object(file, number, out)) return BEZ_FOUND_DAMAGED;
  return found;
}

bool bez_pack_file_block(const bez_pack_file *file, uint64_t i, bez_block_record *out) {
  const uint8_t *record = i < file->shape.blocks ? look(file, i * BEZ_PACK_BLOCK, BEZ_PACK_BLOCK) : NULL;
  if (record) bez_get_block_record(record, out);
  return record != NULL;
}

bool bez_pack_file_object(const bez_pack_file *file, uint64_t i, bez_object_record *out) {
  const uint8_t *record = i < file->shape.objects ? look_object(file, i) : NULL;
  if (record) bez_get_object_record(record, out);
  return record != NULL;
}

bool bez_pack_file_refer(const bez_pack_file *file, uint64_t i, bez_refer_record *out) {
  if (i >= file->shape.refers) return false;
  uint64_t base = file->shape.blocks * BEZ_PACK_BLOCK + file->shape.objects * BEZ_PACK_OBJECT;
  const uint8_t *record = look(file, base + i * BEZ_PACK_REFER, BEZ_PACK_REFER);
  if (record) bez_get_refer_record(record, out);
  return record != NULL;
}

bool bez_pack_file_path(const bez_pack_file *file, uint32_t place, const char **path, size_t *len) {
  uint64_t all = file->shape.paths_len;
  uint64_t base = bez_pack_dir_len(&file->shape) - all;
  if (all < 4 || place > all - 4) return false;
  const uint8_t *head = look(file, base + place, 4);
  if (!head) return false;
  bez_cursor c = {head, 4, 0};
  uint32_t n = 0;
  if (!bez_cursor_le32(&c, &n) || n == 0 || n > all - 4 - place) return false;
  const uint8_t *text = look(file, base + place + 4, n);
  if (!text) return false;
  *path = (const char *)text;
  *len = n;
  return true;
}
