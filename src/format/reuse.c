/* A data set from yesterday's state and today's files: both lists are walked side by side in the order of files, and
 * what stands in the state with the same path, size and content is not parsed again. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/hash.h"
#include "format/builder_internal.h"
#include "format/dataset.h"
#include "format/image_files.h"
#include "format/text_folder.h"

#define NAMED 5u /* files that are said by name */

uint64_t bez_list_hash(const char *const *paths, size_t n) {
  uint64_t hash = n + 1;
  for (size_t i = 0; i < n; i++) {
    struct stat info;
    uint64_t size = stat(paths[i], &info) == 0 ? (uint64_t)info.st_size : UINT64_MAX;
    hash = bez_hash64(paths[i], strlen(paths[i]), hash);
    hash = bez_hash64(&size, sizeof size, hash);
  }
  return hash;
}

static void name(bez_buf *list, uint64_t n_before, const char *path) {
  if (n_before < NAMED) bez_buf_printf(list, "%s%s", n_before ? ", " : "", path);
  if (n_before == NAMED) bez_buf_puts(list, ", …");
}

bez_status bez_reuse_all(const bez_state *state, bez_builder *builder, bez_error *err) {
  bez_replay *replay = NULL;
  bez_status st = bez_replay_create(state, builder, &replay, err);
  while (st == BEZ_OK && bez_replay_peek(replay)) {
    const char *path = bez_replay_peek(replay)->path;
    bool taken;
    st = bez_replay_file(replay, true, &taken, err);
    if (st == BEZ_OK && !taken)
      st = bez_fail(err, BEZ_FORMAT, path, "%s was put together otherwise than it was read: name the files as well",
                    state->path);
  }
  if (st == BEZ_OK) st = bez_replay_rest(replay, err);
  bez_replay_destroy(replay);
  return st;
}

typedef struct walk {
  const bez_state_use *use;
  const char *const *paths;
  size_t n;
  size_t *by_path;
  const bez_reader *only;
  bez_builder *builder;
  bez_replay *replay;
  bez_reuse *say;
} walk;

static int by_path(const void *a, const void *b, void *paths) {
  const char *const *p = paths;
  return strcmp(p[*(const size_t *)a], p[*(const size_t *)b]);
}

/* The place of a path in the list, n: none. */
static size_t place_of(const walk *w, const char *path) {
  size_t low = 0, high = w->n;
  while (low < high) {
    size_t mid = low + (high - low) / 2;
    if (strcmp(w->paths[w->by_path[mid]], path) < 0)
      low = mid + 1;
    else
      high = mid;
  }
  return low < w->n && !strcmp(w->paths[w->by_path[low]], path) ? w->by_path[low] : w->n;
}

/* Passes over files of the state that are not the list's i-th and do not come behind it. */
static bez_status pass_over(walk *w, size_t i, bez_error *err) {
  const bez_state_part *next;
  bez_status st = BEZ_OK;
  while (st == BEZ_OK && (next = bez_replay_peek(w->replay)) != NULL) {
    size_t place = place_of(w, next->path);
    bool ignored;
    if (place != w->n && place >= i) break;
    if (place == w->n) name(&w->say->gone, w->say->n_gone++, next->path);
    st = bez_replay_file(w->replay, false, &ignored, err);
  }
  return st;
}

/* The state's next file, which has this path; *taken: it is in. */
static bez_status take_if_same(walk *w, const char *path, bool *taken, bez_error *err) {
  bool same;
  const bez_state_part *part = bez_replay_peek(w->replay);
  bez_status st = bez_replay_unchanged(w->replay, &same, err);
  if (same && !strcmp(part->format, "text") != (w->only != NULL)) same = false; /* documents, or a table */
  if (st == BEZ_OK) st = bez_replay_file(w->replay, same, taken, err);
  if (st != BEZ_OK) return st;
  if (*taken)
    w->say->n_same++;
  else if (same)
    w->say->n_replanned++;
  else
    name(&w->say->changed, w->say->n_changed++, path);
  return st;
}

static bez_status take_one(walk *w, size_t i, bez_error *err) {
  const char *path = w->paths[i];
  bool taken = false;
  bez_status st = BEZ_OK;
  if (bez_image_files_skip(path, w->builder, &st, err)) return st;
  st = pass_over(w, i, err);
  if (st != BEZ_OK) return st;
  const bez_state_part *next = bez_replay_peek(w->replay);
  if (next && !strcmp(next->path, path))
    st = take_if_same(w, path, &taken, err);
  else
    w->say->n_new++;
  return st != BEZ_OK || taken ? st : bez_read_file(path, w->only, w->builder, NULL, NULL, err);
}

/* Pictures have one size, and labels go by the row: a state of them holds as a whole or not at all. */
bool bez_reuse_together(const bez_state *s, const bez_read_options *o) {
  bool pictures = false;
  for (uint32_t i = 0; i < s->n_bodies; i++) pictures |= s->bodies[i].height != 0;
  return pictures || (o && o->labels_file);
}

static bez_status all_unchanged(const walk *w, bool *same, bez_error *err) {
  const bez_state *s = w->use->state;
  bez_status st = BEZ_OK;
  const bez_state_body *b = &s->bodies[0];
  *same = b->list_files == w->n && b->list_hash == bez_list_hash(w->paths, w->n);
  for (uint32_t i = 0; i < s->n_bodies; i++) *same &= s->bodies[i].n_unread == 0;
  for (uint32_t i = 0; *same && st == BEZ_OK && i < s->n_bodies; i++)
    for (uint32_t p = 0; *same && st == BEZ_OK && p < s->bodies[i].n_parts; p++) {
      const bez_state_part *part = &s->bodies[i].parts[p];
      char print[65];
      uint64_t raw;
      st = bez_state_print(part->path, part->first, part->end, part->units, &raw, print, err);
      *same = st == BEZ_OK && !strcmp(print, part->print);
    }
  return st;
}

static bez_status labels_unchanged(const bez_state *s, const bez_read_options *o, bool *same, bez_error *err) {
  char print[65] = "";
  uint64_t raw;
  if (!o || !o->labels_file) return BEZ_OK;
  bez_status st = bez_state_print(o->labels_file, 0, 1, 1, &raw, print, err);
  *same = false;
  for (uint32_t i = 0; i < s->bodies[0].n_params; i++)
    *same |= !strcmp(s->bodies[0].params[i].key, "labels-print") && !strcmp(s->bodies[0].params[i].value, print);
  return st;
}

bez_status bez_reuse_same(const bez_state_use *use, const char *const *paths, size_t n, const bez_read_options *o,
                          bez_builder *builder, bool *done, bez_error *err) {
  walk w = {.use = use, .paths = paths, .n = n};
  bez_status st = all_unchanged(&w, done, err);
  if (st == BEZ_OK && *done) st = labels_unchanged(use->state, o, done, err);
  if (st != BEZ_OK) return st;
  if (use->reuse) *(*done ? &use->reuse->n_same : &use->reuse->n_new) = n;
  return *done ? bez_reuse_all(use->state, builder, err) : BEZ_OK;
}

bez_status bez_reuse_list(const bez_state_use *use, const char *const *paths, size_t n, const bez_reader *only,
                          bez_builder *builder, bez_error *err) {
  bez_reuse ignored = {0};
  walk w = {.use = use, .paths = paths, .n = n, .only = only, .builder = builder};
  bez_status st;
  w.say = use->reuse ? use->reuse : &ignored;
  w.by_path = calloc(n + 1, sizeof *w.by_path);
  if (!w.by_path) return bez_fail_memory(err, n * sizeof *w.by_path);
  for (size_t i = 0; i < n; i++) w.by_path[i] = i;
  qsort_r(w.by_path, n, sizeof *w.by_path, by_path, (void *)(uintptr_t)paths);
  BEZ_TRY(bez_replay_create(use->state, builder, &w.replay, err));
  for (size_t i = 0; i < n; i++) BEZ_TRY(take_one(&w, i, err));
  BEZ_TRY(pass_over(&w, n, err));
cleanup:
  bez_replay_destroy(w.replay);
  free(w.by_path);
  bez_buf_free(&ignored.changed);
  bez_buf_free(&ignored.gone);
  return st;
}
