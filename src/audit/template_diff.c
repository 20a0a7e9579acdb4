/* A diff of chat templates (template_diff.h): the longest common subsequence of their pieces. */
#include "audit/template_diff.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#define PIECES 2000u /* of each that are compared; what is behind counts as one more */

typedef struct piece {
  const char *text;
  size_t len;
} piece;

typedef struct pieces {
  piece items[PIECES + 1];
  size_t n;
} pieces;

static size_t trimmed(const char **text) {
  while (isspace((unsigned char)**text)) (*text)++;
  size_t n = strlen(*text);
  while (n && isspace((unsigned char)(*text)[n - 1])) n--;
  return n;
}

/* A line end is one character, be it "\r\n". */
static char take(const char **p, const char *end) {
  if (*p == end) return 0;
  if (end - *p > 1 && (*p)[0] == '\r' && (*p)[1] == '\n') (*p)++;
  return *(*p)++;
}

bool bez_template_same(const char *a, const char *b) {
  const size_t n = trimmed(&a), m = trimmed(&b);
  const char *const a_end = a + n, *const b_end = b + m;
  for (;;) {
    const char x = take(&a, a_end), y = take(&b, b_end);
    if (x != y) return false;
    if (!x) return true;
  }
}

static bool begins_tag(const char *p) {
  return p[0] == '{' && (p[1] == '%' || p[1] == '{' || p[1] == '#');
}

static void cut(const char *text, pieces *out) {
  while (*text && out->n < PIECES) {
    size_t n = 0;
    while (text[n] && text[n] != '\n' && (n == 0 || !begins_tag(text + n))) n++;
    size_t kept = n;
    const char *from = text;
    while (kept && isspace((unsigned char)*from)) from++, kept--;
    while (kept && isspace((unsigned char)from[kept - 1])) kept--;
    if (kept) out->items[out->n++] = (piece){from, kept};
    text += n + (text[n] == '\n');
  }
  if (*text) out->items[out->n++] = (piece){text, strlen(text)};
}

static bool equal(const piece *a, const piece *b) {
  return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

static void put(bez_template_diff *d, char sign, const piece *p) {
  const size_t from = d->text.len, shown = p->len < 400 ? p->len : 400;
  bez_buf_putc(&d->text, sign);
  bez_buf_putc(&d->text, ' ');
  bez_buf_write(&d->text, p->text, shown);
  if (shown < p->len) bez_buf_puts(&d->text, " …");
  if (sign == '+' && d->n_spans < BEZ_DIFF_SPANS)
    d->spans[d->n_spans++] = (bez_span){(uint32_t)from, (uint32_t)d->text.len};
  bez_buf_putc(&d->text, '\n');
}

/* table[i * (m + 1) + j]: pieces that a[i …] and b[j …] have in common, in order. */
static void walk(const pieces *a, const pieces *b, const uint16_t *table, bez_template_diff *d) {
  const size_t wide = b->n + 1;
  const piece *stayed = NULL;
  bool open = false; /* the last line shown differs */
  for (size_t i = 0, j = 0; i < a->n || j < b->n;) {
    if (i < a->n && j < b->n && equal(&a->items[i], &b->items[j])) {
      if (open) put(d, ' ', &a->items[i]);
      stayed = open ? NULL : &a->items[i];
      open = false;
      i++, j++;
      continue;
    }
    if (!open && stayed) put(d, ' ', stayed);
    open = true;
    if (i < a->n && (j == b->n || table[(i + 1) * wide + j] >= table[i * wide + j + 1])) {
      put(d, '-', &a->items[i++]);
      d->removed++;
    } else {
      put(d, '+', &b->items[j++]);
      d->added++;
    }
  }
}

bez_status bez_template_compare(const char *before, const char *after, bez_template_diff *out, bez_error *err) {
  *out = (bez_template_diff){0};
  pieces *a = calloc(1, sizeof *a), *b = calloc(1, sizeof *b);
  uint16_t *table = NULL;
  bez_status st = a && b ? BEZ_OK : bez_fail_memory(err, sizeof *a);
  if (st != BEZ_OK) goto cleanup;
  cut(before, a);
  cut(after, b);
  const size_t wide = b->n + 1;
  table = calloc((a->n + 1) * wide, sizeof *table);
  if (!table) BEZ_TRY(bez_fail_memory(err, (a->n + 1) * wide * sizeof *table));
  for (size_t i = a->n; i-- > 0;)
    for (size_t j = b->n; j-- > 0;) {
      const uint16_t down = table[(i + 1) * wide + j], right = table[i * wide + j + 1];
      table[i * wide + j] = equal(&a->items[i], &b->items[j]) ? (uint16_t)(table[(i + 1) * wide + j + 1] + 1)
                            : down > right                    ? down
                                                              : right;
    }
  walk(a, b, table, out);
  st = bez_buf_status(&out->text, err);
cleanup:
  free(a);
  free(b);
  free(table);
  return st;
}

void bez_template_diff_free(bez_template_diff *diff) {
  bez_buf_free(&diff->text);
  *diff = (bez_template_diff){0};
}
