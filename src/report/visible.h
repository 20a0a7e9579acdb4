/* Text from data made safe to show: what would steer a terminal, hide, or reorder its surroundings is written as an
 * escape that can be seen (\x1b, \u202e, \U000e0041). */
#ifndef BEZ_REPORT_VISIBLE_H
#define BEZ_REPORT_VISIBLE_H

#include "base/buf.h"

/* True for controls, bidirectional controls, zero-width and tag characters, line and paragraph separators, soft
 * hyphens, variation selectors supplement, noncharacters, surrogates and what lies outside Unicode. */
bool bez_hazardous(uint32_t cp);
/* "\x1b", "\n", "\u202e", "\U000e0041"; returns the length. */
size_t bez_escape(uint32_t cp, char out[16]);
/* Writes text with every hazardous character escaped; ascii: everything above U+007E as well. */
void bez_visible(bez_buf *out, const char *text, size_t len, bool ascii);
/* Terminal columns of a character: 0 combining, 2 wide, 1 others (Unicode UAX #11, coarse). */
unsigned bez_char_columns(uint32_t cp);
/* Terminal columns of valid UTF-8 without hazards. */
size_t bez_columns(const char *text, size_t len);

typedef enum bez_markup { BEZ_MARKUP_XML, BEZ_MARKUP_MARKDOWN } bez_markup;

/* bez_visible, and the characters that mean something in the markup become character references. Markdown: every
 * ASCII punctuation mark that can begin markup, a mention or a link. */
void bez_markup_text(bez_buf *out, bez_markup markup, const char *text, size_t len);
void bez_markup_puts(bez_buf *out, bez_markup markup, const char *text); /* NULL: nothing */

#endif
