/* ZIP archives as loaders read them (PKWARE APPNOTE 6.3; zipfile, miniz). zip.h refuses an archive that two programs
 * could read differently; here every reading is followed: what the directory lists, what local headers say, and what
 * lies between the entries that the directory leaves out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/limits.h"
#include "decode/inflate.h"
#include "decode/model.h"

#define END_SIZE 22u
#define CENTRAL_SIZE 46u
#define LOCAL_SIZE 30u
#define MAX_COMMENT 65535u
#define DESCRIPTOR_MOST 24u /* bytes that may stand behind an entry's data */
#define ENCRYPTED 1u
#define DESCRIBED 8u
#define UTF8_NAME 0x800u

typedef struct entry {
  char *name;
  uint16_t flags, method;
  uint32_t crc, mode;
  uint64_t packed, size, local_at;
  uint64_t data_at, end; /* of the data; 0: not found */
} entry;

typedef struct archive {
  const bez_model_input *in;
  struct bez_model_out *out;
  entry *entries;
  uint32_t n, room;
  uint64_t directory_at, end_at; /* 0 both: there is no directory */
  uint64_t prefix;               /* bytes in front of the archive */
  uint32_t *by_name;             /* numbers of entries; NULL: none are looked for */
} archive;

static uint32_t le(const uint8_t *p, unsigned bytes) {
  uint32_t v = 0;
  for (unsigned i = bytes; i-- > 0;) v = v << 8 | p[i];
  return v;
}
static uint64_t le64(const uint8_t *p) {
  return le(p, 4) | (uint64_t)le(p + 4, 4) << 32;
}

static bool within(const archive *a, uint64_t at, uint64_t len) {
  return at <= a->in->len && len <= a->in->len - at;
}

static const uint8_t *signature(const archive *a, uint64_t at, const char *magic, uint64_t len) {
  return within(a, at, len) && memcmp(a->in->bytes + at, magic, 4) == 0 ? a->in->bytes + at : NULL;
}

/* The last end record, as zipfile finds it. Where the directory is said to lie elsewhere than before the record, all
 * offsets are taken to be off by as much: bytes stand in front of the archive. */
static bool find_directory(const bez_model_input *in, uint64_t *at, uint64_t *end, uint64_t *prefix) {
  if (in->len < END_SIZE) return false;
  size_t lowest = in->len > END_SIZE + MAX_COMMENT ? in->len - END_SIZE - MAX_COMMENT : 0;
  for (size_t i = in->len - END_SIZE + 1; i > lowest;) {
    const uint8_t *p = memrchr(in->bytes + lowest, 'P', i - lowest);
    if (!p) return false;
    i = (size_t)(p - in->bytes);
    if (memcmp(p, "PK\5\6", 4) != 0) continue;
    uint64_t size = le(p + 12, 4), offset = le(p + 16, 4), last = i;
    if (i >= 20 && memcmp(p - 20, "PK\6\7", 4) == 0) { /* 64-bit */
      uint64_t end64 = le64(p - 12);
      if (end64 > i || i - end64 < 56 || memcmp(in->bytes + end64, "PK\6\6", 4) != 0) {
        if (i < 76 || memcmp(p - 76, "PK\6\6", 4) != 0) return false;
        end64 = i - 76;
      }
      size = le64(in->bytes + end64 + 40);
      offset = le64(in->bytes + end64 + 48);
      last = end64;
    }
    if (size > last || offset > last - size) return false;
    *at = last - size;
    *end = i;
    *prefix = last - size - offset;
    return true;
  }
  return false;
}

static int sniff(const bez_model_input *in) {
  uint64_t at, end, prefix;
  if (in->len >= LOCAL_SIZE && memcmp(in->bytes, "PK\3\4", 4) == 0) return 95;
  return find_directory(in, &at, &end, &prefix) && (at == end || memcmp(in->bytes + at, "PK\1\2", 4) == 0) ? 90 : 0;
}

static entry *add(archive *a) {
  if (a->n == BEZ_MAX_ZIP_ENTRIES) {
    bez_model_unread(a->out, a->in->part, "more than %u entries", BEZ_MAX_ZIP_ENTRIES);
    return NULL;
  }
  if (a->n == a->room) {
    uint32_t room = a->room ? 2 * a->room : 64;
    entry *more = realloc(a->entries, room * sizeof *more);
    if (!more) return NULL;
    a->entries = more;
    a->room = room;
  }
  a->entries[a->n] = (entry){0};
  return &a->entries[a->n++];
}

/* The 64-bit fields of an entry's extra bytes, for those that are all ones in the header. */
static void wide_sizes(const uint8_t *extra, size_t len, entry *e) {
  for (size_t i = 0; i + 4 <= len;) {
    size_t n = le(extra + i + 2, 2), at = i + 4;
    if (n > len - at) return;
    if (le(extra + i, 2) == 1) {
      uint64_t *fields[] = {&e->size, &e->packed, &e->local_at};
      for (unsigned f = 0, left = (unsigned)n; f < 3; f++) {
        if (*fields[f] != UINT32_MAX) continue;
        if (left < 8) return;
        *fields[f] = le64(extra + at);
        at += 8;
        left -= 8;
      }
      return;
    }
    i = at + n;
  }
}

static void read_directory(archive *a) {
  uint64_t at = a->directory_at;
  const uint8_t *p;
  while (at < a->end_at && (p = signature(a, at, "PK\1\2", CENTRAL_SIZE))) {
    size_t n_name = le(p + 28, 2), n_extra = le(p + 30, 2), n_comment = le(p + 32, 2);
    if (!within(a, at, CENTRAL_SIZE + n_name + n_extra + n_comment)) break;
    entry *e = add(a);
    if (!e) return;
    *e = (entry){.name = strndup((const char *)p + CENTRAL_SIZE, n_name),
                 .flags = (uint16_t)le(p + 8, 2),
                 .method = (uint16_t)le(p + 10, 2),
                 .crc = le(p + 16, 4),
                 .packed = le(p + 20, 4),
                 .size = le(p + 24, 4),
                 .mode = le(p + 38, 4) >> 16,
                 .local_at = le(p + 42, 4)};
    wide_sizes(p + CENTRAL_SIZE + n_name, n_extra, e);
    e->local_at += a->prefix;
    at += CENTRAL_SIZE + n_name + n_extra + n_comment;
  }
  const uint8_t *rest = at < a->end_at ? signature(a, at, "PK\6\6", 12) : NULL; /* the 64-bit end record */
  if (at != a->end_at && !rest)
    bez_model_odd(a->out, a->in->part, at, "directory", "the archive's directory breaks off after %u entries", a->n);
}

/* What the local header says; fills data_at. A listed entry is compared with it, an unlisted one is taken from it. */
static bool read_local(archive *a, entry *e, bool listed) {
  const uint8_t *p = signature(a, e->local_at, "PK\3\4", LOCAL_SIZE);
  if (!p) return false;
  size_t n_name = le(p + 26, 2), n_extra = le(p + 28, 2);
  if (!within(a, e->local_at, LOCAL_SIZE + n_name + n_extra)) return false;
  entry local = {.flags = (uint16_t)le(p + 6, 2),
                 .method = (uint16_t)le(p + 8, 2),
                 .crc = le(p + 14, 4),
                 .packed = le(p + 18, 4),
                 .size = le(p + 22, 4),
                 .local_at = e->local_at,
                 .data_at = e->local_at + LOCAL_SIZE + n_name + n_extra};
  wide_sizes(p + LOCAL_SIZE + n_name, n_extra, &local);
  if (!listed) {
    local.name = strndup((const char *)p + LOCAL_SIZE, n_name);
    *e = local;
    return true;
  }
  e->data_at = local.data_at;
  if (e->name && (strlen(e->name) != n_name || memcmp(e->name, p + LOCAL_SIZE, n_name) != 0))
    bez_model_odd(a->out, a->in->part, e->local_at, "names differ",
                  "an entry is \"%.80s\" in the directory and \"%.*s\" "
                  "in front of its data",
                  e->name, (int)(n_name < 80 ? n_name : 80), p + LOCAL_SIZE);
  const bool sized = !(local.flags & DESCRIBED);
  if (local.method != e->method || (sized && (local.packed != e->packed || local.size != e->size)))
    bez_model_odd(a->out, a->in->part, e->local_at, "headers differ",
                  "\"%.80s\": the directory and the local header do not agree on method or size",
                  e->name ? e->name : "");
  return true;
}

/* ---- entries that others ask for ----------------------------------------------------------------------------------
 */

static int order_of_names(const void *x, const void *y, void *ctx) {
  const archive *a = ctx;
  const uint32_t i = *(const uint32_t *)x, k = *(const uint32_t *)y;
  const int order = strcmp(a->entries[i].name, a->entries[k].name);
  return order ? order : (i > k) - (i < k);
}

static void index_names(archive *a) {
  for (uint32_t i = 0; i < a->n; i++)
    if (!a->entries[i].name) return;
  a->by_name = calloc((size_t)a->n + 1, sizeof *a->by_name);
  for (uint32_t i = 0; a->by_name && i < a->n; i++) a->by_name[i] = i;
  if (a->by_name && a->n) qsort_r(a->by_name, a->n, sizeof *a->by_name, order_of_names, a);
}

static bool find_entry(const void *ctx, const char *name, const uint8_t **bytes, uint64_t *len) {
  const archive *a = ctx;
  uint32_t low = 0, high = a->by_name ? a->n : 0;
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    if (strcmp(a->entries[a->by_name[middle]].name, name) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  if (!a->by_name || low == a->n || strcmp(a->entries[a->by_name[low]].name, name) != 0) return false;
  const entry *e = &a->entries[a->by_name[low]];
  const uint8_t *p = signature(a, e->local_at, "PK\3\4", LOCAL_SIZE);
  *len = e->size;
  const uint64_t at = p ? e->local_at + LOCAL_SIZE + le(p + 26, 2) + le(p + 28, 2) : 0;
  const bool plain = p && e->method == 0 && !(e->flags & ENCRYPTED) && within(a, at, e->size);
  *bytes = plain ? a->in->bytes + at : NULL;
  return true;
}

/* An entry that PyTorch reads as numbers: data/0 beside data.pkl. */
static bool is_storage(const archive *a, const entry *e) {
  const char *slash = strrchr(e->name, '/');
  char pickle[512];
  const uint8_t *bytes;
  uint64_t len;
  if (!slash || !slash[1] || slash[1 + strspn(slash + 1, "0123456789")] || slash - e->name > 500) return false;
  snprintf(pickle, sizeof pickle, "%.*s.pkl", (int)(slash - e->name), e->name);
  return find_entry(a, pickle, &bytes, &len);
}

/* ---- what is in an entry ------------------------------------------------------------------------------------------
 */

static void say_flags(archive *a, const entry *e, bool encrypted) {
  const unsigned strange = e->flags & ~(unsigned)(6u | DESCRIBED | UTF8_NAME | ENCRYPTED);
  if (!encrypted && (e->flags & ENCRYPTED))
    bez_model_odd(a->out, a->in->part, e->local_at, "flags", "\"%.80s\" is marked as encrypted and is not", e->name);
  else if (strange)
    bez_model_odd(a->out, a->in->part, e->local_at, "flags", "\"%.80s\" has the unusual flags 0x%x", e->name, strange);
}

static void say_name(archive *a, const entry *e) {
  if (e->name[0] == '/' || e->name[0] == '\\' || strstr(e->name, "../") || strstr(e->name, "..\\"))
    bez_model_odd(a->out, a->in->part, e->local_at, "traversal", "\"%.80s\" would be unpacked outside its folder",
                  e->name);
  if ((e->mode & 0170000) == 0120000)
    bez_model_odd(a->out, a->in->part, e->local_at, "link", "\"%.80s\" is a symbolic link", e->name);
}

static bool checksum(const uint8_t *bytes, uint64_t len, uint32_t want) {
  uLong crc = crc32(0, NULL, 0);
  for (uint64_t at = 0; at < len; at += 1u << 30) {
    uint64_t n = len - at < 1u << 30 ? len - at : 1u << 30;
    crc = crc32(crc, bytes + at, (uInt)n);
  }
  return (uint32_t)crc == want;
}

/* Bytes that are not what the checksum says are examined all the same, unless they are marked as encrypted: then they
 * are. */
static void examine_bytes(archive *a, const entry *e, const uint8_t *bytes, uint64_t len) {
  /* Storages of tensors are large, and nobody is fooled by a wrong checksum of numbers. */
  const bool matters = (e->flags & ENCRYPTED) || len <= 64u << 20;
  const bool right = !matters || checksum(bytes, len, e->crc) || (e->crc == 0 && (e->flags & DESCRIBED));
  const bool encrypted = (e->flags & ENCRYPTED) && !right;
  say_flags(a, e, encrypted);
  uint32_t part = (is_storage(a, e) ? bez_model_examine_numbers
                                    : bez_model_examine)(a->out, a->in->part, a->in->depth + 1, e->name, e->data_at,
                                                         encrypted ? NULL : bytes, encrypted ? 0 : (size_t)len);
  if (encrypted)
    bez_model_unread(a->out, part, "encrypted");
  else if (!right)
    bez_model_odd(a->out, part, 0, "checksum", "\"%.80s\" does not match its checksum", e->name);
}

static void examine_entry(archive *a, entry *e) {
  size_t name_len = strlen(e->name);
  if (name_len && e->name[name_len - 1] == '/' && !e->packed) return;
  say_name(a, e);
  const uint8_t *data = a->in->bytes + e->data_at;
  uint64_t left = a->in->len - e->data_at, packed = e->packed < left ? e->packed : left;
  if (packed < e->packed)
    bez_model_odd(a->out, a->in->part, e->local_at, "cut off", "\"%.80s\" is longer than the archive", e->name);
  if (e->method == 0) {
    e->end = e->data_at + packed;
    examine_bytes(a, e, data, packed);
    return;
  }
  bez_inflated made = {0};
  if (e->method == 8) {
    /* A hidden entry may not say how long it is: the deflate data know. */
    bez_inflate(data, (size_t)(packed ? packed : left), -15, a->out, a->in->part, &made);
    e->end = e->data_at + (packed ? packed : made.used);
  }
  if (made.whole || made.len)
    examine_bytes(a, e, made.bytes, made.len);
  else
    e->end = e->data_at + packed;
  if (!made.whole && !(e->flags & ENCRYPTED && !made.len))
    bez_model_unread(a->out, a->in->part, "\"%.80s\" %s", e->name,
                     e->method == 8 ? "cannot be unpacked to its end" : "is packed by a method that is not read");
  if (!made.whole && (e->flags & ENCRYPTED)) bez_model_unread(a->out, a->in->part, "\"%.80s\" is encrypted", e->name);
  free(made.bytes);
}

/* ---- the whole ----------------------------------------------------------------------------------------------------
 */

static int by_place(const void *x, const void *y) {
  const entry *a = x, *b = y;
  return (a->local_at > b->local_at) - (a->local_at < b->local_at);
}

static int by_name(const void *x, const void *y) {
  const entry *a = x, *b = y;
  return strcmp(a->name ? a->name : "", b->name ? b->name : "");
}

static void say_twice(archive *a) {
  if (a->n) qsort(a->entries, a->n, sizeof *a->entries, by_name);
  for (uint32_t i = 1; i < a->n; i++)
    if (a->entries[i].name && a->entries[i - 1].name && !strcmp(a->entries[i].name, a->entries[i - 1].name))
      bez_model_odd(a->out, a->in->part, a->entries[i].local_at, "twice",
                    "two entries are named \"%.80s\": readers take one or the other", a->entries[i].name);
}

/* Under another name, too, where no ending could make a reader see something else in them. */
static bool same_data(const entry *x, const entry *y) {
  return x->data_at == y->data_at && x->method == y->method && x->packed == y->packed && x->size == y->size &&
         x->flags == y->flags && x->crc == y->crc &&
         (!strcmp(x->name, y->name) || (!strchr(x->name, '.') && !strchr(y->name, '.')));
}

/* Local headers from `at` up to `end` that the directory does not list. */
static uint64_t examine_hidden(archive *a, uint64_t at, uint64_t end) {
  while (at < end) {
    const uint8_t *p = memmem(a->in->bytes + at, (size_t)(end - at), "PK\3\4", 4);
    entry e = {.local_at = p ? (uint64_t)(p - a->in->bytes) : 0};
    if (!p) return end;
    at = e.local_at + 4;
    if (!read_local(a, &e, false) || !e.name) continue;
    if (a->directory_at || a->end_at)
      bez_model_odd(a->out, a->in->part, e.local_at, "hidden", "\"%.80s\" is not in the archive's directory", e.name);
    examine_entry(a, &e);
    if (e.end > at) at = e.end;
    free(e.name);
  }
  return end;
}

static void examine_all(archive *a) {
  uint64_t at = 0, stop = a->end_at ? a->directory_at : a->in->len;
  for (uint32_t i = 0; i < a->n; i++) {
    entry *e = &a->entries[i];
    if (!e->name || !read_local(a, e, true)) {
      bez_model_unread(a->out, a->in->part, "entry \"%.80s\" is not where the directory says", e->name ? e->name : "");
      continue;
    }
    if (e->local_at < at)
      bez_model_odd(a->out, a->in->part, e->local_at, "overlap", "\"%.80s\" shares bytes with another entry", e->name);
    else if (e->local_at - at > DESCRIPTOR_MOST)
      (void)examine_hidden(a, at, e->local_at);
    if (i && same_data(e, &e[-1]))
      e->end = e[-1].end; /* the same bytes once more, under whatever name */
    else
      examine_entry(a, e);
    if (e->end > at) at = e->end;
  }
  if (at < stop && (stop - at > DESCRIPTOR_MOST || !a->end_at)) (void)examine_hidden(a, at, stop);
}

/* What lies behind the end record and its comment. */
static void examine_rest(archive *a) {
  const uint8_t *end = a->end_at ? signature(a, a->end_at, "PK\5\6", END_SIZE) : NULL;
  const uint64_t at = end ? a->end_at + END_SIZE + le(end + 20, 2) : a->in->len;
  if (at >= a->in->len) return;
  bez_model_odd(a->out, a->in->part, at, "suffix", "%llu bytes stand behind the archive",
                (unsigned long long)(a->in->len - at));
  (void)bez_model_examine(a->out, a->in->part, a->in->depth + 1, "bytes behind the archive", at, a->in->bytes + at,
                          (size_t)(a->in->len - at));
}

static void read_zip(const bez_model_input *in, struct bez_model_out *out) {
  archive a = {.in = in, .out = out};
  if (find_directory(in, &a.directory_at, &a.end_at, &a.prefix))
    read_directory(&a);
  else
    bez_model_odd(out, in->part, 0, "directory", "the archive has no directory: what lies in it was looked for");
  if (a.prefix)
    bez_model_odd(out, in->part, 0, "prefix", "%llu bytes stand in front of the archive", (unsigned long long)a.prefix);
  bez_model_folder folder = {.part = in->part, .find = find_entry, .ctx = &a};
  say_twice(&a);
  if (a.n) qsort(a.entries, a.n, sizeof *a.entries, by_place);
  index_names(&a);
  bez_model_enter(out, &folder);
  examine_all(&a);
  bez_model_leave(out, &folder);
  examine_rest(&a);
  free(a.by_name);
  for (uint32_t i = 0; i < a.n; i++) free(a.entries[i].name);
  free(a.entries);
}

const bez_model_reader bez_model_reader_zip = {
    .name = "zip",
    .title = "ZIP archive",
    .summary =
        "PyTorch, Keras and npz files and any other ZIP archive, also with bytes in front, broken or missing "
        "directories, entries named twice or left out of the directory. Encrypted entries are said to be unread.",
    .sniff = sniff,
    .read = read_zip};
