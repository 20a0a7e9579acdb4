/* Findings gathered by incident. */
#include "report/groups.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

static bool leads(const bez_finding *a, const bez_finding *b) {
  if (a->severity != b->severity) return a->severity > b->severity;
  int order = strcmp(a->rule->id, b->rule->id);
  return order ? order < 0 : strcmp(a->fingerprint, b->fingerprint) < 0;
}

static void describe(const bez_report *report, bez_group *g) {
  if (g->n_members == 0) return;
  g->lead = g->member[0];
  for (size_t i = 0; i < g->n_members; i++) {
    const bez_finding *f = g->member[i];
    bool active = bez_finding_active(report, f);
    if (active && !g->active) {
      g->active = true;
      g->severity = BEZ_SEV_NOTE;
      g->lead = f;
    }
    if (active == g->active) {
      if (f->severity > g->severity) g->severity = f->severity;
      if (leads(f, g->lead)) g->lead = f;
    }
    g->is_new |= f->is_new;
  }
  g->title = g->incident ? g->incident->title : g->lead->title;
  g->n_rows = g->incident ? g->incident->n_rows : g->lead->n_rows;
}

static int by_weight(const void *a, const void *b) {
  const bez_group *x = a, *y = b;
  if (x->active != y->active) return x->active ? -1 : 1;
  if (x->severity != y->severity) return x->severity < y->severity ? 1 : -1;
  return (x->member > y->member) - (x->member < y->member); /* first appearance */
}

/* Where an incident's members lie in the storage. */
typedef struct bez_place {
  size_t count, next;
  bool begun;
} bez_place;

/* Members of one incident side by side, groups in the order of their first finding. place: one per incident, and
 * place[0] for findings of none. */
static void gather(const bez_report *report, bez_groups *out, bez_place *place) {
  size_t at = 0;
  for (size_t i = 0; i < report->n_findings; i++) {
    uint32_t id = report->findings[i]->incident;
    if (id <= report->n_incidents) place[id].count++;
  }
  for (size_t i = 0; i < report->n_findings; i++) {
    uint32_t id = report->findings[i]->incident;
    bool alone = id == 0 || id > report->n_incidents;
    bez_place single = {.count = 1}, *p = alone ? &single : &place[id];
    if (!p->begun) {
      out->item[out->n++] = (bez_group){
          .member = out->members + at, .n_members = p->count, .incident = alone ? NULL : &report->incidents[id - 1]};
      p->begun = true;
      p->next = at;
      at += p->count;
    }
    out->members[p->next++] = report->findings[i];
  }
  for (size_t i = 0; i < out->n; i++) describe(report, &out->item[i]);
}

bez_status bez_groups_make(const bez_report *report, bez_groups *out, bez_error *err) {
  size_t n = report->n_findings;
  *out = (bez_groups){0};
  out->item = calloc(n + 1, sizeof *out->item);
  out->members = calloc(n + 1, sizeof *out->members);
  bez_place *place = calloc(report->n_incidents + 1, sizeof *place);
  if (!out->item || !out->members || !place) {
    bez_groups_free(out);
    free(place);
    return bez_fail_memory(err, n * sizeof *out->item);
  }
  gather(report, out, place);
  free(place);
  qsort(out->item, out->n, sizeof *out->item, by_weight);
  for (size_t i = 0; i < out->n; i++) out->n_active += out->item[i].active;
  return BEZ_OK;
}

void bez_groups_free(bez_groups *groups) {
  free(groups->item);
  free((void *)groups->members);
  *groups = (bez_groups){0};
}
