/* The run over the classes. */
#include "detect/embedding_classes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "base/error.h"
#include "detect/embedding_report.h"
#include "math/symeig.h"

bez_status bez_embedding_directions(const bez_rows *rows, uint32_t most, double *mean, double *vector, double *value,
                                    uint32_t *found, bez_error *err) {
  uint32_t dim = rows->dim;
  bez_team team = {.threads = 1, .cpu = BEZ_CPU_PLAIN};
  double *a = malloc((size_t)dim * dim * sizeof *a), *all = malloc(dim * sizeof *all), *scratch = NULL;
  bez_status st = BEZ_OK;
  *found = 0;
  scratch = malloc(dim * sizeof *scratch);
  if (!a || !all || !scratch) BEZ_TRY(bez_fail_memory(err, (size_t)dim * (dim + 2) * sizeof *a));
  bez_rows_mean(rows, mean);
  BEZ_TRY(bez_rows_covariance(rows, mean, NULL, &team, a, err));
  if (!bez_symeig(a, dim, all, scratch)) BEZ_TRY(bez_fail(err, BEZ_FORMAT, "embeddings", "a covariance is not finite"));
  for (uint32_t k = 0; k < dim && k < most && all[k] > 0.0; k++) {
    memcpy(vector + (size_t)k * dim, a + (size_t)k * dim, dim * sizeof *vector);
    value[(*found)++] = all[k];
  }
cleanup:
  free(a);
  free(all);
  free(scratch);
  return st;
}

typedef struct job {
  const bez_space *space;
  const bez_embedding_method *method;
  bez_embedding_class *classes;
} job;

static bez_status judge_class(void *ctx, uint64_t k, unsigned worker, bez_error *err) {
  job *j = ctx;
  if (!bez_space_judged(j->space, (uint32_t)k)) return BEZ_OK;
  bez_status st = j->method->judge(j->space, (uint32_t)k, &j->classes[k], err);
  j->classes[k].judged = st == BEZ_OK;
  return st;
}

static void tell_limits(const bez_space *s, const bez_rule *rule, bez_report *report) {
  uint32_t left = s->n_classes - s->n_judged;
  if (s->dim && left)
    bez_report_not_checked(report, false, rule->id, "%u labels of fewer than %u rows", left, BEZ_SPACE_CLASS);
  if (s->dim && s->given_dim > BEZ_SPACE_EXACT)
    bez_report_not_checked(report, false, rule->id, "vectors of %u numbers: hashed to %u first", s->given_dim,
                           BEZ_SPACE_EXACT);
  if (!s->dim) bez_report_not_checked(report, false, rule->id, "the vectors do not vary, or there are too few");
}

bez_status bez_embedding_detect(const bez_detect_input *in, const bez_embedding_method *method, bez_report *report,
                                bez_error *err) {
  const bez_space *s;
  bez_embedding_class *classes = NULL;
  double *numbers = NULL;
  uint8_t *side = NULL;
  bez_status st;
  BEZ_TRY(bez_shared_space(in, &s, err));
  tell_limits(s, method->rule, report);
  if (!s->dim || !s->n_judged) goto cleanup;
  classes = calloc(s->n_classes, sizeof *classes);
  numbers = calloc((size_t)s->n * 2, sizeof *numbers);
  side = calloc(s->n, 1);
  if (!classes || !numbers || !side) BEZ_TRY(bez_fail_memory(err, (size_t)s->n * 17));
  for (uint32_t k = 0; k < s->n_classes; k++) {
    classes[k].score = numbers + s->first[k];
    classes[k].along = numbers + s->n + s->first[k];
    classes[k].side = side + s->first[k];
  }
  bez_watch watch = bez_detect_watch(in, method->stage, "classes");
  job j = {.space = s, .method = method, .classes = classes};
  BEZ_TRY(bez_parallel_watched(s->n_classes, in->threads, &watch, judge_class, &j, err));
  if (method->compare) method->compare(s, classes);
  BEZ_TRY(bez_embedding_report(in, s, method, classes, report, err));
  st = bez_report_status(report, err);
cleanup:
  free(classes);
  free(numbers);
  free(side);
  return st;
}
