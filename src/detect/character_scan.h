/* What is odd about the characters of one text: the judgement behind BZ-D005, without counting or severity. */
#ifndef BEZ_DETECT_CHARACTER_SCAN_H
#define BEZ_DETECT_CHARACTER_SCAN_H

#include <stddef.h>
#include <stdint.h>

typedef enum bez_trick {
  BEZ_TRICK_INVISIBLE = 0, /* a character that draws nothing */
  BEZ_TRICK_BIDI,          /* a direction control in text that needs none */
  BEZ_TRICK_TAG,           /* tag characters or runs of variation selectors: a hidden message */
  BEZ_TRICK_DELETION,      /* backspace or delete */
  BEZ_TRICK_MIXED,         /* look-alike letters of another script inside a word */
  BEZ_TRICK_TWIN,          /* a whole word of look-alikes in text of another script */
  BEZ_TRICK_STYLED,        /* mathematical, enclosed or fullwidth letters for Latin ones */
  BEZ_TRICK_COUNT
} bez_trick;

/* "invisible characters", …; static storage. */
const char *bez_trick_text(bez_trick trick);

typedef struct bez_trick_hit {
  uint32_t trick;      /* bez_trick */
  uint32_t cp;         /* the odd code point (of a word: its first odd one) */
  uint32_t begin, end; /* bytes of the character, or of the word */
  uint32_t inside;     /* 1: between two word characters, where it breaks a word */
} bez_trick_hit;

/* Examines text[0, len) and fills up to max hits (the first ones); returns how many there are in all. Any bytes will
 * do. Emoji sequences, scripts that need joiners, right-to-left text with its marks, units such as µm and words that
 * are wholly of one script are silent. */
size_t bez_character_scan(const char *text, size_t len, bez_trick_hit *hits, size_t max);

#endif
