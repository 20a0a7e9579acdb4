/* What an expression of a template could be (jinja.h): constants followed through variables, operators, filters and
 * methods, so that a name that is put together is read like one that is written out. */
#include <stdio.h>
#include <string.h>

#include "decode/jinja.h"

#define SPENT (24u << 20) /* bytes of values per template */
#define LONGEST 4096u     /* bytes of one */
#define MOST_ITEMS 1024u  /* of a list */

static const jinja_values nothing_known = {.other = true};

char *bez_jinja_room(jinja_scope *s, size_t len) {
  if (len > LONGEST || s->spent + len + 1 > SPENT) {
    s->gave_up |= s->spent + len + 1 > SPENT;
    return NULL;
  }
  s->spent += len + 1;
  char *room = bez_arena_alloc(s->arena, len + 1);
  if (!room) s->out_of_memory = true;
  return room;
}

static bool same(const jinja_value *a, const jinja_value *b) {
  if (a->kind != b->kind || a->len != b->len) return false;
  if (a->kind == JINJA_V_NUMBER) return a->number == b->number;
  if (a->kind == JINJA_V_STRING) return !a->len || memcmp(a->text, b->text, a->len) == 0;
  for (size_t i = 0; i < a->len; i++) /* lists within lists count as different */
    if (a->items[i].kind == JINJA_V_LIST || b->items[i].kind == JINJA_V_LIST || !same(&a->items[i], &b->items[i]))
      return false;
  return true;
}

void bez_jinja_add(jinja_values *set, const jinja_value *value) {
  for (unsigned i = 0; i < set->n; i++)
    if (same(&set->of[i], value)) return;
  if (set->n < JINJA_COULD)
    set->of[set->n++] = *value;
  else {
    set->other = true;
    if (value->kind == JINJA_V_STRING &&
        (memmem(value->text, value->len, "__", 2) || (value->len == 1 && *value->text == '_')))
      set->underscores = true;
  }
}

void bez_jinja_add_text(jinja_scope *s, jinja_values *set, const char *text, size_t len) {
  char *room = bez_jinja_room(s, len);
  if (room && len) memcpy(room, text, len);
  if (room)
    bez_jinja_add(set, &(jinja_value){.kind = JINJA_V_STRING, .text = room, .len = len});
  else
    set->other = true;
  if (memmem(text, len, "__", 2)) set->underscores = true;
}

void bez_jinja_widen(jinja_values *into, const jinja_values *more) {
  for (unsigned i = 0; i < more->n; i++) bez_jinja_add(into, &more->of[i]);
  into->other |= more->other;
  into->reached |= more->reached;
  into->underscores |= more->underscores;
  into->opaque |= more->opaque;
}

bool bez_jinja_as_text(jinja_scope *s, const jinja_value *v, const char **text, size_t *len) {
  char digits[24];
  if (v->kind == JINJA_V_STRING) return *text = v->text, *len = v->len, true;
  if (v->kind != JINJA_V_NUMBER) return false;
  const int n = snprintf(digits, sizeof digits, "%lld", (long long)v->number);
  char *room = bez_jinja_room(s, (size_t)n);
  if (!room) return false;
  memcpy(room, digits, (size_t)n);
  *text = room;
  *len = (size_t)n;
  return true;
}

static uint32_t hash_of(const char *name) {
  uint32_t hash = 2166136261u;
  for (; *name; name++) hash = (hash ^ (uint8_t)*name) * 16777619u;
  return hash;
}

jinja_variable *bez_jinja_variable(jinja_scope *s, const char *name, bool make) {
  const uint32_t hash = hash_of(name);
  for (unsigned i = 0; i < s->n; i++)
    if (s->variables[i].hash == hash && !strcmp(s->variables[i].name, name)) return &s->variables[i];
  if (make && s->n == JINJA_VARIABLES) s->gave_up = true;
  if (!make || s->n == JINJA_VARIABLES) return NULL;
  s->variables[s->n] = (jinja_variable){.name = name, .hash = hash};
  return &s->variables[s->n++];
}

const char *bez_jinja_field(jinja_scope *s, const jinja_node *n) {
  if (n->kind != JINJA_N_ATTR || !n->a || n->a->kind != JINJA_N_NAME) return NULL;
  char *name = bez_jinja_room(s, (size_t)n->a->len + 1 + n->len);
  if (!name) return NULL;
  memcpy(name, n->a->text, n->a->len);
  name[n->a->len] = '.';
  memcpy(name + n->a->len + 1, n->text, n->len);
  return name;
}

/* ---- operators ----------------------------------------------------------------------------------------------------
 */

static void join_two(jinja_scope *s, const jinja_value *a, const jinja_value *b, jinja_values *out) {
  const char *x, *y;
  size_t n, m;
  if (!bez_jinja_as_text(s, a, &x, &n) || !bez_jinja_as_text(s, b, &y, &m)) {
    out->other = true;
    return;
  }
  char *room = bez_jinja_room(s, n + m);
  out->other |= !room;
  if (!room) return;
  if (n) memcpy(room, x, n);
  if (m) memcpy(room + n, y, m);
  if (memmem(room, n + m, "__", 2)) out->underscores = true;
  bez_jinja_add(out, &(jinja_value){.kind = JINJA_V_STRING, .text = room, .len = n + m});
}

static void join_lists(jinja_scope *s, const jinja_value *a, const jinja_value *b, jinja_values *out) {
  const size_t n = a->len + b->len;
  jinja_value *items = n <= MOST_ITEMS ? bez_arena_array(s->arena, n + 1, sizeof *items) : NULL;
  s->spent += n * sizeof *items;
  out->other |= !items;
  if (!items) return;
  if (a->len) memcpy(items, a->items, a->len * sizeof *items);
  if (b->len) memcpy(items + a->len, b->items, b->len * sizeof *items);
  bez_jinja_add(out, &(jinja_value){.kind = JINJA_V_LIST, .items = items, .len = n});
}

static void repeat(jinja_scope *s, const jinja_value *text, int64_t times, jinja_values *out) {
  const size_t n = times > 0 && times < LONGEST ? text->len * (size_t)times : times > 0 && text->len ? LONGEST + 1 : 0;
  char *room = bez_jinja_room(s, n);
  out->other |= !room;
  if (!room) return;
  for (size_t i = 0; text->len && i < n; i += text->len) memcpy(room + i, text->text, text->len);
  if (memmem(room, n, "__", 2)) out->underscores = true;
  bez_jinja_add(out, &(jinja_value){.kind = JINJA_V_STRING, .text = room, .len = n});
}

static void operate(jinja_scope *s, char op, const jinja_value *a, const jinja_value *b, jinja_values *out) {
  const bool numbers = a->kind == JINJA_V_NUMBER && b->kind == JINJA_V_NUMBER;
  if (op == '~' || (op == '+' && a->kind == JINJA_V_STRING && b->kind == JINJA_V_STRING)) {
    join_two(s, a, b, out);
  } else if (op == '+' && a->kind == JINJA_V_LIST && b->kind == JINJA_V_LIST) {
    join_lists(s, a, b, out);
  } else if (op == '*' && a->kind == JINJA_V_STRING && b->kind == JINJA_V_NUMBER) {
    repeat(s, a, b->number, out);
  } else if (op == '*' && b->kind == JINJA_V_STRING && a->kind == JINJA_V_NUMBER) {
    repeat(s, b, a->number, out);
  } else if (numbers && strchr("+-*", op) && a->number < (1 << 30) && b->number < (1 << 30)) {
    const int64_t value = op == '+' ? a->number + b->number : op == '-' ? a->number - b->number : a->number * b->number;
    bez_jinja_add(out, &(jinja_value){.kind = JINJA_V_NUMBER, .number = value});
  } else {
    out->other = true;
  }
}

static void binary(jinja_scope *s, const jinja_node *n, jinja_values *out) {
  const jinja_values *a = bez_jinja_could(s, n->a), *b = bez_jinja_could(s, n->b);
  out->underscores = a->underscores || b->underscores;
  out->opaque = a->opaque || b->opaque;
  if (!strcmp(n->op, "or") || !strcmp(n->op, "and")) {
    bez_jinja_widen(out, a);
    bez_jinja_widen(out, b);
    return;
  }
  if (!strcmp(n->op, "%")) { /* "%c%c" % (95, 95) */
    bez_jinja_apply(s, "format", a, n->b, out);
    return;
  }
  out->other |= a->other || b->other;
  if (n->op[1] || !strchr("+-*~", *n->op)) {
    out->other = true;
    return;
  }
  for (unsigned i = 0; i < a->n; i++)
    for (unsigned j = 0; j < b->n; j++) {
      jinja_values made = {0};
      operate(s, *n->op, &a->of[i], &b->of[j], &made);
      made.opaque = made.other && (a->of[i].kind != JINJA_V_NUMBER || b->of[j].kind != JINJA_V_NUMBER);
      bez_jinja_widen(out, &made);
    }
}

/* ---- containers ---------------------------------------------------------------------------------------------------
 */

/* The elements' first values, then each of the others in its place: not every combination. */
static void list(jinja_scope *s, const jinja_node *first, jinja_values *out) {
  const jinja_values *all[64];
  size_t n = 0;
  for (; first && n < 64; first = first->next) {
    all[n] = bez_jinja_could(s, first->kind == JINJA_N_PAIR || first->kind == JINJA_N_STAR ? first->a : first);
    if (first->kind == JINJA_N_STAR) out->other = true;
    out->underscores |= all[n]->underscores;
    out->opaque |= all[n]->opaque;
    out->other |= all[n]->other;
    out->reached |= all[n]->reached;
    if (all[n]->n) n++;
  }
  out->other |= first != NULL;
  for (size_t place = 0; place < n || place == 0; place++) {
    for (unsigned which = place ? 1 : 0; which < (n ? all[place]->n : 1); which++) {
      jinja_value *items = s->spent < SPENT ? bez_arena_array(s->arena, n + 1, sizeof *items) : NULL;
      s->spent += (n + 1) * sizeof *items;
      if (!items) return out->other = true, (void)0;
      for (size_t i = 0; i < n; i++) items[i] = all[i]->of[i == place ? which : 0];
      bez_jinja_add(out, &(jinja_value){.kind = JINJA_V_LIST, .items = items, .len = n});
    }
  }
}

/* "dict(a=1)": its keys, as a list. */
static void keywords(jinja_scope *s, const jinja_node *args, jinja_values *out) {
  jinja_value *items = bez_arena_array(s->arena, MOST_ITEMS, sizeof *items);
  size_t n = 0;
  s->spent += MOST_ITEMS * sizeof *items;
  for (; items && args && n < MOST_ITEMS; args = args->next) {
    if (args->kind != JINJA_N_KEYWORD) {
      out->other = true;
      continue;
    }
    out->underscores |= strstr(args->text, "__") != NULL;
    items[n++] = (jinja_value){.kind = JINJA_V_STRING, .text = args->text, .len = args->len};
  }
  out->other |= !items;
  if (items) bez_jinja_add(out, &(jinja_value){.kind = JINJA_V_LIST, .items = items, .len = n});
}

static int64_t bound(const jinja_values *v, int64_t otherwise, bool *known) {
  if (!v) return otherwise;
  if (v->n == 1 && !v->other && v->of[0].kind == JINJA_V_NUMBER) return v->of[0].number;
  *known = false;
  return otherwise;
}

/* text[a:b:c] of constants. */
static void slice(jinja_scope *s, const jinja_value *of, const jinja_node *n, jinja_values *out) {
  bool known = of->kind == JINJA_V_STRING;
  const int64_t step = bound(n->c ? bez_jinja_could(s, n->c) : NULL, 1, &known), len = (int64_t)of->len;
  int64_t from = bound(n->a ? bez_jinja_could(s, n->a) : NULL, step > 0 ? 0 : len - 1, &known);
  int64_t to = bound(n->b ? bez_jinja_could(s, n->b) : NULL, step > 0 ? len : -1 - len, &known);
  char *room = known && step ? bez_jinja_room(s, of->len) : NULL;
  size_t kept = 0;
  out->other |= !room;
  if (!room) return;
  if (from < 0) from += len;
  if (to < 0) to += len;
  if (step > 0 && from < 0) from = 0;
  if (step < 0 && from >= len) from = len - 1;
  for (int64_t i = from; step > 0 ? i < to && i < len : i > to && i >= 0; i += step)
    if (i >= 0) room[kept++] = of->text[i];
  if (memmem(room, kept, "__", 2)) out->underscores = true;
  bez_jinja_add(out, &(jinja_value){.kind = JINJA_V_STRING, .text = room, .len = kept});
}

static void one_item(const jinja_value *of, const jinja_value *index, jinja_values *out) {
  const int64_t len = (int64_t)of->len;
  int64_t i = index->kind == JINJA_V_NUMBER ? index->number : len;
  if (i < 0) i += len;
  if (i < 0 || i >= len || of->kind == JINJA_V_NUMBER) {
    out->other = true;
    return;
  }
  if (of->kind == JINJA_V_LIST)
    bez_jinja_add(out, &of->items[i]);
  else
    bez_jinja_add(out, &(jinja_value){.kind = JINJA_V_STRING, .text = of->text + i, .len = 1});
}

static void item(jinja_scope *s, const jinja_node *n, jinja_values *out) {
  const jinja_values *of = bez_jinja_could(s, n->a);
  out->underscores = of->underscores;
  out->opaque = of->opaque;
  out->other |= of->other;
  if (n->a && n->a->kind == JINJA_N_DICT) { /* any of its values */
    for (const jinja_node *pair = n->a->args; pair; pair = pair->next)
      bez_jinja_widen(out, bez_jinja_could(s, pair->b));
    out->other = true;
    return;
  }
  if (n->b && n->b->kind == JINJA_N_SLICE) {
    for (unsigned i = 0; i < of->n; i++) slice(s, &of->of[i], n->b, out);
    return;
  }
  const jinja_values *index = bez_jinja_could(s, n->b);
  out->other |= index->other;
  out->reached |= index->other;
  for (unsigned i = 0; i < of->n; i++)
    for (unsigned j = 0; j < index->n; j++) one_item(&of->of[i], &index->of[j], out);
}

/* ---- everything ---------------------------------------------------------------------------------------------------
 */

static void variable(jinja_scope *s, const char *name, jinja_values *out) {
  const jinja_variable *v = name ? bez_jinja_variable(s, name, false) : NULL;
  if (v)
    bez_jinja_widen(out, &v->could);
  else
    out->other = true;
}

/* A macro gives the text that it prints (kept under "name()"); a method works on what it belongs to. */
static void call(jinja_scope *s, const jinja_node *n, jinja_values *out) {
  const jinja_node *callee = n->a;
  if (!callee) return out->other = true, (void)0;
  if (callee->kind == JINJA_N_ATTR) {
    bez_jinja_apply(s, callee->text, bez_jinja_could(s, callee->a), n->args, out);
    return;
  }
  if (callee->kind != JINJA_N_NAME) return out->other = true, (void)0;
  if (!strcmp(callee->text, "dict") || !strcmp(callee->text, "namespace")) return keywords(s, n->args, out);
  const char *name = bez_arena_printf(s->arena, "%s()", callee->text);
  s->spent += callee->len;
  variable(s, name, out);
}

static void number(int64_t value, jinja_values *out) {
  bez_jinja_add(out, &(jinja_value){.kind = JINJA_V_NUMBER, .number = value});
}

static void work_out(jinja_scope *s, const jinja_node *n, jinja_values *out) {
  switch (n->kind) {
    case JINJA_N_NAME: variable(s, n->text, out); return;
    case JINJA_N_STRING:
      bez_jinja_add(out, &(jinja_value){.kind = JINJA_V_STRING, .text = n->text, .len = n->len});
      out->underscores = memmem(n->text, n->len, "__", 2) != NULL;
      return;
    case JINJA_N_NUMBER: number(n->value, out); return;
    case JINJA_N_LIST:
    case JINJA_N_DICT: list(s, n->args, out); return;
    case JINJA_N_ATTR:
      out->underscores = strstr(n->text, "__") != NULL;
      variable(s, bez_jinja_field(s, n), out);
      return;
    case JINJA_N_ITEM: item(s, n, out); return;
    case JINJA_N_CALL: call(s, n, out); return;
    case JINJA_N_FILTER:
      if (n->a)
        bez_jinja_apply(s, n->text, bez_jinja_could(s, n->a), n->args, out);
      else
        out->other = true;
      return;
    case JINJA_N_BINARY: binary(s, n, out); return;
    case JINJA_N_UNARY:
      if (*n->op == '-' && n->a && n->a->kind == JINJA_N_NUMBER)
        number(-n->a->value, out);
      else
        out->other = true;
      return;
    case JINJA_N_COND:
      bez_jinja_widen(out, bez_jinja_could(s, n->a));
      bez_jinja_widen(out, bez_jinja_could(s, n->c));
      return;
    default: out->other = true;
  }
}

const jinja_values *bez_jinja_could(jinja_scope *s, const jinja_node *n) {
  if (!n || s->spent > SPENT) {
    s->gave_up |= n != NULL;
    return &nothing_known;
  }
  jinja_values *out = bez_arena_alloc(s->arena, sizeof *out);
  s->spent += sizeof *out;
  if (!out) s->out_of_memory = true;
  if (!out) return &nothing_known;
  work_out(s, n, out);
  return out;
}

static bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Blanks around what a block prints are up to its tags. */
static void add_trimmed(jinja_scope *s, jinja_values *set, const char *text, size_t len) {
  while (len && is_blank(text[len - 1])) len--;
  while (len && is_blank(*text)) text++, len--;
  bez_jinja_add_text(s, set, text, len);
}

const jinja_values *bez_jinja_printed(jinja_scope *s, const jinja_node *body) {
  jinja_values *out = bez_arena_alloc(s->arena, sizeof *out);
  s->spent += sizeof *out;
  if (!out || s->spent > SPENT) return &nothing_known;
  bez_jinja_add_text(s, out, "", 0);
  for (; body; body = body->next) {
    jinja_values piece = {0}, longer = {.other = out->other, .underscores = out->underscores};
    if (body->kind == JINJA_N_DATA)
      add_trimmed(s, &piece, body->text, body->len);
    else if (body->kind == JINJA_N_PRINT)
      bez_jinja_widen(&piece, bez_jinja_could(s, body->a));
    else if (body->kind != JINJA_N_SET)
      piece.other = true;
    else
      continue;
    longer.other |= piece.other;
    longer.underscores |= piece.underscores;
    for (unsigned i = 0; i < out->n; i++)
      for (unsigned j = 0; j < piece.n; j++) join_two(s, &out->of[i], &piece.of[j], &longer);
    *out = longer;
  }
  return out;
}
