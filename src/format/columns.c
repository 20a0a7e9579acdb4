/* The columns of a data set: the wanted ones of its first file, and how those of further files fit to them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/limits.h"
#include "format/builder_internal.h"

#define SHOWN 100u /* bytes of a name in a message */

static bool is_name(const char *want, const char *name, size_t len) {
  return want && strlen(want) == len && !memcmp(want, name, len);
}

static bool lists(const char *const *list, size_t n, const char *name, size_t len) {
  for (size_t i = 0; i < n; i++)
    if (is_name(list[i], name, len)) return true;
  return false;
}

bool bez_builder_wants(const bez_builder *b, const char *name, size_t len) {
  const bez_read_options *o = &b->options;
  return !o->n_columns || lists(o->columns, o->n_columns, name, len) || lists(o->text, o->n_text, name, len) ||
         is_name(o->label, name, len) || is_name(o->source, name, len) || is_name(o->id, name, len);
}

const bez_read_options *bez_builder_options(const bez_builder *b) {
  return &b->options;
}

/* Makes an array larger; the new items are zero. */
static bool resize(void *array, uint32_t have, uint32_t cap, size_t size) {
  char *grown;
  memcpy(&grown, array, sizeof grown);
  grown = realloc(grown, (size_t)cap * size);
  if (!grown) return false;
  memset(grown + (size_t)have * size, 0, (size_t)(cap - have) * size);
  memcpy(array, &grown, sizeof grown);
  return true;
}

static bool make_room(bez_builder *b) {
  uint32_t have = b->cap_cols, cap = have ? 2 * have : 32;
  bool good = resize(&b->names, have, cap, sizeof *b->names) && resize(&b->absent, have, cap, sizeof *b->absent) &&
              resize(&b->plans, have, cap, sizeof *b->plans) &&
              resize(&b->plan_type, have, cap, sizeof *b->plan_type) &&
              resize(&b->plan_distinct, have, cap, sizeof *b->plan_distinct);
  for (unsigned w = 0; w < b->threads && good; w++)
    good = resize(&b->workers[w].lanes, have, cap, sizeof *b->workers[w].lanes);
  if (good) b->cap_cols = cap;
  return good;
}

/* One more column, also when tiles stand already: these hold no cell of it. */
static bez_status add_column(bez_builder *b, const char *name, size_t len, bez_error *err) {
  uint32_t c = b->n_cols;
  if (c == BEZ_MAX_COLUMNS) return bez_fail(err, BEZ_LIMIT, NULL, "more than %u columns", BEZ_MAX_COLUMNS);
  if (c == b->cap_cols && !make_room(b)) return bez_fail_memory(err, c * sizeof(bez_lane));
  b->names[c] = bez_arena_strndup(&b->arena, name, len);
  if (!b->names[c]) return bez_fail_memory(err, len);
  for (unsigned w = 0; w < b->threads; w++)
    for (unsigned k = 0; k < 2; k++)
      b->workers[w].lanes[c].dict.seed[k] = bez_mix64(((uint64_t)(uintptr_t)b ^ c) * 2 + k + 0x9e3779b97f4a7c15ull);
  b->n_cols++;
  return BEZ_OK;
}

static int find_name(const bez_builder *b, const char *name, size_t len, uint32_t hint) {
  for (uint32_t i = 0; i < b->n_cols; i++) { /* the hint is right but for files that shuffle their columns */
    uint32_t c = (hint + i) % b->n_cols;
    if (is_name(b->names[c], name, len)) return (int)c;
  }
  return -1;
}

uint32_t bez_builder_column(const bez_builder *b, const char *name, size_t len, uint32_t hint) {
  int c = bez_builder_wants(b, name, len) ? find_name(b, name, len, hint) : -1;
  return c < 0 ? BEZ_NO_COLUMN : (uint32_t)c;
}

/* The columns as a reader declares them. */
typedef struct header {
  const char *path;
  const char *const *names;
  const size_t *len; /* NULL: NUL-terminated */
  uint32_t n;
  bool join; /* the file may lack columns and bring new ones */
} header;

static size_t length(const header *h, uint32_t c) {
  return h->len ? h->len[c] : strlen(h->names[c]);
}

static bez_status check_header(const header *h, bez_error *err) {
  if (h->n == 0) return bez_fail(err, BEZ_FORMAT, h->path, "no columns");
  if (h->n > BEZ_MAX_COLUMNS)
    return bez_fail(err, BEZ_LIMIT, h->path, "%u columns, at most %u are read", h->n, BEZ_MAX_COLUMNS);
  for (uint32_t c = 0; c < h->n; c++)
    if (length(h, c) > BEZ_MAX_NAME)
      return bez_fail(err, BEZ_LIMIT, h->path, "the name of column %u is longer than %u bytes", c + 1, BEZ_MAX_NAME);
  return BEZ_OK;
}

/* The file's columns get their places in the table; in a further file, absent[] then tells which got none. */
static bez_status place(bez_builder *b, const header *h, bool first, bez_error *err) {
  for (uint32_t c = 0; c < h->n; c++) {
    const char *name = h->names[c];
    size_t len = length(h, c);
    int shown = (int)(len < SHOWN ? len : SHOWN);
    b->map[c] = BEZ_NO_COLUMN;
    if (!bez_builder_wants(b, name, len)) continue;
    int to = first ? -1 : find_name(b, name, len, c);
    if (to < 0 && !first && !h->join)
      return bez_fail(err, BEZ_FORMAT, h->path, "column \"%.*s\" is not in %s: files of one data set must be alike",
                      shown, name, b->files[0].path);
    if (to >= 0 && !b->absent[to])
      return bez_fail(err, BEZ_FORMAT, h->path, "column \"%.*s\" stands twice", shown, name);
    if (to < 0) {
      bez_status st = add_column(b, name, len, err);
      if (st != BEZ_OK) return st;
      to = (int)b->n_cols - 1;
    }
    b->absent[to] = 0;
    b->map[c] = (uint32_t)to;
  }
  return BEZ_OK;
}

/* A column that was asked for and is not there: the mistake is named beside what there is. */
static bez_status check_wanted(const bez_builder *b, const header *h, bez_error *err) {
  char list[BEZ_ERROR_TEXT - 100];
  size_t n = 0;
  const bez_read_options *o = &b->options;
  for (size_t i = 0; i < o->n_columns; i++) {
    if (find_name(b, o->columns[i], strlen(o->columns[i]), 0) >= 0) continue;
    if (!h->n) return bez_fail(err, BEZ_USAGE, o->columns[i], "--columns: no file has such a column");
    for (uint32_t c = 0; c < h->n && n + length(h, c) + 8 < sizeof list; c++)
      n += (size_t)snprintf(list + n, sizeof list - n, "%s%.*s", c ? ", " : "", (int)length(h, c), h->names[c]);
    return bez_fail(err, BEZ_USAGE, o->columns[i], "--columns: no such column; the data has: %.*s", (int)n, list);
  }
  return BEZ_OK;
}

bez_status bez_builder_check_wanted(const bez_builder *b, bez_error *err) {
  return b->declared ? check_wanted(b, &(header){.n = 0}, err) : BEZ_OK;
}

/* For the remark: which fields of the data so far the file lacks, which it brings. */
static void remark_difference(bez_builder *b, const header *h, uint32_t known) {
  char text[240];
  const char *base = strrchr(h->path, '/');
  size_t n = (size_t)snprintf(text, sizeof text, "%.80s:", base ? base + 1 : h->path);
  unsigned shown = 0, more = 0;
  for (uint32_t c = 0; c < b->n_cols; c++) {
    if (c < known && !b->absent[c]) continue;
    size_t room = sizeof text - n;
    int need = snprintf(NULL, 0, "%s %s \"%s\"", shown ? "," : "", c < known ? "lacks" : "adds", b->names[c]);
    if (shown == 3 || need < 0 || (size_t)need + 16 > room) {
      more++;
      continue;
    }
    n +=
        (size_t)snprintf(text + n, room, "%s %s \"%s\"", shown++ ? "," : "", c < known ? "lacks" : "adds", b->names[c]);
  }
  if (more) (void)snprintf(text + n, sizeof text - n, ", %u more", more);
  bez_builder_remark(b, "differing-fields", "", 1, -1, text);
}

/* What a further file lacks: an error, or in a union something to be said. */
static bez_status compare(bez_builder *b, const header *h, uint32_t known, bez_error *err) {
  uint32_t lacking = 0;
  const char *one = "";
  for (uint32_t c = known; c-- > 0;)
    if (b->absent[c]) {
      lacking++;
      one = b->names[c];
    }
  if (lacking && !h->join)
    return bez_fail(err, BEZ_FORMAT, h->path, "lacks column \"%.*s\" of %s: files of one data set must be alike",
                    (int)SHOWN, one, b->files[0].path);
  if (lacking && lacking == known)
    return bez_fail(err, BEZ_FORMAT, h->path, "has no field in common with %s: this is another table",
                    b->files[0].path);
  if (lacking || b->n_cols > known) remark_difference(b, h, known);
  return BEZ_OK;
}

static bool same_head(const bez_head *a, const header *h) {
  if (a->n != h->n || a->join != h->join) return false;
  for (uint32_t c = 0; c < h->n; c++)
    if (!is_name(a->names[c], h->names[c], length(h, c))) return false;
  return true;
}

/* Files mostly declare what the file before them did. */
static bez_status keep_head(bez_builder *b, const header *h, bez_error *err) {
  b->head = b->n_heads - 1;
  if (b->n_heads && same_head(&b->heads[b->head], h)) return BEZ_OK;
  if (b->n_heads == b->cap_heads) {
    uint32_t cap = b->cap_heads ? 2 * b->cap_heads : 4;
    if (!resize(&b->heads, b->cap_heads, cap, sizeof *b->heads)) return bez_fail_memory(err, cap * sizeof *b->heads);
    b->cap_heads = cap;
  }
  bez_head head = {.join = h->join, .n = h->n, .names = bez_arena_array(&b->arena, h->n, sizeof *head.names)};
  if (!head.names) return bez_fail_memory(err, h->n * sizeof *head.names);
  for (uint32_t c = 0; c < h->n; c++) {
    head.names[c] = bez_arena_strndup(&b->arena, h->names[c], length(h, c));
    if (!head.names[c]) return bez_fail_memory(err, length(h, c));
  }
  b->head = b->n_heads;
  b->heads[b->n_heads++] = head;
  return BEZ_OK;
}

static bez_status declare(bez_builder *b, const header *h, bez_error *err) {
  bool first = !b->declared;
  uint32_t known = b->n_cols;
  bez_status st = check_header(h, err);
  if (st != BEZ_OK) return st;
  if (!resize(&b->map, 0, h->n, sizeof *b->map)) return bez_fail_memory(err, h->n * sizeof *b->map);
  if (known) memset(b->absent, 1, known);
  b->n_map = h->n;
  b->declared = true;
  st = place(b, h, first, err);
  if (st == BEZ_OK) st = keep_head(b, h, err);
  if (st != BEZ_OK) return st;
  if (!first) return compare(b, h, known, err);
  return h->join ? BEZ_OK : check_wanted(b, h, err);
}

bez_status bez_builder_columns(bez_builder *b, const char *path, const char *const *fields, const size_t *len,
                               uint32_t n, bez_error *err) {
  return declare(b, &(header){.path = path, .names = fields, .len = len, .n = n}, err);
}

bez_status bez_builder_fields(bez_builder *b, const char *path, const char *const *fields, const size_t *len,
                              uint32_t n, bez_error *err) {
  return declare(b, &(header){.path = path, .names = fields, .len = len, .n = n, .join = true}, err);
}
