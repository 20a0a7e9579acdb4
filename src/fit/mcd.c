/* Robust covariance by the minimum covariance determinant, FAST-MCD (Rousseeuw and Van Driessen 1999): C-steps from
 * many small random starts, nested subsets where there are many rows, and one reweighting step at the .975 quantile;
 * both covariances carry their consistency factors (Croux and Haesbroeck 1999).
 *
 * Columns that others determine (or that do not vary) are left out from the start: determinants over other columns
 * could not be compared. What is determined among the rows of an estimate only, its pivoted Cholesky factorisation
 * leaves out.
 *
 * A start is one task that runs alone; candidates are compared by determinant, ties by their number. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "fit/draw.h"
#include "fit/mcd_step.h"
#include "fit/median.h"
#include "math/chi_square.h"

#define SUBSET 300u
#define SUBSETS 5u
#define STARTS 100u
#define KEPT 10u
#define STEPS_FULL 2u
#define CONVERGED 2u /* candidates that go on to the end on all rows */
#define STEPS_MOST 100u
#define FAR 1e5 /* deviations: squares hide what is left of a column beside them */
#define STREAM 0x3c0d1999u

typedef struct mcd {
  const bez_outlier_params *params;
  bez_mcd_rows all, subset[SUBSETS], merged;
  uint32_t n_subsets; /* 0: starts are made on all rows */
  double support;
  bez_mcd_fit *fit; /* STARTS, then the candidates of each later stage in front */
  uint32_t n_fits;
  /* of the stage that runs */
  const bez_mcd_rows *rows;
  uint32_t steps;
} mcd;

static uint32_t half_of(const mcd *m, const bez_mcd_rows *rows) {
  double n = (double)rows->n, share = m->support;
  double h = share > 0.0 ? ceil(share * n) : ceil(0.5 * (n + rows->n_cols + 1.0));
  double least = fmin(n, (double)rows->n_cols + 1.0);
  return (uint32_t)fmax(least, fmin(h, n));
}

/* Leaves out the columns that others determine among the rows that are not far off: beside far rows nothing would be
 * left of a column that is like another. */
static bez_status drop_columns(mcd *m, bez_error *err) {
  uint32_t p = m->all.n_cols, n = 0;
  uint8_t *keep = calloc(p, 1);
  bez_mcd_fit fit = {0};
  bez_mcd_work work = {0};
  bez_status st;
  if (!keep) BEZ_TRY(bez_fail_memory(err, p));
  BEZ_TRY(bez_mcd_work_create(&m->all, &work, err));
  BEZ_TRY(bez_mcd_fit_create(&fit, p, err));
  for (uint64_t i = 0; i < m->all.n; i++)
    if (bez_mcd_farthest(&m->all, i) <= FAR) work.chosen[n++] = (uint32_t)i;
  if (n <= p) goto cleanup;
  bez_mcd_fit_rows(&m->all, work.chosen, n, &fit, m->params->cpu, &work);
  for (uint32_t k = 0; k < fit.rank; k++) keep[fit.order[k]] = 1;
  if (fit.rank > 0 && fit.rank < p) bez_mcd_rows_keep(&m->all, keep);
cleanup:
  free(keep);
  bez_mcd_fit_destroy(&fit);
  bez_mcd_work_destroy(&work);
  return st;
}

/* A start of its own: the p + 1 rows drawn, more where they lie in a plane; then two C-steps. */
static bez_status start_task(void *ctx, uint64_t task, unsigned worker, bez_error *err) {
  mcd *m = ctx;
  const bez_mcd_rows *rows = m->n_subsets ? &m->subset[task % m->n_subsets] : &m->all;
  bez_mcd_fit *fit = &m->fit[task];
  bez_rng rng = bez_rng_make(m->params->seed, ((uint64_t)STREAM << 32) + 1 + task);
  uint32_t h = half_of(m, rows), size = rows->n_cols + 1 < h ? rows->n_cols + 1 : h;
  bez_mcd_work work;
  bez_status st = bez_mcd_work_create(rows, &work, err);
  if (st != BEZ_OK) return st;
  BEZ_TRY(bez_mcd_fit_create(fit, rows->n_cols, err));
  for (uint32_t most = 5 * size < h ? 5 * size : h;; size = 2 * size < most ? 2 * size : most) {
    BEZ_TRY(bez_draw_distinct(&rng, (uint32_t)rows->n, size, work.chosen, err));
    bez_mcd_fit_rows(rows, work.chosen, size, fit, m->params->cpu, &work);
    if (fit->rank == rows->n_cols || size == most) break;
  }
  for (uint32_t step = 0; step < 2; step++) bez_mcd_step(rows, h, m->params->cpu, fit, &work);
cleanup:
  bez_mcd_work_destroy(&work);
  return st;
}

/* C-steps of one candidate on the rows of the stage, until the determinant stays or m->steps are done. */
static bez_status step_task(void *ctx, uint64_t task, unsigned worker, bez_error *err) {
  mcd *m = ctx;
  uint32_t h = half_of(m, m->rows);
  bez_mcd_work work;
  bez_status st = bez_mcd_work_create(m->rows, &work, err);
  if (st != BEZ_OK) return st;
  for (uint32_t step = 0; step < m->steps; step++) {
    if (!bez_watch_ask(m->params->watch, worker)) {
      st = bez_watch_fail(err);
      break;
    }
    double before = m->fit[task].log_det;
    bez_mcd_step(m->rows, h, m->params->cpu, &m->fit[task], &work);
    if (step > 0 && before - m->fit[task].log_det <= 1e-12) break;
  }
  bez_mcd_work_destroy(&work);
  return st;
}

static int by_determinant(const void *x, const void *y) {
  const bez_mcd_fit *a = x, *b = y;
  if (a->log_det != b->log_det) return a->log_det < b->log_det ? -1 : 1;
  return a->number < b->number ? -1 : a->number > b->number;
}

static void keep_best(mcd *m, uint32_t most) {
  for (uint32_t i = 0; i < m->n_fits; i++) m->fit[i].number = i;
  qsort(m->fit, m->n_fits, sizeof *m->fit, by_determinant);
  if (m->n_fits > most) m->n_fits = most;
}

/* The best KEPT candidates of each subset move to the front. */
static void keep_best_of_subsets(mcd *m) {
  uint32_t taken[SUBSETS] = {0}, n = 0;
  bez_mcd_fit held;
  for (uint32_t i = 0; i < m->n_fits; i++) m->fit[i].number = i;
  qsort(m->fit, m->n_fits, sizeof *m->fit, by_determinant);
  for (uint32_t i = 0; i < m->n_fits; i++) {
    if (taken[m->fit[i].number % m->n_subsets]++ >= KEPT) continue;
    held = m->fit[n];
    m->fit[n++] = m->fit[i];
    m->fit[i] = held;
  }
  m->n_fits = n;
}

static bez_status run_stage(mcd *m, const bez_mcd_rows *rows, uint32_t steps, uint32_t keep, bez_error *err) {
  m->rows = rows;
  m->steps = steps;
  bez_status st = bez_parallel_watched(m->n_fits, m->params->threads, m->params->watch, step_task, m, err);
  if (st == BEZ_OK) keep_best(m, keep);
  return st;
}

/* Disjoint subsets, and all of their rows together. */
static bez_status draw_subsets(mcd *m, bez_error *err) {
  uint32_t p = m->all.n_cols, size = 4 * (p + 1) > SUBSET ? 4 * (p + 1) : SUBSET;
  if (m->all.n < 2 * (uint64_t)size) return BEZ_OK;
  uint64_t n_subsets = m->all.n / size < SUBSETS ? m->all.n / size : SUBSETS;
  uint32_t total = (uint32_t)n_subsets * size;
  uint64_t *shuffled = malloc(total * sizeof *shuffled);
  uint32_t *row = malloc(total * sizeof *row);
  bez_status st = BEZ_OK;
  if (!row || !shuffled) {
    st = bez_fail_memory(err, total * 12);
    goto cleanup;
  }
  bez_rng rng = bez_rng_make(m->params->seed, (uint64_t)STREAM << 32);
  BEZ_TRY(bez_draw_distinct(&rng, (uint32_t)m->all.n, total, row, err));
  for (uint32_t i = 0; i < total; i++) shuffled[i] = row[i];
  bez_rng_shuffle(&rng, shuffled, total);
  for (uint32_t i = 0; i < total; i++) row[i] = (uint32_t)shuffled[i];
  for (uint32_t s = 0; s < n_subsets; s++)
    BEZ_TRY(bez_mcd_rows_take(&m->all, row + (size_t)s * size, size, &m->subset[s], err));
  BEZ_TRY(bez_mcd_rows_take(&m->all, row, total, &m->merged, err));
  m->n_subsets = (uint32_t)n_subsets;
cleanup:
  free(row);
  free(shuffled);
  return st;
}

static bez_status search(mcd *m, bez_error *err) {
  bez_status st = draw_subsets(m, err);
  if (st != BEZ_OK) return st;
  m->fit = calloc(STARTS, sizeof *m->fit);
  m->n_fits = STARTS;
  if (!m->fit) return bez_fail_memory(err, STARTS * sizeof *m->fit);
  BEZ_TRY(bez_parallel_watched(STARTS, m->params->threads, m->params->watch, start_task, m, err));
  if (m->n_subsets) {
    keep_best_of_subsets(m);
    BEZ_TRY(run_stage(m, &m->merged, 2, KEPT, err));
    BEZ_TRY(run_stage(m, &m->all, STEPS_FULL, CONVERGED, err));
  } else {
    keep_best(m, KEPT);
  }
  st = run_stage(m, &m->all, STEPS_MOST, 1, err);
cleanup:
  return st;
}

/* By how much the covariance of the nearest share of normal data is too small (Croux and Haesbroeck 1999). */
static double consistency(double df, double share) {
  if (!(share < 1.0)) return 1.0;
  return share / bez_chi_square_cdf(bez_chi_square_quantile(share, df), df + 2.0);
}

/* The rows within the .975 quantile of the corrected distances make the final estimate. */
static bez_status reweight(mcd *m, double *score, bez_error *err) {
  bez_mcd_fit *fit = &m->fit[0];
  bez_mcd_work work;
  bez_status st = bez_mcd_work_create(&m->all, &work, err);
  if (st != BEZ_OK) return st;
  uint64_t n = m->all.n;
  bez_mcd_distances(&m->all, m->params->cpu, fit, score, &work);
  double df = fit->rank ? fit->rank : 1.0, factor = consistency(df, (double)half_of(m, &m->all) / (double)n);
  double limit = bez_chi_square_quantile(0.975, df) * factor;
  uint32_t kept = 0;
  for (uint64_t i = 0; i < n; i++)
    if (score[i] < limit) work.chosen[kept++] = (uint32_t)i;
  if (kept > 0) bez_mcd_fit_rows(&m->all, work.chosen, kept, fit, m->params->cpu, &work);
  bez_mcd_distances(&m->all, m->params->cpu, fit, score, &work);
  factor = consistency(fit->rank ? fit->rank : 1.0, 0.975);
  for (uint64_t i = 0; i < n; i++) score[i] /= factor;
  bez_mcd_work_destroy(&work);
  return st;
}

bez_status bez_robust_covariance(const bez_matrix *matrix, const bez_outlier_params *params, double *score,
                                 bez_error *err) {
  bez_status st = bez_matrix_check(matrix, err);
  if (st != BEZ_OK) return st;
  if (matrix->n_cols > BEZ_MCD_COLUMNS)
    return bez_fail(err, BEZ_LIMIT, "robust covariance", "more than %u columns", BEZ_MCD_COLUMNS);
  if (!(params->support >= 0.0 && params->support <= 1.0))
    return bez_fail(err, BEZ_USAGE, "robust covariance", "the support must lie between 0 and 1");
  mcd m = {.params = params, .support = params->support};
  BEZ_TRY(bez_mcd_rows_scale(matrix, params->threads, &m.all, err));
  BEZ_TRY(drop_columns(&m, err));
  BEZ_TRY(search(&m, err));
  BEZ_TRY(reweight(&m, score, err));
cleanup:
  bez_mcd_rows_destroy(&m.all);
  bez_mcd_rows_destroy(&m.merged);
  for (uint32_t s = 0; s < SUBSETS; s++) bez_mcd_rows_destroy(&m.subset[s]);
  for (uint32_t i = 0; m.fit && i < STARTS; i++) bez_mcd_fit_destroy(&m.fit[i]);
  free(m.fit);
  return st;
}
