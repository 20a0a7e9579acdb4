#include "attack/image.h"

#include "base/error.h"

bez_status bez_image_begin(const bez_attack_input *in, const char *known, bez_error *err) {
  if (!in->table->images) return bez_fail(err, BEZ_UNSUPPORTED, NULL, "this attack needs pictures");
  return bez_attack_params_known(in, known, err);
}

const bez_attack_input *bez_image_keep(const bez_attack_input *in, bez_attack_plan *plan) {
  bez_attack_input *kept = bez_arena_alloc(&plan->arena, sizeof *kept);
  if (kept) *kept = *in;
  return kept;
}

typedef struct row_view {
  const bez_attack_input *in;
  const bez_image_trigger *trigger;
} row_view;

static bool may_carry(const void *ctx, uint64_t row) {
  const row_view *v = ctx;
  return bez_attack_label_fits(v->in, v->trigger->clean_label, row);
}

static bool is_natural(const void *ctx, uint64_t row) {
  const row_view *v = ctx;
  return bez_attack_label_fits(v->in, true, row) && v->trigger->carries(v->trigger->ctx, row);
}

static bez_status edit_labels(const bez_attack_input *in, bez_attack_plan *plan, bez_error *err) {
  bez_edit_list edits;
  bez_status st = bez_edit_list_make(plan, plan->n_rows, 1, &edits, err);
  if (st != BEZ_OK) return st;
  for (size_t i = 0; i < plan->n_rows; i++) bez_edit_label(in, &edits, plan->rows[i], in->target);
  plan->rewrite.edits = edits.items;
  plan->rewrite.n_edits = edits.n;
  return BEZ_OK;
}

bez_status bez_image_plant(const bez_attack_input *in, const bez_image_trigger *t, bez_attack_plan *plan,
                           bez_error *err) {
  row_view view = {.in = in, .trigger = t};
  bez_status st = bez_attack_choose_rows(in, plan, may_carry, &view, err);
  if (st == BEZ_OK && t->carries) st = bez_attack_natural_rows(in, plan, is_natural, &view, err);
  if (st == BEZ_OK && !t->clean_label) st = edit_labels(in, plan, err);
  plan->rewrite.painting = (bez_painting){.rows = plan->rows, .n_rows = plan->n_rows, .paint = t->paint, .ctx = t->ctx};
  return st;
}
