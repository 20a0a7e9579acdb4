/* What the helper says it saw, taken over as hostile bytes (model.h). */
#include <string.h>

#include "base/cursor.h"
#include "base/error.h"
#include "base/limits.h"
#include "format/model.h"

#define PART_LEAST 32u /* bytes */
#define FACT_LEAST 40u

void bez_model_free(bez_model *model) {
  bez_arena_free(&model->arena);
  *model = (bez_model){0};
}

/* Control characters and bytes beyond ASCII would reach a terminal. */
static const char *take_text(bez_cursor *c, bez_arena *arena) {
  uint32_t n;
  const uint8_t *p;
  if (!bez_cursor_le32(c, &n) || !bez_cursor_take(c, n, &p)) return NULL;
  char *text = bez_arena_strndup(arena, (const char *)p, n);
  for (char *q = text; q && *q; q++)
    if ((unsigned char)*q < 0x20 || *q == 0x7f) *q = '?';
  return text;
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
              (f->name = take_text(c, arena)) && (f->text = take_text(c, arena));
  if (!good || f->part >= n_parts || what >> 1 >= BEZ_MODEL_WHATS) return false;
  f->known = what & 1;
  f->what = (bez_model_what)(what >> 1);
  return true;
}

bez_status bez_model_load(const uint8_t *bytes, size_t len, bez_model *model, bez_error *err) {
  bez_cursor c = {.data = bytes, .len = len};
  uint32_t n_parts, n_facts;
  *model = (bez_model){0};
  bool good = bez_cursor_le32(&c, &n_parts) && bez_cursor_le32(&c, &n_facts) && n_parts > 0 &&
              n_parts <= BEZ_MAX_MODEL_PARTS && n_facts <= BEZ_MAX_MODEL_FACTS && n_parts <= len / PART_LEAST + 1 &&
              n_facts <= len / FACT_LEAST + 1;
  if (!good) return bez_fail(err, BEZ_FORMAT, "helper", "answered nonsense");
  model->parts = bez_arena_array(&model->arena, n_parts, sizeof *model->parts);
  model->facts = bez_arena_array(&model->arena, (size_t)n_facts + 1, sizeof *model->facts);
  good = model->parts && model->facts;
  for (; good && model->n_parts < n_parts; model->n_parts += good)
    good = take_part(&c, &model->arena, model->n_parts, &model->parts[model->n_parts]);
  for (; good && model->n_facts < n_facts; model->n_facts += good)
    good = take_fact(&c, &model->arena, n_parts, &model->facts[model->n_facts]);
  if (good && bez_cursor_left(&c) == 0) return BEZ_OK;
  bez_model_free(model);
  return bez_fail(err, BEZ_FORMAT, "helper", "answered nonsense");
}
