/* Showing hostile text. */
#include "report/visible.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

typedef struct bez_range {
  uint32_t first, last;
} bez_range;

static bool in_ranges(uint32_t cp, const bez_range *ranges, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (cp >= ranges[i].first && cp <= ranges[i].last) return true;
  return false;
}
#define IN(cp, ranges) in_ranges(cp, ranges, sizeof(ranges) / sizeof *(ranges))

bool bez_hazardous(uint32_t cp) {
  static const bez_range hazards[] = {
      {0x00, 0x1F},     {0x7F, 0x9F},     {0xAD, 0xAD},       {0x34F, 0x34F},     {0x61C, 0x61C},
      {0x115F, 0x1160}, {0x17B4, 0x17B5}, {0x180B, 0x180F},   {0x200B, 0x200F},   {0x2028, 0x202E},
      {0x2060, 0x206F}, {0x3164, 0x3164}, {0xD800, 0xDFFF},   {0xFDD0, 0xFDEF},   {0xFEFF, 0xFEFF},
      {0xFFA0, 0xFFA0}, {0xFFF0, 0xFFFB}, {0x1BCA0, 0x1BCA3}, {0x1D173, 0x1D17A}, {0xE0000, 0xE0FFF},
  };
  if (cp >= 0x20 && cp < 0x7F) return false;
  return cp > 0x10FFFF || (cp & 0xFFFE) == 0xFFFE || IN(cp, hazards);
}

size_t bez_escape(uint32_t cp, char out[16]) {
  switch (cp) {
    case '\n': return (size_t)snprintf(out, 16, "\\n");
    case '\r': return (size_t)snprintf(out, 16, "\\r");
    case '\t': return (size_t)snprintf(out, 16, "\\t");
    default: break;
  }
  if (cp < 0x80) return (size_t)snprintf(out, 16, "\\x%02x", cp);
  return cp < 0x10000 ? (size_t)snprintf(out, 16, "\\u%04x", cp) : (size_t)snprintf(out, 16, "\\U%08x", cp);
}

/* Our own typography has plain forms; everything else above U+007E is escaped. */
static const char *plain_form(uint32_t cp) {
  switch (cp) {
    case 0x2013: return "-";
    case 0x2026: return "...";
    case 0x2039: return "<";
    case 0x203A: return ">";
    default: return NULL;
  }
}

void bez_visible(bez_buf *out, const char *text, size_t len, bool ascii) {
  for (size_t at = 0; at < len;) {
    uint32_t cp;
    char escape[16];
    size_t used = bez_utf8_decode(text + at, len - at, &cp, NULL);
    if (ascii && plain_form(cp))
      bez_buf_puts(out, plain_form(cp));
    else if (bez_hazardous(cp) || (ascii && cp > 0x7E))
      bez_buf_write(out, escape, bez_escape(cp, escape));
    else
      bez_buf_write(out, escape, bez_utf8_encode(cp, escape));
    at += used;
  }
}

unsigned bez_char_columns(uint32_t cp) {
  static const bez_range zero[] = {
      {0x300, 0x36F},   {0x483, 0x489},   {0x591, 0x5BD},   {0x610, 0x61A},   {0x64B, 0x65F},  {0x900, 0x902},
      {0x93C, 0x93C},   {0x941, 0x948},   {0xE31, 0xE31},   {0xE34, 0xE3A},   {0xE47, 0xE4E},  {0x1AB0, 0x1AFF},
      {0x1DC0, 0x1DFF}, {0x20D0, 0x20FF}, {0x3099, 0x309A}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}};
  static const bez_range wide[] = {{0x1100, 0x115F},   {0x231A, 0x231B},   {0x2329, 0x232A},   {0x23E9, 0x23F3},
                                   {0x25FD, 0x25FE},   {0x2614, 0x2615},   {0x2648, 0x2653},   {0x26A1, 0x26A1},
                                   {0x2705, 0x2705},   {0x2728, 0x2728},   {0x274C, 0x274E},   {0x2753, 0x2757},
                                   {0x2E80, 0x303E},   {0x3041, 0xA4CF},   {0xA960, 0xA97F},   {0xAC00, 0xD7A3},
                                   {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},   {0xFFE0, 0xFFE6},
                                   {0x16FE0, 0x18CFF}, {0x1B000, 0x1B2FF}, {0x1F000, 0x1FAFF}, {0x20000, 0x3FFFD}};
  if (cp < 0x300) return 1;
  if (IN(cp, zero)) return 0;
  return IN(cp, wide) ? 2 : 1;
}

size_t bez_columns(const char *text, size_t len) {
  size_t columns = 0;
  for (size_t at = 0; at < len;) {
    uint32_t cp;
    at += bez_utf8_decode(text + at, len - at, &cp, NULL);
    columns += bez_char_columns(cp);
  }
  return columns;
}

static bool reserved(bez_markup markup, uint32_t cp) {
  if (cp == 0 || cp > 0x7E) return false;
  return strchr(markup == BEZ_MARKUP_XML ? "<>&\"'" : "<>&\"'`*_{}[]()#+-.!|~@:/\\^$=", (int)cp) != NULL;
}

void bez_markup_text(bez_buf *out, bez_markup markup, const char *text, size_t len) {
  for (size_t at = 0; at < len;) {
    uint32_t cp;
    char bytes[16];
    at += bez_utf8_decode(text + at, len - at, &cp, NULL);
    if (bez_hazardous(cp)) {
      size_t n = bez_escape(cp, bytes);
      if (markup == BEZ_MARKUP_MARKDOWN) bez_buf_puts(out, "&#92;");
      bez_buf_write(out, bytes + (markup == BEZ_MARKUP_MARKDOWN), n - (markup == BEZ_MARKUP_MARKDOWN));
    } else if (reserved(markup, cp)) {
      bez_buf_printf(out, "&#%u;", cp);
    } else {
      bez_buf_write(out, bytes, bez_utf8_encode(cp, bytes));
    }
  }
}

void bez_markup_puts(bez_buf *out, bez_markup markup, const char *text) {
  if (text) bez_markup_text(out, markup, text, strlen(text));
}
