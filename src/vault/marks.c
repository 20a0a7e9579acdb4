/* Marking and sweeping of objects. */
#include "vault/marks.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "content/pack_write.h"
#include "content/tree_node.h"
#include "crypto/digest.h"

#define FEW_PACKS 32u          /* more than so many small ones are put together */
#define SMALL_PACK (16u << 20) /* bytes */

struct bez_marks {
  bez_objects *objects;
  uint8_t **bits; /* per pack, a bit per object */
  uint64_t *n;    /* per pack: marked */
  size_t n_packs;
};

bez_status bez_marks_create(bez_objects *objects, bez_marks **out, bez_error *err) {
  bez_marks *marks = calloc(1, sizeof *marks);
  if (!marks) return bez_fail_memory(err, sizeof *marks);
  marks->objects = objects;
  marks->n_packs = objects->n;
  marks->bits = calloc(objects->n + 1, sizeof *marks->bits);
  marks->n = calloc(objects->n + 1, sizeof *marks->n);
  bool ok = marks->bits && marks->n;
  for (size_t i = 0; ok && i < objects->n; i++) {
    marks->bits[i] = calloc(objects->packs[i]->shape.objects / 8 + 1, 1);
    ok = marks->bits[i] != NULL;
  }
  if (!ok) {
    bez_marks_free(marks);
    return bez_fail_memory(err, objects->n * sizeof *marks->bits);
  }
  *out = marks;
  return BEZ_OK;
}

void bez_marks_free(bez_marks *marks) {
  if (!marks) return;
  for (size_t i = 0; marks->bits && i < marks->n_packs; i++) free(marks->bits[i]);
  free(marks->bits);
  free(marks->n);
  free(marks);
}

/* Of several copies the first is kept. */
bool bez_marks_set(bez_marks *marks, const bez_id *id, bool *fresh) {
  uint64_t number = 0;
  *fresh = false;
  for (size_t i = 0; i < marks->n_packs; i++) {
    if (bez_pack_file_number(marks->objects->packs[i], id, &number) != BEZ_FOUND) continue;
    uint8_t *byte = &marks->bits[i][number / 8], bit = (uint8_t)(1u << number % 8);
    *fresh = !(*byte & bit);
    *byte |= bit;
    marks->n[i] += *fresh;
    return true;
  }
  return false;
}

bez_status bez_marks_blobs(bez_marks *marks, bez_error *err) {
  for (size_t i = 0; i < marks->n_packs; i++) {
    const bez_pack_file *file = marks->objects->packs[i];
    for (uint64_t k = 0; k < file->shape.objects; k++) {
      bez_object_record object;
      bool fresh;
      if (!bez_pack_file_object(file, k, &object))
        return bez_fail(err, BEZ_FORMAT, file->path, "damaged: its directory cannot be read");
      if (object.kind == BEZ_OBJECT_BLOB) (void)bez_marks_set(marks, &object.id, &fresh);
    }
  }
  return BEZ_OK;
}

static bez_status fail_missing(const bez_id *id, bez_error *err) {
  char hex[2 * BEZ_ID + 1];
  bez_hex(id->bytes, BEZ_ID, hex);
  return bez_fail(err, BEZ_FORMAT, hex, "the object is missing: bezoar vault verify tells whose it is");
}

static bez_status mark_entry(bez_marks *marks, bez_tree_kind kind, const bez_tree_entry *entry, unsigned height,
                             bez_buf *scratch, bez_error *err) {
  bool fresh = false;
  bez_status st = BEZ_OK;
  if (!bez_marks_set(marks, &entry->id, &fresh)) return fail_missing(&entry->id, err);
  if (!fresh || height == 1) return BEZ_OK; /* with a node all below it was marked */
  bez_tree_node *node = malloc(sizeof *node);
  if (!node) return bez_fail_memory(err, sizeof *node);
  st = bez_tree_node_read(marks->objects, kind, entry, scratch, node, err);
  for (size_t i = 0; st == BEZ_OK && i < node->n; i++)
    st = mark_entry(marks, kind, &node->entries[i], height - 1, scratch, err);
  free(node);
  return st;
}

bez_status bez_marks_tree(bez_marks *marks, const bez_tree *tree, bez_error *err) {
  bool fresh = false;
  bez_buf scratch = {0};
  if (tree->height > BEZ_TREE_HEIGHT) return bez_fail(err, BEZ_INTERNAL, NULL, "a tree that was not opened");
  if (!bez_marks_set(marks, &tree->id, &fresh) && tree->height) return fail_missing(&tree->id, err);
  bez_status st = tree->height ? mark_entry(marks, tree->kind, &tree->top, tree->height, &scratch, err) : BEZ_OK;
  bez_buf_free(&scratch);
  return st;
}

/* Whether a pack is written anew. */
static bool goes(const bez_marks *marks, size_t pack, bool together) {
  const bez_pack_file *file = marks->objects->packs[pack];
  return marks->n[pack] < file->shape.objects || (together && file->size < SMALL_PACK);
}

static bool many_small(const bez_marks *marks) {
  size_t n = 0;
  for (size_t i = 0; i < marks->n_packs; i++) n += marks->objects->packs[i]->size < SMALL_PACK;
  return n > FEW_PACKS;
}

bez_status bez_marks_count(const bez_marks *marks, bez_sweep *out, bez_error *err) {
  const bool together = many_small(marks);
  for (size_t i = 0; i < marks->n_packs; i++) {
    const bez_pack_file *file = marks->objects->packs[i];
    out->objects += file->shape.objects - marks->n[i];
    out->bytes_before += file->size;
    if (!goes(marks, i, together)) continue;
    out->packs++;
    char **old = realloc(out->old, (out->n_old + 1) * sizeof *old);
    if (!old) return bez_fail_memory(err, sizeof *old);
    out->old = old;
    old[out->n_old] = strdup(file->path);
    if (!old[out->n_old]) return bez_fail_memory(err, strlen(file->path));
    out->n_old++;
  }
  return BEZ_OK;
}

typedef struct place {
  uint32_t block, offset;
  uint64_t number;
} place;

static int by_place(const void *a, const void *b) {
  const place *x = a, *y = b;
  if (x->block != y->block) return x->block < y->block ? -1 : 1;
  return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* In the order in which they lie, so that every block is unpacked once and neighbours stay neighbours. */
static bez_status copy_marked(const bez_marks *marks, size_t pack, bez_pack *to, bez_error *err) {
  const bez_pack_file *file = marks->objects->packs[pack];
  bez_status st = BEZ_OK;
  bez_buf scratch = {0};
  size_t n = 0;
  place *places = malloc((marks->n[pack] + 1) * sizeof *places);
  if (!places) return bez_fail_memory(err, marks->n[pack] * sizeof *places);
  for (uint64_t i = 0; i < file->shape.objects; i++) {
    bez_object_record object;
    if (!(marks->bits[pack][i / 8] >> i % 8 & 1)) continue;
    if (!bez_pack_file_object(file, i, &object))
      BEZ_TRY(bez_fail(err, BEZ_FORMAT, file->path, "damaged: its directory cannot be read"));
    places[n++] = (place){object.block, object.offset, i};
  }
  qsort(places, n, sizeof *places, by_place);
  for (size_t i = 0; i < n; i++) BEZ_TRY(bez_pack_copy(to, file, places[i].number, &scratch, err));
cleanup:
  free(places);
  bez_buf_free(&scratch);
  return st;
}

static bez_status sweep_into(bez_marks *marks, bez_pack *to, bez_error *err) {
  const bool together = many_small(marks);
  for (size_t i = 0; i < marks->n_packs; i++) {
    if (!goes(marks, i, together) || !marks->n[i]) continue;
    bez_status st = copy_marked(marks, i, to, err);
    if (st != BEZ_OK) return st;
  }
  return BEZ_OK;
}

static uint64_t inode(const char *path) {
  struct stat info;
  return stat(path, &info) == 0 ? (uint64_t)info.st_ino : 0;
}

/* A pack that was written again under its own name stays: its file is another one now. */
static void spare_rewritten(bez_sweep *sweep, const uint64_t *inodes) {
  size_t kept = 0;
  for (size_t i = 0; i < sweep->n_old; i++)
    if (inode(sweep->old[i]) == inodes[i])
      sweep->old[kept++] = sweep->old[i];
    else
      free(sweep->old[i]);
  sweep->n_old = kept;
}

bez_status bez_marks_sweep(bez_marks *marks, bez_sweep *out, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_pack *pack = NULL;
  uint64_t *inodes = NULL, written = 0;
  BEZ_TRY(bez_marks_count(marks, out, err));
  inodes = malloc((out->n_old + 1) * sizeof *inodes);
  if (!inodes) BEZ_TRY(bez_fail_memory(err, out->n_old * sizeof *inodes));
  for (size_t i = 0; i < out->n_old; i++) inodes[i] = inode(out->old[i]);
  BEZ_TRY(bez_pack_begin_anew(marks->objects, &pack, err));
  BEZ_TRY(sweep_into(marks, pack, err));
  st = bez_pack_finish(pack, &written, err); /* the marks are of packs that may be other ones now */
  pack = NULL;
  if (st == BEZ_OK) spare_rewritten(out, inodes);
  out->bytes_after = out->bytes_before + written;
  for (size_t i = 0; i < out->n_old; i++) {
    struct stat info;
    if (stat(out->old[i], &info) == 0) out->bytes_after -= (uint64_t)info.st_size;
  }
cleanup:
  bez_pack_abandon(pack);
  free(inodes);
  return st;
}

bez_status bez_sweep_remove(bez_objects *objects, const bez_sweep *sweep, bez_error *err) {
  for (size_t i = 0; i < sweep->n_old; i++)
    if (unlink(sweep->old[i]) != 0) return bez_fail_errno(err, sweep->old[i], "cannot remove");
  return bez_objects_refresh(objects, err);
}

void bez_sweep_free(bez_sweep *sweep) {
  for (size_t i = 0; i < sweep->n_old; i++) free(sweep->old[i]);
  free(sweep->old);
  *sweep = (bez_sweep){0};
}
