/* Inside the table builder: what pushing (builder.c, lane.c) leaves for finishing (finish*.c, types.c).
 *
 * A worker keeps one lane per column with a dictionary for the whole data set. A tile keeps one chunk per column, as
 * narrow as it fits. Finishing merges the dictionaries, sorts each column's values and rewrites all chunks into one
 * array of codes per column, tile by tile, so that old and new never stand whole in memory together. */
#ifndef BEZ_FORMAT_BUILDER_INTERNAL_H
#define BEZ_FORMAT_BUILDER_INTERNAL_H

#include <pthread.h>

#include "format/images.h"
#include "format/lane.h"
#include "format/share.h"

/* Room for the chunks of several tiles of one worker; freed when the last of them is written out. */
typedef struct bez_segment {
  bez_store store;
  size_t used;
  _Atomic uint32_t users; /* tiles, and the worker that still adds */
} bez_segment;

struct bez_tile {
  bez_builder *builder;
  uint64_t tile, file; /* file: index in builder->files */
  unsigned worker;
  bool open, dropped;
  uint32_t n_rows;
  bez_chunk *chunks; /* n_chunks, once ended; columns that came later have none */
  uint32_t n_chunks;
  char *data;
  bez_segment *segment;
  uint64_t first_row; /* set by finishing: among all rows seen */
  uint64_t first_out; /* set by finishing: among the rows kept */
};

typedef struct bez_worker {
  bez_lane *lanes; /* n_cols */
  uint32_t cap_rows;
  bez_segment *segment;
} bez_worker;

/* The columns a file declared, and where they stand: what a saved state needs to declare them again. */
typedef struct bez_head {
  bool join; /* fields (bez_builder_fields) */
  uint32_t n;
  const char **names;
} bez_head;
#define BEZ_NO_HEAD UINT32_MAX

/* Beside bez_table_file: how the file was read. */
typedef struct bez_file_note {
  uint32_t head;
  uint64_t first, end, units; /* units (tiles, rows) that were read, of how many; a file read whole: 0, 1, 1 */
  uint64_t begin, stop;       /* CSV: where its first record begins, and where the record behind the last does */
  uint64_t plan_at, plan_of;  /* columns are planned when plan_at tiles of plan_of are in; 0: not inside the file */
} bez_file_note;

struct bez_builder {
  bez_read_options options;
  bez_share share;          /* of the file being read */
  bool share_first;         /* it is the first of the data set: a shard plans by it, as the whole would */
  uint32_t shard, n_shards; /* n_shards 0: the whole data set, in one process */
  bez_file_note *notes;     /* n_files */
  bez_head *heads;
  uint32_t n_heads, cap_heads, head;
  unsigned threads;
  bez_table *table;
  bool declared; /* the first file has named its columns */
  uint32_t n_cols, cap_cols;
  char **names;
  uint8_t *absent; /* n_cols: the file being read has no such column */
  uint32_t *map;   /* column of the file being read → column of the table, or BEZ_NO_COLUMN: not wanted */
  uint32_t n_map;
  bez_column_plan *plans;     /* n_cols */
  bez_column_type *plan_type; /* n_cols: decided with the plan, once profiled */
  uint64_t *plan_distinct;    /* n_cols: distinct values seen when the plan was made */
  bool profiled;
  bez_worker *workers; /* threads */
  bez_table_file *files;
  size_t n_files, cap_files;
  pthread_mutex_t lock; /* tiles, remarks */
  bez_tile **tiles;
  size_t n_tiles, cap_tiles;
  uint64_t n_rows;   /* of ended files */
  bez_arena arena;   /* names, paths */
  bez_images images; /* shape and how many; pixels in the store */
  bez_store pixels;
  bez_store facts;    /* bez_image_facts per picture, where they have them */
  uint64_t has_facts; /* pictures that do */
  bez_image_views *last_views;
  uint8_t views_kept[BEZ_ODDITIES];
  bez_table_unread *last_unread;
  const bez_table *labels; /* of --labels-file; borrowed */
  uint64_t n_labels;       /* in the labels file of pictures that came from a saved state */
  const bez_spool *spool;  /* of remote paths; borrowed */
};

#define BEZ_NO_COLUMN UINT32_MAX

/* The table's column of that name, BEZ_NO_COLUMN; hint: a guess. */
uint32_t bez_builder_column(const bez_builder *builder, const char *name, size_t len, uint32_t hint);
/* columns.c: columns that were asked for and that no file had (BEZ_USAGE). */
BEZ_MUST_USE bez_status bez_builder_check_wanted(const bez_builder *builder, bez_error *err);

/* Room for n rows in the lanes of the tile's worker. */
BEZ_MUST_USE bez_status bez_tile_reserve(bez_tile *tile, uint32_t n_rows, bez_error *err);
void bez_tile_free_data(bez_tile *tile);
void bez_segment_leave(bez_segment *segment); /* one user less; NULL is fine */

/* The arrays of a finished table: bez_table.owned. */
typedef struct bez_owned {
  pthread_mutex_t lock;
  bez_budget *budget;
  bez_store *stores;
  size_t n, cap;
  void **blocks; /* small ones */
  size_t n_blocks, cap_blocks;
} bez_owned;

BEZ_MUST_USE bez_status bez_owned_create(bez_table *table, bez_error *err);
/* A zeroed array that lives as long as the table; thread safe. */
BEZ_MUST_USE bez_status bez_owned_alloc(bez_table *table, uint64_t bytes, void *out, bez_error *err);

/* Moves a store into the table's keeping. */
BEZ_MUST_USE bez_status bez_owned_adopt(bez_table *table, bez_store *store, bez_error *err);

/* What type inference sees of a column; all of it independent of row order but the steps. */
typedef struct bez_column_stats {
  uint64_t n_rows, n_present, n_missing; /* rows */
  uint64_t n_number, n_integer, n_time;  /* rows whose cell reads as one */
  uint64_t n_distinct;
  uint64_t length, words; /* sums over present rows */
  uint32_t longest;
  uint64_t n_steps, n_up, n_down; /* neighbouring present rows, those with a larger and a smaller number */
  bool lower_bound;               /* n_distinct is one */
  bool decided;                   /* type says what the column is, whatever the rest says */
  bez_column_type type;
} bez_column_stats;

/* images.c: pictures of the rows that stay move to the table. keep: per row seen, NULL: all. */
BEZ_MUST_USE bez_status bez_finish_images(bez_builder *b, bez_table *table, const uint8_t *keep, bez_error *err);

/* types.c */
bez_column_type bez_infer_type(const char *name, const bez_column_stats *stats);
/* The type that options force on a column: by --type, --label, --text, --source, --id. */
bool bez_forced_type(const bez_read_options *options, const char *name, bez_column_type *out);
/* Sets type and role of every column from statistics and options; picks label, source, id. */
BEZ_MUST_USE bez_status bez_infer_columns(bez_table *table, const bez_read_options *options,
                                          const bez_column_stats *stats, bez_error *err);

#endif
