/* Expressions of Jinja, from loosest to tightest: inline if, or, and, not, comparison, + and -, ~, the other
 * arithmetic, sign, then what follows a value: attributes, items, calls, filters, tests. */
#include <string.h>

#include "decode/jinja_parser.h"

static jinja_node *unary(jinja_parser *p, bool with_filter);

static jinja_node *binary(jinja_parser *p, const char *op, jinja_node *a, jinja_node *b) {
  jinja_node *n = bez_jinja_node(p, JINJA_N_BINARY, a, b);
  if (n) n->op = op;
  return n;
}

typedef jinja_node *(*level)(jinja_parser *p);

/* Left to right, as long as one of the operators comes. */
static jinja_node *chain(jinja_parser *p, const char *const *ops, size_t n_ops, level below) {
  jinja_node *left = below(p);
  for (size_t i = 0; i < n_ops && !p->tree->why; i++) {
    if (!bez_jinja_skip_op(p, ops[i])) continue;
    left = binary(p, ops[i], left, below(p));
    i = (size_t)-1;
  }
  return left;
}

static jinja_node *signed_value(jinja_parser *p) {
  return unary(p, true);
}

static jinja_node *power(jinja_parser *p) {
  return chain(p, (const char *const[]){"**"}, 1, signed_value);
}

static jinja_node *product(jinja_parser *p) {
  return chain(p, (const char *const[]){"*", "/", "//", "%"}, 4, power);
}

static jinja_node *concatenation(jinja_parser *p) {
  return chain(p, (const char *const[]){"~"}, 1, product);
}

static jinja_node *sum(jinja_parser *p) {
  return chain(p, (const char *const[]){"+", "-"}, 2, concatenation);
}

static const char *comparison_operator(jinja_parser *p) {
  static const char *const ops[] = {"==", "!=", "<", "<=", ">", ">="};
  for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
    if (bez_jinja_skip_op(p, ops[i])) return ops[i];
  if (bez_jinja_skip_name(p, "in")) return "in";
  if (!bez_jinja_name_is(p, "not") || !bez_jinja_is(p->at + 1, JINJA_NAME, "in")) return NULL;
  bez_jinja_next(p);
  bez_jinja_next(p);
  return "not in";
}

static jinja_node *comparison(jinja_parser *p) {
  jinja_node *left = sum(p);
  const char *op;
  while (!p->tree->why && (op = comparison_operator(p)) != NULL) left = binary(p, op, left, sum(p));
  return left;
}

static jinja_node *negation(jinja_parser *p) {
  if (!bez_jinja_name_is(p, "not")) return comparison(p);
  if (!bez_jinja_enter(p)) return NULL;
  bez_jinja_next(p);
  jinja_node *n = bez_jinja_node(p, JINJA_N_UNARY, negation(p), NULL);
  if (n) n->op = "not";
  bez_jinja_leave(p);
  return n;
}

static jinja_node *conjunction(jinja_parser *p) {
  jinja_node *left = negation(p);
  while (!p->tree->why && bez_jinja_skip_name(p, "and")) left = binary(p, "and", left, negation(p));
  return left;
}

static jinja_node *disjunction(jinja_parser *p) {
  jinja_node *left = conjunction(p);
  while (!p->tree->why && bez_jinja_skip_name(p, "or")) left = binary(p, "or", left, conjunction(p));
  return left;
}

static jinja_node *conditional(jinja_parser *p) {
  jinja_node *value = disjunction(p);
  while (!p->tree->why && bez_jinja_skip_name(p, "if")) {
    jinja_node *test = disjunction(p);
    jinja_node *otherwise = NULL;
    if (bez_jinja_skip_name(p, "else")) otherwise = bez_jinja_expression(p, true);
    jinja_node *n = bez_jinja_node(p, JINJA_N_COND, value, test);
    if (n) n->c = otherwise;
    if (n && otherwise && otherwise->depth >= n->depth) n->depth = otherwise->depth + 1;
    value = n;
  }
  return value;
}

jinja_node *bez_jinja_expression(jinja_parser *p, bool with_condition) {
  if (!bez_jinja_enter(p)) return NULL;
  jinja_node *n = with_condition ? conditional(p) : disjunction(p);
  bez_jinja_leave(p);
  return n;
}

/* ---- values -------------------------------------------------------------------------------------------------------
 */

static jinja_node *named(jinja_parser *p) {
  static const char *const constants[] = {"true", "false", "none", "True", "False", "None"};
  jinja_node *n = bez_jinja_node(p, JINJA_N_NAME, NULL, NULL);
  const char *text = bez_jinja_expect_name(p);
  if (!n) return NULL;
  n->text = text;
  n->len = (uint32_t)strlen(text);
  for (size_t i = 0; i < sizeof constants / sizeof *constants; i++)
    if (!strcmp(text, constants[i])) n->kind = JINJA_N_CONST;
  return n;
}

/* Strings beside each other are one. */
static jinja_node *strings(jinja_parser *p) {
  jinja_node *n = bez_jinja_node(p, JINJA_N_STRING, NULL, NULL);
  size_t len = 0, at = 0;
  const jinja_token *last = p->at;
  for (; last->kind == JINJA_STRING; last++) len += last->len;
  char *text = bez_arena_alloc(p->arena, len + 1);
  if (!n || !text) return bez_jinja_fail(p, "memory is out"), NULL;
  for (; p->at->kind == JINJA_STRING; p->at++) {
    if (p->at->len) memcpy(text + at, p->at->text, p->at->len);
    at += p->at->len;
  }
  n->text = text;
  n->len = (uint32_t)len;
  return n;
}

static jinja_node *number(jinja_parser *p) {
  jinja_node *n = bez_jinja_node(p, JINJA_N_NUMBER, NULL, NULL);
  const jinja_token *t = bez_jinja_next(p);
  const bool hexadecimal = t->len > 2 && (t->text[1] | 0x20) == 'x';
  int64_t value = 0;
  for (uint32_t i = hexadecimal ? 2 : 0; i < t->len && value < (INT64_C(1) << 32); i++) {
    const char c = t->text[i];
    if (c >= '0' && c <= '9')
      value = value * (hexadecimal ? 16 : 10) + (c - '0');
    else if (hexadecimal && (c | 0x20) >= 'a' && (c | 0x20) <= 'f')
      value = value * 16 + ((c | 0x20) - 'a' + 10);
    else if (c != '_')
      break;
  }
  if (n) n->value = value;
  return n;
}

/* "[a, b]" and "{a: b}": a comma may stand behind the last. */
static jinja_node *container(jinja_parser *p, bool dict) {
  jinja_node *n = bez_jinja_node(p, dict ? JINJA_N_DICT : JINJA_N_LIST, NULL, NULL);
  const char *const end = dict ? "}" : "]";
  bez_jinja_next(p);
  if (!n) return NULL;
  jinja_node **last = &n->args;
  for (bool first = true; !p->tree->why && !bez_jinja_op_is(p, end); first = false) {
    if (!first) bez_jinja_expect_op(p, ",");
    if (bez_jinja_op_is(p, end)) break;
    jinja_node *item = bez_jinja_expression(p, true);
    if (dict) {
      bez_jinja_expect_op(p, ":");
      item = bez_jinja_node(p, JINJA_N_PAIR, item, bez_jinja_expression(p, true));
    }
    if (item && item->depth >= n->depth) n->depth = item->depth + 1;
    bez_jinja_append(&last, item);
  }
  bez_jinja_expect_op(p, end);
  return n;
}

static jinja_node *primary(jinja_parser *p) {
  switch (p->at->kind) {
    case JINJA_NAME: return named(p);
    case JINJA_STRING: return strings(p);
    case JINJA_INTEGER:
    case JINJA_FLOAT: return number(p);
    default: break;
  }
  if (bez_jinja_op_is(p, "[")) return container(p, false);
  if (bez_jinja_op_is(p, "{")) return container(p, true);
  if (bez_jinja_skip_op(p, "(")) {
    jinja_node *n = bez_jinja_tuple(p, (jinja_tuple){.parentheses = true});
    bez_jinja_expect_op(p, ")");
    return n;
  }
  bez_jinja_fail(p, "an expression was expected");
  return NULL;
}

static bool ends_tuple(const jinja_parser *p, const char *end) {
  return p->at->kind == JINJA_PRINT_END || p->at->kind == JINJA_BLOCK_END || bez_jinja_op_is(p, ")") ||
         (end && bez_jinja_name_is(p, end));
}

static jinja_node *tuple_item(jinja_parser *p, jinja_tuple how) {
  if (!how.simplified) return bez_jinja_expression(p, !how.no_condition);
  if (!bez_jinja_enter(p)) return NULL;
  jinja_node *n = primary(p);
  bez_jinja_leave(p);
  return n;
}

jinja_node *bez_jinja_tuple(jinja_parser *p, jinja_tuple how) {
  jinja_node *n = bez_jinja_node(p, JINJA_N_LIST, NULL, NULL);
  bool is_tuple = false;
  if (!n) return NULL;
  jinja_node **last = &n->args;
  while (!p->tree->why) {
    if (n->args) bez_jinja_expect_op(p, ",");
    if (ends_tuple(p, how.end)) break;
    jinja_node *item = tuple_item(p, how);
    if (item && item->depth >= n->depth) n->depth = item->depth + 1;
    bez_jinja_append(&last, item);
    if (!bez_jinja_op_is(p, ",")) break;
    is_tuple = true;
  }
  if (is_tuple || (!n->args && how.parentheses)) return n;
  if (!n->args) bez_jinja_fail(p, "an expression was expected");
  return n->args;
}

/* ---- what follows a value -----------------------------------------------------------------------------------------
 */

/* Inside brackets: a value, or a slice. */
static jinja_node *subscribed(jinja_parser *p) {
  jinja_node *from = NULL, *to = NULL, *step = NULL;
  if (!bez_jinja_op_is(p, ":")) {
    from = bez_jinja_expression(p, true);
    if (!bez_jinja_op_is(p, ":")) return from;
  }
  bez_jinja_expect_op(p, ":");
  if (!bez_jinja_op_is(p, ":") && !bez_jinja_op_is(p, "]") && !bez_jinja_op_is(p, ","))
    to = bez_jinja_expression(p, true);
  if (bez_jinja_skip_op(p, ":") && !bez_jinja_op_is(p, "]") && !bez_jinja_op_is(p, ","))
    step = bez_jinja_expression(p, true);
  jinja_node *n = bez_jinja_node(p, JINJA_N_SLICE, from, to);
  if (n) n->c = step;
  if (n && step && step->depth >= n->depth) n->depth = step->depth + 1;
  return n;
}

static jinja_node *item_of(jinja_parser *p, jinja_node *on) {
  jinja_node *list = NULL, **last = &list;
  bez_jinja_next(p);
  while (!p->tree->why && !bez_jinja_op_is(p, "]")) {
    if (list) bez_jinja_expect_op(p, ",");
    bez_jinja_append(&last, subscribed(p));
  }
  bez_jinja_expect_op(p, "]");
  if (list && !list->next) return bez_jinja_node(p, JINJA_N_ITEM, on, list);
  jinja_node *tuple = bez_jinja_node(p, JINJA_N_LIST, NULL, NULL);
  if (tuple) tuple->args = list;
  for (const jinja_node *n = list; tuple && n; n = n->next)
    if (n->depth >= tuple->depth) tuple->depth = n->depth + 1;
  return bez_jinja_node(p, JINJA_N_ITEM, on, tuple);
}

static jinja_node *attribute(jinja_parser *p, jinja_node *on) {
  bez_jinja_next(p);
  if (p->at->kind == JINJA_INTEGER) return bez_jinja_node(p, JINJA_N_ITEM, on, number(p));
  jinja_node *n = bez_jinja_node(p, JINJA_N_ATTR, on, NULL);
  const char *text = bez_jinja_expect_name(p);
  if (n) n->text = text, n->len = (uint32_t)strlen(text);
  return n;
}

typedef struct call_state {
  bool stars, two_stars, keywords;
} call_state;

static jinja_node *argument(jinja_parser *p, call_state *seen) {
  const bool star = bez_jinja_op_is(p, "*"), two = bez_jinja_op_is(p, "**");
  const bool keyword = p->at->kind == JINJA_NAME && bez_jinja_is(p->at + 1, JINJA_OPERATOR, "=");
  if (seen->two_stars || (!keyword && !two && (seen->stars || (seen->keywords && !star))))
    bez_jinja_fail(p, "arguments stand in an order that no call takes");
  seen->stars |= star;
  seen->two_stars |= two;
  seen->keywords |= keyword;
  const char *text = "";
  if (keyword) text = bez_jinja_expect_name(p);
  if (star || two || keyword) bez_jinja_next(p);
  jinja_node *value = bez_jinja_expression(p, true);
  if (!star && !two && !keyword) return value;
  jinja_node *n = bez_jinja_node(p, keyword ? JINJA_N_KEYWORD : JINJA_N_STAR, value, NULL);
  if (n) n->text = text, n->len = (uint32_t)strlen(text);
  return n;
}

/* "(…)" behind a callee, a filter or a test. */
static void arguments(jinja_parser *p, jinja_node *of) {
  call_state seen = {0};
  bez_jinja_expect_op(p, "(");
  jinja_node **last = of ? &of->args : NULL;
  for (bool first = true; last && !p->tree->why && !bez_jinja_op_is(p, ")"); first = false) {
    if (!first) bez_jinja_expect_op(p, ",");
    if (bez_jinja_op_is(p, ")")) break;
    jinja_node *item = argument(p, &seen);
    if (item && item->depth >= of->depth) of->depth = item->depth + 1;
    bez_jinja_append(&last, item);
  }
  bez_jinja_expect_op(p, ")");
}

jinja_node *bez_jinja_call(jinja_parser *p, jinja_node *callee) {
  jinja_node *n = bez_jinja_node(p, JINJA_N_CALL, callee, NULL);
  arguments(p, n);
  return n;
}

static jinja_node *postfix(jinja_parser *p, jinja_node *n) {
  while (!p->tree->why) {
    if (bez_jinja_op_is(p, "."))
      n = attribute(p, n);
    else if (bez_jinja_op_is(p, "["))
      n = item_of(p, n);
    else if (bez_jinja_op_is(p, "("))
      n = bez_jinja_call(p, n);
    else
      break;
  }
  return n;
}

/* The name of a filter or a test, dots included. */
static const char *dotted(jinja_parser *p) {
  const char *text = bez_jinja_expect_name(p);
  while (!p->tree->why && bez_jinja_skip_op(p, ".")) {
    const char *longer = bez_arena_printf(p->arena, "%s.%s", text, bez_jinja_expect_name(p));
    if (!longer) bez_jinja_fail(p, "memory is out");
    if (longer) text = longer;
  }
  return text;
}

jinja_node *bez_jinja_filters(jinja_parser *p, jinja_node *on, bool begins_inline) {
  while (!p->tree->why && (begins_inline || bez_jinja_op_is(p, "|"))) {
    if (!begins_inline) bez_jinja_next(p);
    begins_inline = false;
    jinja_node *n = bez_jinja_node(p, JINJA_N_FILTER, on, NULL);
    const char *text = dotted(p);
    if (n) n->text = text, n->len = (uint32_t)strlen(text);
    if (bez_jinja_op_is(p, "(")) arguments(p, n);
    on = n;
  }
  return on;
}

static bool begins_argument(const jinja_parser *p) {
  static const char *const words[] = {"else", "or", "and"};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (bez_jinja_name_is(p, words[i])) return false;
  return p->at->kind == JINJA_NAME || p->at->kind == JINJA_STRING || p->at->kind == JINJA_INTEGER ||
         p->at->kind == JINJA_FLOAT || bez_jinja_op_is(p, "(") || bez_jinja_op_is(p, "[") || bez_jinja_op_is(p, "{");
}

static jinja_node *test(jinja_parser *p, jinja_node *on) {
  const bool negated = bez_jinja_skip_name(p, "not");
  jinja_node *n = bez_jinja_node(p, JINJA_N_TEST, on, NULL);
  const char *text = dotted(p);
  if (!n) return NULL;
  n->text = text;
  n->len = (uint32_t)strlen(text);
  n->value = negated;
  if (bez_jinja_op_is(p, "(")) {
    arguments(p, n);
  } else if (begins_argument(p)) {
    if (bez_jinja_name_is(p, "is")) bez_jinja_fail(p, "tests cannot be chained");
    if (!bez_jinja_enter(p)) return NULL;
    n->args = postfix(p, primary(p));
    bez_jinja_leave(p);
    if (n->args && n->args->depth >= n->depth) n->depth = n->args->depth + 1;
  }
  return n;
}

static jinja_node *unary(jinja_parser *p, bool with_filter) {
  jinja_node *n;
  if (!bez_jinja_enter(p)) return NULL;
  const char *const sign = bez_jinja_skip_op(p, "-") ? "-" : bez_jinja_skip_op(p, "+") ? "+" : NULL;
  if (sign) {
    n = bez_jinja_node(p, JINJA_N_UNARY, unary(p, false), NULL);
    if (n) n->op = sign;
  } else {
    n = primary(p);
  }
  n = postfix(p, n);
  while (with_filter && !p->tree->why) {
    if (bez_jinja_op_is(p, "|"))
      n = bez_jinja_filters(p, n, false);
    else if (bez_jinja_skip_name(p, "is"))
      n = test(p, n);
    else if (bez_jinja_op_is(p, "("))
      n = bez_jinja_call(p, n); /* calls are fine behind filters */
    else
      break;
  }
  bez_jinja_leave(p);
  return n;
}
