/* Walking through a tar archive, header by header (tar.h). */
#include "format/tar.h"

#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/error.h"
#include "base/limits.h"

#define BLOCK 512u
#define MAX_EXTENDED (1u << 20) /* bytes of a pax header */

/* What extended headers said about the member that follows. */
typedef struct extra {
  const char *name; /* NULL: nothing */
  uint64_t size;
  bool has_size;
} extra;

/* Fields of a header: offset and length. */
enum {
  NAME = 0,
  NAME_LEN = 100,
  SIZE = 124,
  SIZE_LEN = 12,
  SUM = 148,
  SUM_LEN = 8,
  TYPE = 156,
  MAGIC = 257,
  PREFIX = 345,
  PREFIX_LEN = 155
};

/* Octal digits with spaces or NULs around them, or base 256 where the first bit is set (GNU). */
static bool number(const uint8_t *p, size_t len, uint64_t *out) {
  uint64_t v = 0;
  if (p[0] & 0x80) {
    if (p[0] & 0x40) return false; /* negative */
    v = p[0] & 0x3f;
    for (size_t i = 1; i < len; i++) {
      if (v >> 55) return false;
      v = v << 8 | p[i];
    }
    *out = v;
    return true;
  }
  size_t i = 0;
  while (i < len && p[i] == ' ') i++;
  for (; i < len && p[i] >= '0' && p[i] <= '7'; i++) {
    if (v >> 60) return false;
    v = v << 3 | (uint64_t)(p[i] - '0');
  }
  for (; i < len; i++)
    if (p[i] != ' ' && p[i] != 0) return false;
  *out = v;
  return true;
}

bool bez_tar_is_header(const uint8_t *block) {
  uint64_t said, sum = 0;
  int64_t with_signs = 0; /* some old programs summed signed bytes */
  if (!number(block + SUM, SUM_LEN, &said)) return false;
  for (size_t i = 0; i < BLOCK; i++) {
    uint8_t b = i >= SUM && i < SUM + SUM_LEN ? ' ' : block[i];
    sum += b;
    with_signs += (int8_t)b;
  }
  return said == sum || (int64_t)said == with_signs;
}

bool bez_tar_unsafe(const char *name) {
  if (name[0] == '/' || !name[0]) return true;
  for (const char *p = name; *p; p++) {
    bool begins = p == name || p[-1] == '/';
    if (begins && p[0] == '.' && p[1] == '.' && (p[2] == '/' || !p[2])) return true;
    if ((unsigned char)*p < 0x20 || *p == 0x7f || *p == '\\') return true;
  }
  return false;
}

static bez_status bad(const bez_tar *t, const char *what, bez_error *err) {
  return bez_fail_at(err, BEZ_FORMAT, t->source->path, -1, (int64_t)t->pos, "damaged tar archive: %s", what);
}

static bez_status cut_off(bez_tar *t, const char *what, bez_error *err) {
  t->cut_off = true;
  return bad(t, what, err);
}

/* Bytes of a member rounded up to blocks; false where they do not lie within the archive. */
static bool fits(const bez_tar *t, uint64_t size, uint64_t *next) {
  uint64_t data = t->pos + BLOCK;
  if (data > t->source->size || size > t->source->size - data) return false;
  uint64_t padded = (size + BLOCK - 1) / BLOCK * BLOCK;
  *next = padded > t->source->size - data ? t->source->size : data + padded; /* the last padding may be missing */
  return true;
}

static const char *plain_name(bez_tar *t, const uint8_t *h) {
  size_t n = strnlen((const char *)h + NAME, NAME_LEN), prefix = 0;
  if (!memcmp(h + MAGIC, "ustar\0", 6)) prefix = strnlen((const char *)h + PREFIX, PREFIX_LEN);
  return bez_arena_printf(t->arena, "%.*s%s%.*s", (int)prefix, (const char *)h + PREFIX, prefix ? "/" : "", (int)n,
                          (const char *)h + NAME);
}

/* "27 path=some/long/name\n": a length that counts itself, a key, a value. */
static bool record(bez_cursor *c, const char **key, size_t *key_len, const char **value, size_t *value_len) {
  size_t len = 0, digits = 0;
  const uint8_t *p = c->data + c->pos, *body;
  size_t left = bez_cursor_left(c);
  for (; digits < left && digits < 8 && p[digits] >= '0' && p[digits] <= '9'; digits++)
    len = len * 10 + (size_t)(p[digits] - '0');
  if (digits == 0 || digits >= left || p[digits] != ' ' || len < digits + 4 || !bez_cursor_take(c, len, &body))
    return false;
  if (body[len - 1] != '\n') return false;
  *key = (const char *)body + digits + 1;
  size_t rest = len - digits - 2;
  const char *equals = memchr(*key, '=', rest);
  if (!equals) return false;
  *key_len = (size_t)(equals - *key);
  *value = equals + 1;
  *value_len = rest - *key_len - 1;
  return true;
}

static bool is(const char *key, size_t len, const char *word) {
  return len == strlen(word) && !memcmp(key, word, len);
}

static bez_status set_name(bez_tar *t, extra *x, const char *name, size_t len, bez_error *err) {
  if (len == 0 || len > BEZ_MAX_NAME) return bad(t, "a name that is empty or too long", err);
  if (memchr(name, 0, len)) return bad(t, "a NUL in a name", err);
  x->name = bez_arena_strndup(t->arena, name, len);
  return x->name ? BEZ_OK : bez_fail_memory(err, len);
}

static bez_status set_size(bez_tar *t, extra *x, const char *digits, size_t len, bez_error *err) {
  x->size = 0;
  x->has_size = true;
  for (size_t i = 0; i < len; i++) {
    if (digits[i] < '0' || digits[i] > '9' || x->size > UINT64_MAX / 16) return bad(t, "a size that is none", err);
    x->size = x->size * 10 + (uint64_t)(digits[i] - '0');
  }
  return len ? BEZ_OK : bad(t, "a size that is none", err);
}

/* A pax header. One that is meant for all members must not name or measure them: every program would read another
 * archive. */
static bez_status read_pax(bez_tar *t, const uint8_t *bytes, size_t len, bool global, extra *x, bez_error *err) {
  bez_cursor c = {.data = bytes, .len = len};
  const char *key, *value;
  size_t key_len, value_len;
  bez_status st = BEZ_OK;
  while (st == BEZ_OK && bez_cursor_left(&c)) {
    if (!record(&c, &key, &key_len, &value, &value_len)) return bad(t, "an extended header", err);
    bool path = is(key, key_len, "path"), size = is(key, key_len, "size");
    if (key_len >= 10 && !memcmp(key, "GNU.sparse", 10))
      return bez_fail_at(err, BEZ_UNSUPPORTED, t->source->path, -1, (int64_t)t->pos, "a sparse member");
    if (global && (path || size)) return bad(t, "a name or a size for all members", err);
    if (path) st = set_name(t, x, value, value_len, err);
    if (size) st = set_size(t, x, value, value_len, err);
  }
  return st;
}

static bez_status read_extended(bez_tar *t, char type, uint64_t size, extra *x, bez_error *err) {
  if (size > MAX_EXTENDED) return bad(t, "an extended header of more than a mebibyte", err);
  uint8_t *bytes = malloc((size_t)size + 1);
  size_t got = 0;
  if (!bytes) return bez_fail_memory(err, (size_t)size);
  bez_status st = bez_source_read(t->source, t->pos + BLOCK, bytes, (size_t)size, &got, err);
  if (st == BEZ_OK && got != size) st = cut_off(t, "it is cut off", err);
  if (st == BEZ_OK && type == 'L')
    st = set_name(t, x, (const char *)bytes, strnlen((const char *)bytes, (size_t)size), err);
  else if (st == BEZ_OK && type != 'K')
    st = read_pax(t, bytes, (size_t)size, type == 'g', x, err);
  free(bytes);
  return st;
}

/* What stands behind the closing blocks: zeros are padding. */
static bez_status look_behind(bez_tar *t, bez_error *err) {
  uint8_t block[4096];
  for (uint64_t at = t->pos; at < t->source->size;) {
    size_t got;
    bez_status st = bez_source_read(t->source, at, block, sizeof block, &got, err);
    if (st != BEZ_OK) return st;
    for (size_t i = 0; i < got && !t->trailing; i++)
      if (block[i]) t->trailing = t->source->size - at - i;
    if (t->trailing || !got) break;
    at += got;
  }
  return BEZ_OK;
}

static bool all_zero(const uint8_t *block) {
  for (size_t i = 0; i < BLOCK; i++)
    if (block[i]) return false;
  return true;
}

/* A header at pos, or *end. */
static bez_status read_header(bez_tar *t, uint8_t h[BLOCK], bool *end, bez_error *err) {
  size_t got;
  bez_status st = bez_source_read(t->source, t->pos, h, BLOCK, &got, err);
  if (st != BEZ_OK) return st;
  *end = got == 0 || (got == BLOCK && all_zero(h));
  t->open_end = got == 0;
  if (*end) return look_behind(t, err);
  if (got < BLOCK) return cut_off(t, "it is cut off", err);
  return bez_tar_is_header(h) ? BEZ_OK : bad(t, "the checksum of a header is wrong", err);
}

bez_status bez_tar_next(bez_tar *t, bez_tar_entry *out, bool *end, bez_error *err) {
  uint8_t h[BLOCK];
  extra x = {0};
  for (uint64_t begin = t->pos;;) {
    uint64_t size, next;
    bez_status st = read_header(t, h, end, err);
    if (st != BEZ_OK || *end) return st;
    char type = (char)h[TYPE];
    bool extended = type == 'x' || type == 'g' || type == 'L' || type == 'K';
    if (!number(h + SIZE, SIZE_LEN, &size)) return bad(t, "a size that is none", err);
    if (!extended && x.has_size) size = x.size;
    if (type >= '1' && type <= '6') size = 0; /* links, devices, folders have no bytes, whatever they say */
    if (!fits(t, size, &next)) return cut_off(t, "a member goes on behind the end of the file", err);
    if (extended) {
      st = read_extended(t, type, size, &x, err);
      if (st != BEZ_OK) return st;
      t->pos = next;
      continue;
    }
    *out =
        (bez_tar_entry){.name = x.name ? x.name : plain_name(t, h), .at = t->pos + BLOCK, .size = size, .begin = begin};
    if (!out->name) return bez_fail_memory(err, NAME_LEN);
    t->pos = next;
    if (type == 0 || type == '0' || type == '7') return BEZ_OK;
    if (type != '5') t->others++;
    x = (extra){0};
    begin = next;
  }
}
