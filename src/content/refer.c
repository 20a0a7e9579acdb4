/* Leaves by reference: items whose bodies lie in a file of the user's, put together when they are read.
 *
 * A frame is the leaf as stored (content/item.h), less the bodies of the items whose bodies are bytes of the file
 * (BYTES, ROW, FILE_ROW); these follow each other in the file without gaps. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/limits.h"
#include "content/item.h"
#include "content/pack.h"

/* One item of the frame: appends what the frame has of it; *body: how many bytes of the file follow. */
static bool frame_item(bez_cursor *c, bez_buf *out, uint64_t *body) {
  size_t begin = c->pos;
  uint8_t type = 0;
  uint64_t head = 0;
  if (!bez_cursor_u8(c, &type) || !bez_cursor_varint(c, &head) || head > bez_cursor_left(c)) return false;
  if (!bez_cursor_skip(c, (size_t)head) || !bez_cursor_varint(c, body)) return false;
  bool here = type == BEZ_ITEM_FILE || type == BEZ_ITEM_DIGEST;
  if (here && (*body > bez_cursor_left(c) || !bez_cursor_skip(c, (size_t)*body))) return false;
  if (here) *body = 0;
  bez_buf_write(out, c->data + begin, c->pos - begin);
  return true;
}

/* bytes: what the file holds there. */
static bez_status assemble(const char *path, const bez_buf *bytes, bez_cursor *frame, bez_buf *out, bez_error *err) {
  size_t at = 0;
  while (bez_cursor_left(frame)) {
    uint64_t body = 0;
    if (!frame_item(frame, out, &body) || body > bytes->len - at)
      return bez_fail(err, BEZ_FORMAT, path, "damaged: the frame of rows kept by reference is malformed");
    bez_buf_write(out, bytes->data + at, (size_t)body);
    at += (size_t)body;
  }
  if (at != bytes->len)
    return bez_fail(err, BEZ_FORMAT, path, "damaged: the frame of rows kept by reference is too short");
  return bez_buf_status(out, err);
}

bez_status bez_refer_read(const char *path, uint64_t offset, uint64_t len, const void *frame, size_t frame_len,
                          bez_buf *out, bez_error *err) {
  if (len > BEZ_MAX_OBJECT)
    return bez_fail(err, BEZ_FORMAT, path, "damaged: a reference of %llu bytes", (unsigned long long)len);
  bez_status st = BEZ_OK;
  bez_buf bytes = {0};
  bez_cursor c = {frame, frame_len, 0};
  struct stat info;
  int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC); /* a pack names it: waiting for a pipe's writer would hang */
  if (fd < 0) return bez_fail_errno(err, path, "cannot open (it was added by reference: its rows are here alone)");
  if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))
    BEZ_TRY(bez_fail(err, BEZ_FORMAT, path, "is no regular file (it was added by reference: its rows are here alone)"));
  if (!bez_buf_reserve(&bytes, (size_t)len)) BEZ_TRY(bez_buf_status(&bytes, err));
  BEZ_TRY(bez_file_pread(fd, path, bytes.data, (size_t)len, offset, err));
  bytes.len = (size_t)len;
  BEZ_TRY(assemble(path, &bytes, &c, out, err));
cleanup:
  bez_buf_free(&bytes);
  close(fd);
  return st;
}
