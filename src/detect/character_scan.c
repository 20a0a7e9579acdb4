/* Two passes over one text: which scripts is it written in, then each character and each word in that light.
 *
 * The tricks are those of N. Boucher, I. Shumailov, R. Anderson, N. Papernot, "Bad Characters: Imperceptible NLP
 * Attacks", IEEE S&P 2022 (invisible characters, look-alikes, reorderings, deletions), and tag characters. What a
 * script needs is left alone: joiners in Persian and Indic words, zero-width spaces in Thai, direction marks beside
 * Hebrew and Arabic, variation selectors and joiners in emoji. */
#include "detect/character_scan.h"

#include "base/utf8.h"
#include "math/unicode_class.h"

#include <stdbool.h>
#include <string.h>

typedef struct scan {
  const char *text;
  size_t len;
  uint32_t letters[BEZ_SCRIPT_COUNT]; /* letters per script */
  uint32_t own[BEZ_SCRIPT_COUNT];     /* of these, letters that look like no Latin one */
  bez_trick_hit *hits;
  size_t max, n;
} scan;

/* One word while it is read. */
typedef struct word {
  size_t begin, end;
  uint32_t latin;                   /* ASCII letters */
  uint32_t latin_like;              /* of these, letters that look like Cyrillic ones */
  uint32_t in[BEZ_SCRIPT_COUNT];    /* letters per script */
  uint32_t twins[BEZ_SCRIPT_COUNT]; /* of these, look-alikes of ASCII */
  uint32_t sly;                     /* Latin letters beyond ASCII that look like ASCII ones */
  uint32_t first_odd;               /* the first look-alike */
  bool odd_edge_only;               /* the only look-alike stands at the word's end */
  uint32_t n_odd, n_letters;
} word;

const char *bez_trick_text(bez_trick trick) {
  static const char *const names[] = {
      "invisible characters", "direction controls",          "tag characters",
      "deletion controls",    "look-alike letters in words", "words wholly of look-alike letters",
      "styled letters"};
  return trick < BEZ_TRICK_COUNT ? names[trick] : "";
}

static void hit(scan *s, bez_trick trick, uint32_t cp, size_t begin, size_t end, bool inside) {
  if (s->n < s->max) s->hits[s->n] = (bez_trick_hit){trick, cp, (uint32_t)begin, (uint32_t)end, inside};
  s->n++;
}

static void count_scripts(scan *s) {
  for (size_t at = 0; at < s->len;) {
    uint32_t cp;
    at += bez_utf8_decode(s->text + at, s->len - at, &cp, NULL);
    bez_script script = bez_uc_script(cp);
    s->letters[script]++;
    if (script != BEZ_SCRIPT_LATIN && !bez_uc_twin(cp)) s->own[script]++;
  }
}

/* The code point that ends before `at`; 0 at the beginning. */
static uint32_t before(const scan *s, size_t at) {
  if (!at) return 0;
  size_t from = at - 1;
  for (unsigned back = 0; back < 3 && from > 0 && ((unsigned char)s->text[from] & 0xC0) == 0x80; back++) from--;
  uint32_t cp;
  bez_utf8_decode(s->text + from, s->len - from, &cp, NULL);
  return cp;
}

static uint32_t after(const scan *s, size_t at) {
  uint32_t cp = 0;
  if (at < s->len) bez_utf8_decode(s->text + at, s->len - at, &cp, NULL);
  return cp;
}

static bool joins_emoji(uint32_t prev, uint32_t next) {
  bool left = bez_uc_emoji(prev) || bez_uc_hidden(prev) == BEZ_HIDDEN_VARIATION;
  return left && (bez_uc_emoji(next) || next == 0);
}

static bool variation_allowed(uint32_t cp, uint32_t prev) {
  if (bez_uc_emoji(prev)) return true;
  if ((prev >= '0' && prev <= '9') || prev == '#' || prev == '*') return cp == 0xFE0E || cp == 0xFE0F; /* keycaps */
  if (bez_uc_hidden(prev) != BEZ_HIDDEN_NONE) return false; /* runs of selectors carry bytes */
  bez_script script = bez_uc_script(prev);
  if (script == BEZ_SCRIPT_EAST || script == BEZ_SCRIPT_JOINING || script == BEZ_SCRIPT_NOSPACE) return true;
  return prev >= 0x2000 && script == BEZ_SCRIPT_COMMON; /* symbols with a text form */
}

/* Is this hidden character at home here? */
static bool at_home(const scan *s, uint32_t cp, bez_hidden kind, uint32_t prev, uint32_t next, size_t at) {
  bez_script left = bez_uc_script(prev), right = bez_uc_script(next);
  switch (kind) {
    case BEZ_HIDDEN_SPACE:
      if (cp == 0xFEFF && at == 0) return true; /* a byte order mark */
      if (cp == 0x180E) return left == BEZ_SCRIPT_JOINING;
      if (left == BEZ_SCRIPT_EAST && (cp >= 0x115F && cp != 0xFEFF && cp != 0x200B)) return true;
      return left == BEZ_SCRIPT_NOSPACE || right == BEZ_SCRIPT_NOSPACE;
    case BEZ_HIDDEN_JOINER:
      if (left == BEZ_SCRIPT_RTL || left == BEZ_SCRIPT_JOINING || left == BEZ_SCRIPT_NOSPACE) return true;
      if (right == BEZ_SCRIPT_RTL || right == BEZ_SCRIPT_JOINING) return true;
      return cp == 0x200D && joins_emoji(prev, next);
    case BEZ_HIDDEN_BIDI: return s->letters[BEZ_SCRIPT_RTL] > 0 && cp != 0x202D && cp != 0x202E;
    case BEZ_HIDDEN_VARIATION: return variation_allowed(cp, prev);
    default: return false;
  }
}

/* Flags of regions: U+1F3F4, tag letters, cancel tag. Returns the end of a well-formed one, or 0. */
static size_t flag_end(const scan *s, size_t at, uint32_t prev) {
  if (prev != 0x1F3F4) return 0;
  for (unsigned n = 0; at < s->len && n < 8; n++) {
    uint32_t cp;
    at += bez_utf8_decode(s->text + at, s->len - at, &cp, NULL);
    if (cp == 0xE007F) return n >= 3 ? at : 0;
    if (cp < 0xE0030 || cp > 0xE007A) return 0;
  }
  return 0;
}

/* Typewriters and manual pages print a character over another: twice for bold, over a line, + over o as a bullet. */
static bool overstrikes(uint32_t prev, uint32_t next) {
  return prev == next || prev == '_' || next == '_' || (prev == '+' && next == 'o');
}

static size_t look_hidden(scan *s, uint32_t cp, bez_hidden kind, size_t at, size_t next_at) {
  static const bez_trick trick_of[] = {
      [BEZ_HIDDEN_SPACE] = BEZ_TRICK_INVISIBLE, [BEZ_HIDDEN_JOINER] = BEZ_TRICK_INVISIBLE,
      [BEZ_HIDDEN_BIDI] = BEZ_TRICK_BIDI,       [BEZ_HIDDEN_TAG] = BEZ_TRICK_TAG,
      [BEZ_HIDDEN_VARIATION] = BEZ_TRICK_TAG,   [BEZ_HIDDEN_DELETION] = BEZ_TRICK_DELETION};
  uint32_t prev = before(s, at), next = after(s, next_at);
  if (kind == BEZ_HIDDEN_TAG) {
    size_t end = flag_end(s, at, prev);
    if (end) return end;
  }
  bool inside = bez_uc_word(prev) && bez_uc_word(next) && !(cp == 0x08 && overstrikes(prev, next));
  if (!at_home(s, cp, kind, prev, next, at)) hit(s, trick_of[kind], cp, at, next_at, inside);
  return next_at;
}

static void word_letter(word *w, uint32_t cp) {
  bez_script script = bez_uc_script(cp);
  w->in[script]++;
  if (script == BEZ_SCRIPT_COMMON) return;
  w->n_letters++;
  if (cp < 0x80) {
    w->latin++;
    w->latin_like += strchr("aceopxyiABCEHKMOPTXY", (int)cp) != NULL;
    w->odd_edge_only = false;
    return;
  }
  if (!bez_uc_twin(cp)) return;
  w->twins[script]++;
  if (script == BEZ_SCRIPT_LATIN) w->sly++;
  if (!w->n_odd) w->first_odd = cp;
  w->odd_edge_only = w->n_odd == 0;
  w->n_odd++;
}

/* A script whose letters in this word all look Latin, in a word or text that is otherwise Latin. */
static void judge_foreign(scan *s, const word *w, bez_script script) {
  uint32_t n = w->in[script], twins = w->twins[script];
  uint32_t latin = w->in[BEZ_SCRIPT_LATIN];
  if (!n) return;
  bool latin_text = s->letters[BEZ_SCRIPT_LATIN] > s->letters[script];
  if (latin > 0) {
    /* names such as TNFα end in the one Greek letter they mean */
    bool meant = script == BEZ_SCRIPT_GREEK && n == 1 && w->odd_edge_only && w->first_odd >= 0x3B1;
    bool foreign_in_latin = twins == n && !meant;
    bool latin_in_foreign = script == BEZ_SCRIPT_CYRILLIC && n >= 2 && n > latin && latin == w->latin_like;
    if (foreign_in_latin || latin_in_foreign) hit(s, BEZ_TRICK_MIXED, w->first_odd, w->begin, w->end, true);
    return;
  }
  if (twins == n && latin_text && s->own[script] == 0 && (n > 1 || script != BEZ_SCRIPT_GREEK))
    hit(s, BEZ_TRICK_TWIN, w->first_odd, w->begin, w->end, false);
}

static void judge_word(scan *s, const word *w) {
  static const bez_script foreign[] = {BEZ_SCRIPT_GREEK, BEZ_SCRIPT_CYRILLIC, BEZ_SCRIPT_ARMENIAN, BEZ_SCRIPT_CHEROKEE};
  if (!w->n_odd && !w->in[BEZ_SCRIPT_STYLED]) return;
  for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) judge_foreign(s, w, foreign[i]);
  uint32_t styled = w->in[BEZ_SCRIPT_STYLED];
  if (styled && w->twins[BEZ_SCRIPT_STYLED] == styled && !s->letters[BEZ_SCRIPT_EAST]) {
    if (w->latin && styled + w->latin >= 3)
      hit(s, BEZ_TRICK_MIXED, w->first_odd, w->begin, w->end, true);
    else if (styled >= 2)
      hit(s, BEZ_TRICK_STYLED, w->first_odd, w->begin, w->end, false);
  }
  /* dotless i is a letter of Turkish words, which show others of their kind somewhere in the text */
  bool native = s->letters[BEZ_SCRIPT_LATIN] > 0 && w->in[BEZ_SCRIPT_LATIN] > w->latin + w->sly;
  if (w->sly && w->latin >= 2 && !native && w->first_odd != 0x131)
    hit(s, BEZ_TRICK_MIXED, w->first_odd, w->begin, w->end, true);
}

size_t bez_character_scan(const char *text, size_t len, bez_trick_hit *hits, size_t max) {
  scan s = {.text = text, .len = len, .hits = hits, .max = max};
  count_scripts(&s);
  word w = {0};
  bool open = false;
  for (size_t at = 0; at < len;) {
    uint32_t cp;
    size_t next = at + bez_utf8_decode(text + at, len - at, &cp, NULL);
    bez_hidden kind = cp < 0x80 && cp != 0x08 && cp != 0x7F ? BEZ_HIDDEN_NONE : bez_uc_hidden(cp);
    if (kind != BEZ_HIDDEN_NONE) {
      at = look_hidden(&s, cp, kind, at, next); /* a hidden character does not end the word it breaks */
      continue;
    }
    if (bez_uc_word(cp)) {
      if (!open) w = (word){.begin = at};
      open = true;
      word_letter(&w, cp);
      w.end = next;
    } else if (open) {
      judge_word(&s, &w);
      open = false;
    }
    at = next;
  }
  if (open) judge_word(&s, &w);
  return s.n;
}
