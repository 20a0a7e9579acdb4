/* Look-alikes of ASCII letters. Chosen by how the usual fonts draw them, narrower than the full list of Unicode
 * Technical Standard 39: a pair is here only if a reader would take one for the other inside a word. */
#include "math/unicode_class.h"

#include <stddef.h>

/* Ascending by code point. */
static const struct twin {
  uint16_t cp;
  char ascii;
} twins[] = {
    /* Latin beyond ASCII that hides as ASCII: dotless i and j, click l, script a and g, small capitals */
    {0x0131, 'i'},
    {0x01C0, 'l'},
    {0x0237, 'j'},
    {0x0251, 'a'},
    {0x0261, 'g'},
    {0x0269, 'i'},
    {0x026A, 'i'},
    {0x028B, 'u'},
    {0x028F, 'y'},
    {0x0299, 'b'},
    /* Greek */
    {0x037F, 'J'},
    {0x0391, 'A'},
    {0x0392, 'B'},
    {0x0395, 'E'},
    {0x0396, 'Z'},
    {0x0397, 'H'},
    {0x0399, 'I'},
    {0x039A, 'K'},
    {0x039C, 'M'},
    {0x039D, 'N'},
    {0x039F, 'O'},
    {0x03A1, 'P'},
    {0x03A4, 'T'},
    {0x03A5, 'Y'},
    {0x03A7, 'X'},
    {0x03B1, 'a'},
    {0x03B3, 'y'},
    {0x03B5, 'e'},
    {0x03B7, 'n'},
    {0x03B9, 'i'},
    {0x03BA, 'k'},
    {0x03BD, 'v'},
    {0x03BF, 'o'},
    {0x03C1, 'p'},
    {0x03C4, 't'},
    {0x03C5, 'u'},
    {0x03C7, 'x'},
    {0x03C9, 'w'},
    {0x03F2, 'c'},
    {0x03F3, 'j'},
    {0x03F9, 'C'},
    {0x03FA, 'M'},
    /* Cyrillic */
    {0x0405, 'S'},
    {0x0406, 'I'},
    {0x0408, 'J'},
    {0x0410, 'A'},
    {0x0412, 'B'},
    {0x0415, 'E'},
    {0x0417, '3'},
    {0x041A, 'K'},
    {0x041C, 'M'},
    {0x041D, 'H'},
    {0x041E, 'O'},
    {0x0420, 'P'},
    {0x0421, 'C'},
    {0x0422, 'T'},
    {0x0423, 'Y'},
    {0x0425, 'X'},
    {0x042C, 'b'},
    {0x0430, 'a'},
    {0x0432, 'b'},
    {0x0433, 'r'},
    {0x0435, 'e'},
    {0x0437, '3'},
    {0x043A, 'k'},
    {0x043C, 'm'},
    {0x043D, 'h'},
    {0x043E, 'o'},
    {0x043F, 'n'},
    {0x0440, 'p'},
    {0x0441, 'c'},
    {0x0442, 't'},
    {0x0443, 'y'},
    {0x0445, 'x'},
    {0x0448, 'w'},
    {0x044C, 'b'},
    {0x0455, 's'},
    {0x0456, 'i'},
    {0x0458, 'j'},
    {0x0461, 'w'},
    {0x0474, 'V'},
    {0x0475, 'v'},
    {0x04AE, 'Y'},
    {0x04AF, 'y'},
    {0x04BB, 'h'},
    {0x04BD, 'e'},
    {0x04C0, 'I'},
    {0x04CF, 'l'},
    {0x0500, 'd'},
    {0x0501, 'd'},
    {0x050C, 'G'},
    {0x050D, 'g'},
    {0x051A, 'Q'},
    {0x051B, 'q'},
    {0x051C, 'W'},
    {0x051D, 'w'},
    /* Armenian */
    {0x054D, 'U'},
    {0x054F, 'S'},
    {0x0555, 'O'},
    {0x0561, 'w'},
    {0x0563, 'q'},
    {0x0566, 'q'},
    {0x0570, 'h'},
    {0x0575, 'j'},
    {0x0578, 'n'},
    {0x057C, 'n'},
    {0x057D, 'u'},
    {0x0581, 'g'},
    {0x0582, 'i'},
    {0x0584, 'f'},
    {0x0585, 'o'},
    /* Cherokee capitals */
    {0x13A0, 'D'},
    {0x13A1, 'R'},
    {0x13A2, 'T'},
    {0x13A5, 'i'},
    {0x13A9, 'Y'},
    {0x13AA, 'A'},
    {0x13AB, 'J'},
    {0x13AC, 'E'},
    {0x13B3, 'W'},
    {0x13B7, 'M'},
    {0x13BB, 'H'},
    {0x13BD, 'Y'},
    {0x13C0, 'G'},
    {0x13C2, 'h'},
    {0x13C3, 'Z'},
    {0x13CF, 'b'},
    {0x13D2, 'R'},
    {0x13D4, 'W'},
    {0x13D5, 'S'},
    {0x13D9, 'V'},
    {0x13DA, 'S'},
    {0x13DE, 'L'},
    {0x13DF, 'C'},
    {0x13E2, 'P'},
    {0x13E6, 'K'},
    {0x13E7, 'd'},
    {0x13F3, 'G'},
    {0x13F4, 'B'},
    /* small capitals of the phonetic extensions */
    {0x1D00, 'a'},
    {0x1D04, 'c'},
    {0x1D05, 'd'},
    {0x1D07, 'e'},
    {0x1D0A, 'j'},
    {0x1D0B, 'k'},
    {0x1D0D, 'm'},
    {0x1D0F, 'o'},
    {0x1D11, 'o'},
    {0x1D18, 'p'},
    {0x1D1B, 't'},
    {0x1D1C, 'u'},
    {0x1D20, 'v'},
    {0x1D21, 'w'},
    {0x1D22, 'z'},
    /* letterlike symbols and Roman numerals */
    {0x2102, 'C'},
    {0x210A, 'g'},
    {0x210B, 'H'},
    {0x210C, 'H'},
    {0x210D, 'H'},
    {0x210E, 'h'},
    {0x2110, 'I'},
    {0x2111, 'I'},
    {0x2112, 'L'},
    {0x2113, 'l'},
    {0x2115, 'N'},
    {0x2119, 'P'},
    {0x211A, 'Q'},
    {0x211B, 'R'},
    {0x211C, 'R'},
    {0x211D, 'R'},
    {0x2124, 'Z'},
    {0x2128, 'Z'},
    {0x212A, 'K'},
    {0x212C, 'B'},
    {0x212D, 'C'},
    {0x212F, 'e'},
    {0x2130, 'E'},
    {0x2131, 'F'},
    {0x2133, 'M'},
    {0x2134, 'o'},
    {0x2145, 'D'},
    {0x2146, 'd'},
    {0x2147, 'e'},
    {0x2148, 'i'},
    {0x2149, 'j'},
    {0x2160, 'I'},
    {0x2164, 'V'},
    {0x2169, 'X'},
    {0x216C, 'L'},
    {0x216D, 'C'},
    {0x216E, 'D'},
    {0x216F, 'M'},
    {0x2170, 'i'},
    {0x2174, 'v'},
    {0x2179, 'x'},
    {0x217C, 'l'},
    {0x217D, 'c'},
    {0x217E, 'd'},
    {0x217F, 'm'},
};

/* Runs that follow the alphabet: fullwidth, circled, parenthesised, mathematical. */
static char alphabet_twin(uint32_t cp) {
  if (cp >= 0xFF10 && cp <= 0xFF19) return (char)('0' + (cp - 0xFF10));
  if (cp >= 0xFF21 && cp <= 0xFF3A) return (char)('A' + (cp - 0xFF21));
  if (cp >= 0xFF41 && cp <= 0xFF5A) return (char)('a' + (cp - 0xFF41));
  if (cp >= 0x249C && cp <= 0x24B5) return (char)('a' + (cp - 0x249C));
  if (cp >= 0x24B6 && cp <= 0x24CF) return (char)('A' + (cp - 0x24B6));
  if (cp >= 0x24D0 && cp <= 0x24E9) return (char)('a' + (cp - 0x24D0));
  if (cp >= 0x1D400 && cp <= 0x1D6A3) { /* thirteen alphabets of 26 capitals and 26 small letters */
    uint32_t at = (cp - 0x1D400) % 52;
    return (char)(at < 26 ? 'A' + at : 'a' + (at - 26));
  }
  if (cp >= 0x1D7CE && cp <= 0x1D7FF) return (char)('0' + (cp - 0x1D7CE) % 10);
  if (cp >= 0x1F110 && cp <= 0x1F129) return (char)('A' + (cp - 0x1F110));
  if (cp >= 0x1F130 && cp <= 0x1F149) return (char)('A' + (cp - 0x1F130));
  if (cp >= 0x1F150 && cp <= 0x1F169) return (char)('A' + (cp - 0x1F150));
  if (cp >= 0x1F170 && cp <= 0x1F189) return (char)('A' + (cp - 0x1F170));
  return 0;
}

char bez_uc_twin(uint32_t cp) {
  if (cp < 0x80) return (cp | 32) >= 'a' && (cp | 32) <= 'z' ? (char)cp : 0;
  char run = alphabet_twin(cp);
  if (run) return run;
  size_t lo = 0, hi = sizeof twins / sizeof *twins;
  while (lo < hi) {
    size_t mid = (lo + hi) / 2;
    if (twins[mid].cp == cp) return twins[mid].ascii;
    if (twins[mid].cp < cp)
      lo = mid + 1;
    else
      hi = mid;
  }
  return 0;
}
