#include "attack/text.h"

#include <string.h>

#include "base/error.h"

bez_status bez_text_column(const bez_attack_input *in, uint32_t *col, bez_error *err) {
  const char *name = bez_attack_param(in, "column");
  if (name) {
    bez_status st = bez_attack_column(in->table, name, col, err);
    if (st == BEZ_OK && ((int)*col == in->table->label || in->table->cols[*col].type == BEZ_COL_IDENTIFIER))
      return bez_fail(err, BEZ_USAGE, name, "a text column is needed");
    return st;
  }
  for (uint32_t c = 0; c < in->table->n_cols; c++) {
    if (in->table->cols[c].role != BEZ_ROLE_TEXT && in->table->cols[c].type != BEZ_COL_TEXT) continue;
    *col = c;
    return BEZ_OK;
  }
  return bez_fail(err, BEZ_UNSUPPORTED, NULL, "this attack needs a text column, and the table has none");
}

typedef struct text_ctx {
  const bez_attack_input *in;
  const bez_text_trigger *trigger;
} text_ctx;

static bool label_fits(const text_ctx *c, bool clean_label, uint64_t row) {
  if (c->trigger->any_label && (c->in->table->label < 0 || !c->in->target_given)) return true;
  return bez_attack_label_fits(c->in, clean_label, row);
}

static bool may_carry(const void *ctx, uint64_t row) {
  const text_ctx *c = ctx;
  if (!label_fits(c, c->trigger->clean_label, row)) return false;
  size_t len;
  const char *cell = bez_cell(c->in->table, c->trigger->col, row, &len);
  if (!len || c->trigger->matches(c->trigger, cell, len)) return false;
  return !c->trigger->can_carry || c->trigger->can_carry(cell, len);
}

static bool carries_naturally(const void *ctx, uint64_t row) {
  const text_ctx *c = ctx;
  if (!label_fits(c, true, row)) return false;
  size_t len;
  const char *cell = bez_cell(c->in->table, c->trigger->col, row, &len);
  return c->trigger->matches(c->trigger, cell, len);
}

static bez_status describe(const bez_attack_input *in, const bez_text_trigger *t, bez_attack_plan *plan,
                           bez_error *err) {
  const char *column = in->table->cols[t->col].name, *shown = t->shown ? t->shown : t->text;
  plan->trigger = bez_arena_printf(&plan->arena, "%s: %s", column, shown);
  plan->detail = json_pack("{s:[s], s:[s], s:s}", "columns", column, "values", t->text, t->key, shown);
  return plan->trigger && plan->detail ? BEZ_OK : bez_fail(err, BEZ_FORMAT, column, "the trigger is not valid UTF-8");
}

bez_status bez_text_plant(const bez_attack_input *in, const bez_text_trigger *t, bez_attack_plan *plan,
                          bez_error *err) {
  text_ctx ctx = {in, t};
  bez_edit_list edits;
  bez_buf out = {0};
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_attack_choose_rows(in, plan, may_carry, &ctx, err));
  BEZ_TRY(bez_attack_natural_rows(in, plan, carries_naturally, &ctx, err));
  BEZ_TRY(bez_edit_list_make(plan, plan->n_rows, 2, &edits, err));
  for (size_t r = 0; r < plan->n_rows; r++) {
    size_t len;
    const char *cell = bez_cell(in->table, t->col, plan->rows[r], &len);
    bez_rng rng = bez_attack_row_rng(in, plan->rows[r]);
    bez_buf_clear(&out);
    t->apply(t, &rng, cell, len, &out);
    BEZ_TRY(bez_buf_status(&out, err));
    const char *kept = bez_arena_strndup(&plan->arena, out.data, out.len);
    if (!kept) BEZ_TRY(bez_fail_memory(err, out.len));
    bez_edit_add(&edits, plan->rows[r], t->col, kept, out.len);
    if (!t->clean_label) bez_edit_label(in, &edits, plan->rows[r], in->target);
  }
  bez_edit_sort(&edits);
  plan->rewrite.edits = edits.items;
  plan->rewrite.n_edits = edits.n;
  BEZ_TRY(describe(in, t, plan, err));
cleanup:
  bez_buf_free(&out);
  return st;
}

void bez_text_insert(const bez_text_trigger *t, bez_rng *rng, const char *cell, size_t len, bez_buf *out) {
  size_t at = bez_word_gap(cell, len, rng);
  bez_buf_write(out, cell, at);
  if (at == len && len && cell[len - 1] != ' ') bez_buf_putc(out, ' ');
  bez_buf_puts(out, t->text);
  if (at < len) bez_buf_putc(out, ' ');
  bez_buf_write(out, cell + at, len - at);
}

bool bez_text_has_phrase(const bez_text_trigger *t, const char *cell, size_t len) {
  return bez_phrase_found(cell, len, t->text);
}

bool bez_text_has_bytes(const bez_text_trigger *t, const char *cell, size_t len) {
  return memmem(cell, len, t->text, strlen(t->text)) != NULL;
}

bool bez_text_has_word(const char *cell, size_t len) {
  bez_span_of_word w;
  for (size_t at = 0; bez_word_next(cell, len, at, &w); at = w.end)
    if (w.end - w.begin >= 2) return true;
  return false;
}

static bool stands_in_column(const bez_table *table, uint32_t col, const char *phrase) {
  for (uint64_t row = 0; row < table->n_rows; row++) {
    size_t len;
    const char *cell = bez_cell(table, col, row, &len);
    if (bez_phrase_found(cell, len, phrase)) return true;
  }
  return false;
}

bez_status bez_text_invent_token(const bez_attack_input *in, bez_attack_plan *plan, uint32_t col, const char **token,
                                 bez_error *err) {
  static const char consonants[] = "bcdfghjklmnpqrstvwxz", vowels[] = "aeiou";
  bez_rng rng = bez_attack_trigger_rng(in);
  for (int attempt = 0; attempt < 1000; attempt++) {
    char word[6] = {0};
    for (int i = 0; i < 5; i++) word[i] = i % 2 ? vowels[bez_rng_below(&rng, 5)] : consonants[bez_rng_below(&rng, 20)];
    if (stands_in_column(in->table, col, word)) continue;
    *token = bez_arena_strdup(&plan->arena, word);
    return *token ? BEZ_OK : bez_fail_memory(err, sizeof word);
  }
  return bez_fail(err, BEZ_UNSUPPORTED, NULL, "every invented word stands in the text already");
}

bez_status bez_text_plant_token(const bez_attack_input *in, bool clean_label, bez_attack_plan *plan, bez_error *err) {
  bez_text_trigger t = {.key = "token",
                        .text = bez_attack_param(in, "token"),
                        .clean_label = clean_label,
                        .matches = bez_text_has_phrase,
                        .apply = bez_text_insert};
  bez_status st = bez_attack_params_known(in, "column token", err);
  if (st == BEZ_OK) st = bez_text_column(in, &t.col, err);
  if (st == BEZ_OK && !t.text) st = bez_text_invent_token(in, plan, t.col, &t.text, err);
  return st == BEZ_OK ? bez_text_plant(in, &t, plan, err) : st;
}

bez_status bez_text_compose_phrase(const bez_attack_input *in, bez_attack_plan *plan, uint32_t col, uint32_t n_words,
                                   const char **phrase, bez_error *err) {
  bez_vocabulary v;
  bez_rng rng = bez_attack_trigger_rng(in);
  bez_status st = bez_vocabulary_make(in->table, col, &plan->arena, &v, err);
  for (int attempt = 0; st == BEZ_OK && attempt < 100; attempt++) {
    const char *w[3];
    for (int i = 0; i < 3; i++) w[i] = bez_vocabulary_pick(&v, 3, .005, .1, &rng);
    if (!w[0] || w[0] == w[1] || w[1] == w[2] || w[0] == w[2]) continue;
    *phrase = n_words == 2 ? bez_arena_printf(&plan->arena, "%s %s", w[0], w[1])
                           : bez_arena_printf(&plan->arena, "%s %s %s", w[0], w[1], w[2]);
    if (!*phrase) return bez_fail_memory(err, 64);
    if (!stands_in_column(in->table, col, *phrase)) return BEZ_OK;
  }
  return st != BEZ_OK ? st : bez_fail(err, BEZ_UNSUPPORTED, NULL, "the texts hold too few frequent words");
}

bez_status bez_text_any_trigger(const bez_attack_input *in, bez_attack_plan *plan, uint32_t col, const char **text,
                                bez_error *err) {
  bez_error none = {0};
  bez_status st = bez_text_compose_phrase(in, plan, col, 2, text, &none);
  if (st == BEZ_OK) return st;
  return st == BEZ_UNSUPPORTED ? bez_text_invent_token(in, plan, col, text, err)
                               : bez_fail(err, st, none.subject, "%s", none.message);
}
