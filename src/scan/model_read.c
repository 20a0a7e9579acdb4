/* Reading and hashing the files of all sets (models.h): in two pieces, since the helper's work on a large file and its
 * digest have nothing to do with each other; small ones by the dozen (model_small.c). */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/threads.h"
#include "format/model_helper.h"
#include "scan/models.h"

#define STRETCH 16384u /* pieces between two starts of the helpers, which end with the threads that asked them */

/* Files from `first` on: small ones, of which all is done at once, or half of what is to be done of one. */
typedef struct piece {
  size_t first, n;
  enum { SMALL, ASK, HASH } what;
} piece;

typedef struct work {
  bez_scan *scan;
  bez_scan_file **files;
  piece *pieces;
  size_t first;
  bez_helper *helpers; /* one per worker */
  bez_watch watch;
} work;

/* The worker's own question between two pieces of a long file. */
typedef struct asker {
  work *work;
  unsigned worker;
} asker;

static bool go_on(void *ctx) {
  const asker *a = ctx;
  return bez_watch_ask(&a->work->watch, a->worker);
}

static bez_status keep_reason(bez_scan_file *f, bez_status st, const bez_error *why, bez_error *err) {
  if (st == BEZ_OK || f->why) return BEZ_OK;
  if (st == BEZ_MEMORY) return bez_fail_memory(err, 0);
  if (st == BEZ_CANCELLED) return bez_watch_fail(err);
  f->why = bez_arena_strdup(&f->model.arena, why->message);
  return f->why ? BEZ_OK : bez_fail_memory(err, strlen(why->message));
}

/* Which file it is, and when it last changed; never the same before and after a change. */
static uint64_t stamp_of(const char *path) {
  struct stat s;
  if (stat(path, &s) != 0) return 0;
  const uint64_t facts[] = {s.st_dev,
                            s.st_ino,
                            (uint64_t)s.st_size,
                            (uint64_t)s.st_mtim.tv_sec,
                            (uint64_t)s.st_mtim.tv_nsec,
                            (uint64_t)s.st_ctim.tv_sec,
                            (uint64_t)s.st_ctim.tv_nsec};
  return bez_hash64(facts, sizeof facts, 1);
}

static bez_status hash(work *w, bez_scan_file *f, unsigned worker, bez_error *err) {
  asker a = {w, worker};
  bez_error why = {0};
  uint64_t size;
  if (f->link) return BEZ_OK;
  f->stamp[1] = stamp_of(f->path);
  bez_status st = bez_sha256_file(f->path, f->sha256, &size, go_on, &a, &why);
  if (st == BEZ_MEMORY) return bez_fail_memory(err, 0);
  return st == BEZ_CANCELLED ? bez_watch_fail(err) : BEZ_OK; /* without a digest: note_unhashed says so */
}

static bez_status ask(work *w, bez_scan_file *f, unsigned worker, bez_error *err) {
  bez_error why = {0};
  if (f->link) return BEZ_OK;
  f->stamp[0] = stamp_of(f->path);
  bez_status st = bez_model_helper_ask(&w->helpers[worker], f->path, &f->model, &why);
  f->known = st == BEZ_OK;
  if (f->known) bez_audit_judge_names(&f->model);
  if (f->known) f->size = f->model.parts[0].size;
  return keep_reason(f, st, &why, err);
}

/* Where one of many stops the helper, each is asked about alone. */
static bez_status read_small(work *w, const piece *p, unsigned worker, bez_error *err) {
  bez_status st = BEZ_OK;
  if (bez_scan_read_small(&w->files[p->first], p->n, &w->helpers[worker])) return BEZ_OK;
  for (size_t i = p->first; st == BEZ_OK && i < p->first + p->n; i++) {
    st = ask(w, w->files[i], worker, err);
    if (st == BEZ_OK) st = hash(w, w->files[i], worker, err);
  }
  return st;
}

/* Only what asks touches the model. */
static bez_status read_piece(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  work *w = ctx;
  const piece *p = &w->pieces[w->first + tile];
  if (p->what == SMALL) return read_small(w, p, worker, err);
  return p->what == HASH ? hash(w, w->files[p->first], worker, err) : ask(w, w->files[p->first], worker, err);
}

/* Small files that follow each other together, two pieces for each of the others. */
static size_t cut(bez_scan_file *const *files, size_t n, piece *out) {
  size_t n_pieces = 0;
  for (size_t i = 0; i < n;) {
    size_t some = 0;
    while (i + some < n && some < BEZ_MAX_MODEL_BATCH && bez_scan_is_small(files[i + some])) some++;
    if (some) {
      out[n_pieces++] = (piece){i, some, SMALL};
      i += some;
      continue;
    }
    out[n_pieces++] = (piece){i, 1, ASK};
    out[n_pieces++] = (piece){i++, 1, HASH};
  }
  return n_pieces;
}

/* The digest must be of the bytes that were examined. */
static bez_status note_changes(bez_scan_file *const *files, size_t n, bez_error *err) {
  for (size_t i = 0; i < n; i++) {
    bez_scan_file *f = files[i];
    if (!f->known || (!f->stamp[0] && !f->stamp[1])) continue;
    if (f->stamp[0] == f->stamp[1] && f->stamp[1] == stamp_of(f->path)) continue;
    f->known = false;
    f->why = bez_arena_strdup(&f->model.arena, "it changed while it was examined");
    if (!f->why) return bez_fail_memory(err, 0);
  }
  return BEZ_OK;
}

/* Files that could be read and not hashed would be missing wherever digests are counted. */
static bez_status note_unhashed(bez_scan_file *const *files, size_t n, const char *why, bez_error *err) {
  for (size_t i = 0; i < n; i++) {
    bez_scan_file *f = files[i];
    if (!f->known || *f->sha256) continue;
    f->known = false;
    f->why = bez_arena_strdup(&f->model.arena, why);
    if (!f->why) return bez_fail_memory(err, 0);
  }
  return BEZ_OK;
}

/* What the time did not suffice for. */
static bez_status note_time(bez_scan *scan, bez_scan_file *const *files, size_t n, bez_error *err) {
  if (!scan->timed_out) return bez_fail(err, BEZ_CANCELLED, NULL, "cancelled");
  for (size_t i = 0; i < n; i++) {
    bez_scan_file *f = files[i];
    if (f->known || f->why || f->link) continue;
    f->why = bez_arena_strdup(&f->model.arena, "--max-time was over before it was read");
    if (!f->why) return bez_fail_memory(err, 0);
  }
  return note_unhashed(files, n, "--max-time was over before it was hashed", err);
}

static size_t gather(const bez_scan_models *m, bez_scan_file **out) {
  size_t n = 0;
  for (size_t s = 0; s <= m->n; s++) {
    const bez_scan_set *set = s < m->n ? &m->sets[s] : &m->base;
    for (size_t i = 0; i < set->n; i++, n++)
      if (out) out[n] = &set->files[i];
  }
  return n;
}

bez_status bez_scan_read_models(bez_scan *scan, bez_error *err) {
  const size_t n = gather(scan->models, NULL);
  work w = {.scan = scan,
            .files = calloc(n + 1, sizeof *w.files),
            .pieces = calloc(2 * n + 1, sizeof *w.pieces),
            .helpers = calloc(scan->threads, sizeof *w.helpers),
            .watch = {.progress = bez_scan_progress, .ctx = scan, .stage = "reading models", .unit = "steps"}};
  bez_error why = {0};
  bez_status st = w.files && w.pieces && w.helpers ? BEZ_OK : bez_fail_memory(&why, n * sizeof *w.files);
  if (st == BEZ_OK) (void)gather(scan->models, w.files);
  const size_t n_pieces = st == BEZ_OK ? cut(w.files, n, w.pieces) : 0;
  for (unsigned t = 0; w.helpers && t < scan->threads; t++) w.helpers[t].unconfined = scan->options->sandbox_off;
  for (w.first = 0; st == BEZ_OK && w.first < n_pieces; w.first += STRETCH) {
    const size_t some = n_pieces - w.first < STRETCH ? n_pieces - w.first : STRETCH;
    st = bez_parallel_watched(some, scan->threads, &w.watch, read_piece, &w, &why);
    for (unsigned t = 0; w.helpers && t < scan->threads; t++) bez_helper_stop(&w.helpers[t]);
  }
  if (st == BEZ_CANCELLED)
    st = note_time(scan, w.files, n, err);
  else if (st == BEZ_OK)
    st = note_changes(w.files, n, err);
  else if (err)
    *err = why;
  if (st == BEZ_OK) st = note_unhashed(w.files, n, "its bytes could not be hashed", err);
  free(w.helpers);
  free(w.pieces);
  free(w.files);
  return st;
}
