/* The finding: title, evidence, rows. */
#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "detect/label_contradiction.h"
#include "detect/shared.h"

const char *bez_lco_value_text(const bez_detect_input *in, bez_report *report, uint32_t feature, uint32_t code,
                               bool quoted) {
  const bez_column *col = &in->table->cols[in->features[feature]];
  size_t len;
  const char *value = bez_value(col, code, &len);
  if (code == BEZ_CODE_MISSING) return bez_arena_printf(&report->arena, quoted ? "%s missing" : "%s=", col->name);
  bool number = col->type == BEZ_COL_NUMERIC || !quoted;
  return bez_arena_printf(&report->arena, number ? "%s=%.*s" : "%s=\"%.*s\"", col->name, (int)len, value);
}

static const char *label_text(const bez_detect_input *in, bez_report *report, uint32_t code) {
  size_t len;
  const char *value = bez_value(&in->table->cols[in->label], code, &len);
  return bez_arena_strndup(&report->arena, value, len);
}

/* "a=1 and b=2 and c=3", or the canonical "a=1 & b=2 & c=3". */
static const char *pattern_text(const bez_detect_input *in, bez_report *report, const bez_lco_pattern *p, bool quoted) {
  const char *text = "";
  for (uint32_t j = 0; j < p->k && text; j++) {
    const char *one = bez_lco_value_text(in, report, p->col[j], p->code[j], quoted);
    if (!one) return NULL;
    text = j ? bez_arena_printf(&report->arena, "%s %s %s", text, quoted ? "and" : "&", one) : one;
  }
  return text;
}

/* The other class that the columns outside the pattern favour at a row. Two classes: the other one. */
static bez_status suggest(const bez_lco_view *v, const bez_lco_pattern *p, uint64_t row, uint32_t *code,
                          bez_error *err) {
  const bez_column *label = &v->in->table->cols[v->in->label];
  double best = -INFINITY;
  *code = BEZ_CODE_MISSING;
  if (label->n_values == BEZ_CODE_FIRST + 2) {
    *code = p->target == BEZ_CODE_FIRST ? BEZ_CODE_FIRST + 1 : BEZ_CODE_FIRST;
    return BEZ_OK;
  }
  double *coef = malloc(((size_t)v->woe->n_cols + 1) * sizeof *coef);
  if (!coef) return bez_fail_memory(err, v->woe->n_cols * sizeof *coef);
  bez_status st = BEZ_OK;
  uint32_t n_tried = 0;
  for (uint32_t c = BEZ_CODE_FIRST; c < label->n_values && n_tried < 50 && st == BEZ_OK; c++) {
    const bez_woe *woe;
    double score;
    if (c == p->target || label->count[c] < 8) continue;
    n_tried++;
    st = bez_shared_woe(v->in, c, &woe, err);
    if (st != BEZ_OK) break;
    bez_woe_leave_out(woe, p->col, p->k, coef);
    bez_woe_scores(woe, v->in->table, coef, row, 1, &score);
    if (score > best) best = score, *code = c;
  }
  free(coef);
  return st;
}

static bez_status add_rows(const bez_lco_view *v, const bez_lco_pattern *p, double q, bez_report *report,
                           bez_finding *f, const char **says, bez_error *err) {
  bez_status st = BEZ_OK;
  const bez_detect_input *in = v->in;
  uint32_t n_values = in->table->cols[in->label].n_values, top = BEZ_CODE_FIRST;
  bez_row_hit *hit = calloc(p->n_rows ? p->n_rows : 1, sizeof *hit);
  const char **name = calloc(n_values, sizeof *name);
  uint64_t *votes = calloc(n_values, sizeof *votes);
  if (!hit || !name || !votes) BEZ_TRY(bez_fail_memory(err, p->n_rows * sizeof *hit));
  for (uint64_t i = 0; i < p->n_rows; i++) {
    uint32_t code;
    BEZ_TRY(suggest(v, p, p->row[i], &code, err));
    votes[code]++;
    if (!name[code]) name[code] = label_text(in, report, code);
    hit[i] = (bez_row_hit){.row = bez_global_row(in->table, p->row[i]), .score = (double)p->c[i], .q = q};
    hit[i].label = f->target;
    hit[i].suggested = code == BEZ_CODE_MISSING ? NULL : name[code];
    if (votes[code] > votes[top]) top = code;
  }
  *says = name[top];
  bez_finding_rows(report, f, hit, p->n_rows);
cleanup:
  free(hit);
  free(name);
  free(votes);
  return st;
}

static void add_evidence(const bez_lco_view *v, const bez_lco_patterns *patterns, const bez_lco_pattern *p,
                         uint32_t effect, bez_report *report, bez_finding *f) {
  const char *names = "";
  for (uint32_t j = 0; j < p->k && names; j++)
    names = bez_arena_printf(&report->arena, "%s%s%s", names, j ? ", " : "",
                             v->in->table->cols[v->in->features[p->col[j]]].name);
  bez_finding_number(report, f, "support", p->n);
  bez_finding_number(report, f, "target_rows", p->n_target);
  bez_finding_number(report, f, "purity", p->n > 0 ? p->n_target / p->n : 0);
  bez_finding_number(report, f, "expected_target_share", p->n > 0 ? p->expected / p->n : 0);
  bez_finding_number(report, f, "contradiction", p->t);
  bez_finding_number(report, f, "rows_evidence", p->rows_llr);
  bez_finding_number(report, f, "labels_evidence", p->labels_llr[effect]);
  bez_finding_number(report, f, "rows_of_a_kind", p->kind);
  bez_finding_number(report, f, "rows_of_a_kind_z", p->kind_sd > 0 ? p->kind / p->kind_sd : 0);
  bez_finding_number(report, f, "natural_effect_sd", pow(1.5, effect));
  bez_finding_number(report, f, "patterns_tested", (double)patterns->tested);
  if (names) bez_finding_text(report, f, "left_out_columns", "%s", names);
}

bez_status bez_lco_show(const bez_lco_view *view, const bez_lco_patterns *patterns, const bez_lco_pattern *p,
                        uint32_t effect, const uint64_t *flagged, bez_report *report, bez_error *err) {
  const bez_detect_input *in = view->in;
  double q = bez_lco_q(p->strength, patterns->tested);
  const char *says = NULL, *target = label_text(in, report, p->target);
  const char *shown = pattern_text(in, report, p, true), *canonical = pattern_text(in, report, p, false);
  bool sure =
      q <= BEZ_LCO_Q_ERROR && p->strength >= BEZ_LCO_STRENGTH_ERROR && p->labels_llr[effect] >= BEZ_LCO_LABELS_ERROR;
  bez_finding *f =
      bez_report_add(report, &bez_detector_label_contradiction.rule, sure ? BEZ_SEV_ERROR : BEZ_SEV_WARNING);
  if (!f || !target || !shown || !canonical) return bez_fail_memory(err, p->n_rows);
  bez_finding_subject(report, f, canonical, target);
  bez_status st = add_rows(view, p, q, report, f, &says, err);
  if (st != BEZ_OK) return st;
  unsigned long long n = (unsigned long long)p->n_rows;
  if (says)
    bez_finding_title(report, f, "%llu rows with %s carry \"%s\" although the other columns say \"%s\"", n, shown,
                      target, says);
  else
    bez_finding_title(report, f, "%llu rows with %s carry \"%s\" although the other columns say otherwise", n, shown,
                      target);
  f->score = p->strength;
  f->p_value = exp(-p->strength);
  f->q_value = q;
  add_evidence(view, patterns, p, effect, report, f);
  return bez_lco_exhibits(view, p, flagged, report, f, err);
}
