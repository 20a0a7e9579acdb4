/* Opening what holds a data set's bytes: regular files read in place, gzip and zstd unpacked under ceilings. */
#include "format/source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/limits.h"
#include "net/url.h"

#define STEP (1u << 20) /* bytes unpacked at a time */
#define IN_STEP (1u << 17)
#define DIGEST_BLOCK 4096u
#define DIGEST_BLOCKS 256u

typedef struct unpacker {
  bez_source *source;   /* size and store: of what comes out */
  const uint8_t *bytes; /* the packed content where no file holds it … */
  uint64_t size;        /* … and how long it is */
  uint64_t packed;      /* bytes taken in so far */
  uint8_t in[IN_STEP];
} unpacker;

/* Room for STEP more bytes behind source->size, or BEZ_LIMIT where the content swells beyond all reason. */
static bez_status make_room(const unpacker *u, bez_error *err) {
  bez_source *s = u->source;
  if (s->size > BEZ_RATIO_FLOOR && s->size / BEZ_MAX_RATIO > u->packed)
    return bez_fail_at(err, BEZ_LIMIT, s->path, -1, (int64_t)u->packed,
                       "unpacks to more than %u times its size: refused", BEZ_MAX_RATIO);
  if (s->size + STEP <= s->store.cap) return BEZ_OK;
  uint64_t want = s->store.cap + s->store.cap / 2;
  return bez_store_grow(&s->store, want > s->size + STEP ? want : s->size + STEP, err);
}

static bez_status read_packed(unpacker *u, size_t *got, bez_error *err) {
  ssize_t n;
  if (u->source->fd < 0) {
    uint64_t left = u->size - u->packed;
    *got = left < sizeof u->in ? (size_t)left : sizeof u->in;
    memcpy(u->in, u->bytes + u->packed, *got);
    u->packed += *got;
    return BEZ_OK;
  }
  do n = read(u->source->fd, u->in, sizeof u->in);
  while (n < 0 && errno == EINTR);
  if (n < 0) return bez_fail_errno(err, u->source->path, "cannot read");
  *got = (size_t)n;
  u->packed += (size_t)n;
  return BEZ_OK;
}

static bez_status gzip_failed(const unpacker *u, const char *why, bez_error *err) {
  return bez_fail_at(err, BEZ_FORMAT, u->source->path, -1, (int64_t)u->packed, "damaged gzip data: %s", why);
}

/* Any number of members one after another (RFC 1952); zero bytes behind the last are padding. */
static bez_status unpack_gzip(unpacker *u, bez_error *err) {
  bez_source *s = u->source;
  z_stream z = {0};
  bez_status st = BEZ_OK;
  size_t got;
  int r = Z_OK;
  if (inflateInit2(&z, 15 + 16) != Z_OK) return bez_fail_memory(err, sizeof z);
  for (;;) {
    if (z.avail_in == 0) {
      BEZ_TRY(read_packed(u, &got, err));
      if (got == 0) break;
      z.next_in = u->in;
      z.avail_in = (uInt)got;
    }
    if (r == Z_STREAM_END) {
      while (z.avail_in && *z.next_in == 0) z.next_in++, z.avail_in--;
      if (z.avail_in == 0) continue;
      if (inflateReset(&z) != Z_OK) st = gzip_failed(u, "cannot restart", err);
      if (st != BEZ_OK) goto cleanup;
    }
    BEZ_TRY(make_room(u, err));
    z.next_out = (uint8_t *)s->store.data + s->size;
    z.avail_out = STEP;
    r = inflate(&z, Z_NO_FLUSH);
    s->size += STEP - z.avail_out;
    if (r != Z_OK && r != Z_STREAM_END && r != Z_BUF_ERROR) {
      st = gzip_failed(u, z.msg ? z.msg : "not understood", err);
      goto cleanup;
    }
  }
  if (r != Z_STREAM_END) st = gzip_failed(u, "it ends too early", err);
cleanup:
  inflateEnd(&z);
  return st;
}

static bez_status zstd_failed(const unpacker *u, const char *why, bez_error *err) {
  return bez_fail_at(err, BEZ_FORMAT, u->source->path, -1, (int64_t)u->packed, "damaged zstd data: %s", why);
}

static bez_status unpack_zstd(unpacker *u, bez_error *err) {
  bez_source *s = u->source;
  bez_status st = BEZ_OK;
  size_t left = 1, got;
  ZSTD_DStream *z = ZSTD_createDStream();
  if (!z) return bez_fail_memory(err, sizeof(void *));
  ZSTD_DCtx_setParameter(z, ZSTD_d_windowLogMax, 27);
  for (;;) {
    BEZ_TRY(read_packed(u, &got, err));
    if (got == 0) break;
    ZSTD_inBuffer in = {.src = u->in, .size = got};
    bool full = false;
    while (in.pos < in.size || full) {
      BEZ_TRY(make_room(u, err));
      ZSTD_outBuffer out = {.dst = (uint8_t *)s->store.data + s->size, .size = STEP};
      left = ZSTD_decompressStream(z, &out, &in);
      s->size += out.pos;
      full = out.pos == out.size;
      if (ZSTD_isError(left)) {
        st = zstd_failed(u, ZSTD_getErrorName(left), err);
        goto cleanup;
      }
      if (left == 0 && in.pos == in.size) break;
    }
  }
  if (left != 0) st = zstd_failed(u, "it ends too early", err);
cleanup:
  ZSTD_freeDStream(z);
  return st;
}

static bez_status unpack(bez_source *s, bez_budget *budget, bool gzip, bez_error *err) {
  unpacker u = {.source = s, .bytes = s->bytes, .size = s->size};
  bez_store_init(&s->store, budget);
  s->size = 0;
  s->packing = gzip ? "gzip" : "zstd";
  bez_status st = gzip ? unpack_gzip(&u, err) : unpack_zstd(&u, err);
  if (st != BEZ_OK) return st;
  if (s->fd >= 0) close(s->fd);
  s->fd = -1;
  bez_store_trim(&s->store, s->size);
  s->bytes = s->store.data;
  return BEZ_OK;
}

static bez_status unpack_by_content(bez_source *s, bez_budget *budget, const uint8_t magic[4], size_t n,
                                    bez_error *err) {
  if (n >= 2 && magic[0] == 0x1f && magic[1] == 0x8b) return unpack(s, budget, true, err);
  if (n == 4 && !memcmp(magic, "\x28\xb5\x2f\xfd", 4)) return unpack(s, budget, false, err);
  return BEZ_OK;
}

static bez_status open_fetched(const bez_spool *spool, size_t id, bez_budget *budget, bez_source *out, bez_error *err) {
  uint8_t magic[4] = {0};
  out->bytes = bez_spool_bytes(spool, id, &out->size);
  if (!out->bytes) return bez_fail(err, BEZ_INTERNAL, out->path, "was not fetched");
  size_t n = out->size < sizeof magic ? (size_t)out->size : sizeof magic;
  memcpy(magic, out->bytes, n);
  bez_status st = unpack_by_content(out, budget, magic, n, err);
  if (st != BEZ_OK) bez_source_close(out);
  return st;
}

bez_status bez_source_must_be_local(const char *path, bez_error *err) {
  if (bez_url_kind_of(path) == BEZ_URL_NONE) return BEZ_OK;
  return bez_fail(err, BEZ_USAGE, path,
                  "is remote: scan reads such paths, everything else works on local files; "
                  "download it first");
}

bez_status bez_source_open(const char *path, bez_budget *budget, bez_source *out, bez_error *err) {
  return bez_source_open_in(NULL, path, budget, out, err);
}

bez_status bez_source_open_in(const bez_spool *spool, const char *path, bez_budget *budget, bez_source *out,
                              bez_error *err) {
  struct stat info;
  uint8_t magic[4] = {0};
  *out = (bez_source){.path = path, .fd = -1, .store = {.fd = -1}, .packing = ""};
  size_t id = bez_spool_find(spool, path);
  if (id != SIZE_MAX) return open_fetched(spool, id, budget, out, err);
  bez_status st = bez_source_must_be_local(path, err);
  if (st != BEZ_OK) return st;
  /* O_NONBLOCK: opening a FIFO must not wait for a writer that never comes. */
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return bez_fail_errno(err, path, "cannot open");
  out->fd = fd;
  if (fstat(fd, &info) < 0)
    st = bez_fail_errno(err, path, "cannot look at");
  else if (S_ISDIR(info.st_mode))
    st = bez_fail(err, BEZ_USAGE, path, "is a folder where a file is wanted");
  else if (!S_ISREG(info.st_mode))
    st = bez_fail(err, BEZ_UNSUPPORTED, path,
                  "is no regular file: data are read more than once, so copy it to a file first");
  if (st == BEZ_OK) {
    out->size = (uint64_t)info.st_size;
    ssize_t n = pread(fd, magic, sizeof magic, 0);
    if (n < 0)
      st = bez_fail_errno(err, path, "cannot read");
    else
      st = unpack_by_content(out, budget, magic, (size_t)n, err);
  }
  if (st != BEZ_OK) bez_source_close(out);
  return st;
}

void bez_source_close(bez_source *s) {
  if (s->fd >= 0) close(s->fd);
  bez_store_free(&s->store);
  *s = (bez_source){.fd = -1, .store = {.fd = -1}, .packing = ""};
}

size_t bez_source_head(const bez_spool *spool, const char *path, uint8_t *head, size_t most, uint64_t *size) {
  struct stat info;
  size_t id = bez_spool_find(spool, path);
  *size = 0;
  if (id != SIZE_MAX) {
    const void *bytes = bez_spool_bytes(spool, id, size);
    size_t n = *size < most ? (size_t)*size : most;
    if (bytes) memcpy(head, bytes, n);
    return bytes ? n : 0;
  }
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return 0;
  bool regular = fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
  ssize_t n = regular ? pread(fd, head, most, 0) : 0;
  close(fd);
  if (n <= 0) return 0;
  *size = (uint64_t)info.st_size;
  return (size_t)n;
}

bez_status bez_source_descriptor(const bez_source *s, int *fd, bez_error *err) {
  *fd = -1;
  if (s->fd >= 0) {
    *fd = fcntl(s->fd, F_DUPFD_CLOEXEC, 0);
    return *fd < 0 ? bez_fail_errno(err, s->path, "cannot be opened twice") : BEZ_OK;
  }
  bez_status st = bez_store_file(fd, err);
  for (uint64_t at = 0; st == BEZ_OK && at < s->size;) {
    uint64_t left = s->size - at;
    ssize_t n = pwrite(*fd, s->bytes + at, left < STEP ? (size_t)left : STEP, (off_t)at);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0)
      st = bez_fail_errno(err, "temporary file", "cannot write");
    else
      at += (uint64_t)n;
  }
  if (st != BEZ_OK && *fd >= 0) {
    close(*fd);
    *fd = -1;
  }
  return st;
}

bez_status bez_source_read(const bez_source *s, uint64_t offset, void *out, size_t len, size_t *got, bez_error *err) {
  *got = 0;
  if (offset >= s->size) return BEZ_OK;
  if (len > s->size - offset) len = (size_t)(s->size - offset);
  if (s->fd < 0) {
    memcpy(out, s->bytes + offset, len);
    *got = len;
    return BEZ_OK;
  }
  while (*got < len) {
    ssize_t n = pread(s->fd, (char *)out + *got, len - *got, (off_t)(offset + *got));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return bez_fail_errno(err, s->path, "cannot read");
    if (n == 0)
      return bez_fail_at(err, BEZ_IO, s->path, -1, (int64_t)(offset + *got),
                         "the file became shorter while it was read");
    *got += (size_t)n;
  }
  return BEZ_OK;
}

bez_status bez_source_digest(const bez_source *s, uint64_t *digest, bez_error *err) {
  char block[DIGEST_BLOCK];
  uint64_t n = (s->size + DIGEST_BLOCK - 1) / DIGEST_BLOCK, spread = n > DIGEST_BLOCKS ? s->size - DIGEST_BLOCK : 0;
  if (spread) n = DIGEST_BLOCKS;
  *digest = bez_mix64(s->size + 1);
  for (uint64_t i = 0; i < n; i++) {
    size_t got;
    uint64_t at = spread ? spread / (n - 1) * i + spread % (n - 1) * i / (n - 1) : i * DIGEST_BLOCK;
    bez_status st = bez_source_read(s, at, block, sizeof block, &got, err);
    if (st != BEZ_OK) return st;
    *digest = bez_hash64(block, got, *digest);
  }
  if (!*digest) *digest = 1;
  return BEZ_OK;
}
