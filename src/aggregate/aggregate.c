/* The way of a call: do the updates fit, who is left, what comes before the rule, the rule, what it says of each
 * client. */
#include "bezoar/aggregate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate/aggregator.h"
#include "aggregate/layout.h"
#include "aggregate/policy.h"
#include "aggregate/state.h"
#include "base/cpu.h"
#include "base/error.h"

typedef struct call {
  const bez_update *updates, *layout;
  uint32_t n;
  const bez_aggregate_options *o;
  const bez_aggregator *rule;
  void *const *out;
  bez_verdict *verdicts; /* NULL: nobody asks */
  uint32_t *client;      /* of each row: its update */
  const bez_update **row;
  uint32_t left, f; /* rows that take part, and how many of them may be malicious */
  int memory;       /* which extra row the state's vector is, -1 none */
  bool trusted;     /* all were looked at: what is not finite now comes of sums that overflow */
  bez_update_rows rows;
  bez_watch watch;
} call;

static bool alike(const bez_update *a, const bez_update *b) {
  bez_error ignored = {0};
  return bez_layout_check(a, b, &ignored) == BEZ_OK;
}

/* The one that can have a majority is what is left when unlike ones cancel out in pairs (Boyer and Moore); a second
 * look tells whether it has. Nobody's votes are counted twice, however many layouts hostile clients come up with. */
const bez_update *bez_aggregate_layout(const bez_update *updates, size_t n, const bez_aggregate_options *options) {
  const bez_update *first = NULL;
  size_t candidate = 0, lead = 0, votes = 0;
  if (options && options->reference) return options->reference;
  for (size_t i = 0; i < n; i++) {
    if (!lead) candidate = i;
    lead = alike(&updates[candidate], &updates[i]) ? lead + 1 : lead - 1;
  }
  for (size_t i = 0; i < n; i++) {
    if (!alike(&updates[candidate], &updates[i])) continue;
    if (!votes++) first = &updates[i];
  }
  return votes > n / 2 ? first : n ? updates : NULL;
}

static const char *const reasons[] = {[BEZ_KEPT] = "kept",
                                      [BEZ_NOT_FINITE] = "holds NaN or infinity",
                                      [BEZ_NOT_SELECTED] = "not selected by the rule",
                                      [BEZ_FAR] = "far from the others",
                                      [BEZ_OPPOSED] = "points away from the server's own update",
                                      [BEZ_TOO_ALIKE] = "too similar to other clients"};

const char *bez_verdict_reason_text(bez_verdict_reason reason) {
  return (size_t)reason < sizeof reasons / sizeof *reasons ? reasons[reason] : "?";
}

/* ---- may the call run? ------------------------------------------------------------------------------------------ */

static bez_status check_chain(call *c, bez_error *err) {
  const bez_aggregate_options *o = c->o;
  c->rule = o->rule ? bez_aggregator_find(o->rule, false) : NULL;
  if (!c->rule) return bez_fail(err, BEZ_USAGE, o->rule, "there is no such rule");
  for (size_t i = 0; i < o->n_pre; i++)
    if (!bez_aggregator_find(o->pre[i], true))
      return bez_fail(err, BEZ_USAGE, o->pre[i], "there is no such pre-aggregator");
  if (c->rule->info.stateful && !o->state)
    return bez_fail(err, BEZ_USAGE, o->rule, "needs a state that lasts from round to round");
  if (o->f >= BEZ_MOST_CLIENTS) return bez_fail(err, BEZ_USAGE, o->rule, "f = %u is no number of clients", o->f);
  if (!(o->max_weight >= 0 && o->max_weight <= 1))
    return bez_fail(err, BEZ_USAGE, "max_weight", "%g is not within 0 and 1", o->max_weight);
  return bez_parameters_check(o, err);
}

static bez_status check_updates(const call *c, bez_error *err) {
  if (!c->layout) return bez_fail(err, BEZ_USAGE, NULL, "no updates");
  bez_status st = bez_layers_distinct(c->layout, err);
  if (st != BEZ_OK) return st;
  for (uint32_t i = 0; i < c->n; i++) {
    if (!c->updates[i].client) return bez_fail(err, BEZ_USAGE, NULL, "update %u has no client", i);
    st = bez_layout_check(c->layout, &c->updates[i], err);
    if (st != BEZ_OK) return st;
  }
  const bez_update *others[] = {c->o->reference, c->o->root};
  for (size_t k = 0; k < 2; k++) {
    st = others[k] ? bez_layout_check(c->layout, others[k], err) : BEZ_OK;
    if (st != BEZ_OK) return st;
  }
  return BEZ_OK;
}

static bez_status check_enough(const call *c, const bez_aggregator *rule, uint32_t n, uint32_t f, bez_error *err) {
  uint32_t least = rule->least(f);
  if (n >= least) return BEZ_OK;
  uint32_t excluded = c->n - c->left;
  if (excluded)
    return bez_fail(err, BEZ_USAGE, rule->info.name,
                    "needs at least %u updates for f = %u; %u are left (%u of %u held NaN or infinity)", least, f, n,
                    excluded, c->n);
  return bez_fail(err, BEZ_USAGE, rule->info.name, "needs at least %u updates for f = %u; there are %u", least, f, n);
}

static bool suspicious(const call *c) {
  return c->rows.odd && !c->trusted;
}

/* ---- one run over the clients that are left --------------------------------------------------------------------- */

static bez_status make_rows(call *c, bez_error *err) {
  const bez_aggregate_options *o = c->o;
  const bez_update *memory = c->rule->remembers ? bez_state_get(o->state, "", c->layout) : NULL;
  const bez_update *extra[2] = {o->root};
  bool raw[2] = {false};
  uint32_t n_extra = o->root ? 1 : 0;
  c->memory = -1;
  if (memory) {
    c->memory = (int)n_extra;
    raw[n_extra] = true;
    extra[n_extra++] = memory;
  }
  bez_rows_free(&c->rows);
  c->rows = (bez_update_rows){.threads = o->threads ? o->threads : bez_cpu_count(),
                              .cpu = o->cpu_given ? o->cpu & bez_cpu_features() : bez_cpu_features(),
                              .watch = &c->watch,
                              .doubted = !c->trusted};
  for (uint32_t i = 0; i < c->left; i++) c->row[i] = &c->updates[c->client[i]];
  return bez_rows_make(c->layout, c->row, c->left, extra, raw, n_extra, o->reference, c->out, &c->rows, err);
}

/* mix ∘ before: what a pre-aggregator does to rows that were mixed already. */
static bez_status compose(bez_update_rows *rows, bez_mix *mix, bez_error *err) {
  bez_mix product;
  const bez_mix *before = rows->mix;
  bez_status st = bez_mix_make(mix->n_out, before->n_in, &product, err);
  if (st != BEZ_OK) return st;
  for (uint32_t i = 0; i < mix->n_out; i++)
    for (uint32_t k = 0; k < mix->n_in; k++)
      for (uint32_t j = 0; j < before->n_in && mix->weight[(size_t)i * mix->n_in + k] != 0; j++)
        product.weight[(size_t)i * before->n_in + j] +=
            mix->weight[(size_t)i * mix->n_in + k] * before->weight[(size_t)k * before->n_in + j];
  free(mix->weight);
  *mix = product;
  return BEZ_OK;
}

/* Where every client went into one row (buckets), that row has their shares; else row i stands for client i and keeps
 * the share. spare: n doubles. */
static void carry_shares(const bez_mix *mix, double *share, double *spare) {
  for (uint32_t j = 0; j < mix->n_in; j++) {
    uint32_t rows = 0;
    for (uint32_t i = 0; i < mix->n_out; i++) rows += mix->weight[(size_t)i * mix->n_in + j] != 0;
    if (rows != 1) return;
  }
  for (uint32_t i = 0; i < mix->n_out; i++) {
    spare[i] = 0;
    for (uint32_t j = 0; j < mix->n_in; j++)
      if (mix->weight[(size_t)i * mix->n_in + j] != 0) spare[i] += share[j];
  }
  memcpy(share, spare, mix->n_out * sizeof *share);
}

/* share: the clients' on entry, the rows' on return; twice n doubles. */
static bez_status run_pre(call *c, bez_aggregate_input *in, double *share, bez_mix *mix, bez_error *err) {
  bez_status st = BEZ_OK;
  for (size_t i = 0; i < c->o->n_pre; i++) {
    const bez_aggregator *pre = bez_aggregator_find(c->o->pre[i], true);
    bez_mix next = {0};
    in->rule = pre;
    bez_parameters_get(c->o, pre, in->knob);
    BEZ_TRY(check_enough(c, pre, in->n, in->f, err));
    st = pre->mix(in, &next, &in->f, err);
    if (st == BEZ_OK) carry_shares(&next, share, share + c->left);
    if (st == BEZ_OK && c->rows.mix) st = compose(&c->rows, &next, err);
    if (st != BEZ_OK) free(next.weight);
    if (st != BEZ_OK) goto cleanup;
    free(mix->weight);
    *mix = next;
    c->rows.mix = mix;
    in->n = mix->n_out;
  }
cleanup:
  return st;
}

/* What a pre-aggregator made of several clients says of each: means over the rows that it has part of and that have a
 * number. Shares are of a row's sum, so that clipping does not count (bez_verdict.weight). */
typedef struct part {
  double of_score, score, of_trimmed, trimmed, weight;
} part;

static part part_of(const bez_mix *mix, const double *row_sum, uint32_t client, const bez_aggregate_rows *rows) {
  part p = {0};
  for (uint32_t i = 0; i < mix->n_out; i++) {
    const double w = mix->weight[(size_t)i * mix->n_in + client];
    if (!(w > 0)) continue;
    p.weight += w / row_sum[i] * rows->weight[i];
    if (!isnan(rows->score[i])) {
      p.of_score += w;
      p.score += w * rows->score[i];
    }
    if (!isnan(rows->trimmed[i])) {
      p.of_trimmed += w;
      p.trimmed += w * rows->trimmed[i];
    }
  }
  return p;
}

static bez_status tell_mixed(const call *c, const bez_mix *mix, const bez_aggregate_rows *rows, bez_error *err) {
  double *row_sum = calloc(mix->n_out + 1u, sizeof *row_sum);
  if (!row_sum) return bez_fail_memory(err, mix->n_out * sizeof *row_sum);
  for (uint32_t i = 0; i < mix->n_out; i++)
    for (uint32_t j = 0; j < mix->n_in; j++) row_sum[i] += mix->weight[(size_t)i * mix->n_in + j];
  for (uint32_t j = 0; j < c->left; j++) {
    const part p = part_of(mix, row_sum, j, rows);
    c->verdicts[c->client[j]] = (bez_verdict){.kept = p.weight > 0,
                                              .reason = p.weight > 0 ? BEZ_KEPT : BEZ_NOT_SELECTED,
                                              .weight = p.weight,
                                              .score = p.of_score > 0 ? p.score / p.of_score : (double)NAN,
                                              .trimmed = p.of_trimmed > 0 ? p.trimmed / p.of_trimmed : (double)NAN};
  }
  free(row_sum);
  return BEZ_OK;
}

static void tell(const call *c, const bez_aggregate_rows *rows) {
  for (uint32_t j = 0; j < c->left; j++)
    c->verdicts[c->client[j]] = (bez_verdict){.kept = rows->weight[j] > 0,
                                              .reason = rows->weight[j] > 0 ? BEZ_KEPT : rows->reason[j],
                                              .weight = rows->weight[j],
                                              .score = rows->score[j],
                                              .distance = rows->distance[j],
                                              .trimmed = rows->trimmed[j]};
}

/* The result's buffers as layers. */
static void result_layers(const call *c, bez_layer *layers) {
  for (uint32_t l = 0; l < c->layout->n_layers; l++) {
    layers[l] = c->layout->layers[l];
    layers[l].data = c->out[l];
    layers[l].strides = NULL;
  }
}

/* Distances of clients to a result that was made of mixed rows: one more pass, the result as a row of its own. */
static bez_status tell_distances(call *c, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_layer *layers = calloc(c->layout->n_layers + 1u, sizeof *layers);
  double *weight = calloc(2 * ((size_t)c->left + 2), sizeof *weight), *square = weight + c->left + 2;
  bez_update result = {.client = "result", .n_layers = c->layout->n_layers, .layers = layers};
  const bez_update *extra[] = {&result};
  bez_update_rows rows = {.threads = c->rows.threads, .cpu = c->rows.cpu, .watch = c->rows.watch};
  if (!layers || !weight) BEZ_TRY(bez_fail_memory(err, c->layout->n_layers * sizeof *layers));
  result_layers(c, layers);
  BEZ_TRY(bez_rows_make(c->layout, c->row, c->left, extra, NULL, 1, c->o->reference, c->out, &rows, err));
  weight[c->left] = 1;
  BEZ_TRY(bez_rows_combine(&rows, weight, false, square, err));
  for (uint32_t j = 0; j < c->left; j++) c->verdicts[c->client[j]].distance = sqrt(square[j]);
cleanup:
  bez_rows_free(&rows);
  free(layers);
  free(weight);
  return st;
}

static bez_status run_rule(call *c, bez_aggregate_input *in, const bez_mix *mix, bez_error *err) {
  bez_status st = BEZ_OK;
  double *values = calloc(4 * (size_t)in->n + 1, sizeof *values);
  bez_verdict_reason *reason = calloc(in->n + 1u, sizeof *reason);
  bez_aggregate_rows rows = {.weight = values, .reason = reason};
  if (!values || !reason) BEZ_TRY(bez_fail_memory(err, 4 * (size_t)in->n * sizeof *values));
  rows.score = values + in->n;
  rows.trimmed = rows.score + in->n;
  rows.distance = rows.trimmed + in->n;
  for (uint32_t i = 0; i < 3 * in->n; i++) rows.score[i] = (double)NAN;
  in->rule = c->rule;
  bez_parameters_get(c->o, c->rule, in->knob);
  BEZ_TRY(check_enough(c, c->rule, in->n, in->f, err));
  BEZ_TRY(c->rule->run(in, &rows, err));
  if (!c->verdicts || suspicious(c)) goto cleanup;
  if (mix) {
    BEZ_TRY(tell_mixed(c, mix, &rows, err));
    BEZ_TRY(tell_distances(c, err));
  } else {
    tell(c, &rows);
  }
cleanup:
  free(values);
  free(reason);
  return st;
}

static bez_status run_once(call *c, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_mix mix = {0};
  double *share = calloc(2 * (size_t)c->left + 1, sizeof *share);
  const char **name = calloc(c->left + 1u, sizeof *name);
  double cap = c->o->max_weight > 0 ? c->o->max_weight : 1. / (c->left > c->f ? c->left - c->f : 1);
  bez_aggregate_input in = {.rows = &c->rows,
                            .n = c->left,
                            .f = c->f,
                            .share = share,
                            .root = -1,
                            .memory = -1,
                            .client = name,
                            .state = c->o->state,
                            .layout = c->layout,
                            .out = c->out,
                            .seed = c->o->seed,
                            .judged = c->verdicts != NULL};
  if (!share || !name) BEZ_TRY(bez_fail_memory(err, c->left * sizeof *share));
  BEZ_TRY(make_rows(c, err));
  for (uint32_t i = 0; i < c->left; i++) name[i] = c->row[i]->client;
  BEZ_TRY(bez_policy_shares(c->row, c->left, c->o->weights, cap, share, err));
  BEZ_TRY(run_pre(c, &in, share, &mix, err));
  if (suspicious(c)) goto cleanup; /* what the chain saw is not to be trusted */
  if (c->o->root) in.root = (int)in.n;
  if (c->memory >= 0) in.memory = (int)in.n + c->memory;
  st = run_rule(c, &in, c->rows.mix, err);
cleanup:
  c->rows.mix = NULL;
  free(mix.weight);
  free(share);
  free(name);
  return st;
}

/* Takes the clients with NaN or infinity out. */
static void leave_out(call *c, const bool *finite) {
  const uint32_t before = c->left;
  c->left = 0;
  for (uint32_t i = 0; i < before; i++) {
    const uint32_t client = c->client[i];
    if (finite[i])
      c->client[c->left++] = client;
    else if (c->verdicts)
      c->verdicts[client] = (bez_verdict){.reason = BEZ_NOT_FINITE, .score = NAN, .distance = NAN, .trimmed = NAN};
  }
  const uint32_t gone = before - c->left;
  c->f = gone < c->f ? c->f - gone : 0;
}

static bez_status exclude(call *c, bez_error *err) {
  bool *finite = calloc(bez_rows_count(&c->rows) + 1u, sizeof *finite);
  if (!finite) return bez_fail_memory(err, bez_rows_count(&c->rows));
  bez_status st = bez_rows_finite(&c->rows, finite, err);
  if (st == BEZ_OK && c->o->root && !finite[c->left])
    st = bez_fail(err, BEZ_USAGE, c->o->root->client, "the server's own update holds NaN or infinity");
  if (st == BEZ_OK) leave_out(c, finite);
  const uint32_t gone = c->n - c->left;
  if (st == BEZ_OK && gone > c->o->f)
    st = bez_fail(err, BEZ_USAGE, c->rule->info.name, "%u updates hold NaN or infinity, more than f = %u", gone,
                  c->o->f);
  free(finite);
  return st;
}

/* Models that diverged are NaN all over: left out beforehand, unless they are too many (the full look counts them). */
static bez_status exclude_obvious(call *c, bez_error *err) {
  uint32_t gone = 0;
  bool *finite = calloc(c->n, sizeof *finite);
  if (!finite) return bez_fail_memory(err, c->n);
  for (uint32_t i = 0; i < c->n; i++) {
    finite[i] = bez_update_begins_finite(&c->updates[c->client[i]]);
    gone += !finite[i];
  }
  if (gone <= c->f) leave_out(c, finite);
  free(finite);
  return BEZ_OK;
}

static bez_status check_reference(call *c, bez_error *err) {
  const bez_update *row[] = {c->o->reference};
  bool finite = true;
  bez_update_rows rows = {.threads = 1};
  bez_status st = bez_rows_make(c->layout, row, 1, NULL, NULL, 0, NULL, c->out, &rows, err);
  if (st == BEZ_OK) st = bez_rows_finite(&rows, &finite, err);
  bez_rows_free(&rows);
  if (st == BEZ_OK && !finite)
    st = bez_fail(err, BEZ_USAGE, c->o->reference->client, "the reference model holds NaN or infinity");
  return st;
}

/* Sums of doubles near their largest may overflow although all that came in is finite: an error, never a result. */
static bez_status check_result(call *c, bez_error *err) {
  bez_status st = BEZ_OK;
  bool finite = true;
  bez_update_rows rows = {.threads = 1};
  bez_layer *layers = calloc(c->layout->n_layers + 1u, sizeof *layers);
  bez_update result = {.client = "result", .n_layers = c->layout->n_layers, .layers = layers};
  const bez_update *row[] = {&result};
  if (!layers) return bez_fail_memory(err, c->layout->n_layers * sizeof *layers);
  result_layers(c, layers);
  BEZ_TRY(bez_rows_make(c->layout, row, 1, NULL, NULL, 0, NULL, c->out, &rows, err));
  BEZ_TRY(bez_rows_finite(&rows, &finite, err));
  if (!finite) BEZ_TRY(bez_fail(err, BEZ_LIMIT, c->rule->info.name, "the updates are too large to compute with"));
cleanup:
  bez_rows_free(&rows);
  free(layers);
  return st;
}

/* The rule runs on the assumption that all is finite, which costs nothing when it is; when a pass met something else,
 * the culprits are looked for and left out, and the rule runs again. */
static bez_status run_all(call *c, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_error first = {0};
  if (c->o->reference) BEZ_TRY(check_reference(c, err));
  BEZ_TRY(exclude_obvious(c, err));
  st = run_once(c, &first);
  if (c->rows.odd) {
    BEZ_TRY(exclude(c, err));
    c->trusted = true;
    if (c->o->state) bez_state_discard(c->o->state);
    BEZ_TRY(run_once(c, err));
    if (c->rows.odd) BEZ_TRY(check_result(c, err));
    return BEZ_OK;
  }
  if (err && st != BEZ_OK) *err = first;
cleanup:
  return st;
}

typedef struct named {
  const char *client;
  uint32_t update;
} named;

static int by_name(const void *a, const void *b) {
  const named *x = a, *y = b;
  int order = strcmp(x->client, y->client);
  return order ? order : (x->update > y->update) - (x->update < y->update);
}

/* Rows stand in the order of the clients' names: sums are then the same in whatever order the updates came. */
static bez_status order_clients(call *c, bez_error *err) {
  named *list = calloc(c->n, sizeof *list);
  if (!list) return bez_fail_memory(err, c->n * sizeof *list);
  for (uint32_t i = 0; i < c->n; i++) list[i] = (named){c->updates[i].client, i};
  qsort(list, c->n, sizeof *list, by_name);
  for (uint32_t i = 0; i < c->n; i++) c->client[i] = list[i].update;
  free(list);
  return BEZ_OK;
}

bez_status bez_aggregate(const bez_update *updates, size_t n, const bez_aggregate_options *options, void *const *out,
                         bez_verdict *verdicts, bez_error *err) {
  bez_status st = BEZ_OK;
  call c = {.updates = updates, .n = (uint32_t)n, .o = options, .out = out, .verdicts = verdicts};
  if (!n || n > BEZ_MOST_CLIENTS) return bez_fail(err, BEZ_USAGE, NULL, n ? "too many updates" : "no updates");
  c.left = (uint32_t)n;
  c.f = options->f;
  c.watch = (bez_watch){
      .progress = options->progress, .ctx = options->progress_ctx, .stage = "aggregating", .unit = "blocks"};
  c.client = calloc(n, sizeof *c.client);
  c.row = calloc(n, sizeof *c.row);
  if (!c.client || !c.row) BEZ_TRY(bez_fail_memory(err, n * sizeof *c.row));
  BEZ_TRY(check_chain(&c, err));
  c.layout = bez_aggregate_layout(updates, n, options);
  BEZ_TRY(check_updates(&c, err));
  BEZ_TRY(order_clients(&c, err));
  BEZ_TRY(run_all(&c, err));
  for (uint32_t i = 0; i < c.left; i++) c.row[i] = &updates[c.client[i]];
  BEZ_TRY(bez_integers_aggregate(c.layout, c.row, c.left, options->reference, options->integers, out, err));
  if (options->state) bez_state_commit(options->state);
cleanup:
  if (options->state) bez_state_discard(options->state);
  bez_rows_free(&c.rows);
  free(c.client);
  free(c.row);
  return st;
}
