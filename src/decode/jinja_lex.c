/* Jinja's tokens (jinja.h): text, comments and raw blocks outside of tags; names, strings, numbers and operators in
 * them. The end of a tag counts only where no bracket is open. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "decode/jinja.h"

typedef struct lexer {
  const char *text;
  size_t len, at;
  bez_arena *arena;
  jinja_tokens *out;
  char open[BEZ_MAX_JINJA_DEPTH]; /* brackets that are to be closed, each by this */
  unsigned depth;
} lexer;

static bool fail(lexer *x, const char *why) {
  if (!x->out->why) x->out->why = why, x->out->where = (uint32_t)x->at;
  return false;
}

static bool push(lexer *x, jinja_kind kind, size_t at, const char *text, size_t len) {
  jinja_tokens *t = x->out;
  if (t->n == BEZ_MAX_JINJA_TOKENS) return fail(x, "it has too many tokens");
  if (t->n == t->room) {
    const size_t room = t->room ? 2 * t->room : 256;
    jinja_token *more = realloc(t->items, room * sizeof *more);
    if (!more) return fail(x, "memory is out");
    t->items = more;
    t->room = room;
  }
  t->items[t->n++] = (jinja_token){.kind = kind, .at = (uint32_t)at, .len = (uint32_t)len, .text = text};
  return true;
}

static bool ahead(const lexer *x, size_t at, const char *word) {
  const size_t n = strlen(word);
  return at <= x->len && n <= x->len - at && memcmp(x->text + at, word, n) == 0;
}

static size_t skip_blank(const lexer *x, size_t at) {
  while (at < x->len && isspace((unsigned char)x->text[at])) at++;
  return at;
}

/* Behind "{% raw %}" or "{% endraw %}" at `at`; 0: it is none. */
static size_t behind_word(const lexer *x, size_t at, const char *word) {
  if (!ahead(x, at, "{%")) return 0;
  at += 2;
  if (at < x->len && (x->text[at] == '-' || x->text[at] == '+')) at++;
  at = skip_blank(x, at);
  if (!ahead(x, at, word)) return 0;
  at = skip_blank(x, at + strlen(word));
  if (ahead(x, at, "-%}") || (ahead(x, at, "+%}") && strcmp(word, "raw") != 0)) return at + 3;
  return ahead(x, at, "%}") ? at + 2 : 0;
}

/* ---- outside of tags ----------------------------------------------------------------------------------------------
 */

static bool comment(lexer *x) {
  const char *end = memmem(x->text + x->at + 2, x->len - x->at - 2, "#}", 2);
  if (x->at + 2 == x->len) return x->at = x->len, true; /* Jinja does not mind, at the very end */
  if (!end) return fail(x, "a comment has no end");
  x->at = (size_t)(end - x->text) + 2;
  return true;
}

static bool raw(lexer *x, size_t from) {
  if (from == x->len) return x->at = from, true;
  for (size_t at = from; at < x->len; at++) {
    const size_t behind = x->text[at] == '{' ? behind_word(x, at, "endraw") : 0;
    if (!behind) continue;
    x->at = behind;
    return at == from || push(x, JINJA_DATA, from, x->text + from, at - from);
  }
  return fail(x, "a raw block has no end");
}

/* Up to the next tag. */
static size_t next_tag(const lexer *x) {
  size_t at = x->at;
  for (; at + 1 < x->len; at++)
    if (x->text[at] == '{' && strchr("{%#", x->text[at + 1]) && x->text[at + 1]) return at;
  return x->len;
}

static bool tag(lexer *x, bool *inside, jinja_kind *end) {
  const size_t behind = behind_word(x, x->at, "raw"), at = x->at;
  if (ahead(x, x->at, "{#")) return comment(x);
  if (behind) return raw(x, behind);
  const bool print = x->text[x->at + 1] == '{';
  x->at += 2;
  if (x->at < x->len && (x->text[x->at] == '-' || x->text[x->at] == '+')) x->at++;
  *inside = true;
  *end = print ? JINJA_PRINT_END : JINJA_BLOCK_END;
  return push(x, print ? JINJA_PRINT_BEGIN : JINJA_BLOCK_BEGIN, at, x->text + at, 2);
}

/* ---- strings ------------------------------------------------------------------------------------------------------
 */

static bool put_code(char *to, size_t *n, uint32_t code) {
  if (code > 0x10ffff) return false;
  *n += bez_utf8_encode(code >= 0xd800 && code < 0xe000 ? 0xfffd : code, to + *n);
  return true;
}

/* "\x41", "A", "\U00000041": exactly `digits` of them. */
static bool hex(const char *p, size_t left, unsigned digits, uint32_t *code) {
  *code = 0;
  for (unsigned i = 0; i < digits; i++) {
    if (i >= left || !isxdigit((unsigned char)p[i])) return false;
    *code = *code << 4 | (uint32_t)(isdigit((unsigned char)p[i]) ? p[i] - '0' : (p[i] | 0x20) - 'a' + 10);
  }
  return true;
}

static size_t octal(const char *p, size_t left, uint32_t *code) {
  size_t n = 0;
  for (*code = 0; n < 3 && n < left && p[n] >= '0' && p[n] <= '7'; n++) *code = *code << 3 | (uint32_t)(p[n] - '0');
  return n;
}

/* What follows a backslash, as Python reads it. Returns bytes used; 0: no escape that it knows. */
static size_t escape(const char *p, size_t left, char *to, size_t *n) {
  static const char plain[] = "\\\\''\"\"a\ab\bf\fn\nr\rt\tv\v";
  uint32_t code;
  if (*p == '\n') return 1; /* a line that goes on */
  for (size_t i = 0; plain[i]; i += 2)
    if (*p == plain[i]) return to[(*n)++] = plain[i + 1], 1;
  const unsigned digits = *p == 'x' ? 2 : *p == 'u' ? 4 : *p == 'U' ? 8 : 0;
  if (digits) return hex(p + 1, left - 1, digits, &code) && put_code(to, n, code) ? 1 + digits : 0;
  const size_t used = octal(p, left, &code);
  if (used) return put_code(to, n, code) ? used : 0;
  if (*p == 'N') return 0; /* by the character's name: nobody needs that here */
  to[(*n)++] = '\\';       /* stands for itself */
  return put_code(to, n, (uint8_t)*p) ? 1 : 0;
}

static bool string(lexer *x) {
  const char quote = x->text[x->at];
  size_t end = x->at + 1;
  while (end < x->len && x->text[end] != quote) end += x->text[end] == '\\' ? 2 : 1;
  if (end >= x->len) return fail(x, "a string has no end");
  const char *p = x->text + x->at + 1;
  size_t left = end - x->at - 1, n = 0;
  char *value = bez_arena_alloc(x->arena, 2 * left + 5);
  if (!value) return fail(x, "memory is out");
  while (left) {
    size_t used = 1;
    if (*p != '\\')
      value[n++] = *p;
    else if (!(used = 1 + escape(p + 1, left - 1, value, &n)) || used == 1)
      return fail(x, "an escape in a string is malformed");
    p += used;
    left -= used;
  }
  if (!push(x, JINJA_STRING, x->at, value, n)) return false;
  x->at = end + 1;
  return true;
}

/* ---- numbers, names, operators ------------------------------------------------------------------------------------
 */

static bool is_name(char c) {
  return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

/* Digits of a base, with single underscores between them. Returns where they end. */
static size_t digits(const lexer *x, size_t at, unsigned base) {
  for (size_t from = at; at < x->len; at++) {
    const unsigned char c = (unsigned char)x->text[at];
    const unsigned value = isdigit(c) ? c - 48u : isalpha(c) ? (c | 0x20u) - 'a' + 10u : 99u;
    if (c == '_' && at > from && x->text[at - 1] != '_' && at + 1 < x->len && isxdigit((unsigned char)x->text[at + 1]))
      continue;
    if (value >= base) break;
  }
  return at > 0 && x->text[at - 1] == '_' ? at - 1 : at;
}

/* "1e5", "1.5", "1.5e-3": where it ends; 0: no float. */
static size_t float_end(const lexer *x) {
  const size_t whole = digits(x, x->at, 10);
  size_t at = whole;
  if (x->at && x->text[x->at - 1] == '.') return 0; /* an attribute by number */
  if (ahead(x, at, ".") && at + 1 < x->len && isdigit((unsigned char)x->text[at + 1])) at = digits(x, at + 1, 10);
  size_t e = at;
  if (e < x->len && (x->text[e] | 0x20) == 'e') {
    e++;
    if (e < x->len && (x->text[e] == '+' || x->text[e] == '-')) e++;
    if (e < x->len && isdigit((unsigned char)x->text[e])) at = digits(x, e, 10);
  }
  return at > whole ? at : 0;
}

static bool number(lexer *x) {
  const size_t from = x->at, real = float_end(x);
  size_t end;
  if (real) {
    end = real;
  } else if (x->text[from] == '0') {
    const char mark = from + 1 < x->len ? (char)(x->text[from + 1] | 0x20) : 0;
    const unsigned base = mark == 'x' ? 16 : mark == 'o' ? 8 : mark == 'b' ? 2 : 0;
    end = base ? digits(x, from + 2 + ahead(x, from + 2, "_"), base) : from;
    if (end <= from + 2)
      for (end = from + 1; end < x->len && x->text[end] == '0'; end++) continue;
  } else {
    end = digits(x, from, 10);
  }
  x->at = end;
  return push(x, real ? JINJA_FLOAT : JINJA_INTEGER, from, x->text + from, end - from);
}

static bool name(lexer *x) {
  const size_t from = x->at;
  while (x->at < x->len && is_name(x->text[x->at])) x->at++;
  return push(x, JINJA_NAME, from, x->text + from, x->at - from);
}

static bool bracket(lexer *x, char c) {
  const char *const opening = "([{", *const closing = ")]}";
  const char *open = strchr(opening, c);
  if (open) {
    if (x->depth == BEZ_MAX_JINJA_DEPTH) return fail(x, "brackets are nested too deep");
    x->open[x->depth++] = closing[open - opening];
  } else if (strchr(closing, c)) {
    if (!x->depth || x->open[x->depth - 1] != c) return fail(x, "brackets do not match");
    x->depth--;
  }
  return true;
}

static bool operator(lexer *x) {
  static const char *const two[] = {"//", "**", "==", "!=", ">=", "<="};
  const char c = x->text[x->at];
  size_t n = 0;
  for (size_t i = 0; !n && i < sizeof two / sizeof *two; i++)
    if (ahead(x, x->at, two[i])) n = 2;
  if (!n && strchr("+-/*%~[](){}><=.:|,;", c) && c) n = 1;
  if (!n) return fail(x, "a character that no expression holds");
  if (!bracket(x, c)) return false;
  x->at += n;
  return push(x, JINJA_OPERATOR, x->at - n, x->text + x->at - n, n);
}

/* The end of the tag, if it is here. */
static size_t tag_end(const lexer *x, jinja_kind end) {
  const char *const sign = end == JINJA_PRINT_END ? "}}" : "%}";
  if (x->depth) return 0;
  if (ahead(x, x->at, sign)) return 2;
  const bool sticks = ahead(x, x->at, "-") || (end == JINJA_BLOCK_END && ahead(x, x->at, "+"));
  return sticks && ahead(x, x->at + 1, sign) ? 3 : 0;
}

static bool in_tag(lexer *x, bool *inside, jinja_kind end) {
  x->at = skip_blank(x, x->at);
  if (x->at >= x->len) return fail(x, "a tag has no end");
  const size_t n = tag_end(x, end);
  if (n) {
    *inside = false;
    x->at += n;
    return push(x, end, x->at - n, "", 0);
  }
  const char c = x->text[x->at];
  if (c == '"' || c == '\'') return string(x);
  if (isdigit((unsigned char)c)) return number(x);
  return is_name(c) ? name(x) : operator(x);
}

bool bez_jinja_lex(const char *text, size_t len, bez_arena *arena, jinja_tokens *out) {
  lexer x = {.text = text, .len = len, .arena = arena, .out = out};
  bool inside = false;
  jinja_kind end = JINJA_END;
  if (len > BEZ_MAX_JINJA_BYTES) return fail(&x, "it is larger than 1 MiB");
  while (x.at < len || inside) {
    if (inside) {
      if (!in_tag(&x, &inside, end)) return false;
      continue;
    }
    const size_t from = x.at;
    x.at = next_tag(&x);
    if (x.at > from && !push(&x, JINJA_DATA, from, text + from, x.at - from)) return false;
    if (x.at < len && !tag(&x, &inside, &end)) return false;
  }
  return push(&x, JINJA_END, len, "", 0);
}

void bez_jinja_tokens_free(jinja_tokens *tokens) {
  free(tokens->items);
  *tokens = (jinja_tokens){0};
}
