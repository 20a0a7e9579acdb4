/* Values on the command line: sizes, times, numbers, and the word somebody probably meant. */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/args.h"

static bool starts_number(const char *text) {
  return isdigit((unsigned char)*text) || (*text == '.' && isdigit((unsigned char)text[1]));
}

bool bez_args_bytes(const char *text, uint64_t *out) {
  static const char units[] = "KMGT";
  char *end = NULL;
  if (!starts_number(text)) return false;
  double value = strtod(text, &end);
  if (*end) {
    const char *unit = strchr(units, toupper((unsigned char)*end));
    if (unit) {
      for (long i = 0; i <= unit - units; i++) value *= 1024;
      end++;
      if (*end == 'i') end++;
    }
    if (toupper((unsigned char)*end) == 'B') end++;
    if (*end) return false;
  }
  if (!(value >= 0) || value > 9e18) return false;
  *out = (uint64_t)value;
  return true;
}

bool bez_args_seconds(const char *text, double *out) {
  double total = 0;
  if (!starts_number(text)) return false;
  for (const char *p = text; *p;) {
    char *end = NULL;
    if (!starts_number(p)) return false;
    double value = strtod(p, &end), unit = 1;
    switch (*end) {
      case '\0':
        if (p != text) return false; /* "1h30": minutes or seconds? */
        break;
      case 's': break;
      case 'm': unit = 60; break;
      case 'h': unit = 3600; break;
      case 'd': unit = 86400; break;
      default: return false;
    }
    total += value * unit;
    p = *end ? end + 1 : end;
  }
  if (!isfinite(total)) return false;
  *out = total;
  return true;
}

/* Edit distance with swaps of neighbours (optimal string alignment), letters compared without case. */
static size_t distance(const char *a, const char *b) {
  enum { MAX = 48 };
  size_t na = strlen(a), nb = strlen(b);
  size_t row[3][MAX + 1];
  if (na > MAX || nb > MAX) return MAX;
  for (size_t j = 0; j <= nb; j++) row[0][j] = j;
  for (size_t i = 1; i <= na; i++) {
    size_t *now = row[i % 3], *last = row[(i + 2) % 3], *older = row[(i + 1) % 3];
    now[0] = i;
    for (size_t j = 1; j <= nb; j++) {
      int x = tolower((unsigned char)a[i - 1]), y = tolower((unsigned char)b[j - 1]);
      size_t best = last[j - 1] + (x != y);
      if (last[j] + 1 < best) best = last[j] + 1;
      if (now[j - 1] + 1 < best) best = now[j - 1] + 1;
      bool swapped = i > 1 && j > 1 && x == tolower((unsigned char)b[j - 2]) && y == tolower((unsigned char)a[i - 2]);
      if (swapped && older[j - 2] + 1 < best) best = older[j - 2] + 1;
      now[j] = best;
    }
  }
  return row[na % 3][nb];
}

const char *bez_nearest(const char *word, const char *const *candidates, size_t n) {
  const char *best = NULL;
  size_t allowed = strlen(word) / 3 + 1, least = allowed + 1;
  for (size_t i = 0; i < n; i++) {
    size_t d = distance(word, candidates[i]);
    bool prefix = strlen(word) >= 3 && !strncasecmp(word, candidates[i], strlen(word));
    if (prefix && d > allowed) d = allowed;
    if (d < least) least = d, best = candidates[i];
  }
  return best;
}
