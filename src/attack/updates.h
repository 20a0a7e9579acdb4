/* What several attacks on model updates use. Updates are changes to the global model, in double; all attackers of one
 * call work together and see every honest update. */
#ifndef BEZ_ATTACK_UPDATES_H
#define BEZ_ATTACK_UPDATES_H

#include "attack/plan.h"

/* The whole number behind "key=" within [low, high]; *value stays where there is none. */
BEZ_MUST_USE bez_status bez_craft_whole(const bez_attack_input *in, const char *key, size_t low, size_t high,
                                        size_t *value, bez_error *err);

/* Copies the first update of out to the others: attackers who all send the same. */
void bez_craft_same(const bez_attack_input *in, double *out);

/* out = factor · mean of the honest updates, for every attacker. */
void bez_craft_scaled_mean(const bez_attack_input *in, double factor, double *out);

/* sd: d numbers, the population standard deviation of the honest updates per coordinate. */
void bez_honest_deviation(const bez_honest_updates *honest, double *sd);

/* *square: n × n squared Euclidean distances between honest updates, the caller's to free. O(n² d). */
BEZ_MUST_USE bez_status bez_honest_distances(const bez_honest_updates *honest, double **square, bez_error *err);

double bez_dot(const double *a, const double *b, size_t d);

/* Shejwalkar and Houmansadr's frame: every attacker sends mean − γ·p, for a deviation p by the parameter `deviation`
 * and the largest γ that their halving search finds within(…) to allow. */
typedef struct bez_push {
  double *direction; /* d: −p */
  double *apart;     /* n: |mean − honest i|² */
  double *along;     /* n: (mean − honest i)·direction */
  double length;     /* |direction|² */
} bez_push;

/* The squared distance of mean + γ·direction to honest update i. */
double bez_push_square(const bez_push *push, double gamma, size_t i);

typedef bool (*bez_push_within)(const bez_honest_updates *honest, const bez_push *push, const double *square,
                                double gamma);
#define BEZ_PUSH_PARAMETERS                                                                                            \
  "deviation: std (default), unit or sign; gamma: where the search starts (10), it ends below twice that; tolerance: " \
  "of gamma (1e-5)"
BEZ_MUST_USE bez_status bez_craft_push(const bez_attack_input *in, bez_push_within within, double *out, bez_error *err);

/* The honest mean with numbers replaced by `value`, at all coordinates or at the parameter count='s seeded choice.
 * against: with the sign that opposes the mean there. */
BEZ_MUST_USE bez_status bez_craft_value(const bez_attack_input *in, double value, bool against, double *out,
                                        bez_error *err);

#endif
