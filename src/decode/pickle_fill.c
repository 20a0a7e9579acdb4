/* What is put into what: items of containers, and what is done to anything else (pickle_machine.h). */
#include "decode/pickle_machine.h"

/* Everything above `first` is told as items of target: keys and values in turn, or one element after another. */
static bool tell_items(bez_pickle_machine *m, const bez_pickle_value *target, size_t first, bool pairs) {
  uint64_t number = target->kind == BEZ_PV_LIST ? target->as.node->count : 0;
  for (size_t i = first; i < m->n; i += pairs ? 2 : 1) {
    const bez_pickle_value index = {.kind = BEZ_PV_INT, .as.i = (int64_t)number++},
                           *key = pairs ? &m->stack[i] : &index;
    if (pairs && i + 1 == m->n) return true;
    if (!bez_pickle_tell_item(m, target, key, &m->stack[pairs ? i + 1 : i])) return false;
  }
  return true;
}

bool bez_pickle_pour(bez_pickle_machine *m, size_t first, size_t below, bool pairs) {
  if (below >= m->n || m->stack[below].kind == BEZ_PV_MARK) return bez_pickle_fail(m, "the stack is empty");
  bez_pickle_value target = m->stack[below];
  if (!tell_items(m, &target, first, pairs)) return false;
  if (target.kind >= BEZ_PV_LIST && target.kind <= BEZ_PV_SET)
    for (size_t i = first; i < m->n; i++) bez_pickle_push(target.as.node, m->stack[i]);
  else if (first < m->n && !bez_pickle_alter(m, &target, &m->stack[m->n - 1]))
    return false;
  m->n = below + 1;
  return true;
}

bool bez_pickle_fill(bez_pickle_machine *m, bez_pickle_kind kind) {
  size_t first;
  if (!bez_pickle_mark(m, &first)) return false;
  bez_pickle_value out = bez_pickle_container(m, kind, BEZ_PICKLE_KEPT);
  if (!out.as.node) return false;
  m->stack[first - 1] = out;
  return bez_pickle_pour(m, first, first - 1, kind == BEZ_PV_DICT);
}
