/* bezoar vault gc: objects that nothing names any more are removed; data of old versions only when asked for. */
#include "vault/gc.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "crypto/digest.h"
#include "vault/answer.h"
#include "vault/index.h"
#include "vault/marks.h"
#include "vault/pins.h"
#include "vault/stage.h"
#include "vault/work.h"

typedef enum fate { FATE_KEPT, FATE_PRUNED, FATE_GONE } fate; /* GONE: pruned by an earlier gc */

typedef struct version {
  char *dataset;
  uint64_t version, newer; /* newer: how many of the data set are */
  uint64_t commit;         /* index in the log */
  int64_t time;
  fate fate;
  char why[200];
} version;

typedef struct collecting {
  bez_vault *vault;
  const bez_vault_gc_options *o;
  bez_signer *signer;
  version *versions;
  size_t n, cap;
  bez_pins pins;
  bez_pruned gone;
  bez_marks *objects, *sorted;
  bez_sweep objects_sweep, sorted_sweep;
  uint64_t leftovers;
  bez_id entry;
  bool written;
} collecting;

static bez_status list_versions(collecting *c, bez_error *err) {
  bez_query query = {0};
  bool more = false;
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_query_begin(c->vault->index, &query, err,
                          "SELECT v.dataset, v.version, v.commit_i, e.time, (SELECT count(*) FROM versions w WHERE "
                          "w.dataset=v.dataset AND w.version>v.version) FROM versions v JOIN entries e ON "
                          "e.i=v.commit_i ORDER BY v.dataset, v.version",
                          ""));
  for (;;) {
    BEZ_TRY(bez_query_next(&query, &more, err));
    if (!more) break;
    if (c->n == c->cap) {
      size_t cap = c->cap ? c->cap * 2 : 64;
      version *grown = realloc(c->versions, cap * sizeof *grown);
      if (!grown) BEZ_TRY(bez_fail_memory(err, cap * sizeof *grown));
      c->versions = grown;
      c->cap = cap;
    }
    version *v = &c->versions[c->n];
    *v = (version){.dataset = strdup(bez_query_text(&query, 0)),
                   .version = (uint64_t)bez_query_int(&query, 1),
                   .commit = (uint64_t)bez_query_int(&query, 2),
                   .time = bez_query_int(&query, 3),
                   .newer = (uint64_t)bez_query_int(&query, 4)};
    if (!v->dataset) BEZ_TRY(bez_fail_memory(err, 64));
    c->n++;
  }
cleanup:
  bez_query_end(&query);
  return st;
}

static void decide(const collecting *c, version *v) {
  const bez_vault_gc_options *o = c->o;
  const bez_pin *pin = bez_pins_find(&c->pins, v->dataset, v->version);
  const bez_pruned_version *gone = bez_pruned_find(&c->gone, v->dataset, v->version);
  bool old = (o->keep && v->newer >= o->keep) || (o->older_than > 0 && v->time < bez_vault_now() - o->older_than);
  v->fate = FATE_KEPT;
  if (gone) {
    v->fate = FATE_GONE;
    snprintf(v->why, sizeof v->why, "pruned by gc at %s", gone->time);
  } else if (!v->newer) {
    snprintf(v->why, sizeof v->why, "the latest version");
  } else if (pin) {
    snprintf(v->why, sizeof v->why, "%s", pin->why);
  } else if (!o->keep && !(o->older_than > 0)) {
    snprintf(v->why, sizeof v->why, "no version is removed unless asked for (--keep, --older-than)");
  } else if (!old) {
    snprintf(v->why, sizeof v->why, "%s", o->keep ? "among the last versions" : "not old enough");
  } else {
    v->fate = FATE_PRUNED;
  }
}

/* Roots are kept (as all blobs are) even of what is pruned: a version is still found, and says what became of it. */
static bez_status mark_submission(collecting *c, const bez_entry *entry, bool data, bez_error *err) {
  static const struct {
    const char *key;
    bez_tree_kind kind;
  } trees[] = {{"rows", BEZ_TREE_ROWS}, {"provenance", BEZ_TREE_PROVENANCE}, {"sorted", BEZ_TREE_SORTED}};
  for (size_t i = 0; i < 3; i++) {
    bool sorted = trees[i].kind == BEZ_TREE_SORTED, fresh;
    bez_marks *marks = sorted ? c->sorted : c->objects;
    bez_objects *store = sorted ? c->vault->sorted : c->vault->objects;
    bez_error why = {.line = -1, .offset = -1};
    bez_tree tree;
    bez_id id;
    bez_status st = bez_entry_hex(entry, trees[i].key, id.bytes, BEZ_ID, err);
    if (st != BEZ_OK) return st;
    (void)bez_marks_set(marks, &id, &fresh);
    if (!data) continue;
    st = bez_tree_open(store, trees[i].kind, &id, &tree, &why);
    if (st == BEZ_OK) st = bez_marks_tree(marks, &tree, &why);
    if (sorted && st == BEZ_FORMAT) st = BEZ_OK; /* it can be made again */
    if (st == BEZ_OK) continue;
    if (err) *err = why;
    return st;
  }
  return BEZ_OK;
}

static bez_status mark_stage(collecting *c, bez_error *err) {
  bez_stage stage = {0};
  bez_status st = bez_stage_read(c->vault, &stage, err);
  for (size_t i = 0; i < stage.n && st == BEZ_OK; i++) st = mark_submission(c, &stage.items[i].submission, true, err);
  bez_stage_free(&stage);
  return st;
}

static bez_status mark_all(collecting *c, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_snapshot s = {0};
  BEZ_TRY(bez_marks_create(c->vault->objects, &c->objects, err));
  BEZ_TRY(bez_marks_create(c->vault->sorted, &c->sorted, err));
  BEZ_TRY(bez_marks_blobs(c->objects, err));
  BEZ_TRY(mark_stage(c, err));
  for (size_t i = 0; i < c->n; i++) {
    /* what is not kept need not be whole: a version that cannot be opened can be pruned */
    BEZ_TRY(bez_snapshot_said(c->vault, c->versions[i].dataset, c->versions[i].version, &s, err));
    BEZ_TRY(mark_submission(c, &s.entry, c->versions[i].fate == FATE_KEPT, err));
    bez_snapshot_free(&s);
    if (c->o->progress && !c->o->progress(c->o->progress_ctx, "marking", "versions", i + 1, c->n))
      BEZ_TRY(bez_fail(err, BEZ_CANCELLED, NULL, "cancelled"));
  }
cleanup:
  bez_snapshot_free(&s);
  return st;
}

static bool has_fate(const collecting *c, fate f) {
  for (size_t i = 0; i < c->n; i++)
    if (c->versions[i].fate == f) return true;
  return false;
}

static void put_versions(bez_json *j, const collecting *c, fate f, bool why) {
  bez_json_open(j, '[');
  for (size_t i = 0; i < c->n; i++) {
    const version *v = &c->versions[i];
    if (v->fate != f) continue;
    bez_json_open(j, '{');
    bez_json_kstr(j, "dataset", v->dataset);
    bez_json_kuint(j, "version", v->version);
    if (why) bez_json_kstr(j, "why", v->why);
    bez_json_close(j, '}');
  }
  bez_json_close(j, ']');
}

/* The list of what goes, as an object: the log's entry names it. */
static bez_status put_list(collecting *c, bez_id *id, bez_error *err) {
  bez_buf list = {0};
  bez_json j = bez_json_make(&list, false);
  bez_pack *pack = NULL;
  bez_status st = BEZ_OK;
  bez_json_open(&j, '{');
  bez_json_key(&j, "versions");
  put_versions(&j, c, FATE_PRUNED, false);
  bez_json_kuint(&j, "objects", c->objects_sweep.objects);
  bez_json_close(&j, '}');
  BEZ_TRY(bez_buf_status(&list, err));
  BEZ_TRY(bez_pack_begin(c->vault->objects, &pack, err));
  BEZ_TRY(bez_pack_put(pack, BEZ_OBJECT_BLOB, list.data, list.len, id, err));
  st = bez_pack_finish(pack, NULL, err);
  pack = NULL;
cleanup:
  bez_pack_abandon(pack);
  bez_buf_free(&list);
  return st;
}

typedef struct gc_words {
  const collecting *c;
  bez_id list;
} gc_words;

static void write_gc(bez_json *j, const void *ctx) {
  const gc_words *words = ctx;
  uint64_t kept = 0;
  for (size_t i = 0; i < words->c->n; i++) kept += words->c->versions[i].fate == FATE_KEPT;
  bez_json_kuint(j, "kept", kept);
  bez_json_khex(j, "removed", words->list.bytes, BEZ_ID);
  bez_json_kuint(j, "bytes", words->c->objects_sweep.bytes_before - words->c->objects_sweep.bytes_after);
}

/* Half-written packs of processes that died: nobody else has the vault open. */
static void remove_leftovers(collecting *c, const char *below, bool count_only) {
  char path[4096], file[4600];
  snprintf(path, sizeof path, "%s/%s", c->vault->folder, below);
  DIR *dir = opendir(path);
  if (!dir) return;
  for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
    if (entry->d_name[0] == '.') continue;
    snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
    c->leftovers += count_only || unlink(file) == 0;
  }
  closedir(dir);
}

/* New packs are there before the entry, and the old ones until behind it: a crash anywhere loses nothing, and the next
 * gc takes away what was left. */
static bez_status sweep(collecting *c, bez_error *err) {
  gc_words words = {.c = c};
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_marks_sweep(c->objects, &c->objects_sweep, err));
  BEZ_TRY(bez_marks_sweep(c->sorted, &c->sorted_sweep, err));
  if (c->objects_sweep.objects || has_fate(c, FATE_PRUNED)) {
    BEZ_TRY(put_list(c, &words.list, err));
    BEZ_TRY(bez_vault_say(c->vault, "gc", c->signer, write_gc, &words, &c->entry, err));
    c->written = true;
  }
  BEZ_TRY(bez_sweep_remove(c->vault->objects, &c->objects_sweep, err));
  BEZ_TRY(bez_sweep_remove(c->vault->sorted, &c->sorted_sweep, err));
cleanup:
  return st;
}

static bez_status answer(const collecting *c, char **json, bez_error *err) {
  bez_buf out = {0};
  bez_json j = bez_json_make(&out, false);
  const bez_sweep *o = &c->objects_sweep, *s = &c->sorted_sweep;
  bez_json_open(&j, '{');
  bez_json_kbool(&j, "dry_run", c->o->dry_run);
  bez_json_key(&j, "pruned");
  put_versions(&j, c, FATE_PRUNED, false);
  bez_json_key(&j, "kept");
  put_versions(&j, c, FATE_KEPT, true);
  bez_json_key(&j, "gone");
  put_versions(&j, c, FATE_GONE, true);
  bez_json_kuint(&j, "objects", o->objects + s->objects);
  bez_json_kuint(&j, "packs", o->packs + s->packs);
  bez_json_kuint(&j, "bytes_before", o->bytes_before + s->bytes_before);
  if (!c->o->dry_run) bez_json_kuint(&j, "bytes_after", o->bytes_after + s->bytes_after);
  bez_json_kuint(&j, "leftovers", c->leftovers);
  if (c->written) bez_json_khex(&j, "entry", c->entry.bytes, BEZ_ID);
  bez_json_close(&j, '}');
  return bez_answer(&out, json, err);
}

static void release(collecting *c) {
  for (size_t i = 0; i < c->n; i++) free(c->versions[i].dataset);
  free(c->versions);
  bez_pins_free(&c->pins);
  bez_pruned_free(&c->gone);
  bez_marks_free(c->objects);
  bez_marks_free(c->sorted);
  bez_sweep_free(&c->objects_sweep);
  bez_sweep_free(&c->sorted_sweep);
  bez_vault_act(c->vault, NULL);
  bez_signer_close(c->signer);
}

bez_status bez_vault_gc(bez_vault *vault, const bez_vault_gc_options *options, char **json, bez_error *err) {
  collecting c = {.vault = vault, .o = options};
  const bez_claim claim = {"gc", NULL, NULL, BEZ_MAY_ADMIN};
  bez_status st = bez_vault_lock(vault, err);
  if (st != BEZ_OK) return st;
  if (!options->dry_run) {
    BEZ_TRY(bez_vault_signer(vault, &options->who, &c.signer, err));
    BEZ_TRY(bez_vault_ask(vault, &claim, c.signer, err));
    BEZ_TRY(bez_vault_alone(vault, err));
  }
  BEZ_TRY(bez_pins_read(vault, &c.pins, err));
  BEZ_TRY(bez_pruned_read(vault, &c.gone, err));
  BEZ_TRY(list_versions(&c, err));
  for (size_t i = 0; i < c.n; i++) decide(&c, &c.versions[i]);
  BEZ_TRY(mark_all(&c, err));
  if (options->dry_run) {
    BEZ_TRY(bez_marks_count(c.objects, &c.objects_sweep, err));
    BEZ_TRY(bez_marks_count(c.sorted, &c.sorted_sweep, err));
  } else {
    BEZ_TRY(sweep(&c, err));
  }
  remove_leftovers(&c, "tmp", options->dry_run);
  remove_leftovers(&c, "index/tmp", options->dry_run);
  st = answer(&c, json, err);
cleanup:
  release(&c);
  bez_vault_unlock(vault);
  return st;
}
