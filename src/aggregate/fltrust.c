/* FLTrust: updates count by their cosine with the server's own update, at its length. */
#include <math.h>
#include <stdlib.h>

#include "aggregate/aggregator.h"
#include "aggregate/cosine.h"
#include "aggregate/norms.h"
#include "base/error.h"

static uint32_t least(uint32_t f) {
  return f + 1;
}

/* cosine of each row with the root, *length: of the root. */
static bez_status cosines(const bez_aggregate_input *in, double *norm, double *cosine, double *length, bez_error *err) {
  bez_status st = BEZ_OK;
  const uint32_t count = bez_rows_count(in->rows), root = (uint32_t)in->root;
  size_t doubtful = 0;
  double *weight = calloc(4 * (size_t)count, sizeof *weight), *square = weight + count, *apart = square + count,
         *exact = apart + count;
  bez_row_pair *pairs = calloc(count, sizeof *pairs);
  if (!weight || !pairs) BEZ_TRY(bez_fail_memory(err, 4 * (size_t)count * sizeof *weight));
  BEZ_TRY(bez_rows_combine(in->rows, weight, false, square, err));
  weight[root] = 1;
  BEZ_TRY(bez_rows_combine(in->rows, weight, false, apart, err));
  *length = sqrt(square[root]);
  for (uint32_t i = 0; i < in->n; i++) {
    norm[i] = sqrt(square[i]);
    if (!bez_cosine_of(square[i], square[root], apart[i], &cosine[i])) pairs[doubtful++] = (bez_row_pair){i, root};
  }
  BEZ_TRY(bez_rows_cosine_pairs(in->rows, pairs, doubtful, square, exact, err));
  for (size_t k = 0; k < doubtful; k++) cosine[pairs[k].a] = exact[k];
cleanup:
  free(weight);
  free(pairs);
  return st;
}

static bez_status run(const bez_aggregate_input *in, bez_aggregate_rows *out, bez_error *err) {
  bez_status st = BEZ_OK;
  double *norm = calloc(3 * (size_t)in->n, sizeof *norm), *cosine = norm + in->n, *weight = cosine + in->n, length = 0,
         trust = 0;
  if (!norm) return bez_fail_memory(err, 3 * (size_t)in->n * sizeof *norm);
  if (in->root < 0) BEZ_TRY(bez_fail(err, BEZ_USAGE, "fltrust", "needs the server's own update (root)"));
  BEZ_TRY(cosines(in, norm, cosine, &length, err));
  for (uint32_t i = 0; i < in->n; i++) trust += fmax(0, cosine[i]);
  if (!(trust > 0))
    BEZ_TRY(bez_fail(err, BEZ_USAGE, "fltrust", "no update points the way of the server's own; nothing to aggregate"));
  for (uint32_t i = 0; i < in->n; i++) weight[i] = cosine[i] > 0 ? cosine[i] / trust * (length / norm[i]) : 0;
  BEZ_TRY(bez_aggregate_weighted(in, weight, BEZ_OPPOSED, out, err));
  for (uint32_t i = 0; i < in->n; i++) {
    out->score[i] = cosine[i];
    out->weight[i] = fmax(0, cosine[i]) / trust;
  }
cleanup:
  free(norm);
  return st;
}

const bez_aggregator bez_aggregator_fltrust = {
    .info =
        {.name = "fltrust",
         .title = "FLTrust",
         .summary =
             "Weighs updates by their cosine with the server's own update on its golden data, scaled to its length.",
         .parameters = "",
         .tolerance = "any f, as far as the server's own update is good",
         .cost = "three passes",
         .score = "cosine with the server's own update",
         .source =
             "Cao, Fang, Liu, Gong, FLTrust: Byzantine-robust federated learning via trust bootstrapping, NDSS 2021"},
    .least = least,
    .run = run};
