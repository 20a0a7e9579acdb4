/* Trees of all versions against what they hold. Nodes are walked in order; leaves are gathered in rounds, fetched and
 * computed anew by threads, and compared with what the tree says of them. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "base/error.h"
#include "base/threads.h"
#include "content/ingest_parts.h"
#include "content/sorted_leaf.h"
#include "crypto/sha256.h"
#include "vault/verify.h"
#include "vault/verify_memo.h"

#define ROUND 2048u             /* leaves at a time … */
#define ROUND_BYTES (32u << 20) /* … unless they are large */
#define TILE 16u
#define NODES 128u /* nodes above leaves that are read at a time */
#define NO_FORM 0u /* before the first file */

/* A form that rows stand under, as FILE items say it. */
typedef struct form_in_force {
  uint8_t identity[32];
  bez_form_use use;
} form_in_force;

typedef enum event_kind { EVENT_LEAF, EVENT_ENTER, EVENT_LEAVE } event_kind;

typedef struct event {
  event_kind kind;
  size_t leaf; /* LEAF: its number in the round */
  bez_id node; /* ENTER */
} event;

typedef struct leaf_job {
  bez_tree_entry entry;
  bez_tree_place place;
  bez_buf bytes;
  bez_cursor file; /* the last FILE item's body; data NULL: none */
  uint32_t form;   /* where it begins */
  uint64_t sum;
  bez_status st;
  bez_error err;
} leaf_job;

typedef struct entered { /* a node whose end has not been met */
  bez_id id;
  uint32_t before;
  uint64_t sum;
  bool whole;
} entered;

/* What the walk met, in its order; nodes above leaves are read together later. */
typedef enum step_kind { STEP_ENTER, STEP_LEAVE, STEP_NODE, STEP_LEAF } step_kind;

typedef struct step {
  step_kind kind;
  size_t node;          /* NODE: its number among those that are read together */
  bez_tree_entry entry; /* not of LEAVE */
  bez_tree_place place;
} step;

typedef struct node_job {
  bez_tree_entry entry;
  bez_tree_node node;
  bez_status st;
  bez_error err;
  bez_buf scratch;
} node_job;

struct bez_tree_check {
  bez_verify *v;
  const bez_objects *objects;
  bez_tree_kind kind;
  bez_verify_place at; /* the version */
  bez_tree_place place;
  form_in_force *forms; /* number 0 is none */
  uint32_t n_forms, cap_forms, form;
  bez_canonical **canonical; /* per thread */
  unsigned threads;
  uint32_t cpu;
  node_job nodes[NODES];
  size_t n_nodes;
  step *steps;
  size_t n_steps, cap_steps;
  leaf_job jobs[ROUND];
  size_t n_jobs;
  uint64_t job_bytes;
  event *events;
  size_t n_events, cap_events;
  entered stack[BEZ_TREE_HEIGHT];
  unsigned depth;
  uint64_t sum;
  bool whole;
  bez_memo memo;
  bez_buf scratch;
};

bez_status bez_tree_check_create(bez_verify *v, const bez_objects *objects, bez_tree_kind kind, bez_tree_check **out,
                                 bez_error *err) {
  bez_tree_check *check = calloc(1, sizeof *check);
  if (!check) return bez_fail_memory(err, sizeof *check);
  *check = (bez_tree_check){.v = v, .objects = objects, .kind = kind, .n_forms = 1, .cpu = bez_cpu_features()};
  check->threads = v->threads ? v->threads : bez_cpu_count();
  check->canonical = calloc(check->threads, sizeof(bez_canonical *));
  bez_status st = check->canonical ? BEZ_OK : bez_fail_memory(err, check->threads * sizeof(bez_canonical *));
  for (unsigned i = 0; i < check->threads && st == BEZ_OK; i++) st = bez_canonical_create(&check->canonical[i], err);
  if (st != BEZ_OK) {
    bez_tree_check_free(check);
    return st;
  }
  *out = check;
  return BEZ_OK;
}

void bez_tree_check_free(bez_tree_check *check) {
  if (!check) return;
  for (unsigned i = 0; check->canonical && i < check->threads; i++) bez_canonical_free(check->canonical[i]);
  for (uint32_t i = 1; i < check->n_forms; i++) bez_form_close(&check->forms[i].use);
  for (size_t i = 0; i < ROUND; i++) bez_buf_free(&check->jobs[i].bytes);
  for (size_t i = 0; i < NODES; i++) bez_buf_free(&check->nodes[i].scratch);
  free(check->steps);
  free(check->canonical);
  free(check->forms);
  free(check->events);
  bez_memo_free(&check->memo);
  bez_buf_free(&check->scratch);
  free(check);
}

/* The number of the form that a FILE item's body says; the same body is the same form. */
static bez_status form_number(bez_tree_check *check, const bez_cursor *body, uint32_t *number, bez_error *err) {
  uint8_t identity[32];
  bez_sha256(body->data, body->len, identity);
  for (uint32_t i = 1; i < check->n_forms; i++)
    if (memcmp(check->forms[i].identity, identity, 32) == 0) {
      *number = i;
      return BEZ_OK;
    }
  if (check->n_forms >= check->cap_forms) {
    uint32_t cap = check->cap_forms ? check->cap_forms * 2 : 8;
    form_in_force *forms = realloc(check->forms, cap * sizeof *forms);
    if (!forms) return bez_fail_memory(err, cap * sizeof *forms);
    check->forms = forms;
    check->cap_forms = cap;
  }
  form_in_force *form = &check->forms[check->n_forms];
  *form = (form_in_force){0};
  memcpy(form->identity, identity, 32);
  bez_status st = bez_form_open_json((const char *)body->data, body->len, &form->use, err);
  if (st == BEZ_OK) *number = check->n_forms++;
  return st;
}

static bez_status add_event(bez_tree_check *check, const event *e, bez_error *err) {
  if (check->n_events == check->cap_events) {
    size_t cap = check->cap_events ? check->cap_events * 2 : 1024;
    event *events = realloc(check->events, cap * sizeof *events);
    if (!events) return bez_fail_memory(err, cap * sizeof *events);
    check->events = events;
    check->cap_events = cap;
  }
  check->events[check->n_events++] = *e;
  return BEZ_OK;
}

static void find_last_file(leaf_job *job) {
  bez_cursor c = {(const uint8_t *)job->bytes.data, job->bytes.len, 0};
  bez_item item;
  job->file = (bez_cursor){0};
  while (bez_cursor_left(&c) && bez_item_next(&c, &item))
    if (item.type == BEZ_ITEM_FILE) job->file = (bez_cursor){(const uint8_t *)item.body, item.body_len, 0};
}

static void fetch(bez_tree_check *check, leaf_job *job) {
  job->err = (bez_error){.line = -1, .offset = -1};
  job->st = BEZ_OK;
  job->sum = 0;
  job->file = (bez_cursor){0};
  if (!check->v->full) {
    if (!bez_objects_has(check->objects, &job->entry.id))
      job->st = bez_objects_get(check->objects, BEZ_OBJECT_LEAF, &job->entry.id, &job->bytes, &job->err);
    return;
  }
  job->st = bez_objects_get(check->objects, BEZ_OBJECT_LEAF, &job->entry.id, &job->bytes, &job->err);
  if (job->st == BEZ_OK && check->kind == BEZ_TREE_ROWS) find_last_file(job);
}

static bez_status fetch_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  (void)worker, (void)err;
  bez_tree_check *check = ctx;
  for (size_t i = tile * TILE; i < check->n_jobs && i < (tile + 1) * TILE; i++) fetch(check, &check->jobs[i]);
  return BEZ_OK;
}

static void compute_rows(bez_tree_check *check, leaf_job *job, unsigned worker) {
  bez_tree_entry entry = {.id = job->entry.id};
  uint8_t canonical[BEZ_LEAF_ITEMS][32];
  const bez_form_use *use = job->form == NO_FORM ? NULL : &check->forms[job->form].use;
  job->st =
      bez_leaf_digest(job->bytes.data, job->bytes.len, use, check->canonical[worker], &entry, canonical, &job->err);
  if (job->st != BEZ_OK) return;
  const bez_tree_entry *said = &job->entry;
  if (memcmp(entry.root, said->root, 32) != 0 || entry.items != said->items || entry.rows != said->rows ||
      entry.bytes != said->bytes)
    job->st = bez_fail(&job->err, BEZ_FORMAT, "leaf", "the rows are not those whose digests the tree holds");
  for (uint64_t i = 0; i < entry.rows; i++) job->sum += bez_siphash(check->v->sums, canonical[i], 32);
}

static void compute_sorted(bez_tree_check *check, leaf_job *job) {
  bez_sorted_leaf leaf;
  job->st = bez_sorted_leaf_parse_by(check->cpu, job->bytes.data, job->bytes.len, &job->entry, &leaf, &job->err);
  for (size_t i = 0; job->st == BEZ_OK && i < leaf.n; i++)
    job->sum += leaf.counts[i] * bez_siphash(check->v->sums, leaf.digests[i], 32);
}

static bez_status compute_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  (void)err;
  bez_tree_check *check = ctx;
  for (size_t i = tile * TILE; i < check->n_jobs && i < (tile + 1) * TILE; i++) {
    leaf_job *job = &check->jobs[i];
    if (job->st == BEZ_OK && check->kind == BEZ_TREE_ROWS) compute_rows(check, job, worker);
    if (job->st == BEZ_OK && check->kind == BEZ_TREE_SORTED) compute_sorted(check, job);
  }
  return BEZ_OK;
}

/* Forms in force where the round's leaves begin. */
static bez_status assign_forms(bez_tree_check *check, bez_error *err) {
  uint32_t form = check->form;
  for (size_t i = 0; i < check->n_events; i++) {
    const event *e = &check->events[i];
    if (e->kind != EVENT_LEAF) continue;
    leaf_job *job = &check->jobs[e->leaf];
    job->form = form;
    if (!job->file.data) continue;
    bez_error why = {.line = -1, .offset = -1};
    bez_status st = form_number(check, &job->file, &form, &why);
    if (st == BEZ_MEMORY) return bez_fail_memory(err, 0);
    if (st == BEZ_OK) continue;
    job->st = st;
    job->err = why;
  }
  return BEZ_OK;
}

static bez_status settle_leaf(bez_tree_check *check, const leaf_job *job, bez_error *err) {
  bez_verify *v = check->v;
  v->leaves++;
  if (check->kind == BEZ_TREE_ROWS) {
    v->rows += job->entry.rows;
    v->row_bytes += job->bytes.len;
  }
  check->sum += job->sum;
  if (job->st == BEZ_OK) return BEZ_OK;
  check->whole = false;
  bez_verify_place place = check->at;
  place.row = job->place.row;
  place.n_rows = job->entry.rows;
  return bez_verify_tell_error(v, job->st, &job->err, &job->entry.id, &place, err);
}

static bez_status settle(bez_tree_check *check, const event *e, bez_error *err) {
  if (e->kind == EVENT_LEAF) {
    leaf_job *job = &check->jobs[e->leaf];
    bez_status st = settle_leaf(check, job, err);
    if (st != BEZ_OK || !job->file.data) return st;
    return job->st == BEZ_OK ? form_number(check, &job->file, &check->form, err) : BEZ_OK;
  }
  if (e->kind == EVENT_ENTER) {
    check->stack[check->depth++] = (entered){e->node, check->form, check->sum, check->whole};
    check->whole = true;
    return BEZ_OK;
  }
  entered *node = &check->stack[--check->depth];
  bez_memo_item item = {node->id, node->before, check->form, check->sum - node->sum};
  bez_status st = check->whole ? bez_memo_add(&check->memo, &item, err) : BEZ_OK;
  check->whole = check->whole && node->whole;
  return st;
}

/* The leaves gathered so far are looked at. */
static bez_status run_round(bez_tree_check *check, bez_error *err) {
  const uint64_t tiles = (check->n_jobs + TILE - 1) / TILE;
  const unsigned threads = tiles < 4 ? 1 : check->threads;
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_parallel(tiles, threads, fetch_tile, check, err));
  BEZ_TRY(assign_forms(check, err));
  if (check->v->full) BEZ_TRY(bez_parallel(tiles, threads, compute_tile, check, err));
  for (size_t i = 0; i < check->n_events; i++) BEZ_TRY(settle(check, &check->events[i], err));
  if (check->v->progress && !check->v->progress(check->v->progress_ctx, "rows", "rows", check->v->rows, 0))
    BEZ_TRY(bez_fail(err, BEZ_CANCELLED, NULL, "cancelled"));
cleanup:
  for (size_t i = 0; i < check->n_jobs; i++)
    if (check->jobs[i].bytes.cap > (1u << 17)) bez_buf_free(&check->jobs[i].bytes);
  check->n_jobs = check->n_events = 0;
  check->job_bytes = 0;
  return st;
}

static void pass(bez_tree_place *place, const bez_tree_entry *entry) {
  place->item += entry->items;
  place->row += entry->rows;
  place->byte += entry->bytes;
}

static bez_status take_leaf(bez_tree_check *check, const bez_tree_entry *entry, const bez_tree_place *place,
                            bez_error *err) {
  leaf_job *job = &check->jobs[check->n_jobs];
  job->entry = *entry;
  job->place = *place;
  bez_status st = add_event(check, &(event){.kind = EVENT_LEAF, .leaf = check->n_jobs}, err);
  check->n_jobs++;
  check->job_bytes += entry->bytes;
  if (st == BEZ_OK && (check->n_jobs == ROUND || check->job_bytes >= ROUND_BYTES)) st = run_round(check, err);
  return st;
}

/* A node that cannot be read: all rows below it are damaged. What comes before it is settled first, so that the damage
 * falls into this node and those above it. */
static bez_status tell_node(bez_tree_check *check, const bez_tree_entry *entry, uint64_t row, bez_status failed,
                            const bez_error *why, bez_error *err) {
  bez_verify_place place = check->at;
  place.row = row;
  place.n_rows = entry->rows;
  bez_status st = run_round(check, err);
  check->whole = false;
  return st == BEZ_OK ? bez_verify_tell_error(check->v, failed, why, &entry->id, &place, err) : st;
}

static bez_status take_node(bez_tree_check *check, const step *at, bez_error *err) {
  const node_job *job = &check->nodes[at->node];
  bez_tree_place place = at->place;
  bez_status st = BEZ_OK;
  BEZ_TRY(add_event(check, &(event){.kind = EVENT_ENTER, .node = at->entry.id}, err));
  if (job->st != BEZ_OK) BEZ_TRY(tell_node(check, &at->entry, place.row, job->st, &job->err, err));
  for (size_t i = 0; job->st == BEZ_OK && i < job->node.n; i++) {
    BEZ_TRY(take_leaf(check, &job->node.entries[i], &place, err));
    pass(&place, &job->node.entries[i]);
  }
  BEZ_TRY(add_event(check, &(event){.kind = EVENT_LEAVE}, err));
cleanup:
  return st;
}

static bez_status take_step(bez_tree_check *check, const step *at, bez_error *err) {
  if (at->kind == STEP_NODE) return take_node(check, at, err);
  if (at->kind == STEP_LEAF) return take_leaf(check, &at->entry, &at->place, err);
  const event e = {.kind = at->kind == STEP_ENTER ? EVENT_ENTER : EVENT_LEAVE, .node = at->entry.id};
  return add_event(check, &e, err);
}

static bez_status read_nodes_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  (void)worker, (void)err;
  bez_tree_check *check = ctx;
  for (size_t i = tile * TILE; i < check->n_nodes && i < (tile + 1) * TILE; i++) {
    node_job *job = &check->nodes[i];
    job->err = (bez_error){.line = -1, .offset = -1};
    job->st = bez_tree_node_read(check->objects, check->kind, &job->entry, &job->scratch, &job->node, &job->err);
  }
  return BEZ_OK;
}

/* All that the walk met so far is looked at. */
static bez_status drain(bez_tree_check *check, bez_error *err) {
  const uint64_t tiles = (check->n_nodes + TILE - 1) / TILE;
  bez_status st = bez_parallel(tiles, tiles < 4 ? 1 : check->threads, read_nodes_tile, check, err);
  for (size_t i = 0; i < check->n_steps && st == BEZ_OK; i++) st = take_step(check, &check->steps[i], err);
  check->n_steps = check->n_nodes = 0;
  return st == BEZ_OK ? run_round(check, err) : st;
}

static bez_status add_step(bez_tree_check *check, step_kind kind, const bez_tree_entry *entry, bez_error *err) {
  if (check->n_steps == check->cap_steps) {
    size_t cap = check->cap_steps ? check->cap_steps * 2 : 256;
    step *steps = realloc(check->steps, cap * sizeof *steps);
    if (!steps) return bez_fail_memory(err, cap * sizeof *steps);
    check->steps = steps;
    check->cap_steps = cap;
  }
  step *at = &check->steps[check->n_steps++];
  *at = (step){.kind = kind, .place = check->place};
  if (entry) at->entry = *entry;
  if (kind != STEP_NODE) return BEZ_OK;
  at->node = check->n_nodes;
  check->nodes[check->n_nodes++].entry = *entry;
  return check->n_nodes == NODES ? drain(check, err) : BEZ_OK;
}

/* Whether the node was looked at before, under the same form. That form is known once all before it is looked at. */
static bez_status skip_known(bez_tree_check *check, const bez_tree_entry *entry, bool *known, bez_error *err) {
  *known = false;
  if (!bez_memo_has(&check->memo, &entry->id)) return BEZ_OK;
  bez_status st = drain(check, err);
  const bez_memo_item *item = st == BEZ_OK ? bez_memo_find(&check->memo, &entry->id, check->form) : NULL;
  if (!item) return st;
  *known = true;
  pass(&check->place, entry);
  check->form = item->after;
  check->sum += item->sum;
  return BEZ_OK;
}

static bez_status visit(bez_tree_check *check, const bez_tree_entry *entry, unsigned height, bez_error *err);

static bez_status visit_node(bez_tree_check *check, const bez_tree_entry *entry, unsigned height, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_error why = {.line = -1, .offset = -1};
  bez_tree_node *node = malloc(sizeof *node);
  if (!node) return bez_fail_memory(err, sizeof *node);
  BEZ_TRY(add_step(check, STEP_ENTER, entry, err));
  bez_status got = bez_tree_node_read(check->objects, check->kind, entry, &check->scratch, node, &why);
  if (got != BEZ_OK) {
    BEZ_TRY(drain(check, err));
    BEZ_TRY(tell_node(check, entry, check->place.row, got, &why, err));
    pass(&check->place, entry);
  }
  for (size_t i = 0; got == BEZ_OK && i < node->n; i++) BEZ_TRY(visit(check, &node->entries[i], height - 1, err));
  BEZ_TRY(add_step(check, STEP_LEAVE, NULL, err));
cleanup:
  free(node);
  return st;
}

static bez_status visit(bez_tree_check *check, const bez_tree_entry *entry, unsigned height, bez_error *err) {
  bool known = false;
  bez_status st = height > 1 ? skip_known(check, entry, &known, err) : BEZ_OK;
  if (st != BEZ_OK || known) return st;
  if (height > 2) return visit_node(check, entry, height, err);
  st = add_step(check, height == 2 ? STEP_NODE : STEP_LEAF, entry, err);
  pass(&check->place, entry);
  return st;
}

bez_status bez_tree_check_version(bez_tree_check *check, const bez_tree *tree, const bez_verify_place *place,
                                  uint64_t *sum, bool *whole, bez_error *err) {
  bez_status st = BEZ_OK;
  check->at = *place;
  check->place = (bez_tree_place){0};
  check->form = NO_FORM;
  check->sum = 0;
  check->whole = true;
  check->depth = 0;
  if (tree->height > BEZ_TREE_HEIGHT) return bez_fail(err, BEZ_INTERNAL, NULL, "a tree that was not opened");
  if (tree->height) st = visit(check, &tree->top, tree->height, err);
  if (st == BEZ_OK) st = drain(check, err);
  *sum = check->sum;
  *whole = check->whole;
  return st;
}
