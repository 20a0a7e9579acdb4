/* Stack, memo and containers of the abstract pickle machine (pickle_machine.h). */
#include "decode/pickle_machine.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

void bez_pickle_why(bez_pickle_machine *m, bool limit, const char *fmt, ...) {
  va_list args;
  if (m->end->why[0]) return;
  m->end->limit = limit;
  va_start(args, fmt);
  vsnprintf(m->end->why, sizeof m->end->why, fmt, args);
  va_end(args);
}

static bool grow(bez_pickle_machine *m, bez_pickle_value **array, size_t *room, size_t want, size_t most) {
  size_t next = *room ? *room : 256;
  while (next < want) next *= 2;
  if (want > most) return bez_pickle_fail_limit(m, "the pickle's stack or memo is too large");
  if (next > most) next = most;
  bez_pickle_value *more = realloc(*array, next * sizeof *more);
  if (!more) return bez_pickle_fail_limit(m, "memory is out");
  memset(more + *room, 0, (next - *room) * sizeof *more); /* zero is MARK */
  *array = more;
  *room = next;
  return true;
}

/* An instance whose __dict__ gets this key has it called with the next state, whatever it is: no honest object has. */
static bool is_setstate(const bez_pickle_value *v) {
  return v->kind == BEZ_PV_STR && v->n == 12 && !memcmp(v->as.s, "__setstate__", 12);
}

bool bez_pickle_put(bez_pickle_machine *m, bez_pickle_value value) {
  if (is_setstate(&value) &&
      !bez_pickle_tell(m, (bez_pickle_event){.what = BEZ_PICKLE_STATE, .target = &value, .arguments = &value}))
    return false;
  if (m->n == m->room && !grow(m, &m->stack, &m->room, m->n + 1, BEZ_MAX_PICKLE_STACK)) return false;
  m->stack[m->n++] = value;
  return true;
}

bez_pickle_value *bez_pickle_top(bez_pickle_machine *m) {
  if (m->n && m->stack[m->n - 1].kind != BEZ_PV_MARK) return &m->stack[m->n - 1];
  (void)bez_pickle_fail(m, "the stack is empty");
  return NULL;
}

bool bez_pickle_take(bez_pickle_machine *m, bez_pickle_value *out) {
  const bez_pickle_value *top = bez_pickle_top(m);
  if (!top) return false;
  *out = *top;
  m->n--;
  return true;
}

bool bez_pickle_mark(bez_pickle_machine *m, size_t *first) {
  for (size_t i = m->n; i-- > 0;)
    if (m->stack[i].kind == BEZ_PV_MARK) {
      *first = i + 1;
      return true;
    }
  return bez_pickle_fail(m, "no mark on the stack");
}

/* Writers count up from 0: an index far beyond what has been stored is kept aside, so that it costs no memory. */
bool bez_pickle_memo_put(bez_pickle_machine *m, uint64_t index, bez_pickle_value value) {
  if (index > 2 * (uint64_t)m->memo_used + 1024) {
    for (uint32_t i = 0; i < m->n_far; i++)
      if (m->far_memo[i].index == index) {
        m->far_memo[i].value = value;
        return true;
      }
    if (m->n_far == sizeof m->far_memo / sizeof *m->far_memo)
      return bez_pickle_fail_limit(m, "the memo has too many scattered places");
    m->far_memo[m->n_far].index = index;
    m->far_memo[m->n_far++].value = value;
    return true;
  }
  if (index >= m->memo_room && !grow(m, &m->memo, &m->memo_room, (size_t)index + 1, BEZ_MAX_PICKLE_MEMO)) return false;
  m->memo_used += m->memo[index].kind == BEZ_PV_MARK;
  m->memo[index] = value;
  return true;
}

bool bez_pickle_memo_get(bez_pickle_machine *m, uint64_t index) {
  for (uint32_t i = 0; i < m->n_far; i++)
    if (m->far_memo[i].index == index) return bez_pickle_put(m, m->far_memo[i].value);
  if (index >= m->memo_room || m->memo[index].kind == BEZ_PV_MARK)
    return bez_pickle_fail(m, "the memo has nothing at %llu", (unsigned long long)index);
  return bez_pickle_put(m, m->memo[index]);
}

bez_pickle_value bez_pickle_string(bez_pickle_kind kind, const void *bytes, uint64_t len) {
  return (bez_pickle_value){.kind = (uint8_t)kind, .n = len < UINT32_MAX ? (uint32_t)len : UINT32_MAX, .as.s = bytes};
}

bez_pickle_value bez_pickle_container(bez_pickle_machine *m, bez_pickle_kind kind, size_t room) {
  bez_pickle_value out = {.kind = (uint8_t)kind, .as.node = &m->crowded};
  const bool matters = kind == BEZ_PV_GLOBAL || kind == BEZ_PV_MODULE;
  if (m->arena.total > (matters ? 2 : 1) * (size_t)BEZ_MAX_PICKLE_BYTES) {
    m->end->crowded = true;
    if (matters) (void)bez_pickle_fail_limit(m, "the pickle imports too much"), out.as.node = NULL;
    return out;
  }
  if (room > BEZ_PICKLE_KEPT) room = BEZ_PICKLE_KEPT;
  out.as.node = bez_arena_alloc(&m->arena, sizeof *out.as.node + room * sizeof(bez_pickle_value));
  if (!out.as.node) {
    (void)bez_pickle_fail_limit(m, "memory is out");
    return out;
  }
  out.as.node->room = (uint32_t)room;
  out.as.node->items = (bez_pickle_value *)(out.as.node + 1);
  return out;
}

bool bez_pickle_gather(bez_pickle_machine *m, bez_pickle_kind kind, size_t first) {
  bool grows = kind == BEZ_PV_LIST || kind == BEZ_PV_DICT || kind == BEZ_PV_SET;
  bez_pickle_value out = bez_pickle_container(m, kind, grows ? BEZ_PICKLE_KEPT : m->n - first);
  if (!out.as.node) return false;
  for (size_t i = first; i < m->n; i++) bez_pickle_push(out.as.node, m->stack[i]);
  m->n = first;
  return bez_pickle_put(m, out);
}

bool bez_pickle_line(bez_pickle_machine *m, const uint8_t **text, size_t *len) {
  const uint8_t *from = m->in.data + m->in.pos, *end = memchr(from, '\n', bez_cursor_left(&m->in));
  if (!end) return bez_pickle_fail(m, "a line without an end");
  *text = from;
  *len = (size_t)(end - from);
  m->in.pos += *len + 1;
  return true;
}
