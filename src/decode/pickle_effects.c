/* What an abstract pickle would do (pickle_machine.h): imports, calls and changed states are told, and calls whose
 * result can be known without running anything are worked out: names that are put together are still names. */
#include <string.h>

#include "base/utf8.h"
#include "decode/pickle_machine.h"

#define NAME_MOST 1024u

bool bez_pickle_tell(bez_pickle_machine *m, bez_pickle_event event) {
  event.at = m->op_at;
  event.opcode = m->opcode;
  return m->fn(m->ctx, &event) || bez_pickle_fail(m, "cancelled");
}

bool bez_pickle_tell_item(bez_pickle_machine *m, const bez_pickle_value *target, const bez_pickle_value *key,
                          const bez_pickle_value *item) {
  const bool listed_text = target->kind == BEZ_PV_LIST && item->kind == BEZ_PV_STR;
  if (!bez_pickle_has_node(target) || target->as.node == &m->crowded) return true;
  if (!listed_text && !bez_pickle_has_node(item)) return true;
  return bez_pickle_tell(m,
                         (bez_pickle_event){.what = BEZ_PICKLE_ITEM, .target = target, .key = key, .arguments = item});
}

/* A string that may be a name, NUL-terminated in the arena; as it is, where it is no constant or no name at all. */
static bez_pickle_value name_of(bez_pickle_machine *m, bez_pickle_value v, bool *good) {
  char *text = NULL;
  if (v.kind == BEZ_PV_STR && v.n <= NAME_MOST && !memchr(v.as.s, 0, v.n))
    text = bez_arena_strndup(&m->arena, (const char *)v.as.s, v.n);
  *good = *good && text;
  return text ? bez_pickle_string(BEZ_PV_STR, text, v.n) : v;
}

/* Of a global: items are its module, its name, and whether both are texts. */
static void names_of(const bez_pickle_value *v, const char **module, const char **name) {
  *module = *name = NULL;
  if (v->kind != BEZ_PV_GLOBAL || !v->as.node->items[2].as.i) return;
  *module = (const char *)v->as.node->items[0].as.s;
  *name = (const char *)v->as.node->items[1].as.s;
}

bool bez_pickle_import(bez_pickle_machine *m, bez_pickle_value module, bez_pickle_value name, bez_pickle_value *out) {
  bool good = true;
  *out = bez_pickle_container(m, BEZ_PV_GLOBAL, 3);
  if (!out->as.node) return false;
  bez_pickle_push(out->as.node, name_of(m, module, &good));
  bez_pickle_push(out->as.node, name_of(m, name, &good));
  bez_pickle_push(out->as.node, (bez_pickle_value){.kind = BEZ_PV_BOOL, .as.i = good});
  bez_pickle_event e = {.what = BEZ_PICKLE_IMPORT, .target = out};
  names_of(out, &e.module, &e.name);
  return bez_pickle_tell(m, e);
}

bool bez_pickle_alter(bez_pickle_machine *m, const bez_pickle_value *target, const bez_pickle_value *with) {
  if (target->kind != BEZ_PV_GLOBAL && target->kind != BEZ_PV_MODULE) return true;
  bez_pickle_event e = {.what = BEZ_PICKLE_STATE, .target = target, .arguments = with};
  names_of(target, &e.module, &e.name);
  return bez_pickle_tell(m, e);
}

/* ---- calls whose result is known ----------------------------------------------------------------------------------
 */

typedef struct known_call {
  const char *modules; /* separated by blanks, with a blank at both ends */
  const char *name;
  bool (*result)(bez_pickle_machine *m, const bez_pickle_node *arguments, bez_pickle_value *out, bool *known);
} known_call;

static bool joined(bez_pickle_machine *m, const bez_pickle_value *a, const bez_pickle_value *b, bez_pickle_value *out) {
  if (a->kind != BEZ_PV_STR || b->kind != BEZ_PV_STR || a->n > NAME_MOST || b->n > NAME_MOST) return false;
  char *text = bez_arena_alloc(&m->arena, (size_t)a->n + b->n + 1);
  if (!text) return false;
  memcpy(text, a->as.s, a->n);
  text[a->n] = '.';
  memcpy(text + a->n + 1, b->as.s, b->n);
  *out = bez_pickle_string(BEZ_PV_STR, text, (uint64_t)a->n + b->n + 1);
  return true;
}

/* getattr(os, 'system'), getattr(builtins.object, '__subclasses__') */
static bool attribute(bez_pickle_machine *m, const bez_pickle_value *of, const bez_pickle_value *name,
                      bez_pickle_value *out, bool *known) {
  bez_pickle_value longer;
  if (name->kind != BEZ_PV_STR) return true;
  if (of->kind == BEZ_PV_MODULE) {
    *known = true;
    return bez_pickle_import(m, of->as.node->items[0], *name, out);
  }
  if (of->kind != BEZ_PV_GLOBAL || !joined(m, &of->as.node->items[1], name, &longer)) return true;
  *known = true;
  return bez_pickle_import(m, of->as.node->items[0], longer, out);
}

static bool known_getattr(bez_pickle_machine *m, const bez_pickle_node *a, bez_pickle_value *out, bool *known) {
  return a->kept < 2 || attribute(m, &a->items[0], &a->items[1], out, known);
}

static bool known_module(bez_pickle_machine *m, const bez_pickle_node *a, bez_pickle_value *out, bool *known) {
  if (!a->kept || a->items[0].kind != BEZ_PV_STR) return true;
  *out = bez_pickle_container(m, BEZ_PV_MODULE, 1);
  if (!out->as.node) return false;
  bez_pickle_push(out->as.node, a->items[0]);
  return *known = true;
}

/* 'os:system' and 'os.system'. */
static bool known_resolve(bez_pickle_machine *m, const bez_pickle_node *a, bez_pickle_value *out, bool *known) {
  if (!a->kept || a->items[0].kind != BEZ_PV_STR) return true;
  const bez_pickle_value *v = &a->items[0];
  const uint8_t *colon = memchr(v->as.s, ':', v->n);
  if (!colon) colon = memrchr(v->as.s, '.', v->n);
  if (!colon) return known_module(m, a, out, known);
  size_t head = (size_t)(colon - v->as.s);
  *known = true;
  return bez_pickle_import(m, bez_pickle_string(BEZ_PV_STR, v->as.s, head),
                           bez_pickle_string(BEZ_PV_STR, colon + 1, v->n - head - 1), out);
}

static bool is_latin1(const bez_pickle_value *v) {
  return v->kind == BEZ_PV_STR &&
         ((v->n == 6 && !memcmp(v->as.s, "latin1", 6)) || (v->n == 7 && !memcmp(v->as.s, "latin-1", 7)) ||
          (v->n == 10 && !memcmp(v->as.s, "iso-8859-1", 10)));
}

/* _codecs.encode('…', 'latin1'): how protocols 0 to 2 write bytes. Any other encoding makes other bytes of the text. */
static bool known_bytes(bez_pickle_machine *m, const bez_pickle_node *a, bez_pickle_value *out, bool *known) {
  if (a->kept < 2 || a->items[0].kind != BEZ_PV_STR || !is_latin1(&a->items[1])) return true;
  const bez_pickle_value *v = &a->items[0];
  uint8_t *bytes = bez_arena_alloc(&m->arena, (size_t)v->n + 1);
  size_t n = 0;
  if (!bytes) return true;
  for (size_t i = 0; i < v->n;) {
    uint32_t cp;
    i += bez_utf8_decode((const char *)v->as.s + i, v->n - i, &cp, NULL);
    if (cp > 255) return true;
    bytes[n++] = (uint8_t)cp;
  }
  *out = bez_pickle_string(BEZ_PV_BYTES, bytes, n);
  return *known = true;
}

/* torch.storage._load_from_bytes(b'…') loads what it is given: constant bytes are looked into, others cannot be. */
static bool known_load(bez_pickle_machine *m, const bez_pickle_node *a, bez_pickle_value *out, bool *known) {
  *known = a->kept == 1 && a->items[0].kind == BEZ_PV_BYTES;
  return true;
}

static const known_call known_calls[] = {
    {" torch.storage ", "_load_from_bytes", known_load},
    {" builtins __builtin__ ", "getattr", known_getattr},
    {" builtins __builtin__ ", "__import__", known_module},
    {" importlib ", "import_module", known_module},
    {" importlib ", "__import__", known_module},
    {" pkgutil ", "resolve_name", known_resolve},
    {" _codecs codecs ", "encode", known_bytes},
};

static bool is(const bez_pickle_value *v, const char *module, const char *name) {
  size_t n = strlen(name);
  if (v->kind != BEZ_PV_GLOBAL) return false;
  const bez_pickle_value *m = &v->as.node->items[0], *a = &v->as.node->items[1];
  if (m->kind != BEZ_PV_STR || a->kind != BEZ_PV_STR || a->n != n || memcmp(a->as.s, name, n) != 0) return false;
  for (const char *p = module; (p = memmem(p, strlen(p), m->as.s, m->n)) != NULL && m->n; p++)
    if (p > module && p[-1] == ' ' && p[m->n] == ' ') return true;
  return false;
}

static bool work_out(bez_pickle_machine *m, const bez_pickle_value *callee, const bez_pickle_node *a,
                     bez_pickle_value *out, bool *known) {
  for (size_t i = 0; i < sizeof known_calls / sizeof *known_calls; i++)
    if (is(callee, known_calls[i].modules, known_calls[i].name)) return known_calls[i].result(m, a, out, known);
  /* operator.attrgetter('system')(os) */
  if (callee->kind == BEZ_PV_CALL && callee->as.node->kept > 1 && a->kept &&
      is(&callee->as.node->items[0], " operator _operator ", "attrgetter"))
    return attribute(m, &a->items[0], &callee->as.node->items[1], out, known);
  return true;
}

/* Old torch files name a class by persistent(('module', the class, its file, its source)): torch.load gives the class.
 */
static bez_pickle_value behind_persistent(bez_pickle_value v) {
  if (v.kind != BEZ_PV_PERSISTENT || !v.as.node->kept) return v;
  const bez_pickle_value *id = &v.as.node->items[0];
  if (id->kind != BEZ_PV_TUPLE || id->as.node->kept < 2 || id->as.node->items[1].kind != BEZ_PV_GLOBAL) return v;
  const bez_pickle_value *tag = &id->as.node->items[0];
  return tag->kind == BEZ_PV_STR && tag->n == 6 && !memcmp(tag->as.s, "module", 6) ? id->as.node->items[1] : v;
}

bool bez_pickle_call(bez_pickle_machine *m, bez_pickle_value callee, bez_pickle_value arguments) {
  bez_pickle_value out = {0};
  bool known = false;
  callee = behind_persistent(callee);
  if (arguments.kind != BEZ_PV_TUPLE && arguments.kind != BEZ_PV_LIST) {
    bez_pickle_value one = bez_pickle_container(m, BEZ_PV_TUPLE, 1);
    if (!one.as.node) return false;
    bez_pickle_push(one.as.node, arguments);
    arguments = one;
  }
  const bez_pickle_node *a = arguments.as.node;
  bez_pickle_event e = {.what = BEZ_PICKLE_CALL, .target = &callee, .arguments = &arguments};
  names_of(&callee, &e.module, &e.name);
  if (!work_out(m, &callee, a, &out, &known)) return false;
  e.known = known;
  if (!bez_pickle_tell(m, e)) return false;
  if (known && out.kind != BEZ_PV_MARK) return bez_pickle_put(m, out);
  out = bez_pickle_container(m, BEZ_PV_CALL, 1 + (size_t)a->kept);
  if (!out.as.node) return false;
  bez_pickle_push(out.as.node, callee);
  for (uint32_t i = 0; i < a->kept; i++) bez_pickle_push(out.as.node, a->items[i]);
  return bez_pickle_put(m, out);
}
