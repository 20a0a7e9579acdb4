/* BZ-D003: numbers whose rows all carry one label. Neighbouring numbers tell what label to expect, the column's other
 * numbers how far a number moves the label by nature (an age hardly does, a capital gain often decides it). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "detect/value_spikes.h"
#include "math/logit_normal.h"
#include "math/tails.h"

#define ROWS_LEAST 12u
#define PURITY_LEAST 0.85 /* some rows may hold the number by nature */
#define SHARE_MOST 0.05   /* of all rows: more is a default value */
#define TARGET_MOST 0.95  /* a label of nearly all rows is no evidence */
#define DONORS_LEAST 20u
#define DISTINCT_LEAST 10u /* fewer numbers do not tell what the column does by nature */
#define WINDOW 10u         /* neighbours by rank on either side */
#define SMOOTHING 20.0     /* rows of the column's share added to the neighbours */
#define TARGETS_MANY 64u   /* of more labels only those of a hundredth of the rows are asked */
#define FITTED_ALL 8000u   /* numbers fitted over all labels together … */
#define FITTED_MOST 1000u  /* numbers that the column's habit is fitted to */
#define LOG_P_PLAIN (-1.0) /* ln of a tail that needs no explanation */
#define N_HABITS 10u
#define CELLS_MOST (1u << 24)

static const double habits[N_HABITS] = {.1, .15, .25, .35, .5, .7, 1, 1.4, 2, 2.8};

/* One numeric column against the labels. */
typedef struct by_label {
  bez_counted numbers;
  uint32_t *index; /* per code: its number */
  uint32_t *rows;  /* numbers × labels */
  uint32_t n_labels;
  uint64_t n_tested;       /* numbers in enough rows to be judged */
  uint64_t n_pure;         /* those among them that fix a label, of all labels that may be a target */
  double *local;           /* per number: share of the target among its neighbours, log-odds */
  double fitted[N_HABITS]; /* log likelihood of each habit over the fitted numbers */
  size_t step;             /* every step-th number is fitted */
} by_label;

typedef struct found {
  bez_odd_value *odd;
  size_t n, room;
} found;

static void by_label_free(by_label *b) {
  bez_counted_free(&b->numbers);
  free(b->index);
  free(b->rows);
  free(b->local);
}

static bez_status by_label_make(const bez_detect_input *in, const bez_column *col, by_label *b, bez_error *err) {
  const bez_column *label = &in->table->cols[in->label];
  b->n_labels = label->n_values;
  b->index = malloc(((size_t)col->n_values + 1) * sizeof *b->index);
  b->rows = calloc(b->numbers.n * b->n_labels + 1, sizeof *b->rows);
  b->local = malloc((b->numbers.n + 1) * sizeof *b->local);
  if (!b->index || !b->rows || !b->local) return bez_fail_memory(err, b->numbers.n * b->n_labels * sizeof *b->rows);
  for (uint32_t code = 0; code < col->n_values; code++) b->index[code] = UINT32_MAX;
  for (size_t i = 0; i < b->numbers.n; i++)
    for (uint32_t code = b->numbers.code[i]; code < b->numbers.code[i + 1]; code++) b->index[code] = (uint32_t)i;
  memset(b->numbers.count, 0, b->numbers.n * sizeof *b->numbers.count); /* rows with a label only */
  b->numbers.total = 0;
  for (uint64_t row = 0; row < in->table->n_rows; row++) {
    uint32_t at = b->index[bez_code(col, row)], carried = bez_code(label, row);
    if (at == UINT32_MAX || carried < BEZ_CODE_FIRST) continue;
    b->rows[(size_t)at * b->n_labels + carried]++;
    b->numbers.count[at]++;
    b->numbers.total++;
  }
  return BEZ_OK;
}

static uint32_t rows_of(const by_label *b, size_t i, uint32_t target) {
  return b->rows[i * b->n_labels + target];
}

static bool is_pure(const by_label *b, size_t i, uint32_t target) {
  double n = (double)b->numbers.count[i];
  return n >= ROWS_LEAST && b->numbers.value[i] != 0 && rows_of(b, i, target) >= PURITY_LEAST * n &&
         n <= SHARE_MOST * (double)b->numbers.total + 100;
}

/* Log-odds of the target in the ten numbers on either side. */
static void find_local(by_label *b, uint32_t target) {
  uint64_t all = 0, n = 0, k = 0; /* n and k over the numbers [lo, hi) */
  for (size_t i = 0; i < b->numbers.n; i++) all += rows_of(b, i, target);
  double share = (double)all / (double)b->numbers.total;
  size_t lo = 0, hi = 0;
  for (size_t i = 0; i < b->numbers.n; i++) {
    for (; hi < b->numbers.n && hi <= i + WINDOW; hi++) n += b->numbers.count[hi], k += rows_of(b, hi, target);
    for (; lo + WINDOW < i; lo++) n -= b->numbers.count[lo], k -= rows_of(b, lo, target);
    double near = (double)(n - b->numbers.count[i]), of_target = (double)(k - rows_of(b, i, target));
    double p = fmin(fmax((of_target + SMOOTHING * share) / (near + SMOOTHING), 1e-4), 1 - 1e-4);
    b->local[i] = log(p / (1 - p));
  }
}

static void fit_habit(by_label *b, uint32_t target) {
  memset(b->fitted, 0, sizeof b->fitted);
  size_t most = b->n_labels > FITTED_ALL / FITTED_MOST
                    ? FITTED_ALL / (b->n_labels < TARGETS_MANY ? b->n_labels : TARGETS_MANY)
                    : FITTED_MOST;
  b->step = b->numbers.n / most + 1;
  for (size_t i = 0; i < b->numbers.n; i += b->step)
    for (uint32_t h = 0; b->numbers.count[i] >= 2 && h < N_HABITS; h++)
      b->fitted[h] += bez_logit_normal_log_mass(rows_of(b, i, target), b->numbers.count[i], b->local[i], habits[h]);
}

/* The tail of this number's labels, averaged over the habits as the column's other numbers weigh them. */
static double log_tail(const by_label *b, size_t i, uint32_t target, double *habit) {
  uint64_t n = b->numbers.count[i], k = rows_of(b, i, target);
  *habit = NAN;
  if (bez_binomial_log_sf(k, n, 1 / (1 + exp(-b->local[i]))) > LOG_P_PLAIN) return 0; /* the neighbours do so too */
  double weight[N_HABITS], most = -INFINITY, sum = 0, tail = 0;
  for (uint32_t h = 0; h < N_HABITS; h++) {
    bool own = i % b->step == 0;
    weight[h] = b->fitted[h] - (own ? bez_logit_normal_log_mass(k, n, b->local[i], habits[h]) : 0);
    most = fmax(most, weight[h]);
  }
  for (uint32_t h = 0; h < N_HABITS; h++) sum += weight[h] = exp(weight[h] - most);
  *habit = 0;
  for (uint32_t h = 0; h < N_HABITS; h++) {
    *habit += weight[h] / sum * habits[h];
    if (weight[h] / sum < 1e-12) continue;
    tail += weight[h] / sum * exp(bez_logit_normal_log_sf(k, n, b->local[i], habits[h]));
  }
  return log(fmax(tail, 1e-300));
}

static int strongest_first(const void *x, const void *y) {
  const bez_odd_value *p = x, *q = y;
  if (p->log_p != q->log_p) return p->log_p < q->log_p ? -1 : 1;
  if (p->col != q->col) return p->col < q->col ? -1 : 1;
  return p->from < q->from ? -1 : p->from > q->from;
}

/* Keeps the strongest BEZ_ODD_MOST: room for twice as many, halved whenever it is full. */
static bez_status keep(found *f, const bez_odd_value *odd, bez_error *err) {
  if (f->room == 0) {
    f->odd = malloc(2 * BEZ_ODD_MOST * sizeof *f->odd);
    if (!f->odd) return bez_fail_memory(err, 2 * BEZ_ODD_MOST * sizeof *f->odd);
    f->room = 2 * BEZ_ODD_MOST;
  }
  if (f->n == f->room) {
    qsort(f->odd, f->n, sizeof *f->odd, strongest_first);
    f->n = BEZ_ODD_MOST;
  }
  f->odd[f->n++] = *odd;
  return BEZ_OK;
}

static uint64_t count_pure(const by_label *b, uint32_t target) {
  uint64_t n = 0;
  for (size_t i = 0; i < b->numbers.n; i++) n += is_pure(b, i, target);
  return n;
}

static bez_status find_for(by_label *b, uint32_t col_at, uint32_t target, found *f, bez_error *err) {
  if (count_pure(b, target) == 0) return BEZ_OK;
  find_local(b, target);
  fit_habit(b, target);
  for (size_t i = 0; i < b->numbers.n; i++) {
    if (!is_pure(b, i, target)) continue;
    bez_odd_value odd = {.col = col_at,
                         .from = b->numbers.code[i],
                         .to = b->numbers.code[i + 1],
                         .target = target,
                         .value = b->numbers.value[i],
                         .rows = b->numbers.count[i],
                         .of_target = rows_of(b, i, target),
                         .peers = b->n_pure - 1,
                         .local = 1 / (1 + exp(-b->local[i])),
                         .kind = NAN};
    odd.log_p = log_tail(b, i, target, &odd.habit) + log((double)b->n_tested);
    bez_status st = keep(f, &odd, err);
    if (st != BEZ_OK) return st;
  }
  return BEZ_OK;
}

static bool may_be_target(const bez_detect_input *in, uint32_t target) {
  uint64_t rows = in->table->cols[in->label].count[target], n_rows = in->table->n_rows;
  if (in->table->cols[in->label].n_values > TARGETS_MANY && rows < n_rows / 100) return false;
  return rows > 0 && n_rows - rows >= DONORS_LEAST && (double)rows <= TARGET_MOST * (double)n_rows;
}

static bez_status find_in_column(const bez_detect_input *in, bez_report *report, uint32_t col_at, found *f,
                                 bez_error *err) {
  const bez_column *col = &in->table->cols[col_at], *label = &in->table->cols[in->label];
  by_label b = {0};
  bez_status st;
  BEZ_TRY(bez_counted_make(col, &b.numbers, err));
  if (b.numbers.n < DISTINCT_LEAST) goto cleanup;
  if (b.numbers.n * label->n_values > CELLS_MOST) {
    bez_report_not_checked(report, false, "BZ-D003 labels", "%s has more values times labels than %u", col->name,
                           CELLS_MOST);
    goto cleanup;
  }
  BEZ_TRY(by_label_make(in, col, &b, err));
  for (size_t i = 0; i < b.numbers.n; i++) b.n_tested += b.numbers.count[i] >= ROWS_LEAST;
  for (uint32_t target = BEZ_CODE_FIRST; target < label->n_values; target++)
    if (may_be_target(in, target)) b.n_pure += count_pure(&b, target);
  for (uint32_t target = BEZ_CODE_FIRST; target < label->n_values && b.n_pure > 0; target++)
    if (may_be_target(in, target)) BEZ_TRY(find_for(&b, col_at, target, f, err));
cleanup:
  by_label_free(&b);
  return st;
}

bez_status bez_odd_values_find(const bez_detect_input *in, bez_report *report, bez_odd_value **out, size_t *n,
                               bez_error *err) {
  found f = {0};
  bez_status st = BEZ_OK;
  for (uint32_t i = 0; i < in->n_features; i++) {
    const bez_column *col = &in->table->cols[in->features[i]];
    if (col->type != BEZ_COL_NUMERIC || col->width == 0 || !col->number) continue;
    if (in->progress && !in->progress(in->progress_ctx, "labels of numbers", "columns", i, in->n_features))
      st = bez_fail(err, BEZ_CANCELLED, "BZ-D003", "cancelled");
    if (st == BEZ_OK) st = find_in_column(in, report, in->features[i], &f, err);
    if (st != BEZ_OK) break;
  }
  if (st != BEZ_OK) {
    free(f.odd);
    f = (found){0};
  }
  if (f.n > 0) qsort(f.odd, f.n, sizeof *f.odd, strongest_first);
  *out = f.odd;
  *n = f.n < BEZ_ODD_MOST ? f.n : BEZ_ODD_MOST;
  return st;
}
