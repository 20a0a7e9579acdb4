/* FoolsGold: clients whose updates, summed over the rounds, point the same way share one vote. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate/aggregator.h"
#include "aggregate/cosine.h"
#include "aggregate/state.h"
#include "base/error.h"

static uint32_t least(uint32_t f) {
  return f + 2;
}

/* What client i sent in all rounds: its history, staged, to which this round's update is added. */
static bez_status stage(const bez_aggregate_input *in, uint32_t i, const bez_update **out, const bez_layer **found,
                        bez_error *err) {
  const bez_update *before = bez_state_get(in->state, in->client[i], in->layout);
  bez_status st = bez_state_stage(in->state, in->client[i], in->layout, out, err);
  if (st != BEZ_OK || !before) return st;
  st = bez_layers_match(*out, before, found, err);
  for (uint32_t l = 0; st == BEZ_OK && l < (*out)->n_layers; l++) {
    const bez_layer *to = &(*out)->layers[l];
    memcpy((void *)(uintptr_t)to->data, found[l]->data, bez_layer_items(to) * bez_dtype_size(to->dtype));
  }
  return st;
}

static bez_status histories(const bez_aggregate_input *in, const bez_update **staged, bez_error *err) {
  bez_status st = BEZ_OK;
  const bez_layer **found = calloc(in->layout->n_layers + 1u, sizeof *found);
  if (!found) return bez_fail_memory(err, in->layout->n_layers * sizeof *found);
  for (uint32_t i = 0; i < in->n && st == BEZ_OK; i++) st = stage(in, i, &staged[i], found, err);
  free(found);
  return st;
}

typedef struct add_pass {
  const bez_rows_layer *layers;    /* the rows' … */
  const bez_update *const *staged; /* … and, in the same order, each client's; NULL behind the last */
} add_pass;

/* A history stays finite: one that overflowed would point nowhere, and Sybils that send the largest numbers would go
 * unseen from then on. */
static void add_f64(double *history, double x) {
  double sum = *history + x;
  *history = isinf(sum) && isfinite(x) ? copysign(DBL_MAX, sum) : sum;
}

static void add_f32(float *history, float x) {
  float sum = *history + x;
  *history = isinf(sum) && isfinite(x) ? copysignf(FLT_MAX, sum) : sum;
}

static bez_status add_tile(void *ctx, const bez_tile *tile, uint32_t block, unsigned worker, bez_error *err) {
  const add_pass *p = ctx;
  (void)block, (void)worker, (void)err;
  for (uint32_t i = 0; p->staged[i]; i++) {
    const bez_layer *to = &p->staged[i]->layers[tile->layer - p->layers];
    for (size_t c = 0; c < tile->len; c++)
      if (tile->wide)
        add_f64((double *)(uintptr_t)to->data + tile->at + c, ((const double *)tile->row[i])[c]);
      else
        add_f32((float *)(uintptr_t)to->data + tile->at + c, ((const float *)tile->row[i])[c]);
  }
  return BEZ_OK;
}

/* Algorithm 1 of the paper: pardoning, then the logit. likeness: n × n cosines, overwritten. */
static void votes(double *likeness, uint32_t n, double kappa, double *most, double *vote) {
  double top = 0;
  for (uint32_t i = 0; i < n; i++) {
    most[i] = -1;
    for (uint32_t j = 0; j < n; j++)
      if (i != j) most[i] = fmax(most[i], likeness[(size_t)i * n + j]);
  }
  for (uint32_t i = 0; i < n; i++) {
    double highest = -1;
    for (uint32_t j = 0; j < n; j++) {
      if (i == j) continue;
      double c = likeness[(size_t)i * n + j];
      if (most[j] > most[i] && most[j] > 0) c *= fmax(0, most[i]) / most[j];
      highest = fmax(highest, c);
    }
    vote[i] = fmin(1, fmax(0, 1 - highest));
    top = fmax(top, vote[i]);
  }
  for (uint32_t i = 0; i < n; i++) {
    double share = top > 0 ? fmin(vote[i] / top, .99) : 0;
    vote[i] = share > 0 ? fmin(1, fmax(0, kappa * (log(share / (1 - share)) + .5))) : 0;
  }
}

static bez_status run(const bez_aggregate_input *in, bez_aggregate_rows *out, bez_error *err) {
  bez_status st = BEZ_OK;
  const uint32_t n = in->n;
  const bez_update **staged = calloc(n + 1u, sizeof *staged);
  double *distance = NULL, *likeness = calloc((size_t)n * n, sizeof *likeness),
         *vote = calloc(2 * (size_t)n, sizeof *vote), total = 0;
  bez_update_rows past = {.threads = in->rows->threads, .cpu = in->rows->cpu, .watch = in->rows->watch};
  if (!staged || !likeness || !vote) BEZ_TRY(bez_fail_memory(err, (size_t)n * n * sizeof(double)));
  if (in->rows->mix)
    BEZ_TRY(bez_fail(err, BEZ_USAGE, "foolsgold", "cannot follow a pre-aggregator: it needs each client's own update"));
  BEZ_TRY(histories(in, staged, err));
  BEZ_TRY(bez_rows_pass(in->rows, bez_rows_blocks(1), add_tile, &(add_pass){in->rows->layers, staged}, err));
  BEZ_TRY(bez_rows_make(in->layout, staged, n, NULL, NULL, 0, NULL, in->out, &past, err));
  BEZ_TRY(bez_rows_distances(&past, &distance, err));
  if (past.odd) in->rows->odd = true;
  BEZ_TRY(bez_rows_cosines(&past, distance, likeness, err));
  votes(likeness, n, in->knob[0], out->score, vote);
  for (uint32_t i = 0; i < n; i++) total += vote[i];
  if (!(total > 0)) BEZ_TRY(bez_fail(err, BEZ_USAGE, "foolsgold", "all clients are too alike; nobody has a vote"));
  for (uint32_t i = 0; i < n; i++) vote[i] /= total;
  BEZ_TRY(bez_aggregate_weighted(in, vote, BEZ_TOO_ALIKE, out, err));
cleanup:
  bez_rows_free(&past);
  free(staged);
  free(distance);
  free(likeness);
  free(vote);
  return st;
}

const bez_aggregator bez_aggregator_foolsgold = {
    .info = {.name = "foolsgold",
             .title = "FoolsGold",
             .summary = "Takes votes from clients whose updates, summed over the rounds, point the same way (Sybils).",
             .parameters = "kappa: steepness of the logit (1)",
             .tolerance = "any number of Sybils that act alike; none of single attackers",
             .cost = "a history per client, O(n d) memory; distances of histories, O(n² d), and two passes",
             .score = "largest cosine with another client's history",
             .source = "Fung, Yoon, Beschastnikh, The limitations of federated learning in Sybil settings, RAID 2020",
             .stateful = true},
    .knobs = {{.name = "kappa", .fallback = 1, .least = 1e-6, .most = 1e6}},
    .least = least,
    .run = run};
