/* Labels of pictures (labels.h): from their folders, or from a table of names and labels. */
#include "content/labels.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/file.h"
#include "base/limits.h"
#include "content/form.h"
#include "format/image_files.h"

#define MAX_LABELS_FILE ((size_t)1 << 30)
#define SPANS 1024u

typedef struct entry {
  const char *name, *label; /* label NULL: none */
} entry;

struct bez_file_labels {
  bool by_folder;
  entry *items; /* by name */
  size_t n, cap;
  bez_arena arena;
};

/* The table in the making. */
typedef struct reading {
  const char *path;
  bez_file_labels *labels;
  const char *name_column, *label_column; /* in the arena; NULL before they are known */
  unsigned name_rank, label_rank;         /* how good a name for it that is; smaller is better */
  entry now;
} reading;

/* Place of a name in a list, NONE: it is not there. Case and "_", "-", " " aside. */
#define NONE 1000u
static unsigned rank(const char *const *list, const char *name, size_t len) {
  for (unsigned i = 0; list[i]; i++) {
    const char *want = list[i];
    size_t k = 0;
    for (; k < len; k++) {
      if (name[k] == '_' || name[k] == '-' || name[k] == ' ') continue;
      char c = (char)(name[k] >= 'A' && name[k] <= 'Z' ? name[k] + 32 : name[k]);
      if (c != *want) break;
      want++;
    }
    if (k == len && !*want) return i;
  }
  return NONE;
}

/* The columns are chosen by what the first row has. */
static bez_status choose(void *ctx, const char *name, size_t name_len, const char *value, size_t len, int kind,
                         bez_error *err) {
  static const char *const names[] = {"path",  "filepath",  "filename", "file", "imagepath", "imgpath", "imagefile",
                                      "image", "imagename", "picture",  "img",  "name",      NULL};
  static const char *const labels[] = {"label", "labels", "class", "target", "category", "classname", "classid", NULL};
  (void)value, (void)len, (void)kind;
  reading *r = ctx;
  unsigned as_name = rank(names, name, name_len), as_label = rank(labels, name, name_len);
  const char **column = as_name < r->name_rank ? &r->name_column : as_label < r->label_rank ? &r->label_column : NULL;
  if (!column) return BEZ_OK;
  *(as_name < r->name_rank ? &r->name_rank : &r->label_rank) = as_name < r->name_rank ? as_name : as_label;
  *column = bez_arena_strndup(&r->labels->arena, name, name_len);
  return *column ? BEZ_OK : bez_fail_memory(err, name_len);
}

static bez_status take(void *ctx, const char *name, size_t name_len, const char *value, size_t len, int kind,
                       bez_error *err) {
  reading *r = ctx;
  bool is_name = strlen(r->name_column) == name_len && !memcmp(r->name_column, name, name_len);
  bool is_label = strlen(r->label_column) == name_len && !memcmp(r->label_column, name, name_len);
  if ((!is_name && !is_label) || kind == BEZ_FIELD_NONE) return BEZ_OK;
  if (memchr(value, 0, len)) return bez_fail(err, BEZ_FORMAT, r->path, "a NUL in a name or a label");
  while (is_name && len > 2 && value[0] == '.' && value[1] == '/') value += 2, len -= 2;
  const char *kept = bez_arena_strndup(&r->labels->arena, value, len);
  if (!kept) return bez_fail_memory(err, len);
  *(is_name ? &r->now.name : &r->now.label) = kept;
  return BEZ_OK;
}

static bez_status take_row(reading *r, const bez_form_use *use, const bez_item *row, bez_buf *scratch, bez_error *err) {
  bez_file_labels *l = r->labels;
  bez_status st = BEZ_OK;
  if (!r->name_column) {
    st = use->form->fields(use->state, row, scratch, choose, r, err);
    if (st == BEZ_OK && (!r->name_column || !r->label_column))
      st = bez_fail(err, BEZ_FORMAT, r->path,
                    "no labels file: it needs a column of names (file, path, image …) and one "
                    "of labels (label, class …)");
    if (st != BEZ_OK) return st;
  }
  r->now = (entry){0};
  st = use->form->fields(use->state, row, scratch, take, r, err);
  if (st != BEZ_OK || !r->now.name) return st;
  if (l->n == l->cap) {
    size_t cap = l->cap ? 2 * l->cap : 1024;
    entry *grown = cap > BEZ_MAX_FILES * 2u ? NULL : realloc(l->items, cap * sizeof *grown);
    if (!grown) return bez_fail_memory(err, cap * sizeof *grown);
    l->items = grown;
    l->cap = cap;
  }
  l->items[l->n++] = r->now;
  return BEZ_OK;
}

static bez_status take_rows(reading *r, const bez_form_use *use, const char *bytes, size_t len, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_buf scratch = {0};
  bez_span *spans = calloc(SPANS, sizeof *spans);
  if (!spans) return bez_fail_memory(err, SPANS * sizeof *spans);
  for (size_t at = 0, n = 0, used = 0; at < len; at += used) {
    BEZ_TRY(use->form->cut(use->state, bytes + at, len - at, true, at, spans, SPANS, &n, &used, err));
    for (size_t i = 0; i < n; i++) {
      bez_item row = {.type = BEZ_ITEM_ROW, .body = bytes + at + spans[i].begin, .body_len = spans[i].len};
      if (spans[i].type == BEZ_ITEM_ROW) BEZ_TRY(take_row(r, use, &row, &scratch, err));
    }
  }
cleanup:
  free(spans);
  bez_buf_free(&scratch);
  return st;
}

static int by_name(const void *a, const void *b) {
  return strcmp(((const entry *)a)->name, ((const entry *)b)->name);
}

static bool same_label(const char *a, const char *b) {
  return a && b ? !strcmp(a, b) : a == b;
}

static bez_status sort(reading *r, bez_error *err) {
  bez_file_labels *l = r->labels;
  if (l->n) qsort(l->items, l->n, sizeof *l->items, by_name);
  for (size_t i = 1; i < l->n; i++)
    if (!by_name(&l->items[i - 1], &l->items[i]) && !same_label(l->items[i - 1].label, l->items[i].label))
      return bez_fail(err, BEZ_FORMAT, r->path, "\"%.100s\" stands there with different labels", l->items[i].name);
  return BEZ_OK;
}

/* CSV or JSONL, by content. */
static bez_status read_table(const char *path, bez_file_labels *labels, bez_error *err) {
  bez_buf bytes = {0};
  bez_form_use use = {0};
  reading r = {.path = path, .labels = labels, .name_rank = NONE, .label_rank = NONE};
  const bez_form *csv = bez_form_named("csv"), *jsonl = bez_form_named("jsonl");
  bez_status st = bez_file_read(path, MAX_LABELS_FILE, &bytes, err);
  if (st != BEZ_OK) goto cleanup;
  if (!csv || !jsonl) BEZ_TRY(bez_fail(err, BEZ_UNSUPPORTED, path, "labels files cannot be read"));
  const uint8_t *head = (const uint8_t *)bytes.data;
  int as_csv = csv->sniff(path, head, bytes.len, true), as_jsonl = jsonl->sniff(path, head, bytes.len, true);
  use.form = as_jsonl > as_csv ? jsonl : csv;
  BEZ_TRY(use.form->open(path, bytes.data, bytes.len, true, &use.state, err));
  BEZ_TRY(take_rows(&r, &use, bytes.data, bytes.len, err));
  BEZ_TRY(sort(&r, err));
cleanup:
  if (use.state) use.form->close(use.state);
  bez_buf_free(&bytes);
  return st;
}

bez_status bez_file_labels_open(const char *path, bez_file_labels **out, bez_error *err) {
  bez_file_labels *l = calloc(1, sizeof *l);
  if (!l) return bez_fail_memory(err, sizeof *l);
  l->by_folder = !path;
  bez_status st = path ? read_table(path, l, err) : BEZ_OK;
  if (st != BEZ_OK) {
    bez_file_labels_free(l);
    return st;
  }
  *out = l;
  return BEZ_OK;
}

void bez_file_labels_free(bez_file_labels *labels) {
  if (!labels) return;
  free(labels->items);
  bez_arena_free(&labels->arena);
  free(labels);
}

static const entry *find(const bez_file_labels *l, const char *name) {
  entry key = {.name = name};
  return l->n ? bsearch(&key, l->items, l->n, sizeof key, by_name) : NULL;
}

bez_status bez_file_labels_head(const bez_file_labels *l, const char *name, bez_buf *out, bez_error *err) {
  const char *label = NULL;
  size_t len = 0;
  if (l->by_folder) {
    size_t end, from = bez_image_folder_label(name, &end);
    if (end) label = name + from, len = end - from;
  } else {
    const char *slash = strrchr(name, '/');
    const entry *e = find(l, name);
    if (!e && slash) e = find(l, slash + 1);
    if (e && e->label) label = e->label, len = strlen(label);
  }
  bez_buf_puts(out, name);
  if (label) bez_buf_putc(out, 0);
  if (label) bez_buf_write(out, label, len);
  return bez_buf_status(out, err);
}
