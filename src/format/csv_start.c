/* Where a record begins in the middle of a CSV file. A line end is one unless it stands in a quoted cell, and whether
 * it does is known only from the quotes before it: they are followed from a known start, as the splitter would. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "format/csv_walk.h"

#define BLOCK (1u << 18)

typedef struct follower {
  const bez_csv_dialect *dialect;
  uint64_t low;
  char before;       /* the byte in front of the next one */
  bool inside;       /* of a quoted cell */
  bool may_be_close; /* the byte before was a quote inside: closes the cell unless another follows */
  bool found;
} follower;

static bool begins_cell(const bez_csv_dialect *d, char before) {
  return before == d->separator || before == d->newline;
}

/* The next byte that can matter: a quote, or behind `low` a line end. */
static size_t next_sign(const follower *f, const char *p, size_t len, size_t i, uint64_t at) {
  const char *quote = f->dialect->quotes ? memchr(p + i, '"', len - i) : NULL;
  size_t q = quote ? (size_t)(quote - p) : len;
  if (f->inside || at + q + 1 < f->low) return q;
  size_t from = at + i + 1 < f->low ? (size_t)(f->low - 1 - at) : i;
  const char *end = from < q ? memchr(p + from, f->dialect->newline, q - from) : NULL;
  return end ? (size_t)(end - p) : q;
}

/* One block at file offset `at`; *out is set when found. */
static void follow(follower *f, const char *p, size_t len, uint64_t at, uint64_t *out) {
  for (size_t i = 0; i < len; i++) {
    if (f->may_be_close) {
      f->may_be_close = false;
      if (p[i] == '"') continue; /* a doubled one */
      f->inside = false;
      f->before = '"'; /* a quote right behind the closing one opens nothing */
    }
    size_t to = next_sign(f, p, len, i, at);
    if (to > i) f->before = p[to - 1];
    if (to == len) return;
    i = to;
    if (p[i] == '"' && f->dialect->quotes) {
      if (f->inside)
        f->may_be_close = true;
      else
        f->inside = begins_cell(f->dialect, f->before);
      f->before = '"';
    } else {
      *out = at + i + 1;
      f->found = true;
      return;
    }
  }
}

bez_status bez_csv_find_start(const bez_source *source, const bez_csv_dialect *dialect, uint64_t start, uint64_t low,
                              uint64_t *out, bez_error *err) {
  follower f = {.dialect = dialect, .low = low, .before = dialect->newline};
  bez_status st = BEZ_OK;
  *out = start;
  if (low <= start) return BEZ_OK;
  *out = source->size;
  char *block = malloc(BLOCK);
  if (!block) return bez_fail_memory(err, BLOCK);
  for (uint64_t at = start; st == BEZ_OK && !f.found && at < source->size;) {
    size_t got = 0;
    st = bez_source_read(source, at, block, BLOCK, &got, err);
    if (!got) break;
    follow(&f, block, got, at, out);
    at += got;
  }
  free(block);
  return st;
}
