/* Packed files other than ZIP, through libarchive: 7z and tar archives, and single files under gzip, bzip2, xz or zstd;
 * zlib streams, as joblib writes them, through zlib. */
#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "decode/inflate.h"
#include "decode/model.h"

static bool begins(const bez_model_input *in, size_t at, const char *magic, size_t len) {
  return in->len >= at + len && memcmp(in->bytes + at, magic, len) == 0;
}

/* RFC 1950: deflate, window of 32 KiB, a check sum over both bytes; the first bytes must unpack. */
static bool is_zlib(const bez_model_input *in) {
  return in->len >= 8 && in->bytes[0] == 0x78 && (in->bytes[0] << 8 | in->bytes[1]) % 31 == 0 &&
         !(in->bytes[1] & 0x20) && (in->bytes[2] & 6) != 6;
}

/* The older format of xz's authors, as joblib writes it: properties, size of the dictionary, size or "unknown". */
static bool is_lzma(const bez_model_input *in) {
  return begins(in, 0, "\x5d\0\0", 3) && in->len > 13 && in->bytes[13] == 0 &&
         (begins(in, 5, "\xff\xff\xff\xff\xff\xff\xff\xff", 8) || begins(in, 10, "\0\0\0", 3));
}

static int sniff(const bez_model_input *in) {
  if (begins(in, 0, "7z\xbc\xaf\x27\x1c", 6) || begins(in, 0,
                                                       "\xfd"
                                                       "7zXZ\0",
                                                       6))
    return 95;
  if (begins(in, 0, "\x1f\x8b\x08", 3) || begins(in, 0, "\x28\xb5\x2f\xfd", 4) || begins(in, 257, "ustar", 5))
    return 95;
  if (begins(in, 0, "BZh", 3) && begins(in, 4, "1AY&SY", 6)) return 95;
  return is_lzma(in) ? 85 : is_zlib(in) ? 50 : 0;
}

typedef struct unpacked {
  uint8_t *bytes;
  size_t len, room;
} unpacked;

/* Appends a block; false: the allowance is spent, or a bomb. */
static bool append(unpacked *u, const void *block, size_t len, uint64_t packed, struct bez_model_out *out,
                   uint32_t part) {
  if (bez_is_bomb(out, part, packed, u->len + len)) return false;
  if (len > u->room - u->len) {
    size_t room = u->room ? u->room : 1u << 16;
    while (room < u->len + len) room *= 2;
    uint8_t *more = bez_model_may_unpack(out, part, room - u->room) ? realloc(u->bytes, room) : NULL;
    if (!more) return false;
    u->bytes = more;
    u->room = room;
  }
  if (len) memcpy(u->bytes + u->len, block, len);
  u->len += len;
  return true;
}

/* One entry, its holes filled with zeros. False: it did not come to its end. */
static bool unpack(struct archive *a, const bez_model_input *in, struct bez_model_out *out, unpacked *u) {
  static const uint8_t zeros[1u << 16];
  const void *block;
  size_t len;
  la_int64_t at;
  int r;
  while ((r = archive_read_data_block(a, &block, &len, &at)) == ARCHIVE_OK) {
    while ((uint64_t)at > u->len) {
      uint64_t hole = (uint64_t)at - u->len;
      if (!append(u, zeros, hole < sizeof zeros ? (size_t)hole : sizeof zeros, in->len, out, in->part)) return false;
    }
    if (!append(u, block, len, in->len, out, in->part)) return false;
  }
  return r == ARCHIVE_EOF;
}

static void examine(struct archive *a, struct archive_entry *entry, const bez_model_input *in,
                    struct bez_model_out *out) {
  const char *name = archive_entry_pathname(entry);
  unpacked u = {0};
  if (!name) name = "?";
  if (name[0] == '/' || strstr(name, "../"))
    bez_model_odd(out, in->part, 0, "traversal", "\"%.80s\" would be unpacked outside its folder", name);
  if (archive_entry_filetype(entry) == AE_IFLNK || archive_entry_hardlink(entry))
    bez_model_odd(out, in->part, 0, "link", "\"%.80s\" is a link", name);
  if (archive_entry_filetype(entry) != AE_IFDIR) {
    if (!unpack(a, in, out, &u))
      bez_model_unread(out, in->part, "\"%.80s\" cannot be unpacked: %s", name,
                       archive_error_string(a) ? archive_error_string(a) : "stopped");
    if (u.len) (void)bez_model_examine(out, in->part, in->depth + 1, name, 0, u.bytes, u.len);
  }
  free(u.bytes);
}

static struct archive *open_archive(const bez_model_input *in, bool archives) {
  struct archive *a = archive_read_new();
  if (a && archive_read_support_filter_gzip(a) == ARCHIVE_OK && archive_read_support_filter_bzip2(a) == ARCHIVE_OK &&
      archive_read_support_filter_xz(a) == ARCHIVE_OK && archive_read_support_filter_lzma(a) == ARCHIVE_OK &&
      archive_read_support_filter_zstd(a) == ARCHIVE_OK &&
      (!archives ||
       (archive_read_support_format_7zip(a) == ARCHIVE_OK && archive_read_support_format_tar(a) == ARCHIVE_OK)) &&
      archive_read_support_format_raw(a) == ARCHIVE_OK && archive_read_open_memory(a, in->bytes, in->len) == ARCHIVE_OK)
    return a;
  if (a) archive_read_free(a);
  return NULL;
}

/* How many entries there were; what stopped it is said. */
static uint32_t read_entries(const bez_model_input *in, bool archives, struct bez_model_out *out) {
  struct archive *a = open_archive(in, archives);
  struct archive_entry *entry;
  int r = a ? ARCHIVE_OK : ARCHIVE_FATAL;
  uint32_t n = 0;
  while (r == ARCHIVE_OK || r == ARCHIVE_WARN) {
    r = archive_read_next_header(a, &entry);
    if (r != ARCHIVE_OK && r != ARCHIVE_WARN) break;
    if (++n > BEZ_MAX_ZIP_ENTRIES) break;
    examine(a, entry, in, out);
  }
  if (r != ARCHIVE_EOF)
    bez_model_unread(out, in->part, "cannot be unpacked: %s",
                     a && archive_error_string(a) ? archive_error_string(a) : "too many entries");
  if (a) archive_read_free(a);
  return r == ARCHIVE_EOF ? n : n + 1;
}

/* Zeros pass for the end of a tar archive: where there is no entry, it is a single file that was packed. */
static void read_archive(const bez_model_input *in, struct bez_model_out *out) {
  if (!read_entries(in, true, out) && !read_entries(in, false, out))
    bez_model_unread(out, in->part, "nothing could be unpacked");
}

/* Members behind each other are one file, as gzip has it. What comes out before the data break is examined: loaders
 * that stop at a pickle's end never see the break. */
static bool gunzip(const bez_model_input *in, struct bez_model_out *out, unpacked *u) {
  bool whole = true;
  size_t at = 0;
  while (whole && begins(in, at, "\x1f\x8b\x08", 3)) {
    bez_inflated made;
    bez_inflate(in->bytes + at, in->len - at, 31, out, in->part, &made);
    whole = made.whole;
    at += made.used;
    if (!u->bytes)
      *u = (unpacked){made.bytes, made.len, made.len};
    else if (!append(u, made.bytes, made.len, in->len, out, in->part))
      whole = false;
    if (u->bytes != made.bytes) free(made.bytes);
  }
  if (whole && at < in->len)
    bez_model_odd(out, in->part, at, "trailing", "%zu bytes behind the end of the packed data", in->len - at);
  return whole;
}

static void read_gzip(const bez_model_input *in, struct bez_model_out *out) {
  unpacked u = {0};
  if (!gunzip(in, out, &u)) bez_model_unread(out, in->part, "cannot be unpacked to its end");
  if (u.len) (void)bez_model_examine(out, in->part, in->depth + 1, "gzip", 0, u.bytes, u.len);
  free(u.bytes);
}

static void read_packed(const bez_model_input *in, struct bez_model_out *out) {
  bez_inflated made;
  if (begins(in, 0, "\x1f\x8b\x08", 3)) {
    read_gzip(in, out);
    return;
  }
  if (is_lzma(in) || !is_zlib(in)) {
    read_archive(in, out);
    return;
  }
  bez_inflate(in->bytes, in->len, 15, out, in->part, &made);
  if (made.len) (void)bez_model_examine(out, in->part, in->depth + 1, "zlib", 0, made.bytes, made.len);
  if (!made.whole) bez_model_unread(out, in->part, "cannot be unpacked to its end");
  free(made.bytes);
}

const bez_model_reader bez_model_reader_packed = {
    .name = "packed",
    .title = "packed file",
    .summary = "7z and tar archives, files under gzip, bzip2, xz, zstd and zlib; what is in them is examined like any "
               "file.",
    .sniff = sniff,
    .read = read_packed};
