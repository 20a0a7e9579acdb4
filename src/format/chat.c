/* Turns of a chat: who speaks, and what. Parts of a content ([{"type": "text", "text": "…"}, …]) are joined; parts that
 * are no text (pictures, calls) are passed over. */
#include "format/chat.h"

#include <string.h>

typedef struct slice {
  const char *text;
  size_t len;
} slice;

static bool is_one_of(slice s, const char *const *words) {
  for (; *words; words++)
    if (strlen(*words) == s.len && !memcmp(*words, s.text, s.len)) return true;
  return false;
}

bool bez_chat_key(const char *key, size_t len) {
  static const char *const keys[] = {"messages", "conversations", "conversation", NULL};
  return is_one_of((slice){key, len}, keys);
}

/* The value of a string, or "" for null; other values are passed over and are none. */
static bool string_value(bez_jsonscan *s, bez_buf *scratch, slice *out) {
  const char *text;
  size_t len;
  bez_json_kind kind = bez_jsonscan_kind(s);
  if (kind == BEZ_JSON_STRING) return bez_jsonscan_string(s, scratch, &out->text, &out->len);
  *out = (slice){kind == BEZ_JSON_NULL ? "" : NULL, 0};
  return bez_jsonscan_skip(s, 3, &text, &len);
}

/* Goes on to the next key of an object: false at its end. */
static bool next_key(bez_jsonscan *s, bez_buf *scratch, bool *first, slice *key) {
  if (bez_jsonscan_eat(s, '}')) return false;
  if (!*first) (void)bez_jsonscan_eat(s, ',');
  *first = false;
  return bez_jsonscan_string(s, scratch, &key->text, &key->len) && bez_jsonscan_eat(s, ':');
}

/* Appends the text parts of [{"type": "text", "text": "…"}, "…"]. */
static bool parts(bez_jsonscan *s, bez_buf *scratch, bez_buf *out) {
  static const char *const names[] = {"text", NULL};
  slice key, value;
  if (!bez_jsonscan_eat(s, '[')) return false;
  while (!bez_jsonscan_eat(s, ']')) {
    bool first = true;
    (void)bez_jsonscan_eat(s, ',');
    if (!bez_jsonscan_eat(s, '{')) {
      if (!string_value(s, scratch, &value)) return false;
      bez_buf_write(out, value.text ? value.text : "", value.len);
      continue;
    }
    while (next_key(s, scratch, &first, &key)) {
      if (!string_value(s, scratch, &value)) return false;
      if (value.text && is_one_of(key, names)) bez_buf_write(out, value.text, value.len);
    }
    if (s->problem) return false;
  }
  return true;
}

typedef struct turn {
  slice who, what;
  const char *list; /* content is a list of parts, beginning here */
  bool has_what;
} turn;

static bool read_turn(bez_jsonscan *s, bez_buf *scratch, turn *t, bool *duplicate) {
  static const char *const roles[] = {"role", "from", NULL}, *const contents[] = {"content", "value", NULL};
  bool first = true;
  slice key, value;
  *t = (turn){0};
  if (!bez_jsonscan_eat(s, '{')) return false;
  while (next_key(s, scratch, &first, &key)) {
    bool who = is_one_of(key, roles), what = is_one_of(key, contents);
    bool list = bez_jsonscan_kind(s) == BEZ_JSON_ARRAY;
    const char *at = s->at;
    if (!string_value(s, scratch, &value)) return false;
    if ((who && t->who.text) || (what && t->has_what)) *duplicate = true;
    if (who) t->who = value;
    if (what) {
      t->what = value;
      t->list = list ? at : NULL;
      t->has_what = list || value.text;
    }
  }
  return !s->problem && t->who.text && t->who.len && t->has_what;
}

static bool is_assistant(slice who) {
  static const char *const names[] = {"assistant", "gpt", "chatgpt", "model", "bot", "ai", NULL};
  return is_one_of(who, names);
}

static bool add_turn(const bez_jsonscan *s, bez_buf *scratch, const turn *t, bez_buf *out, size_t begin) {
  if (out->len > begin) bez_buf_putc(out, '\n');
  if (!t->list) {
    bez_buf_write(out, t->what.text, t->what.len);
    return true;
  }
  bez_jsonscan again = {.begin = s->begin, .at = t->list, .end = s->end};
  return parts(&again, scratch, out);
}

bool bez_chat_read(const char *array, size_t len, bez_buf *scratch, bez_chat *out) {
  bez_jsonscan s = {.begin = array, .at = array, .end = array + len};
  size_t prompt = out->prompt.len, response = out->response.len, asked = prompt, n = 0;
  bool good = bez_jsonscan_eat(&s, '['), answered = false;
  while (good && !bez_jsonscan_eat(&s, ']')) {
    turn t;
    if (n++) (void)bez_jsonscan_eat(&s, ',');
    good = read_turn(&s, scratch, &t, &out->duplicate);
    if (!good) break;
    bool assistant = is_assistant(t.who);
    good = add_turn(&s, scratch, &t, assistant ? &out->response : &out->prompt, assistant ? response : prompt);
    answered |= assistant;
    if (assistant) asked = out->prompt.len;
  }
  good = good && n;
  if (good && answered) out->prompt.len = asked;
  if (!good) out->prompt.len = prompt, out->response.len = response;
  out->has_response = good && answered;
  return good;
}
