/* Statements of Jinja (jinja.h), and the cursor that both halves of the parser use. */
#include <string.h>

#include "decode/jinja_parser.h"

/* ---- the cursor ---------------------------------------------------------------------------------------------------
 */

static const jinja_token the_end = {.kind = JINJA_END, .text = ""};

void bez_jinja_fail(jinja_parser *p, const char *why) {
  if (p->tree->why) return;
  p->tree->why = why;
  p->tree->where = p->at->at;
  p->at = &the_end; /* every loop ends there */
}

const jinja_token *bez_jinja_next(jinja_parser *p) {
  const jinja_token *t = p->at;
  if (t->kind != JINJA_END) p->at++;
  return t;
}

bool bez_jinja_is(const jinja_token *t, jinja_kind kind, const char *text) {
  if (t->kind != kind) return false;
  return !text || (t->len == strlen(text) && memcmp(t->text, text, t->len) == 0);
}

bool bez_jinja_name_is(const jinja_parser *p, const char *word) {
  return bez_jinja_is(p->at, JINJA_NAME, word);
}

bool bez_jinja_op_is(const jinja_parser *p, const char *op) {
  return bez_jinja_is(p->at, JINJA_OPERATOR, op);
}

bool bez_jinja_skip_op(jinja_parser *p, const char *op) {
  return bez_jinja_op_is(p, op) && bez_jinja_next(p);
}

bool bez_jinja_skip_name(jinja_parser *p, const char *word) {
  return bez_jinja_name_is(p, word) && bez_jinja_next(p);
}

void bez_jinja_expect_op(jinja_parser *p, const char *op) {
  if (!bez_jinja_skip_op(p, op)) bez_jinja_fail(p, "another sign was expected");
}

const char *bez_jinja_expect_name(jinja_parser *p) {
  if (p->at->kind != JINJA_NAME) return bez_jinja_fail(p, "a name was expected"), "";
  const jinja_token *t = bez_jinja_next(p);
  const char *text = bez_arena_strndup(p->arena, t->text, t->len);
  if (!text) bez_jinja_fail(p, "memory is out");
  return text ? text : "";
}

static bool deeper(jinja_node *n, const jinja_node *child) {
  if (child && child->depth >= n->depth) n->depth = child->depth + 1;
  return n->depth <= BEZ_MAX_JINJA_DEPTH;
}

jinja_node *bez_jinja_node(jinja_parser *p, jinja_node_kind kind, jinja_node *a, jinja_node *b) {
  if (p->tree->why) return NULL;
  jinja_node *n = bez_arena_alloc(p->arena, sizeof *n);
  if (!n) return bez_jinja_fail(p, "memory is out"), NULL;
  *n = (jinja_node){.kind = kind, .at = p->at->at, .text = "", .op = "", .a = a, .b = b};
  if (a && a->at < n->at) n->at = a->at;
  if (!deeper(n, a) || !deeper(n, b)) return bez_jinja_fail(p, "it is nested too deep"), NULL;
  return n;
}

void bez_jinja_append(jinja_node ***last, jinja_node *node) {
  if (!node) return;
  **last = node;
  *last = &node->next;
}

bool bez_jinja_enter(jinja_parser *p) {
  if (p->tree->why) return false;
  if (p->depth == BEZ_MAX_JINJA_DEPTH) return bez_jinja_fail(p, "it is nested too deep"), false;
  p->depth++;
  return true;
}

void bez_jinja_leave(jinja_parser *p) {
  p->depth--;
}

/* ---- bodies -------------------------------------------------------------------------------------------------------
 */

static jinja_node *statement(jinja_parser *p);

static bool ends_here(const jinja_parser *p, const char *const *ends) {
  if (!ends || p->at->kind != JINJA_BLOCK_BEGIN) return false;
  for (; *ends; ends++)
    if (bez_jinja_is(p->at + 1, JINJA_NAME, *ends)) return true;
  return false;
}

static jinja_node *printed(jinja_parser *p) {
  bez_jinja_next(p);
  jinja_node *n = bez_jinja_node(p, JINJA_N_PRINT, bez_jinja_tuple(p, (jinja_tuple){0}), NULL);
  if (p->at->kind != JINJA_PRINT_END) bez_jinja_fail(p, "the end of an expression was expected");
  bez_jinja_next(p);
  return n;
}

static jinja_node *data(jinja_parser *p) {
  jinja_node *n = bez_jinja_node(p, JINJA_N_DATA, NULL, NULL);
  const jinja_token *t = bez_jinja_next(p);
  const char *text = bez_arena_strndup(p->arena, t->text, t->len);
  if (!text) bez_jinja_fail(p, "memory is out");
  if (n && text) n->text = text, n->len = t->len;
  return n;
}

/* Up to one of the ends, which is left to be read (its tag is open then); NULL: up to the end of all. */
static jinja_node *body(jinja_parser *p, const char *const *ends) {
  jinja_node *list = NULL, **last = &list;
  if (!bez_jinja_enter(p)) return NULL;
  while (!p->tree->why && p->at->kind != JINJA_END) {
    if (ends_here(p, ends)) break;
    if (p->at->kind == JINJA_DATA) {
      bez_jinja_append(&last, data(p));
    } else if (p->at->kind == JINJA_PRINT_BEGIN) {
      bez_jinja_append(&last, printed(p));
    } else {
      bez_jinja_next(p);
      bez_jinja_append(&last, statement(p));
      if (p->at->kind != JINJA_BLOCK_END) bez_jinja_fail(p, "the end of a statement was expected");
      bez_jinja_next(p);
    }
  }
  if (ends && p->at->kind == JINJA_END) bez_jinja_fail(p, "a block has no end");
  if (ends) bez_jinja_next(p);
  bez_jinja_leave(p);
  return list;
}

/* Behind the head of a statement: "%}", the body, and one of the words that end it, which is current then. */
static jinja_node *block(jinja_parser *p, const char *const *ends) {
  (void)bez_jinja_skip_op(p, ":");
  if (p->at->kind != JINJA_BLOCK_END) bez_jinja_fail(p, "the end of a statement was expected");
  bez_jinja_next(p);
  return body(p, ends);
}

/* … and the word is skipped. */
static jinja_node *block_until(jinja_parser *p, const char *end) {
  jinja_node *list = block(p, (const char *const[]){end, NULL});
  bez_jinja_next(p);
  return list;
}

/* ---- targets ------------------------------------------------------------------------------------------------------
 */

void bez_jinja_check_target(jinja_parser *p, const jinja_node *target) {
  if (!target || target->kind == JINJA_N_NAME) return;
  if (target->kind != JINJA_N_LIST) bez_jinja_fail(p, "this cannot be assigned to");
  for (const jinja_node *n = target->args; n && !p->tree->why; n = n->next) bez_jinja_check_target(p, n);
}

static jinja_node *name_target(jinja_parser *p) {
  jinja_node *n = bez_jinja_node(p, JINJA_N_NAME, NULL, NULL);
  const char *text = bez_jinja_expect_name(p);
  static const char *const constants[] = {"true", "false", "none", "True", "False", "None"};
  for (size_t i = 0; i < sizeof constants / sizeof *constants; i++)
    if (!strcmp(text, constants[i])) bez_jinja_fail(p, "this cannot be assigned to");
  if (n) n->text = text, n->len = (uint32_t)strlen(text);
  return n;
}

static jinja_node *target(jinja_parser *p, const char *end) {
  jinja_node *n = bez_jinja_tuple(p, (jinja_tuple){.simplified = true, .end = end});
  bez_jinja_check_target(p, n);
  return n;
}

/* "ns.field", or a name or tuple of names. */
static jinja_node *set_target(jinja_parser *p) {
  if (p->at->kind != JINJA_NAME || !bez_jinja_is(p->at + 1, JINJA_OPERATOR, ".")) return target(p, NULL);
  jinja_node *of = name_target(p);
  bez_jinja_next(p);
  jinja_node *n = bez_jinja_node(p, JINJA_N_ATTR, of, NULL);
  const char *text = bez_jinja_expect_name(p);
  if (n) n->text = text, n->len = (uint32_t)strlen(text);
  return n;
}

/* ---- statements ---------------------------------------------------------------------------------------------------
 */

static jinja_node *for_loop(jinja_parser *p) {
  jinja_node *to = target(p, "in");
  if (!bez_jinja_skip_name(p, "in")) bez_jinja_fail(p, "\"in\" was expected");
  jinja_node *over = bez_jinja_tuple(p, (jinja_tuple){.no_condition = true, .end = "recursive"});
  jinja_node *n = bez_jinja_node(p, JINJA_N_FOR, to, over);
  jinja_node *test = bez_jinja_skip_name(p, "if") ? bez_jinja_expression(p, true) : NULL;
  (void)bez_jinja_skip_name(p, "recursive");
  jinja_node *inner = block(p, (const char *const[]){"endfor", "else", NULL});
  const bool otherwise = bez_jinja_is(bez_jinja_next(p), JINJA_NAME, "else");
  jinja_node *other = otherwise ? block_until(p, "endfor") : NULL;
  if (n) n->c = test, n->body = inner, n->other = other;
  return n;
}

/* Behind "if" or "elif". */
static jinja_node *if_else(jinja_parser *p) {
  if (!bez_jinja_enter(p)) return NULL;
  jinja_node *n = bez_jinja_node(p, JINJA_N_IF, bez_jinja_tuple(p, (jinja_tuple){.no_condition = true}), NULL);
  jinja_node *inner = block(p, (const char *const[]){"elif", "else", "endif", NULL}), *other = NULL;
  const jinja_token *word = bez_jinja_next(p);
  if (bez_jinja_is(word, JINJA_NAME, "elif"))
    other = if_else(p);
  else if (bez_jinja_is(word, JINJA_NAME, "else"))
    other = block_until(p, "endif");
  if (n) n->body = inner, n->other = other;
  bez_jinja_leave(p);
  return n;
}

static jinja_node *assignment(jinja_parser *p) {
  jinja_node *n = bez_jinja_node(p, JINJA_N_SET, set_target(p), NULL);
  jinja_node *value, *inner = NULL;
  if (bez_jinja_skip_op(p, "=")) {
    value = bez_jinja_tuple(p, (jinja_tuple){0});
  } else {
    value = bez_jinja_filters(p, NULL, false);
    inner = block_until(p, "endset");
  }
  if (n) n->b = value, n->body = inner;
  return n;
}

/* "(a, b=1)": PAIRs. */
static jinja_node *signature(jinja_parser *p) {
  jinja_node *list = NULL, **last = &list;
  bool defaults = false;
  bez_jinja_expect_op(p, "(");
  while (!p->tree->why && !bez_jinja_op_is(p, ")")) {
    if (list) bez_jinja_expect_op(p, ",");
    jinja_node *to = name_target(p);
    jinja_node *value = bez_jinja_skip_op(p, "=") ? bez_jinja_expression(p, true) : NULL;
    if (!value && defaults) bez_jinja_fail(p, "an argument without a default stands behind one with");
    defaults |= value != NULL;
    bez_jinja_append(&last, bez_jinja_node(p, JINJA_N_PAIR, to, value));
  }
  bez_jinja_expect_op(p, ")");
  return list;
}

static jinja_node *scope(jinja_parser *p, const char *word) {
  jinja_node *n = bez_jinja_node(p, JINJA_N_SCOPE, NULL, NULL);
  if (n) n->text = word;
  return n;
}

static jinja_node *macro(jinja_parser *p) {
  jinja_node *n = bez_jinja_node(p, JINJA_N_MACRO, NULL, NULL), *to = name_target(p);
  jinja_node *args = signature(p), *inner = block_until(p, "endmacro");
  if (n && to) n->text = to->text, n->len = to->len, n->args = args, n->body = inner;
  return n;
}

static jinja_node *call_block(jinja_parser *p) {
  jinja_node *n = scope(p, "call");
  jinja_node *args = bez_jinja_op_is(p, "(") ? signature(p) : NULL, *call = bez_jinja_expression(p, true);
  if (call && call->kind != JINJA_N_CALL) bez_jinja_fail(p, "a call was expected");
  jinja_node *inner = block_until(p, "endcall");
  if (n) n->a = call, n->args = args, n->body = inner;
  return n;
}

static jinja_node *filter_block(jinja_parser *p) {
  jinja_node *n = scope(p, "filter"), *filter = bez_jinja_filters(p, NULL, true);
  jinja_node *inner = block_until(p, "endfilter");
  if (n) n->a = filter, n->body = inner;
  return n;
}

static jinja_node *with(jinja_parser *p) {
  jinja_node *n = scope(p, "with"), *list = NULL, **last = &list;
  while (!p->tree->why && p->at->kind != JINJA_BLOCK_END) {
    if (list) bez_jinja_expect_op(p, ",");
    jinja_node *to = bez_jinja_tuple(p, (jinja_tuple){.simplified = true});
    bez_jinja_check_target(p, to);
    bez_jinja_expect_op(p, "=");
    bez_jinja_append(&last, bez_jinja_node(p, JINJA_N_SET, to, bez_jinja_expression(p, true)));
  }
  jinja_node *inner = block_until(p, "endwith");
  if (n) n->args = list, n->body = inner;
  return n;
}

static jinja_node *named_block(jinja_parser *p) {
  jinja_node *n = scope(p, "block");
  const char *name = bez_jinja_expect_name(p);
  (void)bez_jinja_skip_name(p, "scoped");
  (void)bez_jinja_skip_name(p, "required");
  jinja_node *inner = block_until(p, "endblock");
  (void)bez_jinja_skip_name(p, name);
  if (n) n->body = inner;
  return n;
}

static void skip_context(jinja_parser *p) {
  if ((bez_jinja_name_is(p, "with") || bez_jinja_name_is(p, "without")) &&
      bez_jinja_is(p->at + 1, JINJA_NAME, "context")) {
    bez_jinja_next(p);
    bez_jinja_next(p);
  }
}

/* "import a as b, c with context". */
static void imported_names(jinja_parser *p) {
  bool any = false;
  while (!p->tree->why && p->at->kind == JINJA_NAME) {
    const jinja_token *before = p->at;
    if (any) skip_context(p);
    if (p->at != before || p->at->kind != JINJA_NAME) break;
    const char *name = bez_jinja_expect_name(p);
    if (*name == '_') bez_jinja_fail(p, "names that begin with an underscore cannot be imported");
    if (bez_jinja_skip_name(p, "as")) (void)name_target(p);
    any = true;
    before = p->at;
    skip_context(p);
    if (p->at != before || !bez_jinja_skip_op(p, ",")) break;
  }
  if (!any) bez_jinja_fail(p, "a name was expected");
}

static jinja_node *outside(jinja_parser *p, const char *word) {
  jinja_node *n = bez_jinja_node(p, JINJA_N_OUTSIDE, bez_jinja_expression(p, true), NULL);
  if (n) n->text = word;
  if (!strcmp(word, "import")) {
    if (!bez_jinja_skip_name(p, "as")) bez_jinja_fail(p, "\"as\" was expected");
    (void)name_target(p);
  } else if (!strcmp(word, "from")) {
    if (!bez_jinja_skip_name(p, "import")) bez_jinja_fail(p, "\"import\" was expected");
    imported_names(p);
  } else if (!strcmp(word, "include") && bez_jinja_name_is(p, "ignore") &&
             bez_jinja_is(p->at + 1, JINJA_NAME, "missing")) {
    bez_jinja_next(p);
    bez_jinja_next(p);
  }
  if (strcmp(word, "extends") != 0) skip_context(p);
  return n;
}

static jinja_node *autoescape(jinja_parser *p) {
  jinja_node *n = scope(p, "autoescape"), *on = bez_jinja_expression(p, true);
  jinja_node *inner = block_until(p, "endautoescape");
  if (n) n->a = on, n->body = inner;
  return n;
}

static jinja_node *generation(jinja_parser *p) {
  jinja_node *n = scope(p, "generation"), *inner = block_until(p, "endgeneration");
  if (n) n->body = inner;
  return n;
}

static jinja_node *jump(jinja_parser *p) {
  return scope(p, "jump");
}

/* {% print a, b %} and {% do a %}. */
static jinja_node *expressions(jinja_parser *p) {
  return bez_jinja_node(p, JINJA_N_PRINT, bez_jinja_tuple(p, (jinja_tuple){0}), NULL);
}

static jinja_node *statement(jinja_parser *p) {
  static const struct {
    const char *word;
    jinja_node *(*parse)(jinja_parser *p);
  } words[] = {{"for", for_loop},          {"if", if_else},    {"set", assignment},      {"macro", macro},
               {"call", call_block},       {"with", with},     {"filter", filter_block}, {"block", named_block},
               {"autoescape", autoescape}, {"break", jump},    {"continue", jump},       {"generation", generation},
               {"print", expressions},     {"do", expressions}};
  static const char *const outsiders[] = {"include", "import", "from", "extends"};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (bez_jinja_skip_name(p, words[i].word)) return words[i].parse(p);
  for (size_t i = 0; i < sizeof outsiders / sizeof *outsiders; i++)
    if (bez_jinja_skip_name(p, outsiders[i])) return outside(p, outsiders[i]);
  bez_jinja_fail(p, "a statement that chat templates do not have");
  return NULL;
}

bool bez_jinja_parse(const jinja_tokens *tokens, bez_arena *arena, jinja_tree *out) {
  jinja_parser p = {.at = tokens->items, .arena = arena, .tree = out};
  *out = (jinja_tree){0};
  out->body = body(&p, NULL);
  return !out->why;
}
