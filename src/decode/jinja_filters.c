/* Filters and methods of constants (jinja.h): those that put names together. What is not here gives values that only
 * running could tell. */
#include <ctype.h>
#include <string.h>

#include "base/buf.h"
#include "decode/jinja.h"

#define MOST_ARGS 32u

typedef struct applied {
  jinja_scope *scope;
  const jinja_values *args[MOST_ARGS]; /* NULL behind the last */
  const jinja_node *nodes;
  jinja_values *out;
} applied;

static void add(const applied *a, const bez_buf *text) {
  if (text->failed)
    a->out->other = true;
  else
    bez_jinja_add_text(a->scope, a->out, text->data ? text->data : "", text->len);
}

/* The first text that an argument could be; false: none. */
static bool argument(const applied *a, unsigned which, const char **text, size_t *len) {
  const jinja_values *v = which < MOST_ARGS ? a->args[which] : NULL;
  return v && v->n && bez_jinja_as_text(a->scope, &v->of[0], text, len);
}

static void join(const applied *a, const jinja_value *list, const char *with, size_t with_len) {
  bez_buf text = {.ceiling = 4096};
  const char *piece;
  size_t len;
  for (size_t i = 0; i < list->len; i++) {
    if (i) bez_buf_write(&text, with, with_len);
    if (list->kind == JINJA_V_STRING)
      bez_buf_write(&text, list->text + i, 1);
    else if (bez_jinja_as_text(a->scope, &list->items[i], &piece, &len))
      bez_buf_write(&text, piece, len);
    else
      text.failed = BEZ_LIMIT;
  }
  add(a, &text);
  bez_buf_free(&text);
}

static void replace(const applied *a, const jinja_value *v) {
  bez_buf text = {.ceiling = 4096};
  const char *from = "", *to = "";
  size_t n = 0, m = 0;
  if (!argument(a, 0, &from, &n) || !argument(a, 1, &to, &m) || !n) text.failed = BEZ_LIMIT;
  for (size_t at = 0; at < v->len && !text.failed;) {
    if (v->len - at >= n && memcmp(v->text + at, from, n) == 0) {
      bez_buf_write(&text, to, m);
      at += n;
    } else {
      bez_buf_putc(&text, v->text[at++]);
    }
  }
  add(a, &text);
  bez_buf_free(&text);
}

static void letters(const applied *a, const jinja_value *v, const char *how) {
  char *room = bez_jinja_room(a->scope, v->len);
  if (!room) return a->out->other = true, (void)0;
  for (size_t i = 0; i < v->len; i++) {
    const int c = (unsigned char)v->text[i];
    const bool upper = *how == 'u' || (*how == 'c' && i == 0) || *how == 't'
                           ? *how != 't' || i == 0 || !isalpha((unsigned char)v->text[i - 1])
                           : false;
    room[i] = *how == 's' ? (char)(islower(c) ? toupper(c) : tolower(c)) : (char)(upper ? toupper(c) : tolower(c));
  }
  bez_jinja_add_text(a->scope, a->out, room, v->len);
}

static void reverse(const applied *a, const jinja_value *v) {
  char *room = v->kind == JINJA_V_STRING ? bez_jinja_room(a->scope, v->len) : NULL;
  if (v->kind == JINJA_V_LIST) {
    jinja_value *items = bez_arena_array(a->scope->arena, v->len + 1, sizeof *items);
    a->scope->spent += v->len * sizeof *items;
    for (size_t i = 0; items && i < v->len; i++) items[i] = v->items[v->len - 1 - i];
    if (items) bez_jinja_add(a->out, &(jinja_value){.kind = JINJA_V_LIST, .items = items, .len = v->len});
    return;
  }
  if (!room) return a->out->other = true, (void)0;
  for (size_t i = 0; i < v->len; i++) room[i] = v->text[v->len - 1 - i];
  bez_jinja_add_text(a->scope, a->out, room, v->len);
}

static void trim(const applied *a, const jinja_value *v, bool left, bool right) {
  const char *chars = " \t\r\n", *text = v->text;
  size_t n = 4, len = v->len;
  (void)argument(a, 0, &chars, &n);
  while (left && len && memchr(chars, *text, n)) text++, len--;
  while (right && len && memchr(chars, text[len - 1], n)) len--;
  bez_jinja_add_text(a->scope, a->out, text, len);
}

/* By the first argument; blanks without one. */
static void split(const applied *a, const jinja_value *v) {
  const char *by = " ";
  size_t n = 1, used = 0, from = 0;
  (void)argument(a, 0, &by, &n);
  jinja_value *items = v->len < 1024 ? bez_arena_array(a->scope->arena, v->len + 1, sizeof *items) : NULL;
  a->scope->spent += v->len * sizeof *items;
  if (!items || !n) return a->out->other = true, (void)0;
  for (size_t at = 0; at <= v->len; at++) {
    const bool cut = at == v->len || (v->len - at >= n && memcmp(v->text + at, by, n) == 0);
    if (!cut) continue;
    items[used++] = (jinja_value){.kind = JINJA_V_STRING, .text = v->text + from, .len = at - from};
    from = at + n;
    at += n - 1;
  }
  bez_jinja_add(a->out, &(jinja_value){.kind = JINJA_V_LIST, .items = items, .len = used});
}

static void characters(const applied *a, const jinja_value *v) {
  jinja_value *items = v->len < 1024 ? bez_arena_array(a->scope->arena, v->len + 1, sizeof *items) : NULL;
  a->scope->spent += v->len * sizeof *items;
  if (v->kind == JINJA_V_LIST) return bez_jinja_add(a->out, v);
  if (!items) return a->out->other = true, (void)0;
  for (size_t i = 0; i < v->len; i++) items[i] = (jinja_value){.kind = JINJA_V_STRING, .text = v->text + i, .len = 1};
  bez_jinja_add(a->out, &(jinja_value){.kind = JINJA_V_LIST, .items = items, .len = v->len});
}

/* ---- format -------------------------------------------------------------------------------------------------------
 */

/* What stands for the next place: arguments one by one, or the elements of a single list. */
static const jinja_value *next_piece(const applied *a, size_t which) {
  const jinja_values *first = a->args[0];
  if (first && first->n && first->of[0].kind == JINJA_V_LIST && !a->args[1])
    return which < first->of[0].len ? &first->of[0].items[which] : NULL;
  const jinja_values *v = which < MOST_ARGS ? a->args[which] : NULL;
  return v && v->n ? &v->of[0] : NULL;
}

static void put_piece(const applied *a, const jinja_value *v, bool as_character, bez_buf *text) {
  const char *piece = "";
  size_t len = 0;
  if (v && as_character && v->kind == JINJA_V_NUMBER && v->number > 0 && v->number < 128) {
    bez_buf_putc(text, (char)v->number);
    return;
  }
  if (v && bez_jinja_as_text(a->scope, v, &piece, &len))
    bez_buf_write(text, piece, len);
  else
    text->failed = BEZ_LIMIT;
}

/* "%s %c" and, where `braces`, "{} {0}". */
static void format(const applied *a, const jinja_value *v, bool braces) {
  bez_buf text = {.ceiling = 4096};
  size_t next = 0;
  for (size_t at = 0; at < v->len && !text.failed; at++) {
    const char c = v->text[at], d = at + 1 < v->len ? v->text[at + 1] : 0;
    const bool digit = braces && c == '{' && isdigit((unsigned char)d) && at + 2 < v->len && v->text[at + 2] == '}';
    if (!braces && c == '%' && d && strchr("sdc%", d)) {
      if (d == '%')
        bez_buf_putc(&text, '%');
      else
        put_piece(a, next_piece(a, next++), d == 'c', &text);
      at++;
    } else if (braces && c == '{' && (d == '}' || digit)) {
      put_piece(a, next_piece(a, digit ? (size_t)(d - '0') : next++), false, &text);
      at += digit ? 2 : 1;
    } else {
      bez_buf_putc(&text, c);
    }
  }
  add(a, &text);
  bez_buf_free(&text);
}

/* ---- by name ------------------------------------------------------------------------------------------------------
 */

static void on_text(const applied *a, const char *name, const jinja_value *v) {
  if (!strcmp(name, "replace"))
    replace(a, v);
  else if (!strcmp(name, "lower") || !strcmp(name, "upper") || !strcmp(name, "title") || !strcmp(name, "capitalize") ||
           !strcmp(name, "swapcase"))
    letters(a, v, name);
  else if (!strcmp(name, "trim") || !strcmp(name, "strip"))
    trim(a, v, true, true);
  else if (!strcmp(name, "lstrip"))
    trim(a, v, true, false);
  else if (!strcmp(name, "rstrip"))
    trim(a, v, false, true);
  else if (!strcmp(name, "split"))
    split(a, v);
  else if (!strcmp(name, "format")) {
    format(a, v, false);
    if (memchr(v->text, '{', v->len)) format(a, v, true);
  } else {
    a->out->other = true;
  }
}

static void apply_one(const applied *a, const char *name, const jinja_value *v) {
  static const char same[] = " safe string escape e forceescape ";
  const char *with = "";
  size_t with_len = 0;
  const char *const found = strstr(same, name);
  if (found && found > same && found[-1] == ' ' && found[strlen(name)] == ' ') {
    bez_jinja_add(a->out, v);
  } else if (!strcmp(name, "list")) {
    if (v->kind == JINJA_V_NUMBER)
      a->out->other = true;
    else
      characters(a, v);
  } else if (!strcmp(name, "reverse") && v->kind != JINJA_V_NUMBER) {
    reverse(a, v);
  } else if (!strcmp(name, "join") && a->args[0] && a->args[0]->n && a->args[0]->of[0].kind == JINJA_V_LIST &&
             v->kind == JINJA_V_STRING) {
    join(a, &a->args[0]->of[0], v->text, v->len); /* "".join([…]) */
  } else if (!strcmp(name, "join") && v->kind != JINJA_V_NUMBER) {
    (void)argument(a, 0, &with, &with_len);
    join(a, v, with, with_len);
  } else if (!strcmp(name, "length") || !strcmp(name, "count")) {
    bez_jinja_add(a->out, &(jinja_value){.kind = JINJA_V_NUMBER, .number = (int64_t)v->len});
  } else if ((!strcmp(name, "first") || !strcmp(name, "last")) && v->kind == JINJA_V_LIST && v->len) {
    bez_jinja_add(a->out, &v->items[*name == 'f' ? 0 : v->len - 1]);
  } else if (v->kind == JINJA_V_STRING) {
    on_text(a, name, v);
  } else {
    a->out->other = true;
  }
}

void bez_jinja_apply(jinja_scope *scope, const char *name, const jinja_values *on, const jinja_node *args,
                     jinja_values *out) {
  applied a = {.scope = scope, .nodes = args, .out = out};
  out->underscores |= on->underscores;
  out->other |= on->other;
  unsigned n = 0;
  for (; args && n < MOST_ARGS; args = args->next) {
    const jinja_node *value = args->kind == JINJA_N_KEYWORD || args->kind == JINJA_N_STAR ? args->a : args;
    a.args[n] = bez_jinja_could(scope, value);
    out->underscores |= a.args[n]->underscores;
    out->other |= a.args[n]->other || args->kind == JINJA_N_STAR;
    n++;
  }
  if (!strcmp(name, "default") || !strcmp(name, "d")) {
    bez_jinja_widen(out, on);
    if (a.args[0]) bez_jinja_widen(out, a.args[0]);
    return;
  }
  out->other |= args != NULL;
  const bool open = out->other;
  for (unsigned i = 0; i < on->n; i++) apply_one(&a, name, &on->of[i]);
  out->opaque |= on->opaque || (!open && out->other);
}
