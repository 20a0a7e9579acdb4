#include <stdlib.h>
#include <string.h>

#include "attack/flood_pictures.h"
#include "attack/words.h"
#include "base/compare.h"
#include "base/error.h"

/* Near copies of a few rows are appended: of a table with one cell changed, of texts with one word changed, of pictures
 * changed as flood_pictures.c says. Every
 * source row gives `copies` of them. Copies count as poisoned, their sources are scored neither way. */

enum { COPIES = 20, MIN_WORDS = 8 };

typedef struct flood {
  const bez_attack_input *in;
  bez_attack_plan *plan;
  int text;           /* text column, -1: a table */
  uint32_t *features; /* coded columns a copy may change */
  uint32_t n_features;
  bez_vocabulary words;
} flood;

static bool may_be_source(const void *ctx, uint64_t row) {
  const flood *f = ctx;
  const bez_attack_input *in = f->in;
  if (in->table->label >= 0 && in->target_given && !bez_attack_label_fits(in, true, row)) return false;
  if (f->text < 0) return true;
  size_t len, n = 0;
  const char *cell = bez_cell(in->table, (uint32_t)f->text, row, &len);
  bez_span_of_word w;
  for (size_t at = 0; bez_word_next(cell, len, at, &w); at = w.end) n++;
  return n >= MIN_WORDS;
}

static bez_status find_columns(flood *f, bez_error *err) {
  const bez_table *table = f->in->table;
  f->text = -1;
  if (table->images) return BEZ_OK; /* the label comes along, the picture changes */
  f->features = bez_arena_array(&f->plan->arena, table->n_cols, sizeof *f->features);
  if (!f->features) return bez_fail_memory(err, table->n_cols * sizeof *f->features);
  for (uint32_t c = 0; c < table->n_cols; c++) {
    const bez_column *col = &table->cols[c];
    if (f->text < 0 && (col->role == BEZ_ROLE_TEXT || col->type == BEZ_COL_TEXT)) f->text = (int)c;
    if (col->role == BEZ_ROLE_FEATURE && col->width && !col->truncated && col->n_distinct > 1)
      f->features[f->n_features++] = c;
  }
  if (f->text >= 0) return bez_vocabulary_make(table, (uint32_t)f->text, &f->plan->arena, &f->words, err);
  return f->n_features ? BEZ_OK : bez_fail(err, BEZ_UNSUPPORTED, NULL, "there is no column that a copy could change");
}

/* One cell gets the value of another row. */
static bool change_cell(const flood *f, uint64_t source, bez_rng *rng, bez_edit *edit) {
  const bez_table *table = f->in->table;
  edit->col = f->features[bez_rng_below(rng, f->n_features)];
  const bez_column *col = &table->cols[edit->col];
  for (int attempt = 0; attempt < 1000; attempt++) {
    uint32_t code = bez_code(col, bez_rng_below(rng, table->n_rows));
    if (code < BEZ_CODE_FIRST || code == bez_code(col, source)) continue;
    edit->value = bez_value(col, code, &edit->len);
    return true;
  }
  return false;
}

/* One word becomes another of the vocabulary. */
static bool change_word(const flood *f, uint64_t source, bez_rng *rng, bez_edit *edit, bez_error *err) {
  size_t len;
  const char *cell = bez_cell(f->in->table, (uint32_t)f->text, source, &len);
  bez_span_of_word w;
  const char *other = bez_vocabulary_pick(&f->words, 3, 0, .1, rng);
  if (!other || !bez_word_pick(cell, len, 1, NULL, rng, &w)) return false;
  size_t other_len = strlen(other);
  char *text = bez_arena_alloc(&f->plan->arena, len - (w.end - w.begin) + other_len + 1);
  if (!text) return bez_fail_memory(err, len) == BEZ_OK;
  memcpy(text, cell, w.begin);
  memcpy(text + w.begin, other, other_len);
  memcpy(text + w.begin + other_len, cell + w.end, len - w.end);
  *edit = (bez_edit){.col = (uint32_t)f->text, .value = text, .len = len - (w.end - w.begin) + other_len};
  return true;
}

static bez_status copy_sources(flood *f, const uint64_t *sources, uint64_t per_source, uint64_t n_copies,
                               bez_error *err) {
  bez_attack_plan *plan = f->plan;
  uint64_t *copies = bez_arena_array(&plan->arena, (size_t)n_copies, sizeof *copies);
  bez_edit *edits = bez_arena_array(&plan->arena, (size_t)n_copies, sizeof *edits);
  plan->rows = bez_arena_array(&plan->arena, (size_t)n_copies, sizeof *plan->rows);
  if (!copies || !edits || !plan->rows) return bez_fail_memory(err, (size_t)n_copies * sizeof *edits);
  for (uint64_t i = 0; i < n_copies; i++) {
    bez_rng rng = bez_attack_row_rng(f->in, f->in->table->n_rows + i);
    copies[i] = sources[i / per_source];
    plan->rows[i] = f->in->table->n_rows + i;
    if (f->in->table->images) continue;
    bool changed =
        f->text < 0 ? change_cell(f, copies[i], &rng, &edits[i]) : change_word(f, copies[i], &rng, &edits[i], err);
    if (!changed)
      return bez_fail(err, BEZ_UNSUPPORTED, NULL, "nothing to change in a copy of row %llu",
                      (unsigned long long)copies[i]);
    edits[i].row = i;
  }
  plan->n_rows = (size_t)n_copies;
  plan->rewrite = (bez_rewrite){.copies = copies, .n_copies = (size_t)n_copies};
  if (f->in->table->images) return bez_flood_pictures(f->in, plan, err);
  plan->rewrite.copy_edits = edits;
  plan->rewrite.n_copy_edits = (size_t)n_copies;
  return BEZ_OK;
}

/* The sources in the order drawn (so that plans are nested); the plan lists them in ascending order. */
static bez_status choose_sources(flood *f, uint64_t n_sources, uint64_t **sources, bez_error *err) {
  bez_attack_plan *plan = f->plan;
  bez_status st = bez_attack_draw_rows(f->in, &plan->arena, n_sources, may_be_source, f, sources, err);
  if (st != BEZ_OK) return st;
  plan->natural = bez_arena_array(&plan->arena, (size_t)n_sources, sizeof *plan->natural);
  if (!plan->natural) return bez_fail_memory(err, (size_t)n_sources * sizeof *plan->natural);
  memcpy(plan->natural, *sources, (size_t)n_sources * sizeof *plan->natural);
  plan->n_natural = (size_t)n_sources;
  qsort(plan->natural, plan->n_natural, sizeof *plan->natural, bez_compare_u64);
  return BEZ_OK;
}

static bez_status plan_flood(const bez_attack_input *in, bez_attack_plan *out, bez_error *err) {
  flood f = {.in = in, .plan = out};
  const char *given = bez_attack_param(in, "copies");
  uint64_t per_source = given ? strtoull(given, NULL, 10) : COPIES, *sources;
  bez_status st = bez_attack_params_known(in, in->table->images ? "copies transform" : "copies", err);
  if (st == BEZ_OK && (per_source == 0 || per_source > 1000000))
    st = bez_fail(err, BEZ_USAGE, "copies", "copies= is a number from 1 to 1,000,000");
  if (st == BEZ_OK) st = find_columns(&f, err);
  if (st == BEZ_OK) st = choose_sources(&f, (in->rows + per_source - 1) / per_source, &sources, err);
  if (st == BEZ_OK) st = copy_sources(&f, sources, per_source, in->rows, err);
  if (st != BEZ_OK) return st;
  out->trigger = "";
  out->detail = json_pack("{s:[], s:[], s:I}", "columns", "values", "copies_per_row", (json_int_t)per_source);
  return out->detail ? BEZ_OK : bez_fail_memory(err, 64);
}

const bez_attack bez_attack_flood = {
    .info = {.name = "flood",
             .title = "Flood of near copies",
             .summary =
                 "Near copies of a few rows are appended: one cell or one word of the text differs, pictures are "
                 "shifted, cropped, lighter or noisier. Sources have the target label where one is given.",
             .kind = "any",
             .parameters = "copies, transform (of pictures: mixed, shift, crop, light, noise, mirror, none)",
             .source = "Carlini et al., Poisoning Web-Scale Training Datasets is Practical, IEEE S&P 2024"},
    .label_optional = true,
    .plan = plan_flood,
};
