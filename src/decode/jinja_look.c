/* What a template could do when it is rendered (jinja.h): names that lead from any object to everything
 * (CVE-2024-34359), names that only running could tell, other templates, and texts that what users write switches on.
 * Two silent passes learn what variables could be, wherever they are set; the third tells. */
#include <ctype.h>
#include <string.h>

#include "base/utf8.h"
#include "decode/jinja.h"

#define PASSES 3u

typedef struct watch {
  jinja_scope scope;
  struct bez_model_out *out;
  const jinja_node *top; /* where macros stand */
  uint32_t part;
  bool silent;
} watch;

static void look(watch *w, const jinja_node *n);

static void look_all(watch *w, const jinja_node *n) {
  for (; n; n = n->next) look(w, n);
}

static void tell(watch *w, const jinja_node *n, const char *kind, const char *what, const char *sentence) {
  if (!w->silent) bez_model_code(w->out, w->part, n->at, kind, what, "%s", sentence);
}

/* ---- names --------------------------------------------------------------------------------------------------------
 */

static bool listed(const char *list, const char *word) {
  const size_t n = strlen(word);
  for (const char *p = list; n && (p = strstr(p, word)) != NULL; p++)
    if (p[-1] == ' ' && p[n] == ' ') return true; /* lists begin and end with a blank */
  return false;
}

/* Attributes that lead out of the template: Python's own, of frames and functions, and the mangled ones of Jinja. */
static bool leads_out(const char *name) {
  static const char reaching[] = " f_globals f_locals f_builtins f_back f_code gi_frame gi_code cr_frame cr_code "
                                 "ag_frame ag_code tb_frame tb_next "
                                 "func_globals func_code func_closure func_defaults im_func im_self mro ";
  const size_t n = strlen(name);
  if (n > 4 && name[0] == '_' && name[1] == '_') return true;
  if (n > 2 && name[0] == '_' && isupper((unsigned char)name[1]) && strstr(name, "__")) return true;
  return listed(reaching, name);
}

/* Functions that no template is given, and that would run code if it were. */
static bool runs_code(const char *name) {
  static const char running[] = " eval exec execfile compile __import__ import_module popen system check_output Popen "
                                "getoutput spawn open builtins subprocess ";
  return listed(running, name);
}

/* "" where it is no text. */
static const char *text_of(watch *w, const jinja_value *v) {
  if (v->kind != JINJA_V_STRING || memchr(v->text, 0, v->len)) return "";
  char *text = bez_jinja_room(&w->scope, v->len);
  if (!text) return "";
  if (v->len) memcpy(text, v->text, v->len);
  return text;
}

/* A name, or a path of them ("a.__class__"): filters take those. */
static void check_name(watch *w, const jinja_node *at, const char *name, const char *how) {
  char part[128];
  for (const char *p = name; *p;) {
    const size_t len = strcspn(p, ".[]{}!: ");
    if (len && len < sizeof part) {
      memcpy(part, p, len);
      part[len] = 0;
      if (leads_out(part)) {
        const char *sentence = bez_arena_printf(w->scope.arena, "the template reaches for %s (%s)", part, how);
        tell(w, at, "jinja-escape", part, sentence ? sentence : part);
      }
    }
    p += len + (p[len] != 0);
  }
}

/* What is used as a name: could any of it lead out? */
static void check_names(watch *w, const jinja_node *at, const jinja_values *could, const char *how) {
  for (unsigned i = 0; i < could->n; i++) check_name(w, at, text_of(w, &could->of[i]), how);
  if (could->opaque && !could->underscores)
    tell(w, at, "jinja-escape", "constants",
         "the template puts a name together of constants, in a way that cannot be followed");
  if (could->other && could->underscores)
    tell(w, at, "jinja-escape", "__", "the template puts a name together of pieces with \"__\" in them");
}

/* Functions and objects that every template is given: nothing is to be looked up in them. */
static bool is_given(watch *w, const jinja_node *n) {
  static const char given[] =
      " lipsum cycler joiner self range dict namespace raise_exception strftime_now caller varargs "
      "kwargs config request url_for get_flashed_messages ";
  return n && n->kind == JINJA_N_NAME && listed(given, n->text) && !bez_jinja_variable(&w->scope, n->text, false);
}

static void look_item(watch *w, const jinja_node *n) {
  if (!n->b || n->b->kind == JINJA_N_SLICE) return;
  const jinja_values *name = bez_jinja_could(&w->scope, n->b);
  check_names(w, n, name, "as an item");
  if (is_given(w, n->a) && strcmp(n->a->text, "varargs") != 0 && strcmp(n->a->text, "kwargs") != 0 && name->other)
    tell(w, n, "jinja-escape", n->a->text,
         "the template looks something up in a function, by a name that only running could tell");
}

/* Filters that take the name of an attribute. */
static void look_filter(watch *w, const jinja_node *n) {
  static const char by_name[] = " map selectattr rejectattr groupby sort unique min max sum join dictsort ";
  const bool attr = !strcmp(n->text, "attr"), on_names = !attr && listed(by_name, n->text);
  const bool first = listed(" selectattr rejectattr groupby ", n->text);
  for (const jinja_node *a = n->args; a && (attr || on_names); a = a->next) {
    const bool named = a->kind == JINJA_N_KEYWORD, filter = !strcmp(n->text, "map") && a == n->args && !named;
    if (on_names && !filter && !first && !(named && !strcmp(a->text, "attribute"))) continue;
    const jinja_values *could = bez_jinja_could(&w->scope, named || a->kind == JINJA_N_STAR ? a->a : a);
    check_names(w, n, could, "by a filter");
    if (attr && could->other)
      tell(w, n, "jinja-escape", "attr", "the template takes an attribute whose name only running could tell");
    if (filter && could->other)
      tell(w, n, "jinja-escape", "map", "the template applies a filter whose name only running could tell");
    if (filter && a->next && could->n && !strcmp(text_of(w, &could->of[0]), "attr")) /* map("attr", "__class__") */
      check_names(w, n, bez_jinja_could(&w->scope, a->next), "by a filter");
  }
}

/* "{0.__class__}".format(x) looks attributes up, too. */
static void look_format(watch *w, const jinja_node *n) {
  const jinja_values *text = bez_jinja_could(&w->scope, n->a->a);
  for (unsigned i = 0; i < text->n; i++) {
    const char *p = text_of(w, &text->of[i]);
    if (strchr(p, '{')) check_name(w, n, p, "in a format");
  }
  if (text->other && (text->underscores || !strcmp(n->a->text, "format_map")))
    tell(w, n, "jinja-escape", n->a->text, "the template formats by a text that only running could tell");
}

static void look_call(watch *w, const jinja_node *n) {
  const jinja_node *callee = n->a;
  const bool named = callee && (callee->kind == JINJA_N_NAME || callee->kind == JINJA_N_ATTR);
  if (named && runs_code(callee->text) && !bez_jinja_variable(&w->scope, callee->text, false)) {
    const char *sentence = bez_arena_printf(w->scope.arena, "the template calls %s", callee->text);
    tell(w, n, "jinja-escape", callee->text, sentence ? sentence : callee->text);
  }
  if (callee && callee->kind == JINJA_N_ATTR &&
      (!strcmp(callee->text, "format") || !strcmp(callee->text, "format_map")))
    look_format(w, n);
  if (!callee || callee->kind == JINJA_N_ATTR || !bez_jinja_could(&w->scope, callee)->reached) return;
  tell(w, n, "jinja-escape", "call", "the template calls what it reached by a name that only running could tell");
}

/* ---- texts that what users write switches on ----------------------------------------------------------------------
 */

/* Does it hold what somebody wrote, or the time? */
static bool holds_content(watch *w, const jinja_node *n) {
  for (; n; n = n->next) {
    const jinja_variable *v = n->kind == JINJA_N_NAME ? bez_jinja_variable(&w->scope, n->text, false) : NULL;
    if ((v && v->content) || (n->kind == JINJA_N_NAME && !v && listed(" content query prompt user_message ", n->text)))
      return true;
    if (n->kind == JINJA_N_ATTR && listed(" content text ", n->text)) return true;
    if (n->kind == JINJA_N_CALL && n->a && n->a->kind == JINJA_N_NAME && !strcmp(n->a->text, "strftime_now"))
      return true;
    if (n->kind == JINJA_N_ITEM && n->b && n->b->kind == JINJA_N_STRING && listed(" content text ", n->b->text))
      return true;
    if (n->kind == JINJA_N_ITEM ? holds_content(w, n->a)
                                : n->kind != JINJA_N_TEST && n->kind != JINJA_N_STRING &&
                                      (holds_content(w, n->a) || (n->kind != JINJA_N_ATTR && holds_content(w, n->b)) ||
                                       (n->kind == JINJA_N_CALL && holds_content(w, n->args))))
      return true;
  }
  return false;
}

/* Words of letters with blanks around them; marks like "<|im_start|>" and "[INST]" are none. */
static unsigned words(const char *text, size_t len) {
  unsigned n = 0;
  for (size_t at = 0; at < len;) {
    size_t from = at, letters = 0;
    while (at < len && !isspace((unsigned char)text[at]))
      letters += isalpha((unsigned char)text[at]) || (text[at] & 0x80), at++;
    const bool mark = at > from && strchr("<[{|/#@", text[from]);
    n += !mark && letters >= 2 && 2 * letters > at - from;
    while (at < len && isspace((unsigned char)text[at])) at++;
  }
  return n;
}

/* A word that somebody might write, not a mark. */
static const char *trigger_in(watch *w, const jinja_node *n) {
  const jinja_values *could = bez_jinja_could(&w->scope, n);
  for (unsigned i = 0; i < could->n; i++) {
    const char *text = text_of(w, &could->of[i]);
    const size_t len = strlen(text);
    if (len > 2 && words(text, len) && !strchr("<[{|/#@", *text) && !strstr(text, "<|") && !strstr(text, "</"))
      return text;
  }
  return NULL;
}

/* The word that a condition compares what somebody wrote with; NULL: none. */
static const char *trigger(watch *w, const jinja_node *test) {
  const char *found = NULL;
  if (!test) return NULL;
  if (test->kind == JINJA_N_BINARY && listed(" in == != < > <= >= ", test->op)) {
    if (test->b && holds_content(w, test->b)) found = trigger_in(w, test->a);
    if (!found && test->a && holds_content(w, test->a)) found = trigger_in(w, test->b);
  } else if (test->kind == JINJA_N_BINARY && !strcmp(test->op, "not in") && holds_content(w, test->b)) {
    found = trigger_in(w, test->a);
  } else if (test->kind == JINJA_N_CALL && test->a && test->a->kind == JINJA_N_ATTR && test->args &&
             listed(" startswith endswith find index count rfind ", test->a->text) && holds_content(w, test->a->a)) {
    found = trigger_in(w, test->args);
  }
  if (found || test->kind == JINJA_N_ATTR || test->kind == JINJA_N_ITEM) return found;
  found = trigger(w, test->a);
  return found ? found : trigger(w, test->b);
}

/* A text of several words that a branch prints or sets; NULL: none. */
static const char *spoken(const jinja_node *n) {
  for (; n; n = n->next) {
    if ((n->kind == JINJA_N_DATA || n->kind == JINJA_N_STRING) && words(n->text, n->len) >= 3) return n->text;
    if (n->kind == JINJA_N_CALL && n->a && n->a->kind == JINJA_N_NAME && !strcmp(n->a->text, "raise_exception"))
      continue;
    const jinja_node *const inner[] = {
        n->kind == JINJA_N_IF || n->kind == JINJA_N_TEST ? NULL : n->a, n->b, n->c, n->args, n->body, n->other};
    for (size_t i = 0; i < sizeof inner / sizeof *inner; i++) {
      const char *text = inner[i] ? spoken(inner[i]) : NULL;
      if (text) return text;
    }
  }
  return NULL;
}

static void look_condition(watch *w, const jinja_node *n, const jinja_node *test, const jinja_node *then,
                           const jinja_node *otherwise) {
  if (w->silent) return;
  const char *word = trigger(w, test), *text = NULL;
  if (word) text = spoken(then);
  if (word && !text) text = spoken(otherwise);
  if (!text) return;
  while (isspace((unsigned char)*text)) text++;
  const char *sentence = bez_arena_printf(
      w->scope.arena, "where what was written holds \"%.60s\", the template says \"%.120s\"", word, text);
  tell(w, n, "jinja-conditional", word, sentence ? sentence : word);
}

/* ---- what is set --------------------------------------------------------------------------------------------------
 */

static void assign(watch *w, const char *name, const jinja_values *could, bool content) {
  jinja_variable *v = name ? bez_jinja_variable(&w->scope, name, true) : NULL;
  if (!v) return;
  if (could) bez_jinja_widen(&v->could, could);
  v->content |= content;
}

static void assign_unknown(watch *w, const jinja_node *target, bool content) {
  static const jinja_values unknown = {.other = true};
  if (!target) return;
  if (target->kind == JINJA_N_NAME) assign(w, target->text, &unknown, content);
  for (const jinja_node *n = target->kind == JINJA_N_LIST ? target->args : NULL; n; n = n->next)
    assign_unknown(w, n, content);
}

static void look_set(watch *w, const jinja_node *n) {
  const jinja_node *to = n->a;
  const bool content = n->body ? false : holds_content(w, n->b);
  const jinja_values *could =
      n->body && !n->b ? bez_jinja_printed(&w->scope, n->body) : bez_jinja_could(&w->scope, n->b);
  if (!to) return;
  if (to->kind == JINJA_N_ATTR) check_name(w, to, to->text, "as an attribute");
  if (to->kind == JINJA_N_NAME)
    assign(w, to->text, could, content);
  else if (to->kind == JINJA_N_ATTR)
    assign(w, bez_jinja_field(&w->scope, to), could, content);
  else if (n->b && n->b->kind == JINJA_N_LIST) { /* a, b = x, y */
    const jinja_node *value = n->b->args;
    for (const jinja_node *t = to->args; t && value; t = t->next, value = value->next)
      if (t->kind == JINJA_N_NAME) assign(w, t->text, bez_jinja_could(&w->scope, value), holds_content(w, value));
  } else
    assign_unknown(w, to, content);
}

/* namespace(a=1): its fields. */
static void look_fields(watch *w, const jinja_node *n) {
  if (!n->a || n->a->kind != JINJA_N_NAME || !n->b || n->b->kind != JINJA_N_CALL || !n->b->a ||
      strcmp(n->b->a->text, "namespace") != 0)
    return;
  for (const jinja_node *k = n->b->args; k; k = k->next) {
    const char *field =
        k->kind == JINJA_N_KEYWORD ? bez_arena_printf(w->scope.arena, "%s.%s", n->a->text, k->text) : NULL;
    if (field) assign(w, field, bez_jinja_could(&w->scope, k->a), holds_content(w, k->a));
  }
}

static void look_for(watch *w, const jinja_node *n) {
  const jinja_values *over = bez_jinja_could(&w->scope, n->b);
  const bool content = n->b && holds_content(w, n->b);
  jinja_values one = {.other = over->other, .underscores = over->underscores, .opaque = over->opaque};
  for (unsigned i = 0; i < over->n; i++) {
    const jinja_value *v = &over->of[i];
    for (size_t k = 0; v->kind == JINJA_V_LIST && k < v->len; k++) bez_jinja_add(&one, &v->items[k]);
    for (size_t k = 0; v->kind == JINJA_V_STRING && k < v->len; k++)
      bez_jinja_add(&one, &(jinja_value){.kind = JINJA_V_STRING, .text = v->text + k, .len = 1});
  }
  if (n->a && n->a->kind == JINJA_N_NAME)
    assign(w, n->a->text, &one, content);
  else
    assign_unknown(w, n->a, content);
}

static void look_macro(watch *w, const jinja_node *n) {
  for (const jinja_node *p = n->args; p; p = p->next) {
    if (!p->a) continue;
    jinja_values could = {.other = true};
    if (p->b) bez_jinja_widen(&could, bez_jinja_could(&w->scope, p->b));
    assign(w, p->a->text, &could, false);
    const char *place = bez_arena_printf(w->scope.arena, "%s(%s)", n->text, p->a->text);
    jinja_variable *given = place ? bez_jinja_variable(&w->scope, place, false) : NULL;
    if (given) assign(w, p->a->text, &given->could, given->content);
  }
  const char *printed = bez_arena_printf(w->scope.arena, "%s()", n->text);
  if (printed) assign(w, printed, bez_jinja_printed(&w->scope, n->body), false);
}

/* ---- hidden characters --------------------------------------------------------------------------------------------
 */

static bool hidden(uint32_t c) {
  return c == 0x200b || c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) || (c >= 0x2060 && c <= 0x2064) ||
         (c >= 0x2066 && c <= 0x2069) || (c >= 0xe0000 && c <= 0xe007f) || c == 0x00ad || c == 0xfeff;
}

static void look_text(watch *w, const jinja_node *n) {
  for (size_t at = 0; at < n->len && !w->silent;) {
    uint32_t c;
    at += bez_utf8_decode(n->text + at, n->len - at, &c, NULL);
    if (!hidden(c)) continue;
    char what[16] = "U+", *p = what + 2;
    for (int shift = 20; shift >= 0; shift -= 4)
      if (c >> shift || shift < 16) *p++ = "0123456789ABCDEF"[c >> shift & 15];
    tell(w, n, "jinja-hidden", what, "the template prints characters that nobody sees");
    return;
  }
}

/* ---- the walk -----------------------------------------------------------------------------------------------------
 */

static void look_one(watch *w, const jinja_node *n) {
  switch (n->kind) {
    case JINJA_N_DATA:
    case JINJA_N_STRING: look_text(w, n); return;
    case JINJA_N_NAME:
    case JINJA_N_ATTR: check_name(w, n, n->text, n->kind == JINJA_N_NAME ? "as a variable" : "as an attribute"); return;
    case JINJA_N_ITEM: look_item(w, n); return;
    case JINJA_N_FILTER: look_filter(w, n); return;
    case JINJA_N_CALL: look_call(w, n); return;
    case JINJA_N_COND: look_condition(w, n, n->b, n->a, n->c); return;
    case JINJA_N_IF: look_condition(w, n, n->a, n->body, n->other); return;
    case JINJA_N_SET: look_set(w, n), look_fields(w, n); return;
    case JINJA_N_FOR: look_for(w, n); return;
    case JINJA_N_MACRO: look_macro(w, n); return;
    case JINJA_N_OUTSIDE: {
      const jinja_values *which = n->a ? bez_jinja_could(&w->scope, n->a) : NULL;
      const char *name = which && which->n ? text_of(w, &which->of[0]) : "";
      const char *sentence =
          bez_arena_printf(w->scope.arena, "the template takes in another one (%s \"%.80s\")", n->text, name);
      tell(w, n, "jinja-include", *name ? name : n->text, sentence ? sentence : n->text);
      return;
    }
    default: return;
  }
}

/* Arguments of a call reach the macro's parameters, by name: "macro(parameter)"; by position, any of them. */
static void pass_arguments(watch *w, const jinja_node *n) {
  const jinja_node *macros = w->top;
  for (; macros && n->a && n->a->kind == JINJA_N_NAME; macros = macros->next) {
    if (macros->kind == JINJA_N_MACRO && !strcmp(macros->text, n->a->text)) break;
  }
  if (!macros || !n->a || n->a->kind != JINJA_N_NAME) return;
  const jinja_node *to = macros->args;
  for (const jinja_node *a = n->args; a; a = a->next, to = to ? to->next : NULL) {
    const jinja_node *at = to;
    if (a->kind == JINJA_N_KEYWORD)
      for (at = macros->args; at && at->a && strcmp(at->a->text, a->text) != 0; at = at->next) continue;
    if (!at || !at->a) continue;
    const jinja_node *value = a->kind == JINJA_N_KEYWORD ? a->a : a;
    assign(w, bez_arena_printf(w->scope.arena, "%s(%s)", macros->text, at->a->text), bez_jinja_could(&w->scope, value),
           value && holds_content(w, value));
  }
}

static void look(watch *w, const jinja_node *n) {
  if (!n) return;
  look_one(w, n);
  if (n->kind == JINJA_N_CALL) pass_arguments(w, n);
  look(w, n->a);
  look(w, n->b);
  look(w, n->c);
  look_all(w, n->args);
  look_all(w, n->body);
  look_all(w, n->other);
}

void bez_jinja_look(const jinja_tree *tree, bez_arena *arena, struct bez_model_out *out, uint32_t part) {
  watch all = {.scope = {.arena = arena}, .out = out, .top = tree->body, .part = part}, *w = &all;
  w->scope.variables = bez_arena_array(arena, JINJA_VARIABLES, sizeof *w->scope.variables);
  if (!w->scope.variables) {
    bez_model_unread(out, part, "memory is out");
    return;
  }
  for (unsigned pass = 0; pass < PASSES; pass++) {
    w->silent = pass + 1 < PASSES;
    w->scope.spent = 0;
    look_all(w, tree->body);
  }
  if (w->scope.gave_up) bez_model_unread(out, part, "what the template's names could be is too much to work out");
  if (w->scope.out_of_memory) bez_model_unread(out, part, "memory is out");
}
