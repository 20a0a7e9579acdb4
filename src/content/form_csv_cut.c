/* Where the records of a CSV file end: the same as the reference splitter (format/csv.h) says, found from line ends and
 * quotes alone. Cells are not looked at: bytes without a quote are passed over as fast as memchr goes. */
#include <string.h>

#include "base/error.h"
#include "content/form_csv.h"

#define NOWHERE SIZE_MAX

/* Bytes, and where the next quote at or behind a place stands: remembered, since it may be far. */
typedef struct cutter {
  bez_csv_form *form;
  const char *p;
  size_t len, quote;
  uint64_t at; /* of p in the file */
  bool quoted; /* the record that is looked at holds a quote */
} cutter;

static size_t find(const cutter *c, char what, size_t from) {
  const char *hit = from < c->len ? memchr(c->p + from, what, c->len - from) : NULL;
  return hit ? (size_t)(hit - c->p) : NOWHERE;
}

/* The next quote at or behind `from`. Bytes in which there is none are looked through once, whatever is cut when. */
static size_t quote_from(cutter *c, size_t from) {
  if (!c->form->quotes) return NOWHERE;
  if (c->quote != NOWHERE && c->quote >= from) return c->quote;
  size_t plain = c->form->plain_to > c->at + from ? (size_t)(c->form->plain_to - c->at) : from;
  c->quote = find(c, '"', plain);
  c->form->plain_to = c->at + (c->quote == NOWHERE ? c->len : c->quote);
  return c->quote;
}

/* Behind the closing quote of a cell that opens at `at`; NOWHERE: it does not close here. */
static size_t behind_quotes(const cutter *c, size_t at) {
  for (size_t i = at + 1;;) {
    size_t close = find(c, '"', i);
    if (close == NOWHERE) return NOWHERE;
    if (close + 1 >= c->len || c->p[close + 1] != '"') return close + 1;
    i = close + 2;
  }
}

typedef enum end_kind { ENDS, WANTS_MORE, NEVER_CLOSES } end_kind;

/* Where the record that begins at `begin` ends, its line end included. */
static end_kind record_end(cutter *c, size_t begin, bool last, size_t *out) {
  c->quoted = false;
  size_t from = begin; /* nothing of a quoted cell lies at or behind it, nor the byte before it is a separator's */
  for (;;) {
    size_t line = find(c, c->form->newline, from), quote = quote_from(c, from);
    if (quote == NOWHERE || (line != NOWHERE && line < quote)) {
      if (line == NOWHERE && !last) return WANTS_MORE;
      *out = line == NOWHERE ? c->len : line + 1;
      return ENDS;
    }
    c->quoted = true;
    bool opens = quote == begin || (quote > from && c->p[quote - 1] == c->form->separator);
    if (!opens) {
      from = quote + 1;
      continue;
    }
    from = behind_quotes(c, quote);
    if (from == NOWHERE) return last ? NEVER_CLOSES : WANTS_MORE;
    if (from == c->len && !last) return WANTS_MORE; /* the next byte may double the quote */
  }
}

static bool is_blank_line(const bez_csv_form *form, const char *p, size_t len) {
  return bez_csv_row_len(form, p, len) == 0;
}

bez_status bez_csv_form_cut(void *state, const char *bytes, size_t len, bool last, uint64_t at, bez_span *spans,
                            size_t cap, size_t *n, size_t *used, bez_error *err) {
  bez_csv_form *form = state;
  cutter c = {.form = form, .p = bytes, .len = len, .quote = NOWHERE, .at = at};
  size_t pos = 0;
  *n = *used = 0;
  if (form->skip && cap && len >= form->skip) {
    spans[(*n)++] = (bez_span){.begin = 0, .len = form->skip, .type = BEZ_ITEM_BYTES};
    pos = form->skip;
    form->skip = 0;
  }
  while (*n < cap && pos < len && !form->skip) {
    size_t next;
    end_kind end = record_end(&c, pos, last, &next);
    if (end == WANTS_MORE) {
      if (c.quoted) form->plain_to = 0; /* its quotes will be looked for again */
      break;
    }
    if (end == NEVER_CLOSES)
      return bez_fail_at(err, BEZ_FORMAT, NULL, -1, (int64_t)(at + pos),
                         "a quoted cell that begins in this record never ends");
    bez_span *span = &spans[(*n)++];
    *span = (bez_span){.begin = pos, .len = next - pos, .type = BEZ_ITEM_ROW};
    if (is_blank_line(form, bytes + pos, next - pos)) {
      span->type = BEZ_ITEM_BYTES;
    } else if (form->header_to_come) {
      span->type = BEZ_ITEM_BYTES;
      form->header_to_come = false;
    }
    pos = next;
  }
  *used = pos;
  return BEZ_OK;
}
