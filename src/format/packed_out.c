/* Writing through gzip or zstd by the name's ending. Packed bytes hold no time and no name: same data, same file. */
#include "format/packed_out.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "base/error.h"

#define CHUNK (1u << 17)

struct bez_packed_out {
  bez_outfile *file;
  bool gzip;
  z_stream z;
  ZSTD_CCtx *zstd;
  size_t n; /* plain bytes waiting in chunk */
  uint8_t chunk[CHUNK];
  uint8_t packed[CHUNK];
};

static bool ends_with(const char *text, const char *end) {
  size_t n = strlen(text), m = strlen(end);
  return n > m && !strcmp(text + n - m, end);
}

static void release(bez_packed_out *out) {
  if (out->gzip) deflateEnd(&out->z);
  ZSTD_freeCCtx(out->zstd);
  free(out);
}

bez_status bez_packed_out_open(const char *path, bez_packed_out **out, bez_error *err) {
  *out = NULL;
  bez_packed_out *p = calloc(1, sizeof *p);
  if (!p) return bez_fail_memory(err, sizeof *p);
  if (ends_with(path, ".gz")) {
    p->gzip = deflateInit2(&p->z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK;
    if (!p->gzip) {
      release(p);
      return bez_fail_memory(err, sizeof p->z);
    }
  } else if (ends_with(path, ".zst") && !(p->zstd = ZSTD_createCCtx())) {
    release(p);
    return bez_fail_memory(err, sizeof(void *));
  }
  bez_status st = bez_outfile_open(path, &p->file, err);
  if (st != BEZ_OK)
    release(p);
  else
    *out = p;
  return st;
}

static bez_status pack_gzip(bez_packed_out *out, bool last, bez_error *err) {
  int r;
  out->z.next_in = out->chunk;
  out->z.avail_in = (uInt)out->n;
  do {
    out->z.next_out = out->packed;
    out->z.avail_out = CHUNK;
    r = deflate(&out->z, last ? Z_FINISH : Z_NO_FLUSH);
    bez_status st = bez_outfile_write(out->file, out->packed, CHUNK - out->z.avail_out, err);
    if (st != BEZ_OK) return st;
  } while (out->z.avail_out == 0 || (last && r == Z_OK));
  return BEZ_OK;
}

static bez_status pack_zstd(bez_packed_out *out, bool last, bez_error *err) {
  ZSTD_inBuffer in = {.src = out->chunk, .size = out->n};
  size_t left;
  do {
    ZSTD_outBuffer to = {.dst = out->packed, .size = CHUNK};
    left = ZSTD_compressStream2(out->zstd, &to, &in, last ? ZSTD_e_end : ZSTD_e_continue);
    if (ZSTD_isError(left)) return bez_fail(err, BEZ_INTERNAL, NULL, "zstd: %s", ZSTD_getErrorName(left));
    bez_status st = bez_outfile_write(out->file, out->packed, to.pos, err);
    if (st != BEZ_OK) return st;
  } while (last ? left != 0 : in.pos < in.size);
  return BEZ_OK;
}

static bez_status flush_chunk(bez_packed_out *out, bool last, bez_error *err) {
  bez_status st = out->gzip   ? pack_gzip(out, last, err)
                  : out->zstd ? pack_zstd(out, last, err)
                              : bez_outfile_write(out->file, out->chunk, out->n, err);
  out->n = 0;
  return st;
}

bez_status bez_packed_out_write(bez_packed_out *out, const void *bytes, size_t len, bez_error *err) {
  const uint8_t *p = bytes;
  while (len) {
    size_t n = CHUNK - out->n < len ? CHUNK - out->n : len;
    memcpy(out->chunk + out->n, p, n);
    out->n += n;
    p += n;
    len -= n;
    if (out->n == CHUNK) {
      bez_status st = flush_chunk(out, false, err);
      if (st != BEZ_OK) return st;
    }
  }
  return BEZ_OK;
}

bez_status bez_packed_out_commit(bez_packed_out *out, bez_error *err) {
  bez_status st = flush_chunk(out, true, err);
  if (st == BEZ_OK)
    st = bez_outfile_commit(out->file, err);
  else
    bez_outfile_abandon(out->file);
  release(out);
  return st;
}

void bez_packed_out_abandon(bez_packed_out *out) {
  if (!out) return;
  bez_outfile_abandon(out->file);
  release(out);
}
