/* A log in a folder of its own, with a key, for tests. */
#ifndef VAULT_LOG_HELP_H
#define VAULT_LOG_HELP_H

#include <openssl/pem.h>
#include <sys/stat.h>

#include "folder_help.h"
#include "test.h"

#include "base/buf.h"
#include "crypto/note.h"
#include "ledger/log.h"

#define ORIGIN "bezoar-vault/0123456789abcdef"

typedef struct world {
  char path[600], other[600];
  bez_signer *signer;
  bez_buf vkey;
  bez_log *log;
} world;

static inline bez_signer *make_signer(const char *name) {
  char path[700];
  bez_error err = {0};
  bez_signer *signer = NULL;
  EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
  snprintf(path, sizeof path, "%s/%s.pem", folder, name);
  assert_non_null(pkey);
  FILE *f = fopen(path, "w");
  assert_non_null(f);
  assert_int_equal(PEM_write_PKCS8PrivateKey(f, pkey, NULL, NULL, 0, NULL, NULL), 1);
  fclose(f);
  assert_int_equal(chmod(path, 0600), 0);
  EVP_PKEY_free(pkey);
  assert_ok(bez_signer_open(path, NULL, &signer, &err));
  return signer;
}

static inline void remove_tree(const char *path) {
  char command[800];
  snprintf(command, sizeof command, "rm -rf '%s'", path);
  assert_int_equal(system(command), 0);
}

static inline void copy_tree(const char *from, const char *to) {
  char command[1500];
  remove_tree(to);
  snprintf(command, sizeof command, "cp -r '%s' '%s'", from, to);
  assert_int_equal(system(command), 0);
}

static inline void reopen(world *w) {
  bez_error err = {0};
  bez_log_close(w->log);
  w->log = NULL;
  assert_ok(bez_log_open(w->path, ORIGIN, w->vkey.data, &w->log, &err));
}

static inline void begin(world *w) {
  bez_error err = {0};
  bez_vkey key;
  *w = (world){0};
  snprintf(w->path, sizeof w->path, "%s/log", folder);
  snprintf(w->other, sizeof w->other, "%s/other", folder);
  remove_tree(w->path);
  w->signer = make_signer("log");
  assert_ok(bez_vkey_of(ORIGIN, BEZ_NOTE_ED25519, w->signer, &key, &err));
  bez_vkey_put(&key, &w->vkey);
  assert_ok(bez_log_create(w->path, ORIGIN, &err));
  reopen(w);
}

static inline void end(world *w) {
  bez_log_close(w->log);
  bez_signer_close(w->signer);
  bez_buf_free(&w->vkey);
}

static inline size_t text_of(uint64_t index, char out[64]) {
  return (size_t)snprintf(out, 64, "entry %llu%.*s", (unsigned long long)index, (int)(index % 23),
                          "......................");
}

static inline void append(world *w, size_t n, bool sign) {
  bez_error err = {0};
  uint64_t first = bez_log_size(w->log);
  char(*text)[64] = calloc(n, sizeof *text);
  bez_bytes_view *entry = calloc(n, sizeof *entry);
  assert_true(text && entry);
  for (size_t i = 0; i < n; i++) {
    entry[i].len = text_of(first + i, text[i]);
    entry[i].bytes = text[i];
  }
  assert_ok(bez_log_append(w->log, entry, n, sign ? w->signer : NULL, &err));
  assert_int_equal(bez_log_size(w->log), first + n);
  free(text);
  free(entry);
}

#endif
