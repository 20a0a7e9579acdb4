/* Incidents: findings of any detector that name the same rows are one event seen from several sides.
 *
 * Two findings belong together when they share at least half the rows of the smaller one and a fifth of all their
 * rows; the relation is closed transitively. The evidence of each finding is kept; the incident takes its title from
 * the strongest (the first in report order). Suppressed findings and findings without rows stay outside; ranked lists
 * found no incident, but may stand beside one (incident_lists.c).
 *
 * Common rows are counted by one k-way merge over the ascending row lists, so memory does not grow with the rows. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "scan/scan.h"

/* A row that very many findings share says nothing about any two of them; it would cost their square. */
#define MAX_PER_ROW 64u

typedef struct pair_count {
  uint64_t key; /* (a << 32 | b) + 1, a < b; 0 empty */
  uint64_t rows;
} pair_count;

typedef struct merger {
  bez_finding **member; /* in report order */
  uint32_t n;
  uint64_t *next; /* per member: next row to look at */
  uint32_t *heap; /* members by their next row */
  uint32_t n_heap;
  uint32_t *parent;  /* union-find, the root is the strongest member */
  pair_count *pairs; /* open addressing, power of two */
  size_t cap_pairs, n_pairs;
} merger;

static uint64_t head(const merger *m, uint32_t i) {
  return m->member[i]->rows[m->next[i]].row;
}

static bool before(const merger *m, uint32_t a, uint32_t b) {
  uint64_t ra = head(m, a), rb = head(m, b);
  return ra != rb ? ra < rb : a < b;
}

static void sift_down(merger *m, uint32_t at) {
  for (;;) {
    uint32_t least = at, left = 2 * at + 1, right = left + 1;
    if (left < m->n_heap && before(m, m->heap[left], m->heap[least])) least = left;
    if (right < m->n_heap && before(m, m->heap[right], m->heap[least])) least = right;
    if (least == at) return;
    uint32_t t = m->heap[at];
    m->heap[at] = m->heap[least];
    m->heap[least] = t;
    at = least;
  }
}

/* Takes the least row's member off the heap, moves it on and puts it back while it has rows left. */
static uint32_t pop(merger *m) {
  uint32_t i = m->heap[0];
  m->next[i]++;
  if (m->next[i] >= m->member[i]->n_rows) m->heap[0] = m->heap[--m->n_heap];
  if (m->n_heap) sift_down(m, 0);
  return i;
}

static uint32_t root(merger *m, uint32_t i) {
  while (m->parent[i] != i) i = m->parent[i] = m->parent[m->parent[i]];
  return i;
}

static bez_status grow_pairs(merger *m, bez_error *err) {
  if (2 * m->n_pairs < m->cap_pairs) return BEZ_OK;
  size_t cap = m->cap_pairs ? 2 * m->cap_pairs : 256;
  pair_count *pairs = calloc(cap, sizeof *pairs);
  if (!pairs) return bez_fail_memory(err, cap * sizeof *pairs);
  for (size_t i = 0; i < m->cap_pairs; i++) {
    if (!m->pairs[i].key) continue;
    size_t at = bez_mix64(m->pairs[i].key) & (cap - 1);
    while (pairs[at].key) at = (at + 1) & (cap - 1);
    pairs[at] = m->pairs[i];
  }
  free(m->pairs);
  m->pairs = pairs;
  m->cap_pairs = cap;
  return BEZ_OK;
}

static bez_status count_pair(merger *m, uint32_t a, uint32_t b, bez_error *err) {
  bez_status st = grow_pairs(m, err);
  if (st != BEZ_OK) return st;
  uint64_t key = (((uint64_t)a << 32) | b) + 1;
  size_t at = bez_mix64(key) & (m->cap_pairs - 1);
  while (m->pairs[at].key && m->pairs[at].key != key) at = (at + 1) & (m->cap_pairs - 1);
  if (!m->pairs[at].key) m->n_pairs++;
  m->pairs[at].key = key;
  m->pairs[at].rows++;
  return BEZ_OK;
}

static bez_status count_pairs(merger *m, bez_error *err) {
  for (uint32_t i = 0; i < m->n; i++) m->heap[m->n_heap++] = i;
  for (uint32_t i = m->n_heap / 2; i-- > 0;) sift_down(m, i);
  while (m->n_heap) {
    uint32_t same[MAX_PER_ROW], n_same = 0;
    uint64_t row = head(m, m->heap[0]);
    while (m->n_heap && head(m, m->heap[0]) == row) {
      uint32_t i = pop(m);
      /* a finding that lists one row twice counts once; members come in ascending order here */
      if (n_same < MAX_PER_ROW && (!n_same || same[n_same - 1] != i)) same[n_same++] = i;
    }
    for (uint32_t a = 0; a < n_same; a++)
      for (uint32_t b = a + 1; b < n_same; b++) {
        bez_status st = count_pair(m, same[a], same[b], err);
        if (st != BEZ_OK) return st;
      }
  }
  return BEZ_OK;
}

static bool together(const merger *m, uint32_t a, uint32_t b, uint64_t common) {
  uint64_t na = m->member[a]->n_rows, nb = m->member[b]->n_rows;
  uint64_t least = na < nb ? na : nb;
  return 2 * common >= least && 5 * common >= na + nb - common;
}

static void unite(merger *m) {
  for (size_t i = 0; i < m->cap_pairs; i++) {
    if (!m->pairs[i].key) continue;
    uint64_t key = m->pairs[i].key - 1;
    uint32_t a = (uint32_t)(key >> 32), b = (uint32_t)key;
    if (!together(m, a, b, m->pairs[i].rows)) continue;
    a = root(m, a), b = root(m, b);
    if (a < b) m->parent[b] = a;
    if (b < a) m->parent[a] = b;
  }
}

/* Rows that at least one member of the incident names. */
static bez_status count_rows(merger *m, bez_incident *incidents, bez_error *err) {
  memset(m->next, 0, m->n * sizeof *m->next);
  uint64_t *last = malloc((m->n + 1) * sizeof *last); /* per incident: row counted last, + 1 */
  if (!last) return bez_fail_memory(err, m->n * sizeof *last);
  memset(last, 0, (m->n + 1) * sizeof *last);
  for (uint32_t i = 0; i < m->n; i++) m->heap[m->n_heap++] = i;
  for (uint32_t i = m->n_heap / 2; i-- > 0;) sift_down(m, i);
  while (m->n_heap) {
    uint64_t row = head(m, m->heap[0]);
    uint32_t id = m->member[pop(m)]->incident;
    if (last[id] != row + 1) incidents[id - 1].n_rows++;
    last[id] = row + 1;
  }
  free(last);
  return BEZ_OK;
}

static bez_status number(merger *m, bez_report *report, bez_error *err) {
  if (!m->n) return BEZ_OK;
  bez_incident *incidents = bez_arena_array(&report->arena, m->n, sizeof *incidents);
  if (!incidents) return bez_fail_memory(err, m->n * sizeof *incidents);
  uint32_t n = 0;
  for (uint32_t i = 0; i < m->n; i++) {
    uint32_t r = root(m, i);
    bez_finding *f = m->member[i];
    if (r == i) {
      incidents[n] =
          (bez_incident){.id = n + 1, .severity = f->severity, .title = f->title ? f->title : f->rule->title};
      f->incident = ++n;
    } else {
      f->incident = m->member[r]->incident;
      bez_incident *incident = &incidents[f->incident - 1];
      if (f->severity > incident->severity) incident->severity = f->severity;
    }
  }
  report->incidents = incidents;
  report->n_incidents = n;
  return count_rows(m, incidents, err);
}

bez_status bez_scan_incidents(bez_report *report, bez_error *err) {
  merger m = {0};
  bez_status st = BEZ_OK;
  size_t n = report->n_findings + 1;
  m.member = calloc(n, sizeof *m.member);
  m.next = calloc(n, sizeof *m.next);
  m.heap = calloc(n, sizeof *m.heap);
  m.parent = calloc(n, sizeof *m.parent);
  if (!m.member || !m.next || !m.heap || !m.parent) BEZ_TRY(bez_fail_memory(err, n * sizeof *m.member));
  for (size_t i = 0; i < report->n_findings; i++) {
    bez_finding *f = report->findings[i];
    f->incident = 0;
    if (f->ranked_list || f->suppressed || !f->n_rows) continue;
    m.parent[m.n] = m.n;
    m.member[m.n++] = f;
  }
  BEZ_TRY(count_pairs(&m, err));
  unite(&m);
  BEZ_TRY(number(&m, report, err));
  BEZ_TRY(bez_scan_place_lists(report, err));
cleanup:
  free(m.member);
  free(m.next);
  free(m.heap);
  free(m.parent);
  free(m.pairs);
  return st;
}
