/* Parsing the index of a body: every count is checked against the bytes that are left before anything is made. */
#include "format/state_index.h"

#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/limits.h"
#include "format/builder_internal.h"
#include "format/remarks.h"

#define MAX_TEXT (1u << 20)

typedef struct parser {
  bez_cursor c;
  bez_state *state;
  bez_state_body *body;
  bez_error *err;
  bez_status st;
} parser;

/* The first failure stays; what follows reads nothing. */
static void fail(parser *p, const char *what) {
  if (p->st == BEZ_OK)
    p->st = bez_fail_at(p->err, BEZ_FORMAT, p->state->path, -1, (int64_t)p->body->at, "damaged saved state: %s", what);
}

static uint32_t number(parser *p) {
  uint32_t x = 0;
  if (p->st == BEZ_OK && !bez_cursor_le32(&p->c, &x)) fail(p, "the index is cut short");
  return x;
}

static uint64_t number64(parser *p) {
  uint64_t x = 0;
  if (p->st == BEZ_OK && !bez_cursor_le64(&p->c, &x)) fail(p, "the index is cut short");
  return x;
}

static const char *text(parser *p) {
  uint32_t len = number(p);
  const uint8_t *bytes = NULL;
  if (p->st == BEZ_OK && (len > MAX_TEXT || !bez_cursor_take(&p->c, len, &bytes))) fail(p, "a text is too long");
  if (p->st == BEZ_OK && memchr(bytes, 0, len)) fail(p, "a NUL in a text");
  if (p->st != BEZ_OK) return "";
  char *copy = bez_arena_strndup(&p->state->arena, (const char *)bytes, len);
  if (!copy) p->st = bez_fail_memory(p->err, len);
  return copy ? copy : "";
}

/* An array of as many items as a count says, each at least `least` bytes long in the index. */
static void *array(parser *p, uint32_t *n, size_t least, size_t size) {
  *n = number(p);
  if (p->st == BEZ_OK && *n > bez_cursor_left(&p->c) / least) fail(p, "a count is larger than the index");
  if (p->st != BEZ_OK) *n = 0;
  void *items = bez_arena_array(&p->state->arena, (size_t)*n + 1, size);
  if (!items) {
    *n = 0;
    if (p->st == BEZ_OK) p->st = bez_fail_memory(p->err, size);
  }
  return items;
}

static void read_params(parser *p) {
  p->body->params = array(p, &p->body->n_params, 8, sizeof *p->body->params);
  size_t begin = p->c.pos;
  for (uint32_t i = 0; i < p->body->n_params && p->st == BEZ_OK; i++) {
    const char *key = text(p);
    p->body->params[i] = (bez_state_pair){.key = key, .value = text(p)};
  }
  if (p->st == BEZ_OK && bez_hash64(p->c.data + begin, p->c.pos - begin, BEZ_STATE_VERSION) != p->body->params_digest)
    fail(p, "other parameters than its head says");
}

static void read_shape(parser *p) {
  bez_state_body *b = p->body;
  b->list_files = number64(p);
  b->list_hash = number64(p);
  b->height = number(p);
  b->width = number(p);
  b->channels = number(p);
  uint32_t facts = number(p);
  b->facts = facts != 0;
  if (facts && facts != sizeof(bez_image_facts)) fail(p, "facts of pictures as another version has them");
  b->n_labels = number64(p);
  if (b->height && (!b->width || b->height > BEZ_MAX_IMAGE_SIDE || b->width > BEZ_MAX_IMAGE_SIDE ||
                    (b->channels != 1 && b->channels != 3)))
    fail(p, "pictures of no size");
}

static void read_heads(parser *p) {
  bez_state_body *b = p->body;
  b->n_columns = number(p);
  if (b->n_columns > BEZ_MAX_COLUMNS) fail(p, "too many columns");
  b->heads = array(p, &b->n_heads, 8, sizeof *b->heads);
  for (uint32_t h = 0; h < b->n_heads && p->st == BEZ_OK; h++) {
    bez_state_head *head = &b->heads[h];
    head->join = number(p) != 0;
    head->names = array(p, &head->n, 8, sizeof *head->names);
    head->column = bez_arena_array(&p->state->arena, (size_t)head->n + 1, sizeof *head->column);
    if (!head->column) p->st = bez_fail_memory(p->err, head->n * sizeof *head->column);
    for (uint32_t i = 0; i < head->n && p->st == BEZ_OK; i++) {
      head->names[i] = text(p);
      head->column[i] = number(p);
      if (head->column[i] != BEZ_NO_COLUMN && head->column[i] >= b->n_columns) fail(p, "a column that is not there");
    }
  }
}

static bez_state_remark *read_remarks(parser *p, uint32_t *n) {
  bez_state_remark *all = array(p, n, 28, sizeof *all);
  for (uint32_t i = 0; i < *n && p->st == BEZ_OK; i++) {
    all[i].rule = text(p);
    all[i].path = text(p);
    all[i].example = text(p);
    all[i].count = number64(p);
    all[i].line = (int64_t)number64(p);
    const bez_remark_kind *kind = p->st == BEZ_OK ? bez_remark_find(all[i].rule) : NULL;
    if (p->st == BEZ_OK && !kind) fail(p, "an unknown remark");
    if (kind) all[i].rule = kind->rule.name; /* outlives the state */
  }
  return all;
}

static void check_part(parser *p, const bez_state_part *part) {
  const bez_state_body *b = p->body;
  bool head = part->head == BEZ_NO_HEAD ? part->n_tiles == 0 : part->head < b->n_heads;
  if (!head) fail(p, "a part without columns");
  if (part->first >= part->end || part->end > part->units) fail(p, "a part of nothing");
  if (part->n_rows > BEZ_MAX_ROWS) fail(p, "too many rows");
  if (part->plan_at && part->plan_of <= part->plan_at) fail(p, "a plan behind the end");
}

static void read_part(parser *p, bez_state_part *part) {
  part->path = text(p);
  part->format = text(p);
  const char *print = text(p);
  if (p->st == BEZ_OK && strlen(print) != 64) fail(p, "no fingerprint of a file");
  if (p->st == BEZ_OK) memcpy(part->print, print, 65);
  part->head = number(p);
  uint64_t *const numbers[] = {&part->bytes,   &part->digest, &part->raw_bytes, &part->first,   &part->end,
                               &part->units,   &part->begin,  &part->stop,      &part->plan_at, &part->plan_of,
                               &part->n_tiles, &part->n_rows, &part->n_views};
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) *numbers[i] = number64(p);
  part->remarks = read_remarks(p, &part->n_remarks);
  if (p->st == BEZ_OK) check_part(p, part);
}

static void read_unread(parser *p) {
  bez_state_body *b = p->body;
  b->unread = array(p, &b->n_unread, 12, sizeof *b->unread);
  for (uint32_t i = 0; i < b->n_unread && p->st == BEZ_OK; i++) {
    b->unread[i].path = text(p);
    b->unread[i].why = text(p);
    b->unread[i].requested = number(p) != 0;
  }
}

bez_status bez_state_parse_index(bez_state *state, bez_state_body *body, const uint8_t *bytes, size_t len,
                                 bez_error *err) {
  parser p = {.c = {.data = bytes, .len = len}, .state = state, .body = body, .err = err};
  read_params(&p);
  read_shape(&p);
  read_heads(&p);
  body->parts = array(&p, &body->n_parts, 100, sizeof *body->parts);
  for (uint32_t i = 0; i < body->n_parts && p.st == BEZ_OK; i++) read_part(&p, &body->parts[i]);
  body->remarks = read_remarks(&p, &body->n_remarks);
  read_unread(&p);
  if (p.st == BEZ_OK && bez_cursor_left(&p.c)) fail(&p, "bytes behind the index");
  return p.st;
}
