/* A memory of logs. */
#include "ledger/known_logs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "crypto/digest.h"
#include "crypto/sha256.h"
#include "ledger/log_internal.h"

#define ACCEPT "; if that is as it should be: bezoar vault checkpoint --accept"

/* "…/known_logs/<name>"; *any is false where nothing is remembered. Origins are anybody's words: files are named by
 * their digests. make: the folders, too. */
static bez_status path_of(const char *origin, bool make, bez_buf *out, bool *any, bez_error *err) {
  const char *said = getenv("BEZOAR_KNOWN_LOGS");
  bez_error ignored = {0};
  uint8_t digest[BEZ_SHA256];
  char name[33];
  *any = !(said && !strcmp(said, "none")) && bez_signer_folder(out, &ignored) == BEZ_OK;
  if (!*any) return BEZ_OK;
  out->len = (size_t)(strrchr(out->data, '/') - out->data); /* beside the folder of keys */
  out->data[out->len] = '\0';
  if (make) (void)mkdir(out->data, 0777);
  bez_buf_puts(out, "/known_logs");
  bez_status st = bez_buf_status(out, err);
  if (st == BEZ_OK && make) (void)mkdir(out->data, 0777);
  bez_sha256(origin, strlen(origin), digest);
  bez_hex(digest, 16, name);
  bez_buf_printf(out, "/%s", name);
  return st == BEZ_OK ? bez_buf_status(out, err) : st;
}

/* The first line is the key, the others are a head. */
static bez_status compare(bez_log *log, const char *path, const bez_buf *seen, bool *moved, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_buf text = {0};
  bez_vkey key;
  bez_checkpoint head = {0};
  uint8_t root[BEZ_MERKLE_HASH];
  const char *line = strchr(seen->data, '\n');
  if (!line) BEZ_TRY(bez_fail(err, BEZ_FORMAT, path, "is no memory of a log: remove it"));
  bez_buf_write(&text, seen->data, (size_t)(line - seen->data));
  BEZ_TRY(bez_buf_status(&text, err));
  BEZ_TRY(bez_vkey_parse(text.data, path, &key, err));
  bez_buf_clear(&text);
  bez_buf_printf(&text, "%s\n\n", line + 1);
  BEZ_TRY(bez_buf_status(&text, err));
  BEZ_TRY(bez_checkpoint_parse(text.data, path, &head, err));
  if (!bez_vkey_same(&key, &log->key))
    BEZ_TRY(bez_fail(err, BEZ_FORMAT, log->folder, "the log's key is another than when it was last seen" ACCEPT));
  if (head.size > log->state->size) BEZ_TRY(bez_log_refresh(log, err)); /* somebody may be appending right now */
  if (head.size > log->state->size)
    BEZ_TRY(bez_fail(err, BEZ_FORMAT, log->folder,
                     "the log was rolled back: it had %llu entries when it was last seen and has %llu" ACCEPT,
                     (unsigned long long)head.size, (unsigned long long)log->state->size));
  BEZ_TRY(bez_log_root_at(log, head.size, root, err));
  if (memcmp(root, head.root, sizeof root) != 0)
    BEZ_TRY(bez_fail(err, BEZ_FORMAT, log->folder,
                     "the log was replaced: its first %llu entries are not those that were last seen" ACCEPT,
                     (unsigned long long)head.size));
  *moved = head.size != log->state->size;
cleanup:
  bez_buf_free(&text);
  return st;
}

/* Whole under its name or not at all, but not waited for until it is on the disk: a memory that a power failure takes
 * is made again. A home that cannot be written to remembers nothing. */
static void remember(const char *path, const bez_buf *text) {
  char fresh[4096];
  int len = snprintf(fresh, sizeof fresh, "%s.%ld", path, (long)getpid());
  if (len < 0 || (size_t)len >= sizeof fresh) return;
  FILE *f = fopen(fresh, "we");
  if (!f) return;
  bool good = fwrite(text->data, 1, text->len, f) == text->len;
  good = fclose(f) == 0 && good;
  if (!good || rename(fresh, path) != 0) (void)unlink(fresh);
}

bez_status bez_known_logs_check(bez_log *log, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_buf path = {0}, seen = {0}, now = {0};
  bool any = false, moved = true;
  BEZ_TRY(path_of(log->origin, true, &path, &any, err));
  if (!any) goto cleanup;
  if (access(path.data, F_OK) == 0) {
    BEZ_TRY(bez_file_read(path.data, BEZ_LOG_NOTE, &seen, err));
    if (seen.len) BEZ_TRY(compare(log, path.data, &seen, &moved, err));
  }
  if (!moved) goto cleanup;
  bez_vkey_put(&log->key, &now);
  bez_buf_putc(&now, '\n');
  bez_buf_write(&now, log->state->head.data, log->state->head.len);
  BEZ_TRY(bez_buf_status(&now, err));
  remember(path.data, &now);
cleanup:
  bez_buf_free(&path);
  bez_buf_free(&seen);
  bez_buf_free(&now);
  return st;
}

bez_status bez_known_logs_forget(const char *origin, bez_error *err) {
  bez_buf path = {0};
  bool any = false;
  bez_status st = path_of(origin, false, &path, &any, err);
  if (st == BEZ_OK && any && unlink(path.data) != 0 && errno != ENOENT)
    st = bez_fail_errno(err, path.data, "cannot remove");
  bez_buf_free(&path);
  return st;
}
