/* The few facts about Unicode that poison hides behind: scripts, characters that show nothing, and letters of other
 * scripts that look like Latin ones. Compact range tables; facts from the Unicode Character Database 15 (Scripts,
 * DerivedCoreProperties: Default_Ignorable_Code_Point, Bidi_Class) and Unicode Technical Standard 39. */
#ifndef BEZ_MATH_UNICODE_CLASS_H
#define BEZ_MATH_UNICODE_CLASS_H

#include <stdbool.h>
#include <stdint.h>

typedef enum bez_script {
  BEZ_SCRIPT_COMMON = 0, /* digits, punctuation, symbols, marks */
  BEZ_SCRIPT_LATIN,
  BEZ_SCRIPT_GREEK,
  BEZ_SCRIPT_CYRILLIC,
  BEZ_SCRIPT_ARMENIAN,
  BEZ_SCRIPT_CHEROKEE,
  BEZ_SCRIPT_RTL,     /* Hebrew, Arabic, Syriac, Thaana, NKo …: bidi marks belong to their text */
  BEZ_SCRIPT_JOINING, /* Indic scripts and Mongolian: ZWJ and ZWNJ shape their letters */
  BEZ_SCRIPT_NOSPACE, /* Thai, Lao, Khmer, Myanmar, Tibetan: ZWSP marks their word ends */
  BEZ_SCRIPT_EAST,    /* Han, Kana, Hangul, Bopomofo */
  BEZ_SCRIPT_STYLED,  /* fullwidth Latin, mathematical alphanumerics, enclosed letters: Latin in disguise */
  BEZ_SCRIPT_OTHER,   /* letters of any other script */
  BEZ_SCRIPT_COUNT
} bez_script;

typedef enum bez_hidden {
  BEZ_HIDDEN_NONE = 0,
  BEZ_HIDDEN_SPACE,     /* zero-width spaces, word joiners, fillers, soft hyphens: draw nothing */
  BEZ_HIDDEN_JOINER,    /* ZWNJ, ZWJ */
  BEZ_HIDDEN_BIDI,      /* direction marks, embeddings, overrides, isolates */
  BEZ_HIDDEN_TAG,       /* U+E0000 … U+E007F */
  BEZ_HIDDEN_VARIATION, /* variation selectors */
  BEZ_HIDDEN_DELETION   /* backspace, delete: some renderers swallow the character before */
} bez_hidden;

bez_script bez_uc_script(uint32_t cp);
bez_hidden bez_uc_hidden(uint32_t cp);
/* Emoji and pictographs, their modifiers and regional indicators: what ZWJ and VS16 legitimately join. */
bool bez_uc_emoji(uint32_t cp);
/* A letter or a digit of any script (combining marks included): what words are made of. */
bool bez_uc_word(uint32_t cp);

/* The ASCII letter or digit that cp is easily mistaken for, 0 where there is none. ASCII letters give themselves;
 * accented Latin letters give 0: their accent shows. */
char bez_uc_twin(uint32_t cp);

#endif
