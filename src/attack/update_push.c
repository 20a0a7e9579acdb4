/* The frame of min-max and min-sum (Shejwalkar and Houmansadr, NDSS 2021): m = mean + γ·∇, ∇ the negative of
 *   std   the standard deviation per coordinate,
 *   unit  the mean, of length 1,
 *   sign  the sign of the mean,
 * with γ by their search: it starts at gamma, the step is half of that and is halved each time, upwards after a γ that
 * holds and downwards after one that does not, until it is within the tolerance of the last one that held. γ therefore
 * ends below 2·gamma. unit and sign have the scale of γ, so that large updates may need a larger gamma; std has not. */
#include <math.h>
#include <stdlib.h>

#include "attack/updates.h"
#include "base/error.h"

enum { DEVIATION_STD, DEVIATION_UNIT, DEVIATION_SIGN };

double bez_push_square(const bez_push *p, double gamma, size_t i) {
  return fmax(0, p->apart[i] + 2 * gamma * p->along[i] + gamma * gamma * p->length);
}

static void set_direction(const bez_honest_updates *h, uint32_t deviation, double *direction) {
  const double length = sqrt(bez_dot(h->mean, h->mean, h->d));
  if (deviation == DEVIATION_STD) bez_honest_deviation(h, direction);
  for (size_t j = 0; j < h->d; j++) {
    double mean = h->mean[j];
    if (deviation == DEVIATION_STD)
      direction[j] = -direction[j];
    else if (deviation == DEVIATION_UNIT)
      direction[j] = length > 0 ? -mean / length : 0;
    else
      direction[j] = (double)((mean < 0) - (mean > 0));
  }
}

static bez_status make_push(const bez_honest_updates *h, uint32_t deviation, bez_push *p, bez_error *err) {
  p->direction = calloc(h->d, sizeof(double));
  p->apart = calloc(h->n, sizeof(double));
  p->along = calloc(h->n, sizeof(double));
  if (!p->direction || !p->apart || !p->along) return bez_fail_memory(err, (h->d + 2 * h->n) * sizeof(double));
  set_direction(h, deviation, p->direction);
  p->length = bez_dot(p->direction, p->direction, h->d);
  for (size_t i = 0; i < h->n; i++)
    for (size_t j = 0; j < h->d; j++) {
      double off = h->mean[j] - h->row[i * h->d + j];
      p->apart[i] += off * off;
      p->along[i] += off * p->direction[j];
    }
  return BEZ_OK;
}

static double search(const bez_honest_updates *h, const bez_push *p, const double *square, bez_push_within within,
                     double gamma, double tolerance) {
  double step = gamma / 2, good = 0;
  /* Below gamma · 2^-60 a step changes nothing any more. */
  for (int round = 0; round < 60 && fabs(good - gamma) > tolerance; round++, step /= 2) {
    if (within(h, p, square, gamma)) {
      good = gamma;
      gamma += step;
    } else {
      gamma -= step;
    }
  }
  return good;
}

bez_status bez_craft_push(const bez_attack_input *in, bez_push_within within, double *out, bez_error *err) {
  bez_status st = BEZ_OK;
  const bez_honest_updates *h = in->honest;
  bez_push push = {0};
  double *square = NULL, gamma = 10, tolerance = 1e-5;
  uint32_t deviation = DEVIATION_STD;
  BEZ_TRY(bez_attack_params_known(in, "deviation gamma tolerance", err));
  BEZ_TRY(bez_attack_choice(in, "deviation", "std unit sign", &deviation, err));
  BEZ_TRY(bez_attack_number(in, "gamma", 1e-100, 1e30, &gamma, err));
  BEZ_TRY(bez_attack_number(in, "tolerance", 0, 1e30, &tolerance, err));
  BEZ_TRY(bez_honest_distances(h, &square, err));
  BEZ_TRY(make_push(h, deviation, &push, err));
  gamma = search(h, &push, square, within, gamma, tolerance);
  for (size_t j = 0; j < h->d; j++) out[j] = h->mean[j] + gamma * push.direction[j];
  bez_craft_same(in, out);
cleanup:
  free(square);
  free(push.direction);
  free(push.apart);
  free(push.along);
  return st;
}
