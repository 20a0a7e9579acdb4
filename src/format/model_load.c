/* What the helper says it saw, taken over as hostile bytes (model.h). */
#include <string.h>

#include "base/cursor.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "format/model.h"

#define PART_LEAST 32u /* bytes */
#define FACT_LEAST 40u
#define TENSOR_LEAST 36u

void bez_model_free(bez_model *model) {
  bez_arena_free(&model->arena);
  *model = (bez_model){0};
}

/* Beyond ASCII: valid UTF-8, and none of its control characters. */
static void keep_printable(char *text, size_t n) {
  const bool valid = bez_utf8_valid(text, n);
  for (size_t i = 0; i < n; i++) {
    const unsigned char c = (unsigned char)text[i];
    if (c < 0x80) continue;
    if (!valid)
      text[i] = '?';
    else if (c == 0xc2 && i + 1 < n && (unsigned char)text[i + 1] < 0xa0)
      text[i] = text[i + 1] = '?';
  }
}

/* Control characters would reach a terminal; lines are for what is shown as a text of its own. */
static const char *take(bez_cursor *c, bez_arena *arena, bool lines) {
  uint32_t n;
  const uint8_t *p;
  if (!bez_cursor_le32(c, &n) || !bez_cursor_take(c, n, &p)) return NULL;
  char *text = bez_arena_strndup(arena, (const char *)p, n);
  for (char *q = text; q && *q; q++)
    if (((unsigned char)*q < 0x20 || *q == 0x7f) && !(lines && (*q == '\n' || *q == '\t'))) *q = '?';
  if (text) keep_printable(text, n);
  return text;
}

static const char *take_text(bez_cursor *c, bez_arena *arena) {
  return take(c, arena, false);
}

static bool take_part(bez_cursor *c, bez_arena *arena, uint32_t number, bez_model_part *p) {
  return bez_cursor_le32(c, &p->parent) && bez_cursor_le64(c, &p->at) && bez_cursor_le64(c, &p->size) &&
         (p->name = take_text(c, arena)) && (p->kind = take_text(c, arena)) && (p->unread = take_text(c, arena)) &&
         (number ? p->parent < number : p->parent == 0);
}

static bool take_fact(bez_cursor *c, bez_arena *arena, uint32_t n_parts, bez_model_fact *f) {
  uint32_t what;
  bool good = bez_cursor_le32(c, &f->part) && bez_cursor_le32(c, &what) && bez_cursor_le64(c, &f->at) &&
              bez_cursor_le64(c, &f->count) && (f->opcode = take_text(c, arena)) && (f->module = take_text(c, arena)) &&
              (f->name = take_text(c, arena)) && (f->text = take(c, arena, what >> 1 == BEZ_MODEL_ABOUT));
  if (!good || f->part >= n_parts || what >> 1 >= BEZ_MODEL_WHATS) return false;
  f->known = what & 1;
  f->what = (bez_model_what)(what >> 1);
  return true;
}

static bool take_tensor(bez_cursor *c, bez_arena *arena, uint32_t n_parts, bez_model_tensor *t) {
  uint32_t strided;
  bool good = bez_cursor_le32(c, &t->part) && bez_cursor_le32(c, &strided) && bez_cursor_le32(c, &t->n_dims) &&
              bez_cursor_le64(c, &t->at) && bez_cursor_le64(c, &t->bytes) && t->part < n_parts &&
              t->n_dims <= BEZ_MAX_MODEL_DIMS;
  for (uint32_t d = 0; good && d < t->n_dims; d++) good = bez_cursor_le64(c, &t->shape[d]);
  t->strided = good && strided != 0;
  return good && (t->name = take_text(c, arena)) && (t->dtype = take_text(c, arena)) && (t->file = take_text(c, arena));
}

const char *bez_model_about(const bez_model *model, const char *key) {
  for (uint32_t i = 0; i < model->n_facts; i++)
    if (model->facts[i].what == BEZ_MODEL_ABOUT && !strcmp(model->facts[i].name, key)) return model->facts[i].text;
  return NULL;
}

/* The whole answer of a reader. */
static bool take_model(bez_cursor *c, uint32_t n_parts, uint32_t n_facts, uint32_t n_tensors, bez_model *m) {
  m->parts = bez_arena_array(&m->arena, n_parts, sizeof *m->parts);
  m->facts = bez_arena_array(&m->arena, (size_t)n_facts + 1, sizeof *m->facts);
  m->tensors = bez_arena_array(&m->arena, (size_t)n_tensors + 1, sizeof *m->tensors);
  bool good = m->parts && m->facts && m->tensors;
  for (; good && m->n_parts < n_parts; m->n_parts += good)
    good = take_part(c, &m->arena, m->n_parts, &m->parts[m->n_parts]);
  for (; good && m->n_facts < n_facts; m->n_facts += good)
    good = take_fact(c, &m->arena, n_parts, &m->facts[m->n_facts]);
  for (; good && m->n_tensors < n_tensors; m->n_tensors += good)
    good = take_tensor(c, &m->arena, n_parts, &m->tensors[m->n_tensors]);
  return good && bez_cursor_left(c) == 0;
}

bez_status bez_model_load(const uint8_t *bytes, size_t len, bez_model *model, bez_error *err) {
  bez_cursor c = {.data = bytes, .len = len};
  uint32_t n_parts, n_facts, n_tensors;
  *model = (bez_model){0};
  bool good = bez_cursor_le32(&c, &n_parts) && bez_cursor_le32(&c, &n_facts) && bez_cursor_le32(&c, &n_tensors) &&
              n_parts > 0 && n_parts <= BEZ_MAX_MODEL_PARTS && n_facts <= BEZ_MAX_MODEL_FACTS &&
              n_tensors <= BEZ_MAX_MODEL_TENSORS && n_parts <= len / PART_LEAST + 1 &&
              n_facts <= len / FACT_LEAST + 1 && n_tensors <= len / TENSOR_LEAST + 1;
  if (good && take_model(&c, n_parts, n_facts, n_tensors, model)) return BEZ_OK;
  bez_model_free(model);
  return bez_fail(err, BEZ_FORMAT, "helper", "answered nonsense");
}
