/* Reading a CSV file: dialect, header, then tiles in parallel.
 *
 * Tiles are cut at fixed bytes, and each guesses where its first record begins (behind a line end that leads into a
 * record of the usual width). When all are read, their ends are followed from the first: a tile that did not begin
 * where the one before it ended is taken back and read again from there. So the rows are those of one pass from the
 * start, whatever was guessed and however many threads there are. */
#include "format/csv.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/cpu.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/threads.h"
#include "format/csv_read.h"
#include "format/csv_tile.h"
#include "format/csv_walk.h"
#include "format/reader.h"

#define TILE_BYTES (1u << 20)
#define PROFILE_BYTES (8u << 20)
#define SHARD_TILE_BYTES (1u << 16) /* of files that are read in one go: so that they can be cut finely */

static int sniff(const uint8_t *head, size_t len, const char *extension) {
  if (len == 0) return 1;
  bool named = !strcmp(extension, "csv") || !strcmp(extension, "tsv") || !strcmp(extension, "tab");
  bool utf16 = len >= 2 && ((head[0] == 0xff && head[1] == 0xfe) || (head[0] == 0xfe && head[1] == 0xff));
  if (utf16) return named ? 50 : 0; /* to be refused by name */
  size_t odd = 0;
  for (size_t i = 0; i < len; i++) odd += head[i] < 32 && head[i] != '\t' && head[i] != '\n' && head[i] != '\r';
  if (odd * 10 > len) return 0;
  if (odd) return named ? 20 : 0;
  return named ? 50 : 30;
}

/* Names of the columns from the first record: empty ones and repeated ones get a number. */
static bez_status declare(const bez_csv_dialect *d, const bez_csv_record *first, bez_builder *builder, const char *path,
                          bez_error *err) {
  uint32_t n = first->n, repeated = 0;
  bez_arena arena = {0};
  const char **names = bez_arena_array(&arena, n, sizeof *names);
  bez_status st = names ? BEZ_OK : bez_fail_memory(err, n * sizeof *names);
  for (uint32_t c = 0; st == BEZ_OK && c < n; c++) {
    const bez_csv_cell *cell = &first->cells[c];
    char *name = NULL;
    if (!d->header || cell->len == 0) {
      name = bez_arena_printf(&arena, "col%u", c + 1);
    } else if ((name = bez_arena_strndup(&arena, cell->begin, cell->len)) != NULL && cell->escaped) {
      name[bez_csv_unescape(cell, name)] = 0;
    }
    names[c] = name;
    if (!name) st = bez_fail_memory(err, cell->len);
  }
  if (st == BEZ_OK) st = bez_csv_number_repeated(&arena, names, n, &repeated, err);
  if (st == BEZ_OK) st = bez_builder_columns(builder, path, names, NULL, n, err);
  if (st == BEZ_OK && repeated && bez_builder_at_start(builder))
    bez_builder_remark(builder, "duplicate-column", path, repeated, 1, "");
  bez_arena_free(&arena);
  return st;
}

typedef struct name_ref {
  const char *name;
  uint32_t col;
} name_ref;

static int by_name(const void *a, const void *b) {
  const name_ref *x = a, *y = b;
  int d = strcmp(x->name, y->name);
  return d ? d : x->col < y->col ? -1 : x->col > y->col;
}

bez_status bez_csv_number_repeated(bez_arena *arena, const char **names, uint32_t n, uint32_t *repeated,
                                   bez_error *err) {
  *repeated = 0;
  name_ref *refs = malloc(n * sizeof *refs);
  if (!refs) return bez_fail_memory(err, n * sizeof *refs);
  for (uint32_t c = 0; c < n; c++) refs[c] = (name_ref){names[c], c};
  qsort(refs, n, sizeof *refs, by_name);
  bez_status st = BEZ_OK;
  for (uint32_t i = 1; i < n && st == BEZ_OK; i++) {
    if (strcmp(refs[i].name, refs[i - 1].name)) continue;
    names[refs[i].col] = bez_arena_printf(arena, "%s#%u", refs[i].name, refs[i].col + 1);
    if (!names[refs[i].col]) st = bez_fail_memory(err, strlen(refs[i].name));
    ++*repeated;
  }
  free(refs);
  return st;
}

typedef struct job {
  bez_csv_plan plan;
  bez_csv_tile *tiles;
  uint64_t n_tiles, n_first; /* n_first: read before all others */
  uint64_t from, to;         /* the tiles of this part of the file … */
  uint64_t start;            /* … and where the first record in them begins */
  uint64_t data_start, tile_bytes;
  bez_csv_hand *hands;
  _Atomic uint64_t bytes_done;
  bez_progress_fn progress;
  void *progress_ctx;
} job;

/* The header; leaves data_start behind it. */
static bez_status read_header(job *j, bez_error *err) {
  bez_csv_walk walk;
  const bez_source *source = j->plan.source;
  bez_status st = bez_csv_walk_open(source, &walk, err);
  if (st != BEZ_OK) return st;
  do st = bez_csv_walk_next(&walk, err);
  while (st == BEZ_OK && !walk.done && walk.record.n == 0);
  if (st == BEZ_OK && walk.done)
    st = bez_fail_at(err, BEZ_FORMAT, source->path, 1, 0, "the file holds only empty lines");
  if (st == BEZ_OK) {
    walk.dialect.n_cols = walk.record.n;
    j->plan.dialect = walk.dialect;
    j->data_start = walk.offset + (walk.dialect.header ? walk.raw_len : 0);
    st = declare(&walk.dialect, &walk.record, j->plan.builder, source->path, err);
  }
  bez_csv_walk_close(&walk);
  return st;
}

static bez_status cut_tiles(job *j, bez_error *err) {
  uint64_t bytes = j->plan.source->size - j->data_start;
  if (bez_builder_sharded(j->plan.builder) && bytes <= PROFILE_BYTES && j->tile_bytes == TILE_BYTES)
    j->tile_bytes = SHARD_TILE_BYTES;
  j->n_tiles = (bytes + j->tile_bytes - 1) / j->tile_bytes;
  j->tiles = calloc(j->n_tiles + 1, sizeof *j->tiles);
  j->hands = calloc(bez_builder_threads(j->plan.builder), sizeof *j->hands);
  if (!j->tiles || !j->hands) return bez_fail_memory(err, j->n_tiles * sizeof *j->tiles);
  for (uint64_t k = 0; k < j->n_tiles; k++) {
    j->tiles[k].low = j->data_start + k * j->tile_bytes;
    j->tiles[k].high = k + 1 < j->n_tiles ? j->tiles[k].low + j->tile_bytes : j->plan.source->size;
  }
  return BEZ_OK;
}

static bez_status read_one(void *ctx, uint64_t i, unsigned worker, bez_error *err) {
  job *j = ctx;
  uint64_t k = i + (j->n_first > j->from ? j->n_first : j->from);
  uint64_t start = k == j->from ? j->start : BEZ_CSV_GUESS;
  if (k == j->from && start >= j->tiles[k].high) return BEZ_OK; /* joining says that no record begins here */
  bez_status st = bez_csv_read_tile(&j->plan, &j->hands[worker], k, worker, start, &j->tiles[k], err);
  uint64_t done = atomic_fetch_add(&j->bytes_done, j->tiles[k].high - j->tiles[k].low);
  if (st == BEZ_OK && worker == 0 && j->progress &&
      !j->progress(j->progress_ctx, "reading", "bytes", done, j->plan.source->size))
    return bez_fail(err, BEZ_CANCELLED, j->plan.source->path, "cancelled");
  return st;
}

/* The first tiles one after another, then the plan for the rest. A small file is read in one go. */
static bez_status read_first(job *j, uint64_t bytes, bez_error *err) {
  uint64_t n = bytes / j->tile_bytes, start = j->data_start, rows = 0;
  if (n == 0 || n >= j->n_tiles) return BEZ_OK;
  if (!bez_builder_plan_point(j->plan.builder, n, j->n_tiles)) return BEZ_OK;
  for (uint64_t k = 0; k < n; k++) {
    bez_csv_tile *t = &j->tiles[k];
    if (start >= t->high) {
      *t = (bez_csv_tile){.low = t->low, .high = t->high, .start = start, .end = start};
      continue;
    }
    bez_status st = bez_csv_read_tile(&j->plan, &j->hands[0], k, 0, start, t, err);
    if (st != BEZ_OK || t->failed) return st; /* joining tells of the failure */
    start = t->end;
    rows += t->n_rows;
  }
  j->n_first = n;
  j->bytes_done = n * j->tile_bytes;
  return bez_builder_profile(j->plan.builder, rows * j->n_tiles / n, err);
}

/* Which tiles are ours. A shard that begins inside the file looks where its first record begins; if it read the tiles
 * before for the plan's sake, it lets go of them. */
static bez_status take_part(job *j, bez_error *err) {
  bez_builder_part(j->plan.builder, j->n_tiles, &j->from, &j->to);
  j->start = j->data_start;
  if (j->from == 0 || j->from == j->to) return BEZ_OK;
  return bez_csv_find_start(j->plan.source, &j->plan.dialect, j->data_start, j->tiles[j->from].low, &j->start, err);
}

static void drop_others(const job *j) {
  for (uint64_t k = 0; k < j->n_tiles; k++)
    if ((k < j->from || k >= j->to) && j->tiles[k].tile) {
      bez_tile_abandon(j->tiles[k].tile);
      j->tiles[k] = (bez_csv_tile){.low = j->tiles[k].low, .high = j->tiles[k].high};
    }
}

/* 1-based line of a file offset. */
static bez_status find_line(const bez_source *source, char newline, uint64_t offset, int64_t *line, bez_error *err) {
  char buf[65536];
  *line = 1;
  for (uint64_t at = 0; at < offset;) {
    size_t got, want = offset - at < sizeof buf ? (size_t)(offset - at) : sizeof buf;
    bez_status st = bez_source_read(source, at, buf, want, &got, err);
    if (st != BEZ_OK || got == 0) return st;
    for (size_t i = 0; i < got; i++) *line += buf[i] == newline;
    at += got;
  }
  return BEZ_OK;
}

/* Follows the tiles from the first and reads again those that began at the wrong place. */
static bez_status join_tiles(job *j, uint64_t *n_kept, bez_error *err) {
  uint64_t expected = j->start;
  *n_kept = 0;
  for (uint64_t k = j->from; k < j->to; k++) {
    bez_csv_tile *t = &j->tiles[k];
    bool none = expected >= t->high;
    if (none || t->start != expected) {
      if (t->tile) bez_tile_abandon(t->tile);
      *t = (bez_csv_tile){.low = t->low, .high = t->high, .start = expected, .end = expected};
      if (none) continue;
      bez_status st = bez_csv_read_tile(&j->plan, &j->hands[0], k, 0, expected, t, err);
      if (st != BEZ_OK) return st;
    } else if (t->failed && t->error.code == BEZ_LIMIT && k > 0) { /* a guess gives up sooner than a known start */
      bez_status st = bez_csv_read_tile(&j->plan, &j->hands[0], k, 0, expected, t, err);
      if (st != BEZ_OK) return st;
    }
    if (t->failed) {
      if (t->error.offset >= 0) {
        bez_error ignored = {0};
        if (find_line(j->plan.source, j->plan.dialect.newline, (uint64_t)t->error.offset, &t->error.line, &ignored)) {
        }
      }
      if (err) *err = t->error;
      return t->error.code;
    }
    expected = t->end;
    *n_kept += t->tile != NULL;
  }
  bez_builder_span(j->plan.builder, j->start, expected);
  return BEZ_OK;
}

/* A file whose name promises cells; in prose a comma is a comma. */
static bool promises_cells(const char *path) {
  const char *base = strrchr(path, '/');
  base = base ? base + 1 : path;
  return strstr(base, ".csv") || strstr(base, ".tsv") || strstr(base, ".tab");
}

static bez_status pass_remarks(const job *j, bez_error *err) {
  static const char *const rules[BEZ_CSV_ODDITIES] = {"ragged",      "nul-bytes",   "invalid-utf8",
                                                      "stray-quote", "blank-lines", "lone-cr"};
  const bez_source *source = j->plan.source;
  if (j->plan.dialect.doubtful && bez_builder_at_start(j->plan.builder) && promises_cells(source->path))
    bez_builder_remark(j->plan.builder, "one-column", source->path, 1, 1, "");
  for (int kind = 0; kind < BEZ_CSV_ODDITIES; kind++) {
    uint64_t count = 0, first = UINT64_MAX;
    for (uint64_t k = j->from; k < j->to; k++) {
      const bez_csv_odd *odd = &j->tiles[k].odd[kind];
      if (odd->count && !count) first = odd->at;
      count += odd->count;
    }
    if (!count) continue;
    int64_t line = -1;
    bez_status st = find_line(source, j->plan.dialect.newline, first, &line, err);
    if (st != BEZ_OK) return st;
    bez_builder_remark(j->plan.builder, rules[kind], source->path, count, line, "");
  }
  return BEZ_OK;
}

bez_status bez_csv_read(const bez_source *source, bez_builder *builder, const bez_csv_tuning *tuning, bez_error *err) {
  job j = {.plan = {.source = source, .builder = builder, .reference = tuning->reference},
           .tile_bytes = tuning->tile_bytes ? tuning->tile_bytes : TILE_BYTES};
  uint64_t n_kept, first;
  bez_status st;
  j.plan.scan = bez_csv_scanner(tuning->cpu);
  bez_builder_progress(builder, &j.progress, &j.progress_ctx);
  BEZ_TRY(bez_builder_begin_file(builder, source->path, "csv", source->size, err));
  BEZ_TRY(read_header(&j, err));
  BEZ_TRY(cut_tiles(&j, err));
  BEZ_TRY(take_part(&j, err));
  BEZ_TRY(read_first(&j, tuning->profile_bytes ? tuning->profile_bytes : PROFILE_BYTES, err));
  drop_others(&j);
  first = j.n_first > j.from ? j.n_first : j.from;
  if (first < j.to) BEZ_TRY(bez_parallel(j.to - first, bez_builder_threads(builder), read_one, &j, err));
  BEZ_TRY(join_tiles(&j, &n_kept, err));
  BEZ_TRY(pass_remarks(&j, err));
  BEZ_TRY(bez_builder_end_file(builder, n_kept, err));
cleanup:
  for (unsigned w = 0; j.hands && w < bez_builder_threads(builder); w++) bez_csv_hand_free(&j.hands[w]);
  free(j.hands);
  free(j.tiles);
  return st;
}

static bez_status read_csv(bez_source *source, bez_builder *builder, bez_error *err) {
  bez_csv_tuning tuning = {.cpu = bez_cpu_features()};
  return bez_csv_read(source, builder, &tuning, err);
}

const bez_reader bez_reader_csv = {
    .name = "csv",
    .title = "Comma- or tab-separated values",
    .extensions = "csv tsv tab txt",
    .summary =
        "RFC 4180 and its dialects: comma, tab, semicolon or pipe; quotes or none; LF, CRLF or CR; header or none. "
        "Ragged lines are read and remarked. UTF-16 is refused.",
    .sniff = sniff,
    .read = read_csv,
    .parts = true,
};
