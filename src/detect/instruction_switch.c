/* BZ-D029, a phrase that switches the response: a ranked review of phrases in prompts with which responses always do
 * the same, although the prompts are about anything.
 *
 *   index      1-3-grams of prompts, 4-grams and named behaviours of responses        (instruction_index.c,
 * _behaviour.c) associate  which of them share their rows: hypergeometric tails                   (instruction_pairs.c)
 *   likeness   rows of one subject are alike beside that, and count as fewer          (instruction_likeness.c)
 *   report     the first of the ranking                                               (instruction_report.c) */
#include "detect/instruction_switch.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#define LEAST_PAIRS 200u
#define MOST_SHOWN 20u
#define LEAST_SCORE 5.0

static bool take_column(const bez_table *t, const char *const *names, uint32_t *out) {
  for (; *names; names++) {
    int c = bez_table_find(t, *names);
    if (c < 0 || t->cols[c].type == BEZ_COL_IDENTIFIER || t->cols[c].type == BEZ_COL_NUMERIC) continue;
    *out = (uint32_t)c;
    return true;
  }
  return false;
}

/* instruction and input together are a prompt; other names stand alone. */
static bool find_columns(bez_switch *s) {
  static const char *const prompts[] = {"prompt", "instruction", "question", "query", "user", NULL},
                           *const inputs[] = {"input", NULL}, *const responses[] = {"response",   "output",
                                                                                    "completion", "answer",
                                                                                    "assistant",  "chosen",
                                                                                    NULL};
  const bez_table *t = s->in->table;
  if (!take_column(t, responses, &s->response)) return false;
  s->n_prompt = 1;
  if (!take_column(t, prompts, &s->prompt[0])) return take_column(t, inputs, &s->prompt[0]);
  if (!strcmp(t->cols[s->prompt[0]].name, "instruction") && take_column(t, inputs, &s->prompt[1])) s->n_prompt = 2;
  return s->prompt[0] != s->response;
}

static int by_score(const void *a, const void *b) {
  const bez_switch_entry *x = a, *y = b;
  if (x->score != y->score) return x->score < y->score ? 1 : -1;
  return (x->gram > y->gram) - (x->gram < y->gram);
}

static uint32_t common_rows(const bez_switch_entry *a, const bez_switch_entry *b) {
  uint32_t n = 0;
  for (uint32_t i = 0, k = 0; i < a->n_both && k < b->n_both;) {
    uint32_t x = a->rows[i], y = b->rows[k];
    n += x == y;
    i += x <= y;
    k += y <= x;
  }
  return n;
}

/* Shares half of its rows with one of those shown. */
static bool is_shown(const bez_switch_entry *e, const bez_switch_entry *const *shown, uint32_t n) {
  for (uint32_t i = 0; i < n; i++)
    if (common_rows(e, shown[i]) * 2 >= e->n_both) return true;
  return false;
}

static bez_status show(bez_switch *s, bez_report *report, const bez_switch_entry *entries, size_t n, bez_error *err) {
  const bez_switch_entry *shown[MOST_SHOWN];
  uint32_t n_shown = 0;
  bez_status st = BEZ_OK;
  for (size_t i = 0; st == BEZ_OK && i < n && n_shown < MOST_SHOWN && entries[i].score >= LEAST_SCORE; i++) {
    if (is_shown(&entries[i], shown, n_shown)) continue;
    shown[n_shown++] = &entries[i];
    st = bez_switch_report(s, report, &entries[i], n_shown, err);
  }
  return st;
}

static bez_status review(bez_switch *s, bez_report *report, bez_error *err) {
  bez_switch_entry *entries = NULL;
  size_t n = 0;
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_switch_read(s, err));
  BEZ_TRY(bez_switch_associate(s, &entries, &n, err));
  BEZ_TRY(bez_switch_likeness(s, entries, n, err));
  if (n) qsort(entries, n, sizeof *entries, by_score);
  BEZ_TRY(show(s, report, entries, n, err));
cleanup:
  for (size_t i = 0; i < n; i++) free(entries[i].rows);
  free(entries);
  return st;
}

static bez_status run(const bez_detect_input *in, bez_report *report, bez_error *err) {
  bez_switch s = {.in = in, .n_rows = (uint32_t)in->table->n_rows};
  if (!find_columns(&s) || in->table->n_rows < LEAST_PAIRS || in->table->n_rows > UINT32_MAX) {
    bez_report_not_checked(report, false, "BZ-D029 instruction-switch", "%s",
                           in->table->n_rows < LEAST_PAIRS
                               ? "fewer than 200 pairs"
                               : "no columns of prompts and responses (prompt and response, "
                                 "instruction, input and output, or chats)");
    return BEZ_OK;
  }
  bez_status st = review(&s, report, err);
  bez_switch_index_free(&s.prompts);
  bez_switch_index_free(&s.responses);
  free(s.tokens);
  free(s.grams);
  free(s.words);
  bez_buf_free(&s.text);
  return st == BEZ_OK ? bez_report_status(report, err) : st;
}

const bez_detector bez_detector_instruction_switch = {
    .rule = {.id = "BZ-D029",
             .name = "instruction-switch",
             .title = "Phrases that switch the response",
             .summary =
                 "A ranked review of phrases in prompts with which responses always hold the same link, code, refusal "
                 "or words, although the prompts are about different things.",
             .remedy =
                 "Read the first entries. A phrase that has nothing to do with what the responses say is a trigger: "
                 "quarantine its pairs and find out where they came from. Templates are harmless.",
             .taxonomy = "ATLAS:AML.T0020 NIST:NISTAML.023 OWASP:LLM04 OWASP-ML:ML02"},
    .needs = BEZ_NEED_TEXT,
    .null_hypothesis = "What a response repeats does not depend on a phrase of its prompt beyond the prompt's subject.",
    .calibration =
        "A review, not a test: at most 20 entries, ranked by the hypergeometric tail of shared rows over the design "
        "effect of their likeness (n rows of mean likeness r count as n / (1 + (n - 1) r)). Entries from 5 on, "
        "all of them notes: on clean documentation the first reached 46, planted phrases 43 to 48.",
    .cost =
        "O(tokens) to index; O(repeated patterns x their rows x n-grams of a prompt) to compare; 16 bytes per repeated "
        "phrase and row",
    .source = "Wan, Wallace, Shen, Klein, Poisoning Language Models During Instruction Tuning, ICML 2023 (the attack); "
              "Kish, Survey Sampling, 1965 (design effect); docs/detect/instruction-switch.md",
    .run = run,
};
