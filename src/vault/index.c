/* The index's file: read whole, checked against its seal, written whole. */
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "crypto/digest.h"
#include "crypto/sha256.h"
#include "vault/index_inside.h"

#define MOST_BYTES (4ull << 30)  /* of the database */
#define SMALL_BYTES (4ull << 20) /* written at every change; a larger one when PATIENCE changes have come together */
#define PATIENCE 256u

static const char schema[] =
    "CREATE TABLE entries(i INTEGER PRIMARY KEY, id BLOB NOT NULL, type TEXT NOT NULL, time INTEGER NOT NULL, dataset "
    "TEXT, version INTEGER, who TEXT, source TEXT, void TEXT);"
    "CREATE INDEX entries_id ON entries(id);"
    "CREATE INDEX entries_type ON entries(type, dataset);"
    "CREATE INDEX entries_who ON entries(who);"
    "CREATE TABLE submissions(i INTEGER PRIMARY KEY, id BLOB NOT NULL, dataset TEXT NOT NULL, batch BLOB NOT NULL, "
    "parent BLOB NOT NULL, run BLOB NOT NULL);"
    "CREATE INDEX submissions_run ON submissions(run);"
    "CREATE INDEX submissions_batch ON submissions(batch);"
    "CREATE INDEX submissions_id ON submissions(id);"
    "CREATE TABLE versions(dataset TEXT NOT NULL, version INTEGER NOT NULL, commit_i INTEGER NOT NULL, submission_i "
    "INTEGER NOT NULL, commit_id BLOB NOT NULL, batch BLOB NOT NULL, PRIMARY KEY(dataset, version)) WITHOUT ROWID;"
    "CREATE INDEX versions_commit ON versions(commit_id);"
    "CREATE INDEX versions_submission ON versions(submission_i);"
    "CREATE INDEX versions_batch ON versions(batch);"
    "CREATE TABLE inputs(i INTEGER NOT NULL, dataset TEXT NOT NULL, version INTEGER NOT NULL);"
    "CREATE INDEX inputs_dataset ON inputs(dataset);"
    "CREATE TABLE stamps(dataset TEXT PRIMARY KEY, path TEXT NOT NULL, version INTEGER NOT NULL, stamp BLOB NOT NULL) "
    "WITHOUT ROWID;";

bez_status bez_index_fail(const bez_index *index, bez_error *err) {
  if (sqlite3_errcode(index->db) == SQLITE_NOMEM) return bez_fail_memory(err, 0);
  return bez_fail(err, BEZ_INTERNAL, index->folder, "the index: %s", sqlite3_errmsg(index->db));
}

bez_status bez_index_reset(bez_index *index, bez_error *err) {
  sqlite3_close(index->db);
  index->db = NULL;
  index->size = 0;
  index->unsaved = PATIENCE;
  memset(index->last, 0, sizeof index->last);
  if (sqlite3_open(":memory:", &index->db) != SQLITE_OK) return bez_index_fail(index, err);
  if (sqlite3_exec(index->db, schema, NULL, NULL, NULL) != SQLITE_OK) return bez_index_fail(index, err);
  return BEZ_OK;
}

#define SEAL "bezoar index 3\n"

/* The seal: SEAL, then on a line each how many entries, SHA-256 of the last entry, SHA-256 of the database. */
static bool read_seal(const char *path, uint64_t *size, uint8_t last[32], uint8_t database[32]) {
  bez_buf text = {0};
  bez_error ignored = {0};
  char a[65] = "", b[65] = "", *end = NULL;
  bool ok =
      bez_file_read(path, 4096, &text, &ignored) == BEZ_OK && text.data && !strncmp(text.data, SEAL, strlen(SEAL));
  if (ok) {
    *size = strtoull(text.data + strlen(SEAL), &end, 10);
    const size_t left = text.len - (size_t)(end - text.data);
    ok = left == 1 + 65 + 65 && end[0] == '\n' && end[65] == '\n' && end[130] == '\n';
  }
  if (ok) {
    memcpy(a, end + 1, 64);
    memcpy(b, end + 66, 64);
    ok = bez_unhex(a, last, 32) && bez_unhex(b, database, 32);
  }
  bez_buf_free(&text);
  return ok;
}

/* False: not what the seal says. Then the index is empty. */
static bool load(bez_index *index, const char *database, const char *seal) {
  bez_buf bytes = {0};
  bez_error ignored = {0};
  uint64_t size;
  uint8_t last[32], want[32], got[32];
  bool ok = read_seal(seal, &size, last, want) && bez_file_read(database, MOST_BYTES, &bytes, &ignored) == BEZ_OK;
  if (ok) {
    bez_sha256(bytes.data ? bytes.data : "", bytes.len, got);
    ok = !memcmp(got, want, sizeof got);
  }
  unsigned char *copy = ok && bytes.data ? sqlite3_malloc64(bytes.len + 1) : NULL;
  if (copy) {
    memcpy(copy, bytes.data, bytes.len);
    sqlite3_close(index->db);
    index->db = NULL;
    ok = sqlite3_open(":memory:", &index->db) == SQLITE_OK &&
         sqlite3_deserialize(index->db, "main", copy, (sqlite3_int64)bytes.len, (sqlite3_int64)bytes.len,
                             SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_RESIZEABLE) == SQLITE_OK;
    if (ok) {
      index->size = size;
      index->unsaved = 0;
      memcpy(index->last, last, sizeof last);
    }
  }
  bez_buf_free(&bytes);
  return ok && copy;
}

bez_status bez_index_open(const char *folder, bez_index **out, bez_error *err) {
  bez_status st = BEZ_OK;
  char database[4096], seal[4096];
  bez_index *index = calloc(1, sizeof *index);
  if (!index) return bez_fail_memory(err, sizeof *index);
  index->folder = strdup(folder);
  if (!index->folder) {
    free(index);
    return bez_fail_memory(err, strlen(folder) + 1);
  }
  if (snprintf(database, sizeof database, "%s/vault.sqlite", folder) >= (int)sizeof database ||
      snprintf(seal, sizeof seal, "%s/seal", folder) >= (int)sizeof seal)
    BEZ_TRY(bez_fail(err, BEZ_USAGE, folder, "the path is too long"));
  if (!load(index, database, seal)) BEZ_TRY(bez_index_reset(index, err));
  *out = index;
  index = NULL;
cleanup:
  bez_index_close(index);
  return st;
}

void bez_index_close(bez_index *index) {
  if (!index) return;
  sqlite3_close(index->db);
  free(index->folder);
  free(index);
}

uint64_t bez_index_size(const bez_index *index) {
  return index->size;
}

const uint8_t *bez_index_last(const bez_index *index) {
  return index->last;
}

/* Whole or not at all, but not fsynced: what a crash of the machine takes away is made again. */
static bez_status write_file(const char *path, const void *bytes, size_t len, bez_error *err) {
  char beside[4200];
  const char *at = bytes;
  snprintf(beside, sizeof beside, "%s.%ld", path, (long)getpid());
  int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (fd < 0) return bez_fail_errno(err, beside, "cannot create");
  bool good = true;
  while (len && good) {
    ssize_t n = write(fd, at, len);
    if (n < 0 && errno == EINTR) continue;
    good = n > 0;
    at += good ? n : 0;
    len -= good ? (size_t)n : 0;
  }
  good = close(fd) == 0 && good && rename(beside, path) == 0;
  bez_status st = good ? BEZ_OK : bez_fail_errno(err, path, "cannot write");
  if (!good) (void)unlink(beside);
  return st;
}

static bez_status write_files(const bez_index *index, const void *bytes, size_t len, bez_error *err) {
  char path[4096], text[256], last[65], digest[65];
  uint8_t sum[32];
  bez_sha256(bytes, len, sum);
  bez_hex(sum, sizeof sum, digest);
  bez_hex(index->last, sizeof index->last, last);
  int n = snprintf(text, sizeof text, SEAL "%llu\n%s\n%s\n", (unsigned long long)index->size, last, digest);
  /* Between the two files the seal does not fit, and the next one to come makes the index anew. */
  snprintf(path, sizeof path, "%s/vault.sqlite", index->folder);
  bez_status st = write_file(path, bytes, len, err);
  snprintf(path, sizeof path, "%s/seal", index->folder);
  return st == BEZ_OK ? write_file(path, text, (size_t)n, err) : st;
}

bez_status bez_index_save(bez_index *index, bool now, bez_error *err) {
  sqlite3_int64 len = 0;
  if (!index->unsaved) return BEZ_OK;
  unsigned char *bytes = sqlite3_serialize(index->db, "main", &len, SQLITE_SERIALIZE_NOCOPY);
  bool owned = !bytes;
  if (owned) bytes = sqlite3_serialize(index->db, "main", &len, 0);
  if (!bytes) return bez_fail_memory(err, len);
  bez_status st = BEZ_OK;
  if (now || (uint64_t)len <= SMALL_BYTES || index->unsaved >= PATIENCE) {
    st = write_files(index, bytes, (size_t)len, err);
    if (st == BEZ_OK) index->unsaved = 0;
  }
  if (owned) sqlite3_free(bytes);
  return st;
}
