/* A hostile log: how wide its one tile is (a byte), then head, checkpoint, tile and bundle, each behind its length as
 * big-endian uint16. It opens or says why not; what it hands out then leads to its head. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cursor.h"
#include "ledger/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ORIGIN "example.org/log"
#define VKEY "example.org/log+2a8623e3+AdwAYOz+cMz7IDQ6ACx39azn3SsZmI3Vu6fuNoNam1rn"

static char folder[64]; /* one for all inputs of a process */

static void expect(bool holds) {
  if (!holds) abort();
}

static void remove_folder(void) {
  char command[128];
  snprintf(command, sizeof command, "rm -rf '%s'", folder);
  if (system(command) != 0) fputs("the folder stays\n", stderr);
}

static void make_folders(void) {
  char path[128];
  static const char *const below[] = {"/tile", "/tile/0", "/tile/entries"};
  if (*folder) return;
  snprintf(folder, sizeof folder, "%s",
           access("/dev/shm", W_OK) ? "/tmp/bezoar-fuzz-XXXXXX" : "/dev/shm/bezoar-XXXXXX");
  expect(mkdtemp(folder) != NULL && atexit(remove_folder) == 0);
  for (size_t i = 0; i < sizeof below / sizeof *below; i++) {
    snprintf(path, sizeof path, "%s%s", folder, below[i]);
    expect(mkdir(path, 0777) == 0);
  }
}

/* The next part of the input as a file; "" in its place where there is none. */
static void put(bez_cursor *in, const char *name, char path[256]) {
  const uint8_t *length = NULL, *bytes = NULL;
  snprintf(path, 256, "%s/%s", folder, name);
  size_t len = 0;
  if (bez_cursor_take(in, 2, &length)) len = (size_t)length[0] << 8 | length[1];
  if (len > bez_cursor_left(in)) len = bez_cursor_left(in);
  expect(bez_cursor_take(in, len, &bytes));
  char *slash = strrchr(path, '/');
  *slash = '\0';
  (void)mkdir(path, 0777);
  *slash = '/';
  FILE *f = fopen(path, "wb");
  expect(f != NULL);
  expect(!len || fwrite(bytes, 1, len, f) == len);
  fclose(f);
}

static bez_status take(void *ctx, uint64_t index, const void *entry, size_t len, bez_error *err) {
  uint64_t *next = ctx;
  (void)err;
  expect(index == (*next)++ && (entry || !len));
  return BEZ_OK;
}

static void ask(bez_log *log) {
  bez_error err = {0}, other = {0};
  bez_buf out = {0};
  uint64_t next = 0;
  const bool sound = bez_log_verify(log, NULL, NULL, &err) == BEZ_OK;
  const bool read = bez_log_each(log, 0, take, &next, &other) == BEZ_OK;
  expect(!sound || (read && next == bez_log_size(log)));
  expect((sound || err.message[0]) && (read || other.message[0]));
  other = (bez_error){0};
  if (bez_log_inclusion(log, 0, &out, &other) == BEZ_OK && sound) {
    bez_buf entry = {0};
    expect(bez_log_read(log, 0, &entry, &other) == BEZ_OK);
    expect(bez_tlog_proof_verify(out.data, out.len, entry.data, entry.len, VKEY, NULL, NULL, &other) == BEZ_OK);
    bez_buf_free(&entry);
  }
  bez_buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  bez_cursor in = {.data = data, .len = size};
  char path[4][256], name[64];
  uint8_t width = 0;
  bez_log *log = NULL;
  bez_error err = {0};
  if (!bez_cursor_u8(&in, &width)) return 0;
  make_folders();
  put(&in, "head", path[0]);
  put(&in, "checkpoint", path[1]);
  snprintf(name, sizeof name, "tile/0/000.p/%u", width);
  put(&in, name, path[2]);
  snprintf(name, sizeof name, "tile/entries/000.p/%u", width);
  put(&in, name, path[3]);
  if (bez_log_open(folder, ORIGIN, VKEY, &log, &err) == BEZ_OK)
    ask(log);
  else
    expect(err.message[0]);
  bez_log_close(log);
  for (int i = 0; i < 4; i++) unlink(path[i]);
  return 0;
}
