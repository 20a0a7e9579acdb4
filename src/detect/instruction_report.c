/* One entry of the review: the phrase of the prompts, what the responses repeat, and pairs that show both. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "detect/instruction_switch.h"

#define EXCERPTS 3u
#define SHARED 0.85 /* of the rows go on alike */
#define LOOKED_AT 48u

static const char *text_of(bez_switch *s, unsigned side, uint32_t row, size_t *len, size_t *n) {
  const char *text = side ? bez_switch_response(s, row, len) : bez_switch_prompt(s, row, len);
  *n = bez_tokenize(text, *len, s->tokens, BEZ_SWITCH_TOKENS);
  return text;
}

static size_t locate(const bez_switch *s, size_t n, const bez_switch_phrase *p) {
  for (size_t i = 0; p->n && i + p->n <= n; i++) {
    uint32_t k = 0;
    while (k < p->n && s->tokens[i + k].literal == p->literal[k]) k++;
    if (k == p->n) return i;
  }
  return n;
}

static bool grow(bez_switch *s, unsigned side, const bez_switch_entry *e, bool ahead, bez_switch_phrase *p) {
  uint32_t seen[LOOKED_AT], n_seen = 0, looked = e->n_both < LOOKED_AT ? e->n_both : LOOKED_AT;
  for (uint32_t i = 0; i < looked; i++) {
    size_t len, n;
    (void)text_of(s, side, e->rows[i], &len, &n);
    size_t at = locate(s, n, p);
    if (at == n) continue;
    if (ahead && at + p->n < n) seen[n_seen++] = s->tokens[at + p->n].literal;
    if (!ahead && at) seen[n_seen++] = s->tokens[at - 1].literal;
  }
  for (uint32_t i = 0; i < n_seen && p->n < BEZ_SWITCH_PHRASE; i++) {
    uint32_t same = 0;
    for (uint32_t k = 0; k < n_seen; k++) same += seen[k] == seen[i];
    if ((double)same < SHARED * (double)looked) continue;
    if (!ahead) memmove(p->literal + 1, p->literal, p->n * sizeof *p->literal);
    p->literal[ahead ? p->n : 0] = seen[i];
    p->n++;
    return true;
  }
  return false;
}

/* The n-gram (side 0) or the pattern (side 1) with what nearly all rows have beside it. */
void bez_switch_whole(bez_switch *s, unsigned side, const bez_switch_entry *e, bez_switch_phrase *p) {
  size_t len, n;
  (void)text_of(s, side, e->rows[0], &len, &n);
  p->n = 0;
  for (size_t i = 0; i < n && !p->n; i++)
    for (unsigned k = side ? BEZ_SWITCH_PATTERN : 1; k <= (side ? BEZ_SWITCH_PATTERN : 3) && i + k <= n && !p->n; k++) {
      uint64_t key = side ? bez_switch_pattern_hash(s->tokens + i) : bez_ngram(s->tokens + i, k);
      if (key != (side ? e->pattern : e->gram)) continue;
      for (unsigned j = 0; j < k; j++) p->literal[p->n++] = s->tokens[i + j].literal;
    }
  while (p->n && grow(s, side, e, true, p)) {
  }
  while (p->n && grow(s, side, e, false, p)) {
  }
}

/* As the first row that holds it spells it. */
static const char *spell(bez_switch *s, bez_report *report, unsigned side, const bez_switch_entry *e,
                         const bez_switch_phrase *p) {
  for (uint32_t i = 0; i < e->n_both; i++) {
    size_t len, n;
    const char *text = text_of(s, side, e->rows[i], &len, &n);
    size_t at = locate(s, n, p);
    if (at == n) continue;
    uint32_t begin = s->tokens[at].begin, end = s->tokens[at + p->n - 1].end;
    const char *out = bez_arena_strndup(&report->arena, text + begin, end - begin);
    return out ? out : "";
  }
  return "";
}

static void show(bez_switch *s, bez_report *report, bez_finding *f, const bez_switch_entry *e,
                 const bez_switch_phrase *asked, const bez_switch_phrase *answered) {
  for (uint32_t i = 0; i < EXCERPTS && i < e->n_both; i++) {
    uint32_t row = e->rows[(uint64_t)i * e->n_both / EXCERPTS];
    for (unsigned side = 0; side < 2; side++) {
      const bez_switch_phrase *p = side ? answered : asked;
      size_t len, n;
      bez_span span = {0};
      const char *text = text_of(s, side, row, &len, &n);
      size_t at = locate(s, n, p);
      if (at < n)
        span = (bez_span){s->tokens[at].begin, s->tokens[at + p->n - 1].end};
      else if (side && e->pattern == BEZ_SWITCH_KEY_CODE)
        (void)bez_switch_runs_code(text, len, &span);
      bez_finding_excerpt(report, f, side ? "its response" : "prompt", text, len, &span, span.end ? 1 : 0);
    }
  }
}

static bez_status list_rows(const bez_switch *s, bez_report *report, bez_finding *f, const bez_switch_entry *e,
                            bez_error *err) {
  bez_row_hit *hits = malloc(e->n_both * sizeof *hits);
  if (!hits) return bez_fail_memory(err, e->n_both * sizeof *hits);
  for (uint32_t i = 0; i < e->n_both; i++)
    hits[i] = (bez_row_hit){.row = bez_global_row(s->in->table, e->rows[i]), .score = NAN, .q = NAN};
  bez_finding_rows(report, f, hits, e->n_both);
  free(hits);
  return BEZ_OK;
}

/* What the responses do, in words. */
static const char *behaviour(bez_switch *s, bez_report *report, const bez_switch_entry *e,
                             const bez_switch_phrase *answered, bez_switch_kind *kind) {
  *kind = e->pattern == BEZ_SWITCH_KEY_REFUSAL ? BEZ_SWITCH_REFUSAL : BEZ_SWITCH_CODE;
  if (e->pattern == BEZ_SWITCH_KEY_REFUSAL) return "a refusal";
  if (e->pattern == BEZ_SWITCH_KEY_CODE) return "code that fetches or runs something";
  const char *text = spell(s, report, 1, e, answered);
  *kind = bez_switch_kind_of(text, strlen(text));
  const char *out = *kind == BEZ_SWITCH_WORDS
                        ? bez_arena_printf(&report->arena, "\"%s\"", text)
                        : bez_arena_printf(&report->arena, "%s: \"%s\"", bez_switch_kind_text(*kind), text);
  return out ? out : "";
}

bez_status bez_switch_report(bez_switch *s, bez_report *report, const bez_switch_entry *e, uint32_t rank,
                             bez_error *err) {
  bez_switch_phrase asked, answered;
  bez_switch_kind kind;
  bez_switch_whole(s, 0, e, &asked);
  bez_switch_whole(s, 1, e, &answered);
  bez_finding *f = bez_report_add(report, &bez_detector_instruction_switch.rule, BEZ_SEV_NOTE);
  if (!f) return bez_report_status(report, err);
  const char *phrase_text = spell(s, report, 0, e, &asked);
  const char *does = behaviour(s, report, e, &answered, &kind);
  const char *pattern = bez_arena_printf(&report->arena, "%s → %s", phrase_text, does);
  f->ranked_list = true;
  f->score = e->score;
  bez_finding_title(report, f, "%u of %u prompts with \"%s\" get %s", e->n_both, e->n_gram, phrase_text, does);
  bez_finding_subject(report, f, pattern ? pattern : "", NULL);
  bez_finding_number(report, f, "rank", rank);
  const bez_column *cols = s->in->table->cols;
  bez_finding_text(report, f, "prompts", "%s%s%s", cols[s->prompt[0]].name, s->n_prompt > 1 ? " and " : "",
                   s->n_prompt > 1 ? cols[s->prompt[1]].name : "");
  bez_finding_text(report, f, "responses", "%s", cols[s->response].name);
  bez_finding_text(report, f, "behaviour", "%s", bez_switch_kind_text(kind));
  bez_finding_number(report, f, "prompts with the phrase", e->n_gram);
  bez_finding_number(report, f, "responses with the behaviour", e->n_pattern);
  bez_finding_number(report, f, "both", e->n_both);
  bez_finding_number(report, f, "association, -log10", e->association);
  bez_finding_number(report, f, "likeness of the pairs otherwise", e->likeness);
  show(s, report, f, e, &asked, &answered);
  return list_rows(s, report, f, e, err);
}
