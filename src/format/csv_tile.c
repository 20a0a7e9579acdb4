/* One tile of CSV: load, find its first record, scan, cut rows into cells, push them in blocks. */
#include "format/csv_tile.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "format/csv_walk.h"

#define PIECE 65536u           /* bytes scanned before their rows are pushed: marks stay in the caches */
#define SLACK 65536u           /* bytes loaded behind the tile for its last record */
#define GUESS_REACH (8u << 20) /* a guessed start whose record is longer is given up */
#define BLOCK_CELLS 4096u      /* cells pushed at a time */
#define BUF_PAD 128u           /* readable bytes behind the content: the scan's and the dictionary's */

void bez_csv_hand_free(bez_csv_hand *h) {
  free(h->buf);
  free(h->at);
  free(h->row_end);
  free(h->spans);
  bez_csv_record_free(&h->record);
  free(h->cells);
  free(h->lens);
  free(h->scratch);
  *h = (bez_csv_hand){0};
}

static bez_status grow(void *items, size_t bytes, bez_error *err) {
  void *grown = realloc(*(void **)items, bytes);
  if (!grown) return bez_fail_memory(err, bytes);
  *(void **)items = grown;
  return BEZ_OK;
}

/* Makes buf hold the file's bytes from offset up to `to` (less at the end of the file). What is there stays. */
static bez_status load(const bez_csv_plan *plan, bez_csv_hand *h, uint64_t to, bez_error *err) {
  if (to > plan->source->size) to = plan->source->size;
  size_t want = (size_t)(to - h->offset), got;
  if (want <= h->len) return BEZ_OK;
  if (want + BUF_PAD > h->cap) {
    size_t cap = want + want / 2 + BUF_PAD;
    bez_status st = grow(&h->buf, cap, err);
    if (st != BEZ_OK) return st;
    h->cap = cap;
  }
  bez_status st = bez_source_read(plan->source, h->offset + h->len, h->buf + h->len, want - h->len, &got, err);
  if (st != BEZ_OK) return st;
  h->len += got;
  memset(h->buf + h->len, 0, BUF_PAD);
  if (h->offset + h->len == plan->source->size) /* a line end that the last record may lack */
    h->buf[h->len] = plan->dialect.newline;
  return BEZ_OK;
}

static bez_status make_room(const bez_csv_plan *plan, bez_csv_hand *h, uint32_t marks, bez_error *err) {
  bez_status st = BEZ_OK;
  size_t need = (size_t)marks + PIECE + 2 * BEZ_CSV_SCAN_PAD;
  if (need > h->cap_marks) {
    st = grow(&h->at, need * 2 * sizeof *h->at, err);
    if (st == BEZ_OK) st = grow(&h->row_end, need * 2 * sizeof *h->row_end, err);
    if (st == BEZ_OK) h->cap_marks = need * 2;
  }
  if (st == BEZ_OK && !h->spans) {
    uint32_t rows = BLOCK_CELLS / plan->dialect.n_cols;
    h->block_rows = rows < 1 ? 1 : rows > 256 ? 256 : rows;
    st = grow(&h->spans, (size_t)h->block_rows * plan->dialect.n_cols * sizeof *h->spans, err);
  }
  return st;
}

static void note(bez_csv_tile *out, bez_csv_oddity kind, uint64_t count, uint64_t at) {
  bez_csv_odd *odd = &out->odd[kind];
  if (count && !odd->count) odd->at = at;
  odd->count += count;
}

/* A reading in progress. Positions are relative to hand->buf. */
typedef struct reading {
  const bez_csv_plan *plan;
  bez_csv_hand *hand;
  bez_csv_tile *out;
  bez_tile *tile;
  uint32_t high;      /* rows that begin here or later are not ours */
  uint32_t row_start; /* of the next row */
  uint32_t n_block;   /* rows in spans */
  uint64_t n_crlf;
  bool changed; /* bytes were moved in place */
  bool by_hand; /* the splitter must read this tile */
  bool done;
} reading;

static bez_status flush_block(reading *r, bez_error *err) {
  bez_status st = BEZ_OK;
  if (r->n_block) st = bez_tile_spans(r->tile, r->hand->buf, r->hand->spans, r->n_block, err);
  r->out->n_rows += r->n_block;
  r->n_block = 0;
  return st;
}

/* Takes the quotes off a cell, in place; false where the splitter must decide. */
static bool strip_quotes(char *buf, bez_cell_span *span, bool *changed) {
  if (!span->len || buf[span->begin] != '"') return true;
  if (span->len < 2 || buf[span->begin + span->len - 1] != '"') return false;
  char *p = buf + span->begin + 1, *first;
  uint32_t len = span->len - 2;
  span->begin++;
  span->len = len;
  if (!len || !(first = memchr(p, '"', len))) return true;
  uint32_t n = (uint32_t)(first - p), i = n;
  for (; i < len; i++) {
    p[n++] = p[i];
    if (p[i] == '"' && (++i == len || p[i] != '"')) return false;
  }
  memset(p + n, '"', len - n);
  *changed = true;
  span->len = n;
  return true;
}

static bool cell_too_long(const bez_cell_span *span, uint32_t n) {
  for (uint32_t c = 0; c < n; c++)
    if (span[c].len > BEZ_MAX_CELL) return true;
  return false;
}

/* The cells of the row whose marks are at[0 … n): spans of n_cols cells, quotes gone. */
static bez_status cut_row(reading *r, const uint32_t *at, uint32_t n, bez_error *err) {
  bez_csv_hand *h = r->hand;
  uint32_t n_cols = r->plan->dialect.n_cols, begin = r->row_start, kept = n < n_cols ? n : n_cols;
  bez_cell_span *span = h->spans + (size_t)r->n_block * n_cols;
  uint32_t stop = at[n - 1];
  bool crlf = stop > begin && h->buf[stop - 1] == '\r' && r->plan->dialect.newline == '\n';
  r->n_crlf += crlf;
  if (n == 1 && stop - crlf == begin) {
    note(r->out, BEZ_CSV_BLANK, 1, h->offset + begin);
    return BEZ_OK;
  }
  for (uint32_t c = 0; c < kept; c++) {
    span[c] = (bez_cell_span){.begin = begin, .len = at[c] - begin};
    begin = at[c] + 1;
  }
  if (kept == n && span[n - 1].len) span[n - 1].len -= crlf;
  if (n != n_cols) {
    if (n > BEZ_MAX_COLUMNS) {
      r->by_hand = true; /* the splitter names line and limit */
      return BEZ_OK;
    }
    note(r->out, BEZ_CSV_RAGGED, 1, h->offset + r->row_start);
    for (uint32_t c = kept; c < n_cols; c++) span[c] = (bez_cell_span){.begin = r->row_start};
  }
  if (stop - r->row_start > BEZ_MAX_CELL && cell_too_long(span, n_cols)) {
    r->by_hand = true;
    return BEZ_OK;
  }
  return ++r->n_block == h->block_rows ? flush_block(r, err) : BEZ_OK;
}

/* Cells behind the last column are not kept, but a stray quote in one is remarked all the same. */
static bool surplus_is_odd(const char *buf, const uint32_t *at, uint32_t n, uint32_t n_cols) {
  for (uint32_t c = n_cols; c < n; c++) {
    uint32_t begin = at[c - 1] + 1, end = at[c];
    if (c == n - 1 && end > begin && buf[end - 1] == '\r') end--;
    if (end > begin && buf[begin] == '"' && (end - begin < 2 || buf[end - 1] != '"')) return true;
  }
  return false;
}

/* Quotes of the row just cut. A row that filled the block has been pushed already, so this runs before cutting. */
static bez_status cut_quoted_row(reading *r, const uint32_t *at, uint32_t n, bez_error *err) {
  uint32_t before = r->n_block, n_cols = r->plan->dialect.n_cols;
  r->hand->block_rows++; /* keep cut_row from pushing */
  bez_status st = cut_row(r, at, n, err);
  r->hand->block_rows--;
  if (st != BEZ_OK || r->n_block == before) return st;
  bez_cell_span *span = r->hand->spans + (size_t)before * n_cols;
  r->by_hand |= surplus_is_odd(r->hand->buf, at, n, n_cols);
  for (uint32_t c = 0; c < n_cols; c++)
    if (!strip_quotes(r->hand->buf, &span[c], &r->changed)) r->by_hand = true;
  return r->n_block == r->hand->block_rows ? flush_block(r, err) : BEZ_OK;
}

/* Pushes the complete rows among the marks and moves the rest to the front. */
static bez_status take_rows(reading *r, bez_csv_marks *m, bez_error *err) {
  uint32_t first = 0, k = 0;
  bool quoted = (m->odd & BEZ_CSV_ODD_QUOTE) != 0;
  for (; k < m->n_rows && !r->by_hand; k++) {
    uint32_t last = m->row_end[k], n = last - first + 1;
    bez_status st = quoted ? cut_quoted_row(r, m->at + first, n, err) : cut_row(r, m->at + first, n, err);
    if (st != BEZ_OK) return st;
    r->row_start = m->at[last] + 1;
    first = last + 1;
    if (r->row_start >= r->high) {
      r->done = true;
      break;
    }
  }
  m->n_at -= first;
  memmove(m->at, m->at + first, m->n_at * sizeof *m->at);
  m->n_rows = 0;
  return BEZ_OK;
}

static void content_error(bez_csv_tile *out, const bez_error *error) {
  out->failed = true;
  out->error = *error;
}

/* More bytes for a record that goes on; false: there are none, or too many. */
static bez_status reach_further(reading *r, bool guessed, bool *more, bez_error *err) {
  bez_csv_hand *h = r->hand;
  const bez_source *source = r->plan->source;
  uint64_t have = h->len - r->row_start, reach = guessed ? GUESS_REACH : BEZ_MAX_RECORD;
  bez_error error = {.line = -1, .offset = -1};
  *more = false;
  if (h->offset + h->len == source->size) {
    bez_csv_split_error(BEZ_CSV_OPEN, source->path, -1, h->offset + r->row_start, &error);
  } else if (have > reach) {
    bez_csv_split_error(BEZ_CSV_MORE, source->path, -1, h->offset + r->row_start, &error);
  } else {
    *more = true;
    return load(r->plan, h, h->offset + h->len + (have < SLACK ? SLACK : have), err);
  }
  content_error(r->out, &error);
  return BEZ_OK;
}

static bez_status scan_rows(reading *r, bool guessed, bez_csv_marks *m, bez_error *err) {
  bez_csv_hand *h = r->hand;
  uint32_t at = r->row_start;
  bez_status st = BEZ_OK;
  while (st == BEZ_OK && !r->done && !r->by_hand && !r->out->failed) {
    bool at_end = h->offset + h->len == r->plan->source->size;
    uint32_t limit = (uint32_t)h->len;
    if (at_end && (h->len == 0 || h->buf[h->len - 1] != r->plan->dialect.newline)) limit++;
    if (at >= limit) {
      if (at_end && r->row_start >= h->len) break; /* nothing is left */
      bool more;
      st = reach_further(r, guessed, &more, err);
      continue;
    }
    uint32_t to = limit - at < PIECE ? limit : at + PIECE;
    st = make_room(r->plan, h, m->n_at, err);
    if (st != BEZ_OK) break;
    m->at = h->at;
    m->row_end = h->row_end;
    r->plan->scan(h->buf, at, to, &r->plan->dialect, m);
    at = to;
    r->by_hand |= m->bad_quote != 0;
    if (!r->by_hand) st = take_rows(r, m, err);
  }
  if (st == BEZ_OK && !r->by_hand && !r->out->failed) st = flush_block(r, err);
  return st;
}

static void look_for_odd_bytes(reading *r, const bez_csv_marks *m, uint32_t from, uint32_t to) {
  const char *buf = r->hand->buf;
  uint64_t base = r->hand->offset;
  if (to > r->hand->len) to = (uint32_t)r->hand->len;
  if (m->odd & BEZ_CSV_ODD_NUL)
    for (uint32_t i = from; i < to; i++)
      if (!buf[i]) note(r->out, BEZ_CSV_NUL, 1, base + i);
  if ((m->odd & BEZ_CSV_ODD_HIGH) && !bez_utf8_valid(buf + from, to - from))
    for (uint32_t i = from; i < to;) {
      uint32_t cp;
      bool ok = true;
      size_t used = bez_utf8_decode(buf + i, to - i, &cp, &ok);
      if (!ok) note(r->out, BEZ_CSV_NOT_UTF8, 1, base + i);
      i += (uint32_t)used;
    }
  if (m->n_cr > r->n_crlf && r->plan->dialect.newline == '\n')
    for (uint32_t i = from; i + 1 < to; i++)
      if (buf[i] == '\r' && buf[i + 1] != '\n') note(r->out, BEZ_CSV_LONE_CR, 1, base + i);
}

static bez_status read_fast(reading *r, bool guessed, bez_error *err) {
  bez_csv_marks m = {.prev_ok = 1};
  uint32_t from = r->row_start;
  bez_status st = scan_rows(r, guessed, &m, err);
  if (st != BEZ_OK || r->by_hand || r->out->failed) return st;
  bool odd = (m.odd & (BEZ_CSV_ODD_HIGH | BEZ_CSV_ODD_NUL)) || m.n_cr > r->n_crlf;
  if (odd && r->changed) { /* places are told as the file has them */
    size_t len = r->hand->len;
    r->hand->len = 0;
    st = load(r->plan, r->hand, r->hand->offset + len, err);
  }
  if (st == BEZ_OK && odd) look_for_odd_bytes(r, &m, from, r->row_start);
  return st;
}

/* One record through the reference splitter. */
static bez_status push_record(reading *r, size_t used, bez_error *err) {
  bez_csv_hand *h = r->hand;
  const bez_csv_record *record = &h->record;
  bez_status st = BEZ_OK;
  if (!h->cells) {
    st = grow(&h->cells, BEZ_MAX_COLUMNS * sizeof *h->cells, err);
    if (st == BEZ_OK) st = grow(&h->lens, BEZ_MAX_COLUMNS * sizeof *h->lens, err);
  }
  if (st == BEZ_OK && used > h->cap_scratch) {
    st = grow(&h->scratch, used * 2, err);
    if (st == BEZ_OK) h->cap_scratch = used * 2;
  }
  if (st != BEZ_OK) return st;
  char *scratch = h->scratch;
  for (uint32_t c = 0; c < record->n; c++) {
    const bez_csv_cell *cell = &record->cells[c];
    if (cell->len > BEZ_MAX_CELL) {
      bez_error error = {.line = -1, .offset = -1};
      (void)bez_fail_at(&error, BEZ_LIMIT, r->plan->source->path, -1, (int64_t)(h->offset + r->row_start),
                        "a cell of more than %u bytes", BEZ_MAX_CELL);
      content_error(r->out, &error);
      return BEZ_OK;
    }
    h->cells[c] = cell->begin;
    h->lens[c] = cell->len;
    if (cell->escaped) {
      h->cells[c] = scratch;
      h->lens[c] = bez_csv_unescape(cell, scratch);
      scratch += h->lens[c];
    }
  }
  if (record->n != r->plan->dialect.n_cols) note(r->out, BEZ_CSV_RAGGED, 1, h->offset + r->row_start);
  note(r->out, BEZ_CSV_STRAY_QUOTE, record->bad_quote, h->offset + r->row_start);
  r->out->n_rows++;
  return bez_tile_row(r->tile, h->cells, h->lens, record->n, err);
}

static bez_status read_by_hand(reading *r, bool guessed, bez_error *err) {
  bez_csv_hand *h = r->hand;
  bez_csv_marks m = {.odd = BEZ_CSV_ODD_NUL | BEZ_CSV_ODD_HIGH, .n_cr = UINT64_MAX};
  uint32_t from = r->row_start;
  bez_status st = BEZ_OK;
  while (st == BEZ_OK && r->row_start < r->high && !r->out->failed) {
    bool last = h->offset + h->len == r->plan->source->size, more;
    size_t used = 0;
    bez_csv_split_result got = BEZ_CSV_MORE;
    if (r->row_start < h->len)
      got = bez_csv_split(&r->plan->dialect, h->buf + r->row_start, h->len - r->row_start, last, &h->record, &used);
    else if (last)
      break;
    if (got == BEZ_CSV_NO_MEMORY) return bez_fail_memory(err, 0);
    if (got == BEZ_CSV_MORE || got == BEZ_CSV_OPEN) {
      st = reach_further(r, guessed, &more, err);
    } else if (got == BEZ_CSV_TOO_WIDE) {
      bez_error error = {.line = -1, .offset = -1};
      bez_csv_split_error(got, r->plan->source->path, -1, h->offset + r->row_start, &error);
      content_error(r->out, &error);
    } else {
      if (h->record.n)
        st = push_record(r, used, err);
      else
        note(r->out, BEZ_CSV_BLANK, 1, h->offset + r->row_start);
      r->row_start += (uint32_t)used;
    }
  }
  if (st == BEZ_OK && !r->out->failed) look_for_odd_bytes(r, &m, from, r->row_start);
  return st;
}

/* The first place behind a line end at or after low where a record of the usual width begins; the first line end at
 * all if none does within a few tries. */
static bez_status guess_start(const bez_csv_plan *plan, bez_csv_hand *h, const bez_csv_tile *out, uint64_t *start,
                              bez_error *err) {
  h->offset = out->low - 1;
  h->len = 0;
  bez_status st = load(plan, h, out->high + SLACK, err);
  if (st != BEZ_OK) return st;
  size_t span = (size_t)(out->high - h->offset), at = 0, used;
  if (span > h->len) span = h->len;
  *start = out->high;
  for (unsigned tries = 0; tries < 16; tries++) {
    const char *end = memchr(h->buf + at, plan->dialect.newline, span - at);
    if (!end) break;
    at = (size_t)(end - h->buf) + 1;
    if (tries == 0) *start = h->offset + at;
    if (!plan->dialect.quotes) break;
    bool last = h->offset + h->len == plan->source->size;
    if (bez_csv_split(&plan->dialect, h->buf + at, h->len - at, last, &h->record, &used) == BEZ_CSV_RECORD &&
        h->record.n == plan->dialect.n_cols && !h->record.bad_quote) {
      *start = h->offset + at;
      break;
    }
    if (at >= span) break;
  }
  return BEZ_OK;
}

static bez_status open_reading(const bez_csv_plan *plan, bez_csv_hand *h, uint64_t index, unsigned worker,
                               bez_csv_tile *out, reading *r, bez_error *err) {
  if (out->start < h->offset || out->start > h->offset + h->len || r->by_hand) {
    h->offset = out->start;
    h->len = 0;
  }
  *r = (reading){.plan = plan, .hand = h, .out = out, .row_start = (uint32_t)(out->start - h->offset)};
  r->high = (uint32_t)(out->high - h->offset);
  out->n_rows = 0;
  memset(out->odd, 0, sizeof out->odd);
  bez_status st = load(plan, h, out->high + SLACK, err);
  if (st == BEZ_OK) st = bez_builder_tile(plan->builder, index, worker, &r->tile, err);
  out->tile = r->tile;
  return st;
}

bez_status bez_csv_read_tile(const bez_csv_plan *plan, bez_csv_hand *h, uint64_t index, unsigned worker, uint64_t start,
                             bez_csv_tile *out, bez_error *err) {
  bool guessed = start == BEZ_CSV_GUESS;
  *out = (bez_csv_tile){.low = out->low, .high = out->high, .start = start};
  bez_status st;
  h->len = 0;
  h->offset = out->low;
  if (guessed) BEZ_TRY(guess_start(plan, h, out, &out->start, err));
  out->end = out->start;
  if (out->start >= out->high) return BEZ_OK;
  reading r = {0};
  BEZ_TRY(open_reading(plan, h, index, worker, out, &r, err));
  if (!plan->reference) BEZ_TRY(read_fast(&r, guessed, err));
  if (r.by_hand || plan->reference) {
    bez_tile_abandon(r.tile);
    r.by_hand = true; /* cells may have been changed in place: load afresh */
    BEZ_TRY(open_reading(plan, h, index, worker, out, &r, err));
    BEZ_TRY(read_by_hand(&r, guessed, err));
  }
  out->end = h->offset + r.row_start;
  if (out->end > plan->source->size) out->end = plan->source->size;
  if (out->failed || out->n_rows == 0) {
    bez_tile_abandon(r.tile);
    out->tile = NULL;
  } else {
    st = bez_tile_end(r.tile, err);
  }
cleanup:
  return st;
}
