/* From files to items. A file's bytes are loaded into a window; what is complete in it is cut into items, the rest
 * waits at its front for what follows. Small files share a window. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/limits.h"
#include "content/ingest_parts.h"
#include "content/small_files.h"

#define HEAD (1u << 20) /* bytes that a form is found from */
#define SPANS 4096u
#define DIGEST 32u
#define MOST_PIECES 65536u    /* files in one window */
#define MOST_ITEMS (1u << 18) /* in one slab: short rows are many, and each costs room beside its bytes */
#define FEW 4u                /* small files that are not worth the threads */

/* A stretch of one file in the window. */
typedef struct piece {
  size_t begin, len, file;
  uint64_t at; /* in the file, of the first byte that is not cut yet */
  bez_form_use use;
  bool first, last; /* the file begins, ends with it */
  bool digests;     /* no bytes of the file: digests of its rows, one behind the other */
} piece;

struct bez_reader {
  const bez_listing *list;
  const bez_form *form; /* for all files; NULL: by content */
  bez_file_labels *labels;
  bez_chunker chunker;
  char *window;
  size_t len, cap;
  piece *pieces;
  size_t n_pieces, cap_pieces;
  bez_span *spans;
  bez_buf text;
  size_t next; /* file to be opened */
  unsigned threads;
  int folder; /* what the list lies in; -1: a single file */
  int fd;     /* of the file being read, -1 none */
  char *path;
  struct stat before;
  uint64_t done, bytes; /* of this file, of all */
  bool by_digests;      /* the file just read has rows that only form->digests knows */
  int spool;            /* their digests, -1 none */
  uint64_t spooled, taken;
  bez_sha256_state sha;
  bool crowded;    /* the window holds more than a slab takes: nothing is loaded before it is used up */
  size_t unhashed; /* bytes at the window's end that are not in it yet */
  char name[32];   /* of the first file's form */
};

bez_status bez_reader_open(const bez_listing *list, const bez_ingest_options *options, bez_reader **out,
                           bez_error *err) {
  *out = NULL;
  bez_reader *r = calloc(1, sizeof *r);
  if (!r) return bez_fail_memory(err, sizeof *r);
  bez_status st = BEZ_OK;
  r->list = list;
  r->threads = options->threads;
  r->fd = r->spool = r->folder = -1;
  bez_sha256_begin(&r->sha);
  bez_chunker_make(&r->chunker, options->key);
  r->spans = malloc(SPANS * sizeof *r->spans);
  if (!r->spans) st = bez_fail_memory(err, SPANS * sizeof *r->spans);
  if (options->form && !(r->form = bez_form_named(options->form)))
    st = bez_fail(err, BEZ_USAGE, options->form, "there is no form of that name");
  if (st == BEZ_OK) st = bez_file_labels_open(options->labels, &r->labels, err);
  if (st == BEZ_OK && !list->single && (r->folder = open(list->root, O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0)
    st = bez_fail_errno(err, list->root, "cannot open");
  if (st == BEZ_OK)
    *out = r;
  else
    bez_reader_close(r);
  return st;
}

void bez_reader_close(bez_reader *r) {
  if (!r) return;
  for (size_t i = 0; i < r->n_pieces; i++) bez_form_close(&r->pieces[i].use);
  if (r->fd >= 0) close(r->fd);
  if (r->folder >= 0) close(r->folder);
  if (r->spool >= 0) close(r->spool);
  bez_file_labels_free(r->labels);
  bez_buf_free(&r->text);
  free(r->pieces);
  free(r->spans);
  free(r->window);
  free(r->path);
  free(r);
}

uint64_t bez_reader_bytes(const bez_reader *r) {
  return r->bytes;
}

const char *bez_reader_form(const bez_reader *r) {
  return r->name;
}

void bez_reader_hash(bez_reader *r) {
  if (r->list->single && r->unhashed) bez_sha256_add(&r->sha, r->window + r->len - r->unhashed, r->unhashed);
  r->unhashed = 0;
}

void bez_reader_sha256(const bez_reader *r, uint8_t out[32]) {
  bez_sha256_state state = r->sha;
  bez_sha256_end(&state, out);
}

/* ---- loading ---- */

static bez_status make_room(bez_reader *r, size_t more, bez_error *err) {
  if (r->len + more <= r->cap) return BEZ_OK;
  size_t cap = r->len + more;
  char *window = realloc(r->window, cap);
  if (!window) return bez_fail_memory(err, cap);
  r->window = window;
  r->cap = cap;
  return BEZ_OK;
}

static bez_status add_piece(bez_reader *r, piece p, bez_error *err) {
  if (r->n_pieces == r->cap_pieces) {
    size_t cap = r->cap_pieces ? r->cap_pieces * 2 : 16;
    piece *pieces = realloc(r->pieces, cap * sizeof *pieces);
    if (!pieces) return bez_fail_memory(err, cap * sizeof *pieces);
    r->pieces = pieces;
    r->cap_pieces = cap;
  }
  r->pieces[r->n_pieces++] = p;
  return BEZ_OK;
}

static bez_status changed(const bez_reader *r, bez_error *err) {
  return bez_fail(err, BEZ_IO, r->path, "changed while it was read: add it when nobody writes to it");
}

static bool same_file(const struct stat *a, const struct stat *b) {
  return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
         a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
         a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* Up to `want` bytes of the open file behind the window's; *got less only at the file's end. */
static bez_status load_bytes(bez_reader *r, size_t want, size_t *got, bez_error *err) {
  bez_status st = make_room(r, want, err);
  *got = 0;
  while (st == BEZ_OK && *got < want) {
    ssize_t n = read(r->fd, r->window + r->len + *got, want - *got);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return bez_fail_errno(err, r->path, "cannot read");
    if (n == 0) break;
    *got += (size_t)n;
  }
  if (st != BEZ_OK) return st;
  r->unhashed += *got;
  r->len += *got;
  r->done += *got;
  r->bytes += *got;
  return BEZ_OK;
}

static const bez_form *find_form(const bez_reader *r, const char *path, const char *head, size_t len, bool whole) {
  const bez_form *best = bez_form_named("file");
  int most = 0;
  if (r->form) return r->form;
  for (size_t i = 0; bez_forms[i] && most < 100; i++) {
    int sure = bez_forms[i]->sniff(path, (const uint8_t *)head, len, whole);
    if (sure > most) {
      most = sure;
      best = bez_forms[i];
    }
  }
  return best;
}

/* A file begins: which form reads it. */
static bez_status start_piece(bez_reader *r, piece *p, const char *path, bool whole, bez_error *err) {
  const char *head = r->window ? r->window + p->begin : "";
  size_t len = p->len < HEAD ? p->len : HEAD;
  p->use.form = find_form(r, path, head, len, whole);
  if (!p->use.form) return bez_fail(err, BEZ_INTERNAL, path, "no form takes it");
  bez_status st = BEZ_OK;
  if (p->use.form->open) st = p->use.form->open(path, head, len, whole, &p->use.state, err);
  if (st != BEZ_OK) return st;
  if (!*r->name) (void)strncpy(r->name, p->use.form->name, sizeof r->name - 1);
  return add_piece(r, *p, err);
}

/* Opens the next file and loads its head; it becomes a piece with its form. */
static bez_status open_next(bez_reader *r, bez_error *err) {
  free(r->path);
  r->path = bez_listing_path(r->list, r->next);
  if (!r->path) return bez_fail_memory(err, 1);
  r->fd = open(r->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
  if (r->fd < 0) return bez_fail_errno(err, r->path, "cannot open");
  if (fstat(r->fd, &r->before) != 0) return bez_fail_errno(err, r->path, "cannot look at");
  if (!S_ISREG(r->before.st_mode)) return changed(r, err);
  (void)posix_fadvise(r->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
  piece p = {.begin = r->len, .file = r->next++, .first = true};
  r->done = 0;
  bez_status st = load_bytes(r, r->before.st_size < HEAD ? (size_t)r->before.st_size : HEAD, &p.len, err);
  if (st != BEZ_OK) return st;
  return start_piece(r, &p, r->path, r->done == (uint64_t)r->before.st_size, err);
}

/* More of the open file; closes it at its end, if it is still what it was at its beginning. */
static bez_status load_more(bez_reader *r, size_t room, bez_error *err) {
  struct stat after, named;
  piece *p = &r->pieces[r->n_pieces - 1];
  uint64_t left = (uint64_t)r->before.st_size - r->done;
  size_t want = left < room ? (size_t)left : room, got = 0;
  bez_status st = want ? load_bytes(r, want, &got, err) : BEZ_OK;
  if (st != BEZ_OK) return st;
  p->len += got;
  if (got < want) return changed(r, err);
  if (r->done < (uint64_t)r->before.st_size) return BEZ_OK;
  if (fstat(r->fd, &after) != 0 || lstat(r->path, &named) != 0) return bez_fail_errno(err, r->path, "cannot look at");
  if (!same_file(&r->before, &after) || !same_file(&r->before, &named)) return changed(r, err);
  close(r->fd);
  r->fd = -1;
  p->last = true;
  r->by_digests = p->use.form->digests != NULL;
  return BEZ_OK;
}

static bez_status write_all(int fd, const void *bytes, size_t len, bez_error *err) {
  for (size_t at = 0; at < len;) {
    ssize_t n = write(fd, (const char *)bytes + at, len - at);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return bez_fail_errno(err, "temporary file", "cannot write");
    at += (size_t)n;
  }
  return BEZ_OK;
}

static bez_status spool_digests(void *ctx, const uint8_t (*canonical)[32], size_t n, bez_error *err) {
  bez_reader *r = ctx;
  r->spooled += n;
  return write_all(r->spool, canonical, n * DIGEST, err);
}

static bez_status load_digests(bez_reader *r, size_t room, bez_error *err) {
  uint64_t left = (r->spooled - r->taken) * DIGEST;
  size_t want = left < room ? (size_t)left : room / DIGEST * DIGEST;
  bez_status st = make_room(r, want, err);
  if (st == BEZ_OK) st = bez_file_pread(r->spool, "temporary file", r->window + r->len, want, r->taken * DIGEST, err);
  if (st == BEZ_OK) st = add_piece(r, (piece){.begin = r->len, .len = want, .digests = true}, err);
  if (st != BEZ_OK) return st;
  r->len += want;
  r->taken += want / DIGEST;
  if (r->taken == r->spooled) {
    close(r->spool);
    r->spool = -1;
  }
  return BEZ_OK;
}

/* Small files, many at once. *n: how many became pieces. A file whose digests have to be asked for is read by itself:
 * it is opened a second time, and has to be the same then. */
static bez_status load_small(bez_reader *r, size_t end, size_t *n, bez_error *err) {
  uint64_t bytes = 0;
  *n = 0;
  size_t found = r->folder >= 0 ? bez_small_files_count(r->list, r->next, end - r->len, &bytes) : 0;
  if (found > MOST_PIECES - r->n_pieces) found = 0;
  if (found < FEW) return BEZ_OK;
  bez_status st = make_room(r, (size_t)bytes, err);
  uint8_t *to = (uint8_t *)r->window + r->len;
  if (st == BEZ_OK) st = bez_small_files_read(r->list, r->folder, r->next, found, r->threads, to, err);
  for (; st == BEZ_OK && *n < found; ++*n) {
    const bez_listed *file = &r->list->files[r->next];
    piece p = {.begin = r->len, .len = (size_t)file->size, .file = r->next, .first = true, .last = true};
    st = start_piece(r, &p, file->name, p.len <= HEAD, err);
    if (st != BEZ_OK) break;
    if (p.use.form->digests) {
      bez_form_close(&r->pieces[--r->n_pieces].use);
      break;
    }
    r->next++;
    r->len += p.len;
    r->bytes += p.len;
  }
  return st;
}

bez_status bez_reader_load(bez_reader *r, bez_error *err) {
  size_t end = r->len + BEZ_SLAB;
  bez_status st = BEZ_OK;
  if (r->crowded) return BEZ_OK;
  if (r->spool >= 0) return load_digests(r, BEZ_SLAB, err);
  while (st == BEZ_OK && !r->by_digests) {
    if (r->fd >= 0) {
      st = load_more(r, r->len < end ? end - r->len : 0, err);
      if (r->len >= end) break;
    } else {
      size_t n;
      if (r->next == r->list->n || r->len >= end || r->n_pieces >= MOST_PIECES) break;
      st = load_small(r, end, &n, err);
      if (st == BEZ_OK && !n) st = open_next(r, err);
    }
  }
  return st;
}

/* ---- cutting ---- */

static bez_status put_file(bez_reader *r, const piece *p, bez_slab *slab, bez_error *err) {
  const char *name = r->list->files[p->file].name;
  bez_buf_clear(&r->text);
  bez_json j = bez_json_make(&r->text, false);
  bez_json_open(&j, '{');
  bez_json_kstr(&j, "form", p->use.form->name);
  p->use.form->params(p->use.state, &j);
  bez_json_close(&j, '}');
  bez_status st = bez_buf_status(&r->text, err);
  if (st == BEZ_OK) st = bez_slab_start(slab, p->file, err);
  if (st == BEZ_OK) st = bez_slab_reserve(slab, 1, r->text.len + strlen(name), err);
  if (st == BEZ_OK) bez_slab_put(slab, BEZ_ITEM_FILE, name, strlen(name), r->text.data, r->text.len);
  return st;
}

static bez_status put_file_row(bez_reader *r, const piece *p, bez_slab *slab, bez_error *err) {
  bez_buf_clear(&r->text);
  bez_status st = bez_file_labels_head(r->labels, r->list->files[p->file].name, &r->text, err);
  if (st == BEZ_OK) st = bez_slab_start(slab, p->file, err);
  if (st == BEZ_OK) st = bez_slab_reserve(slab, 1, r->text.len + p->len, err);
  if (st == BEZ_OK) bez_slab_put(slab, BEZ_ITEM_FILE_ROW, r->text.data, r->text.len, r->window + p->begin, p->len);
  return st;
}

static bez_status put_spans(const bez_reader *r, const char *bytes, size_t n, bez_slab *slab, bez_error *err) {
  if (!n) return BEZ_OK;
  bez_status st = bez_slab_reserve(slab, n, r->spans[n - 1].begin + r->spans[n - 1].len - r->spans[0].begin, err);
  for (size_t i = 0; i < n && st == BEZ_OK; i++)
    bez_slab_put(slab, r->spans[i].type, NULL, 0, bytes + r->spans[i].begin, r->spans[i].len);
  return st;
}

/* Chunks of a file without rows. */
static size_t cut_chunks(const bez_reader *r, const char *bytes, size_t len, bool last, size_t *n) {
  size_t at = 0;
  for (*n = 0; *n < SPANS && len - at > 0 && (last || len - at >= BEZ_CHUNK_MAX); ++*n) {
    size_t chunk = bez_chunk_length(&r->chunker, (const uint8_t *)bytes + at, len - at);
    r->spans[*n] = (bez_span){.begin = at, .len = chunk, .type = BEZ_ITEM_BYTES};
    at += chunk;
  }
  return at;
}

/* What errors call the file of a piece. */
static const char *name_of(const bez_reader *r, const piece *p) {
  return r->list->single ? r->path : r->list->files[p->file].name;
}

/* What is complete in a piece; the piece shrinks to what is left. */
static bez_status cut_piece(bez_reader *r, piece *p, bez_slab *slab, bez_error *err) {
  const bez_form *form = p->use.form;
  size_t n = 1, used;
  while (p->len && n && slab->n < MOST_ITEMS) {
    const char *bytes = r->window + p->begin;
    bez_status st = BEZ_OK;
    if (form->cut)
      st = form->cut(p->use.state, bytes, p->len, p->last, p->at, r->spans, SPANS, &n, &used, err);
    else
      used = cut_chunks(r, bytes, p->len, p->last, &n);
    if (st == BEZ_OK) st = put_spans(r, bytes, n, slab, err);
    if (st != BEZ_OK) {
      if (err && !*err->subject) (void)snprintf(err->subject, sizeof err->subject, "%s", name_of(r, p));
      return st;
    }
    p->begin += used;
    p->len -= used;
    p->at += used;
  }
  r->crowded = p->len && n;
  if (r->crowded) return BEZ_OK;
  if (p->last && p->len)
    return bez_fail(err, BEZ_INTERNAL, name_of(r, p), "a form left bytes over at the end of the file");
  if (p->len > BEZ_MAX_RECORD)
    return bez_fail_at(err, BEZ_LIMIT, name_of(r, p), -1, (int64_t)p->at, "a row of more than %u bytes",
                       BEZ_MAX_RECORD);
  return BEZ_OK;
}

static bez_status put_digests(const bez_reader *r, const piece *p, bez_slab *slab, bez_error *err) {
  bez_status st = bez_slab_reserve(slab, p->len / DIGEST, p->len, err);
  for (size_t at = 0; at < p->len && st == BEZ_OK; at += DIGEST)
    bez_slab_put(slab, BEZ_ITEM_DIGEST, NULL, 0, r->window + p->begin + at, DIGEST);
  return st;
}

/* One piece into items, as far as it goes: what is left of it waits for more bytes, or for another slab. */
static bez_status take_piece(bez_reader *r, piece *p, bez_slab *slab, bez_error *err) {
  if (p->digests) {
    bez_status st = put_digests(r, p, slab, err);
    p->len = 0;
    p->last = true;
    return st;
  }
  if (p->use.form->file_row) {
    if (!p->last && p->len > BEZ_MAX_PICTURE_FILE)
      return bez_fail(err, BEZ_LIMIT, r->path, "a picture of more than %llu bytes",
                      (unsigned long long)BEZ_MAX_PICTURE_FILE);
    if (!p->last) return BEZ_OK;
    bez_status st = put_file_row(r, p, slab, err);
    p->len = 0;
    return st;
  }
  bez_status st = p->first ? put_file(r, p, slab, err) : BEZ_OK;
  p->first = false;
  return st == BEZ_OK ? cut_piece(r, p, slab, err) : st;
}

/* The file's digests into a file of their own, from which they are taken slab by slab. */
static bez_status make_digests(bez_reader *r, const piece *p, bez_error *err) {
  struct stat after;
  r->by_digests = false;
  r->spooled = r->taken = 0;
  bez_status st = bez_store_file(&r->spool, err);
  if (st == BEZ_OK) st = p->use.form->digests(p->use.state, r->path, spool_digests, r, err);
  if (st == BEZ_OK && lstat(r->path, &after) != 0) st = bez_fail_errno(err, r->path, "cannot look at");
  if (st == BEZ_OK && !same_file(&r->before, &after)) st = changed(r, err);
  if (st == BEZ_OK && !r->spooled) {
    close(r->spool);
    r->spool = -1;
  }
  return st;
}

/* Pieces from `first` on, and their bytes, move to the front of the window. */
static void keep_rest(bez_reader *r, size_t first) {
  size_t n = r->n_pieces - first, begin = n ? r->pieces[first].begin : r->len;
  r->len -= begin;
  if (r->len) memmove(r->window, r->window + begin, r->len);
  if (n) memmove(r->pieces, r->pieces + first, n * sizeof *r->pieces);
  for (size_t i = 0; i < n; i++) r->pieces[i].begin -= begin;
  r->n_pieces = n;
}

bez_status bez_reader_cut(bez_reader *r, bez_slab *slab, bez_error *err) {
  bez_status st = BEZ_OK;
  r->crowded = false;
  size_t done = 0;
  for (; done < r->n_pieces && st == BEZ_OK; done++) {
    piece *p = &r->pieces[done];
    st = take_piece(r, p, slab, err);
    if (st != BEZ_OK || !p->last || r->crowded) break;
    if (r->by_digests && done + 1 == r->n_pieces) st = make_digests(r, p, err);
    bez_form_close(&p->use);
  }
  if (st != BEZ_OK) return st;
  keep_rest(r, done);
  slab->last = !r->n_pieces && r->fd < 0 && r->spool < 0 && r->next == r->list->n;
  return BEZ_OK;
}
