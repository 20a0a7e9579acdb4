/* bezoar-decode: takes files from descriptor 3, one after another, and answers on descriptor 1: pictures with pixels
 * and facts (format/image_wire.h), models, when its argument is "models", with what they hold and would do
 * (format/model_wire.h). Started by a scan under resource limits (base/spawn.h); before it sees the first byte it gives
 * up everything but reading, writing and memory. Not meant to be run by hand. */
#include <errno.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cursor.h"
#include "base/limits.h"
#include "decode/model.h"
#include "decode/picture.h"
#include "format/helper.h"
#include "format/model_wire.h"

enum { INPUT = 3, FILTER = 4, OUTPUT = 1 };

/* What decoders and malloc need once everything is loaded. */
static const int allowed[] = {
    SCMP_SYS(read),           SCMP_SYS(write),     SCMP_SYS(exit),        SCMP_SYS(exit_group),
    SCMP_SYS(mmap),           SCMP_SYS(munmap),    SCMP_SYS(mremap),      SCMP_SYS(mprotect),
    SCMP_SYS(madvise),        SCMP_SYS(brk),       SCMP_SYS(futex),       SCMP_SYS(rt_sigreturn),
    SCMP_SYS(rt_sigprocmask), SCMP_SYS(getrandom), SCMP_SYS(sched_yield), SCMP_SYS(sigaltstack),
    SCMP_SYS(gettid),         SCMP_SYS(getpid),    SCMP_SYS(recvmsg),     SCMP_SYS(fstat),
    SCMP_SYS(newfstatat),     SCMP_SYS(close),
};

/* No file may be opened any more, by a second mechanism; kernels without Landlock go without. */
static void lock_files(void) {
  struct landlock_ruleset_attr attr = {
      .handled_access_fs = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE |
                           LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_REMOVE_DIR |
                           LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |
                           LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
                           LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM};
  long fd = syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);
  if (fd < 0) return;
  (void)syscall(SYS_landlock_restrict_self, fd, 0);
  close((int)fd);
}

static bool lock_calls(void) {
  scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
  bool good = ctx != NULL;
  for (size_t i = 0; good && i < sizeof allowed / sizeof *allowed; i++)
    good = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, allowed[i], 0) == 0;
  good = good && seccomp_load(ctx) == 0;
  if (ctx) seccomp_release(ctx);
  return good;
}

static bool lock(void) {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return false;
  lock_files();
  return lock_calls();
}

static bool read_all(void *out, size_t len) {
  for (size_t have = 0; have < len;) {
    ssize_t n = read(INPUT, (char *)out + have, len - have);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    have += (size_t)n;
  }
  return true;
}

static bool write_all(const void *bytes, size_t len) {
  for (size_t done = 0; done < len;) {
    ssize_t n = write(OUTPUT, (const char *)bytes + done, len - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    done += (size_t)n;
  }
  return true;
}

static bool answer(const bez_image_request *r, const uint8_t *bytes) {
  bez_picture p = {0};
  bez_image_reply reply = {.magic = BEZ_IMAGE_ANSWER};
  bool probe = r->op == BEZ_IMAGE_PROBE, good = bez_picture_decode(bytes, (size_t)r->bytes, probe, &p);
  size_t size = bez_image_answer_bytes(r);
  uint8_t *out = NULL;
  if (good && !probe) {
    out = malloc(size);
    good = out && (r->op == BEZ_IMAGE_VIEWS ? bez_picture_views(&p, out)
                                            : bez_picture_fit(&p, r->height, r->width, r->channels, out));
    if (!good) bez_picture_fail(&p, "memory is out");
  }
  reply.facts = p.facts;
  reply.limit = p.limit;
  memcpy(reply.why, p.why, sizeof reply.why);
  bool sent = write_all(&reply, sizeof reply) && (!good || write_all(out, size));
  free(out);
  bez_picture_free(&p);
  return sent;
}

static bool serve(void) {
  bez_image_request r;
  if (!read_all(&r, sizeof r)) return false;
  if (r.magic != BEZ_IMAGE_MAGIC || r.bytes > BEZ_MAX_PICTURE_FILE) return false;
  if (r.op < BEZ_IMAGE_PROBE || r.op > BEZ_IMAGE_VIEWS) return false;
  if (r.op == BEZ_IMAGE_DECODE && (!r.height || !r.width || r.height > BEZ_MAX_IMAGE_SIDE ||
                                   r.width > BEZ_MAX_IMAGE_SIDE || (r.channels != 1 && r.channels != 3)))
    return false;
  uint8_t *bytes = malloc((size_t)r.bytes + 1);
  bool good = bytes && read_all(bytes, (size_t)r.bytes) && answer(&r, bytes);
  free(bytes);
  return good;
}

/* ---- models -------------------------------------------------------------------------------------------------------
 */

/* The descriptor that comes with the next byte; -1: none. */
static int take_file(void) {
  char byte;
  int fd = -1;
  struct iovec one = {.iov_base = &byte, .iov_len = 1};
  _Alignas(struct cmsghdr) char room[CMSG_SPACE(sizeof fd)];
  struct msghdr message = {.msg_iov = &one, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
  ssize_t n;
  do n = recvmsg(INPUT, &message, 0);
  while (n < 0 && errno == EINTR);
  struct cmsghdr *head = n == 1 ? CMSG_FIRSTHDR(&message) : NULL;
  if (head && head->cmsg_type == SCM_RIGHTS && head->cmsg_len == CMSG_LEN(sizeof fd))
    memcpy(&fd, CMSG_DATA(head), sizeof fd);
  return fd;
}

static bool answer_model(const char *name, const uint8_t *bytes, size_t len) {
  bez_model_reply reply = {.magic = BEZ_MODEL_ANSWER};
  bez_buf seen = {.ceiling = BEZ_MAX_MODEL_ANSWER};
  struct bez_model_out *out = bez_model_out_create();
  if (out) (void)bez_model_examine(out, 0, 0, name, 0, bytes, len);
  reply.failed = !out || bez_model_save(out, &seen, NULL) != BEZ_OK;
  reply.bytes = reply.failed ? 0 : seen.len;
  bool sent = write_all(&reply, sizeof reply) && write_all(seen.data, reply.bytes);
  bez_model_out_destroy(out);
  bez_buf_free(&seen);
  return sent;
}

/* One of a batch: its length and what is seen in it. */
static bool examine_one(bez_cursor *c, bez_buf *seen) {
  uint32_t n_name, len;
  const uint8_t *name, *bytes;
  if (!bez_cursor_le32(c, &n_name) || !bez_cursor_le32(c, &len) || !bez_cursor_take(c, n_name, &name) || !n_name ||
      name[n_name - 1] || !bez_cursor_take(c, len, &bytes))
    return false;
  const size_t at = seen->len;
  struct bez_model_out *out = bez_model_out_create();
  bez_put_le32(seen, 0);
  if (out) (void)bez_model_examine(out, 0, 0, (const char *)name, 0, bytes, len);
  const bool good = out && bez_model_save(out, seen, NULL) == BEZ_OK;
  const uint32_t size = (uint32_t)(seen->len - at - 4);
  for (unsigned i = 0; good && i < 4; i++) seen->data[at + i] = (char)(size >> 8 * i);
  bez_model_out_destroy(out);
  return good;
}

static bool serve_batch(const bez_model_request *r) {
  bez_model_reply reply = {.magic = BEZ_MODEL_ANSWER};
  bez_buf seen = {.ceiling = BEZ_MAX_MODEL_ANSWER};
  if (r->count > BEZ_MAX_MODEL_BATCH || r->bytes > BEZ_MAX_MODEL_BATCH * (BEZ_MAX_MODEL_SMALL + 1024u)) return false;
  uint8_t *bytes = malloc((size_t)r->bytes + 1);
  bool good = bytes && read_all(bytes, (size_t)r->bytes);
  bez_cursor c = {.data = bytes, .len = (size_t)r->bytes};
  for (uint32_t i = 0; good && !reply.failed && i < r->count; i++) reply.failed = !examine_one(&c, &seen);
  reply.bytes = reply.failed ? 0 : seen.len;
  good = good && write_all(&reply, sizeof reply) && write_all(seen.data, reply.bytes);
  bez_buf_free(&seen);
  free(bytes);
  return good;
}

static bool serve_model(void) {
  bez_model_request r;
  struct stat info;
  void *bytes = NULL;
  if (!read_all(&r, BEZ_MODEL_HEAD)) return false;
  if (r.magic == BEZ_MODEL_BATCH) return serve_batch(&r);
  if (r.magic != BEZ_MODEL_MAGIC || !read_all(r.name, sizeof r.name) || !memchr(r.name, 0, sizeof r.name)) return false;
  int fd = take_file();
  if (fd < 0 || fstat(fd, &info) != 0 || info.st_size < 0) return false;
  if (info.st_size > 0) bytes = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
  close(fd);
  if (bytes == MAP_FAILED) return false;
  bool good = answer_model(r.name, bytes ? bytes : (const uint8_t *)"", (size_t)info.st_size);
  if (bytes) munmap(bytes, (size_t)info.st_size);
  return good;
}

int main(int argc, char **argv) {
  const bool unconfined = argc == 2 && strcmp(argv[1], "models-unconfined") == 0; /* --sandbox=off */
  const bool models = unconfined || (argc == 2 && strcmp(argv[1], "models") == 0);
  if (argc != 1 && !models) return 2;
  close(FILTER); /* ours is narrower */
  if (!unconfined && !lock()) return BEZ_HELPER_NO_SANDBOX;
  while (models ? serve_model() : serve()) {
  }
  _exit(0);
}
