/* joblib's arrays between opcodes (pickle_joblib.h). */
#include "decode/pickle_joblib.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

static bool text_is(const bez_pickle_value *v, const char *text) {
  return v->kind == BEZ_PV_STR && v->n == strlen(text) && memcmp(v->as.s, text, v->n) == 0;
}

static bool is_wrapper(const bez_pickle_value *v) {
  if (v->kind != BEZ_PV_CALL || !v->as.node->kept) return false;
  const bez_pickle_value *callee = &v->as.node->items[0];
  return callee->kind == BEZ_PV_GLOBAL && text_is(&callee->as.node->items[0], "joblib.numpy_pickle") &&
         text_is(&callee->as.node->items[1], "NumpyArrayWrapper");
}

static const bez_pickle_value *field(const bez_pickle_value *state, const char *name) {
  if (state->kind != BEZ_PV_DICT) return NULL;
  const bez_pickle_node *node = state->as.node;
  for (uint32_t i = 0; i + 1 < node->kept; i += 2)
    if (text_is(&node->items[i], name)) return &node->items[i + 1];
  return NULL;
}

/* numpy.dtype('f8', False, True): bytes of an item; 0: not understood. *objects: the items are Python objects. */
static uint64_t item_size(const bez_pickle_value *dtype, bool *objects) {
  if (!dtype || dtype->kind != BEZ_PV_CALL || dtype->as.node->kept < 2) return 0;
  const bez_pickle_value *code = &dtype->as.node->items[1];
  if (code->kind != BEZ_PV_STR || code->n < 2 || code->n > 12) return 0;
  char digits[16] = {0}, *end;
  memcpy(digits, code->as.s + 1, code->n - 1);
  unsigned long size = strtoul(digits, &end, 10);
  *objects = code->as.s[0] == 'O';
  return *end ? 0 : code->as.s[0] == 'U' ? 4 * (uint64_t)size : size;
}

static bool count_items(const bez_pickle_value *shape, uint64_t *out) {
  if (!shape || shape->kind != BEZ_PV_TUPLE || shape->as.node->kept < shape->as.node->count) return false;
  *out = 1;
  for (uint32_t i = 0; i < shape->as.node->kept; i++) {
    const bez_pickle_value *side = &shape->as.node->items[i];
    if (side->kind != BEZ_PV_INT || side->as.i < 0 || __builtin_mul_overflow(*out, (uint64_t)side->as.i, out))
      return false;
  }
  return true;
}

/* One byte says how many follow. */
static bool skip_padding(bez_pickle_machine *m, const bez_pickle_value *alignment) {
  uint8_t n;
  if (!alignment || alignment->kind != BEZ_PV_INT) return true;
  return (bez_cursor_u8(&m->in, &n) && bez_cursor_skip(&m->in, n)) ||
         bez_pickle_fail(m, "an array's padding is cut off");
}

static bool follow_objects(bez_pickle_machine *m) {
  bez_pickle_end inner;
  if (++m->end->objects > BEZ_MAX_PICKLE_OBJECTS) return bez_pickle_fail_limit(m, "too many arrays of objects");
  bez_pickle_run(m->in.data, m->in.len, m->in.pos, false, m->fn, m->ctx, &inner);
  m->in.pos = (size_t)inner.used;
  return inner.stopped || bez_pickle_fail(m, "%s", inner.why);
}

bool bez_pickle_joblib_array(bez_pickle_machine *m, const bez_pickle_value *state) {
  const bez_pickle_value *top = bez_pickle_top(m);
  bool objects = false;
  uint64_t size, n, bytes;
  if (!top) return false;
  if (!is_wrapper(top)) return true;
  size = item_size(field(state, "dtype"), &objects);
  m->frame_end = 0; /* joblib ends the frame before it writes an array */
  if (objects) return follow_objects(m);
  if (!size || !count_items(field(state, "shape"), &n) || __builtin_mul_overflow(n, size, &bytes))
    return bez_pickle_fail(m, "an array whose size is not understood");
  if (!skip_padding(m, field(state, "numpy_array_alignment_bytes"))) return false;
  if (!bez_cursor_skip(&m->in, bytes)) return bez_pickle_fail(m, "an array is cut off");
  m->end->raw += bytes;
  return true;
}
