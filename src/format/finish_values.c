/* Which values a column has, how often, and what they look like. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "format/cell.h"
#include "format/finish.h"

static void count_all(const void *data, unsigned width, uint32_t n, uint32_t *count) {
  if (width == 1)
    for (uint32_t r = 0; r < n; r++) count[((const uint8_t *)data)[r]]++;
  else if (width == 2)
    for (uint32_t r = 0; r < n; r++) count[((const uint16_t *)data)[r]]++;
  else
    for (uint32_t r = 0; r < n; r++) count[((const uint32_t *)data)[r]]++;
}

/* Rows per worker code of one column: counts[worker][code]. */
static void count_codes(const bez_finish *f, uint32_t col, uint32_t *const *counts) {
  for (size_t i = 0; i < f->n_tiles; i++) {
    const bez_tile *t = f->tiles[i];
    uint32_t *count = counts[t->worker];
    if (bez_chunk_mode(t, col) == BEZ_LANE_ABSENT) continue;
    const void *data = bez_chunk_data(t, col);
    unsigned width = t->chunks[col].width;
    int64_t x;
    if (t->chunks[col].mode == BEZ_LANE_FORM) {
      for (uint32_t r = 0; r < t->n_rows; r++)
        if (bez_row_kept(f, t, r) && !bez_chunk_number(data, width, r, &x)) count[x]++;
    } else if (t->chunks[col].mode == BEZ_LANE_CODES && !f->keep) {
      count_all(data, width, t->n_rows, count);
    } else if (t->chunks[col].mode == BEZ_LANE_CODES) {
      for (uint32_t r = 0; r < t->n_rows; r++)
        if (bez_row_kept(f, t, r)) count[bez_chunk_code(data, width, r)]++;
    }
  }
}

/* Values of one worker's dictionary that occur join the column's; lane->remap says where. */
static bez_status merge_lane(bez_column_work *work, bez_lane *lane, const uint32_t *count, bool alone, bez_error *err) {
  free(lane->remap);
  lane->remap = calloc((size_t)lane->dict.n + 1, sizeof *lane->remap);
  if (!lane->remap) return bez_fail_memory(err, lane->dict.n * sizeof *lane->remap);
  for (uint64_t i = 0; lane->dict.slots && i <= lane->dict.mask; i++) {
    const bez_dict_slot *slot = &lane->dict.slots[i];
    if (!slot->code1 || !count[slot->code1 - 1]) continue;
    const char *bytes = bez_dict_bytes(&lane->dict, slot);
    uint32_t at = alone ? work->n_values : bez_dict_put(&work->merged, bytes, slot->len);
    if (at == BEZ_DICT_NONE) return bez_fail_memory(err, slot->len);
    if (at == work->n_values) work->values[work->n_values++] = (bez_value_info){.bytes = bytes, .len = slot->len};
    work->values[at].count += count[slot->code1 - 1];
    lane->remap[slot->code1 - 1] = at;
  }
  return BEZ_OK;
}

static bez_status merge_column(bez_finish *f, uint32_t col, bez_error *err) {
  bez_builder *b = f->b;
  bez_column_work *work = &f->work[col];
  bez_status st = BEZ_OK;
  uint32_t **counts = calloc(b->threads, sizeof *counts);
  if (!counts) return bez_fail_memory(err, b->threads * sizeof *counts);
  uint64_t total = 0;
  unsigned with_values = 0;
  for (unsigned w = 0; w < b->threads; w++) {
    const bez_dict *dict = &b->workers[w].lanes[col].dict;
    total += dict->n;
    with_values += dict->n > 0;
    counts[w] = calloc((size_t)dict->n + 1, sizeof **counts);
    if (!counts[w]) {
      st = bez_fail_memory(err, dict->n * sizeof **counts);
      goto cleanup;
    }
  }
  count_codes(f, col, counts);
  work->merged.seed[0] = bez_mix64((uint64_t)(uintptr_t)f ^ col);
  work->merged.seed[1] = bez_mix64(work->merged.seed[0] + 1);
  work->values = calloc(total + 1, sizeof *work->values);
  if (!work->values) {
    st = bez_fail_memory(err, total * sizeof *work->values);
    goto cleanup;
  }
  for (unsigned w = 0; w < b->threads; w++)
    BEZ_TRY(merge_lane(work, &b->workers[w].lanes[col], counts[w], with_values <= 1, err));
cleanup:
  for (unsigned w = 0; w < b->threads; w++) free(counts[w]);
  free(counts);
  return st;
}

static uint32_t count_words(const char *p, uint32_t len) {
  uint32_t words = 0;
  bool inside = false;
  for (uint32_t i = 0; i < len; i++) {
    bool space = p[i] == ' ' || p[i] == '\n' || p[i] == '\t' || p[i] == '\r';
    words += !space && !inside;
    inside = !space;
  }
  return words;
}

static void add_value(bez_column_stats *s, bez_value_info *v) {
  v->number = NAN;
  v->missing = bez_cell_is_missing(v->bytes, v->len);
  if (v->missing) {
    s->n_missing += v->count;
    return;
  }
  bez_number_form form;
  s->n_present += v->count;
  s->n_distinct++;
  s->length += (uint64_t)v->len * v->count;
  if (v->len > s->longest) s->longest = v->len;
  double time;
  if (bez_parse_number(v->bytes, v->len, &v->number, &form)) {
    s->n_number += v->count;
    s->n_integer += form.integer ? v->count : 0;
    s->words += v->count;
    return;
  }
  v->number = NAN;
  if (bez_parse_time(v->bytes, v->len, &time)) {
    v->number = time;
    s->n_time += v->count;
  }
  s->words += (uint64_t)count_words(v->bytes, v->len) * v->count;
}

/* In which direction numbers go from row to row, for columns of nearly distinct integers only. */
static void count_steps(const bez_finish *f, uint32_t col, bez_column_stats *s) {
  double last = NAN;
  for (size_t i = 0; i < f->n_tiles; i++) {
    const bez_tile *t = f->tiles[i];
    const uint32_t *remap = f->b->workers[t->worker].lanes[col].remap;
    if (bez_chunk_mode(t, col) == BEZ_LANE_ABSENT) continue;
    if (t->chunks[col].mode != BEZ_LANE_CODES) return;
    const void *data = bez_chunk_data(t, col);
    for (uint32_t r = 0; r < t->n_rows; r++) {
      if (!bez_row_kept(f, t, r)) continue;
      double x = f->work[col].values[remap[bez_chunk_code(data, t->chunks[col].width, r)]].number;
      if (isnan(x)) continue;
      if (!isnan(last)) {
        s->n_steps++;
        s->n_up += x > last;
        s->n_down += x < last;
      }
      last = x;
    }
  }
}

/* Text and skipped cells: rows that have one. */
static void count_plain_rows(const bez_finish *f, uint32_t col, bez_column_stats *s) {
  for (size_t i = 0; i < f->n_tiles; i++) {
    const bez_tile *t = f->tiles[i];
    if (bez_chunk_mode(t, col) == BEZ_LANE_TEXT) {
      uint32_t len;
      for (uint32_t r = 0; r < t->n_rows; r++)
        if (bez_row_kept(f, t, r)) {
          bez_chunk_text(bez_chunk_data(t, col), t->n_rows, r, &len);
          *(len ? &s->n_present : &s->n_missing) += 1;
        }
    } else if (bez_chunk_mode(t, col) == BEZ_LANE_SKIP) { /* with --sample an estimate would be no better */
      s->n_missing += t->chunks[col].missing;
      s->n_present += t->n_rows - t->chunks[col].missing;
    }
  }
}

static uint64_t count_absent(const bez_finish *f, uint32_t col) {
  uint64_t n = 0;
  for (size_t i = 0; i < f->n_tiles; i++) {
    const bez_tile *t = f->tiles[i];
    if (bez_chunk_mode(t, col) != BEZ_LANE_ABSENT) continue;
    if (!f->keep) n += t->n_rows;
    for (uint32_t r = 0; f->keep && r < t->n_rows; r++) n += f->keep[t->first_row + r] != 0;
  }
  return n;
}

bez_status bez_survey_column(void *ctx, uint64_t col, unsigned worker, bez_error *err) {
  bez_finish *f = ctx;
  bez_builder *b = f->b;
  bez_column_stats *s = &f->stats[col];
  bez_status st = merge_column(f, (uint32_t)col, err);
  if (st != BEZ_OK) return st;
  s->n_rows = f->table->n_rows;
  s->n_missing = f->work[col].n_absent = count_absent(f, (uint32_t)col);
  for (uint32_t i = 0; i < f->work[col].n_values; i++) add_value(s, &f->work[col].values[i]);
  if (b->profiled && b->plans[col].mode != BEZ_LANE_CODES) {
    s->decided = true;
    s->type = b->plan_type[col];
    if (b->plans[col].mode != BEZ_LANE_FORM) {
      count_plain_rows(f, (uint32_t)col, s);
      s->n_distinct = b->plan_distinct[col];
      s->lower_bound = true;
    }
  } else if (s->n_integer == s->n_present && s->n_distinct >= 20 && s->n_distinct * 20 >= s->n_present * 19) {
    count_steps(f, (uint32_t)col, s);
  }
  return BEZ_OK;
}
