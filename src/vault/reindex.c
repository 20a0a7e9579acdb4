/* bezoar vault reindex: database and sorted trees, made again from what is signed. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "vault/answer.h"
#include "vault/index.h"
#include "vault/remake.h"
#include "vault/row.h"
#include "vault/work.h"

#define DIGESTS_MEMORY (256ull << 20)

typedef struct remaking {
  bez_canonical *c;
  bez_digests *digests;
} remaking;

static bez_status take_row(void *ctx, uint64_t row, const bez_form_use *form, const bez_item *item, bez_error *err) {
  remaking *r = ctx;
  uint8_t digest[1][32];
  (void)row;
  bez_status st = bez_row_canonical(form, item, r->c, digest[0], err);
  return st == BEZ_OK ? bez_digests_add(r->digests, (const uint8_t(*)[32])digest, 1, err) : st;
}

bez_status bez_sorted_remake(bez_vault *vault, const bez_snapshot *s, bez_tree *out, bez_error *err) {
  remaking r = {0};
  bez_pack *pack = NULL;
  bez_tree made, none = {.kind = BEZ_TREE_SORTED};
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_canonical_create(&r.c, err));
  BEZ_TRY(bez_digests_create(DIGESTS_MEMORY, &r.digests, err));
  BEZ_TRY(bez_rows_each(vault->objects, &s->rows, take_row, &r, err));
  BEZ_TRY(bez_pack_begin(vault->sorted, &pack, err));
  BEZ_TRY(bez_sorted_edit(vault->sorted, pack, vault->key, &none, NULL, r.digests, 0, &made, err));
  if (bez_id_compare(&made.id, &s->sorted.id) != 0)
    BEZ_TRY(bez_fail(err, BEZ_FORMAT, s->dataset,
                     "the sorted tree that version %llu was signed with is not that of its rows",
                     (unsigned long long)s->version));
  st = bez_pack_finish(pack, NULL, err);
  pack = NULL;
  if (st == BEZ_OK) *out = made;
cleanup:
  bez_pack_abandon(pack);
  bez_digests_free(r.digests);
  bez_canonical_free(r.c);
  return st;
}

/* Every node and leaf is there and is what it is called. */
static bool is_whole(const bez_objects *objects, const bez_tree *tree) {
  bez_tree_walk *walk = NULL;
  bez_tree_entry leaf;
  bez_tree_place place;
  bez_buf bytes = {0};
  bez_error ignored = {0};
  bool end = false, whole = tree->height != UINT8_MAX && bez_tree_walk_begin(objects, tree, &walk, &ignored) == BEZ_OK;
  while (whole) {
    whole = bez_tree_walk_next(walk, &leaf, &place, &end, &ignored) == BEZ_OK;
    if (!whole || end) break;
    whole = bez_objects_get(objects, BEZ_OBJECT_LEAF, &leaf.id, &bytes, &ignored) == BEZ_OK;
  }
  bez_tree_walk_end(walk);
  bez_buf_free(&bytes);
  return whole;
}

/* Packs of sorted trees are dropped as a whole: a damaged one would hide the good copy that is made now. */
static bez_status drop_sorted(bez_vault *vault, bez_error *err) {
  char *folder = NULL, path[4096];
  DIR *dir = NULL;
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_vault_path(vault, "index/sorted", &folder, err));
  bez_objects_close(vault->sorted);
  vault->sorted = NULL;
  dir = opendir(folder);
  for (const struct dirent *e; dir && (e = readdir(dir)) != NULL;) {
    if (e->d_name[0] == '.') continue;
    if (snprintf(path, sizeof path, "%s/%s", folder, e->d_name) >= (int)sizeof path) continue;
    if (unlink(path) != 0 && errno != EISDIR && errno != ENOENT) BEZ_TRY(bez_fail_errno(err, path, "cannot remove"));
  }
  BEZ_TRY(bez_objects_open(folder, true, &vault->sorted, err));
cleanup:
  if (dir) closedir(dir);
  free(folder);
  return st;
}

/* One pass over all versions: counts (and makes again, where told to) those whose sorted tree is not whole. */
static bez_status each_version(bez_vault *vault, bool make, uint64_t *versions, uint64_t *broken,
                               bez_progress_fn progress, void *progress_ctx, bez_error *err) {
  bez_query query = {0};
  bez_snapshot s = {0};
  bez_tree made;
  bool more = false;
  bez_status st = BEZ_OK;
  *versions = *broken = 0;
  BEZ_TRY(bez_query_begin(vault->index, &query, err, "SELECT dataset, version FROM versions ORDER BY 1, 2", ""));
  for (;;) {
    BEZ_TRY(bez_query_next(&query, &more, err));
    if (!more) break;
    if (progress && !progress(progress_ctx, "index", "versions", *versions, 0))
      BEZ_TRY(bez_fail(err, BEZ_CANCELLED, NULL, "stopped"));
    BEZ_TRY(bez_snapshot_get(vault, bez_query_text(&query, 0), (uint64_t)bez_query_int(&query, 1), &s, err));
    ++*versions;
    if (!is_whole(vault->sorted, &s.sorted)) {
      ++*broken;
      if (make) BEZ_TRY(bez_sorted_remake(vault, &s, &made, err));
    }
    bez_snapshot_free(&s);
  }
cleanup:
  bez_snapshot_free(&s);
  bez_query_end(&query);
  return st;
}

bez_status bez_vault_reindex(bez_vault *vault, bez_progress_fn progress, void *progress_ctx, char **json,
                             bez_error *err) {
  uint64_t versions = 0, broken = 0, again = 0, removed = 0;
  bez_buf text = {0};
  bez_json j = bez_json_make(&text, false);
  bez_status st = bez_vault_lock(vault, err);
  if (st != BEZ_OK) return st;
  BEZ_TRY(bez_index_reset(vault->index, err));
  bez_trust_free(vault->trust);
  vault->trust = NULL;
  BEZ_TRY(bez_vault_follow(vault, err));
  BEZ_TRY(bez_objects_remove_damaged(vault->sorted, &removed, err));
  BEZ_TRY(each_version(vault, false, &versions, &broken, progress, progress_ctx, err));
  if (broken) {
    BEZ_TRY(drop_sorted(vault, err));
    BEZ_TRY(each_version(vault, true, &versions, &again, progress, progress_ctx, err));
  }
  BEZ_TRY(bez_index_save(vault->index, true, err));
  bez_json_open(&j, '{');
  bez_json_kuint(&j, "entries", bez_log_size(vault->log));
  bez_json_kuint(&j, "versions", versions);
  bez_json_kuint(&j, "sorted", again);
  bez_json_close(&j, '}');
  BEZ_TRY(bez_answer(&text, json, err));
cleanup:
  bez_vault_unlock(vault);
  bez_buf_free(&text);
  return st;
}
