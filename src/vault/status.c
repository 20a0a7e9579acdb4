/* bezoar vault status: what is staged, and whether the files are what the last versions say. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/hash.h"
#include "content/compare.h"
#include "vault/answer.h"
#include "vault/index.h"
#include "vault/work.h"

typedef struct looker {
  bez_vault *vault;
  bez_stage stage;
  bool full;
  bez_progress_fn progress;
  void *progress_ctx;
  bez_json j;
} looker;

/* Where the data set was added from, and the stamp it had then. */
static bez_status find_file(looker *l, const char *dataset, char **path, bez_stamp *known, uint64_t *version,
                            bez_error *err) {
  bez_query query = {0};
  bool more = false;
  size_t len;
  bez_status st = BEZ_OK;
  *version = 0;
  BEZ_TRY(bez_query_begin(l->vault->index, &query, err, "SELECT path, version, stamp FROM stamps WHERE dataset=?", "t",
                          dataset));
  BEZ_TRY(bez_query_next(&query, &more, err));
  if (more) {
    *path = strdup(bez_query_text(&query, 0));
    *version = (uint64_t)bez_query_int(&query, 1);
    const void *stamp = bez_query_blob(&query, 2, &len);
    known->settled = len == sizeof known->bytes;
    if (known->settled) memcpy(known->bytes, stamp, len);
  } else {
    const int root = (int)(strlen(l->vault->folder) - strlen("/.bezoar"));
    if (asprintf(path, "%.*s/%s", root, l->vault->folder, dataset) < 0) *path = NULL;
  }
  if (!*path) BEZ_TRY(bez_fail_memory(err, strlen(dataset)));
cleanup:
  bez_query_end(&query);
  return st;
}

static bool go_on(void *ctx) {
  const looker *l = ctx;
  return !l->progress || l->progress(l->progress_ctx, "compare", "bytes", 0, 0);
}

/* Reads the files. A file alone has a digest; folders are compared with what the tree says. */
static bez_status read_all(looker *l, const char *path, const bez_snapshot *s, bool *same, bez_error *err) {
  char digest[65];
  uint64_t size = 0;
  struct stat info;
  const char *said = bez_entry_text(&s->entry, "sha256");
  *same = false;
  if (*said && stat(path, &info) == 0 && S_ISREG(info.st_mode)) {
    if ((uint64_t)info.st_size != (uint64_t)json_integer_value(json_object_get(s->entry.body, "bytes"))) return BEZ_OK;
    bez_status st = bez_sha256_file(path, digest, &size, go_on, l, err);
    *same = st == BEZ_OK && !strcmp(digest, said);
    return st;
  }
  return bez_tree_same(l->vault->objects, &s->rows, path, same, err);
}

static bez_status look(looker *l, const char *path, const bez_snapshot *s, const bez_stamp *known, uint64_t known_of,
                       const char **state, bez_error *err) {
  bez_stamp now;
  struct stat info;
  bool same = false;
  bez_status st = BEZ_OK;
  *state = "missing";
  if (stat(path, &info) != 0 && (errno == ENOENT || errno == ENOTDIR)) return BEZ_OK;
  BEZ_TRY(bez_stamp_take(path, &now, err));
  bool known_now = known->settled && now.settled && !memcmp(now.bytes, known->bytes, sizeof now.bytes);
  if (known_now && known_of == s->version && !l->full) {
    *state = "unchanged";
    return BEZ_OK;
  }
  BEZ_TRY(read_all(l, path, s, &same, err));
  *state = same ? "unchanged" : "changed";
  if (same && now.settled)
    BEZ_TRY(bez_index_run(l->vault->index, err, "INSERT OR REPLACE INTO stamps VALUES(?,?,?,?)", "ttib", s->dataset,
                          path, (int64_t)s->version, (const void *)now.bytes, sizeof now.bytes));
cleanup:
  return st;
}

static const bez_staged *staged_of(const looker *l, const char *dataset) {
  for (size_t i = 0; i < l->stage.n; i++)
    if (!strcmp(l->stage.items[i].dataset, dataset)) return &l->stage.items[i];
  return NULL;
}

static void put_staged(looker *l, const bez_staged *staged) {
  static const char *const counts[] = {"n_rows", "added", "removed", "changed"};
  bez_json_key(&l->j, "staged");
  if (!staged) {
    bez_json_null(&l->j);
    return;
  }
  bez_json_open(&l->j, '{');
  bez_json_khex(&l->j, "submission", staged->submission.id.bytes, BEZ_ID);
  bez_json_kstr(&l->j, "source", bez_entry_text(&staged->submission, "source"));
  bez_json_kstr(&l->j, "by", bez_trust_principal(l->vault->trust, staged->submission.keys[0]));
  for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
    bez_json_kuint(&l->j, counts[i], (uint64_t)json_integer_value(json_object_get(staged->submission.body, counts[i])));
  bez_json_close(&l->j, '}');
}

static bez_status put_dataset(looker *l, const char *dataset, bez_error *err) {
  bez_snapshot last = {0};
  bez_stamp known = {0};
  char *path = NULL;
  bool found = false;
  uint64_t known_of = 0;
  const char *state = "new";
  bez_error unopened = {.line = -1, .offset = -1};
  bez_status st = BEZ_OK;
  st = bez_snapshot_last(l->vault, dataset, &last, &found, &unopened);
  const bool damaged = st == BEZ_FORMAT || st == BEZ_IO; /* of this one; the others are shown all the same */
  if (damaged)
    BEZ_TRY(bez_snapshot_last_said(l->vault, dataset, &last, &found, err));
  else if (st != BEZ_OK)
    BEZ_TRY(bez_fail(err, st, dataset, "%s", unopened.message));
  if (damaged) state = "damaged";
  BEZ_TRY(find_file(l, dataset, &path, &known, &known_of, err));
  if (found && !damaged) BEZ_TRY(look(l, path, &last, &known, known_of, &state, err));
  bez_json_open(&l->j, '{');
  bez_json_kstr(&l->j, "name", dataset);
  bez_json_kuint(&l->j, "version", last.version);
  if (found) bez_json_khex(&l->j, "commit", last.commit.bytes, BEZ_ID);
  bez_json_kuint(&l->j, "n_rows", last.rows.top.rows);
  bez_json_kstr(&l->j, "path", path);
  bez_json_kstr(&l->j, "state", state);
  put_staged(l, staged_of(l, dataset));
  bez_json_close(&l->j, '}');
cleanup:
  free(path);
  bez_snapshot_free(&last);
  return st;
}

static bez_status put_datasets(looker *l, bez_error *err) {
  bez_query query = {0};
  bool more = false;
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_query_begin(l->vault->index, &query, err, "SELECT DISTINCT dataset FROM versions ORDER BY 1", ""));
  size_t next = 0;
  for (;;) {
    BEZ_TRY(bez_query_next(&query, &more, err));
    char *dataset = more ? strdup(bez_query_text(&query, 0)) : NULL;
    /* what is staged for the first time, in its place */
    while (st == BEZ_OK && next < l->stage.n && (!dataset || strcmp(l->stage.items[next].dataset, dataset) < 0))
      st = put_dataset(l, l->stage.items[next++].dataset, err);
    if (dataset && next < l->stage.n && !strcmp(l->stage.items[next].dataset, dataset)) next++;
    if (dataset && st == BEZ_OK) st = put_dataset(l, dataset, err);
    free(dataset);
    if (st != BEZ_OK || !more) break;
  }
cleanup:
  bez_query_end(&query);
  return st;
}

bez_status bez_vault_status(bez_vault *vault, bool full, bez_progress_fn progress, void *progress_ctx, char **json,
                            bez_error *err) {
  looker l = {.vault = vault, .full = full, .progress = progress, .progress_ctx = progress_ctx};
  bez_buf text = {0}, commit = {0};
  bez_error unsaved = {0};
  bool pending = false;
  bez_status st = BEZ_OK;
  l.j = bez_json_make(&text, false);
  BEZ_TRY(bez_stage_read(vault, &l.stage, err));
  BEZ_TRY(bez_stage_get_commit(vault, &commit, &pending, err));
  bez_json_open(&l.j, '{');
  bez_json_kstr(&l.j, "vault", vault->folder);
  bez_json_kstr(&l.j, "origin", vault->origin);
  bez_json_kuint(&l.j, "entries", bez_log_size(vault->log));
  bez_json_kuint(&l.j, "signed", bez_log_signed_size(vault->log));
  bez_json_kbool(&l.j, "commit_pending", pending);
  bez_json_key(&l.j, "datasets");
  bez_json_open(&l.j, '[');
  BEZ_TRY(put_datasets(&l, err));
  bez_json_close(&l.j, ']');
  bez_json_close(&l.j, '}');
  /* stamps that could not be written down are taken again the next time */
  if (bez_index_save(vault->index, false, &unsaved) != BEZ_OK) bez_error_clear(&unsaved);
  BEZ_TRY(bez_answer(&text, json, err));
cleanup:
  bez_stage_free(&l.stage);
  bez_buf_free(&commit);
  bez_buf_free(&text);
  return st;
}
