/* Archives of pictures, as MNIST and its kin are published: x_train and y_train, images and labels, arr_0 and arr_1. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/limits.h"
#include "format/npz.h"
#include "format/pixels.h"

#define MAX_WORDS 8u

typedef struct words {
  char text[64]; /* lower case, NUL-terminated words one behind the other */
  const char *word[MAX_WORDS];
  uint32_t n;
} words;

static char lower(char c) {
  return (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

static bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (unsigned char)c >= 0x80;
}

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/* "X_train2" → x, train, 2; "trainLabels" → train, labels. Words beyond what fits are dropped: only a name is lost. */
static void split(const char *name, words *w) {
  size_t at = 0;
  char before = 0;
  w->n = 0;
  for (const char *p = name; *p && at + 2 < sizeof w->text; before = *p++) {
    char c = lower(*p);
    bool letter = is_letter(c), digit = is_digit(c);
    bool hump = *p != c && is_letter(before);
    bool goes_on = (letter && is_letter(lower(before)) && !hump) || (digit && is_digit(before));
    if (!letter && !digit) continue;
    if (!goes_on) {
      if (w->n == MAX_WORDS) break;
      if (w->n) w->text[at++] = 0;
      w->word[w->n++] = &w->text[at];
    }
    w->text[at++] = c;
  }
  w->text[at] = 0;
}

static bool among(const char *word, const char *const *list) {
  for (; *list; list++)
    if (!strcmp(*list, word)) return true;
  return false;
}

static const char *const picture_words[] = {"x",    "image",  "images",  "img",    "imgs",  "picture", "pictures",
                                            "data", "pixels", "feature", "inputs", "input", "arr",     NULL};
static const char *const label_words[] = {"y",     "label",   "labels", "lab",  "target", "targets",
                                          "class", "classes", "output", "fine", NULL};

/* Whether the names say the same once what they say about pictures and labels is taken off. */
static bool same_part(const words *picture, const words *label) {
  const char *left[MAX_WORDS], *right[MAX_WORDS];
  uint32_t n_left = 0, n_right = 0;
  for (uint32_t i = 0; i < picture->n; i++)
    if (!among(picture->word[i], picture_words)) left[n_left++] = picture->word[i];
  for (uint32_t i = 0; i < label->n; i++)
    if (!among(label->word[i], label_words)) right[n_right++] = label->word[i];
  if (n_left != n_right) return false;
  for (uint32_t i = 0; i < n_left; i++)
    if (strcmp(left[i], right[i]) != 0) return false;
  return true;
}

/* Whether the names say different parts of the data: y_test is no label of x_train, however many rows it has. */
static bool other_part(const words *a, const words *b) {
  static const char *const parts[] = {"train", "training",   "test",  "testing", "val",
                                      "valid", "validation", "extra", NULL};
  const char *x = NULL, *y = NULL;
  for (uint32_t i = 0; i < a->n; i++)
    if (among(a->word[i], parts)) x = a->word[i];
  for (uint32_t i = 0; i < b->n; i++)
    if (among(b->word[i], parts)) y = b->word[i];
  return x && y && strcmp(x, y) != 0;
}

static bool could_be_labels(const bez_array *a, uint64_t rows) {
  return a->n_rows == rows && a->n_dims <= 2 && a->n_fields == 1 && a->fields[0].kind != BEZ_ITEM_TIME &&
         a->fields[0].kind != BEZ_ITEM_SPAN;
}

int bez_npz_labels(const bez_npz_member *members, uint32_t n, uint32_t picture) {
  words mine, other;
  int best = -1, best_score = 0;
  split(members[picture].name, &mine);
  for (uint32_t i = 0; i < n; i++) {
    const bez_array *a = &members[i].array;
    if (!could_be_labels(a, members[picture].array.n_rows)) continue;
    split(members[i].name, &other);
    if (other_part(&mine, &other)) continue;
    int score = 1 + 8 * same_part(&mine, &other) + 2 * (i == picture + 1);
    for (uint32_t k = 0; k < other.n; k++)
      if (among(other.word[k], label_words)) score += 4;
    if (a->fields[0].kind == BEZ_ITEM_FLOAT) score -= 1; /* classes are seldom real numbers */
    if (score > best_score) {
      best_score = score;
      best = (int)i;
    }
  }
  return best;
}

/* Texts of the labels in the arena, from `first` on. */
static bez_status take_labels(const bez_array *a, const char *subject, bez_arena *arena, const char **out,
                              bez_error *err) {
  const bez_field *f = &a->fields[0];
  if (f->size > BEZ_MAX_NAME) return bez_fail(err, BEZ_LIMIT, subject, "labels longer than %u bytes", BEZ_MAX_NAME);
  char *text = malloc(bez_array_cell_room(f) + 1);
  if (!text) return bez_fail_memory(err, bez_array_cell_room(f));
  const char *last = NULL;
  for (uint64_t row = 0; row < a->n_rows; row++) {
    const char *cell;
    uint32_t len;
    (void)bez_array_cell(f, a->bytes + f->offset + row * a->stride, text, &cell, &len);
    bool again = last && strlen(last) == len && !memcmp(last, cell, len); /* sorted sets hold long runs */
    if (!again) last = bez_arena_strndup(arena, cell, len);
    if (!last) break;
    out[row] = last;
  }
  free(text);
  return last || !a->n_rows ? BEZ_OK : bez_fail_memory(err, 64);
}

typedef struct taking {
  const bez_source *source;
  bez_npz_member *members;
  uint32_t n;
  bez_builder *builder;
  bez_arena arena;
  const char **labels; /* one per row of all pictures */
  uint64_t rows;
  bool any_label;
  uint8_t *used; /* per member */
} taking;

static bez_status take_pictures(taking *t, uint32_t i, bez_error *err) {
  bez_npz_member *m = &t->members[i];
  int labels = bez_npz_labels(t->members, t->n, i);
  bez_source named = *t->source; /* so that messages name the member */
  named.path = bez_arena_printf(&t->arena, "%s:%s.npy", t->source->path, m->name);
  if (!named.path) return bez_fail_memory(err, 64);
  bez_status st = bez_pixels_push(&named, &m->array, t->builder, err);
  if (st == BEZ_OK && labels >= 0) {
    st = take_labels(&t->members[labels].array, t->source->path, &t->arena, t->labels + t->rows, err);
    t->used[labels] = 1;
    t->any_label = true;
  }
  t->rows += m->array.n_rows;
  t->used[i] = 1;
  bez_store_free(&m->store);
  return st;
}

bez_status bez_npz_images(const bez_source *source, bez_npz_member *members, uint32_t n, bez_builder *builder,
                          bez_error *err) {
  bez_status st = BEZ_OK;
  taking t = {.source = source, .members = members, .n = n, .builder = builder};
  uint64_t rows = 0;
  for (uint32_t i = 0; i < n; i++) {
    const bez_array *a = &members[i].array;
    if (a->n_dims <= 2) continue;
    if (!a->stride) return bez_fail(err, BEZ_FORMAT, source->path, "the pictures of \"%s\" are empty", members[i].name);
    if (__builtin_add_overflow(rows, a->n_rows, &rows))
      return bez_fail(err, BEZ_LIMIT, source->path, "too many pictures");
  }
  if (rows > BEZ_MAX_ROWS) return bez_fail(err, BEZ_LIMIT, source->path, "too many pictures");
  t.labels = calloc(rows + 1, sizeof *t.labels);
  t.used = calloc(n, 1);
  if (!t.labels || !t.used) BEZ_TRY(bez_fail_memory(err, rows * sizeof *t.labels));
  for (uint32_t i = 0; i < n; i++)
    if (members[i].array.n_dims > 2) BEZ_TRY(take_pictures(&t, i, err));
  for (uint32_t i = 0; i < n; i++)
    if (!t.used[i]) bez_builder_remark(builder, "left-out-member", source->path, 1, -1, members[i].name);
  BEZ_TRY(bez_image_rows_push(builder, source->path, "npz", source->size, t.rows, t.any_label ? t.labels : NULL, err));
cleanup:
  bez_arena_free(&t.arena);
  free(t.labels);
  free(t.used);
  return st;
}
