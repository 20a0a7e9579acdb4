/* The provenance of a version from that of its parent: what is equal keeps its origin, what only moved is found again
 * by its raw digest, all else is new. */
#include "content/provenance.h"

#include <string.h>

#include "base/error.h"
#include "content/provenance_runs.h"
#include "content/records.h"

enum { KEY = 16, ANONYMOUS = 96 << 20 };

typedef struct stretch { /* of the diff */
  uint64_t old_row, n_old, new_row, n_new;
  uint64_t moved_away, moved_here;
  bool same;
} stretch;

/* Rows that went and rows that came: the first 16 bytes of the raw digest, the row's number as big-endian bytes. That
 * is enough: whoever wants a row of theirs to pass for an older one needs a second preimage. */
typedef struct row_record {
  uint8_t key[KEY], row[8];
} row_record;

typedef struct move_record {
  uint8_t new_row[8], old_row[8]; /* big endian */
} move_record;

typedef struct maker {
  bez_budget budget;
  bez_records stretches, went, came, moves, runs; /* runs: bez_run, of the parent */
} maker;

static void put_be64(uint8_t out[8], uint64_t value) {
  value = __builtin_bswap64(value);
  memcpy(out, &value, sizeof value);
}

static uint64_t get_be64(const uint8_t bytes[8]) {
  uint64_t value;
  memcpy(&value, bytes, sizeof value);
  return __builtin_bswap64(value);
}

static bez_status add_rows(bez_records *records, const bez_diff_row *rows, uint64_t n, bez_error *err) {
  bez_status st = BEZ_OK;
  for (uint64_t i = 0; i < n && st == BEZ_OK; i++) {
    row_record record;
    memcpy(record.key, rows[i].raw, KEY);
    put_be64(record.row, rows[i].row);
    st = bez_records_add(records, &record, err);
  }
  return st;
}

static bez_status take_hunk(void *ctx, const bez_hunk *hunk, bez_error *err) {
  maker *m = ctx;
  stretch s = {.old_row = hunk->old_row, .n_old = hunk->n_old, .new_row = hunk->new_row, .n_new = hunk->n_new};
  s.same = hunk->kind == BEZ_HUNK_SAME;
  bez_status st = bez_records_add(&m->stretches, &s, err);
  if (st == BEZ_OK && !s.same) st = add_rows(&m->went, hunk->old_rows, hunk->n_old, err);
  if (st == BEZ_OK && !s.same) st = add_rows(&m->came, hunk->new_rows, hunk->n_new, err);
  return st;
}

static bez_status take_run(void *ctx, const bez_run *run, bez_error *err) {
  return bez_records_add(ctx, run, err);
}

/* The stretch that an old (new) row lies in: the last that begins at or before it and is not empty on that side. */
static stretch *stretch_of(const bez_records *stretches, uint64_t row, bool of_new) {
  size_t low = 0, high = stretches->n;
  while (low + 1 < high) {
    size_t mid = (low + high) / 2;
    const stretch *s = bez_record(stretches, mid);
    if ((of_new ? s->new_row : s->old_row) <= row)
      low = mid;
    else
      high = mid;
  }
  return bez_record(stretches, low);
}

/* Rows that went and came again somewhere else, in pairs; of several alike the first with the first. */
static bez_status find_moves(maker *m, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_records_sort(&m->went);
  bez_records_sort(&m->came);
  for (size_t i = 0, j = 0; i < m->went.n && j < m->came.n && st == BEZ_OK;) {
    const row_record *a = bez_record(&m->went, i), *b = bez_record(&m->came, j);
    int order = memcmp(a->key, b->key, KEY);
    if (order <= 0) i++;
    if (order >= 0) j++;
    if (order) continue;
    move_record move;
    memcpy(move.new_row, b->row, 8);
    memcpy(move.old_row, a->row, 8);
    stretch_of(&m->stretches, get_be64(b->row), true)->moved_here++;
    stretch_of(&m->stretches, get_be64(a->row), false)->moved_away++;
    st = bez_records_add(&m->moves, &move, err);
  }
  bez_records_sort(&m->moves);
  return st;
}

static const bez_run *run_of(const bez_records *runs, uint64_t row) {
  size_t low = 0, high = runs->n;
  while (low + 1 < high) {
    size_t mid = (low + high) / 2;
    if (((const bez_run *)bez_record(runs, mid))->row <= row)
      low = mid;
    else
      high = mid;
  }
  return bez_record(runs, low);
}

static bez_status write_same(const maker *m, const stretch *s, bez_run_writer *writer, bez_error *err) {
  bez_status st = BEZ_OK;
  const bez_run *run = run_of(&m->runs, s->old_row);
  for (uint64_t row = s->old_row, end = row + s->n_old; row < end && st == BEZ_OK; run++) {
    uint64_t to = run->row + run->n_rows < end ? run->row + run->n_rows : end;
    st = bez_run_writer_add(writer, to - row, run->batch, err);
    row = to;
  }
  return st;
}

/* move: the next one; those of this stretch are passed. */
static bez_status write_change(const maker *m, const stretch *s, bez_batch batch, size_t *move, bez_run_writer *writer,
                               bez_error *err) {
  bez_status st = BEZ_OK;
  uint64_t row = s->new_row, end = row + s->n_new;
  for (; *move < m->moves.n && st == BEZ_OK; (*move)++) {
    const move_record *moved = bez_record(&m->moves, *move);
    uint64_t to = get_be64(moved->new_row);
    if (to >= end) break;
    st = bez_run_writer_add(writer, to - row, batch, err);
    if (st == BEZ_OK) st = bez_run_writer_add(writer, 1, run_of(&m->runs, get_be64(moved->old_row))->batch, err);
    row = to + 1;
  }
  return st == BEZ_OK ? bez_run_writer_add(writer, end - row, batch, err) : st;
}

static void count_changes(const stretch *s, bez_changes *changes) {
  uint64_t went = s->n_old - s->moved_away, came = s->n_new - s->moved_here;
  uint64_t changed = went < came ? went : came;
  changes->changed += changed;
  changes->removed += went - changed;
  changes->added += came - changed;
  changes->moved += s->moved_here;
}

static bez_status write_all(const maker *m, bez_batch batch, bez_run_writer *writer, bez_changes *changes,
                            bez_error *err) {
  bez_status st = BEZ_OK;
  size_t move = 0;
  for (size_t i = 0; i < m->stretches.n && st == BEZ_OK; i++) {
    const stretch *s = bez_record(&m->stretches, i);
    if (s->same) {
      st = write_same(m, s, writer, err);
    } else {
      count_changes(s, changes);
      st = write_change(m, s, batch, &move, writer, err);
    }
  }
  return st;
}

static bez_status compare(const bez_objects *objects, const bez_tree *old_rows, const bez_tree *old,
                          const bez_tree *rows, maker *m, bez_error *err) {
  bez_status st = bez_provenance_each(objects, old, take_run, &m->runs, err);
  if (st == BEZ_OK) st = bez_tree_diff(objects, old_rows, rows, take_hunk, NULL, m, err);
  return st == BEZ_OK ? find_moves(m, err) : st;
}

bez_status bez_provenance_make(const bez_objects *objects, bez_pack *pack, bez_sipkey key, const bez_tree *old_rows,
                               const bez_tree *old, const bez_tree *rows, bez_batch batch, bez_tree *out,
                               bez_changes *changes, bez_error *err) {
  maker m = {.budget = {.bytes = ANONYMOUS}};
  bez_run_writer writer = {0};
  bez_status st = BEZ_OK;
  uint64_t n_old = old_rows->height ? old_rows->top.rows : 0, n = rows->height ? rows->top.rows : 0;
  *changes = (bez_changes){0};
  bez_records_init(&m.stretches, sizeof(stretch), &m.budget);
  bez_records_init(&m.went, sizeof(row_record), &m.budget);
  bez_records_init(&m.came, sizeof(row_record), &m.budget);
  bez_records_init(&m.moves, sizeof(move_record), &m.budget);
  bez_records_init(&m.runs, sizeof(bez_run), &m.budget);
  if ((old->height ? old->top.rows : 0) != n_old)
    BEZ_TRY(bez_fail(err, BEZ_FORMAT, NULL, "the provenance of the version before is of another number of rows"));
  BEZ_TRY(bez_run_writer_begin(&writer, pack, key, err));
  if (n_old) {
    BEZ_TRY(compare(objects, old_rows, old, rows, &m, err));
    BEZ_TRY(write_all(&m, batch, &writer, changes, err));
  } else {
    changes->added = n;
    BEZ_TRY(bez_run_writer_add(&writer, n, batch, err));
  }
  BEZ_TRY(bez_run_writer_finish(&writer, out, err));
cleanup:
  bez_run_writer_free(&writer);
  bez_records_free(&m.stretches);
  bez_records_free(&m.went);
  bez_records_free(&m.came);
  bez_records_free(&m.moves);
  bez_records_free(&m.runs);
  return st;
}
