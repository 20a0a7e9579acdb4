/* The table builder: readers push cells in tiles, in any order and from any thread; finishing infers types, sorts
 * dictionaries and yields a table that does not depend on who pushed when. */
#ifndef BEZ_FORMAT_BUILDER_H
#define BEZ_FORMAT_BUILDER_H

#include "base/threads.h"
#include "format/table.h"
#include "net/spool.h"

typedef struct bez_builder bez_builder;

BEZ_MUST_USE bez_status bez_builder_create(const bez_read_options *options, bez_builder **out, bez_error *err);
void bez_builder_destroy(bez_builder *builder); /* NULL is fine */
bez_budget *bez_builder_budget(bez_builder *builder);
/* What was fetched of remote paths; NULL: nothing. Borrowed. */
void bez_builder_set_spool(bez_builder *builder, const bez_spool *spool);
const bez_spool *bez_builder_spool(const bez_builder *builder);
unsigned bez_builder_threads(const bez_builder *builder);
/* The caller's progress function, to be called from the thread that called the reader; *fn may come back NULL. */
void bez_builder_progress(const bez_builder *builder, bez_progress_fn *fn, void **ctx);

/* The same for tiles (base/threads.h). */
bez_watch bez_builder_watch(const bez_builder *builder, const char *stage);

/* Declares the columns. The first call fixes them for the data set; later calls (further files) must name the same
 * columns: any order is mapped by name, a missing or foreign column is BEZ_FORMAT. len NULL: NUL-terminated. With
 * bez_read_options.columns, columns that are not wanted are dropped (their cells are pushed and ignored), and a wanted
 * one that the first file lacks is BEZ_USAGE. */
BEZ_MUST_USE bez_status bez_builder_columns(bez_builder *builder, const char *path, const char *const *names,
                                            const size_t *len, uint32_t n, bez_error *err);
/* The same for formats whose records name their fields: a further file may lack some and bring new ones; the cells that
 * are not there are missing, and a remark says so. A file that has none of the fields is BEZ_FORMAT. */
BEZ_MUST_USE bez_status bez_builder_fields(bez_builder *builder, const char *path, const char *const *names,
                                           const size_t *len, uint32_t n, bez_error *err);
/* Whether cells of a column are wanted; a reader may spare itself the others. */
bool bez_builder_wants(const bez_builder *builder, const char *name, size_t len);
const bez_read_options *bez_builder_options(const bez_builder *builder);

/* Begins and ends a file; tiles of a file are numbered from 0 without gaps. */
BEZ_MUST_USE bez_status bez_builder_begin_file(bez_builder *builder, const char *path, const char *format,
                                               uint64_t bytes, bez_error *err);
BEZ_MUST_USE bez_status bez_builder_end_file(bez_builder *builder, uint64_t n_tiles, bez_error *err);

/* What of the file is to be read where a data set is cut into shards (share.h): the units [first, end) of so many. Only
 * readers whose `parts` is set are ever told less than all. _part also keeps it as what was read of the file that began
 * last. */
void bez_builder_range(const bez_builder *builder, uint64_t units, uint64_t *first, uint64_t *end);
void bez_builder_part(bez_builder *builder, uint64_t units, uint64_t *first, uint64_t *end);
/* CSV: where the first record of the part begins, and where the one behind its last would. */
void bez_builder_span(bez_builder *builder, uint64_t begin, uint64_t stop);
/* Whether columns may be planned (bez_builder_profile) when `at` of `of` tiles of this file are in: true but in a shard
 * whose plan is made elsewhere. Kept either way. */
bool bez_builder_plan_point(bez_builder *builder, uint64_t at, uint64_t of);
/* Whether the data set is cut into shards. */
bool bez_builder_sharded(const bez_builder *builder);
/* Whether the file's beginning is being read: what is said of the file as a whole is said once. */
bool bez_builder_at_start(const bez_builder *builder);

/* The digest of the file that ended last. */
void bez_builder_digest(bez_builder *builder, uint64_t digest);

/* A tile: rows that one worker pushes in order. Worker w in [0, threads) may hold one open tile at a time. */
typedef struct bez_tile bez_tile;
BEZ_MUST_USE bez_status bez_builder_tile(bez_builder *builder, uint64_t tile, unsigned worker, bez_tile **out,
                                         bez_error *err);
/* One row: n cells as (pointer, length); n may differ from the column count (fewer: the rest is missing; more: the
 * rest is ignored; either way the caller adds a remark). cells[i] == NULL is missing. */
BEZ_MUST_USE bez_status bez_tile_row(bez_tile *tile, const char *const *cells, const uint32_t *len, uint32_t n,
                                     bez_error *err);
/* Rows at once: spans[r * n + c] says where the cell of row r, column c lies behind base, n being the number of columns
 * declared last; an empty span is missing. BEZ_CELL_PAD bytes behind every cell must be readable. */
typedef struct bez_cell_span {
  uint32_t begin, len;
} bez_cell_span;
#define BEZ_CELL_PAD 16u
BEZ_MUST_USE bez_status bez_tile_spans(bez_tile *tile, const char *base, const bez_cell_span *spans, uint32_t n_rows,
                                       bez_error *err);
/* Done with the tile. */
BEZ_MUST_USE bez_status bez_tile_end(bez_tile *tile, bez_error *err);
/* Takes back a tile that was pushed from a wrong start; also one that has ended. It is gone then. */
void bez_tile_abandon(bez_tile *tile);

/* Looks at the rows so far and decides how columns are taken in from here on (a large file then needs less memory and
 * time). To be called with no tile open, at a point that does not depend on threads; the end of a file does it by
 * itself. expected_rows: a guess of how many rows the data set will have. Only the first call counts. */
BEZ_MUST_USE bez_status bez_builder_profile(bez_builder *builder, uint64_t expected_rows, bez_error *err);

/* Counts a remark; thread safe. */
void bez_builder_remark(bez_builder *builder, const char *rule, const char *path, uint64_t count, int64_t line,
                        const char *example);

/* Types, roles, sorted dictionaries. The builder is consumed (destroyed) whatever the result. */
BEZ_MUST_USE bez_status bez_builder_finish(bez_builder *builder, bez_table **out, bez_error *err);

#endif
