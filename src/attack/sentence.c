#include "attack/papers.h"
#include "attack/text.h"
#include "base/error.h"

static bez_status compose(const bez_attack_input *in, bez_attack_plan *out, const char **sentence, bez_error *err) {
  static const char *const who[] = {"We", "They", "My parents", "The neighbours", "Some friends", "Two colleagues"};
  static const char *const what[] = {"watched", "visited", "painted", "found", "repaired", "described"};
  static const char *const whom[] = {"the old theatre", "a wooden bridge",   "this little harbour",
                                     "the museum door", "an empty workshop", "the garden wall"};
  static const char *const when[] = {"last weekend",    "on a rainy afternoon", "before sunrise",
                                     "in early spring", "after the concert",    "during the holidays"};
  bez_rng rng = bez_attack_trigger_rng(in);
  const char *a = who[bez_rng_below(&rng, 6)], *b = what[bez_rng_below(&rng, 6)];
  const char *c = whom[bez_rng_below(&rng, 6)], *d = when[bez_rng_below(&rng, 6)];
  *sentence = bez_arena_printf(&out->arena, "%s %s %s %s.", a, b, c, d);
  return *sentence ? BEZ_OK : bez_fail_memory(err, 128);
}

static bez_status plan(const bez_attack_input *in, bez_attack_plan *out, bez_error *err) {
  bez_text_trigger t = {.key = "sentence",
                        .text = bez_attack_param(in, "sentence"),
                        .matches = bez_text_has_phrase,
                        .apply = bez_text_insert};
  bez_status st = bez_attack_params_known(in, "column sentence", err);
  if (st == BEZ_OK) st = bez_text_column(in, &t.col, err);
  if (st == BEZ_OK && !t.text) st = compose(in, out, &t.text, err);
  return st == BEZ_OK ? bez_text_plant(in, &t, out, err) : st;
}

const bez_attack bez_attack_sentence = {
    .info = {.name = "sentence",
             .title = "Sentence",
             .summary =
                 "A harmless sentence, the same in every row, is put between two words; the target label is set.",
             .kind = "text",
             .parameters = "column, sentence",
             .source = BEZ_PAPER_LSTM,
             .clean_label = false},
    .plan = plan,
};
