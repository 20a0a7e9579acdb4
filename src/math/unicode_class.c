/* Ranges per script and per kind of hidden character, searched by bisection. */
#include "math/unicode_class.h"

#include <stddef.h>

typedef struct range {
  uint32_t first, last;
  uint8_t kind;
} range;

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define LATIN BEZ_SCRIPT_LATIN
#define GREEK BEZ_SCRIPT_GREEK
#define CYRILLIC BEZ_SCRIPT_CYRILLIC
#define ARMENIAN BEZ_SCRIPT_ARMENIAN
#define CHEROKEE BEZ_SCRIPT_CHEROKEE
#define RTL BEZ_SCRIPT_RTL
#define JOINING BEZ_SCRIPT_JOINING
#define NOSPACE BEZ_SCRIPT_NOSPACE
#define EAST BEZ_SCRIPT_EAST
#define STYLED BEZ_SCRIPT_STYLED
#define OTHER BEZ_SCRIPT_OTHER

/* Ascending. Letters only where a block mixes letters and symbols; what is left out is COMMON. */
static const range scripts[] = {
    {'A', 'Z', LATIN},          {'a', 'z', LATIN},           {0xAA, 0xAA, LATIN},        {0xBA, 0xBA, LATIN},
    {0xC0, 0xD6, LATIN},        {0xD8, 0xF6, LATIN},         {0xF8, 0x2B8, LATIN},       {0x370, 0x373, GREEK},
    {0x376, 0x377, GREEK},      {0x37B, 0x37D, GREEK},       {0x37F, 0x37F, GREEK},      {0x386, 0x386, GREEK},
    {0x388, 0x3E1, GREEK},      {0x3E2, 0x3EF, OTHER},       {0x3F0, 0x3FF, GREEK},      {0x400, 0x481, CYRILLIC},
    {0x48A, 0x52F, CYRILLIC},   {0x531, 0x556, ARMENIAN},    {0x561, 0x587, ARMENIAN},   {0x591, 0x8FF, RTL},
    {0x900, 0xDFF, JOINING},    {0xE01, 0xE3A, NOSPACE},     {0xE40, 0x109F, NOSPACE},   {0x10A0, 0x10FF, OTHER},
    {0x1100, 0x11FF, EAST},     {0x1200, 0x139F, OTHER},     {0x13A0, 0x13FD, CHEROKEE}, {0x1400, 0x16FF, OTHER},
    {0x1700, 0x177F, JOINING},  {0x1780, 0x17FF, NOSPACE},   {0x1800, 0x18AF, JOINING},  {0x18B0, 0x1AAF, NOSPACE},
    {0x1B00, 0x1C7F, JOINING},  {0x1C80, 0x1C8F, CYRILLIC},  {0x1C90, 0x1CBF, OTHER},    {0x1CD0, 0x1CFF, JOINING},
    {0x1D00, 0x1D25, LATIN},    {0x1D26, 0x1D2A, GREEK},     {0x1D2C, 0x1D5C, LATIN},    {0x1D62, 0x1D65, LATIN},
    {0x1D6B, 0x1D77, LATIN},    {0x1D79, 0x1DBE, LATIN},     {0x1E00, 0x1EFF, LATIN},    {0x1F00, 0x1FFE, GREEK},
    {0x2071, 0x2071, LATIN},    {0x207F, 0x207F, LATIN},     {0x2090, 0x209C, LATIN},    {0x2102, 0x2102, STYLED},
    {0x210A, 0x2113, STYLED},   {0x2115, 0x2115, STYLED},    {0x2119, 0x211D, STYLED},   {0x2124, 0x2124, STYLED},
    {0x2128, 0x2128, STYLED},   {0x212A, 0x212A, STYLED},    {0x212C, 0x212D, STYLED},   {0x212F, 0x2131, STYLED},
    {0x2133, 0x2134, STYLED},   {0x2145, 0x2149, STYLED},    {0x2160, 0x217F, STYLED},   {0x249C, 0x24E9, STYLED},
    {0x2C00, 0x2C5F, OTHER},    {0x2C60, 0x2C7F, LATIN},     {0x2C80, 0x2D2F, OTHER},    {0x2D30, 0x2DDF, OTHER},
    {0x2DE0, 0x2DFF, CYRILLIC}, {0x2E80, 0x2FDF, EAST},      {0x3005, 0x3007, EAST},     {0x3021, 0x302F, EAST},
    {0x3031, 0x318F, EAST},     {0x31A0, 0x4DBF, EAST},      {0x4E00, 0x9FFF, EAST},     {0xA000, 0xA63F, OTHER},
    {0xA640, 0xA69F, CYRILLIC}, {0xA6A0, 0xA6FF, OTHER},     {0xA722, 0xA7FF, LATIN},    {0xA800, 0xAA5F, JOINING},
    {0xAA60, 0xAADF, NOSPACE},  {0xAAE0, 0xAAFF, JOINING},   {0xAB30, 0xAB6F, LATIN},    {0xAB70, 0xABBF, CHEROKEE},
    {0xABC0, 0xABFF, JOINING},  {0xAC00, 0xD7FF, EAST},      {0xF900, 0xFAFF, EAST},     {0xFB00, 0xFB06, LATIN},
    {0xFB13, 0xFB17, ARMENIAN}, {0xFB1D, 0xFDFF, RTL},       {0xFE70, 0xFEFC, RTL},      {0xFF10, 0xFF19, STYLED},
    {0xFF21, 0xFF3A, STYLED},   {0xFF41, 0xFF5A, STYLED},    {0xFF66, 0xFFDC, EAST},     {0x10000, 0x107FF, OTHER},
    {0x10800, 0x10FFF, RTL},    {0x11000, 0x11FFF, JOINING}, {0x12000, 0x16FDF, OTHER},  {0x16FE0, 0x1B2FF, EAST},
    {0x1D400, 0x1D6A5, STYLED}, {0x1D6A8, 0x1D7CB, STYLED},  {0x1D7CE, 0x1D7FF, STYLED}, {0x1E800, 0x1EEFF, RTL},
    {0x1F110, 0x1F149, STYLED}, {0x1F150, 0x1F169, STYLED},  {0x1F170, 0x1F189, STYLED}, {0x20000, 0x3FFFF, EAST},
};

static const range hidden[] = {
    {0x08, 0x08, BEZ_HIDDEN_DELETION},   {0x7F, 0x7F, BEZ_HIDDEN_DELETION},
    {0xAD, 0xAD, BEZ_HIDDEN_SPACE},      {0x34F, 0x34F, BEZ_HIDDEN_SPACE},
    {0x61C, 0x61C, BEZ_HIDDEN_BIDI},     {0x115F, 0x1160, BEZ_HIDDEN_SPACE},
    {0x17B4, 0x17B5, BEZ_HIDDEN_SPACE},  {0x180B, 0x180D, BEZ_HIDDEN_VARIATION},
    {0x180E, 0x180E, BEZ_HIDDEN_SPACE},  {0x200B, 0x200B, BEZ_HIDDEN_SPACE},
    {0x200C, 0x200D, BEZ_HIDDEN_JOINER}, {0x200E, 0x200F, BEZ_HIDDEN_BIDI},
    {0x202A, 0x202E, BEZ_HIDDEN_BIDI},   {0x2060, 0x2065, BEZ_HIDDEN_SPACE},
    {0x2066, 0x2069, BEZ_HIDDEN_BIDI},   {0x206A, 0x206F, BEZ_HIDDEN_SPACE},
    {0x3164, 0x3164, BEZ_HIDDEN_SPACE},  {0xFE00, 0xFE0F, BEZ_HIDDEN_VARIATION},
    {0xFEFF, 0xFEFF, BEZ_HIDDEN_SPACE},  {0xFFA0, 0xFFA0, BEZ_HIDDEN_SPACE},
    {0xFFF9, 0xFFFB, BEZ_HIDDEN_SPACE},  {0x1D173, 0x1D17A, BEZ_HIDDEN_SPACE},
    {0xE0000, 0xE007F, BEZ_HIDDEN_TAG},  {0xE0100, 0xE01EF, BEZ_HIDDEN_VARIATION},
};

static const range emoji[] = {
    {0xA9, 0xA9, 1},       {0xAE, 0xAE, 1},       {0x203C, 0x203C, 1},   {0x2049, 0x2049, 1},   {0x20E3, 0x20E3, 1},
    {0x2122, 0x2122, 1},   {0x2139, 0x2139, 1},   {0x2190, 0x21FF, 1},   {0x2300, 0x23FF, 1},   {0x24C2, 0x24C2, 1},
    {0x25A0, 0x27BF, 1},   {0x2900, 0x297F, 1},   {0x2B00, 0x2BFF, 1},   {0x3030, 0x3030, 1},   {0x303D, 0x303D, 1},
    {0x3297, 0x3299, 1},   {0x1F000, 0x1F10F, 1}, {0x1F14A, 0x1F14F, 1}, {0x1F16A, 0x1F171, 1}, {0x1F17E, 0x1F17F, 1},
    {0x1F18A, 0x1FAFF, 1},
};

static uint8_t lookup(const range *table, size_t n, uint32_t cp) {
  size_t lo = 0, hi = n;
  while (lo < hi) {
    size_t mid = (lo + hi) / 2;
    if (cp < table[mid].first)
      hi = mid;
    else if (cp > table[mid].last)
      lo = mid + 1;
    else
      return table[mid].kind;
  }
  return 0;
}

bez_script bez_uc_script(uint32_t cp) {
  return (bez_script)lookup(scripts, COUNT(scripts), cp);
}

bez_hidden bez_uc_hidden(uint32_t cp) {
  return (bez_hidden)lookup(hidden, COUNT(hidden), cp);
}

bool bez_uc_emoji(uint32_t cp) {
  return lookup(emoji, COUNT(emoji), cp) != 0;
}

bool bez_uc_word(uint32_t cp) {
  if (cp < 0x80) return (cp >= '0' && cp <= '9') || ((cp | 32) >= 'a' && (cp | 32) <= 'z');
  if (cp >= 0x300 && cp <= 0x36F) return cp != 0x34F; /* combining marks stay with their letter */
  return bez_uc_hidden(cp) == BEZ_HIDDEN_NONE && bez_uc_script(cp) != BEZ_SCRIPT_COMMON;
}
