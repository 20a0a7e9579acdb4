/* bezoar vault verify: everything the vault says, against everything it holds. */
#include "vault/verify.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "vault/answer.h"
#include "vault/work.h"

static void put_place(bez_json *j, const bez_verify_place *place) {
  bez_json_kstr(j, "dataset", place->dataset);
  bez_json_kuint(j, "version", place->version);
  if (!place->n_rows) return;
  bez_json_key(j, "rows");
  bez_json_open(j, '[');
  bez_json_uint(j, place->row);
  bez_json_uint(j, place->row + place->n_rows - 1);
  bez_json_close(j, ']');
}

void bez_verify_tell(bez_verify *v, const char *file, int64_t offset, uint64_t len, const char *what, const bez_id *id,
                     const bez_verify_place *place) {
  bez_json *j = &v->json;
  if (v->of_index) {
    v->index_damaged = true;
    return;
  }
  if (v->n_damage++ >= BEZ_VERIFY_TOLD) return;
  bez_json_open(j, '{');
  bez_json_kstr(j, "file", file);
  if (offset >= 0) bez_json_kuint(j, "offset", (uint64_t)offset);
  if (len) bez_json_kuint(j, "length", len);
  bez_json_kstr(j, "what", what);
  if (id) bez_json_khex(j, "object", id->bytes, BEZ_ID);
  if (place && place->dataset) put_place(j, place);
  bez_json_close(j, '}');
}

bez_status bez_verify_tell_error(bez_verify *v, bez_status st, const bez_error *why, const bez_id *id,
                                 const bez_verify_place *place, bez_error *err) {
  if (st == BEZ_OK) return st;
  if (st != BEZ_FORMAT && st != BEZ_IO && st != BEZ_LIMIT && st != BEZ_USAGE && st != BEZ_UNSUPPORTED) {
    if (err) *err = *why;
    return st;
  }
  bez_verify_tell(v, why->subject, why->offset, 0, why->message, id, place);
  return BEZ_OK;
}

static void pack_damaged(void *ctx, const bez_damage *damage) {
  bez_verify_tell(ctx, damage->pack, (int64_t)damage->offset, damage->len, damage->what,
                  damage->n_ids ? &damage->ids[0] : NULL, NULL);
}

static double seconds_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* objects NULL: opened here, for a vault that cannot be. */
static bez_status verify_packs(bez_verify *v, bez_objects *objects, bez_error *err) {
  bez_objects *own = NULL;
  bez_error why = {.line = -1, .offset = -1};
  double begin = seconds_now();
  bez_status st = BEZ_OK;
  if (!objects) {
    char path[4096];
    snprintf(path, sizeof path, "%s/objects", v->folder);
    st = bez_objects_open(path, false, &own, &why);
    if (!own) return bez_verify_tell_error(v, st, &why, NULL, NULL, err);
    objects = own;
  }
  why = (bez_error){.line = -1, .offset = -1};
  st = bez_objects_verify(objects, v->threads, v->progress, v->progress_ctx, pack_damaged, v, &v->objects, &why);
  if (st != BEZ_OK && st != BEZ_FORMAT) st = bez_verify_tell_error(v, st, &why, NULL, NULL, err);
  v->object_seconds = seconds_now() - begin;
  bez_objects_close(own);
  return st == BEZ_FORMAT ? BEZ_OK : st;
}

static bez_status verify_sorted(bez_verify *v, bez_error *err) {
  bez_error why = {.line = -1, .offset = -1};
  v->of_index = true;
  bez_status st = bez_objects_verify(v->vault->sorted, v->threads, NULL, NULL, pack_damaged, v, &v->sorted, &why);
  if (st != BEZ_OK) st = bez_verify_tell_error(v, st, &why, NULL, NULL, err);
  v->of_index = false;
  return st;
}

/* What the index lost is made from what is signed, unless that is damaged itself. */
static bez_status rebuild_index(bez_verify *v, bez_error *err) {
  uint64_t removed = 0;
  char *json = NULL;
  if (!v->index_damaged || v->index_rebuilt || v->n_damage || !v->full) return BEZ_OK;
  bez_status st = bez_objects_remove_damaged(v->vault->sorted, &removed, err);
  if (st == BEZ_OK) st = bez_vault_reindex(v->vault, v->progress, v->progress_ctx, &json, err);
  v->index_rebuilt = st == BEZ_OK;
  bez_text_free(json);
  return st;
}

static bez_status verify_open(bez_verify *v, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_error why = {.line = -1, .offset = -1};
  const bez_status locked = bez_vault_lock(v->vault, &why); /* nobody appends while log and index are looked at */
  const uint64_t before = v->n_damage;
  st = bez_verify_log(v, err);
  if (st == BEZ_OK) st = bez_verify_index(v, err);
  if (locked == BEZ_OK) bez_vault_unlock(v->vault);
  if (st != BEZ_OK) goto cleanup;
  if (v->n_damage == before) BEZ_TRY(bez_verify_tell_error(v, locked, &why, NULL, NULL, err));
  if (v->full) BEZ_TRY(verify_packs(v, v->vault->objects, err));
  if (v->full) BEZ_TRY(verify_sorted(v, err));
  if (!v->full && v->vault->damage.code != BEZ_OK)
    bez_verify_tell(v, v->vault->damage.subject, v->vault->damage.offset, 0, v->vault->damage.message, NULL, NULL);
  BEZ_TRY(bez_verify_versions(v, err));
  BEZ_TRY(rebuild_index(v, err));
cleanup:
  return st;
}

static void put_sum(bez_json *j, const char *key, const bez_objects_sum *sum, double seconds) {
  bez_json_key(j, key);
  bez_json_open(j, '{');
  bez_json_kuint(j, "packs", sum->packs);
  bez_json_kuint(j, "objects", sum->objects);
  bez_json_kuint(j, "stored_bytes", sum->stored_bytes);
  bez_json_kuint(j, "raw_bytes", sum->raw_bytes);
  bez_json_kuint(j, "referred_bytes", sum->referred_bytes);
  bez_json_knum(j, "seconds", seconds);
  bez_json_close(j, '}');
}

static bez_status answer(bez_verify *v, char **json, bez_error *err) {
  bez_buf out = {0};
  bez_json j = bez_json_make(&out, false);
  bez_json_close(&v->json, ']');
  bez_json_open(&j, '{');
  bez_json_kbool(&j, "ok", v->n_damage == 0);
  bez_json_kstr(&j, "vault", v->folder);
  bez_json_kbool(&j, "full", v->full);
  bez_json_kuint(&j, "entries", v->n_entries);
  bez_json_kuint(&j, "malformed", v->n_void);
  bez_json_kuint(&j, "versions", v->n_versions);
  bez_json_kuint(&j, "pruned", v->n_pruned);
  bez_json_kstr(&j, "index", v->index_rebuilt ? "made anew" : v->index_damaged ? "damaged" : "good");
  if (v->full) put_sum(&j, "objects", &v->objects, v->object_seconds);
  bez_json_key(&j, "rows");
  bez_json_open(&j, '{');
  bez_json_kuint(&j, "leaves", v->leaves);
  bez_json_kuint(&j, "rows", v->rows);
  bez_json_kuint(&j, "bytes", v->row_bytes);
  bez_json_knum(&j, "seconds", v->row_seconds);
  bez_json_close(&j, '}');
  bez_json_kuint(&j, "n_damage", v->n_damage);
  bez_json_key(&j, "damage");
  if (v->damage.data) bez_json_raw(&j, v->damage.data, v->damage.len);
  bez_json_close(&j, '}');
  bez_status st = bez_buf_status(&v->damage, err);
  if (st == BEZ_OK) return bez_answer(&out, json, err);
  bez_buf_free(&out);
  return st;
}

/* The folder without opening the vault: for one that cannot be opened. */
static bez_status find_folder(const char *path, char out[4096], bez_error *err) {
  char *start = realpath(path ? path : ".", NULL);
  if (!start) return bez_fail_errno(err, path ? path : ".", "cannot open");
  const char *last = strrchr(start, '/');
  bool itself = last && !strcmp(last, "/.bezoar");
  int len = snprintf(out, 4096, "%s%s", start, itself ? "" : "/.bezoar");
  free(start);
  return len < 4096 ? BEZ_OK : bez_fail(err, BEZ_USAGE, path, "the path is too long");
}

bez_status bez_vault_verify(const char *path, const bez_vault_verify_options *options, char **json, bez_error *err) {
  char folder[4096];
  bez_status st = BEZ_OK;
  bez_error why = {.line = -1, .offset = -1};
  bez_verify v = {.folder = folder,
                  .threads = options->threads,
                  .full = options->full,
                  .progress = options->progress,
                  .progress_ctx = options->progress_ctx};
  v.json = bez_json_make(&v.damage, false);
  bez_json_open(&v.json, '[');
  if (RAND_bytes((unsigned char *)&v.sums, sizeof v.sums) != 1) return bez_fail(err, BEZ_IO, NULL, "no randomness");
  const bez_status opened = bez_vault_open(path, &v.vault, &why);
  if (opened == BEZ_OK) {
    snprintf(folder, sizeof folder, "%s", v.vault->folder);
    BEZ_TRY(verify_open(&v, err));
  } else {
    BEZ_TRY(find_folder(path, folder, err));
    if (opened == BEZ_USAGE) BEZ_TRY(bez_fail(err, opened, why.subject, "%s", why.message));
    BEZ_TRY(bez_verify_tell_error(&v, opened, &why, NULL, NULL, err));
    BEZ_TRY(verify_packs(&v, NULL, err));
  }
  BEZ_TRY(bez_verify_files(&v, err));
  st = answer(&v, json, err);
cleanup:
  bez_vault_close(v.vault);
  bez_buf_free(&v.damage);
  return st;
}
