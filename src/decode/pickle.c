/* The opcodes of the abstract pickle machine (pickle.h), one function per kind. Their meaning is CPython's: pickletools
 * describes them, Modules/_pickle.c decides where the two differ. */
#include "decode/pickle.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/utf8.h"
#include "decode/pickle_joblib.h"

typedef bez_pickle_machine machine;
typedef bez_pickle_value value;

static bool cut(machine *m) {
  return bez_pickle_fail(m, "the stream ends in the middle of %s", m->opcode);
}

static bool little(machine *m, unsigned size, uint64_t *out) {
  const uint8_t *p;
  if (!bez_cursor_take(&m->in, size, &p)) return cut(m);
  *out = 0;
  for (unsigned i = size; i-- > 0;) *out = *out << 8 | p[i];
  return true;
}

static bool put_kind(machine *m, bez_pickle_kind kind) {
  return bez_pickle_put(m, (value){.kind = (uint8_t)kind});
}

/* ---- constants ----------------------------------------------------------------------------------------------------
 */

static bool op_none(machine *m) {
  return put_kind(m, BEZ_PV_NONE);
}
static bool op_true(machine *m) {
  return bez_pickle_put(m, (value){.kind = BEZ_PV_BOOL, .as.i = 1});
}
static bool op_false(machine *m) {
  return bez_pickle_put(m, (value){.kind = BEZ_PV_BOOL});
}

static bool put_int(machine *m, unsigned size) {
  uint64_t v;
  if (!little(m, size, &v)) return false;
  return bez_pickle_put(m, (value){.kind = BEZ_PV_INT, .as.i = size == 4 ? (int32_t)v : (int64_t)v});
}
static bool op_binint(machine *m) {
  return put_int(m, 4);
}
static bool op_binint1(machine *m) {
  return put_int(m, 1);
}
static bool op_binint2(machine *m) {
  return put_int(m, 2);
}

/* INT, LONG, FLOAT: a line of text. "01" and "00" are the booleans of protocol 0. */
static bool op_number_line(machine *m) {
  const uint8_t *text;
  size_t len;
  char digits[32], *end;
  if (!bez_pickle_line(m, &text, &len)) return false;
  if (len == 2 && text[0] == '0' && m->opcode[0] == 'I' && (text[1] == '0' || text[1] == '1'))
    return bez_pickle_put(m, (value){.kind = BEZ_PV_BOOL, .as.i = text[1] == '1'});
  if (len && text[len - 1] == 'L') len--;
  if (len == 0 || len >= sizeof digits) return put_kind(m, BEZ_PV_LONG);
  memcpy(digits, text, len);
  digits[len] = 0;
  long long whole = strtoll(digits, &end, 10);
  if (!*end) return bez_pickle_put(m, (value){.kind = BEZ_PV_INT, .as.i = whole});
  double number = strtod(digits, &end);
  return *end ? put_kind(m, BEZ_PV_LONG) : bez_pickle_put(m, (value){.kind = BEZ_PV_FLOAT, .as.f = number});
}

static bool op_binfloat(machine *m) {
  const uint8_t *p;
  uint64_t bits = 0;
  value v = {.kind = BEZ_PV_FLOAT};
  if (!bez_cursor_take(&m->in, 8, &p)) return cut(m);
  for (unsigned i = 0; i < 8; i++) bits = bits << 8 | p[i];
  memcpy(&v.as.f, &bits, sizeof bits);
  return bez_pickle_put(m, v);
}

static bool put_long(machine *m, unsigned prefix) {
  uint64_t n;
  const uint8_t *p;
  if (!little(m, prefix, &n)) return false;
  if (!bez_cursor_take(&m->in, n, &p)) return cut(m);
  if (n > 8) return put_kind(m, BEZ_PV_LONG);
  uint64_t v = n && p[n - 1] & 0x80 ? ~0ull : 0;
  for (uint64_t i = n; i-- > 0;) v = v << 8 | p[i];
  return bez_pickle_put(m, (value){.kind = BEZ_PV_INT, .as.i = (int64_t)v});
}
static bool op_long1(machine *m) {
  return put_long(m, 1);
}
static bool op_long4(machine *m) {
  return put_long(m, 4);
}

/* Bytes that are a pickle themselves are worth a look: pickle.loads(b'…') is a favourite. */
static bool put_counted(machine *m, bez_pickle_kind kind, unsigned prefix) {
  uint64_t n;
  const uint8_t *p;
  if (!little(m, prefix, &n)) return false;
  if (!bez_cursor_take(&m->in, n, &p)) return cut(m);
  if (bez_pickle_magic(p, n)) {
    value v = bez_pickle_string(kind, p, n);
    if (!bez_pickle_tell(m, (bez_pickle_event){.what = BEZ_PICKLE_NESTED, .bytes = p, .len = n, .target = &v}))
      return false;
  }
  return bez_pickle_put(m, bez_pickle_string(kind, p, n));
}
static bool op_str1(machine *m) {
  return put_counted(m, BEZ_PV_STR, 1);
}
static bool op_str4(machine *m) {
  return put_counted(m, BEZ_PV_STR, 4);
}
static bool op_str8(machine *m) {
  return put_counted(m, BEZ_PV_STR, 8);
}
static bool op_bytes1(machine *m) {
  return put_counted(m, BEZ_PV_BYTES, 1);
}
static bool op_bytes4(machine *m) {
  return put_counted(m, BEZ_PV_BYTES, 4);
}
static bool op_bytes8(machine *m) {
  return put_counted(m, BEZ_PV_BYTES, 8);
}
static bool op_buffer(machine *m) {
  return put_kind(m, BEZ_PV_BUFFER);
}
static bool op_readonly(machine *m) {
  return bez_pickle_top(m) != NULL;
}

/* ---- lines of text with escapes ------------------------------------------------------------------------------------
 */

static bool op_string(machine *m) {
  const uint8_t *text;
  size_t len;
  if (!bez_pickle_line(m, &text, &len)) return false;
  while (len && (text[len - 1] == ' ' || text[len - 1] == '\t' || text[len - 1] == '\r')) len--;
  if (len < 2 || (text[0] != '\'' && text[0] != '"') || text[len - 1] != text[0])
    return bez_pickle_fail(m, "a STRING without its quotes");
  return bez_pickle_put_escaped(m, text + 1, len - 2, false);
}

static bool op_unicode(machine *m) {
  const uint8_t *text;
  size_t len;
  return bez_pickle_line(m, &text, &len) && bez_pickle_put_escaped(m, text, len, true);
}

/* ---- containers ----------------------------------------------------------------------------------------------------
 */

static bool put_empty(machine *m, bez_pickle_kind kind) {
  return bez_pickle_gather(m, kind, m->n);
}
static bool op_empty_tuple(machine *m) {
  return put_empty(m, BEZ_PV_TUPLE);
}
static bool op_empty_list(machine *m) {
  return put_empty(m, BEZ_PV_LIST);
}
static bool op_empty_dict(machine *m) {
  return put_empty(m, BEZ_PV_DICT);
}
static bool op_empty_set(machine *m) {
  return put_empty(m, BEZ_PV_SET);
}

/* From the mark on; the mark goes, too. */
static bool gather_marked(machine *m, bez_pickle_kind kind) {
  size_t first;
  if (!bez_pickle_mark(m, &first) || !bez_pickle_gather(m, kind, first)) return false;
  m->stack[m->n - 2] = m->stack[m->n - 1];
  m->n--;
  return true;
}
static bool op_tuple(machine *m) {
  return gather_marked(m, BEZ_PV_TUPLE);
}
static bool op_frozenset(machine *m) {
  return gather_marked(m, BEZ_PV_SET);
}

static bool put_tuple(machine *m, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (m->n < n || m->stack[m->n - 1 - i].kind == BEZ_PV_MARK) return bez_pickle_fail(m, "the stack is empty");
  return bez_pickle_gather(m, BEZ_PV_TUPLE, m->n - n);
}
static bool op_tuple1(machine *m) {
  return put_tuple(m, 1);
}
static bool op_tuple2(machine *m) {
  return put_tuple(m, 2);
}
static bool op_tuple3(machine *m) {
  return put_tuple(m, 3);
}

static bool pour_marked(machine *m, bool pairs) {
  size_t first;
  if (!bez_pickle_mark(m, &first)) return false;
  return first < 2 ? bez_pickle_fail(m, "the stack is empty") : bez_pickle_pour(m, first, first - 2, pairs);
}
static bool op_many(machine *m) { /* APPENDS, ADDITEMS */
  return pour_marked(m, false);
}
static bool op_setitems(machine *m) {
  return pour_marked(m, true);
}
static bool op_append(machine *m) {
  return m->n < 2 ? bez_pickle_fail(m, "the stack is empty") : bez_pickle_pour(m, m->n - 1, m->n - 2, false);
}
static bool op_setitem(machine *m) {
  return m->n < 3 ? bez_pickle_fail(m, "the stack is empty") : bez_pickle_pour(m, m->n - 2, m->n - 3, true);
}

static bool op_list(machine *m) {
  return bez_pickle_fill(m, BEZ_PV_LIST);
}
static bool op_dict(machine *m) {
  return bez_pickle_fill(m, BEZ_PV_DICT);
}

/* ---- the stack itself ----------------------------------------------------------------------------------------------
 */

static bool op_mark(machine *m) {
  return put_kind(m, BEZ_PV_MARK);
}
static bool op_pop(machine *m) { /* a mark, too */
  if (!m->n) return bez_pickle_fail(m, "the stack is empty");
  m->n--;
  return true;
}
static bool op_pop_mark(machine *m) {
  size_t first;
  if (!bez_pickle_mark(m, &first)) return false;
  m->n = first - 1;
  return true;
}
static bool op_dup(machine *m) {
  const value *top = bez_pickle_top(m);
  return top && bez_pickle_put(m, *top);
}
static bool op_stop(machine *m) {
  const value *top = bez_pickle_top(m);
  m->done = true;
  return top && bez_pickle_tell(m, (bez_pickle_event){.what = BEZ_PICKLE_END, .target = top});
}

/* ---- memo ----------------------------------------------------------------------------------------------------------
 */

static bool line_index(machine *m, uint64_t *out) {
  const uint8_t *text;
  size_t len;
  if (!bez_pickle_line(m, &text, &len)) return false;
  while (len && (*text == ' ' || *text == '+' || *text == '0') && len > 1) text++, len--;
  while (len && (text[len - 1] == ' ' || text[len - 1] == '\r')) len--;
  *out = 0;
  for (size_t i = 0; i < len; i++) {
    if (text[i] < '0' || text[i] > '9' || i > 17) return bez_pickle_fail(m, "a memo index that is no number");
    *out = *out * 10 + (uint64_t)(text[i] - '0');
  }
  return len > 0 || bez_pickle_fail(m, "a memo index that is no number");
}

static bool memo_op(machine *m, unsigned size, bool put) {
  uint64_t index;
  if (!(size ? little(m, size, &index) : line_index(m, &index))) return false;
  if (!put) return bez_pickle_memo_get(m, index);
  const value *top = bez_pickle_top(m);
  return top && bez_pickle_memo_put(m, index, *top);
}
static bool op_put(machine *m) {
  return memo_op(m, 0, true);
}
static bool op_binput(machine *m) {
  return memo_op(m, 1, true);
}
static bool op_long_binput(machine *m) {
  return memo_op(m, 4, true);
}
static bool op_get(machine *m) {
  return memo_op(m, 0, false);
}
static bool op_binget(machine *m) {
  return memo_op(m, 1, false);
}
static bool op_long_binget(machine *m) {
  return memo_op(m, 4, false);
}
static bool op_memoize(machine *m) {
  const value *top = bez_pickle_top(m);
  return top && bez_pickle_memo_put(m, m->memo_used, *top);
}

/* ---- what has effects ----------------------------------------------------------------------------------------------
 */

static bool line_string(machine *m, value *out) {
  const uint8_t *text;
  size_t len;
  if (!bez_pickle_line(m, &text, &len)) return false;
  if (!bez_utf8_valid((const char *)text, len)) return bez_pickle_fail(m, "a name that is no text");
  *out = bez_pickle_string(BEZ_PV_STR, text, len);
  return true;
}

static bool op_global(machine *m) {
  value module, name, out;
  return line_string(m, &module) && line_string(m, &name) && bez_pickle_import(m, module, name, &out) &&
         bez_pickle_put(m, out);
}

static bool op_stack_global(machine *m) {
  value module, name, out;
  return bez_pickle_take(m, &name) && bez_pickle_take(m, &module) && bez_pickle_import(m, module, name, &out) &&
         bez_pickle_put(m, out);
}

static bool op_reduce(machine *m) {
  value callee, arguments;
  return bez_pickle_take(m, &arguments) && bez_pickle_take(m, &callee) && bez_pickle_call(m, callee, arguments);
}

/* NEWOBJ_EX: the keyword arguments come as one more. */
static bool op_newobj_ex(machine *m) {
  value keywords, arguments, callee;
  if (!bez_pickle_take(m, &keywords) || !bez_pickle_take(m, &arguments) || !bez_pickle_take(m, &callee)) return false;
  value all = bez_pickle_container(m, BEZ_PV_TUPLE, BEZ_PICKLE_KEPT);
  if (!all.as.node) return false;
  for (uint32_t i = 0; arguments.kind == BEZ_PV_TUPLE && i < arguments.as.node->kept; i++)
    bez_pickle_push(all.as.node, arguments.as.node->items[i]);
  bez_pickle_push(all.as.node, keywords);
  return bez_pickle_call(m, callee, all);
}

/* From the mark on: the arguments, for INST with the class named in the stream, for OBJ with the class in front. */
static bool op_inst(machine *m) {
  value module, name, callee, arguments;
  return line_string(m, &module) && line_string(m, &name) && bez_pickle_import(m, module, name, &callee) &&
         gather_marked(m, BEZ_PV_TUPLE) && bez_pickle_take(m, &arguments) && bez_pickle_call(m, callee, arguments);
}

static bool op_obj(machine *m) {
  size_t first;
  value callee, arguments;
  if (!bez_pickle_mark(m, &first)) return false;
  if (first >= m->n) return bez_pickle_fail(m, "the stack is empty");
  callee = m->stack[first];
  if (!bez_pickle_gather(m, BEZ_PV_TUPLE, first + 1) || !bez_pickle_take(m, &arguments)) return false;
  m->n = first - 1;
  return bez_pickle_call(m, callee, arguments);
}

static bool op_build(machine *m) {
  value state;
  if (!bez_pickle_take(m, &state)) return false;
  const value *target = bez_pickle_top(m);
  if (!target || !bez_pickle_alter(m, target, &state) || !bez_pickle_tell_item(m, target, NULL, &state)) return false;
  return !m->joblib || bez_pickle_joblib_array(m, &state);
}

static bool put_persistent(machine *m, value id) {
  value out = bez_pickle_container(m, BEZ_PV_PERSISTENT, 1);
  if (!out.as.node) return false;
  bez_pickle_push(out.as.node, id);
  return bez_pickle_tell(m, (bez_pickle_event){.what = BEZ_PICKLE_PERSISTENT, .target = &out}) &&
         bez_pickle_put(m, out);
}
static bool op_persid(machine *m) {
  value id;
  return line_string(m, &id) && put_persistent(m, id);
}
static bool op_binpersid(machine *m) {
  value id;
  return bez_pickle_take(m, &id) && put_persistent(m, id);
}

static bool put_extension(machine *m, unsigned size) {
  uint64_t code;
  if (!little(m, size, &code)) return false;
  value v = {.kind = BEZ_PV_EXTENSION, .as.i = (int64_t)code};
  return bez_pickle_tell(m, (bez_pickle_event){.what = BEZ_PICKLE_EXTENSION, .target = &v}) && bez_pickle_put(m, v);
}
static bool op_ext1(machine *m) {
  return put_extension(m, 1);
}
static bool op_ext2(machine *m) {
  return put_extension(m, 2);
}
static bool op_ext4(machine *m) {
  return put_extension(m, 4);
}

static bool op_proto(machine *m) {
  uint64_t version;
  if (!little(m, 1, &version)) return false;
  if (version > 5) return bez_pickle_fail(m, "protocol %u is not known", (unsigned)version);
  m->end->protocol = (uint8_t)version;
  return true;
}

static bool op_frame(machine *m) {
  uint64_t len;
  if (!little(m, 8, &len)) return false;
  if (len > bez_cursor_left(&m->in)) return bez_pickle_fail(m, "a frame is longer than the file");
  if (m->in.pos < m->frame_end) m->end->frames_differ = true;
  m->frame_end = m->in.pos + (size_t)len;
  return true;
}

static const struct {
  const char *name;
  bez_pickle_op_fn run;
} ops[256] = {
    ['('] = {"MARK", op_mark},
    ['.'] = {"STOP", op_stop},
    ['0'] = {"POP", op_pop},
    ['1'] = {"POP_MARK", op_pop_mark},
    ['2'] = {"DUP", op_dup},
    ['F'] = {"FLOAT", op_number_line},
    ['I'] = {"INT", op_number_line},
    ['J'] = {"BININT", op_binint},
    ['K'] = {"BININT1", op_binint1},
    ['L'] = {"LONG", op_number_line},
    ['M'] = {"BININT2", op_binint2},
    ['N'] = {"NONE", op_none},
    ['P'] = {"PERSID", op_persid},
    ['Q'] = {"BINPERSID", op_binpersid},
    ['R'] = {"REDUCE", op_reduce},
    ['S'] = {"STRING", op_string},
    ['T'] = {"BINSTRING", op_str4},
    ['U'] = {"SHORT_BINSTRING", op_str1},
    ['V'] = {"UNICODE", op_unicode},
    ['X'] = {"BINUNICODE", op_str4},
    ['a'] = {"APPEND", op_append},
    ['b'] = {"BUILD", op_build},
    ['c'] = {"GLOBAL", op_global},
    ['d'] = {"DICT", op_dict},
    ['}'] = {"EMPTY_DICT", op_empty_dict},
    ['e'] = {"APPENDS", op_many},
    ['g'] = {"GET", op_get},
    ['h'] = {"BINGET", op_binget},
    ['i'] = {"INST", op_inst},
    ['j'] = {"LONG_BINGET", op_long_binget},
    ['l'] = {"LIST", op_list},
    [']'] = {"EMPTY_LIST", op_empty_list},
    ['o'] = {"OBJ", op_obj},
    ['p'] = {"PUT", op_put},
    ['q'] = {"BINPUT", op_binput},
    ['r'] = {"LONG_BINPUT", op_long_binput},
    ['s'] = {"SETITEM", op_setitem},
    ['t'] = {"TUPLE", op_tuple},
    [')'] = {"EMPTY_TUPLE", op_empty_tuple},
    ['u'] = {"SETITEMS", op_setitems},
    ['G'] = {"BINFLOAT", op_binfloat},
    [0x80] = {"PROTO", op_proto},
    [0x81] = {"NEWOBJ", op_reduce},
    [0x82] = {"EXT1", op_ext1},
    [0x83] = {"EXT2", op_ext2},
    [0x84] = {"EXT4", op_ext4},
    [0x85] = {"TUPLE1", op_tuple1},
    [0x86] = {"TUPLE2", op_tuple2},
    [0x87] = {"TUPLE3", op_tuple3},
    [0x88] = {"NEWTRUE", op_true},
    [0x89] = {"NEWFALSE", op_false},
    [0x8a] = {"LONG1", op_long1},
    [0x8b] = {"LONG4", op_long4},
    ['B'] = {"BINBYTES", op_bytes4},
    ['C'] = {"SHORT_BINBYTES", op_bytes1},
    [0x8c] = {"SHORT_BINUNICODE", op_str1},
    [0x8d] = {"BINUNICODE8", op_str8},
    [0x8e] = {"BINBYTES8", op_bytes8},
    [0x8f] = {"EMPTY_SET", op_empty_set},
    [0x90] = {"ADDITEMS", op_many},
    [0x91] = {"FROZENSET", op_frozenset},
    [0x92] = {"NEWOBJ_EX", op_newobj_ex},
    [0x93] = {"STACK_GLOBAL", op_stack_global},
    [0x94] = {"MEMOIZE", op_memoize},
    [0x95] = {"FRAME", op_frame},
    [0x96] = {"BYTEARRAY8", op_bytes8},
    [0x97] = {"NEXT_BUFFER", op_buffer},
    [0x98] = {"READONLY_BUFFER", op_readonly},
};

static bool step(machine *m) {
  uint8_t code;
  m->op_at = m->in.pos;
  if (!bez_cursor_u8(&m->in, &code)) return bez_pickle_fail(m, "the stream ends without STOP");
  if (!ops[code].run) return bez_pickle_fail(m, "0x%02x is no opcode", code);
  m->opcode = ops[code].name;
  if (!ops[code].run(m)) return false;
  if (m->op_at < m->frame_end && m->in.pos > m->frame_end) m->end->frames_differ = true;
  m->end->opcodes++;
  return true;
}

void bez_pickle_run(const uint8_t *bytes, size_t len, size_t at, bool joblib, bez_pickle_fn fn, void *ctx,
                    bez_pickle_end *end) {
  machine m = {.in = {.data = bytes, .len = len, .pos = at}, .joblib = joblib, .fn = fn, .ctx = ctx, .end = end};
  *end = (bez_pickle_end){0};
  while (!m.done && step(&m)) {
  }
  end->stopped = m.done && !end->why[0];
  end->used = end->stopped ? m.in.pos : m.op_at;
  free(m.stack);
  free(m.memo);
  bez_arena_free(&m.arena);
}

bool bez_pickle_magic(const uint8_t *bytes, size_t len) {
  return len >= 4 && bytes[0] == 0x80 && bytes[1] >= 2 && bytes[1] <= 5 && ops[bytes[2]].run;
}
