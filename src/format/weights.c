/* Where tensors lie is checked once, when a model is opened; reading is positioned reads and unpacking. */
#include "format/weights.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "format/beneath.h"

#define PIECE ((size_t)64 << 10) /* bytes of packed numbers held at a time, on the stack */

typedef struct place {
  const bez_number_type *type; /* NULL: cannot be read, and why */
  const char *why;
  uint64_t items;
  uint32_t file; /* of bez_weights.files */
} place;

/* The model's own file is the first; external data are opened for each read, since there may be as many as tensors. */
typedef struct data_file {
  const char *name;
  uint64_t size;
  const char *why; /* NULL: it can be opened */
} data_file;

struct bez_weights {
  const char *path;
  const bez_model *model;
  int fd, folder; /* folder −1: there is no external data */
  data_file *files;
  uint32_t n_files;
  place *places;
  bez_arena arena;
};

/* ---- opening ---------------------------------------------------------------------------------------------------- */

static int data_open(const bez_weights *w, const data_file *file, uint64_t *size, const char **why) {
  struct stat info;
  int fd = bez_open_beneath(w->folder, file->name);
  *why = fd < 0 ? "its data lies in a file that is not there or not in the model's folder" : NULL;
  if (fd >= 0 && (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))) {
    *why = "its data lies in something that is no file";
    close(fd);
    return -1;
  }
  if (fd >= 0) *size = (uint64_t)info.st_size;
  return fd;
}

/* Tensors of one file mostly stand behind each other: only the model's own and the last one are remembered. */
static bool file_of(bez_weights *w, const char *name, uint32_t *out) {
  if (w->n_files && (!*name || !strcmp(w->files[w->n_files - 1].name, name))) {
    *out = *name ? w->n_files - 1 : 0;
    return true;
  }
  if ((w->n_files & (w->n_files - 1)) == 0) { /* a power of two: full */
    data_file *more = bez_arena_array(&w->arena, w->n_files ? 2 * (size_t)w->n_files : 1, sizeof *more);
    if (!more) return false;
    if (w->n_files) memcpy(more, w->files, w->n_files * sizeof *more);
    w->files = more;
  }
  data_file *file = &w->files[w->n_files];
  *file = (data_file){.name = name};
  if (w->n_files) {
    int fd = data_open(w, file, &file->size, &file->why);
    if (fd >= 0) close(fd);
  }
  *out = w->n_files++;
  return true;
}

/* The product of the shape; false where it is larger than any file. */
static bool count_items(const bez_model_tensor *t, uint64_t *items) {
  *items = 1;
  for (uint32_t d = 0; d < t->n_dims; d++)
    if (__builtin_mul_overflow(*items, t->shape[d], items)) return false;
  return *items < UINT64_C(1) << 56;
}

static const char *why_not(const bez_model_tensor *t, const data_file *file, const place *p) {
  if (t->strided) return "its numbers do not lie in order";
  if (t->at == UINT64_MAX) return "it is packed within another file";
  if (!p->type) return "its type of numbers is not known here";
  if (file->why) return file->why;
  const uint64_t row = t->n_dims ? t->shape[t->n_dims - 1] : 1;
  if (row % p->type->items) return "its rows are no whole number of blocks";
  if (p->items / p->type->items * p->type->bytes != t->bytes) return "its bytes do not fit its shape";
  if (t->at > file->size || t->bytes > file->size - t->at) return "it lies beyond the end of the file";
  return NULL;
}

static bool find_places(bez_weights *w) {
  for (uint32_t i = 0; i < w->model->n_tensors; i++) {
    const bez_model_tensor *t = &w->model->tensors[i];
    place *p = &w->places[i];
    if (!file_of(w, t->file, &p->file)) return false;
    p->type = bez_number_type_find(t->dtype);
    p->why = count_items(t, &p->items) ? why_not(t, &w->files[p->file], p) : "its shape is too large";
    if (p->why) *p = (place){.why = p->why};
  }
  return true;
}

static bool has_external(const bez_model *m) {
  for (uint32_t i = 0; i < m->n_tensors; i++)
    if (*m->tensors[i].file) return true;
  return false;
}

static int open_folder(bez_weights *w) {
  const char *slash = strrchr(w->path, '/');
  char *folder = slash ? bez_arena_strndup(&w->arena, w->path, (size_t)(slash - w->path) + 1) : NULL;
  return open(folder ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

bez_status bez_weights_open(const char *path, const bez_model *model, bez_weights **out, bez_error *err) {
  bez_status st = BEZ_OK;
  struct stat info;
  uint32_t own;
  bez_weights *w = calloc(1, sizeof *w);
  if (!w) return bez_fail_memory(err, sizeof *w);
  *w = (bez_weights){.path = path, .model = model, .folder = -1};
  w->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (w->fd < 0) BEZ_TRY(bez_fail_errno(err, path, "cannot open"));
  if (fstat(w->fd, &info) != 0 || !S_ISREG(info.st_mode)) BEZ_TRY(bez_fail(err, BEZ_IO, path, "is no regular file"));
  if (has_external(model)) w->folder = open_folder(w);
  w->places = bez_arena_array(&w->arena, (size_t)model->n_tensors + 1, sizeof *w->places);
  if (!w->places || !file_of(w, "", &own)) BEZ_TRY(bez_fail_memory(err, sizeof *w->places));
  w->files[own].size = (uint64_t)info.st_size;
  if (!find_places(w)) BEZ_TRY(bez_fail_memory(err, sizeof *w->files));
  *out = w;
  return BEZ_OK;
cleanup:
  bez_weights_close(w);
  return st;
}

void bez_weights_close(bez_weights *w) {
  if (!w) return;
  if (w->fd >= 0) close(w->fd);
  if (w->folder >= 0) close(w->folder);
  bez_arena_free(&w->arena);
  free(w);
}

const char *bez_weights_unreadable(const bez_weights *w, uint32_t tensor) {
  return w->places[tensor].why;
}

uint64_t bez_weights_items(const bez_weights *w, uint32_t tensor) {
  return w->places[tensor].items;
}

const bez_number_type *bez_weights_type(const bez_weights *w, uint32_t tensor) {
  return w->places[tensor].type;
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

/* The open file that holds the tensor: to be closed with shut. */
static int file_open(const bez_weights *w, uint32_t file) {
  const char *why;
  uint64_t size;
  return file ? data_open(w, &w->files[file], &size, &why) : w->fd;
}

static void file_shut(const bez_weights *w, int fd) {
  if (fd != w->fd && fd >= 0) close(fd);
}

bez_status bez_weights_raw(const bez_weights *w, uint32_t tensor, uint64_t at, size_t n, void *out, bez_error *err) {
  const bez_model_tensor *t = &w->model->tensors[tensor];
  const place *p = &w->places[tensor];
  if (!p->type || at > t->bytes || n > t->bytes - at)
    return bez_fail(err, BEZ_USAGE, w->path, "tensor %s: outside of its numbers", t->name);
  int fd = file_open(w, p->file);
  if (fd < 0) return bez_fail(err, BEZ_IO, w->path, "tensor %s: %s is gone", t->name, t->file);
  bez_status st = bez_file_pread(fd, p->file ? t->file : w->path, out, n, t->at + at, err);
  file_shut(w, fd);
  return st;
}

/* Whole blocks, a piece at a time. */
static bez_status read_blocks(int fd, const char *name, const bez_number_type *type, uint64_t at, size_t n, float *out,
                              bez_error *err) {
  uint8_t piece[PIECE];
  if (type->unpack == bez_unpack_f32) return bez_file_pread(fd, name, out, n * sizeof *out, at, err);
  const size_t most = PIECE / type->bytes;
  for (size_t k; n; n -= k) {
    k = n < most ? n : most;
    bez_status st = bez_file_pread(fd, name, piece, k * type->bytes, at, err);
    if (st != BEZ_OK) return st;
    type->unpack(piece, k, out);
    at += k * type->bytes;
    out += k * type->items;
  }
  return BEZ_OK;
}

/* Items [from, to) of one block. */
static bez_status read_part(int fd, const char *name, const bez_number_type *type, uint64_t at, uint32_t from,
                            uint32_t to, float *out, bez_error *err) {
  float whole[BEZ_BLOCK_MOST];
  bez_status st = read_blocks(fd, name, type, at, 1, whole, err);
  if (st == BEZ_OK) memcpy(out, whole + from, (to - from) * sizeof *out);
  return st;
}

bez_status bez_weights_read(const bez_weights *w, uint32_t tensor, uint64_t first, size_t n, float *out,
                            bez_error *err) {
  bez_status st = BEZ_OK;
  const bez_model_tensor *t = &w->model->tensors[tensor];
  const place *p = &w->places[tensor];
  if (!p->type || first > p->items || n > p->items - first)
    return bez_fail(err, BEZ_USAGE, w->path, "tensor %s: outside of its numbers", t->name);
  const char *name = p->file ? t->file : w->path;
  const uint32_t size = p->type->items, skip = (uint32_t)(first % size);
  uint64_t at = t->at + first / size * p->type->bytes;
  int fd = file_open(w, p->file);
  if (fd < 0) return bez_fail(err, BEZ_IO, w->path, "tensor %s: %s is gone", t->name, t->file);
  if (skip && n) {
    const uint32_t end = n < size - skip ? skip + (uint32_t)n : size;
    BEZ_TRY(read_part(fd, name, p->type, at, skip, end, out, err));
    n -= end - skip;
    out += end - skip;
    at += p->type->bytes;
  }
  BEZ_TRY(read_blocks(fd, name, p->type, at, n / size, out, err));
  at += n / size * p->type->bytes;
  if (n % size) BEZ_TRY(read_part(fd, name, p->type, at, 0, (uint32_t)(n % size), out + n / size * size, err));
cleanup:
  file_shut(w, fd);
  return st;
}
