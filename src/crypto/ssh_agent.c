/* Asking an SSH agent over its socket; one connection per question. */
#include "crypto/ssh_agent.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"

#define MAX_ANSWER (256u << 10)
#define MAX_KEYS 4096u
#define SUBJECT "ssh-agent"
enum { ASK_LIST = 11, LIST = 12, ASK_SIGNATURE = 13, SIGNATURE = 14 };
enum { PATIENCE = 120 /* seconds: an agent may ask a person */ };

void bez_ssh_keys_free(bez_ssh_key **keys, size_t n) {
  for (size_t i = 0; i < n; i++) bez_ssh_key_free(keys[i]);
  free(keys);
}

/* -1: nobody is there. */
static int call(void) {
  const char *path = getenv("SSH_AUTH_SOCK");
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (!path || !*path || strlen(path) >= sizeof address.sun_path) return -1;
  memcpy(address.sun_path, path, strlen(path) + 1);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const struct timeval patience = {.tv_sec = PATIENCE};
  if (fd < 0) return -1;
  if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0 &&
      setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) == 0 &&
      connect(fd, (const struct sockaddr *)&address, sizeof address) == 0)
    return fd;
  close(fd);
  return -1;
}

static bool send_all(int fd, const char *bytes, size_t len) {
  while (len) {
    const ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes += n;
    len -= (size_t)n;
  }
  return true;
}

static bool receive_all(int fd, char *bytes, size_t len) {
  while (len) {
    const ssize_t n = recv(fd, bytes, len, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes += n;
    len -= (size_t)n;
  }
  return true;
}

/* Sends a body behind its length, receives one. */
static bez_status exchange(int fd, const bez_buf *ask, bez_buf *answer, bez_error *err) {
  bez_buf message = {0};
  uint8_t head[4];
  uint32_t len = 0;
  bez_status st = BEZ_OK;
  bez_ssh_put(&message, ask->data, ask->len);
  BEZ_TRY(bez_buf_status(&message, err));
  if (!send_all(fd, message.data, message.len) || !receive_all(fd, (char *)head, sizeof head))
    BEZ_TRY(bez_fail(err, BEZ_IO, SUBJECT, "does not answer"));
  bez_cursor c = {head, sizeof head, 0};
  if (!bez_ssh_take_u32(&c, &len) || !len || len > MAX_ANSWER)
    BEZ_TRY(bez_fail(err, BEZ_FORMAT, SUBJECT, "answers with %u bytes", (unsigned)len));
  bez_buf_clear(answer);
  if (!bez_buf_reserve(answer, len)) BEZ_TRY(bez_buf_status(answer, err));
  if (!receive_all(fd, answer->data, len)) BEZ_TRY(bez_fail(err, BEZ_IO, SUBJECT, "breaks off its answer"));
  answer->len = len;
cleanup:
  bez_buf_free(&message);
  return st;
}

bez_status bez_ssh_agent_read_list(const void *bytes, size_t len, bez_ssh_key ***keys, size_t *n, bez_error *err) {
  bez_cursor c = {bytes, len, 0};
  uint8_t type;
  uint32_t count;
  bez_status st = BEZ_OK;
  if (!bez_cursor_u8(&c, &type) || type != LIST || !bez_ssh_take_u32(&c, &count) || count > MAX_KEYS ||
      count > bez_cursor_left(&c) / 8)
    return bez_fail(err, BEZ_FORMAT, SUBJECT, "does not list its keys");
  bez_ssh_key **list = calloc(count ? count : 1, sizeof *list);
  size_t have = 0;
  if (!list) return bez_fail_memory(err, count * sizeof *list);
  for (uint32_t i = 0; i < count; i++) {
    const uint8_t *blob, *comment;
    size_t blob_len, comment_len;
    char note[256] = "";
    if (!bez_ssh_take(&c, &blob, &blob_len) || !bez_ssh_take(&c, &comment, &comment_len))
      BEZ_TRY(bez_fail(err, BEZ_FORMAT, SUBJECT, "lists keys that are malformed"));
    if (comment_len && comment_len < sizeof note) memcpy(note, comment, comment_len);
    bez_error other = {0}; /* a key of a kind that is not known here is passed over */
    if (bez_ssh_key_from_blob(blob, blob_len, note, SUBJECT, &list[have], &other) == BEZ_OK) have++;
  }
  *keys = list;
  *n = have;
  list = NULL;
cleanup:
  if (list) bez_ssh_keys_free(list, have);
  return st;
}

bez_status bez_ssh_agent_list(bez_ssh_key ***keys, size_t *n, bez_error *err) {
  bez_buf ask = {0}, answer = {0};
  bez_status st = BEZ_OK;
  *keys = NULL;
  *n = 0;
  const int fd = call();
  if (fd < 0) return BEZ_OK;
  bez_buf_putc(&ask, ASK_LIST);
  BEZ_TRY(exchange(fd, &ask, &answer, err));
  BEZ_TRY(bez_ssh_agent_read_list(answer.data, answer.len, keys, n, err));
cleanup:
  close(fd);
  bez_buf_free(&ask);
  bez_buf_free(&answer);
  return st;
}

bez_status bez_ssh_agent_read_signature(const void *bytes, size_t len, uint8_t out[64], bez_error *err) {
  bez_cursor c = {bytes, len, 0}, blob;
  uint8_t type;
  const uint8_t *raw;
  size_t n;
  if (!bez_cursor_u8(&c, &type) || type != SIGNATURE)
    return bez_fail(err, BEZ_USAGE, SUBJECT, "refuses to sign with that key");
  if (!bez_ssh_take_part(&c, &blob) || bez_cursor_left(&c) || !bez_ssh_take_text(&blob, BEZ_SSH_ED25519) ||
      !bez_ssh_take(&blob, &raw, &n) || n != 64 || bez_cursor_left(&blob))
    return bez_fail(err, BEZ_FORMAT, SUBJECT, "answers with no Ed25519 signature");
  memcpy(out, raw, 64);
  return BEZ_OK;
}

bez_status bez_ssh_agent_sign(const bez_ssh_key *key, const void *bytes, size_t len, uint8_t out[64], bez_error *err) {
  bez_buf ask = {0}, answer = {0};
  const uint8_t *blob;
  size_t blob_len;
  bool good = false;
  bez_status st = BEZ_OK;
  const int fd = call();
  if (fd < 0) return bez_fail(err, BEZ_IO, SUBJECT, "is not there any more");
  bez_ssh_key_blob(key, &blob, &blob_len);
  bez_buf_putc(&ask, ASK_SIGNATURE);
  bez_ssh_put(&ask, blob, blob_len);
  bez_ssh_put(&ask, bytes, len);
  bez_ssh_put_u32(&ask, 0); /* no flags */
  BEZ_TRY(bez_buf_status(&ask, err));
  BEZ_TRY(exchange(fd, &ask, &answer, err));
  BEZ_TRY(bez_ssh_agent_read_signature(answer.data, answer.len, out, err));
  BEZ_TRY(bez_ssh_key_verify_raw(key, bytes, len, out, &good, err));
  if (!good) BEZ_TRY(bez_fail(err, BEZ_FORMAT, SUBJECT, "answers with a signature that does not hold"));
cleanup:
  close(fd);
  bez_buf_free(&ask);
  bez_buf_free(&answer);
  return st;
}
