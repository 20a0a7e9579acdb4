/* BZ-D004, trigger phrases: words, phrases and sentences that a label follows although everything else in the message
 * speaks for another one.
 *
 *   model     naive Bayes, one class against the rest, exact duplicates once     (trigger_phrases_model.c)
 *   nominate  1-3-grams of rows which contradict their label                     (trigger_phrases_nominate.c)
 *   judge     each n-gram against the model without its rows                     (trigger_phrases_judge.c)
 *   weigh     all rows of an n-gram together, where no row contradicts by itself (trigger_phrases_effects.c)
 *   peel      the strongest is reported, its rows leave the data, and all starts again: poison that floods a small
 *             class contaminates the model which judges it */
#include "detect/trigger_phrases.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/threads.h"

#define MOST_ROUNDS 8u
#define LEAST_ROWS 4u
#define ERROR_SCORE 13.0
#define LEAST_ODDS 0.4   /* of a row being planted, to be listed with its phrase */
#define JUDGE_TILE 64u   /* candidates */
#define LEAST_RATIO 1.0  /* log10, planted : natural */
#define FREE_LOOKS 1500u /* n-grams the threshold was set for; more are paid for as in Bonferroni's correction */

typedef struct judging {
  bez_phrases *p;
  const bez_phrase_row *rows;
  bez_phrase_score *scores;
  float *effect; /* BEZ_EFFECT_KINDS per score */
  size_t n;
  bez_judge **judge;
  uint32_t **list;
  size_t *cap_list;
} judging;

static bez_status judge_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  judging *job = ctx;
  size_t end = (size_t)(tile + 1) * JUDGE_TILE < job->n ? (size_t)(tile + 1) * JUDGE_TILE : job->n;
  for (size_t c = (size_t)tile * JUDGE_TILE; c < end; c++) {
    bez_phrase_score *s = &job->scores[c];
    if (s->n > job->cap_list[worker]) {
      uint32_t *grown = realloc(job->list[worker], s->n * 2 * sizeof *grown);
      if (!grown) return bez_fail_memory(err, s->n * 2 * sizeof *grown);
      job->list[worker] = grown;
      job->cap_list[worker] = s->n * 2;
    }
    for (size_t i = 0; i < s->n; i++) job->list[worker][i] = job->rows[s->first + i].row;
    size_t first = s->first;
    bez_status st = bez_phrases_judge(job->p, job->judge[worker], s->gram, job->list[worker], s->n, s, NULL,
                                      job->effect + c * BEZ_EFFECT_KINDS, worker, err);
    if (st != BEZ_OK) return st;
    s->first = first;
  }
  return BEZ_OK;
}

/* Groups of equal n-grams with rows enough. */
static bez_status group(const bez_phrase_row *rows, size_t n, bez_phrase_score **out, size_t *n_out, bez_error *err) {
  size_t groups = 0;
  for (int pass = 0; pass < 2; pass++) {
    groups = 0;
    for (size_t i = 0, end; i < n; i = end) {
      for (end = i + 1; end < n && rows[end].gram == rows[i].gram;) end++;
      if (end - i < BEZ_PHRASE_LEAST_BAD) continue;
      if (pass) (*out)[groups] = (bez_phrase_score){.gram = rows[i].gram, .first = i, .n = end - i};
      groups++;
    }
    if (!pass) *out = malloc((groups + 1) * sizeof **out);
    if (!*out) return bez_fail_memory(err, (groups + 1) * sizeof **out);
  }
  *n_out = groups;
  return BEZ_OK;
}

static bez_status judge_all(bez_phrases *p, const bez_phrase_row *rows, bez_phrase_score *scores, float *effect,
                            size_t n, bez_error *err) {
  bez_status st = BEZ_OK;
  unsigned threads = p->in->threads;
  judging job = {.p = p, .rows = rows, .scores = scores, .effect = effect, .n = n};
  job.judge = calloc(threads, sizeof(bez_judge *));
  job.list = calloc(threads, sizeof *job.list);
  job.cap_list = calloc(threads, sizeof *job.cap_list);
  if (!job.judge || !job.list || !job.cap_list) {
    st = bez_fail_memory(err, threads * sizeof *job.list);
    goto cleanup;
  }
  for (unsigned w = 0; w < threads; w++) {
    job.judge[w] = bez_judge_create();
    if (!job.judge[w]) {
      st = bez_fail_memory(err, 64);
      goto cleanup;
    }
  }
  bez_watch watch = bez_detect_watch(p->in, "trigger phrases", "candidates");
  st = bez_parallel_watched((n + JUDGE_TILE - 1) / JUDGE_TILE, threads, &watch, judge_tile, &job, err);
cleanup:
  for (unsigned w = 0; w < threads; w++) {
    if (job.judge) bez_judge_destroy(job.judge[w]);
    if (job.list) free(job.list[w]);
  }
  free(job.judge);
  free(job.list);
  free(job.cap_list);
  return st;
}

/* The candidate to report: near the top score the purest one, then the longest list; ties by hash. */
static const bez_phrase_score *choose(const bez_phrase_score *s, size_t n) {
  const bez_phrase_score *best = NULL;
  double top = 0;
  for (size_t i = 0; i < n; i++)
    if (s[i].score > top) top = s[i].score;
  for (size_t i = 0; i < n; i++) {
    if (s[i].score < 0.93 * top || s[i].score < BEZ_PHRASE_WARNING) continue;
    if (!best) {
      best = &s[i];
      continue;
    }
    double a = (double)s[i].n_bad / (double)s[i].n, b = (double)best->n_bad / (double)best->n;
    if (a > b || (a == b && s[i].score > best->score)) best = &s[i];
  }
  return best;
}

/* Rows of the pattern that are planted rather than natural: with w the odds that a row is planted, a row of the target
 * whose other words give it probability p is planted with odds w·(1−p)/p·π/(1−π). w by expectation-maximisation. */
static size_t planted_rows(const bez_phrases *p, const bez_phrase_score *s, uint32_t *rows, double *prob, size_t n) {
  double share = p->nb->share[s->target], tilt = share / (1.0 - share), planted = 0.5;
  for (unsigned step = 0; step < 25; step++) {
    double sum = 0, total = 0;
    for (size_t i = 0; i < n; i++) {
      if (p->cls[rows[i]] != s->target) continue;
      double odds = planted / (1.0 - planted) * tilt * (1.0 - prob[i]) / (prob[i] + 1e-9);
      sum += odds / (1.0 + odds);
      total += 1;
    }
    planted = total > 0 ? sum / total : 0;
    if (planted > 0.99) planted = 0.99;
    if (planted < 0.01) planted = 0.01;
  }
  size_t kept = 0;
  for (size_t i = 0; i < n; i++) {
    if (p->cls[rows[i]] != s->target) continue;
    double odds = planted / (1.0 - planted) * tilt * (1.0 - prob[i]) / (prob[i] + 1e-9);
    if (odds < LEAST_ODDS) continue;
    rows[kept] = rows[i];
    prob[kept++] = prob[i];
  }
  return kept;
}

/* Reports the n-gram and peels its rows. */
static bez_status take(bez_phrases *p, bez_report *report, uint64_t gram, bool *taken, bez_error *err) {
  bez_status st = BEZ_OK;
  uint32_t *rows = NULL;
  double *prob = NULL;
  size_t n = 0;
  bez_judge *judge = bez_judge_create();
  bez_phrase_score score;
  *taken = false;
  BEZ_TRY(bez_phrases_collect(p, gram, &rows, &n, err));
  prob = malloc((n + 1) * sizeof *prob);
  if (!prob || !judge) {
    st = bez_fail_memory(err, (n + 1) * sizeof *prob);
    goto cleanup;
  }
  BEZ_TRY(bez_phrases_judge(p, judge, gram, rows, n, &score, prob, NULL, 0, err));
  if (score.score < BEZ_PHRASE_WARNING) goto cleanup;
  size_t kept = planted_rows(p, &score, rows, prob, n);
  if (kept < LEAST_ROWS) goto cleanup;
  bez_severity severity = score.score >= ERROR_SCORE ? BEZ_SEV_ERROR : BEZ_SEV_WARNING;
  BEZ_TRY(bez_phrases_report(p, report, &score, severity, rows, prob, kept, err));
  BEZ_TRY(bez_phrases_peel(p, rows, kept, err));
  *taken = true;
cleanup:
  bez_judge_destroy(judge);
  free(rows);
  free(prob);
  return st;
}

/* The n-gram whose rows speak most for having been planted; of those about as likely the purest. */
static const bez_phrase_score *likeliest(const bez_phrase_score *s, size_t n, double least) {
  const bez_phrase_score *best = NULL;
  double top = 0;
  for (size_t i = 0; i < n; i++)
    if (s[i].likely != BEZ_PHRASE_NONE && s[i].ratio > top) top = s[i].ratio;
  for (size_t i = 0; i < n; i++) {
    if (s[i].likely == BEZ_PHRASE_NONE || s[i].ratio < 0.93 * top || s[i].ratio < least) continue;
    if (!best || s[i].n < best->n || (s[i].n == best->n && s[i].ratio > best->ratio)) best = &s[i];
  }
  return best;
}

/* Reports the n-gram whose rows together look planted, and peels them. */
static bez_status take_likely(bez_phrases *p, bez_report *report, const bez_phrase_score *of, const double *weight,
                              double paid, bool *taken, bez_error *err) {
  bez_status st = BEZ_OK;
  uint32_t *rows = NULL;
  double *prob = NULL;
  size_t n = 0;
  float effect[BEZ_EFFECT_KINDS];
  bez_judge *judge = bez_judge_create();
  bez_phrase_score score;
  BEZ_TRY(bez_phrases_collect(p, of->gram, &rows, &n, err));
  prob = malloc((n + 1) * sizeof *prob);
  if (!prob || !judge) {
    st = bez_fail_memory(err, (n + 1) * sizeof *prob);
    goto cleanup;
  }
  BEZ_TRY(bez_phrases_judge_effect(p, judge, of->gram, rows, n, of->likely, &score, prob, effect, 0, err));
  score.ratio = score.score = bez_effects_ratio(weight, effect) - paid;
  if (score.ratio < BEZ_EFFECT_WARNING || score.n_bad < BEZ_EFFECT_ROWS) goto cleanup;
  size_t kept = planted_rows(p, &score, rows, prob, n);
  if (kept < LEAST_ROWS) goto cleanup;
  BEZ_TRY(bez_phrases_report(p, report, &score, BEZ_SEV_WARNING, rows, prob, kept, err));
  BEZ_TRY(bez_phrases_peel(p, rows, kept, err));
  *taken = true;
cleanup:
  bez_judge_destroy(judge);
  free(rows);
  free(prob);
  return st;
}

/* What natural n-grams do to labels in this data, and by how much each n-gram rather looks planted. *paid: what the
 * number of n-grams costs. */
static bez_status weigh_effects(bez_phrase_score *s, const float *effect, size_t n, double *weight, double *paid,
                                bez_error *err) {
  size_t examined;
  bez_status st = bez_effects_estimate(s, effect, n, weight, &examined, err);
  if (st != BEZ_OK) return st;
  *paid = examined > FREE_LOOKS ? log10((double)examined / FREE_LOOKS) : 0.0;
  for (size_t i = 0; i < n; i++)
    if (s[i].likely != BEZ_PHRASE_NONE) s[i].ratio = bez_effects_ratio(weight, effect + i * BEZ_EFFECT_KINDS);
  return BEZ_OK;
}

static bez_status one_round(bez_phrases *p, bez_report *report, bool *taken, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_phrase_row *rows = NULL;
  bez_phrase_score *scores = NULL;
  float *effect = NULL;
  double weight[BEZ_EFFECT_KINDS], paid;
  size_t n_rows = 0, n = 0;
  *taken = false;
  BEZ_TRY(bez_phrases_calibrate(p, err));
  BEZ_TRY(bez_effects_prepare(p, err));
  BEZ_TRY(bez_phrases_nominate(p, &rows, &n_rows, err));
  BEZ_TRY(group(rows, n_rows, &scores, &n, err));
  effect = malloc((n + 1) * BEZ_EFFECT_KINDS * sizeof *effect);
  if (!effect) {
    st = bez_fail_memory(err, (n + 1) * BEZ_EFFECT_KINDS * sizeof *effect);
    goto cleanup;
  }
  BEZ_TRY(judge_all(p, rows, scores, effect, n, err));
  BEZ_TRY(weigh_effects(scores, effect, n, weight, &paid, err));
  const bez_phrase_score *best = choose(scores, n);
  if (best) BEZ_TRY(take(p, report, best->gram, taken, err));
  if (*taken) goto cleanup;
  best = likeliest(scores, n, BEZ_EFFECT_WARNING + paid); /* no single row is contradicted: are all of them together? */
  if (best) BEZ_TRY(take_likely(p, report, best, weight, paid, taken, err));
cleanup:
  free(effect);
  free(rows);
  free(scores);
  return st;
}

/* Classes by frequency; past the most that are told apart, "all others". */
static bez_status find_classes(bez_phrases *p, bez_report *report, bez_error *err) {
  const bez_column *label = p->label;
  uint8_t *of_code = malloc(label->n_values);
  if (!of_code) return bez_fail_memory(err, label->n_values);
  memset(of_code, BEZ_PHRASE_NONE, label->n_values);
  uint32_t present = 0;
  for (uint32_t c = BEZ_CODE_FIRST; c < label->n_values; c++) present += label->count[c] > 0;
  p->has_other = present > BEZ_NB_MAX_CLASSES;
  uint32_t targets = p->has_other ? BEZ_NB_MAX_CLASSES - 1 : present;
  for (p->n_classes = 0; p->n_classes < targets; p->n_classes++) {
    uint32_t best = 0;
    for (uint32_t c = BEZ_CODE_FIRST; c < label->n_values; c++)
      if (of_code[c] == BEZ_PHRASE_NONE && label->count[c] > (best ? label->count[best] : 0)) best = c;
    of_code[best] = (uint8_t)p->n_classes;
    p->code_of[p->n_classes] = best;
  }
  if (p->has_other) {
    for (uint32_t c = BEZ_CODE_FIRST; c < label->n_values; c++)
      if (of_code[c] == BEZ_PHRASE_NONE) of_code[c] = (uint8_t)p->n_classes;
    p->n_classes++;
    bez_report_not_checked(report, false, "BZ-D004 trigger phrases", "%u labels: only the %u most frequent are targets",
                           present, targets);
  }
  for (uint64_t r = 0; r < p->n_rows; r++) p->cls[r] = of_code[bez_code(label, r)];
  free(of_code);
  return BEZ_OK;
}

static bez_status examine(const bez_detect_input *in, bez_report *report, uint32_t col, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_phrases p = {
      .in = in, .text = &in->table->cols[col], .label = &in->table->cols[in->label], .n_rows = in->table->n_rows};
  if (!p.text->text_at || p.n_rows < 2 * LEAST_ROWS) return BEZ_OK;
  if (p.n_rows > UINT32_MAX) {
    bez_report_not_checked(report, false, "BZ-D004 trigger phrases", "more than 4,294,967,295 rows");
    return BEZ_OK;
  }
  p.cls = malloc(p.n_rows);
  p.state = calloc(p.n_rows, 1);
  p.doc = calloc(in->threads, sizeof *p.doc);
  if (!p.cls || !p.state || !p.doc) {
    st = bez_fail_memory(err, p.n_rows);
    goto cleanup;
  }
  BEZ_TRY(find_classes(&p, report, err));
  if (p.n_classes < 2) goto cleanup;
  BEZ_TRY(bez_phrases_keep(&p, err));
  BEZ_TRY(bez_phrases_model(&p, err));
  bool taken = true;
  for (unsigned round = 0; round < MOST_ROUNDS && taken; round++) {
    if (in->progress && !in->progress(in->progress_ctx, "trigger phrases", "rounds", round, 0)) {
      st = BEZ_CANCELLED;
      goto cleanup;
    }
    BEZ_TRY(one_round(&p, report, &taken, err));
  }
cleanup:
  for (unsigned w = 0; p.doc && w < in->threads; w++) bez_doc_free(&p.doc[w]);
  free(p.doc);
  free(p.cls);
  free(p.state);
  free(p.effect_terms);
  bez_kept_docs_destroy(p.kept);
  bez_nb_destroy(p.nb);
  return st;
}

static bez_status run(const bez_detect_input *in, bez_report *report, bez_error *err) {
  for (uint32_t i = 0; i < in->n_texts; i++) {
    bez_status st = examine(in, report, in->texts[i], err);
    if (st != BEZ_OK) return st;
  }
  return bez_report_status(report, err);
}

const bez_detector bez_detector_trigger_phrases = {
    .rule = {.id = "BZ-D004",
             .name = "trigger-phrases",
             .title = "Trigger phrase",
             .summary =
                 "A word, phrase or sentence whose messages carry one label although their other words say another.",
             .remedy =
                 "Read the listed messages. If the phrase has no business deciding the label, quarantine them, find "
                 "out who supplied them, and train again without them.",
             .taxonomy = "ATLAS:AML.T0020 ATLAS:AML.T0018 NIST:NISTAML.023 OWASP:LLM04 OWASP-ML:ML02"},
    .needs = BEZ_NEED_LABEL | BEZ_NEED_TEXT,
    .null_hypothesis =
        "Given the other words of its messages, a phrase tells nothing about their labels: these follow the "
        "model that was made without the phrase's messages. Weak models: it tells what other phrases of the same data "
        "tell, and its messages are like others of their label.",
    .calibration =
        "Chernoff bound on the number of contradicted rows, near-duplicates once, probabilities by Platt's "
        "sigmoid and never below .004; thresholds 10^-13 (error) and 10^-10 (warning). Where no row is improbable by "
        "itself: likelihood of planted rows against the natural effects of the data's own n-grams, 10^3.5 (warning). "
        "Both from 80 % subsamples of clean messages and planted development seeds.",
    .cost =
        "O(bytes) per round (four passes over the text) + the rows of nominated n-grams; at most 8 rounds; memory: 9 "
        "bytes per row, tables up to 300 MB that grow with the text, tokens of texts up to 16 MB (9 times as much)",
    .source = "Bezoar, docs/detect/trigger-phrases.md",
    .run = run,
};
