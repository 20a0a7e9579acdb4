/* BZ-D005, character tricks: characters that readers do not see, or take for others, in texts and in the values of
 * categorical columns. A trigger made of them is invisible to review and unmistakable to a tokenizer.
 *
 * character_scan.c judges one text; here the hits are counted per kind (and per code point where that tells more) and
 * weighed: rows whose labels are skewed, or words broken on purpose in a few rows, are errors; the rest is a warning,
 * and a lone stray character a note. Plain ASCII is skipped by a vector scan over the column's bytes. */
#include "detect/character_tricks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/threads.h"
#include "detect/cells.h"
#include "detect/detector.h"
#include "math/bytescan.h"

#define TILE_ROWS 8192u
#define HITS_PER_TEXT 32u
#define MAX_MARKS (1u << 22) /* over all tiles */

typedef struct tile_marks {
  bez_mark *marks;
  size_t n, cap;
  bool full;
} tile_marks;

typedef struct sweep {
  const bez_column *col;
  uint64_t n_rows;
  uint32_t cpu;
  size_t tile_cap;
  tile_marks *tiles;
} sweep;

static bez_status push(tile_marks *t, bez_mark mark, size_t ceiling, bez_error *err) {
  if (t->n >= ceiling) {
    t->full = true;
    return BEZ_OK;
  }
  if (t->n == t->cap) {
    size_t cap = t->cap ? t->cap * 2 : 64;
    bez_mark *grown = realloc(t->marks, cap * sizeof *grown);
    if (!grown) return bez_fail_memory(err, cap * sizeof *grown);
    t->marks = grown;
    t->cap = cap;
  }
  t->marks[t->n++] = mark;
  return BEZ_OK;
}

uint32_t bez_mark_key(const bez_trick_hit *hit) {
  bool by_character = hit->trick == BEZ_TRICK_INVISIBLE || hit->trick == BEZ_TRICK_BIDI;
  return by_character ? hit->cp : 0;
}

/* One mark per kind and key in a row; a later hit can only add that it stands inside a word. */
static bez_status mark_row(tile_marks *t, uint64_t row, const char *text, size_t len, size_t ceiling, bez_error *err) {
  bez_trick_hit hits[HITS_PER_TEXT];
  size_t n = bez_character_scan(text, len, hits, HITS_PER_TEXT);
  size_t first = t->n;
  for (size_t i = 0; i < n && i < HITS_PER_TEXT; i++) {
    uint32_t key = bez_mark_key(&hits[i]);
    bez_mark *same = NULL;
    for (size_t j = first; j < t->n && !same; j++)
      if (t->marks[j].trick == hits[i].trick && t->marks[j].key == key) same = &t->marks[j];
    if (same) {
      same->inside |= hits[i].inside;
      continue;
    }
    bez_mark mark = {.row = row, .trick = hits[i].trick, .key = key, .cp = hits[i].cp, .inside = hits[i].inside};
    bez_status st = push(t, mark, ceiling, err);
    if (st != BEZ_OK) return st;
  }
  return BEZ_OK;
}

/* Jumps from odd byte to odd byte over the tile's text, which lies in one piece. */
static bez_status sweep_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  sweep *s = ctx;
  const bez_column *col = s->col;
  uint64_t row = tile * TILE_ROWS, last = row + TILE_ROWS < s->n_rows ? row + TILE_ROWS : s->n_rows;
  uint64_t at = col->text_at[row], end = col->text_at[last];
  while (at < end) {
    at += bez_scan_plain_ascii(col->text_bytes + at, (size_t)(end - at), s->cpu);
    if (at >= end) break;
    while (col->text_at[row + 1] <= at) row++;
    size_t len;
    const char *text = bez_text_cell(col, row, &len);
    bez_status st = mark_row(&s->tiles[tile], row, text, len, s->tile_cap, err);
    if (st != BEZ_OK) return st;
    at = col->text_at[++row];
  }
  return BEZ_OK;
}

static bez_status gather(sweep *s, uint64_t n_tiles, bez_mark **out, size_t *n_out, bool *full, bez_error *err) {
  size_t n = 0;
  for (uint64_t t = 0; t < n_tiles; t++) {
    n += s->tiles[t].n;
    *full |= s->tiles[t].full;
  }
  *n_out = n;
  *out = NULL;
  if (!n) return BEZ_OK;
  *out = malloc(n * sizeof **out);
  if (!*out) return bez_fail_memory(err, n * sizeof **out);
  size_t at = 0;
  for (uint64_t t = 0; t < n_tiles; t++) {
    if (s->tiles[t].n) memcpy(*out + at, s->tiles[t].marks, s->tiles[t].n * sizeof **out);
    at += s->tiles[t].n;
  }
  return BEZ_OK;
}

static bez_status text_column(const bez_detect_input *in, bez_report *report, uint32_t c, bez_error *err) {
  bez_status st = BEZ_OK;
  uint64_t n_tiles = (in->table->n_rows + TILE_ROWS - 1) / TILE_ROWS;
  sweep s = {.col = &in->table->cols[c], .n_rows = in->table->n_rows, .cpu = in->cpu};
  bez_mark *marks = NULL;
  size_t n = 0;
  bool full = false;
  if (!n_tiles || !s.col->text_at) return BEZ_OK;
  s.tile_cap = MAX_MARKS / n_tiles > 256 ? MAX_MARKS / n_tiles : 256;
  s.tiles = calloc(n_tiles, sizeof *s.tiles);
  if (!s.tiles) return bez_fail_memory(err, n_tiles * sizeof *s.tiles);
  bez_watch watch = bez_detect_watch(in, "character tricks", "tiles");
  BEZ_TRY(bez_parallel_watched(n_tiles, in->threads, &watch, sweep_tile, &s, err));
  BEZ_TRY(gather(&s, n_tiles, &marks, &n, &full, err));
  if (full)
    bez_report_not_checked(report, false, "BZ-D005 character tricks",
                           "more odd rows in \"%s\" than are kept: the rest is not listed", s.col->name);
  BEZ_TRY(bez_tricks_report_texts(in, report, c, marks, n, err));
cleanup:
  for (uint64_t t = 0; t < n_tiles; t++) free(s.tiles[t].marks);
  free(s.tiles);
  free(marks);
  return st;
}

static bez_status run(const bez_detect_input *in, bez_report *report, bez_error *err) {
  for (uint32_t i = 0; i < in->n_texts; i++) {
    if (in->progress && !in->progress(in->progress_ctx, "character tricks", "columns", i, in->n_texts))
      return BEZ_CANCELLED;
    bez_status st = text_column(in, report, in->texts[i], err);
    if (st != BEZ_OK) return st;
  }
  for (uint32_t i = 0; i < in->n_features; i++) {
    if (in->progress && !in->progress(in->progress_ctx, "character tricks", "columns", i, in->n_features))
      return BEZ_CANCELLED;
    if (in->table->cols[in->features[i]].type != BEZ_COL_CATEGORICAL) continue;
    bez_status st = bez_tricks_values(in, report, in->features[i], err);
    if (st != BEZ_OK) return st;
  }
  return bez_report_status(report, err);
}

const bez_detector bez_detector_character_tricks = {
    .rule = {.id = "BZ-D005",
             .name = "character-tricks",
             .title = "Characters that readers do not see or mistake",
             .summary = "Invisible, direction-changing, deleting and tag characters, and look-alike letters of other "
                        "scripts, in texts and in the values of categorical columns.",
             .remedy = "Look at the rows' bytes. Where the characters have no business there, quarantine the rows, and "
                       "normalise the text (strip hidden characters, map look-alikes) both in training and in use.",
             .taxonomy = "ATLAS:AML.T0020 ATLAS:AML.T0043.004 NIST:NISTAML.023 OWASP:LLM04 OWASP-ML:ML02"},
    .needs = 0,
    .null_hypothesis = "Every hidden or look-alike character is at home in the script of its text, or stands there by "
                       "accident, independent of the label.",
    .calibration = "Rows are listed by rule, not by a threshold. Severity: error where the labels are skewed "
                   "(binomial tail <= 1e-4) or words are broken in 3 rows or more but at most 6 % of all; measured on "
                   "natural text of several scripts.",
    .cost = "O(bytes) time, one vector scan over plain ASCII; O(odd rows) memory",
    .source = "Boucher, Shumailov, Anderson, Papernot, Bad Characters: Imperceptible NLP Attacks, IEEE S&P 2022; "
              "Unicode Technical Standard 39; docs/detect/character-tricks.md",
    .run = run,
};
